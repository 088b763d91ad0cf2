"""The relay of the small outbox: what people and timers wrote, lowest id first, then deleted.

One leader per schema (a PostgreSQL advisory lock held by its connection). Order per child holds
because the writers of one child lock its row. Woken by NOTIFY, with a poll of one second behind.
"""

import asyncio
import contextlib

import asyncpg

from shared import store
from shared.database import Pool
from shared.errors import OUTAGES
from shared.logs import log
from shared.publisher import Publisher
from shared.store import Outgoing

BATCH = 500
POLL_SECONDS = 1.0


async def run_relay(pool: Pool, publisher: Publisher, schema: str) -> None:
    """Publish for ever; whatever happens to a server, go on when it is back."""
    while True:
        try:
            async with pool.acquire() as conn:
                await _lead(conn, publisher, schema)
        except OUTAGES as error:
            log.warning("relay_interrupted", error=error)
        except Exception as error:  # noqa: BLE001 -- a relay that ends leaves everything unsaid
            log.error("relay_failed", error=error)
        await asyncio.sleep(POLL_SECONDS)


async def _lead(
    conn: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]", publisher: Publisher, schema: str
) -> None:
    woken = asyncio.Event()

    def wake(*_: object) -> None:
        woken.set()

    while not await store.lead_outbox(conn):
        await asyncio.sleep(POLL_SECONDS)
    await conn.add_listener(f"{schema}_outbox", wake)
    try:
        while True:
            woken.clear()
            while await relay_once(conn, publisher):
                pass
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await woken.wait()
    finally:
        if not conn.is_closed():
            await conn.remove_listener(f"{schema}_outbox", wake)


async def relay_once(
    conn: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]", publisher: Publisher
) -> int:
    """Send the oldest rows and delete them; returns how many."""
    rows = await store.next_outbox(conn, BATCH)
    if rows:
        await publisher.send(
            Outgoing(r["topic"], r["key"], r["event_id"], r["value"]) for r in rows
        )
        await store.delete_outbox(conn, [r["id"] for r in rows])
    return len(rows)
