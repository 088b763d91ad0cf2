"""All SQL of intake: children and their lookup hashes, HTTP requests, attachments, marks."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from shared.database import Connection
from shared.store import Known

Row = asyncpg.Record
HTTP_GROUP = "http"


async def match(
    conn: Connection, wanted: Sequence[tuple[bytes, UUID]]
) -> tuple[dict[bytes, UUID], set[UUID]]:
    """The child of each hash; (hash, id to use if it is new) -> (hash -> child, new children).

    Another process may see the same child for the first time at the same moment: the unique hash
    decides, in hash order, and the loser reads what the winner wrote.
    """
    hashes = [digest for digest, _ in wanted]
    found = await _known(conn, hashes)
    missing = sorted((digest, child) for digest, child in wanted if digest not in found)
    if not missing:
        return found, set()
    made = await conn.fetch(
        "INSERT INTO child_lookup (hash, child) SELECT * FROM unnest($1::bytea[], $2::uuid[]) "
        "ON CONFLICT DO NOTHING RETURNING hash, child",
        [digest for digest, _ in missing], [child for _, child in missing],
    )  # fmt: skip
    new = {row["hash"]: row["child"] for row in made}
    lost = [digest for digest, _ in missing if digest not in new]
    return found | new | (await _known(conn, lost) if lost else {}), set(new.values())


async def _known(conn: Connection, hashes: Sequence[bytes]) -> dict[bytes, UUID]:
    rows = await conn.fetch(
        "SELECT l.hash, l.child FROM unnest($1::bytea[]) AS t (hash) "
        "JOIN child_lookup l ON l.hash = t.hash",
        hashes,
    )
    return {row["hash"]: row["child"] for row in rows}


async def add_children(conn: Connection, children: Sequence[tuple[UUID, bool]]) -> None:
    """New children: (id, provisional)."""
    await conn.copy_records_to_table("child", records=children, columns=["id", "provisional"])


async def lock_children(conn: Connection, children: Sequence[UUID]) -> dict[UUID, Row]:
    """These children, locked in key order; unknown ones are left out."""
    rows = await conn.fetch(
        "SELECT id, provisional, created_at, joined_to, joins, identities FROM child "
        "WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE",
        children,
    )
    return {row["id"]: row for row in rows}


async def child_of(conn: Connection, digest: bytes) -> UUID | None:
    """The child a hash leads to."""
    child: UUID | None = await conn.fetchval(
        "SELECT child FROM child_lookup WHERE hash = $1", digest
    )
    return child


async def identify(conn: Connection, child: UUID, digest: bytes) -> int | None:
    """Lead a hash to this child, who is known now; None if it leads to another child already.

    Returns how often somebody has said who the child is.
    """
    made = await conn.fetchval(
        "INSERT INTO child_lookup (hash, child) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1",
        digest, child,
    )  # fmt: skip
    if not made:
        return None
    identities: int = await conn.fetchval(
        "UPDATE child SET provisional = false, identified_at = now(), identities = identities + 1 "
        "WHERE id = $1 RETURNING identities",
        child,
    )
    return identities


async def forget_parent(conn: Connection, child: UUID) -> None:
    """An unborn child was found by the expecting parent's hash: the next one is another child."""
    await conn.execute("DELETE FROM child_lookup WHERE child = $1", child)


# --- children who are one ------------------------------------------------------------------------


async def joined_to(conn: Connection, child: UUID) -> UUID:
    """Whom a child is joined to over all joins; itself where it is not."""
    last: UUID = await conn.fetchval(
        """
        WITH RECURSIVE up AS (
            SELECT id, joined_to FROM child WHERE id = $1
            UNION SELECT c.id, c.joined_to FROM up JOIN child c ON c.id = up.joined_to)
        SELECT id FROM up WHERE joined_to IS NULL
        """,
        child,
    )
    return last


async def join(conn: Connection, child: UUID, to: UUID | None) -> int:
    """Join a locked child to another, or to nobody again; returns how often that was decided."""
    number: int = await conn.fetchval(
        "UPDATE child SET joined_to = $2, joins = joins + 1 WHERE id = $1 RETURNING joins",
        child, to,
    )  # fmt: skip
    return number


async def retire_lookups(conn: Connection, child: UUID) -> None:
    """Nothing leads to this child any more, until `give_back_lookups`."""
    await conn.execute(
        "WITH gone AS (DELETE FROM child_lookup WHERE child = $1 RETURNING child, hash) "
        "INSERT INTO retired_lookup (child, hash) SELECT child, hash FROM gone",
        child,
    )


async def give_back_lookups(conn: Connection, child: UUID) -> None:
    """Undo `retire_lookups`; what leads to another child by now stays so."""
    await conn.execute(
        "WITH back AS (DELETE FROM retired_lookup WHERE child = $1 RETURNING child, hash) "
        "INSERT INTO child_lookup (child, hash) SELECT child, hash FROM back "
        "ON CONFLICT DO NOTHING",
        child,
    )


# --- what was returned to its source --------------------------------------------------------------


async def lock_names(conn: Connection, names: Sequence[tuple[str, str]]) -> None:
    """Take turns over what has these (source, id): nothing but its row says it was returned."""
    await conn.execute(
        "SELECT pg_advisory_xact_lock(hashtext($1), hashtext(name)) "
        "FROM unnest($2::text[]) WITH ORDINALITY AS t (name, place) ORDER BY place",
        "returned", sorted({f"{source}/{ident}" for source, ident in names}),
    )  # fmt: skip


async def returned_before(
    conn: Connection, names: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], list[Known]]:
    """What was returned of these (source, id), the first first."""
    rows = await conn.fetch(
        """
        SELECT e.source, e.event_id, e.door, e.partition, e."offset", e.key, e.received_at,
               e.body, e.answers
        FROM unnest($1::text[], $2::text[]) AS t (source, id)
        JOIN event_log e ON e.event_id = t.id AND e.source = t.source AND e.outcome = 'returned'
        ORDER BY e.recorded_at, e.door, e.partition, e."offset"
        """,
        [source for source, _ in names], [ident for _, ident in names],
    )  # fmt: skip
    found: dict[tuple[str, str], list[Known]] = {}
    for row in rows:
        known = Known(
            row["door"], row["partition"], row["offset"], row["key"], row["received_at"],
            row["body"], row["answers"],
        )  # fmt: skip
        found.setdefault((row["source"], row["event_id"]), []).append(known)
    return found


# --- what a source asks about its messages -------------------------------------------------------


async def arrivals(conn: Connection, source: str, event_id: str) -> list[asyncpg.Record]:
    """What arrived under a source's id, the first first: applied, returned, and set aside.

    A repeat changes nothing and is not told of. What was parked and has been applied since is told
    of as applied.
    """
    return await conn.fetch(
        """
        SELECT e.outcome, NULL::uuid AS item, e.received_at, e.recorded_at AS at,
               NULL::timestamptz AS closed_at, e.answers
        FROM event_log e
        WHERE e.event_id = $2 AND e.source = $1 AND e.outcome = 'applied'
        UNION ALL
        SELECT e.outcome, NULL, e.received_at, e.recorded_at, NULL, e.answers
        FROM event_log e
        WHERE e.event_id = $2 AND e.source = $1 AND e.outcome = 'returned'
        UNION ALL
        SELECT s.outcome, s.id, s.received_at, s.opened_at, s.closed_at, e.answers
        FROM set_aside s
        JOIN event_log e ON (e.door, e.partition, e."offset") = (s.door, s.partition, s."offset")
        WHERE s.event_id = $2 AND s.source = $1
          AND (s.outcome = 'quarantined' OR s.closed_at IS NULL)
          AND e.outcome NOT IN ('applied', 'returned')
        ORDER BY at
        """,
        source, event_id,
    )  # fmt: skip


# --- HTTP ----------------------------------------------------------------------------------------


async def take_request(conn: Connection, source: str) -> int:
    """Count one request in and give it its number (the log row's offset)."""
    number = await conn.fetchval(
        "INSERT INTO http_request (source) VALUES ($1) RETURNING id", source
    )
    return int(number)


async def http_unaccounted(conn: Connection, door: int) -> int:
    """I1 for the HTTP door: requests taken in minus rows in the event log."""
    difference = await conn.fetchval(
        "SELECT (SELECT count(*) FROM http_request) "
        "- (SELECT count(*) FROM event_log WHERE door = $1)",
        door,
    )
    return int(difference)


# --- attachments ---------------------------------------------------------------------------------


class NewAttachment(NamedTuple):
    """A sealed file, in the order of COPY's columns. `hash` is keyed, of source and content."""

    id: UUID
    source: str
    hash: bytes
    type: str
    size: int
    received_at: datetime
    sent_at: datetime
    sealed: bytes


async def sent_again(
    conn: Connection, source: str, digest: bytes, now: datetime
) -> asyncpg.Record | None:
    """The file that this source has sent before: id, type. It counts as sent now."""
    return await conn.fetchrow(
        "UPDATE attachment a SET sent_at = $3 WHERE source = $1 AND hash = $2 "
        "AND EXISTS (SELECT 1 FROM keys.data_key k WHERE k.id = a.id) RETURNING id, type",
        source, digest, now,
    )  # fmt: skip


async def add_attachment(conn: Connection, new: NewAttachment) -> None:
    """Keep a file. An erased one of the same content is no longer found by its hash.

    Raises `UniqueViolationError` where the same has come meanwhile.
    """
    await conn.execute(
        "UPDATE attachment a SET hash = NULL WHERE source = $1 AND hash = $2 "
        "AND NOT EXISTS (SELECT 1 FROM keys.data_key k WHERE k.id = a.id)",
        new.source, new.hash,
    )  # fmt: skip
    await conn.copy_records_to_table(
        "attachment", records=[new], columns=list(NewAttachment._fields)
    )


async def attachments(
    conn: Connection, wanted: Sequence[tuple[str, UUID]]
) -> dict[tuple[str, UUID], asyncpg.Record]:
    """Which of (source, id) are there: type, size. Locked, so that none is deleted meanwhile."""
    rows = await conn.fetch(
        """
        SELECT a.source, a.id, a.type, a.size FROM unnest($1::text[], $2::uuid[]) AS t (source, id)
        JOIN attachment a ON a.id = t.id AND a.source = t.source
        ORDER BY a.id FOR UPDATE OF a
        """,
        [source for source, _ in wanted], [ident for _, ident in wanted],
    )  # fmt: skip
    return {(row["source"], row["id"]): row for row in rows}


async def name_attachments(conn: Connection, named: Sequence[tuple[UUID, UUID]]) -> None:
    """Accepted messages name these files: (attachment, receipt id)."""
    await conn.execute(
        """
        UPDATE attachment a SET messages = a.messages || t.messages
        FROM (SELECT id, array_agg(message) FROM unnest($1::uuid[], $2::uuid[]) AS u (id, message)
              GROUP BY id) AS t (id, messages)
        WHERE a.id = t.id
        """,
        *zip(*named, strict=True),
    )


async def attachment_of(conn: Connection, message: UUID, ident: UUID) -> asyncpg.Record | None:
    """A file that the accepted message names, sealed."""
    return await conn.fetchrow(
        "SELECT sealed FROM attachment WHERE id = $1 AND messages @> ARRAY[$2::uuid]",
        ident, message,
    )  # fmt: skip


async def delete_unnamed_attachments(conn: Connection, sent_before: datetime) -> int:
    """Delete files that no accepted message has named; their keys stay (erasure alone deletes)."""
    rows = await conn.fetch(
        "DELETE FROM attachment WHERE messages = '{}' AND sent_at < $1 RETURNING 1", sent_before
    )
    return len(rows)


# --- messages marked urgent ----------------------------------------------------------------------


class UrgentRow(NamedTuple):
    """A message whose sender marks immediate danger: its item, its place, its sealed original."""

    item: UUID
    door: int | None
    partition: int
    offset: int
    received_at: datetime
    body: bytes


async def known_urgent(conn: Connection, items: Sequence[UUID]) -> set[UUID]:
    """Which of these items' messages are kept already."""
    rows = await conn.fetch("SELECT item FROM urgent_message WHERE item = ANY($1::uuid[])", items)
    return {UUID(bytes=row["item"].bytes) for row in rows}


async def add_urgent(conn: Connection, rows: Sequence[UrgentRow]) -> list[UUID]:
    """Keep marked messages; returns the items of those that nobody else has kept meanwhile."""
    if not rows:
        return []
    made = await conn.fetch(
        """
        INSERT INTO urgent_message (item, door, partition, "offset", received_at, body)
        SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::int[], $4::bigint[],
                             $5::timestamptz[], $6::bytea[])
        ON CONFLICT DO NOTHING RETURNING item
        """,
        *zip(*sorted(rows), strict=True),
    )
    return [UUID(bytes=row["item"].bytes) for row in made]


async def urgent_taken(conn: Connection, items: Sequence[UUID]) -> None:
    """The turn of these messages has come."""
    await conn.execute(
        "UPDATE urgent_message SET taken_at = now() "
        "WHERE item = ANY($1::uuid[]) AND taken_at IS NULL",
        items,
    )


async def urgent_message(conn: Connection, item: UUID) -> asyncpg.Record | None:
    """One marked message."""
    return await conn.fetchrow(
        "SELECT item, received_at, taken_at, body FROM urgent_message WHERE item = $1", item
    )


async def forget_urgent(conn: Connection, before: datetime) -> int:
    """Let go of second originals of messages whose turn came before this time; says how many."""
    rows = await conn.fetch(
        "UPDATE urgent_message SET body = NULL WHERE taken_at < $1 AND body IS NOT NULL "
        "RETURNING 1",
        before,
    )
    return len(rows)


# --- the client feed -----------------------------------------------------------------------------


async def lock_references(
    conn: Connection, hashes: Sequence[bytes]
) -> dict[bytes, tuple[UUID | None, int]]:
    """Whom each of these references meant last, and its version (-1: never said), locked."""
    wanted = sorted(set(hashes))
    await conn.execute(
        "INSERT INTO client_reference (hash, version) SELECT h, -1 FROM unnest($1::bytea[]) AS h "
        "ON CONFLICT DO NOTHING",
        wanted,
    )
    rows = await conn.fetch(
        "SELECT hash, child, version FROM client_reference WHERE hash = ANY($1::bytea[]) "
        "ORDER BY hash FOR UPDATE",
        wanted,
    )
    return {row["hash"]: (row["child"], row["version"]) for row in rows}


async def save_references(conn: Connection, said: Sequence[tuple[bytes, UUID, int]]) -> None:
    """Keep whom locked references mean now: (hash, child, version)."""
    await conn.executemany(
        "UPDATE client_reference SET child = $2, version = $3 WHERE hash = $1", said
    )


async def households(conn: Connection, wanted: Sequence[tuple[bytes, UUID]]) -> dict[bytes, UUID]:
    """The random id of each household; (hash, id to use if it is new)."""
    columns = list(zip(*sorted(wanted), strict=True))
    await conn.execute(
        "INSERT INTO household_lookup (hash, household) "
        "SELECT * FROM unnest($1::bytea[], $2::uuid[]) ON CONFLICT DO NOTHING",
        *columns,
    )
    rows = await conn.fetch(
        "SELECT hash, household FROM household_lookup WHERE hash = ANY($1::bytea[])", columns[0]
    )
    return {row["hash"]: row["household"] for row in rows}


# --- the directory feed --------------------------------------------------------------------------


async def directory_entries(
    conn: Connection, wanted: Sequence[tuple[bytes, UUID]]
) -> tuple[dict[bytes, UUID], set[UUID]]:
    """The random id of each entry; (hash, id to use if it is new) -> (hash -> id, new ids)."""
    columns = list(zip(*sorted(wanted), strict=True))
    made = await conn.fetch(
        "INSERT INTO directory_lookup (hash, entry) "
        "SELECT * FROM unnest($1::bytea[], $2::uuid[]) ON CONFLICT DO NOTHING RETURNING entry",
        *columns,
    )
    rows = await conn.fetch(
        "SELECT hash, entry FROM directory_lookup WHERE hash = ANY($1::bytea[])", columns[0]
    )
    return {row["hash"]: row["entry"] for row in rows}, {row["entry"] for row in made}
