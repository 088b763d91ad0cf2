"""The one place that reads the wall clock. Everything else takes the time as a value."""

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]

HELSINKI = ZoneInfo("Europe/Helsinki")


def utc_now() -> datetime:
    """The current time, aware, in UTC."""
    return datetime.now(UTC)


def from_milliseconds(timestamp: int) -> datetime:
    """A Kafka record's timestamp (milliseconds since 1970) as an aware time in UTC."""
    return datetime.fromtimestamp(timestamp / 1000, UTC)
