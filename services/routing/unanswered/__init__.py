"""Questions that nobody answered in time become a supervisor's task (design 7)."""
