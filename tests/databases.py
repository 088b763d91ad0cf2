"""Databases that tests use one after the other: a used one is emptied, not dropped.

A database is some 650 files. Making and dropping one for each of hundreds of tests takes a file
system longer and longer: ext4 looks at every recently deleted file before it makes a new one.
"""

import asyncio
from secrets import token_hex

import asyncpg

from deploy.local.databases import create_database, drop_database
from deploy.local.postgres import ExistingPostgres, PostgresServer

_OURS = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"

# All that a test may have changed besides rows. Of tables that hold rows from the start, those too.
_LOOK = f"""
WITH ours AS (
    SELECT c.* FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_OURS})
SELECT md5(string_agg(line, chr(10) ORDER BY line)) FROM (
    SELECT concat_ws(' ', oid::regclass, relkind, relowner, relacl, reloptions) FROM ours
    UNION ALL
    SELECT concat_ws(' ', c.oid::regclass, a.attname, a.atttypid, a.attnotnull, a.attacl,
                     pg_get_expr(d.adbin, d.adrelid))
    FROM ours c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    UNION ALL
    SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(k.oid))
    FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE {_OURS}
    UNION ALL
    SELECT concat_ws(' ', tgrelid::regclass, tgname, tgenabled)
    FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM ours) AND NOT tgisinternal
    UNION ALL
    SELECT concat_ws(' ', p.oid::regprocedure, p.proacl, md5(p.prosrc))
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE {_OURS}
    UNION ALL
    SELECT concat_ws(' ', n.nspname, n.nspowner, n.nspacl) FROM pg_namespace n WHERE {_OURS}
    UNION ALL
    SELECT concat_ws(' ', setrole, setconfig) FROM pg_db_role_setting
    WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
) AS t (line)
"""  # noqa: S608
_WRITTEN = f"""
SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND pg_relation_size(c.oid) > 0 AND {_OURS}
"""  # noqa: S608
_BEGIN_AGAIN = """
SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
FROM pg_sequences WHERE last_value IS NOT NULL
"""
_THROW_OUT = """
SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_TRIES = 500  # a hundredth of a second apart


class Databases:
    """Databases like a template, each used by one test at a time."""

    def __init__(self, server: PostgresServer | ExistingPostgres, template: str) -> None:
        self._server, self._template = server, template
        self._spare: list[str] = []
        self._seeds: dict[str, str] = {}  # tables that hold rows from the start -> those rows
        self._look = ""

    async def take(self) -> str:
        """The name of an empty database."""
        if self._spare:
            return self._spare.pop()
        name = f"luotsi_test_{token_hex(4)}"
        await create_database(self._server.admin_url, name, self._template)
        if not self._look:
            conn = await asyncpg.connect(self._server.url(name))
            self._look = await conn.fetchval(_LOOK)
            for row in await conn.fetch(_WRITTEN):
                self._seeds[row[0]] = await _rows(conn, row[0])
            await conn.close()
        return name

    async def give_back(self, name: str) -> None:
        """Empty a database for the next test, or drop it where more than rows has changed."""
        conn = await asyncpg.connect(self._server.url(name))
        try:
            is_as_before = await _is_alone(conn) and await self._emptied(conn)
        finally:
            await conn.close()
        if is_as_before:
            self._spare.append(name)
        else:
            await drop_database(self._server.admin_url, name)

    async def _emptied(self, conn: asyncpg.Connection) -> bool:
        if await conn.fetchval(_LOOK) != self._look:
            return False
        for table, rows in self._seeds.items():
            if await _rows(conn, table) != rows:
                return False
        written = {row[0] for row in await conn.fetch(_WRITTEN)} - self._seeds.keys()
        async with conn.transaction():
            await conn.execute("SET LOCAL session_replication_role = replica")  # without triggers
            for table in sorted(written):
                await conn.execute(f"DELETE FROM {table}")  # noqa: S608
            await conn.execute(_BEGIN_AGAIN)
        return True


async def _is_alone(conn: asyncpg.Connection) -> bool:
    """Whether nobody else is connected, once they have been thrown out."""
    for _ in range(_TRIES):
        if not await conn.fetchval(_THROW_OUT):
            return True
        await asyncio.sleep(0.01)
    return False


async def _rows(conn: asyncpg.Connection, table: str) -> str:
    rows: str = await conn.fetchval(
        f"SELECT coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '') FROM {table} t"  # noqa: S608
    )
    return rows
