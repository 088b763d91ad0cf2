"""What the client information system has said of a child, and what it means for a decision. Pure.

Clientship is its fact, not Luotsi's: a notifier's word about it counts only where it says nothing.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

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


class OfClient(NamedTuple):
    """What counts for a case: an existing client or not, and the other system's own reference."""

    existing: Answer = "unknown"
    reference: str | None = None


NOTHING_SAID = OfClient()


def row_of(signal: ClientSignal) -> ClientRow:
    """The row a signal makes."""
    return ClientRow(
        signal.child, signal.source, signal.reference, signal.version, signal.moved,
        signal.clientship, signal.since, signal.worker, signal.placement, signal.moves,
        signal.household, signal.interpreter, signal.turvakielto, signal.received_at, signal.id,
    )  # fmt: skip


def is_newer(row: ClientRow, before: ClientRow | None) -> bool:
    """Whether it takes the place of what the reference said before."""
    return before is None or row.version > before.version


def of_client(rows: Iterable[ClientRow]) -> OfClient:
    """All references of a child together: a client of one is a client; "no" only if all say so."""
    standing = [row for row in rows if not row.moved]
    if not standing:
        return NOTHING_SAID
    answers = {EXISTING[row.clientship] for row in standing}
    existing: Answer = "yes" if "yes" in answers else "no" if answers == {"no"} else "unknown"
    named = max(standing, key=_says_most)
    return OfClient(existing, named.reference)


def _says_most(row: ClientRow) -> tuple[bool, datetime, str, str]:
    """An existing client first, then the latest; the same whatever came first."""
    return EXISTING[row.clientship] == "yes", row.received_at, row.source, row.reference


def households_of(rows: Iterable[ClientRow]) -> set[UUID]:
    """The households that the references of a child name now."""
    return {row.household for row in rows if row.household is not None and not row.moved}
