"""Children of one household, and what each adds to the others' screening. Pure.

A household is not asserted by Luotsi: a message names children who share a guardian or a home, the
client feed says it, or a worker does. A worker's word that a child does not belong to one stands
against both.
"""

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from services.routing.domain import windows
from services.routing.domain.facts import Known
from services.routing.domain.windows import NONE_SEEN, Recent
from shared.events import Answer


class Family(NamedTuple):
    """What the other children of a case's households add to it (own construction, domain.md 3.4).

    `notified`: of how many of them somebody has notified. A8 and A9 belong to the household and
    count for each of its children. `recent`: the messages about them.
    """

    notified: int = 0
    a8: Answer = "unknown"
    a9: Answer = "unknown"
    recent: Recent = NONE_SEEN

    def to_json(self) -> str:
        if self == ALONE:
            return "{}"
        return orjson.dumps({**self._asdict(), "recent": list(map(tuple, self.recent))}).decode()

    @classmethod
    def from_json(cls, text: str) -> "Family":
        """Read what `to_json` wrote, also before it told of messages."""
        stored = orjson.loads(text)
        return cls(**{**stored, "recent": windows.from_rows(stored.get("recent", ()))})


ALONE = Family()


class Member(NamedTuple):
    """What a child's case holds that can count for the others of its household."""

    known: Known
    recent: Recent = NONE_SEEN


def family_of(others: Iterable[Member]) -> Family:
    """What is known of the other children, as far as it counts for one of them."""
    notified, a8, a9, recent = ALONE
    for known, theirs in others:
        if known.notifications:
            notified += 1
            a8, a9 = _more_concerning(a8, known.a8), _more_concerning(a9, known.a9)
        recent = windows.together(recent, theirs)
    return Family(notified, a8, a9, recent)


def with_family(known: Known, family: Family) -> Known:
    """What is known of a child with what its household adds."""
    if not family.notified:
        return known
    said: list[Any] = list(known)
    said[_SIBLINGS] = family.notified
    said[_A8] = _more_concerning(known.a8, family.a8)
    said[_A9] = _more_concerning(known.a9, family.a9)
    return Known._make(said)


def with_windows(known: Known, recent: Recent, family: Family) -> Known:
    """What is known of a child with how much came about it and its household, and from whom."""
    both = windows.together(recent, family.recent)
    return Known._make((*known[:_WINDOWS], *windows.counted(both)))


_WINDOWS = Known._fields.index("signals")  # before them stands all that is not counted here
_SIBLINGS, _A8, _A9 = (Known._fields.index(name) for name in ("siblings", "a8", "a9"))


def _more_concerning(one: Answer, other: Answer) -> Answer:
    """What somebody said: "yes" before "no", and "unknown" only where nobody said either."""
    return one if one == "yes" or other == "unknown" else other


class Home(NamedTuple):
    """A child of a household. `fed`: the client feed says it; `apart`: a worker says it is not."""

    household: UUID
    child: UUID
    fed: bool = False
    apart: bool = False


class Homes:
    """Who lives with whom, while a transaction changes it."""

    def __init__(self, homes: Iterable[Home] = ()) -> None:
        self._stated: defaultdict[UUID, set[UUID]] = defaultdict(set)  # child -> households
        self._fed: defaultdict[UUID, set[UUID]] = defaultdict(set)
        self._apart: defaultdict[UUID, set[UUID]] = defaultdict(set)
        self._homes: dict[UUID, set[UUID]] = {}  # where a child lives, all in all
        self._living: defaultdict[UUID, set[UUID]] = defaultdict(set)  # household -> children
        for home in homes:
            of = self._apart if home.apart else self._fed if home.fed else self._stated
            of[home.child].add(home.household)
            self._homes[home.child] = set()
        for child in self._homes:
            self._settle(child)

    def __bool__(self) -> bool:
        return bool(self._homes)

    def of(self, child: UUID) -> AbstractSet[UUID]:
        """The households of a child."""
        return self._homes.get(child, _NOWHERE)

    def others(self, people: Iterable[UUID]) -> set[UUID]:
        """Who shares a household with one of these, without themselves."""
        own = set(people)
        found: set[UUID] = set()
        for child in own:
            for home in self.of(child):
                found |= self._living[home]
        return found - own

    def move_in(self, child: UUID, household: UUID) -> bool:
        """A message says that the child lives there; whether that is news."""
        if household in self._stated[child] or household in self._apart[child]:
            return False
        self._stated[child].add(household)
        self._settle(child)
        return True

    def bring(self, child: UUID, household: UUID) -> None:
        """A worker says that the child lives there, whatever was said before."""
        self._apart[child].discard(household)
        self._stated[child].add(household)
        self._settle(child)

    def take_out(self, child: UUID, households: Iterable[UUID]) -> None:
        """A worker says that the child lives in none of these."""
        self._apart[child] |= set(households)
        self._settle(child)

    def feed(self, child: UUID, households: Iterable[UUID]) -> None:
        """All that the client feed says of this child's households now."""
        self._fed[child] = set(households)
        self._settle(child)

    def _settle(self, child: UUID) -> None:
        before = self._homes.get(child, _NOWHERE)
        homes = (self._stated[child] | self._fed[child]) - self._apart[child]
        self._homes[child] = homes
        for home in before - homes:
            self._living[home].discard(child)
        for home in homes - before:
            self._living[home].add(child)


_NOWHERE: frozenset[UUID] = frozenset()
