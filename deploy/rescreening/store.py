"""All SQL of deciding stored cases anew: read in one snapshot by several connections at once."""

import contextlib
from collections.abc import AsyncIterator
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple
from uuid import UUID

import asyncpg

SESSION = {
    "timezone": "UTC",
    "jit": "off",
    "application_name": "luotsi-rules",
    "search_path": "routing",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "work_mem": "128MB",  # so that the cases of a part are joined without files
}
ROWS_AT_ONCE = 2000

# Whose notifications all turned out to be another child's, or who is joined to another, has no
# case of their own just now.
_OWN = """
    c.first_at <= c.last_at AND NOT EXISTS (
        SELECT 1 FROM child_join j WHERE j.child = c.child AND j.joined_to IS NOT NULL)
"""


class Part(NamedTuple):
    """A share of all children, by their random ids: from `first` to `last`, both included."""

    first: UUID
    last: UUID


class CaseCounts(NamedTuple):
    """How many cases there are, how many of them count, and the times of the first and the last."""

    all: int
    own: int
    first_at: datetime | None
    last_at: datetime | None


def parts(count: int) -> list[Part]:
    """All children in so many equal shares."""
    limits = [(place << 128) // count for place in range(count + 1)]
    return [Part(UUID(int=low), UUID(int=high - 1)) for low, high in pairwise(limits)]


async def connect(url: str) -> asyncpg.Connection:
    """A connection without time limits; raises what asyncpg raises."""
    return await asyncpg.connect(url, timeout=10, server_settings=SESSION)


@contextlib.asynccontextmanager
async def snapshot(conn: asyncpg.Connection) -> AsyncIterator[str]:
    """All that is read within is of one moment; gives the name by which others see the same."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        yield str(await conn.fetchval("SELECT pg_export_snapshot()"))


@contextlib.asynccontextmanager
async def same_snapshot(conn: asyncpg.Connection, name: str) -> AsyncIterator[None]:
    """What another connection sees, while that one still looks."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        await conn.execute(f"SET TRANSACTION SNAPSHOT '{name}'")
        yield


async def count_cases(conn: asyncpg.Connection) -> CaseCounts:
    """Cases of the snapshot."""
    row = await conn.fetchrow(
        f"""
        SELECT count(*) AS all, count(*) FILTER (WHERE {_OWN}) AS own,
               min(c.first_at) FILTER (WHERE {_OWN}) AS first_at,
               max(c.last_at) FILTER (WHERE {_OWN}) AS last_at
        FROM child_case c
        """  # noqa: S608 -- a constant of this file
    )
    assert row is not None  # noqa: S101 -- an aggregate has a row
    return CaseCounts(**dict(row))


async def count_decisions(conn: asyncpg.Connection) -> int:
    """Every decision of every case."""
    return int(await conn.fetchval("SELECT count(*) FROM decision"))


async def versions(conn: asyncpg.Connection) -> list[str]:
    """The versions that stored decisions were made with."""
    rows = await conn.fetch("SELECT DISTINCT rules FROM decision ORDER BY rules")
    return [row["rules"] for row in rows]


async def proposals(conn: asyncpg.Connection) -> dict[tuple[str, str], int]:
    """How many stored proposals there are, by destination and state."""
    rows = await conn.fetch(
        "SELECT destination, state, count(*) AS n FROM proposal GROUP BY destination, state"
    )
    return {(row["destination"], row["state"]): row["n"] for row in rows}


async def newest(conn: asyncpg.Connection, part: Part) -> AsyncIterator[list[asyncpg.Record]]:
    """(mark, child, rules, facts) of the newest decision of each case, some at a time."""
    cursor = await conn.cursor(
        f"""
        SELECT c.mark, c.child, d.rules, d.facts
        FROM child_case c JOIN decision d ON d.child = c.child AND d.seq = c.decision_seq
        WHERE c.child BETWEEN $1 AND $2 AND d.child BETWEEN $1 AND $2 AND {_OWN}
        """,  # noqa: S608 -- a constant of this file
        *part,
    )
    while found := await cursor.fetch(ROWS_AT_ONCE):
        yield found


async def decisions(conn: asyncpg.Connection, part: Part) -> AsyncIterator[list[asyncpg.Record]]:
    """Every stored decision, some at a time; first its child, number and time."""
    cursor = await conn.cursor(
        """
        SELECT child, seq, decided_at, facts, rows, urgent_flags, level, holder, destinations,
               rules, rules_hash
        FROM decision WHERE child BETWEEN $1 AND $2
        """,
        *part,
    )
    while found := await cursor.fetch(ROWS_AT_ONCE):
        yield found
