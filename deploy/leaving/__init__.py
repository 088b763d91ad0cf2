"""A county leaves: everything that Luotsi holds, opened, in files that need no Luotsi to be read.

Whoever runs it needs the key file and a database account that may read every schema; each
service's audit trail says so before anything is opened.
"""
