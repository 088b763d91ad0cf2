"""Children who may be one: what is remembered of them, and who is suggested to a worker."""
