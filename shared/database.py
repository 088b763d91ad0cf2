"""The pool: one role and one schema per service, UTC, short timeouts."""

import asyncio
from typing import TYPE_CHECKING, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from shared.errors import OUTAGES
from shared.logs import log

if TYPE_CHECKING:
    Pool: TypeAlias = asyncpg.Pool[asyncpg.Record]
    Connection: TypeAlias = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
else:  # asyncpg's classes take no parameters at run time
    Pool = asyncpg.Pool
    Connection = asyncpg.Connection | PoolConnectionProxy

SESSION = {
    "timezone": "UTC",
    "jit": "off",
    "lock_timeout": "10s",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "15s",
}


async def open_pool(url: str, schema: str, *, size: int = 8) -> Pool:
    """A pool whose every connection sees `schema` only; raises what asyncpg raises."""
    return await asyncpg.create_pool(
        url,
        min_size=1,
        max_size=size,
        timeout=5,
        command_timeout=60,
        server_settings={**SESSION, "search_path": schema, "application_name": f"luotsi-{schema}"},
    )


async def open_pool_when_up(url: str, schema: str, *, size: int = 8) -> Pool:
    """As `open_pool`, but waits for a PostgreSQL that is not there yet."""
    wait = 0.2
    while True:
        try:
            return await open_pool(url, schema, size=size)
        except OUTAGES as error:
            log.warning("database_not_reachable", error=error, seconds=wait)
            await asyncio.sleep(wait)
            wait = min(wait * 2, 5.0)
