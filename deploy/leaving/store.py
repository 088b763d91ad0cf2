"""All SQL of the export: every table of every service, read in one snapshot."""

import contextlib
from collections.abc import AsyncIterator
from typing import NamedTuple

import asyncpg

from shared import store as plumbing
from shared.migrate import SERVICES

SESSION = {
    "timezone": "UTC",
    "jit": "off",
    "application_name": "luotsi-export",
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
}
ROWS_AT_ONCE = 50  # a message has at most 1 MB
LARGE = frozenset({"attachment"})  # up to 10 MB a row: one at a time


class Table(NamedTuple):
    """A table; `place` and `order` are quoted for SQL, `order` by its primary key."""

    schema: str
    name: str
    place: str
    order: str


async def connect(url: str) -> asyncpg.Connection:
    """A connection without time limits; raises what asyncpg raises."""
    return await asyncpg.connect(url, timeout=10, server_settings=SESSION)


async def note(conn: asyncpg.Connection, by: str, why: str) -> None:
    """One audit row for each service, all or none."""
    async with conn.transaction():
        for schema in SERVICES:
            await conn.execute("SELECT set_config('search_path', $1, true)", schema)
            await plumbing.add_audit(conn, [(by, "export", "everything", "county-leaves", why)])


@contextlib.asynccontextmanager
async def snapshot(conn: asyncpg.Connection) -> AsyncIterator[None]:
    """All that is read within is of one moment; nothing can be changed."""
    async with conn.transaction(isolation="repeatable_read", readonly=True):
        yield


async def tables(conn: asyncpg.Connection) -> list[Table]:
    """Every table of the services, whatever migrations have made."""
    rows = await conn.fetch(
        """
        SELECT n.nspname AS schema, c.relname AS name,
               format('%I.%I', n.nspname, c.relname) AS place,
               coalesce((
                   SELECT string_agg('t.' || quote_ident(a.attname), ', '
                                     ORDER BY array_position(i.indkey::int[], a.attnum::int))
                   FROM pg_index i
                   JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
                   WHERE i.indrelid = c.oid AND i.indisprimary
               ), '1') AS "order"
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY ($1::text[]) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
        ORDER BY n.nspname, c.relname
        """,
        list(SERVICES),
    )
    return [Table(**dict(row)) for row in rows]


async def count(conn: asyncpg.Connection, table: Table) -> int:
    """How many rows there are."""
    return int(await conn.fetchval(f"SELECT count(*) FROM {table.place}"))  # noqa: S608 -- quoted by PostgreSQL


async def rows(conn: asyncpg.Connection, table: Table) -> AsyncIterator[list[asyncpg.Record]]:
    """All rows by a server-side cursor, some at a time.

    A row of an event log also has its door's group and topic, and the item of what was set aside.
    """
    if table.name == "event_log":
        query = (
            f"SELECT t.*, d.grp, d.topic, s.id AS item FROM {table.place} t "  # noqa: S608 -- same
            f"LEFT JOIN {table.schema}.door d ON d.id = t.door "
            f'LEFT JOIN {table.schema}.set_aside s ON (s.door, s.partition, s."offset") = '
            f'(t.door, t.partition, t."offset") ORDER BY {table.order}'
        )  # fmt: skip
    else:
        query = f"SELECT t.* FROM {table.place} t ORDER BY {table.order}"  # noqa: S608 -- same
    at_once = 1 if table.name in LARGE else ROWS_AT_ONCE
    cursor = await conn.cursor(query)
    while found := await cursor.fetch(at_once):
        yield found
