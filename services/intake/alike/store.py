"""SQL of children who may be one: their traits, whom they are joined to, who was told apart."""

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg

from shared.database import Connection

Row = asyncpg.Record
OF_ONE_TRAIT = 200  # others who are looked at: a name that thousands share tells nobody apart


class TraitRow(NamedTuple):
    """A trait of a child: its kind's number, and the first 64 bits of its keyed hash."""

    child: UUID
    kind: int
    hash: int


async def add_new_traits(conn: Connection, traits: Collection[TraitRow]) -> None:
    """Keep traits of children whom this transaction has made: a third cheaper than the other."""
    if traits:
        await conn.copy_records_to_table(
            "child_trait", records=sorted(traits), columns=list(TraitRow._fields)
        )


async def add_traits(conn: Connection, traits: Collection[TraitRow]) -> None:
    """Keep traits of any children; those that are there stay. In key order, against deadlocks."""
    if traits:
        await conn.execute(
            "INSERT INTO child_trait (child, kind, hash) "
            "SELECT * FROM unnest($1::uuid[], $2::smallint[], $3::bigint[]) "
            "ON CONFLICT DO NOTHING",
            *zip(*sorted(traits, key=lambda t: (t.child, t.hash)), strict=True),
        )


async def forget_traits(conn: Connection, children: Collection[UUID], kinds: Sequence[int]) -> None:
    """Let go of what was kept of these kinds."""
    if children:
        await conn.execute(
            "DELETE FROM child_trait WHERE child = ANY($1::uuid[]) AND kind = ANY($2::smallint[])",
            sorted(children), kinds,
        )  # fmt: skip


async def everybody(conn: Connection, children: Collection[UUID]) -> list[Row]:
    """Everybody in the same case as one of these: root (who has the case), child, provisional."""
    return await conn.fetch(
        """
        WITH RECURSIVE up AS (
            SELECT id, joined_to FROM child WHERE id = ANY($1::uuid[])
            UNION SELECT c.id, c.joined_to FROM up JOIN child c ON c.id = up.joined_to),
        down AS (
            SELECT id AS root, id AS child FROM up WHERE joined_to IS NULL
            UNION SELECT d.root, c.id FROM down d JOIN child c ON c.joined_to = d.child)
        SELECT d.root, d.child, c.provisional FROM down d JOIN child c ON c.id = d.child
        """,
        children,
    )


async def with_kinds(
    conn: Connection, children: Collection[UUID], kinds: Sequence[int]
) -> set[UUID]:
    """Which of these children have a trait of one of these kinds."""
    rows = await conn.fetch(
        "SELECT DISTINCT child FROM child_trait "
        "WHERE child = ANY($1::uuid[]) AND kind = ANY($2::smallint[])",
        children, kinds,
    )  # fmt: skip
    return {row["child"] for row in rows}


async def sharing(conn: Connection, children: Collection[UUID]) -> list[Row]:
    """Other children who share traits with these: child, kind, how many."""
    return await conn.fetch(
        """
        SELECT other.child, other.kind, count(*) AS number
        FROM (SELECT DISTINCT hash FROM child_trait WHERE child = ANY($1::uuid[])) own
        CROSS JOIN LATERAL (
            SELECT t.child, t.kind FROM child_trait t
            WHERE t.hash = own.hash AND t.child <> ALL($1::uuid[]) LIMIT $2) other
        GROUP BY other.child, other.kind
        """,
        children, OF_ONE_TRAIT,
    )  # fmt: skip


async def set_apart(conn: Connection, child: UUID, others: Iterable[UUID]) -> None:
    """A worker has said that the child is none of these."""
    pairs = sorted({(min(child, other), max(child, other)) for other in others if other != child})
    await conn.execute(
        "INSERT INTO child_apart (one, other) SELECT * FROM unnest($1::uuid[], $2::uuid[]) "
        "ON CONFLICT DO NOTHING",
        *zip(*pairs, strict=True),
    )


async def apart_from(conn: Connection, children: Collection[UUID]) -> set[UUID]:
    """Children of whom a worker has said that they are none of these."""
    rows = await conn.fetch(
        "SELECT other AS child FROM child_apart WHERE one = ANY($1::uuid[]) "
        "UNION SELECT one FROM child_apart WHERE other = ANY($1::uuid[])",
        children,
    )
    return {row["child"] for row in rows}
