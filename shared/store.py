"""All SQL of the plumbing: event log, offsets, set-aside rows, outbox, audit, data keys."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from struct import Struct
from typing import Literal, NamedTuple
from uuid import UUID

import asyncpg

from shared.database import Connection
from shared.errors import PartitionLostError

OutcomeKind = Literal["applied", "repeated", "quarantined", "returned", "parked", "held"]


class Outgoing(NamedTuple):
    """One event that leaves: topic without prefix, key, the event's own id, JSON bytes."""

    topic: str
    key: bytes
    id: str
    value: bytes


class LogRow(NamedTuple):
    """One row of the event log, in the order of COPY's columns."""

    door: int
    partition: int
    offset: int
    outcome: OutcomeKind
    source: str | None
    event_id: str | None
    key: str | None
    reason: str | None
    received_at: datetime
    body: bytes | None
    answers: "Sequence[Outgoing]"


LOG_COLUMNS = [
    "door", "partition", "offset", "outcome", "source", "event_id", "key", "reason",
    "received_at", "body", "answers",
]  # fmt: skip


class SetAsideRow(NamedTuple):
    """Something a person must see, in the order of COPY's columns."""

    id: UUID
    door: int
    partition: int
    offset: int
    outcome: Literal["quarantined", "parked", "held"]
    source: str | None
    event_id: str | None
    key: str | None
    reason: str
    error: str | None
    received_at: datetime


SET_ASIDE_COLUMNS = [
    "id", "door", "partition", "offset", "outcome", "source", "event_id", "key", "reason",
    "error", "received_at",
]  # fmt: skip


class Position(NamedTuple):
    """A partition as its new owner finds it.

    Everything below `next_off` is in the log, nothing from `written` on; between them stands what
    was written ahead of messages that wait (`Inbox.apart`).
    """

    epoch: int
    next_off: int
    published: int
    written: int


class Known(NamedTuple):
    """An event applied before: where it lies and what was answered."""

    door: int
    partition: int
    offset: int
    key: str | None
    received_at: datetime
    body: bytes | None
    answers: bytes | None


# --- answers, framed in one column ---------------------------------------------------------------

_FRAME = Struct(">BBHI")  # lengths of topic, id, key, value


def pack(answers: Sequence[Outgoing]) -> bytes | None:
    """Frame the answers of one message; None when there is nothing to say."""
    if not answers:
        return None
    parts = []
    for topic, key, event_id, value in answers:
        name, ident = topic.encode(), event_id.encode()
        parts += [_FRAME.pack(len(name), len(ident), len(key), len(value)), name, ident, key, value]
    return b"".join(parts)


def unpack(framed: bytes | None) -> list[Outgoing]:
    """The answers as they were packed."""
    answers = []
    at = 0
    while framed and at < len(framed):
        name, ident, key, value = _FRAME.unpack_from(framed, at)
        cuts = [at + _FRAME.size]
        for length in (name, ident, key, value):
            cuts.append(cuts[-1] + length)
        parts = [framed[a:b] for a, b in pairwise(cuts)]
        answers.append(Outgoing(parts[0].decode(), parts[2], parts[1].decode(), parts[3]))
        at = cuts[-1]
    return answers


# --- doors, offsets, fencing -------------------------------------------------------------------


async def door(conn: Connection, grp: str, cluster: str, topic: str) -> int:
    """The id of a way in, made at its first use."""
    found = await conn.fetchval(
        "SELECT id FROM door WHERE grp = $1 AND cluster = $2 AND topic = $3", grp, cluster, topic
    )
    if found is None:
        await conn.execute(
            "INSERT INTO door (grp, cluster, topic) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            grp, cluster, topic,
        )  # fmt: skip
        return await door(conn, grp, cluster, topic)
    return int(found)


async def take_partitions(
    conn: Connection, door_id: int, first: Mapping[int, int]
) -> dict[int, Position]:
    """Bump the epoch of partitions (partition -> first offset ever) and say where they stand."""
    rows = await conn.fetch(
        """
        INSERT INTO source_offset AS s (door, partition, first_off, next_off, published, epoch)
        SELECT $1, p, f, f, f, 1 FROM unnest($2::int[], $3::bigint[]) AS t (p, f) ORDER BY p
        ON CONFLICT (door, partition) DO UPDATE SET epoch = s.epoch + 1
        RETURNING partition, epoch, next_off, published
        """,
        door_id, list(first), list(first.values()),
    )  # fmt: skip
    # Asked for once the epochs stand: the owner before us can write nothing more.
    written = await _written(conn, door_id, list(first))
    return {r["partition"]: _position(r, written) for r in rows}


async def positions(
    conn: Connection, door_id: int, partitions: Sequence[int]
) -> dict[int, Position]:
    """Where partitions stand, without taking them."""
    rows = await conn.fetch(
        "SELECT partition, epoch, next_off, published FROM source_offset "
        "WHERE door = $1 AND partition = ANY($2::int[])",
        door_id, partitions,
    )  # fmt: skip
    written = await _written(conn, door_id, partitions)
    return {r["partition"]: _position(r, written) for r in rows}


async def _written(conn: Connection, door_id: int, partitions: Sequence[int]) -> dict[int, int]:
    """The offset behind the last one of each partition that the log has a row of."""
    rows = await conn.fetch(
        """
        SELECT t.part, (SELECT max(e."offset") + 1 FROM event_log e
                        WHERE e.door = $1 AND e.partition = t.part) AS written
        FROM unnest($2::int[]) AS t (part)
        """,
        door_id, partitions,
    )  # fmt: skip
    return {row["part"]: row["written"] or 0 for row in rows}


def _position(row: asyncpg.Record, written: Mapping[int, int]) -> Position:
    next_off = row["next_off"]
    behind = max(next_off, written[row["partition"]])
    return Position(row["epoch"], next_off, row["published"], behind)


async def fence(conn: Connection, door_id: int, marks: Sequence[tuple[int, int, int, int]]) -> None:
    """Move offsets on: (partition, next, published, epoch). A newer epoch: `PartitionLostError`."""
    columns = list(zip(*marks, strict=True))
    moved = await conn.fetch(
        """
        UPDATE source_offset s
        SET next_off = greatest(s.next_off, t.next), published = greatest(s.published, t.pub)
        FROM unnest($2::int[], $3::bigint[], $4::bigint[], $5::int[]) AS t (part, next, pub, epoch)
        WHERE s.door = $1 AND s.partition = t.part AND s.epoch = t.epoch
        RETURNING 1
        """,
        door_id, *columns,
    )  # fmt: skip
    if len(moved) != len(marks):
        raise PartitionLostError("a newer owner has taken the partition")


# --- event log ---------------------------------------------------------------------------------


class Logged(NamedTuple):
    """A record seen before: whose it was and what was answered."""

    source: str | None
    event_id: str | None
    answers: bytes | None


async def logged(
    conn: Connection, door_id: int, places: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], Logged]:
    """Records seen before, by (partition, offset)."""
    rows = await conn.fetch(
        """
        SELECT e.partition, e."offset", e.source, e.event_id, e.answers
        FROM unnest($2::int[], $3::bigint[]) AS t (part, off)
        JOIN event_log e ON e.door = $1 AND e.partition = t.part AND e."offset" = t.off
        """,
        door_id, [p for p, _ in places], [o for _, o in places],
    )  # fmt: skip
    return {
        (r["partition"], r["offset"]): Logged(r["source"], r["event_id"], r["answers"])
        for r in rows
    }


async def applied_before(
    conn: Connection, events: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Known]:
    """Which of (source, event id) were applied before.

    Each is looked up by itself (OFFSET 0 keeps the planner from joining): a young log would be
    read from end to end for every batch, because that is estimated to be as cheap.
    """
    rows = await conn.fetch(
        """
        SELECT e.* FROM unnest($1::text[], $2::text[]) AS t (source, id) CROSS JOIN LATERAL (
            SELECT source, event_id, door, partition, "offset", key, received_at, body, answers
            FROM event_log
            WHERE event_id = t.id AND source = t.source AND outcome = 'applied' OFFSET 0) e
        """,
        [source for source, _ in events], [event_id for _, event_id in events],
    )  # fmt: skip
    return {
        (r["source"], r["event_id"]): Known(
            r["door"], r["partition"], r["offset"], r["key"], r["received_at"], r["body"],
            r["answers"],
        )
        for r in rows
    }  # fmt: skip


async def add_log(conn: Connection, rows: Sequence[LogRow]) -> None:
    """Store the batch's rows, each with its answers in one frame, with one COPY."""
    framed = [(*row[:-1], pack(row.answers)) for row in rows]
    await conn.copy_records_to_table("event_log", records=framed, columns=LOG_COLUMNS)


async def parked_keys(conn: Connection, keys: Sequence[str]) -> set[str]:
    """Which keys are parked. Locked against a re-drive that would un-park them meanwhile.

    Usually none is: then the batch's keys need not be sent to PostgreSQL at all.
    """
    if not await conn.fetchval("SELECT EXISTS (SELECT 1 FROM parked_key)"):
        return set()
    rows = await conn.fetch(
        """
        SELECT p.key FROM unnest($1::text[]) AS t (key) JOIN parked_key p ON p.key = t.key
        ORDER BY p.key FOR KEY SHARE OF p
        """,
        keys,
    )
    return {r["key"] for r in rows}


async def park(conn: Connection, keys: Iterable[str]) -> None:
    """Later events of these keys wait."""
    await conn.execute(
        "INSERT INTO parked_key (key) SELECT DISTINCT k FROM unnest($1::text[]) k ORDER BY k "
        "ON CONFLICT DO NOTHING",
        list(keys),
    )


async def parked_events(conn: Connection, key: str) -> list[asyncpg.Record]:
    """Lock a parked key; its waiting events in the order they came (per partition)."""
    await conn.execute("SELECT 1 FROM parked_key WHERE key = $1 FOR UPDATE", key)
    return await conn.fetch(
        """
        SELECT e.door, e.partition, e."offset", e.body, e.received_at, e.source, s.id AS item,
               d.topic, d.grp
        FROM event_log e
        JOIN set_aside s ON (s.door, s.partition, s."offset") = (e.door, e.partition, e."offset")
        JOIN door d ON d.id = e.door
        WHERE e.key = $1 AND e.outcome = 'parked'
        ORDER BY e.door, e.partition, e."offset"
        """,
        key,
    )


async def unpark(conn: Connection, key: str) -> None:
    """Nothing of this key waits any longer."""
    await conn.execute("DELETE FROM parked_key WHERE key = $1", key)


async def settle(conn: Connection, row: LogRow) -> None:
    """A re-driven event: its row takes the new outcome and answers."""
    await conn.execute(
        """
        UPDATE event_log SET outcome = $4, source = $5, event_id = $6, key = $7, reason = $8,
               received_at = $9, body = coalesce($10, body), answers = $11
        WHERE door = $1 AND partition = $2 AND "offset" = $3
        """,
        *row[:-1], pack(row.answers),
    )  # fmt: skip


class Counted(NamedTuple):
    """A partition's log, counted below `upto`; `accounted` is the same if no record is missing."""

    upto: int
    accounted: int


NOTHING_COUNTED: Mapping[int, Counted] = {}


async def count_log(
    conn: Connection,
    door_id: int,
    upto: Mapping[int, int],
    before: Mapping[int, Counted] = NOTHING_COUNTED,
) -> dict[int, Counted]:
    """For partition -> broker's committed offset: the offset that the log's rows account for.

    That is where consuming began plus the rows below the committed offset, counted by an
    index-only scan; equal to the committed offset when no record is missing. What was counted
    `before` is not counted again, unless the committed offset has gone back since.
    """
    counted = [c if (c := before.get(p)) and c.upto <= to else None for p, to in upto.items()]
    rows = await conn.fetch(
        """
        SELECT t.part, t.upto, coalesce(t.accounted, o.first_off, 0) + (
            SELECT count(*) FROM event_log e
            WHERE e.door = $1 AND e.partition = t.part
              AND e."offset" >= coalesce(t.since, o.first_off, 0) AND e."offset" < t.upto
        ) AS accounted
        FROM unnest($2::int[], $3::bigint[], $4::bigint[], $5::bigint[])
            AS t (part, upto, since, accounted)
        LEFT JOIN source_offset o ON o.door = $1 AND o.partition = t.part
        """,
        door_id, list(upto), list(upto.values()),
        [c and c.upto for c in counted], [c and c.accounted for c in counted],
    )  # fmt: skip
    return {r["part"]: Counted(r["upto"], r["accounted"]) for r in rows}


async def outcomes(conn: Connection) -> list[asyncpg.Record]:
    """The account: rows by door, source and outcome."""
    return await conn.fetch(
        "SELECT d.grp, d.topic, e.source, e.outcome, count(*) AS rows FROM event_log e "
        "JOIN door d ON d.id = e.door GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4"
    )


async def trail(conn: Connection, event_id: str) -> list[asyncpg.Record]:
    """Every row of one event id, or of what began as it: place, time, outcome, no content."""
    return await conn.fetch(
        """
        SELECT d.grp, d.topic, e.partition, e."offset", e.source, e.event_id, e.key, e.outcome,
               e.reason, e.received_at, e.recorded_at
        FROM event_log e JOIN door d ON d.id = e.door
        WHERE e.event_id = $1 OR e.event_id LIKE $2 ORDER BY e.recorded_at LIMIT 100
        """,
        event_id, event_id.replace("%", "").replace("_", r"\_") + ".%",
    )  # fmt: skip


# --- set aside ---------------------------------------------------------------------------------


async def add_set_aside(conn: Connection, rows: Sequence[SetAsideRow]) -> None:
    """Store what a person must see."""
    await conn.copy_records_to_table("set_aside", records=rows, columns=SET_ASIDE_COLUMNS)


async def quarantined_before(
    conn: Connection, events: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], list[asyncpg.Record]]:
    """What was quarantined of (source, id) before its mended resend; locked.

    Closed rows too: the first arrival counts even if a person has dealt with it (design 12).
    """
    if not await conn.fetchval("SELECT EXISTS (SELECT 1 FROM set_aside WHERE event_id <> '')"):
        return {}
    rows = await conn.fetch(
        """
        SELECT s.id, s.source, s.event_id, s.received_at, s.closed_at
        FROM unnest($1::text[], $2::text[]) AS t (source, id)
        JOIN set_aside s ON s.event_id = t.id AND s.source = t.source
        WHERE s.outcome = 'quarantined' AND s.reason <> 'same-id-other-content'
        ORDER BY s.received_at, s.id FOR UPDATE OF s
        """,
        [source for source, _ in events], [event_id for _, event_id in events],
    )  # fmt: skip
    found: dict[tuple[str, str], list[asyncpg.Record]] = {}
    for row in rows:
        found.setdefault((row["source"], row["event_id"]), []).append(row)
    return found


async def close_set_aside(conn: Connection, items: Sequence[UUID], how: str) -> None:
    """Close items; a closed one stays closed as it was."""
    await conn.execute(
        "UPDATE set_aside SET closed_at = now(), closed_how = $2 "
        "WHERE id = ANY($1::uuid[]) AND closed_at IS NULL",
        list(items), how,
    )  # fmt: skip


async def set_aside_item(conn: Connection, item: UUID) -> asyncpg.Record | None:
    """One item with its stored body, locked."""
    return await conn.fetchrow(
        """
        SELECT s.*, e.body, d.topic, d.grp FROM set_aside s
        JOIN event_log e ON (e.door, e.partition, e."offset") = (s.door, s.partition, s."offset")
        JOIN door d ON d.id = s.door
        WHERE s.id = $1 FOR UPDATE OF s
        """,
        item,
    )


async def set_aside_at(conn: Connection, row: LogRow) -> UUID:
    """The item of a row of the event log that was set aside."""
    item: UUID = await conn.fetchval(
        'SELECT id FROM set_aside WHERE (door, partition, "offset") = ($1, $2, $3)',
        row.door, row.partition, row.offset,
    )  # fmt: skip
    return item


async def set_aside_anew(
    conn: Connection,
    item: UUID,
    anew: UUID,
    outcome: Literal["quarantined", "parked", "held"],
    reason: str,
    error: str | None = None,
) -> None:
    """What waited could not be applied: the row becomes that of a new, open item."""
    await conn.execute(
        "UPDATE set_aside SET id = $2, outcome = $3, reason = $4, error = $5, opened_at = now() "
        "WHERE id = $1",
        item, anew, outcome, reason, error,
    )  # fmt: skip


async def tried_again(conn: Connection, item: UUID, error: str) -> None:
    """A re-drive failed: count it."""
    await conn.execute(
        "UPDATE set_aside SET attempts = attempts + 1, error = $2 WHERE id = $1", item, error
    )


async def open_counts(conn: Connection) -> dict[str, int]:
    """How many quarantined, parked and held items are open."""
    rows = await conn.fetch(
        "SELECT outcome, count(*) AS n FROM set_aside WHERE closed_at IS NULL GROUP BY outcome"
    )
    return {r["outcome"]: r["n"] for r in rows}


# --- outbox ------------------------------------------------------------------------------------


async def add_outbox(conn: Connection, outgoing: Sequence[Outgoing]) -> None:
    """What a person's or a timer's transaction has to say; wakes the relay at commit."""
    if not outgoing:
        return
    await conn.execute(
        "INSERT INTO outbox (topic, key, event_id, value) "
        "SELECT * FROM unnest($1::text[], $2::bytea[], $3::text[], $4::bytea[])",
        [o.topic for o in outgoing], [o.key for o in outgoing], [o.id for o in outgoing],
        [o.value for o in outgoing],
    )  # fmt: skip
    await conn.execute("SELECT pg_notify(current_schema() || '_outbox', '')")


async def lead_outbox(conn: Connection) -> bool:
    """Become the one relay of this schema, for as long as the connection lives."""
    leads = await conn.fetchval(
        "SELECT pg_try_advisory_lock(hashtext(current_schema()), hashtext('outbox'))"
    )
    return bool(leads)


async def next_outbox(conn: Connection, limit: int) -> list[asyncpg.Record]:
    """The oldest rows, lowest id first."""
    return await conn.fetch(
        "SELECT id, topic, key, event_id, value FROM outbox ORDER BY id LIMIT $1", limit
    )


async def delete_outbox(conn: Connection, ids: Sequence[int]) -> None:
    """Forget rows that Kafka has acknowledged."""
    await conn.execute("DELETE FROM outbox WHERE id = ANY($1::bigint[])", ids)


async def outbox_state(conn: Connection) -> tuple[int, float]:
    """Rows waiting, and the age of the oldest in seconds."""
    row = await conn.fetchrow(
        "SELECT count(*) AS n, coalesce(extract(epoch FROM now() - min(created_at)), 0) AS age "
        "FROM outbox"
    )
    return (row["n"], float(row["age"])) if row else (0, 0.0)


# --- audit -------------------------------------------------------------------------------------


async def add_audit(
    conn: Connection, entries: Sequence[tuple[str, str, str, str, str | None]]
) -> None:
    """Rows of (actor, act, subject, purpose, detail); subject is an id, detail a code."""
    await conn.copy_records_to_table(
        "audit", records=entries, columns=["actor", "act", "subject", "purpose", "detail"]
    )


# --- data keys ---------------------------------------------------------------------------------


async def data_keys(conn: Connection, ids: Sequence[UUID]) -> list[tuple[UUID, bytes, str]]:
    """Wrapped data keys of those ids that still exist."""
    rows = await conn.fetch(
        "SELECT k.id, k.wrapped, k.kek FROM unnest($1::uuid[]) AS t (id) "
        "JOIN keys.data_key k ON k.id = t.id",
        ids,
    )
    return [(r["id"], r["wrapped"], r["kek"]) for r in rows]


async def add_data_keys(conn: Connection, keys: Sequence[tuple[UUID, bytes, str]]) -> None:
    """Store new keys, in the transaction that stores what they sealed."""
    await conn.copy_records_to_table(
        "data_key", schema_name="keys", records=keys, columns=["id", "wrapped", "kek"]
    )


# --- health ------------------------------------------------------------------------------------


async def schema_head(conn: Connection) -> str | None:
    """The newest migration applied to this service's schema."""
    head = await conn.fetchval("SELECT max(name) FROM migration")
    return None if head is None else str(head)
