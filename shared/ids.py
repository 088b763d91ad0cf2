"""Random ids that sort by time, so that new rows land at the end of an index."""

from datetime import datetime
from uuid import UUID

from shared.randomness import random_bytes


def time_ordered_id(at: datetime) -> UUID:
    """A UUID version 7 (RFC 9562): 48 bits of milliseconds of `at`, 74 random bits."""
    milliseconds = int(at.timestamp() * 1000) & 0xFFFF_FFFF_FFFF
    random = int.from_bytes(random_bytes(10), "big")
    value = milliseconds << 80 | 0x7 << 76 | (random >> 68) << 64
    return UUID(int=value | 0b10 << 62 | random & 0x3FFF_FFFF_FFFF_FFFF)


def random_id() -> UUID:
    """A UUID version 4: says nothing, not even when it was made."""
    value = int.from_bytes(random_bytes(16), "big")
    return UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x4 << 76 | 0b10 << 62)
