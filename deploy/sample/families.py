"""The invented families: who they are, where they live, what others know of them."""

from datetime import date, datetime, timedelta
from random import Random
from typing import Any, NamedTuple
from zlib import crc32

from deploy.sample import words
from deploy.sample.rhythm import DAYS
from deploy.sample.scenes import pick
from deploy.sample.volumes import volumes
from deploy.sample.year import Group, Person, Plan, seeded, weighted
from shared.clock import HELSINKI
from shared.hetu import FIRST_TEST_NUMBER, make_hetu

FIRST_GRADE, SEVENTH_GRADE, AFTER_SCHOOL = 7, 13, 16
_MARKS = {19: "-YXWVU", 20: "ABCDEF"}


class Home(NamedTuple):
    """Where a family lives."""

    municipality: int
    address: str


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


def mixed(base: int, kind: int, number: int) -> int:
    """A seed of its own for each number, by one round of a well-known mixing (splitmix64)."""
    x = (base + kind * 0x9E3779B97F4A7C15 + number * 0xD1342543DE82EF95) & 0xFFFFFFFFFFFFFFFF
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
    return x ^ (x >> 27)


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
    worker = f"{pick(rng, words.WOMEN)} {pick(rng, words.SURNAMES)}"
    client, turvakielto = rng.random() < figures.clients, rng.random() < figures.turvakielto
    moved: date | None = None
    if rng.random() < figures.moved:
        moved = plan.last_day - timedelta(days=rng.randrange(DAYS))
        other_home = _home(rng, weighted(rng, _CHILDREN_THERE), swedish=swedish)
        home = other_home if day >= moved else home
    guardians[0]["address"] = home.address
    if group.dispute:
        guardians[1]["address"] = _home(rng, municipality, swedish=swedish).address
    return Household(home, swedish, surname, guardians, client, worker, turvakielto, moved)


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
    place, of, _ = words.MUNICIPALITIES[household.home.municipality]
    swedish = household.swedish and household.home.municipality == words.SWEDISH_MUNICIPALITY
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
