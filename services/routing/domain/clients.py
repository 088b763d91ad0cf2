"""What the client information system has said of a child, and what it means for a decision. Pure.

Clientship is its fact, not Luotsi's: a notifier's word about it counts only where it says nothing.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID, uuid5

from services.routing.domain.facts import MOVES, Moves
from services.routing.domain.tasks import Task
from shared.events import Answer, Clientship, ClientSignal, Placement

EXISTING: Mapping[Clientship, Answer] = {
    "pending": "yes",  # somebody has the matter already, though it is no clientship yet (CLK-14)
    "child_protection": "yes",
    "aftercare": "yes",
    "none": "no",
    "ended": "no",
    "unknown": "unknown",
}


class ClientRow(NamedTuple):
    """The newest state of one reference, in the order of the table's columns.

    `signal` names the sealed signal with the person; a `moved` one says nothing any more.
    `county_task` is there exactly while `lives_here` is "no": the duty item of the task to tell the
    other county, which opens once the child has a case.
    """

    child: UUID
    source: str
    reference: str
    version: int
    moved: bool
    clientship: Clientship
    since: date | None
    worker: str | None
    placement: Placement
    moves: int | None
    household: UUID | None
    interpreter: Answer
    turvakielto: Answer
    received_at: datetime
    signal: str
    lives_here: Answer
    county_task: UUID | None


class OfClient(NamedTuple):
    """What counts for a case: an existing client or not, and the other system's own reference.

    `placed`: away from home, in whatever way. `moves`: between placements in 12 months.
    """

    existing: Answer = "unknown"
    reference: str | None = None
    placed: Answer = "unknown"
    placed_urgently: Answer = "unknown"
    has_worker: Answer = "unknown"
    moves: Moves = "unknown"


NOTHING_SAID = OfClient()


def row_of(signal: ClientSignal, before: ClientRow | None = None) -> ClientRow:
    """The row a signal makes of what its reference said `before`."""
    return ClientRow(
        signal.child, signal.source, signal.reference, signal.version, signal.moved,
        signal.clientship, signal.since, signal.worker, signal.placement, signal.moves,
        signal.household, signal.interpreter, signal.turvakielto, signal.received_at, signal.id,
        signal.lives_here, _county_task(signal, before),
    )  # fmt: skip


def _county_task(signal: ClientSignal, before: ClientRow | None) -> UUID | None:
    """One task for each time that a reference comes to say "no", not for each time it says so."""
    if signal.lives_here != "no":
        return None
    stands = before.county_task if before is not None else None
    return stands or uuid5(signal.child, f"{signal.id}/moved-out")


def is_newer(row: ClientRow, before: ClientRow | None) -> bool:
    """Whether it takes the place of what the reference said before."""
    return before is None or row.version > before.version


def of_client(rows: Iterable[ClientRow]) -> OfClient:
    """All references of a child together: a client of one is a client; "no" only if all say so."""
    standing = [row for row in rows if not row.moved]
    if not standing:
        return NOTHING_SAID
    named = max(standing, key=_says_most)
    return OfClient(
        _together(EXISTING[row.clientship] for row in standing),
        named.reference,
        _together(_is(row.placement, "open_care", "urgent", "care") for row in standing),
        _together(_is(row.placement, "urgent") for row in standing),
        _has_worker(standing),
        _moves(row.moves for row in standing),
    )


def _has_worker(rows: Iterable[ClientRow]) -> Answer:
    """Whether anybody is named. A client of whom no worker is told may have one all the same."""
    return _together(
        "yes" if row.worker is not None else "no" if EXISTING[row.clientship] == "no" else "unknown"
        for row in rows
    )


def _moves(told: Iterable[int | None]) -> Moves:
    """Those of the reference that tells of the most; a move may stand in several."""
    known = [moves for moves in told if moves is not None]
    return MOVES[1 + min(max(known), _MOST_MOVES)] if known else "unknown"


_MOST_MOVES = len(MOVES) - 2


def _together(said: Iterable[Answer]) -> Answer:
    answers = set(said)
    return "yes" if "yes" in answers else "no" if answers == {"no"} else "unknown"


def _is(placement: Placement, *kinds: Placement) -> Answer:
    if placement == "unknown":
        return "unknown"
    return "yes" if placement in kinds else "no"


def _says_most(row: ClientRow) -> tuple[bool, datetime, str, str]:
    """An existing client first, then the latest; the same whatever came first."""
    return EXISTING[row.clientship] == "yes", row.received_at, row.source, row.reference


def county_tasks(rows: Iterable[ClientRow]) -> list[Task]:
    """The tasks to tell another county, of the references that say the child lives there now."""
    return [Task(r.county_task, r.child, "moved-out") for r in rows if r.county_task is not None]


def households_of(rows: Iterable[ClientRow]) -> set[UUID]:
    """The households that the references of a child name now."""
    return {row.household for row in rows if row.household is not None and not row.moved}
