"""What a change of rules does to many cases: counted case by case, then read by a person. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from services.routing.domain.comparing import Compared, Unsure
from services.routing.domain.lighter import Fall, Stands
from services.routing.domain.tables import DESTINATIONS, LEVELS
from shared.events import Destination

MOST_MARKS = 500  # of one group that are kept with the effect; the count says how many there are


class Unread(NamedTuple):
    """Cases whose own version cannot be read any more."""

    version: str


class Undecided(NamedTuple):
    """Cases whose facts cannot be read."""


Kind = Compared | Unsure | Unread | Undecided


class Marked(NamedTuple):
    """A case by its mark, and the child's random id."""

    mark: str
    child: UUID


class Group:
    """Cases of which the same was found, and their marks where a person should read them."""

    __slots__ = ("cases", "kind", "listed")

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.cases = 0
        self.listed: list[Marked] | None = [] if is_for_reading(kind) else None

    def add(self, mark: str, child: UUID) -> None:
        self.cases += 1
        if self.listed is not None:
            self.listed.append(Marked(mark, child))


def is_for_reading(kind: Kind) -> bool:
    """Whether each case is listed: it became lighter, or nobody can say that it did not."""
    return bool(kind.falls) if isinstance(kind, Compared) else True


class Tally:
    """Every case in its group; two tallies of different cases add up."""

    def __init__(self) -> None:
        self.groups: dict[Kind, Group] = {}

    def group(self, kind: Kind) -> Group:
        found = self.groups.get(kind)
        if found is None:
            found = self.groups[kind] = Group(kind)
        return found

    def join(self, other: "Tally") -> None:
        for kind, group in other.groups.items():
            own = self.group(kind)
            own.cases += group.cases
            if own.listed is not None and group.listed is not None:
                own.listed += group.listed

    def for_reading(self) -> list[Group]:
        """The groups that are listed, the largest first."""
        found = [group for group in self.groups.values() if group.listed]
        return sorted(found, key=lambda group: (-group.cases, repr(group.kind)))


# --- what a person reads ----------------------------------------------------------------------


class _Kept(BaseModel):
    model_config = ConfigDict(frozen=True)


class Version(_Kept):
    """Tables by their version and the hash of their content ("" for several versions)."""

    name: str
    content_hash: str


class Cell(_Kept):
    """So many cases that the old tables see so and the new ones so."""

    before: str
    after: str
    cases: int


class Queue(_Kept):
    """What happens to a queue. `gone` and `new`: cases that leave it and that come to it.

    Of a destination also the stored proposals: `waiting` now, and how people `accepted` and
    `declined` them.
    """

    name: str
    before: int
    after: int
    gone: int
    new: int
    waiting: int | None = None
    accepted: int = 0
    declined: int = 0

    @property
    def more(self) -> int:
        """How many more, negative for fewer."""
        return self.after - self.before

    @property
    def seats(self) -> float | None:
        """How many more of them people would accept, as they have accepted so far."""
        decided = self.accepted + self.declined
        return self.more * self.accepted / decided if decided else None


class Reading(_Kept):
    """Cases to read one by one; `marks` are the first of them.

    `why`: they became lighter, cannot be compared, or are of a version (`lacking`) that cannot be
    read. `falls` is what became lighter, or perhaps did; None if nobody can say.
    """

    why: Literal["lighter", "unsure", "unread", "undecided"]
    cases: int
    marks: tuple[Marked, ...]
    falls: tuple[Fall, ...] | None = ()
    gone: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    lacking: tuple[str, ...] = ()


class Effect(_Kept):
    """The effect of a change of rules on the stored cases.

    `stored` cases, of which some had no decision; `left_out` are joined to another or have nothing
    left that is about them. `weeks` passed between the first and the last of them. `derived` and
    `whatever`: of columns that were not stored, how many cases they were derived for, and of how
    many every value decides alike.
    """

    old: Version
    new: Version
    made_at: datetime
    stored: int
    left_out: int
    weeks: float
    urgent: tuple[Cell, ...]
    level: tuple[Cell, ...]
    holder: tuple[Cell, ...]
    holders: tuple[Queue, ...]
    destinations: tuple[Queue, ...]
    reading: tuple[Reading, ...]
    compared: int
    derived: Mapping[str, int]
    whatever: Mapping[str, int]

    @property
    def lighter(self) -> int:
        """How many cases would become lighter."""
        return sum(each.cases for each in self.reading if each.why == "lighter")

    @property
    def without_decision(self) -> int:
        """Stored cases that nothing was found of to compare."""
        unsure = sum(each.cases for each in self.reading if each.why != "lighter")
        return self.stored - self.compared - unsure


class About(NamedTuple):
    """What stands beside the counted cases. `proposals`: by destination and state."""

    old: Version
    new: Version
    made_at: datetime
    stored: int
    left_out: int
    weeks: float
    proposals: Mapping[tuple[str, str], int]


def effect_of(tally: Tally, about: About) -> Effect:
    """All that was counted, as a person reads it."""
    sure = [(kind, g.cases) for kind, g in tally.groups.items() if isinstance(kind, Compared)]
    return Effect(
        old=about.old, new=about.new, made_at=about.made_at,
        stored=about.stored, left_out=about.left_out, weeks=about.weeks,
        urgent=_matrix(sure, lambda each: "yes" if each.urgent else "no"),
        level=_matrix(sure, lambda each: each.level),
        holder=_matrix(sure, lambda each: each.holder),
        holders=tuple(_holders(sure)),
        destinations=tuple(_destination(name, sure, about) for name in DESTINATIONS),
        reading=tuple(_reading(group) for group in tally.for_reading()),
        compared=sum(cases for _, cases in sure),
        derived=_columns((kind.derived, cases) for kind, cases in sure),
        whatever=_columns((kind.whatever, cases) for kind, cases in sure),
    )  # fmt: skip


_Counted = list[tuple[Compared, int]]


def _matrix(sure: _Counted, of: Callable[[Stands], str]) -> tuple[Cell, ...]:
    cells: Counter[tuple[str, str]] = Counter()
    for kind, cases in sure:
        cells[of(kind.before), of(kind.after)] += cases
    return tuple(
        Cell(before=b, after=a, cases=n) for (b, a), n in sorted(cells.items(), key=_order)
    )


def _order(cell: tuple[tuple[str, str], int]) -> tuple[int, str, int, str]:
    (before, after), _ = cell
    return _place(before), before, _place(after), after


def _place(name: str) -> int:
    """Levels stand in their order, everything else by its name."""
    return next((place for place, level in enumerate(LEVELS) if level == name), len(LEVELS))


def _holders(sure: _Counted) -> Iterator[Queue]:
    for name in sorted({each.holder for kind, _ in sure for each in (kind.before, kind.after)}):
        yield _queue(name, [(k.before.holder == name, k.after.holder == name, n) for k, n in sure])


def _destination(name: Destination, sure: _Counted, about: About) -> Queue:
    there = [(name in k.before.destinations, name in k.after.destinations, n) for k, n in sure]
    waiting, accepted, declined = (
        about.proposals.get((name, state), 0) for state in ("proposed", "accepted", "declined")
    )
    return _queue(name, there).model_copy(
        update={"waiting": waiting, "accepted": accepted, "declined": declined}
    )


def _queue(name: str, there: list[tuple[bool, bool, int]]) -> Queue:
    return Queue(
        name=name,
        before=sum(cases for before, _, cases in there if before),
        after=sum(cases for _, after, cases in there if after),
        gone=sum(cases for before, after, cases in there if before and not after),
        new=sum(cases for before, after, cases in there if after and not before),
    )


def _reading(group: Group) -> Reading:
    kind, marks = group.kind, tuple(sorted(group.listed or ())[:MOST_MARKS])
    if isinstance(kind, Compared):
        return Reading(
            why="lighter", cases=group.cases, marks=marks,
            falls=kind.falls, gone=kind.rows.gone, new=kind.rows.new,
        )  # fmt: skip
    if isinstance(kind, Unsure):
        return Reading(
            why="unsure", cases=group.cases, marks=marks, falls=kind.perhaps, lacking=kind.lacking
        )
    if isinstance(kind, Unread):
        return Reading(
            why="unread", cases=group.cases, marks=marks, falls=None, lacking=(kind.version,)
        )
    return Reading(why="undecided", cases=group.cases, marks=marks, falls=None)


def _columns(found: Iterable[tuple[tuple[str, ...], int]]) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for columns, cases in found:
        for column in columns:
            counted[column] += cases
    return dict(sorted(counted.items()))
