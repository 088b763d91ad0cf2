"""When a source is braked: too many of its recent messages could not be read. Pure."""

from datetime import timedelta
from typing import NamedTuple


class Brake(NamedTuple):
    """The county's rule: of at least `messages` within `within`, more than `percent` quarantined.

    One source's mistake is then in front of a person once, and no other source notices it.
    """

    messages: int = 20
    percent: int = 50
    within: timedelta = timedelta(hours=1)

    def may_trip(self, quarantined: int) -> bool:
        """Whether so many could be too many; no need to count the source's messages otherwise."""
        return quarantined * 100 > self.percent * self.messages

    def count_up_to(self, quarantined: int) -> int:
        """Among so many messages or more, `quarantined` is no share that trips."""
        return max(self.messages, -(-quarantined * 100 // self.percent))

    def trips(self, messages: int, quarantined: int) -> bool:
        """Whether the source is to be braked."""
        return messages >= self.messages and quarantined * 100 > self.percent * messages
