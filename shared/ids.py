"""Random ids that sort by time, so that new rows land at the end of an index."""

import os
from datetime import datetime
from uuid import UUID


def time_ordered_id(at: datetime) -> UUID:
    """A UUID version 7 (RFC 9562): 48 bits of milliseconds of `at`, 74 random bits."""
    milliseconds = int(at.timestamp() * 1000) & 0xFFFF_FFFF_FFFF
    random = int.from_bytes(os.urandom(10), "big")
    value = milliseconds << 80 | 0x7 << 76 | (random >> 68) << 64
    return UUID(int=value | 0b10 << 62 | random & 0x3FFF_FFFF_FFFF_FFFF)
