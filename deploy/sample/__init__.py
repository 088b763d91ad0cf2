"""The sample county: invented children, families and notifications, from a seed."""
