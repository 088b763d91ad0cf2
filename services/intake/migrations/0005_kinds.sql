-- What a child is looked up by: at birth the expecting parent's hash no longer leads to it.
CREATE INDEX child_lookup_by_child ON child_lookup (child);
