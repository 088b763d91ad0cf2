"""SQL of looking back: what stands in cases and what was decided; differences that were found."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

import asyncpg
import orjson

from services.routing.domain.absence import as_matter
from services.routing.domain.facts import Told
from services.routing.domain.hindsight import Noted, Past, TooLight
from shared.database import Connection
from shared.events import CodedFacts

MOST = 100  # past decisions of one child that are looked at, the latest


async def stood(conn: Connection, children: Iterable[UUID], until: datetime) -> set[UUID]:
    """The children of whom something was decided until then."""
    rows = await conn.fetch(
        """
        SELECT t.child FROM unnest($1::uuid[]) AS t (child)
        WHERE EXISTS (SELECT 1 FROM decision d WHERE d.child = t.child AND d.decided_at <= $2)
        """,
        list(children), until,
    )  # fmt: skip
    return {row["child"] for row in rows}


async def noted(conn: Connection, cases: Iterable[UUID]) -> list[Noted]:
    """Every notification of these cases, also those that no longer count."""
    rows = await conn.fetch(
        """
        SELECT id, child, received_at, facts, source, corrects, replaced_by, returned,
               returned IS NULL OR returned = 'matter' OR check_state <> 'not_asked' AS counts
        FROM notification WHERE child = ANY($1::uuid[]) ORDER BY received_at, id
        """,
        list(cases),
    )
    found = []
    for row in rows:
        facts = CodedFacts.model_validate_json(row["facts"])
        if row["returned"] == "matter":
            facts = as_matter(facts)
        told = Told(row["received_at"], facts, row["source"])
        found.append(
            Noted(row["id"], row["child"], told, row["corrects"], row["replaced_by"], row["counts"])
        )
    return found


async def cases_of(conn: Connection, cases: Iterable[UUID]) -> dict[str, UUID]:
    """Whose case has each notification of these cases."""
    rows = await conn.fetch(
        "SELECT id, child FROM notification WHERE child = ANY($1::uuid[])", list(cases)
    )
    return {row["id"]: row["child"] for row in rows}


async def past(conn: Connection, since: Mapping[UUID, datetime], until: datetime) -> list[Past]:
    """Decisions about each child that knew what was received since then, and were made until then.

    Of a decision from before it was kept what it knew, that is when it was made.
    """
    rows = await conn.fetch(
        """
        SELECT d.* FROM unnest($1::uuid[], $2::timestamptz[]) AS t (child, since)
        CROSS JOIN LATERAL (
            SELECT child, seq, coalesce(known_until, decided_at) AS known_until, facts,
                   urgent_flags, level, destinations, rules
            FROM decision e WHERE e.child = t.child AND e.decided_at <= $3
              AND coalesce(e.known_until, e.decided_at) >= t.since
            ORDER BY seq DESC LIMIT $4) d
        ORDER BY d.child, d.seq
        """,
        list(since), list(since.values()), until, MOST,
    )  # fmt: skip
    return [
        Past(
            row["child"], row["seq"], row["known_until"], orjson.loads(row["facts"]),
            tuple(row["urgent_flags"].split()), row["level"],
            tuple(row["destinations"].split()), row["rules"],
        )
        for row in rows
    ]  # fmt: skip


async def keep(conn: Connection, found: Sequence[TooLight]) -> None:
    """Keep what each decision would have been, for the page of its task."""
    await conn.copy_records_to_table(
        "too_light",
        columns=["item", "child", "seq", "urgent_flags", "level", "destinations", "rows"],
        records=[
            (
                each.task.item, each.past.child, each.past.seq,
                " ".join(each.would.urgent_flags), each.would.level,
                " ".join(each.would.destinations), " ".join(each.would.rows),
            )
            for each in found
        ],
    )  # fmt: skip


async def kept(conn: Connection, items: Sequence[UUID]) -> list[asyncpg.Record]:
    """Each decision that these tasks are about, as it was and as it would have been."""
    return await conn.fetch(
        """
        SELECT t.item, d.child, d.seq, d.decided_at, d.level, d.urgent_flags, d.destinations,
               d.rows, d.rules, t.level AS would_level, t.urgent_flags AS would_flags,
               t.destinations AS would_destinations, t.rows AS would_rows
        FROM too_light t JOIN decision d ON d.child = t.child AND d.seq = t.seq
        WHERE t.item = ANY($1::uuid[]) ORDER BY d.decided_at, d.child, d.seq
        """,
        list(items),
    )
