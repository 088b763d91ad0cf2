"""What has come about a child and its household in the year before the latest of it. Pure.

The window ends with the latest message that counts and is known: never with the moment at which
somebody computes it. So the order in which messages come does not matter, and nothing changes by
looking again. What is kept of a case is bounded, however much comes about it.
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from services.routing.domain.facts import MOST_SIGNALS, MOST_SOURCES, Told


class Seen(NamedTuple):
    """One message that counts: when it was received, by which system it was sent, its receipt.

    `at` is in whole seconds since 1970. A message about several children of a household is one.
    """

    at: int
    source: str
    message: str


Recent = tuple[Seen, ...]
"""The messages that can still make a difference, the latest first: see `kept`."""

NONE_SEEN: Recent = ()


def seen(signal_id: str, source: str, received_at: datetime) -> Seen:
    """A signal as one message: its id is that of the message and the child's place in it."""
    return Seen(int(received_at.timestamp()), source, signal_id.rpartition(".")[0] or signal_id)


def recent_of(told: Mapping[str, Told]) -> Recent:
    """The messages of a case, by the ids of its signals."""
    return kept([seen(ident, each.source, each.at) for ident, each in told.items()])


def kept(messages: Iterable[Seen]) -> Recent:
    """Of these messages those that can make a difference, now or later.

    They are the latest, and the latest of each source, up to the numbers beyond which nothing is
    counted, within a year before the latest of all. What is dropped can count again only when
    something else is taken back, and then everything is counted anew from what stands.
    """
    ordered = sorted(set(messages), reverse=True)
    if len(ordered) <= MOST_SIGNALS and _within_a_year(ordered):
        return tuple(ordered)
    begins, sources, found = a_year_before(ordered[0].at), set[str](), []
    for place, each in enumerate(ordered):
        new_source = each.source not in sources and len(sources) < MOST_SOURCES
        if each.at >= begins and (place < MOST_SIGNALS or new_source):
            sources.add(each.source)
            found.append(each)
    return tuple(found)


def _within_a_year(ordered: Sequence[Seen]) -> bool:
    return not ordered or ordered[0].at - ordered[-1].at <= _SHORTEST_YEAR


_SHORTEST_YEAR = 365 * 24 * 3600


def together(one: Recent, other: Recent) -> Recent:
    """What two have kept, as if all of it had come to one."""
    if not one or not other:
        return one or other
    return kept((*one, *other))


def counted(recent: Recent) -> tuple[int, int, int]:
    """How many messages came in the year up to the latest of them, and from how many sources.

    And from how many in the three months up to it. They are counted no further than `MOST_SIGNALS`
    and `MOST_SOURCES`; they tell nothing of who sent them, only whether it was somebody else.
    """
    if len(recent) <= 1:
        return len(recent), len(recent), len(recent)
    begins = three_months_before(recent[0].at)
    sources: set[str] = set()
    lately = 0
    for at, source, _ in recent:  # the latest first
        sources.add(source)
        if at >= begins:
            lately = len(sources)
    return (
        min(len(recent), MOST_SIGNALS), min(len(sources), MOST_SOURCES), min(lately, MOST_SOURCES)
    )  # fmt: skip


def latest(moment: datetime | None, one: Recent, other: Recent) -> datetime | None:
    """The latest of a moment and of these messages, to the second."""
    at = one[0].at if one else 0
    if other and other[0].at > at:
        at = other[0].at
    if not at or (moment is not None and moment.timestamp() >= at):
        return moment
    return datetime.fromtimestamp(at, UTC)


def a_year_before(at: int) -> int:
    """The same moment of the year before, in seconds since 1970; of 29 February the 28th."""
    return _months_before(at, 12)


def three_months_before(at: int) -> int:
    """The same moment three months before; where that month has no such day, of its last one."""
    return _months_before(at, 3)


def _months_before(at: int, months: int) -> int:
    """The same day and time so many months before; where it has no such day, its last one."""
    day, seconds = divmod(at, _DAY)
    return _day_before(day, months) * _DAY + seconds


@lru_cache(maxsize=10_000)
def _day_before(day: int, months: int) -> int:
    """The same, of a day as a number since 1970: every day of UTC is as long."""
    on = _FIRST_DAY + timedelta(day)
    years, month = divmod(on.year * 12 + on.month - 1 - months, 12)
    day_of_month = min(on.day, monthrange(years, month + 1)[1])
    return (on.replace(year=years, month=month + 1, day=day_of_month) - _FIRST_DAY).days


_DAY = 24 * 3600
_FIRST_DAY = date(1970, 1, 1)


def to_json(recent: Recent) -> str:
    """As it is kept with a case."""
    return orjson.dumps(list(map(tuple, recent))).decode() if recent else "[]"


def from_json(text: str) -> Recent:
    """Read what `to_json` wrote, or a longer list of the same form (migration 0018)."""
    if text == "[]":
        return NONE_SEEN
    read = from_rows(orjson.loads(text))
    return kept(read) if len(read) > MOST_SIGNALS + MOST_SOURCES else read


def from_rows(rows: Iterable[Iterable[Any]]) -> Recent:
    """Messages from lists of what each of them has."""
    return tuple([Seen(*each) for each in rows])
