"""SQL of the tasks about questions that nobody answered in time.

A matter counts while its assessment has not begun and has not been found unnecessary, its urgency
has been judged, its statutory last day is still ahead (after it the clock itself is late, and says
so), and its case's decision asks something. What is read is bounded by the running clocks of about
a week, whatever else has been left undone.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from shared.database import Connection

_ROLLED_ON = timedelta(days=14)  # by which a last day is never further behind its target


async def alone(conn: Connection) -> bool:
    """Whether this transaction is the only one that looks just now."""
    is_alone: bool = await conn.fetchval(
        "SELECT pg_try_advisory_xact_lock(hashtext(current_schema()), hashtext('unanswered'))"
    )
    return is_alone


async def fallen_due(
    conn: Connection, now: datetime, target: datetime, limit: int
) -> list[asyncpg.Record]:
    """Matters with a target up to this one, whose questions no task has been about yet."""
    return await conn.fetch(
        """
        SELECT k.child, k.about FROM clock k
        JOIN notification n ON n.id = k.about AND n.child = k.child
        JOIN child_case c ON c.child = k.child
        JOIN decision d ON d.child = c.child AND d.seq = c.decision_seq
        WHERE k.stopped_at IS NULL AND k.kind = 'assessment_start'
          AND k.due > $1 AND k.due <= $3 AND k.target <= $2
          AND n.check_state IN ('urgent', 'not_urgent') AND n.replaced_by IS NULL AND d.ask <> ''
          AND NOT EXISTS (SELECT FROM unanswered u WHERE u.about = k.about)
        ORDER BY k.child, k.due, k.about LIMIT $4
        """,
        now, target, target + _ROLLED_ON, limit,
    )  # fmt: skip


async def open_items(conn: Connection, children: Sequence[UUID]) -> dict[UUID, UUID]:
    """The task that stands for each of these cases, whoever had its notifications before."""
    rows = await conn.fetch(
        """
        SELECT n.child, min(i.id::text)::uuid AS item FROM notification n
        JOIN unanswered u ON u.about = n.id
        JOIN duty_item i ON i.id = u.item AND i.closed_at IS NULL
        WHERE n.child = ANY($1::uuid[]) GROUP BY n.child
        """,
        children,
    )
    return {row["child"]: row["item"] for row in rows}


async def keep(conn: Connection, matters: Sequence[tuple[str, UUID]]) -> None:
    """Which task each notification's questions are in."""
    await conn.executemany("INSERT INTO unanswered (about, item) VALUES ($1, $2)", matters)


async def settled(conn: Connection, limit: int) -> list[UUID]:
    """Open tasks none of whose matters counts any more, locked; not what a worker has just now."""
    rows = await conn.fetch(
        """
        SELECT i.id FROM duty_item i
        WHERE i.closed_at IS NULL AND i.outcome = 'unanswered' AND NOT EXISTS (
            SELECT FROM unanswered u
            JOIN notification n ON n.id = u.about
            JOIN clock k ON k.child = n.child AND k.about = n.id
                AND k.kind = 'assessment_start' AND k.stopped_at IS NULL
            JOIN child_case c ON c.child = n.child
            JOIN decision d ON d.child = c.child AND d.seq = c.decision_seq
            WHERE u.item = i.id AND n.replaced_by IS NULL AND d.ask <> '')
        ORDER BY i.id LIMIT $1 FOR UPDATE OF i SKIP LOCKED
        """,
        limit,
    )
    return [row["id"] for row in rows]
