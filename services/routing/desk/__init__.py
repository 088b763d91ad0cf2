"""The desk: what people see of cases and what they decide; routing's second process."""
