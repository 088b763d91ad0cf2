"""The consumer groups of intake: one for each topic.

Members of one group wait for each other whenever one of them comes or goes: in a common group
a start took ten seconds longer, and one topic's reader could hold up all the others.
"""


def in_turn(topic: str) -> str:
    """The group that takes a topic's messages, such as ``intake-absence``."""
    return f"intake-{_what(topic)}"


def ahead(topic: str) -> str:
    """The group that looks for marked messages ahead of their turn."""
    return f"intake-urgent-{_what(topic)}"


def _what(topic: str) -> str:
    return topic.split(".")[2]
