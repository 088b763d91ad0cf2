"""The ``luotsi`` command, for operators and integrators: it changes nothing."""
