"""When notifiers write: the hours of a year, weighted for each kind of notifier.

Office hours for offices, school terms for schools, evenings for private persons, and the police
who write in batches on the first morning after days off (domain.md section 10).
"""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate

import holidays

from shared.clock import HELSINKI

DAYS = 365
_OFFICE = dict(zip(range(8, 17), (1.0, 1.6, 1.6, 1.1, 1.1, 1.5, 1.6, 1.0, 0.2), strict=True))
_BATCH = {6: 3.0, 7: 10.0, 8: 8.0, 9: 4.0, 10: 2.0}
_MORNING = {6: 1.0, 7: 3.0, 8: 3.0, 9: 2.0}


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the year: is it a day off, does work begin again on it, are schools open."""

    date: date
    off: bool
    first_after_off: bool

    @property
    def term(self) -> bool:
        return in_term(self.date)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """The hours of a year with their weights, summed up."""

    starts: tuple[int, ...]  # seconds since 1970
    sums: tuple[float, ...]

    def moment(self, share: float) -> int:
        """The second (since 1970) by which `share` (0 to 1) of the year's weight has passed."""
        target = share * self.sums[-1]
        hour = min(bisect_right(self.sums, target), len(self.sums) - 1)
        before = self.sums[hour - 1] if hour else 0.0
        part = (target - before) / (self.sums[hour] - before)
        return self.starts[hour] + min(int(part * 3600), 3599)


def in_term(day: date) -> bool:
    """True on days of a school term (weekends not looked at; holidays as most schools have)."""
    if (6, 1) <= (day.month, day.day) <= (8, 10):
        return False
    if (day.month, day.day) >= (12, 22) or (day.month, day.day) <= (1, 6):
        return False
    return day.isocalendar().week not in {9, 42}


@lru_cache(maxsize=4)
def rhythms(last_day: date) -> dict[str, Rhythm]:
    """A rhythm for each letter of scenes.yaml, over the 365 days that end with `last_day`."""
    days = _days(last_day)
    starts = tuple(
        int(datetime(d.date.year, d.date.month, d.date.day, hour, tzinfo=HELSINKI).timestamp())
        for d in days
        for hour in range(24)
    )
    return {
        letter: Rhythm(starts, tuple(accumulate(w(d, hour) for d in days for hour in range(24))))
        for letter, w in _WEIGHTS.items()
    }


def _days(last_day: date) -> list[Day]:
    first = last_day - timedelta(days=DAYS - 1)
    closed = holidays.country_holidays("FI", years=range(first.year - 1, last_day.year + 1))
    dates = [first + timedelta(days=n) for n in range(-1, DAYS)]
    off = [day.weekday() >= 5 or day in closed for day in dates]
    return [Day(dates[n], off[n], off[n - 1] and not off[n]) for n in range(1, len(dates))]


def _office(day: Day, hour: int) -> float:
    return 0.0 if day.off else _OFFICE.get(hour, 0.0)


def _school(day: Day, hour: int) -> float:
    return _office(day, hour) if day.term else 0.0


def _day_care(day: Day, hour: int) -> float:
    return _office(day, hour) * (0.4 if day.date.month == 7 else 1.0)


def _health(day: Day, hour: int) -> float:
    return _office(day, hour) + 0.06


def _police(day: Day, hour: int) -> float:
    if day.off:
        return 0.05
    mornings = _BATCH if day.first_after_off else _MORNING
    return mornings.get(hour, 0.3 if 10 <= hour < 16 else 0.08)


def _private(day: Day, hour: int) -> float:
    if hour < 7:
        return 0.03
    return (1.6 if 17 <= hour < 22 else 1.0) * (0.5 if day.off else 1.0)


def _youth(day: Day, hour: int) -> float:
    return (0.3 if day.off else 1.0) if 12 <= hour < 22 else 0.0


def _on_the_spot(day: Day, hour: int) -> float:
    evening = hour >= 17 or hour < 2
    return (1.6 if evening else 0.6) * (1.2 if day.off else 1.0)


_WEIGHTS: dict[str, Callable[[Day, int], float]] = {
    "P": _police,
    "S": _school,
    "D": _day_care,
    "H": _health,
    "O": _office,
    "V": _private,
    "G": _private,
    "Y": _youth,
    "A": _on_the_spot,
    "K": _office,
}
