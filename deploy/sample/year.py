"""The plan of a sample year: who is notified, when and by whom.

Shares and volumes: domain.md section 10. Notifications are counted per child, as the national
statistics do; a message that names three siblings counts three.
"""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from math import log
from random import Random
from typing import NamedTuple

from deploy.sample.rhythm import rhythms
from shared.clock import HELSINKI

URGENT = 0.05
REPEATED = 0.005
SAME_HOUSEHOLD = 0.08  # other children of a family already notified, in messages of their own
GROUP_SIZES = (0.90, 0.075, 0.02, 0.005)  # children who are notified of together
CODES_PER_DAY = 600  # 900-999 with each of the separators A to F


class Band(NamedTuple):
    """An age band: its share of notified children, and who notifies of it about what."""

    share: float
    youngest: int  # age in days, both ends included
    oldest: int
    letters: dict[str, int]  # per cent; X is one of `others`
    others: dict[str, int]
    psychiatric: float
    custody: float


BANDS = (
    Band(
        0.25,
        0,
        2555,
        {"P": 25, "D": 20, "H": 21, "O": 19, "V": 11, "X": 4},
        {
            "guardian": 40,
            "rescue": 30,
            "kela": 10,
            "reception_centre": 6,
            "enforcement": 6,
            "criminal_sanctions": 4,
            "other_mandated": 2,
        },
        0.0,
        0.13,
    ),
    Band(
        0.31,
        2557,
        4747,
        {"S": 30, "P": 20, "H": 14, "O": 15, "V": 11, "X": 10},
        {
            "afternoon_activity": 30,
            "guardian": 25,
            "youth_work": 8,
            "rescue": 18,
            "religious_community": 5,
            "reception_centre": 4,
            "kela": 4,
            "enforcement": 3,
            "other_mandated": 3,
        },
        0.055,
        0.12,
    ),
    Band(
        0.28,
        4749,
        5843,
        {"S": 28, "P": 27, "H": 12, "O": 12, "V": 9, "X": 12},
        {
            "youth_work": 40,
            "guardian": 20,
            "rescue": 16,
            "criminal_sanctions": 5,
            "religious_community": 5,
            "reception_centre": 5,
            "kela": 3,
            "other_mandated": 3,
        },
        0.15,
        0.07,
    ),
    Band(
        0.16,
        5844,
        6573,
        {"S": 18, "P": 31, "H": 13, "O": 14, "V": 8, "X": 16},
        {
            "youth_work": 38,
            "guardian": 18,
            "rescue": 16,
            "criminal_sanctions": 9,
            "religious_community": 4,
            "reception_centre": 7,
            "kela": 4,
            "enforcement": 1,
            "other_mandated": 3,
        },
        0.12,
        0.06,
    ),
)
_KIND_OF = {
    "P": "police",
    "S": "education",
    "D": "early_education",
    "H": "health_care",
    "O": "social_care",
    "V": "private",
}
LETTER_OF = {kind: letter for letter, kind in _KIND_OF.items()} | {
    "guardian": "G",
    **dict.fromkeys(("youth_work", "afternoon_activity", "religious_community"), "Y"),
    "rescue": "A",
    **dict.fromkeys(
        ("kela", "enforcement", "criminal_sanctions", "reception_centre", "other_mandated"), "K"
    ),
}


class Visit(NamedTuple):
    """One message to be written: `sent` and `at` differ only where it is sent again."""

    sent: int
    at: int
    number: int
    group: int
    kind: str
    urgent: bool


class Child(NamedTuple):
    """A child; `code` (0 to 599) tells children born on one day apart."""

    number: int
    born: date
    code: int


class ChildGroup(NamedTuple):
    """Children who are notified of together."""

    household: int
    band: int
    children: tuple[Child, ...]


class Plan:
    """A year: the groups of children and the visits, in the order they were thought of."""

    def __init__(self, seed: int, last_day: date) -> None:
        self._rng = seeded(f"sample county {seed} {last_day}")
        self.base = self._rng.getrandbits(64)
        self.groups: list[ChildGroup] = []
        self.visits: list[Visit] = []
        self.notified = 0
        self._rhythms = rhythms(last_day)
        self._end = self._rhythms["A"].starts[-1] + 3599
        self._codes: dict[date, int] = {}
        self._numbers = 0

    def add_group(self) -> None:
        """One more group of children, with all its notifications of the year."""
        rng = self._rng
        bands = [weighted(rng, [b.share for b in BANDS]) for _ in range(1 + _size(rng))]
        moments = self._add_visits(BANDS[bands[0]])
        self.notified += len(bands) * len(moments)
        household = len(self.groups)
        if self.groups and rng.random() < SAME_HOUSEHOLD:
            household = self.groups[-1].household
        first, last = _day_of(min(moments)), _day_of(max(moments))
        children: list[Child] = []
        for band in bands:
            children.append(self._child(BANDS[band], first, last, children))
        self.groups.append(ChildGroup(household, bands[0], tuple(children)))

    def _add_visits(self, band: Band) -> list[int]:
        rng, share, moments = self._rng, self._rng.random(), []
        for _ in range(_times(rng)):
            urgent = rng.random() < URGENT
            letter = tuple(band.letters)[weighted(rng, band.letters.values())]
            kind = _KIND_OF.get(letter) or tuple(band.others)[weighted(rng, band.others.values())]
            letter = LETTER_OF[kind]
            rhythm = self._rhythms["A" if urgent and letter == "P" else letter]
            at = rhythm.moment(share)
            visit = Visit(at, at, len(self.visits), len(self.groups), kind, urgent)
            self.visits.append(visit)
            if rng.random() < REPEATED:
                again = min(at + rng.randrange(60, 172_800), self._end)
                self.visits.append(visit._replace(sent=again))
            moments.append(at)
            share = (share + rng.expovariate(8.0)) % 1.0  # about six weeks later
        return moments

    def _child(self, band: Band, first: date, last: date, siblings: list[Child]) -> Child:
        """A child of the band's age on `last`, already born and in day care by `first`."""
        youngest = max(band.youngest, (last - first).days + 300)
        for attempt in range(100):
            born = last - timedelta(days=self._rng.randrange(youngest, band.oldest + 1))
            used = self._codes.get(born, 0)
            near = any(0 < abs((born - other.born).days) < 300 for other in siblings)
            if used < CODES_PER_DAY and (not near or attempt > 10):  # step-siblings may be near
                self._codes[born] = used + 1
                self._numbers += 1
                return Child(self._numbers, born, used)
        raise ValueError("more children than there are test codes")


def _times(rng: Random) -> int:
    """How often in the year: once 60 %, twice 20 %, more 20 %; two on average."""
    chance = rng.random()
    if chance < 0.8:
        return 1 if chance < 0.6 else 2
    return 3 + min(int(log(1.0 - rng.random()) / log(2 / 3)), 9)


def _size(rng: Random) -> int:
    return weighted(rng, GROUP_SIZES)


def weighted(rng: Random, weights: Iterable[float]) -> int:
    """The place of one of the weights, as often as it weighs."""
    weights = tuple(weights)
    left = rng.random() * sum(weights)
    for place, weight in enumerate(weights):
        left -= weight
        if left < 0:
            return place
    return len(weights) - 1


def seeded(seed: int | str) -> Random:
    """Random numbers that come out the same on every machine."""
    return Random(seed)


def _day_of(moment: int) -> date:
    return datetime.fromtimestamp(moment, HELSINKI).date()
