"""School absence in the sample county: pupils whose hours grow over a school year.

An absent pupil's hours rise from the first day of absence to the end of May; whenever they reach
a step of the education provider in force (services/intake/providers), a signal follows some school
days later. A signal may lack something of the school's part and be sent whole afterwards under
the same id. How much of everything: volumes.yaml. A plan holds some twenty bytes a signal.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from itertools import accumulate, pairwise
from random import Random
from typing import Final, Literal, NamedTuple

from deploy.sample.families import SEVENTH_GRADE, municipality_of
from deploy.sample.rhythm import in_term
from deploy.sample.volumes import Grades, ReasonClass, volumes
from deploy.sample.year import (
    CODES_OF_PEOPLE,
    CODES_OF_PLAN,
    NEVER,
    OTHERS,
    Group,
    Person,
    Plan,
    in_time_order,
    mixed,
    seeded,
    weighted,
)
from services.intake.domain.absence import HoursClass, Provider, provider_on
from services.intake.provider_files import load_providers
from services.routing.domain.clocks import is_holiday
from shared.clock import HELSINKI

Volume = Literal["natural", "stress"]
Turn = Literal["first", "whole", "again"]
"""A signal the first time; whole, after the school has done its part; the same once more."""
_TURNS: Final[tuple[Turn, ...]] = ("first", "whole", "again")

PROVIDER_OF: Final = (
    "esimerkkila", "mallikoski", "naytesaari", "mallikoski",
    "esimerkkila", "mallikoski", "esimerkkila", "naytesaari",
)  # fmt: skip
"""The education provider of each municipality of words.py: all invented, for the sample."""

SCHOOL_CLASSES: Final[tuple[HoursClass, ...]] = ("unauthorised", "illness", "unclear")
_MIXES: Final[dict[ReasonClass, str]] = {
    "health": "iiiiiiucui",
    "behaviour": "uuuuuuuuic",
    "learning_psych": "uuuiiicuui",
    "home": "uuuuucciuu",
    "unknown": "uuucccciiu",
}
"""Of ten hours: u unauthorised, i illness, c unclear."""
_LETTERS: Final[dict[HoursClass, str]] = {"unauthorised": "u", "illness": "i", "unclear": "c"}
_GRADES: Final[tuple[Grades, ...]] = ("7-9", "1-6")
_YOUNGEST: Final[dict[Grades, int]] = {"1-6": 7, "7-9": SEVENTH_GRADE}
_OLDEST: Final[dict[Grades, int]] = {"1-6": SEVENTH_GRADE - 1, "7-9": SEVENTH_GRADE + 2}


class Calendar(NamedTuple):
    """The days of a school year on which school is held; `spring` is the place of the first one."""

    days: tuple[date, ...]
    spring: int


class Pupil(NamedTuple):
    """A child in one school year, by the calendar year in which it begins."""

    group: Group
    person: Person
    year: int


class Signal(NamedTuple):
    """One signal of a pupil, planned. Places count the days of the school year.

    `step` is the provider's; `reached` has the place of the day on which each step up to it was
    reached; `sent` is when it leaves (seconds since 1970), `whole` when it is sent whole if it
    lacked something and the school does its part, `again` when it is repeated.
    """

    step: int
    term: int
    reached: tuple[int, ...]
    place: int
    sent: int
    complete: bool
    whole: tuple[int, int] | None
    again: int | None


class Course:
    """How a pupil's hours grow in a school year; `signals` are those of it, the first one first."""

    def __init__(self, plan: Plan, pupil: Pupil) -> None:
        figures = volumes().absence
        self._rng = rng = seeded(mixed(mixed(plan.base, 40, pupil.person.number), pupil.year, 0))
        self.calendar = calendar_of(pupil.year)
        self.municipality = municipality_of(plan, pupil.group.household)
        code = PROVIDER_OF[self.municipality]
        self.provider = steps_on(code, self.calendar.days[-1])
        self._total = _hours_of_year(rng, grades_of(pupil.person.born, pupil.year))
        last = len(self.calendar.days) - 1
        self._begins = int(rng.random() ** 1.3 * (last - 40))
        self._bend = rng.uniform(0.8, 1.5)
        self._leave = rng.randrange(4, 40) if rng.random() < 0.3 else 0
        reasons = figures.reason_classes
        self.reason: ReasonClass = tuple(reasons)[weighted(rng, reasons.values())]
        self._mix = "".join(rng.sample(_MIXES[self.reason], 10))
        counts = {_LETTERS[name] for name in self.provider.counts if name in _LETTERS}
        self._counts = (0, *accumulate(letter in counts for letter in self._mix))
        self.signals = tuple(self._signals())

    def absent(self, place: int) -> int:
        """Hours of absence by the end of a day, but for leave that the school granted."""
        return int(self._total * self._grown(place))

    def hours(self, place: int, since: int = 0) -> dict[HoursClass, int]:
        """Hours of each class from the day `since` to the day `place`, both included."""
        until, before = self.absent(place), self.absent(since - 1)
        found = {
            name: self._of_class(_LETTERS[name], until) - self._of_class(_LETTERS[name], before)
            for name in SCHOOL_CLASSES
        }
        return {**found, "authorised": self._granted(place) - self._granted(since - 1)}

    def counted(self, place: int, since: int) -> int:
        """The hours that the provider counts."""
        counted = self._counted_of(self.absent(place)) - self._counted_of(self.absent(since - 1))
        if "authorised" in self.provider.counts:
            counted += self._granted(place) - self._granted(since - 1)
        return counted

    def periods(self) -> list[tuple[int, int]]:
        """First and last place of each time over which the provider counts."""
        last = len(self.calendar.days) - 1
        if self.provider.period == "term":
            return [(0, self.calendar.spring - 1), (self.calendar.spring, last)]
        return [(0, last)]

    def _signals(self) -> list[Signal]:
        found: list[tuple[int, int, tuple[int, ...], int]] = []
        for term, (begin, end) in enumerate(self.periods()):
            reached = self._reached(begin, end)
            for number, place in enumerate(reached, 1):
                leaves = place + self._rng.randrange(2, 9)
                after = reached[number] if number < len(reached) else end + 1
                if leaves <= end and after >= leaves:  # else the next step overtakes it
                    found.append((number, term, tuple(reached[:number]), leaves))
        following = [*(each[3] for each in found[1:]), len(self.calendar.days)]
        return [self._signal(*each, following[place]) for place, each in enumerate(found)]

    def _signal(
        self, step: int, term: int, reached: tuple[int, ...], place: int, before: int
    ) -> Signal:
        rng, figures = self._rng, volumes().absence
        sent, complete = self._moment(place), rng.random() >= figures.incomplete
        mended, repeated = rng.random() < figures.completed, rng.random() < volumes().repeated
        later = place + rng.randrange(2, 11)
        whole = (later, self._moment(later)) if later < before and mended and not complete else None
        again = sent + rng.randrange(60, 3600) if repeated and complete else None
        return Signal(step, term, reached, place, sent, complete, whole, again)

    def _moment(self, place: int) -> int:
        day = self.calendar.days[min(place, len(self.calendar.days) - 1)]
        opens = datetime.combine(day, time(8), HELSINKI)
        return int(opens.timestamp()) + self._rng.randrange(int(7.5 * 3600))

    def _reached(self, begin: int, end: int) -> list[int]:
        """The place of the day on which each step is reached, as far as they are."""
        found: list[int] = []
        for step in self.provider.steps:
            hours = step.from_hours or volumes().absence.first_step_hours
            places = range(begin, end + 1)
            place = bisect_left(places, hours, key=lambda each: self.counted(each, begin))
            if place == len(places):
                break
            found.append(begin + place)
        return found

    def _counted_of(self, hours: int) -> int:
        tens, rest = divmod(hours, 10)
        return tens * self._counts[10] + self._counts[rest]

    def _granted(self, place: int) -> int:
        return int(self._leave * self._grown(place)) if self._leave else 0

    def _grown(self, place: int) -> float:
        if place < self._begins:
            return 0.0
        share = (place - self._begins + 1) / (len(self.calendar.days) - self._begins)
        return float(share**self._bend)

    def _of_class(self, letter: str, hours: int) -> int:
        tens, rest = divmod(hours, 10)
        return tens * self._mix.count(letter) + self._mix[:rest].count(letter)


def _hours_of_year(rng: Random, grades: Grades) -> float:
    """From 30 on, as many pupils as volumes.yaml says reach 50 hours and the severe ones."""
    figures = volumes().absence
    reach = figures.reach[grades]
    points = [(reach.h30, 30), (reach.h50, 50), (reach.severe, figures.severe_hours),
              (reach.severe / 20, figures.most_hours)]  # fmt: skip
    chance = max(rng.random() * reach.h30, reach.severe / 20)
    for (above, low), (below, high) in pairwise(points):
        if chance >= below:
            part = (above - chance) / (above - below)
            return float(low * (high / low) ** part)
    return float(figures.most_hours)


class Schooling:
    """All absence signals of a plan's year."""

    def __init__(self, plan: Plan, under_18s: int, volume: Volume = "natural") -> None:
        self._plan = plan
        self._group, self._sent = array("I"), array("I")
        self._child, self._turn = array("B"), array("B")
        self._year = array("H")
        self._pupil, self._which = array("I"), array("B")
        self._born, self._household, self._code = array("I"), array("I"), array("H")
        self._codes: dict[int, int] = {}
        self._years = (plan.last_day.year - 1 - (plan.last_day.month < 8),
                       plan.last_day.year - (plan.last_day.month < 8))  # fmt: skip
        self._add_families()
        self._add_others(under_18s, volume)

    def __len__(self) -> int:
        return len(self._sent)

    @property
    def others(self) -> int:
        """How many pupils there are whom no other message is about."""
        return len(self._born)

    def other(self, number: int) -> Group:
        """The family of such a pupil: the pupil alone."""
        ident = OTHERS + number
        person = Person(ident, date.fromordinal(self._born[number]), self._code[number])
        return Group(ident, self._household[number], 0, (person,), dispute=False, left=NEVER)

    def in_order(self, start: int) -> Iterator[int]:
        """The rows from `start` (seconds since 1970) on, in time order."""
        return in_time_order(self._sent, start)

    def sent(self, row: int) -> int:
        """When a row is sent (seconds since 1970)."""
        return self._sent[row]

    def row(self, row: int) -> tuple[int, Pupil, Course, Signal, Turn]:
        """When a signal is sent, whose it is, and what it is."""
        index, turn = self._pupil[row], _TURNS[self._turn[row]]
        pupil = self._pupil_of(index)
        course = Course(self._plan, pupil)
        return self._sent[row], pupil, course, course.signals[self._which[row]], turn

    def pupils(self) -> Iterator[Pupil]:
        """Everybody who is absent 30 hours or more, once for each school year."""
        return (self._pupil_of(index) for index in range(len(self._group)))

    def _pupil_of(self, index: int) -> Pupil:
        number = self._group[index]
        group = self.other(number - OTHERS) if number >= OTHERS else self._plan.group(number)
        return Pupil(group, group.people[self._child[index]], self._year[index])

    def _add_families(self) -> None:
        """Children of the plan's families who are absent from school."""
        shares = volumes().absence.of_families
        for number in range(self._plan.groups):
            group = self._plan.group(number)
            if group.unborn:
                continue
            for place, person in enumerate(group.people):
                if not any(_at_school(person.born, year) for year in self._years):
                    continue
                rng = seeded(mixed(self._plan.base, 41, person.number))
                for year in self._years:
                    if _at_school(person.born, year):
                        share = shares[grades_of(person.born, year)]
                        if rng.random() < share:
                            self._add_pupil(group, place, year)

    def _add_others(self, under_18s: int, volume: Volume) -> None:
        figures = volumes().absence
        # Each pupil has one school year of two, and some the other one besides.
        pupils = sum(figures.others_per_1000.values()) * (2 - figures.goes_on) * under_18s / 1000
        stress = figures.stress_signals_per_1000 * under_18s / 1000
        while self.others < pupils or (volume == "stress" and len(self) < stress):
            self._add_other()

    def _add_other(self) -> None:
        number, figures = self.others, volumes().absence
        rng = seeded(mixed(self._plan.base, 42, number))
        earlier, later = self._years
        first = rng.random() < 1 / (2 - figures.goes_on)
        year = earlier if first else later
        grades = _GRADES[weighted(rng, [figures.others_per_1000[each] for each in _GRADES])]
        born_in = year - rng.randrange(_YOUNGEST[grades], _OLDEST[grades] + 1)
        sibling = number > 0 and rng.random() < figures.siblings
        self._household.append(self._household[-1] if sibling else OTHERS + number)
        self._born.append(self._free_day(rng, born_in))
        goes_on = first and rng.random() < figures.goes_on
        group = self.other(number)
        self._add_pupil(group, 0, year)
        if goes_on and _at_school(group.people[0].born, later):
            self._add_pupil(group, 0, later)

    def _free_day(self, rng: Random, year: int) -> int:
        for _ in range(100):
            day = date(year, 1, 1).toordinal() + rng.randrange(365)
            used = self._codes.get(day, 0)
            if CODES_OF_PLAN + used < CODES_OF_PEOPLE:
                self._codes[day] = used + 1
                self._code.append(CODES_OF_PLAN + used)
                return day
        raise ValueError("more pupils than there are test codes")

    def _add_pupil(self, group: Group, place: int, year: int) -> None:
        begins, ends = self._plan.begins, self._plan.ends
        pupil = Pupil(group, group.people[place], year)
        rows = [
            (sent, which, turn)
            for which, signal in enumerate(Course(self._plan, pupil).signals)
            for sent, turn in _sendings(signal)
            if begins <= sent <= ends and (group.left == NEVER or sent < group.left)
        ]
        self._group.append(group.number)
        self._child.append(place)
        self._year.append(year)
        for sent, which, turn in rows:
            self._sent.append(sent)
            self._pupil.append(len(self._group) - 1)
            self._which.append(which)
            self._turn.append(turn)


def _sendings(signal: Signal) -> Iterator[tuple[int, int]]:
    yield signal.sent, 0
    if signal.whole is not None:
        yield signal.whole[1], 1
    if signal.again is not None:
        yield signal.again, 2


def grades_of(born: date, year: int) -> Grades:
    """The grades of a pupil in the school year that begins in `year`."""
    return "7-9" if year - born.year >= SEVENTH_GRADE else "1-6"


def _at_school(born: date, year: int) -> bool:
    return _YOUNGEST["1-6"] <= year - born.year <= _OLDEST["7-9"]


@lru_cache(maxsize=8)
def calendar_of(year: int) -> Calendar:
    """The school year that begins in August of `year`."""
    first, last = date(year, 8, 11), date(year + 1, 5, 31)
    every = (first + timedelta(days=n) for n in range((last - first).days + 1))
    days = tuple(day for day in every if in_term(day) and not is_holiday(day))
    return Calendar(days, next(n for n, day in enumerate(days) if day.year > year))


@lru_cache(maxsize=64)
def steps_on(code: str, day: date) -> Provider:
    """A provider's steps in force on a day, or its first ones where the files begin later."""
    found = provider_on(_providers(), code, day)
    return found or _providers()[code][0]


@lru_cache(maxsize=1)
def _providers() -> dict[str, Sequence[Provider]]:
    return dict(load_providers())
