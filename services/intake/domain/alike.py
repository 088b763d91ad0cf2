"""Who may be the same person as a child: a suggestion to a worker, who decides. Pure.

Luotsi's own construction. Two children are suggested to be one

- who were born on the same day and share two parts of the name;
- who were born on the same day and share one part of the name and a home (so do twins: the reasons
  say that it is one part only);
- of whom one has no known date of birth, and who share two parts of the name and a home.

Nobody is suggested who is joined to the child already, nor whom a worker has found to be another.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Literal, NamedTuple
from uuid import UUID

from services.intake.domain.traits import TraitKind

Reason = Literal["birth-date", "names", "name", "home"]
MOST = 20

_BORN_AND_HOME = {TraitKind.NAME_BORN_GUARDIAN, TraitKind.NAME_BORN_ADDRESS}
_NAMES_AND_HOME = {TraitKind.NAMES_GUARDIAN, TraitKind.NAMES_ADDRESS}


class Person(NamedTuple):
    """The child who has the case, and everybody joined to it; `dated`: a birth date is known."""

    child: UUID
    everybody: frozenset[UUID]
    dated: bool


class Alike(NamedTuple):
    """Somebody who shares traits: how many of each kind."""

    person: Person
    shared: Mapping[TraitKind, int]


class Suggestion(NamedTuple):
    """A child who may be the same person, and why, in codes."""

    child: UUID
    reasons: tuple[Reason, ...]


def suggested(
    own: Person, others: Iterable[Alike], apart: Collection[UUID]
) -> tuple[Suggestion, ...]:
    """The likeliest first, at most `MOST`; `apart` are children found to be another than `own`."""
    found = [
        (_rank(reasons), -sum(other.shared.values()), Suggestion(other.person.child, reasons))
        for other in others
        if own.everybody.isdisjoint(other.person.everybody)
        and other.person.everybody.isdisjoint(apart)
        and (reasons := _reasons(other.shared.keys(), dated=own.dated and other.person.dated))
    ]
    return tuple(suggestion for *_, suggestion in sorted(found)[:MOST])


def _reasons(shared: Collection[TraitKind], *, dated: bool) -> tuple[Reason, ...]:
    """`dated`: both dates of birth are known, so that two names and a home are not enough."""
    kinds = set(shared)
    if TraitKind.NAMES_BORN in kinds:
        home: tuple[Reason, ...] = ("home",) if kinds & _BORN_AND_HOME else ()
        return ("birth-date", "names", *home)
    if kinds & _BORN_AND_HOME:
        return ("birth-date", "name", "home")
    return ("names", "home") if kinds & _NAMES_AND_HOME and not dated else ()


_ORDER: tuple[tuple[Reason, ...], ...] = (
    ("birth-date", "names", "home"), ("birth-date", "names"), ("birth-date", "name", "home"),
    ("names", "home"),
)  # fmt: skip


def _rank(reasons: tuple[Reason, ...]) -> int:
    return _ORDER.index(reasons)
