"""Children of one household: locked before their cases, screened with each other."""
