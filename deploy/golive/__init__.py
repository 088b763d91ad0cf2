"""Going live: open matters of the system before, with their true receipt times and acts.

There is no second way into the database: each matter is sent as a message, each act is recorded at
the desk, and both doors check, audit and take repeats harmlessly as they always do.
"""
