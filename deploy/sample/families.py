"""The invented families: who they are, where they live, what others know of them."""

from datetime import date, datetime, timedelta
from random import Random
from typing import Any, NamedTuple
from zlib import crc32

from deploy.sample import words
from deploy.sample.directory import responsible
from deploy.sample.rhythm import DAYS
from deploy.sample.scenes import pick
from deploy.sample.volumes import volumes
from deploy.sample.year import OTHERS, Group, Person, Plan, mixed, seeded, weighted
from services.routing.domain.clocks import is_holiday
from shared.clock import HELSINKI
from shared.hetu import FIRST_TEST_NUMBER, make_hetu

FIRST_GRADE, SEVENTH_GRADE, AFTER_SCHOOL = 7, 13, 16
_MARKS = {19: "-YXWVU", 20: "ABCDEF"}


class Home(NamedTuple):
    """Where a family lives."""

    municipality: int
    address: str


class Clientship(NamedTuple):
    """From when to when a family is a client of child protection; None: all year at that end.

    `changes` is when another worker gets the family though nobody leaves.
    """

    begins: date | None
    ends: date | None
    changes: date | None

    def on(self, day: date) -> bool:
        """Whether the family is a client on a day."""
        begun = self.begins is None or self.begins <= day
        return begun and (self.ends is None or day < self.ends)


class Household(NamedTuple):
    """A family on one day; `moved` is the day of a move within the county, if it ever moves."""

    home: Home
    swedish: bool
    surname: str
    guardians: list[dict[str, str]]
    client: bool
    worker: str
    turvakielto: bool
    moved: date | None


def household_on(plan: Plan, group: Group, day: date) -> Household:
    """The family of a group on a day; the same whenever it is asked for."""
    rng, figures = seeded(mixed(plan.base, 2, group.household)), volumes()
    municipality = weighted(rng, _CHILDREN_THERE)
    swedish = rng.random() < (0.7 if municipality == words.SWEDISH_MUNICIPALITY else 0.01)
    surname = pick(rng, words.SWEDISH_SURNAMES if swedish else words.SURNAMES)
    home = _home(rng, municipality, swedish=swedish)
    women = words.SWEDISH_WOMEN if swedish else words.WOMEN
    men = words.SWEDISH_MEN if swedish else words.MEN
    guardians = [{"name": f"{pick(rng, women)} {surname}", "phone": phone(rng)}]
    if rng.random() < 0.7 or group.dispute:
        other = surname if rng.random() < 0.6 and not group.dispute else pick(rng, words.SURNAMES)
        guardians.append({"name": f"{pick(rng, men)} {other}", "phone": phone(rng)})
    turvakielto = rng.random() < figures.turvakielto
    moved: date | None = None
    if rng.random() < figures.moved:
        moved = plan.last_day - timedelta(days=rng.randrange(DAYS))
        other_home = _home(rng, weighted(rng, _CHILDREN_THERE), swedish=swedish)
        home = other_home if day >= moved else home
    guardians[0]["address"] = home.address
    if group.dispute:
        guardians[1]["address"] = _home(rng, municipality, swedish=swedish).address
    clientship = clientship_of(plan, group.household)
    client = clientship is not None and clientship.on(day)
    worker = responsible(plan, group.household, day, turn_of(clientship, day)).name
    return Household(home, swedish, surname, guardians, client, worker, turvakielto, moved)


def clientship_of(plan: Plan, household: int) -> Clientship | None:
    """When a family is a client in the year; None if never."""
    rng, figures = seeded(mixed(plan.base, 20, household)), volumes().clients_feed
    share = volumes().absence.clients if household >= OTHERS else volumes().clients
    at_first, chance = rng.random() < share, rng.random()
    begins: date | None = None
    ends: date | None = None
    changes: date | None = None
    if not at_first:
        if chance >= figures.begins:
            return None
        begins = _working_day(rng, plan)
    elif chance < figures.ends:
        ends = _working_day(rng, plan)
    if rng.random() < figures.worker_changes:
        changes = _working_day(rng, plan)
    return Clientship(begins, ends, changes)


def turn_of(clientship: Clientship | None, day: date) -> int:
    """1 from the day on which another worker gets the family, else 0."""
    changes = None if clientship is None else clientship.changes
    return int(changes is not None and changes <= day)


def _working_day(rng: Random, plan: Plan) -> date:
    """A day of the year on which offices work, not its first ones."""
    day = plan.last_day - timedelta(days=rng.randrange(DAYS - 10))
    while is_holiday(day):
        day -= timedelta(days=1)
    return day


def municipality_of(plan: Plan, household: int) -> int:
    """Where a family lives before it moves."""
    return weighted(seeded(mixed(plan.base, 2, household)), _CHILDREN_THERE)


_CHILDREN_THERE = tuple(share for _, _, share in words.MUNICIPALITIES)


def _home(rng: Random, municipality: int, *, swedish: bool) -> Home:
    street = pick(rng, words.SWEDISH_STREETS if swedish else words.STREETS)
    place = words.MUNICIPALITIES[municipality][0]
    address = f"{street} {rng.randrange(1, 60)} {pick(rng, 'ABCDEF')} {rng.randrange(1, 40)}"
    return Home(municipality, f"{address}, {place}")


def phone(rng: Random) -> str:
    """A number that cannot exist: 000 begins none."""
    return f"000 {int(rng.random() * 10_000_000):07d}"


def name_of(child: Person, household: Household) -> str:
    """First name and surname."""
    return f"{first_name(child, household)} {household.surname}"


def first_name(child: Person, household: Household) -> str:
    """The child's, which stays."""
    girl = _individual(child) % 2 == 0  # law.md HET-01
    if household.swedish:
        names = words.SWEDISH_GIRLS if girl else words.SWEDISH_BOYS
    else:
        names = words.GIRLS if girl else words.BOYS
    return names[crc32(b"%d" % (child.number * 7919)) % len(names)]


def _individual(person: Person) -> int:
    return FIRST_TEST_NUMBER + (person.code * 37 + person.born.toordinal() * 13) % 100


def hetu_of(person: Person) -> str:
    """The person's own code: each code of a day stands for another mark and number."""
    day = person.born.toordinal()
    shift = 1 + day // 10 % 5 if day % 10 == 0 else 0  # one day in ten shows the marks of 2023
    mark = _MARKS[person.born.year // 100][(person.code // 100 + shift) % 6]
    return make_hetu(person.born, _individual(person), mark).value


def stated(
    rng: Random, child: Person, household: Household, notifier: str, day: date
) -> dict[str, Any]:
    """What a notifier tells of a child."""
    private, figures = notifier == "private", volumes().nameless
    hidden = household.turvakielto and not private  # who lives next door knows of no turvakielto
    found: dict[str, Any] = {"name": name_of(child, household)}
    if not hidden:
        found["address"] = household.home.address
    if rng.random() < (figures.private if private else figures.others):
        if rng.random() < 0.5:
            found["birth_date"] = child.born.isoformat()
    else:
        found["hetu"] = hetu_of(child)
    if not private or rng.random() < 0.5:
        found["guardians"] = (
            [{"name": guardian["name"]} for guardian in household.guardians]
            if hidden
            else household.guardians
        )
    if not private:
        found["school"] = school_of(child, household, day)
    known = rng.random() < (0.6 if private else 0.92)
    if household.client and known:
        found["is_client"] = "yes"
        if notifier in {"social_care", "education", "health_care", "guardian"}:
            found["own_worker"] = household.worker
    else:
        found["is_client"] = "no" if known and rng.random() < 0.5 else "unknown"
    return found


def school_age(born: date, day: date) -> int:
    """The age a child reaches in the calendar year in which the school year began."""
    return day.year - (day.month < 8) - born.year


def school_of(child: Person, household: Household, day: date) -> str:
    """School or day care, by age and home."""
    return school_in(child, household.home.municipality, day, swedish=household.swedish)


def school_in(child: Person, municipality: int, day: date, *, swedish: bool) -> str:
    """School or day care in a municipality, by age and language."""
    place, of, _ = words.MUNICIPALITIES[municipality]
    swedish = swedish and municipality == words.SWEDISH_MUNICIPALITY
    age = school_age(child.born, day)
    if age < FIRST_GRADE:
        day_care = words.DAY_CARES[child.number % len(words.DAY_CARES)]
        return words.SWEDISH_DAY_CARE if swedish else f"{place}, {day_care}"
    if age < SEVENTH_GRADE:
        primary = words.PRIMARY_SCHOOLS[child.number % len(words.PRIMARY_SCHOOLS)]
        return words.SWEDISH_SCHOOLS[0] if swedish else f"{of} {primary}"
    if age < AFTER_SCHOOL:
        return words.SWEDISH_SCHOOLS[1] if swedish else f"{of} yhtenäiskoulu"
    return words.SWEDISH_COLLEGE if swedish else words.COLLEGES[child.number % 2]


def local(moment: int) -> datetime:
    """Helsinki time of seconds since 1970."""
    return datetime.fromtimestamp(moment, HELSINKI)
