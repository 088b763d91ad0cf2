"""The statutory clocks of one notification (law.md CLK-01…CLK-12).

The day of receipt is the local date in Finland of the moment the notification arrived. Saturdays,
Sundays and public holidays are never working days; the two eves (Christmas Eve, Midsummer Eve) are
public holidays in no statute, so `ClockSettings` says what they are to this county.
"""

import calendar
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

import holidays
from holidays.version import __version__ as _holidays_version

ClockKind = Literal["urgency", "assessment_start", "family_told", "assessment_finish"]

CALENDAR_VERSION = f"holidays-{_holidays_version}/FI/eves-by-date-1"
WORKING_DAYS = 7  # LSL 26 §, SHL 36 §
ANSWERED_BEFORE = 2  # working days before the target (own construction): who decides has them left
MONTHS = 3  # SHL 36 §

_HELSINKI = ZoneInfo("Europe/Helsinki")
_SATURDAY = 5
_DAY = timedelta(days=1)
_HOUR = 3600  # seconds

CITATIONS: dict[ClockKind, str] = {
    "urgency": "LSL 26 § 2 mom",
    "assessment_start": "LSL 26 §, SHL 36 §; 150/1930 2, 5 §",
    "family_told": "LSL 26 § 5 mom; 150/1930 2, 5 §",
    "assessment_finish": "LSL 26 §, SHL 36 §; 150/1930 3, 5 §",
}


class ClockSettings(NamedTuple):
    """The county's choices. The defaults give the earlier date where sources differ (CLK-07)."""

    urgency_minutes: int = 30
    eves_count: bool = True  # an eve is one of the seven working days
    eves_may_be_due: bool = False  # an eve may be the last day
    anticipatory_in_days: bool = True  # an unborn child's notification has all clocks (LSL 25 c §)


class ClockTimes(NamedTuple):
    """One clock. `target` and `due` are aware, UTC and exclusive: in time means before them.

    For the clocks counted in days they are the local midnight that ends the last day; `last_day`
    gives that day back. `target` is the county's own, `due` the statutory one (CLK-08).
    """

    kind: ClockKind
    started_at: datetime
    target: datetime
    due: datetime
    citation: str


class Limits(NamedTuple):
    """When the clocks counted in days end, for all that is received on one local day."""

    start_target: datetime
    start_due: datetime
    finish_target: datetime
    finish_due: datetime


class DayClock(NamedTuple):
    """A clock counted in days; see `ClockTimes`."""

    kind: ClockKind
    target: datetime
    due: datetime
    citation: str


class LastDays(NamedTuple):
    """The last days, inclusive, of what was received on one day."""

    start_target: date
    start_due: date
    finish_target: date
    finish_due: date


_DEFAULT = ClockSettings()


def clocks_for(received_at: datetime, settings: ClockSettings = _DEFAULT) -> tuple[ClockTimes, ...]:
    """The four clocks of a notification received at this aware time, in the order of `ClockKind`.

    Raises ValueError for a time without a zone: it would silently be read as this machine's.
    """
    if received_at.tzinfo is None:
        raise ValueError("the time of receipt needs a time zone")
    started = received_at.astimezone(UTC)
    urgent = urgent_by(started, settings)
    return (
        ClockTimes("urgency", started, urgent, urgent, CITATIONS["urgency"]),
        *(
            ClockTimes(clock.kind, started, clock.target, clock.due, clock.citation)
            for clock in day_clocks(limits_of(started, settings))
        ),
    )


def urgent_by(received_at: datetime, settings: ClockSettings) -> datetime:
    """When urgency must have been judged."""
    return received_at + timedelta(minutes=settings.urgency_minutes)


def limits_of(received_at: datetime, settings: ClockSettings) -> Limits:
    """The limits of what is received on this moment's local day."""
    return _limits_of_hour(int(received_at.timestamp() // _HOUR), settings)


def day_clocks(limits: Limits) -> tuple[DayClock, ...]:
    """The three clocks counted in days."""
    start, finish = limits[:2], limits[2:]
    return (
        DayClock("assessment_start", *start, CITATIONS["assessment_start"]),
        DayClock("family_told", *start, CITATIONS["family_told"]),
        DayClock("assessment_finish", *finish, CITATIONS["assessment_finish"]),
    )


def answer_by(target: datetime, settings: ClockSettings) -> datetime:
    """When the questions of a matter must have been answered whose clock has this `target`.

    The local midnight that ends the last day for it, as the clocks counted in days have it: of the
    seven working days before an assessment begins, the fifth. Always before the target.
    """
    day, left = last_day(target), ANSWERED_BEFORE
    while left:
        left -= counts_as_working_day(day, settings)
        day -= _DAY
    return _end_of(_back_to_workday(day))


def targets_with_answers_due(now: datetime, settings: ClockSettings) -> datetime:
    """The latest target whose questions must have been answered by now."""
    day = now.astimezone(_HELSINKI).date()
    while answer_by(_end_of(day + _DAY), settings) <= now:
        day += _DAY
    return _end_of(day)


def last_day(end: datetime) -> date:
    """The local day that ends at this `target` or `due` of a clock counted in days."""
    return (end.astimezone(_HELSINKI) - timedelta(microseconds=1)).date()


def last_days(received: date, settings: ClockSettings = _DEFAULT) -> LastDays:
    """The last days of what was received on this local day (CLK-01…CLK-08)."""
    start = _after_working_days(received, settings)
    finish = _after_months(received)
    return LastDays(
        _back_to_workday(start),
        _on_to_due_day(start, settings),
        _back_to_workday(finish),
        _on_to_due_day(finish, settings),
    )


def is_eve(day: date) -> bool:
    """Christmas Eve or Midsummer Eve, by date (150/1930 5 §); libraries differ in their names."""
    if day.month == 12:
        return day.day == 24
    return day.month == 6 and 19 <= day.day <= 25 and day.weekday() == calendar.FRIDAY


def is_holiday(day: date) -> bool:
    """A Saturday, a Sunday or a public holiday; an eve on a weekday is none of these."""
    return day.weekday() >= _SATURDAY or day in _holidays(day.year)


def counts_as_working_day(day: date, settings: ClockSettings = _DEFAULT) -> bool:
    """Whether the day is one of the seven."""
    return not is_holiday(day) and (settings.eves_count or not is_eve(day))


def may_be_due_date(day: date, settings: ClockSettings = _DEFAULT) -> bool:
    """Whether a time limit may end on the day (150/1930 5 §)."""
    return not is_holiday(day) and (settings.eves_may_be_due or not is_eve(day))


@lru_cache(maxsize=512)
def _holidays(year: int) -> frozenset[date]:
    # The library lists both eves as public holidays; taken as it is, it moves limits later.
    return frozenset(day for day in holidays.country_holidays("FI", years=year) if not is_eve(day))


@lru_cache(maxsize=4096)
def _limits_of_hour(hour: int, settings: ClockSettings) -> Limits:
    """The limits of an hour since 1970: days here begin with an hour of UTC."""
    return _limits(datetime.fromtimestamp(hour * _HOUR, _HELSINKI).date(), settings)


@lru_cache(maxsize=1024)
def _limits(received: date, settings: ClockSettings) -> Limits:
    return Limits(*(_end_of(day) for day in last_days(received, settings)))


def _end_of(day: date) -> datetime:
    return datetime.combine(day + _DAY, time.min, _HELSINKI).astimezone(UTC)


def _after_working_days(received: date, settings: ClockSettings) -> date:
    day, left = received, WORKING_DAYS
    while left:
        day += _DAY
        left -= counts_as_working_day(day, settings)
    return day


def _after_months(received: date) -> date:
    years, month = divmod(received.month - 1 + MONTHS, 12)
    year, month = received.year + years, month + 1
    return date(year, month, min(received.day, calendar.monthrange(year, month)[1]))


def _back_to_workday(day: date) -> date:
    while is_holiday(day) or is_eve(day):
        day -= _DAY
    return day


def _on_to_due_day(day: date, settings: ClockSettings) -> date:
    while not may_be_due_date(day, settings):
        day += _DAY
    return day
