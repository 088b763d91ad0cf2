"""Who works in the sample county, and who is on duty when.

The staff of staff.py are in it as they are, and stay. The others are invented from the seed; some
of them leave or are away. Social workers have households by number, so a larger county has more
workers and the first are the same. A county of average size has one duty team; all of Finland has
as many as it has counties.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from deploy.sample import words
from deploy.sample.rhythm import DAYS
from deploy.sample.scenes import pick
from deploy.sample.staff import WORKERS
from deploy.sample.volumes import volumes
from deploy.sample.year import OTHERS, Plan, mixed, seeded
from services.routing.domain.clocks import is_holiday
from shared.clock import HELSINKI

OTHERS_OF_ONE_WORKER: Final = 1_000  # households of pupils; few of them are clients
_OWN_DUTY = [worker for worker in WORKERS if worker.role == "duty"]
_OWN_SOCIAL = [worker for worker in WORKERS if worker.role == "social_worker"]


class Member(NamedTuple):
    """One of the staff. `leaves` and `away` (first day, day of return) are days of the year."""

    id: str
    name: str
    role: str
    unit: str
    swedish: bool
    leaves: date | None = None
    away: tuple[date, date] | None = None


class Shift(NamedTuple):
    """One shift of a duty team; `slot` counts the day's shifts."""

    team: int
    day: date
    slot: int
    kind: str
    begins: datetime
    ends: datetime

    @property
    def entry_id(self) -> str:
        return f"rota-{self.team}-{self.day:%Y%m%d}-{self.slot}"


# --- staff ----------------------------------------------------------------------------------------


@lru_cache(maxsize=8192)
def social_worker(base: int, last_day: date, number: int) -> Member:
    """The social worker of a number; those with even numbers stay all year."""
    if number < len(_OWN_SOCIAL):
        own = _OWN_SOCIAL[number]
        return Member(own.id, own.name, "social_worker", "unit-children-1", swedish=True)
    rng, figures = seeded(mixed(base, 30, number)), volumes().directory_feed
    swedish = rng.random() < 0.1
    name = _name(base, 30, number)
    leaves: date | None = None
    away: tuple[date, date] | None = None
    some_day = last_day - timedelta(days=rng.randrange(15, DAYS - 15))
    if rng.random() < 2 * figures.leave and number % 2:
        leaves = some_day
    elif rng.random() < figures.away:
        away = some_day, some_day + timedelta(days=rng.randrange(7, 71))
    unit = f"unit-children-{1 + number // team_size()}"
    return Member(f"st-{number + 1}", name, "social_worker", unit, swedish, leaves, away)


def team_size() -> int:
    """How many social workers a unit has."""
    return volumes().directory_feed.workers_per_supervisor


def responsible(plan: Plan, household: int, day: date, turn: int = 0) -> Member:
    """Who has a household on a day; `turn` 1 after a change that nobody's leaving made."""
    if household >= OTHERS:
        number = (household - OTHERS) // OTHERS_OF_ONE_WORKER
    else:
        number = household // volumes().directory_feed.households_per_worker
    if turn:
        number ^= 2  # of the same four
    found = social_worker(plan.base, plan.last_day, number)
    if found.leaves is None or day < found.leaves:
        return found
    return social_worker(plan.base, plan.last_day, number - 1)


def social_workers(plan: Plan) -> int:
    """How many there are, in full fours."""
    households = plan.groups // volumes().directory_feed.households_per_worker + 1
    return max(len(_OWN_SOCIAL), households + -households % 4)


def duty_team(plan: Plan, team: int) -> list[Member]:
    """Those who are on duty by turns, day and night."""
    first = [] if team else _OWN_DUTY
    own = [Member(w.id, w.name, "duty", "unit-duty", swedish=True) for w in first]
    size = volumes().directory_feed.duty_workers
    return own + [
        Member(
            f"dt-{team * size + number + 1}", _name(plan.base, 31, team * size + number), "duty",
            "unit-duty", swedish=number % 6 == 0,
        )
        for number in range(len(own), size)
    ]  # fmt: skip


def others(plan: Plan, teams: int) -> Iterator[Member]:
    """Supervisors, the experts of the groups, secretaries; and whoever else staff.py has."""
    known = {"duty", "social_worker"}
    for worker in WORKERS:
        if worker.role not in known:
            yield Member(worker.id, worker.name, worker.role, "unit-lead", swedish=True)
    for number in range(1, social_workers(plan) // team_size() + 1):
        name = _name(plan.base, 32, number)
        yield Member(f"sv-{number + 1}", name, "supervisor", "unit-lead", swedish=False)
    for number in range(5 * teams):
        role = "secretary" if number % 5 == 4 else "expert"
        yield Member(
            f"ex-{number + 1}", _name(plan.base, 33, number), role, "unit-experts", swedish=False
        )


def _name(base: int, kind: int, number: int) -> str:
    rng = seeded(mixed(base, kind + 10, number))
    return f"{pick(rng, words.WOMEN + words.MEN)} {pick(rng, words.SURNAMES)}"


# --- the duty rota --------------------------------------------------------------------------------


def shifts_of(team: int, day: date) -> list[Shift]:
    """The shifts of a day, from midnight to midnight in Finland's time, without holes."""
    limits = [datetime.combine(day, time(hour), HELSINKI) for hour in (0, 8, 16)]
    limits.append(datetime.combine(day + timedelta(days=1), time(0), HELSINKI))
    kinds = ["sosiaalipaivystys"] * 3
    if not is_holiday(day):
        kinds[1] = "office_hours"
    return [Shift(team, day, n, kinds[n], limits[n], limits[n + 1]) for n in range(3)]


def gap_of(plan: Plan) -> tuple[date, int]:
    """The evening in the week after the last day that nobody has taken, where one is asked for."""
    return plan.last_day + timedelta(days=seeded(mixed(plan.base, 34, 0)).randrange(1, 7)), 2


def tag_of(plan: Plan) -> str:
    """Letters that tell this county's ids from another seed's; no digits, so never a code."""
    return "".join(chr(97 + (plan.base >> 5 * place) % 26) for place in range(5))
