"""Which children are one: joined and separated by a person, undone without a trace of the other."""
