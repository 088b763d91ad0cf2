"""The sample county's year, read as intake will read it."""

from datetime import date

from deploy.sample import county
from deploy.sample.county import Message, Truth
from services.intake.domain.reading import read_message
from shared import events
from shared.inbox import Raw, Unreadable

LAST_DAY = date(2026, 11, 22)

Year = list[tuple[Message, events.Message, Truth]]


def sample_year() -> Year:
    """Every message of a year of a county of average size, with the truth."""
    return [(m, read(m), truth) for m, truth in county.told(last_day=LAST_DAY, days=365)]


def read(message: Message) -> events.Message:
    raw = Raw(0, 0, message.at, message.key, message.headers, message.value)
    found = read_message(raw)
    assert not isinstance(found, Unreadable), found
    return found.event
