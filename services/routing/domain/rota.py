"""Whether somebody is always on duty: the first moment that the duty rota leaves open. Pure.

During office hours the rota must have an office-hours shift, at all other times one of the social
emergency service (sosiaalipaivystys). Limits of days are Finland's; everything is counted in UTC,
so that the hours the clock is put forward or back are neither lost nor doubled.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, NamedTuple, get_args

from services.routing.domain.clocks import is_holiday
from shared.clock import HELSINKI

ShiftKind = Literal["office_hours", "sosiaalipaivystys"]
SHIFT_KINDS: tuple[ShiftKind, ...] = get_args(ShiftKind)
AHEAD = timedelta(days=7)


class OfficeHours(NamedTuple):
    """When the office is open on a working day, in Finland's time."""

    begins: time = time(8)
    ends: time = time(16)


class OnDuty(NamedTuple):
    """A shift that somebody has."""

    kind: ShiftKind
    begins: datetime
    ends: datetime


class Needed(NamedTuple):
    """A time that a kind of shift must cover."""

    kind: ShiftKind
    begins: datetime
    ends: datetime


_USUAL = OfficeHours()


def first_gaps(
    shifts: Iterable[OnDuty], now: datetime, office: OfficeHours = _USUAL
) -> dict[ShiftKind, datetime | None]:
    """The first uncovered moment of each kind within `AHEAD`; None where all is covered."""
    on_duty = list(shifts)
    gaps: dict[ShiftKind, datetime | None] = dict.fromkeys(SHIFT_KINDS)
    for need in needed(now, now + AHEAD, office):
        if gaps[need.kind] is None:
            gaps[need.kind] = _uncovered(need, on_duty)
    return gaps


def needed(begins: datetime, ends: datetime, office: OfficeHours = _USUAL) -> Iterator[Needed]:
    """What must be covered from `begins` to `ends`, in order and without holes."""
    moment = begins.astimezone(UTC)
    day = begins.astimezone(HELSINKI).date()
    while moment < ends:
        for kind, until in _of_day(day, office):
            if moment < (end := min(until, ends.astimezone(UTC))):
                yield Needed(kind, moment, end)
                moment = end
        day += timedelta(days=1)


def _of_day(day: date, office: OfficeHours) -> list[tuple[ShiftKind, datetime]]:
    """The day's stretches: kind and end."""
    midnight = _utc(day + timedelta(days=1), time(0))
    if is_holiday(day):
        return [("sosiaalipaivystys", midnight)]
    return [
        ("sosiaalipaivystys", _utc(day, office.begins)),
        ("office_hours", _utc(day, office.ends)),
        ("sosiaalipaivystys", midnight),
    ]


def _utc(day: date, at: time) -> datetime:
    return datetime.combine(day, at, HELSINKI).astimezone(UTC)


def _uncovered(need: Needed, shifts: Iterable[OnDuty]) -> datetime | None:
    """The first moment of a time that no shift of its kind covers."""
    covered = need.begins
    for shift in sorted((s for s in shifts if s.kind == need.kind), key=lambda s: s.begins):
        if shift.begins > covered:
            break
        covered = max(covered, shift.ends)
    return covered if covered < need.ends else None
