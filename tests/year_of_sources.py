"""A year of invented sources: when each sends, with its rhythm, its holidays and its chance."""

import random
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta

from services.intake.domain.rhythm import is_holiday
from shared.clock import HELSINKI

BEGINS = date(2026, 8, 3)  # a Monday
DAYS = 364

Day = Callable[[random.Random, date], list[datetime]]


def year_of(day_of: Day, seed: int, begins: date = BEGINS, days: int = DAYS) -> list[datetime]:
    """When the source sends, in order, in UTC."""
    chance = random.Random(seed)
    sent = [
        moment.astimezone(UTC)
        for ahead in range(days)
        for moment in day_of(chance, begins + timedelta(days=ahead))
    ]
    return sorted(sent)


def at(day: date, hours: float) -> datetime:
    """So many hours after midnight in Finland."""
    midnight = datetime.combine(day, time(), HELSINKI)
    return midnight.astimezone(UTC) + timedelta(hours=hours)


def by_chance(
    chance: random.Random, day: date, begin: float, end: float, count: float
) -> Iterator[datetime]:
    """Messages that know nothing of each other, `count` on average."""
    hours = begin
    while count > 0:
        hours += chance.expovariate(count / (end - begin))
        if hours >= end:
            return
        yield at(day, hours)


def is_free(day: date) -> bool:
    return day.weekday() >= 5 or is_holiday(day)


def season(day: date) -> float:
    """Offices are half empty in July and between the years."""
    if day.month == 7 or (day.month == 12 and day.day > 22):
        return 0.5
    return 1.0


def office(a_day: float) -> Day:
    """In office hours of working days."""

    def sends(chance: random.Random, day: date) -> list[datetime]:
        if is_free(day):
            return []
        return list(by_chance(chance, day, 8, 16, a_day * season(day)))

    return sends


def hospital(chance: random.Random, day: date) -> list[datetime]:
    """At any hour of any day, less at night."""
    return [
        *by_chance(chance, day, 0, 7, 7),
        *by_chance(chance, day, 7, 22, 120),
        *by_chance(chance, day, 22, 24, 4),
    ]


def police(chance: random.Random, day: date) -> list[datetime]:
    """The reports of the week at once, on Monday morning; on Tuesday after a holiday."""
    sends = day if day.weekday() == 0 else day - timedelta(days=1)
    if sends.weekday() != 0 or is_holiday(day) or (sends != day and not is_holiday(sends)):
        return []
    begin = chance.uniform(7.2, 8.8)
    return [at(day, begin + n / 600) for n in range(chance.randrange(4, 30))]


def nightly(chance: random.Random, day: date) -> list[datetime]:
    """What a system gathered during the day, each night."""
    begin = chance.uniform(1.9, 2.3)
    return [at(day, begin + n / 600) for n in range(chance.randrange(1, 12))]


def bursts(chance: random.Random, day: date) -> list[datetime]:
    """Twenty at once, now and then: a person who presses a button."""
    if is_free(day) or chance.random() > 0.4:
        return []
    begin = chance.uniform(8, 16)
    return [at(day, begin + n / 600) for n in range(20)]


SOURCES: dict[str, Day] = {
    "hospital": hospital,
    "busy-office": office(40),
    "office": office(12),
    "school": office(3),
    "small-school": office(1),
    "private": office(0.2),
    "police": police,
    "nightly": nightly,
    "bursts": bursts,
}
