"""All SQL of notifications: notices, leases, and the order of case events."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

import asyncpg

from services.notifications.domain import (
    BASIS,
    RECIPIENTS,
    Field,
    Order,
    Priority,
    Purpose,
)
from shared.database import Connection
from shared.events import CaseEvent

ReceiptState = Literal["created", "skipped_before_start"]


class NewReceipt(NamedTuple):
    """A receipt to be sent, with its sealed copy of the notifier."""

    id: UUID
    state: ReceiptState
    receipt: UUID
    reference: str
    notifier: str
    received_at: datetime


class DueNotice(NamedTuple):
    """A notice that this sender holds under its lease."""

    id: UUID
    purpose: Purpose
    receipt: UUID | None
    reference: str | None
    notifier: str | None
    received_at: datetime
    created_at: datetime
    attempts: int


# --- new notices ----------------------------------------------------------------------------------


async def add_receipts(conn: Connection, receipts: Sequence[NewReceipt]) -> None:
    """Store receipts; a notification that has one keeps it."""
    if not receipts:
        return
    await conn.execute(
        """
        INSERT INTO notice (id, purpose, priority, state, receipt, reference, notifier,
                            received_at, recipient, basis, finished_at)
        SELECT id, 'receipt', $7, state, receipt, reference, notifier, received_at, $8, $9,
               CASE WHEN state <> 'created' THEN now() END
        FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[])
            AS t (id, state, receipt, reference, notifier, received_at)
        ON CONFLICT (receipt) WHERE receipt IS NOT NULL DO NOTHING
        """,
        *zip(*receipts, strict=True), Priority.RECEIPT, RECIPIENTS["receipt"], BASIS["receipt"],
    )  # fmt: skip


async def add_alert(
    conn: Connection, notice: UUID, priority: Priority, received_at: datetime
) -> None:
    """Store an alert, unless one as pressing waits to be sent: that one serves for both.

    One that a sender holds at this moment does not count: who reads it may have logged in already.
    """
    await conn.execute(
        """
        INSERT INTO notice (id, purpose, priority, state, received_at, recipient, basis)
        SELECT $1, 'duty_alert', $2, 'created', $3, $4, $5
        WHERE NOT EXISTS (
            SELECT FROM notice WHERE purpose = 'duty_alert' AND state = 'created'
            AND priority <= $2 AND lease IS NULL)
        ON CONFLICT (priority)
            WHERE purpose = 'duty_alert' AND state = 'created' AND attempts = 0 DO NOTHING
        """,
        notice, priority, received_at, RECIPIENTS["duty_alert"], BASIS["duty_alert"],
    )  # fmt: skip


async def skip_before(conn: Connection, not_before: datetime) -> int:
    """Nobody is told of what arrived before `not_before`; returns how many were skipped."""
    skipped = await conn.fetch(
        "UPDATE notice SET state = 'skipped_before_start', finished_at = now(), lease = NULL "
        "WHERE state = 'created' AND received_at < $1 RETURNING 1",
        not_before,
    )
    return len(skipped)


# --- sending --------------------------------------------------------------------------------------


async def claim(conn: Connection, lease: UUID, seconds: float, limit: int) -> list[DueNotice]:
    """Take notices that are due, the most pressing first, for `seconds`; counts the attempt."""
    rows = await conn.fetch(
        """
        UPDATE notice n SET lease = $1, lease_until = now() + make_interval(secs => $2),
               attempts = n.attempts + 1
        FROM (
            SELECT id FROM notice
            WHERE state = 'created' AND next_try_at <= now()
              AND (lease IS NULL OR lease_until < now())
            ORDER BY priority, next_try_at LIMIT $3 FOR UPDATE SKIP LOCKED) due
        WHERE n.id = due.id
        RETURNING n.id, n.purpose, n.receipt, n.reference, n.notifier, n.received_at,
                  n.created_at, n.attempts
        """,
        lease, seconds, limit,
    )  # fmt: skip
    return [DueNotice(*row) for row in rows]


async def delivered(
    conn: Connection, notice: UUID, lease: UUID, items: Sequence[Field], channel: str
) -> bool:
    """Record a delivery; False when the lease was lost to another sender meanwhile."""
    return bool(
        await conn.fetchval(
            "UPDATE notice SET state = 'delivered', items = $3, channel = $4, reason = NULL, "
            "finished_at = now(), lease = NULL WHERE id = $1 AND lease = $2 RETURNING true",
            notice, lease, list(items), channel,
        )
    )  # fmt: skip


async def without_channel(conn: Connection, notice: UUID, lease: UUID) -> bool:
    """Record that the recipient left no way to be told; False when the lease was lost."""
    return bool(
        await conn.fetchval(
            "UPDATE notice SET state = 'no_channel', finished_at = now(), lease = NULL "
            "WHERE id = $1 AND lease = $2 RETURNING true",
            notice, lease,
        )
    )  # fmt: skip


async def try_later(
    conn: Connection, notice: UUID, lease: UUID, seconds: float, reason: str, attempts: int
) -> bool:
    """Give a notice back, to be tried after `seconds`; False when the lease was lost."""
    return bool(
        await conn.fetchval(
            "UPDATE notice SET next_try_at = now() + make_interval(secs => $3), reason = $4, "
            "attempts = $5, lease = NULL WHERE id = $1 AND lease = $2 RETURNING true",
            notice, lease, seconds, reason, attempts,
        )
    )  # fmt: skip


async def failed(conn: Connection, notice: UUID, lease: UUID, reason: str) -> bool | None:
    """Give a notice up; says whether a person must be told, None when the lease was lost.

    A failed alert becomes a duty item, which wants an alert, which fails: so only the first is
    told, and again after a day, or after an alert got through in between.
    """
    told: bool | None = await conn.fetchval(
        """
        UPDATE notice n SET state = 'failed', reason = $3, finished_at = now(), lease = NULL,
            told_at = CASE WHEN n.purpose = 'receipt' OR NOT EXISTS (
                SELECT FROM notice f WHERE f.purpose = 'duty_alert' AND f.state = 'failed'
                AND f.finished_at > now() - interval '1 day' AND f.told_at IS NOT NULL
                AND NOT EXISTS (
                    SELECT FROM notice d WHERE d.purpose = 'duty_alert' AND d.state = 'delivered'
                    AND d.finished_at > f.finished_at)) THEN now() END
        WHERE id = $1 AND lease = $2 RETURNING told_at IS NOT NULL
        """,
        notice, lease, reason,
    )  # fmt: skip
    return told


# --- order of case events -------------------------------------------------------------------------


async def lock_positions(conn: Connection, children: Sequence[UUID]) -> dict[UUID, int]:
    """The last seq applied of each child (0 for a new one), locked in key order."""
    await conn.execute(
        "INSERT INTO case_position (child, seq) SELECT c, 0 FROM unnest($1::uuid[]) AS t (c) "
        "ORDER BY c ON CONFLICT DO NOTHING",
        children,
    )
    rows = await conn.fetch(
        "SELECT p.child, p.seq FROM unnest($1::uuid[]) AS t (c) "
        "JOIN case_position p ON p.child = t.c ORDER BY p.child FOR UPDATE OF p",
        children,
    )
    return {row["child"]: row["seq"] for row in rows}


async def held_events(conn: Connection, children: Sequence[UUID]) -> list[CaseEvent]:
    """The events of these children that wait for an earlier one."""
    rows = await conn.fetch(
        "SELECT h.event FROM unnest($1::uuid[]) AS t (c) JOIN held_case_event h ON h.child = t.c",
        children,
    )
    return [CaseEvent.model_validate_json(row["event"]) for row in rows]


async def save_order(conn: Connection, before: Mapping[UUID, int], order: Order) -> None:
    """Store how far each child is, and what waits now."""
    moved = {c: seq for c, seq in order.positions.items() if seq != before.get(c)}
    await conn.execute(
        "UPDATE case_position p SET seq = t.seq FROM unnest($1::uuid[], $2::bigint[]) "
        "AS t (child, seq) WHERE p.child = t.child",
        list(moved), list(moved.values()),
    )  # fmt: skip
    if order.released:
        await conn.execute(
            "DELETE FROM held_case_event h USING unnest($1::uuid[], $2::bigint[]) "
            "AS t (child, seq) WHERE h.child = t.child AND h.seq = t.seq",
            *zip(*order.released, strict=True),
        )  # fmt: skip
    if order.newly_held:
        await conn.execute(
            "INSERT INTO held_case_event (child, seq, event) "
            "SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::text[])",
            [e.child for e in order.newly_held], [e.seq for e in order.newly_held],
            [e.model_dump_json() for e in order.newly_held],
        )  # fmt: skip


# --- to be seen -----------------------------------------------------------------------------------


async def waiting(conn: Connection) -> dict[str, tuple[int, float]]:
    """By purpose: notices not yet handed over, and the age of the oldest in seconds."""
    rows = await conn.fetch(
        "SELECT purpose, count(*) AS n, extract(epoch FROM now() - min(created_at)) AS age "
        "FROM notice WHERE state = 'created' GROUP BY purpose"
    )
    return {row["purpose"]: (row["n"], float(row["age"])) for row in rows}


async def gap_seconds(conn: Connection) -> float:
    """How long the oldest case event has waited for an earlier one; 0 when none waits."""
    age = await conn.fetchval("SELECT extract(epoch FROM now() - min(since)) FROM held_case_event")
    return float(age or 0)


async def of_receipt(conn: Connection, receipt: UUID) -> list[asyncpg.Record]:
    """What became of the notices of one receipt, without recipient or text."""
    return await conn.fetch(
        "SELECT id, purpose, state, received_at, created_at, attempts, reason, finished_at "
        "FROM notice WHERE receipt = $1 ORDER BY created_at",
        receipt,
    )
