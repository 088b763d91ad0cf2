"""The ``luotsi`` command, for operators and integrators.

Whatever changes something is asked of a service in a worker's name, and audited there.
"""
