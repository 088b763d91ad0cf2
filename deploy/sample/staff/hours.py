"""Office hours, the duty rota, and on whom an act falls when its worker is away."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from random import Random
from typing import NamedTuple

from deploy.sample.staff.leaves import away
from deploy.sample.staff.people import DUTY, LEADS, SOCIAL, careful, habit_of
from services.routing.domain.clocks import counts_as_working_day, is_eve
from shared.clock import HELSINKI

OPENS, CLOSES = 8, 16
AT_THE_DESK = 2  # on duty together in office hours; alone at nights and on days off
WAITS = 0.5  # of acts whose worker is back on the next working day
_DAY = timedelta(days=1)


class Turn(NamedTuple):
    """Who does something, since when it lay before them, and when they do it."""

    worker: str
    since: datetime
    at: datetime


def is_working_day(day: date) -> bool:
    """Whether the office is open."""
    return counts_as_working_day(day) and not is_eve(day)


def day_of(moment: datetime) -> date:
    """The local day."""
    return moment.astimezone(HELSINKI).date()


def in_office(after: datetime) -> datetime:
    """`after` itself in office hours, else the next time that the office opens."""
    local = after.astimezone(HELSINKI)
    day = local.date()
    if is_working_day(day) and OPENS <= local.hour < CLOSES:
        return after
    if local.hour < OPENS:
        day -= _DAY
    return _opens(next_working_day(day))


def next_working_day(day: date) -> date:
    """The first day after it on which the office is open."""
    day += _DAY
    while not is_working_day(day):
        day += _DAY
    return day


def at_work(after: datetime, days: int, rng: Random) -> datetime:
    """A moment in office hours, `days` working days after `after`, never before it."""
    local = after.astimezone(HELSINKI)
    day, left = local.date(), days
    late = local.time() >= time(CLOSES - 1)
    while left or late or not is_working_day(day):
        day += _DAY
        late = False
        if left and is_working_day(day):
            left -= 1
    earliest = max(_opens(day), local + timedelta(minutes=20))
    end = datetime.combine(day, time(CLOSES), HELSINKI)
    room = max(0, int((end - earliest).total_seconds()))
    return (earliest + timedelta(seconds=int(room * rng.random()))).replace(microsecond=0)


def turn(
    worker: str,
    team: Sequence[str],
    after: datetime,
    days: int,
    rng: Random,
    *,
    proposal: bool = False,
) -> Turn:
    """When a worker does it, `days` working days on; while away it waits or passes to a colleague.

    A rubber-stamper answers a `proposal` within a minute, and is never the colleague it passes to.
    """
    waits, seconds = rng.random() < WAITS, timedelta(seconds=rng.randrange(5, 56))
    planned, since = at_work(after, days, rng), in_office(after)
    stamps = proposal and habit_of(worker) == "rubber_stamper"
    at = since + seconds if stamps else planned
    if not away(worker, day_of(at)):
        return Turn(worker, since, at)
    back = next_working_day(day_of(at))
    if waits and not away(worker, back):
        since = _opens(back)
        return Turn(worker, since, since + seconds if stamps else _same_time(planned, back))
    while not (there := present([w for w in careful((*team,)) if w != worker], planned)):
        planned = _same_time(planned, next_working_day(day_of(planned)))
    return Turn(rng.choice(there), since, planned)


def present(workers: Sequence[str], at: datetime) -> tuple[str, ...]:
    """Those who are not away on that day."""
    return tuple(worker for worker in workers if not away(worker, day_of(at)))


def on_duty(moment: datetime) -> tuple[str, ...]:
    """Who answers at the duty desk at a moment: two in office hours, else one.

    A night belongs to the day on which it begins. Where too many of the duty desk are away, social
    workers and their leads step in.
    """
    local = moment.astimezone(HELSINKI)
    if local.hour < OPENS:
        return _night(local.date() - _DAY)
    return _daytime(local.date()) if local.hour < CLOSES else _night(local.date())


@lru_cache(maxsize=2048)
def _daytime(day: date) -> tuple[str, ...]:
    """Nobody who has the night before or the night that follows."""
    nights = {*_night(day - _DAY), *_night(day)}
    free = [worker for worker in _in_turn("day", day) if worker not in nights]
    there = [worker for worker in free if not away(worker, day)]
    return tuple(there[: AT_THE_DESK if is_working_day(day) else 1])


@lru_cache(maxsize=2048)
def _night(day: date) -> tuple[str, ...]:
    """Who is at work on both of its days."""
    both = (day, day + _DAY)
    there = [w for w in _in_turn("night", day) if not any(away(w, each) for each in both)]
    return tuple(there[:1])


def _in_turn(shift: str, day: date) -> list[str]:
    rng = Random(f"{shift} shift {day}")
    return [w for team in (DUTY, SOCIAL, LEADS) for w in rng.sample(team, len(team))]


def _opens(day: date) -> datetime:
    return datetime.combine(day, time(OPENS), HELSINKI)


def _same_time(moment: datetime, day: date) -> datetime:
    return datetime.combine(day, moment.astimezone(HELSINKI).time(), HELSINKI)
