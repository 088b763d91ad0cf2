"""When a source is expected, and when its silence is an alarm. Pure.

Three ways to know that a source should have been heard, the plainest first:

* **Stated.** The county's file says "police-1, Mondays, by 10:00", or the source's last list says
  when the next one comes.
* **Weekday.** In each of the last eight weeks (public holidays apart) the source came on this
  weekday, and always within the same three hours. It has not come by their end and two hours more.
* **Chance.** From the last eight weeks: in what share of them did anything come in this hour of the
  week? Hours count, not messages, so a burst is one. With a share of a out of n the chance that an
  hour is silent is taken as 1 - a / (n + 1). The chances of the silent hours multiplied are the
  chance of the whole silence; below one in ten thousand years' silences of this source it is an
  alarm. A busy source is found in some seven busy hours, one of three messages a day in some
  six working days, one of one a week in some months: for such a one the county states it.

The hour of the week is Finland's. A public holiday counts as a Sunday. What a source does during
`quiet` days (a school's summer) is neither expected nor learnt from. A source with less than six
weeks, or twelve hours in which something came, has no rhythm yet: that is unknown, not silence.
It is learnt from the weeks before its last message, so that silence does not become the rhythm.

An hour is a number here: whole hours since 1970.
"""

import calendar
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from math import log
from typing import Annotated, Literal, NamedTuple

import holidays
from pydantic import BaseModel, BeforeValidator, ConfigDict, TypeAdapter

from shared.clock import HELSINKI

Why = Literal["stated", "no-list", "weekday", "chance"]

WEEKS = 8
FEWEST_WEEKS, FEWEST_HOURS = 6, 12
WITHIN_HOURS = 3  # of a weekday on which a source is regular
GRACE = timedelta(hours=2)  # after these
YEARS = 10_000  # of a source, in which chance alone makes one alarm
LONGEST = 24 * 7 * 26  # silent hours that are looked at: half a year

_HOUR = 3600
_SUNDAY = 6
_DAY = timedelta(days=1)

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_WEEKDAYS: tuple[Weekday, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class _Stated(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def _as_text(value: object) -> object:
    if isinstance(value, int):  # YAML reads an unquoted 10:00 as the number 600
        raise ValueError('a time in quotes, as "10:00"')  # noqa: TRY004 -- pydantic tells of it
    return value


class By(_Stated):
    """On these days something has come by this time (Finland's); not on public holidays."""

    days: tuple[Weekday, ...]
    by: Annotated[time, BeforeValidator(_as_text)]


class Quiet(_Stated):
    """Days, both inclusive, on which nothing is expected: a school's holidays."""

    first: date
    last: date


class Stated(_Stated):
    """What the county states about one source."""

    expected: tuple[By, ...] = ()
    quiet: tuple[Quiet, ...] = ()

    def is_quiet(self, day: date) -> bool:
        """Whether nothing is expected on this day."""
        return any(each.first <= day <= each.last for each in self.quiet)


NOTHING_STATED = Stated()
STATED: TypeAdapter[dict[str, Stated]] = TypeAdapter(dict[str, Stated])


class Heard(NamedTuple):
    """What came of a source. `hours` in which something did, of `WEEKS` before `last` at least.

    `first` and `last` message ever, `next_list` as its latest list says.
    """

    hours: Collection[int]
    first: datetime
    last: datetime
    next_list: datetime | None = None


class Silence(NamedTuple):
    """A source is silent since its last message, and why that is an alarm."""

    since: datetime
    why: Why


def silence(heard: Heard, now: datetime, stated: Stated = NOTHING_STATED) -> Silence | None:
    """The alarm that a source's silence is at this time, or None."""
    if heard.next_list is not None and heard.next_list <= now:
        return Silence(heard.last, "no-list")
    why: Why | None = None
    if _late(heard, now, stated):
        why = "stated"
    elif _weeks_known(heard) >= FEWEST_WEEKS:
        if _misses_weekday(heard, now, stated):
            why = "weekday"
        elif _too_long(heard, now, stated):
            why = "chance"
    return None if why is None else Silence(heard.last, why)


def _weeks_known(heard: Heard) -> int:
    return (heard.last - heard.first) // timedelta(weeks=1)


def _late(heard: Heard, now: datetime, stated: Stated) -> bool:
    """A day and time that the county states has passed, and nothing has come on that day."""
    day = now.astimezone(HELSINKI).date()
    last = heard.last.astimezone(HELSINKI).date()
    for _ in range(14):
        if day <= last:
            return False
        if not is_holiday(day) and not stated.is_quiet(day):
            for each in stated.expected:
                due = datetime.combine(day, each.by, HELSINKI)
                if _WEEKDAYS[day.weekday()] in each.days and due <= now:
                    return True
        day -= _DAY
    return False


def _misses_weekday(heard: Heard, now: datetime, stated: Stated) -> bool:
    last = heard.last.astimezone(HELSINKI).date()
    for ahead in range(1, 15):  # the first such day after the last message decides
        day = last + ahead * _DAY
        if datetime.combine(day, time.min, HELSINKI) > now:
            return False
        if is_holiday(day) or stated.is_quiet(day):
            continue
        end = _regular_until(heard, last, day.weekday(), stated)
        if end is not None and datetime.combine(day, time.min, HELSINKI) + end <= now:
            return True
    return False


def _regular_until(heard: Heard, last: date, weekday: int, stated: Stated) -> timedelta | None:
    """How long after midnight a source that is regular on this weekday should have come."""
    came: list[tuple[int, int]] = []
    day = last - ((last.weekday() - weekday) % 7) * _DAY
    earliest = max(last - 2 * WEEKS * 7 * _DAY, heard.first.astimezone(HELSINKI).date())
    while len(came) < WEEKS:
        if day < earliest:
            return None
        if not is_holiday(day) and not stated.is_quiet(day):
            hours = [h for h in range(24) if _hour_of(day, h) in heard.hours]
            if not hours:
                return None
            came.append((hours[0], hours[-1]))
        day -= 7 * _DAY
    begin, end = min(first for first, _ in came), max(last for _, last in came)
    return timedelta(hours=end + 1) + GRACE if end - begin < WITHIN_HOURS else None


def _too_long(heard: Heard, now: datetime, stated: Stated) -> bool:
    start, end = hour_of(heard.last) + 1, hour_of(now)
    if (end - start) * log(2 * WEEKS) < log(FEWEST_HOURS * YEARS):  # no hour is so certain
        return False
    learnt = _surprise(heard, stated)
    if learnt is None:
        return False
    per_slot, limit = learnt
    told = 0.0
    for hour in range(start, min(end, start + LONGEST)):
        day, slot = slot_of(hour)
        if not stated.is_quiet(day):
            told += per_slot.get(slot, 0.0)
            if told >= limit:
                return True
    return False


def _surprise(heard: Heard, stated: Stated) -> tuple[Mapping[int, float], float] | None:
    """-log of the chance that an hour of the week is silent, and of the least chance allowed.

    Learnt from the whole days of the eight weeks before the day of the last message.
    """
    last = heard.last.astimezone(HELSINKI).date()
    first = max(last - WEEKS * 7 * _DAY, heard.first.astimezone(HELSINKI).date() + _DAY)
    span = (first + n * _DAY for n in range((last - first).days))
    days = [day for day in span if not stated.is_quiet(day)]
    begin, end = _hour_of(first, 0), _hour_of(last, 0)
    came: Counter[int] = Counter()
    for hour in heard.hours:
        if begin <= hour < end:
            day, slot = slot_of(hour)
            came[slot] += not stated.is_quiet(day)
    busy = came.total()
    if busy < FEWEST_HOURS:
        return None
    times = Counter(_weekday_of(day) for day in days)
    per_slot = {}
    for slot, hours in came.items():
        n = times[slot // 24]
        per_slot[slot] = -log(1 - min(hours, n) / (n + 1))  # an hour comes twice in October
    return per_slot, log(busy * 365 / len(days) * YEARS)


def hour_of(moment: datetime) -> int:
    """The hour that holds an aware time."""
    return int(moment.timestamp()) // _HOUR


@lru_cache(maxsize=50_000)
def _hour_of(day: date, hour: int) -> int:
    return hour_of(datetime.combine(day, time(hour), HELSINKI))


@lru_cache(maxsize=50_000)
def slot_of(hour: int) -> tuple[date, int]:
    """The local day of an hour, and its hour of the week: 0 is Monday's first."""
    local = datetime.fromtimestamp(hour * _HOUR, UTC).astimezone(HELSINKI)
    return local.date(), _weekday_of(local.date()) * 24 + local.hour


def _weekday_of(day: date) -> int:
    return _SUNDAY if is_holiday(day) else day.weekday()


def is_holiday(day: date) -> bool:
    """A public holiday, or Christmas Eve or Midsummer Eve, which libraries name so or so."""
    return day in _holidays(day.year) or (day.month, day.day) == (12, 24) or _midsummer_eve(day)


def _midsummer_eve(day: date) -> bool:
    return day.month == 6 and 19 <= day.day <= 25 and day.weekday() == calendar.FRIDAY


@lru_cache(maxsize=64)
def _holidays(year: int) -> frozenset[date]:
    return frozenset(holidays.country_holidays("FI", years=year))
