"""The ``luotsi`` command, for operators: it asks the running services and changes nothing."""
