"""What past decisions said and would have said, for a supervisor's task: its page and the JSON."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.routing.desk.queues import Shown, why
from services.routing.hindsight import store
from shared.database import Connection


@dataclass(frozen=True, slots=True)
class Said:
    """A decision as far as it can be lighter than another."""

    level: str
    flagged: bool
    destinations: Sequence[str]


@dataclass(frozen=True, slots=True)
class Difference:
    """One past decision, what it would have been, and the reasons it lacks. No personal data.

    `item` is the task that shows it; `child` and `seq` name the decision.
    """

    item: UUID
    child: UUID
    seq: int
    decided_at: datetime
    said: Said
    would: Said
    reasons: tuple[str, ...]


async def differences(conn: Connection, items: Iterable[UUID], show: Shown) -> list[Difference]:
    """The decisions that tasks are about, in their order; none for other items."""
    found = []
    for row in await store.kept(conn, list(items)):
        more = [each for each in row["would_rows"].split() if each not in row["rows"].split()]
        found.append(
            Difference(
                row["item"], row["child"], row["seq"], row["decided_at"],
                Said(row["level"], bool(row["urgent_flags"]), row["destinations"].split()),
                Said(
                    row["would_level"], bool(row["would_flags"]), row["would_destinations"].split()
                ),
                why(more, row["rules"], show),
            )
        )  # fmt: skip
    return found
