"""What decisions would have been, had what came late or was corrected been known then. Pure.

A late message could have been known since it was received, a correction since the message whose
place it takes, and who lives with whom always. So each past decision is made twice more, with what
notifications state up to the moment that it knew: as it was before something came, and with it.
Only where that makes the difference was the decision too light.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from services.routing.domain.county import Settings, derive_in
from services.routing.domain.decision import Decision, decide
from services.routing.domain.facts import MOVES, Answered, Facts, Known, Told, known_when
from services.routing.domain.households import Member, family_of, with_family, with_windows
from services.routing.domain.joins import Joins
from services.routing.domain.lighter import is_lighter
from services.routing.domain.tables import Tables
from services.routing.domain.tasks import Task
from services.routing.domain.windows import recent_of
from shared.events import Destination, Level

STOOD = timedelta(minutes=10)
"""A decision that was replaced sooner was on its way, and nobody has gone by it (own construction).
"""


class Noted(NamedTuple):
    """A notification as it stands: whose case has it, and what has taken its place."""

    id: str
    case: UUID
    told: Told
    corrects: str | None
    replaced_by: str | None
    counts: bool  # not so what was returned to a school and is no matter


class Past(NamedTuple):
    """A decision as it was kept, with the moment up to which it knew what had been received."""

    child: UUID
    seq: int
    known_until: datetime
    facts: Facts
    urgent_flags: tuple[str, ...]
    level: Level
    destinations: tuple[Destination, ...]
    version: str


class TooLight(NamedTuple):
    """A past decision that would have been heavier with what `because` brought."""

    because: str
    case: UUID  # who has the case of the child it was about
    past: Past
    would: Decision

    @property
    def task(self) -> Task:
        """The task of a supervisor: one for each case and each thing that came."""
        return Task(uuid5(self.case, f"{self.because}/too-light"), self.case, "too-light")


@dataclass(frozen=True)
class World:
    """What is stated in the cases of some households, and since when it could have been known."""

    stated: Mapping[UUID, Mapping[str, Told]]  # by case and signal
    answered: Mapping[UUID, Sequence[Answered]]  # by case
    siblings: Mapping[UUID, Collection[UUID]]  # whose cases share a household with a case
    joins: Joins

    def known(self, child: UUID, until: datetime) -> Known:
        """What was known of a child with its household at some moment."""
        case = self.joins.of(child)
        own = self._member(case, until)
        family = family_of(self._member(each, until) for each in self.siblings.get(case, ()))
        return with_windows(with_family(own.known, family), own.recent, family)

    def counting(self, child: UUID) -> dict[tuple[str, bool], Told]:
        """Every statement that counts for a child; True with what is stated in its own case."""
        case = self.joins.of(child)
        homes = [(case, True), *((each, False) for each in self.siblings.get(case, ()))]
        return {
            (ident, own): told
            for each, own in homes
            for ident, told in self.stated.get(each, {}).items()
        }

    def _member(self, case: UUID, until: datetime) -> Member:
        stated, last = self.stated.get(case, {}), to_the_second(until)
        told = {i: t for i, t in stated.items() if to_the_second(t.at) <= last}
        answers = [each for each in self.answered.get(case, ()) if to_the_second(each.at) <= last]
        return Member(known_when(told.values(), answers), recent_of(told))


def to_the_second(moment: datetime) -> datetime:
    """A moment as decisions keep what they knew (`windows.Seen`)."""
    return moment.replace(microsecond=0)


def is_late(received_at: datetime, known_until: Iterable[datetime | None]) -> bool:
    """Whether decisions that knew so much were made without what was received before."""
    after = [until for until in known_until if until is not None and received_at < until]
    return any(to_the_second(received_at) < to_the_second(until) for until in after)


def since_when(noted: Iterable[Noted]) -> dict[str, datetime]:
    """Since when each could have been known."""
    by_id = {note.id: note for note in noted}
    return {ident: min(_receipts(by_id, ident)) for ident in by_id}


def _receipts(by_id: Mapping[str, Noted], ident: str) -> Iterator[datetime]:
    """When it was received, and everything that it corrects, one after the other."""
    passed: set[str] = set()
    note = by_id.get(ident)
    while note is not None and note.id not in passed:
        passed.add(note.id)
        yield note.told.at
        note = by_id.get(note.corrects or "")


def stated_now(noted: Iterable[Noted]) -> list[Noted]:
    """What stands."""
    return [note for note in noted if note.counts and note.replaced_by is None]


def stated_before(noted: Iterable[Noted], because: Collection[str]) -> list[Noted]:
    """What stood before these came: without them, and with what they take the place of."""
    return [
        note
        for note in noted
        if note.counts
        and note.id not in because
        and (note.replaced_by is None or note.replaced_by in because)
    ]


def by_case(
    notes: Iterable[Noted], since: Mapping[str, datetime], cases: Mapping[str, UUID] | None = None
) -> dict[UUID, dict[str, Told]]:
    """Statements as a `World` has them; `cases`: whose case had each, where that was another."""
    found: dict[UUID, dict[str, Told]] = {}
    for note in notes:
        case = note.case if cases is None else cases.get(note.id, note.case)
        found.setdefault(case, {})[note.id] = note.told._replace(at=since[note.id])
    return found


def first_change(before: World, after: World, child: UUID) -> datetime | None:
    """Since when what counts for a child differs; None where it does not."""
    one, other = before.counting(child), after.counting(child)
    changed = {each for each in one.keys() | other.keys() if one.get(each) != other.get(each)}
    moments = (world[each].at for world in (one, other) for each in changed & world.keys())
    return min(moments, default=None)


_OF_CLIENT = {
    "is_client": "existing_client", "placed": "placed", "placed_urgently": "placed_urgently",
    "has_worker": "has_worker",
}  # fmt: skip
"""Fields of `Known` that the client information system tells, too, and the columns of them."""
_MOVES = {"no": MOVES[1], "yes": MOVES[-1]}
"""Moves that make the stored column what it is, in whatever county."""


def as_known_then(world: World, past: Past, settings: Settings | None = None) -> Facts:
    """The facts of a past decision, with what notifications state up to the moment it knew.

    Age, urgency, clientship and placement are as they were: notifications alone do not tell them.
    """
    known = world.known(past.child, past.known_until)
    of_client = {field: past.facts.get(column, "unknown") for field, column in _OF_CLIENT.items()}
    said: dict[str, Any] = {field: v for field, v in of_client.items() if v != "unknown"}
    moved = past.facts.get("moved_between_placements")
    known = known._replace(**said, moves=_MOVES.get(str(moved), "unknown"))
    band, urgency = past.facts["age_band"], past.facts["urgency"]
    return derive_in(settings, known, age_band=band, urgency=urgency)  # type: ignore[arg-type]


def would_have_been(past: Past, before: World, after: World, tables: Tables) -> Decision | None:
    """What a past decision would have been, where it was too light for want of what came since.

    `tables` are those it was made with. None where nothing got heavier by what came.
    """
    was = decide(as_known_then(before, past, tables.settings), tables)
    would = decide(as_known_then(after, past, tables.settings), tables)
    return would if is_lighter(was, would) and is_lighter(past, would) else None
