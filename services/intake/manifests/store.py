"""All SQL about what sources say they sent: numbers, lists, hours, alarms."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple
from uuid import UUID

import asyncpg

from services.intake.domain.numbering import Seen, Span
from shared.database import Connection

Run = tuple[str, str]  # source, name of its run
AlarmKind = Literal["gap", "missing", "silent"]
KINDS: tuple[AlarmKind, ...] = ("gap", "missing", "silent")
LEARNT = timedelta(weeks=17)  # hours that are looked at before the last message
KEPT = timedelta(days=366)


# --- numbers ------------------------------------------------------------------------------------


async def lock_runs(conn: Connection, runs: Sequence[Run]) -> dict[Run, Seen | None]:
    """What was seen of these runs, in their order; locked, and made where it is new."""
    found = await _locked(conn, runs)
    if new := [run for run in runs if run not in found]:
        await conn.execute(
            "INSERT INTO source_sequence (source, run) "
            "SELECT * FROM unnest($1::text[], $2::text[]) ON CONFLICT DO NOTHING",
            *map(list, zip(*new, strict=True)),
        )
        found |= await _locked(conn, new)
    return found


async def _locked(conn: Connection, runs: Sequence[Run]) -> dict[Run, Seen | None]:
    rows = await conn.fetch(
        """
        SELECT s.* FROM source_sequence s
        JOIN unnest($1::text[], $2::text[]) AS t (source, run) USING (source, run)
        ORDER BY source, run FOR UPDATE OF s
        """,
        *map(list, zip(*runs, strict=True)),
    )
    return {(row["source"], row["run"]): _seen(row) for row in rows}


async def save_runs(conn: Connection, seen: Mapping[Run, Seen]) -> None:
    """What has been seen of runs that are locked."""
    await conn.executemany(
        "UPDATE source_sequence SET base = $3, firsts = $4, lasts = $5, since = $6, folded = $7 "
        "WHERE source = $1 AND run = $2",
        [
            (
                *run, each.base, [s.first for s in each.spans], [s.last for s in each.spans],
                [s.since for s in each.spans], each.folded,
            )
            for run, each in seen.items()
        ],
    )  # fmt: skip


async def runs_with_gaps(conn: Connection, source: str | None = None) -> dict[Run, Seen]:
    """The runs in which a number is missing, of one source or of all."""
    rows = await conn.fetch(
        """
        SELECT * FROM source_sequence
        WHERE ($1::text IS NULL OR source = $1)
          AND (cardinality(firsts) > 1 OR firsts[1] > base OR folded > 0)
        ORDER BY source, run
        """,
        source,
    )
    return {(r["source"], r["run"]): seen for r in rows if (seen := _seen(r)) is not None}


def _seen(row: asyncpg.Record) -> Seen | None:
    if row["base"] is None:
        return None
    columns = zip(row["firsts"], row["lasts"], row["since"], strict=True)
    return Seen(row["base"], tuple(Span(*each) for each in columns), row["folded"])


# --- lists --------------------------------------------------------------------------------------


class ListRow(NamedTuple):
    """A list that a source sent, in the order of COPY's columns."""

    id: UUID
    source: str
    begins: datetime
    ends: datetime
    next_by: datetime | None
    arrived_at: datetime
    waits: Sequence[str]


async def add_lists(conn: Connection, rows: Sequence[ListRow]) -> None:
    """Keep lists until everything they name has been found."""
    if rows:
        await conn.copy_records_to_table("source_list", records=rows, columns=list(ListRow._fields))


async def check_lists(conn: Connection, before: datetime) -> None:
    """Take from lists that arrived before what has arrived, whatever became of it."""
    await conn.execute(
        """
        UPDATE source_list l SET checked_at = now(), waits = ARRAY(
            SELECT w FROM unnest(l.waits) AS w
            WHERE NOT EXISTS (SELECT 1 FROM event_log e WHERE e.event_id = w
                              AND e.source = l.source AND e.outcome = 'applied')
              AND NOT EXISTS (SELECT 1 FROM event_log e WHERE e.event_id = w
                              AND e.source = l.source AND e.outcome = 'returned')
              AND NOT EXISTS (SELECT 1 FROM set_aside s WHERE s.event_id = w
                              AND s.source = l.source AND s.outcome = 'quarantined')
              AND NOT EXISTS (SELECT 1 FROM set_aside s WHERE s.event_id = w
                              AND s.source = l.source AND s.outcome IN ('held', 'parked'))
            ORDER BY w)
        WHERE l.waits <> '{}' AND l.arrived_at <= $1
        """,
        before,
    )


async def missing_since(conn: Connection) -> dict[str, datetime]:
    """Source -> arrival of its oldest list of which something is missing."""
    rows = await conn.fetch(
        "SELECT source, min(arrived_at) AS since FROM source_list "
        "WHERE waits <> '{}' AND checked_at IS NOT NULL GROUP BY source"
    )
    return {row["source"]: row["since"] for row in rows}


async def missing_ids(conn: Connection, source: str) -> list[asyncpg.Record]:
    """Lists of a source of which something is missing, the oldest first."""
    return await conn.fetch(
        "SELECT id, begins, ends, arrived_at, waits FROM source_list "
        "WHERE source = $1 AND waits <> '{}' AND checked_at IS NOT NULL ORDER BY arrived_at, id",
        source,
    )


async def give_up_ids(conn: Connection, source: str) -> None:
    """A person has dealt with what is missing of a source's lists."""
    await conn.execute(
        "UPDATE source_list SET waits = '{}' "
        "WHERE source = $1 AND waits <> '{}' AND checked_at IS NOT NULL",
        source,
    )


# --- hours --------------------------------------------------------------------------------------


class Watch(NamedTuple):
    """How far the watch has come. `since`: when it began, `awake_since`: without a break."""

    since: datetime
    looked_at: datetime | None
    awake_since: datetime


async def take_watch(conn: Connection) -> Watch | None:
    """Look alone until the end of the transaction; None while another process does."""
    row = await conn.fetchrow(
        "SELECT since, looked_at, awake_since FROM source_watch FOR UPDATE SKIP LOCKED"
    )
    return None if row is None else Watch(*row)


async def wait_for_watch(conn: Connection) -> None:
    """Nobody looks until the end of the transaction; every change of alarms begins so."""
    await conn.execute("SELECT 1 FROM source_watch FOR UPDATE")


async def save_watch(
    conn: Connection, looked_at: datetime, awake_since: datetime, named_before: datetime
) -> None:
    """What was looked at."""
    await conn.execute(
        "UPDATE source_watch SET looked_at = $1, awake_since = $2, named_before = $3",
        looked_at, awake_since, named_before,
    )  # fmt: skip


async def named_before(conn: Connection) -> datetime:
    """Gaps above which a number had arrived by then are named."""
    moment: datetime = await conn.fetchval("SELECT named_before FROM source_watch")
    return moment


async def hear(conn: Connection, since: datetime) -> None:
    """Note the hours in which something was recorded since then, of every source."""
    await conn.execute(
        """
        WITH came AS (
            SELECT source, date_trunc('hour', recorded_at) AS hour, min(recorded_at) AS first,
                   max(recorded_at) AS last
            FROM event_log WHERE recorded_at >= $1 AND source IS NOT NULL GROUP BY 1, 2
        ), hours AS (
            INSERT INTO source_hour (source, hour) SELECT source, hour FROM came
            ON CONFLICT DO NOTHING
        )
        INSERT INTO source_heard AS h (source, first, last)
        SELECT source, min(first), max(last) FROM came GROUP BY source
        ON CONFLICT (source) DO UPDATE SET last = greatest(h.last, excluded.last)
        """,
        since,
    )


async def forget_hours(conn: Connection, before: datetime) -> None:
    """Nobody learns from hours so long ago."""
    await conn.execute("DELETE FROM source_hour WHERE hour < $1", before)


async def heard(conn: Connection) -> dict[str, asyncpg.Record]:
    """Of every source: first and last message, and when its latest list says the next one comes."""
    rows = await conn.fetch(
        """
        SELECT h.source, h.first, h.last, l.next_by FROM source_heard h
        LEFT JOIN LATERAL (SELECT next_by FROM source_list WHERE source = h.source
                           ORDER BY ends DESC LIMIT 1) l ON true
        """
    )
    return {row["source"]: row for row in rows}


async def hours_of(conn: Connection, source: str, since: datetime) -> list[int]:
    """Hours (whole ones since 1970) in which something came of a source, since then."""
    rows = await conn.fetch(
        "SELECT extract(epoch FROM hour)::bigint / 3600 AS hour FROM source_hour "
        "WHERE source = $1 AND hour >= $2",
        source, since,
    )  # fmt: skip
    return [row["hour"] for row in rows]


# --- alarms -------------------------------------------------------------------------------------


class AlarmRow(NamedTuple):
    """What is wrong with a source, in the order of COPY's columns."""

    id: UUID
    source: str
    kind: AlarmKind
    why: str
    since: datetime


async def open_alarms(conn: Connection, source: str | None = None) -> list[AlarmRow]:
    """The open alarms of one source or of all, by source."""
    rows = await conn.fetch(
        "SELECT id, source, kind, why, since FROM source_alarm "
        "WHERE closed_at IS NULL AND ($1::text IS NULL OR source = $1) ORDER BY source, kind",
        source,
    )
    return [AlarmRow(UUID(bytes=row["id"].bytes), *list(row)[1:]) for row in rows]


async def add_alarms(conn: Connection, rows: Sequence[AlarmRow]) -> None:
    """Open alarms; the caller holds the watch, so nobody else opens the same."""
    await conn.copy_records_to_table("source_alarm", records=rows, columns=list(AlarmRow._fields))


async def close_alarms(conn: Connection, ids: Sequence[UUID], how: str) -> None:
    """Close alarms."""
    await conn.execute(
        "UPDATE source_alarm SET closed_at = now(), closed_how = $2 "
        "WHERE id = ANY($1::uuid[]) AND closed_at IS NULL",
        list(ids), how,
    )  # fmt: skip


async def alarm(conn: Connection, item: UUID) -> asyncpg.Record | None:
    """One alarm, whether open or not."""
    return await conn.fetchrow(
        "SELECT id, source, kind, why, since, closed_at FROM source_alarm WHERE id = $1", item
    )
