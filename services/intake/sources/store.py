"""All SQL about sources: their state, what is held of them, what came from them.

A batch that holds something locks its source's row FOR KEY SHARE, a slice of what goes on FOR NO
KEY UPDATE: the two do not hinder each other. Only opening a source takes FOR UPDATE: then no batch
is just about to hold one more.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

import asyncpg

from shared.database import Connection

State = Literal["open", "paused", "braked", "resuming"]
HELD_STATES: tuple[State, ...] = ("paused", "braked", "resuming")


# --- states -------------------------------------------------------------------------------------


async def not_open(conn: Connection, names: Collection[str]) -> dict[str, State]:
    """Which of these sources are held now; each stays so until the end of the transaction.

    Usually none is, and then nothing is locked and no name is sent to PostgreSQL.
    """
    held = await conn.fetch("SELECT name FROM source WHERE state <> 'open'")
    wanted = {row["name"] for row in held} & set(names)
    if not wanted:
        return {}
    rows = await conn.fetch(
        "SELECT name, state FROM source WHERE name = ANY($1::text[]) AND state <> 'open' "
        "ORDER BY name FOR KEY SHARE",
        list(wanted),
    )
    return {row["name"]: row["state"] for row in rows}


async def pause(conn: Connection, name: str, by: str, why: str) -> None:
    """Hold what comes from now on; a source that is paused already stays as it is."""
    await conn.execute(
        """
        INSERT INTO source AS s (name, state, by, why) VALUES ($1, 'paused', $2, $3)
        ON CONFLICT (name) DO UPDATE
        SET state = 'paused', since = now(), by = excluded.by, why = excluded.why
        WHERE s.state <> 'paused'
        """,
        name, by, why,
    )  # fmt: skip


async def brake(conn: Connection, name: str, by: str, why: str) -> bool:
    """Hold what comes from now on, if the source is open; whether it was."""
    done = await conn.fetchval(
        """
        INSERT INTO source AS s (name, state, by, why) VALUES ($1, 'braked', $2, $3)
        ON CONFLICT (name) DO UPDATE
        SET state = 'braked', since = now(), by = excluded.by, why = excluded.why
        WHERE s.state = 'open' RETURNING 1
        """,
        name, by, why,
    )  # fmt: skip
    return bool(done)


async def resume(conn: Connection, name: str, by: str) -> None:
    """Let a held source go on: first with what is held of it."""
    await conn.execute(
        "UPDATE source SET state = 'resuming', since = now(), by = $2, why = 'resumed' "
        "WHERE name = $1 AND state IN ('paused', 'braked')",
        name, by,
    )  # fmt: skip


async def source(conn: Connection, name: str) -> asyncpg.Record | None:
    """State of a source; None where nobody has ever paused or braked it."""
    return await conn.fetchrow("SELECT * FROM source WHERE name = $1", name)


async def states(conn: Connection) -> dict[str, int]:
    """How many sources are in each state."""
    rows = await conn.fetch("SELECT state, count(*) AS n FROM source GROUP BY state")
    return {row["state"]: row["n"] for row in rows}


# --- going on -----------------------------------------------------------------------------------


async def take_resuming(conn: Connection) -> str | None:
    """Lock a source that goes on and that no other process works on; None if there is none."""
    name: str | None = await conn.fetchval(
        "SELECT name FROM source WHERE state = 'resuming' ORDER BY since, name LIMIT 1 "
        "FOR NO KEY UPDATE SKIP LOCKED"
    )
    return name


async def held_messages(conn: Connection, name: str, limit: int) -> list[asyncpg.Record]:
    """The first held messages of a source in the order they came (per partition), locked."""
    return await conn.fetch(
        """
        SELECT s.id AS item, s.door, s.partition, s."offset", s.source, s.event_id, s.key,
               s.received_at, e.body, d.topic, d.grp
        FROM set_aside s
        JOIN event_log e ON (e.door, e.partition, e."offset") = (s.door, s.partition, s."offset")
        JOIN door d ON d.id = s.door
        WHERE s.source = $1 AND s.outcome = 'held' AND s.closed_at IS NULL
        ORDER BY s.door, s.partition, s."offset" LIMIT $2 FOR UPDATE OF s
        """,
        name, limit,
    )  # fmt: skip


async def stepped(conn: Connection, name: str) -> None:
    """A slice has been applied: what it says leaves in this transaction."""
    await conn.execute("UPDATE source SET since = now() WHERE name = $1", name)


async def open_if_nothing_is_held(conn: Connection, name: str) -> bool:
    """Open a resuming source, if what its last slice had to say has left, too.

    Newer messages are answered without the outbox and would overtake it. Waits for batches that
    are just holding something of the source.
    """
    await conn.execute("SELECT 1 FROM source WHERE name = $1 FOR UPDATE", name)
    done = await conn.fetchval(
        """
        UPDATE source s SET state = 'open', since = now() WHERE name = $1 AND state = 'resuming'
           AND NOT EXISTS (SELECT 1 FROM set_aside
                           WHERE source = $1 AND outcome = 'held' AND closed_at IS NULL)
           AND NOT EXISTS (SELECT 1 FROM outbox WHERE created_at <= s.since)
        RETURNING 1
        """,
        name,
    )
    return bool(done)


# --- the brake ----------------------------------------------------------------------------------


class Recent(NamedTuple):
    """Of one source, since `since`: messages quarantined. `now` is the transaction's time."""

    name: str
    quarantined: int
    since: datetime
    now: datetime


async def quarantined_recently(
    conn: Connection, names: Sequence[str], within: timedelta
) -> list[Recent]:
    """What was quarantined of these sources, since each was last opened at most; by name."""
    rows = await conn.fetch(
        """
        SELECT t.name, count(*) AS quarantined, greatest(now() - $2::interval, s.since) AS since,
               now() AS now
        FROM unnest($1::text[]) AS t (name)
        LEFT JOIN source s ON s.name = t.name
        JOIN event_log e ON e.source = t.name AND e.outcome = 'quarantined'
             AND e.recorded_at >= greatest(now() - $2::interval, s.since)
        GROUP BY t.name, s.since ORDER BY t.name
        """,
        names, within,
    )  # fmt: skip
    return [Recent(*row) for row in rows]


async def came_since(conn: Connection, name: str, since: datetime) -> int:
    """How many messages of a source came.

    The time stands alone in the condition, and there is no LIMIT: only so does the planner know
    that the index by time leaves little to read.
    """
    count: int = await conn.fetchval(
        "SELECT count(*) FROM event_log WHERE source = $1 AND recorded_at >= $2", name, since
    )
    return count


# --- what a person asks -------------------------------------------------------------------------


async def known(conn: Connection) -> list[asyncpg.Record]:
    """Every source that was ever paused or braked."""
    return await conn.fetch("SELECT name, state, since, by, why FROM source")


async def came_today(conn: Connection) -> list[asyncpg.Record]:
    """By source and outcome: how many came today (in Finland) and within the last hour."""
    return await conn.fetch(
        """
        SELECT source, outcome,
               count(*) FILTER (
                   WHERE recorded_at >= date_trunc('day', now(), 'Europe/Helsinki')) AS today,
               count(*) FILTER (WHERE recorded_at >= now() - interval '1 hour') AS hour
        FROM event_log
        WHERE source IS NOT NULL AND recorded_at >= least(
            date_trunc('day', now(), 'Europe/Helsinki'), now() - interval '1 hour')
        GROUP BY source, outcome
        """
    )


async def held(conn: Connection) -> list[asyncpg.Record]:
    """By source: how many messages are held, and when the first of them was received."""
    return await conn.fetch(
        "SELECT source, count(*) AS n, min(received_at) AS oldest FROM set_aside "
        "WHERE outcome = 'held' AND closed_at IS NULL GROUP BY source"
    )


class Wanted(NamedTuple):
    """Which open quarantined and parked items are meant; None means any."""

    source: str | None
    reason: str | None
    since: datetime | None
    until: datetime | None


async def matching_counts(conn: Connection, wanted: Wanted) -> dict[str, int]:
    """Reason -> how many open items match."""
    rows = await conn.fetch(
        """
        SELECT reason, count(*) AS n FROM set_aside
        WHERE closed_at IS NULL AND outcome IN ('quarantined', 'parked')
          AND ($1::text IS NULL OR source = $1) AND ($2::text IS NULL OR reason = $2)
          AND ($3::timestamptz IS NULL OR received_at >= $3)
          AND ($4::timestamptz IS NULL OR received_at < $4)
        GROUP BY reason ORDER BY reason
        """,
        *wanted,
    )
    return {row["reason"]: row["n"] for row in rows}


async def matching(
    conn: Connection, wanted: Wanted, after: tuple[datetime, UUID] | None, limit: int
) -> list[asyncpg.Record]:
    """The first matching items behind `after`, oldest receipt first."""
    return await conn.fetch(
        """
        SELECT id, received_at FROM set_aside
        WHERE closed_at IS NULL AND outcome IN ('quarantined', 'parked')
          AND ($1::text IS NULL OR source = $1) AND ($2::text IS NULL OR reason = $2)
          AND ($3::timestamptz IS NULL OR received_at >= $3)
          AND ($4::timestamptz IS NULL OR received_at < $4)
          AND ($5::timestamptz IS NULL OR (received_at, id) > ($5, $6::uuid))
        ORDER BY received_at, id LIMIT $7
        """,
        *wanted, *(after or (None, None)), limit,
    )  # fmt: skip
