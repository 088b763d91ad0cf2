"""Who is away on which day: annual leave, sick days, the free day of part-time work."""

from datetime import date, timedelta
from functools import lru_cache
from random import Random
from typing import Literal

from deploy.sample.staff.people import PART_TIME

Leave = Literal["annual", "sick", "part_time"]

SUMMER = range(23, 32)  # ISO weeks in which the four weeks of summer leave may begin
SUMMER_WEEKS = 4
OTHER_WEEKS = (*range(2, 23), *range(36, 51))
FALLS_ILL = 0.35  # a month
LONGEST_ILL = 4  # days


@lru_cache(maxsize=8192)
def away(worker: str, day: date) -> Leave | None:
    """Why a worker is away on a local day; None who is not. Leave weeks hold their weekends."""
    year, week, _ = day.isocalendar()
    if week in _annual(worker, year):
        return "annual"
    if day in _ill(worker, day.year, day.month) or day in _ill(worker, *_month_before(day)):
        return "sick"
    if PART_TIME.get(worker) == day.weekday():
        return "part_time"
    return None


@lru_cache(maxsize=512)
def _annual(worker: str, year: int) -> frozenset[int]:
    """Four weeks in summer and two single ones."""
    rng = Random(f"annual leave {worker} {year}")
    summer = rng.choice(SUMMER)
    return frozenset((*range(summer, summer + SUMMER_WEEKS), *rng.sample(OTHER_WEEKS, 2)))


@lru_cache(maxsize=4096)
def _ill(worker: str, year: int, month: int) -> frozenset[date]:
    """At most one spell that begins in the month."""
    rng = Random(f"sick days {worker} {year}-{month}")
    if rng.random() >= FALLS_ILL:
        return frozenset()
    first = date(year, month, rng.randrange(1, 29))
    return frozenset(first + timedelta(days=n) for n in range(rng.randrange(LONGEST_ILL) + 1))


def _month_before(day: date) -> tuple[int, int]:
    before = day.replace(day=1) - timedelta(days=1)
    return before.year, before.month
