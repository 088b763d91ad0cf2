"""Taking again what notifications parked, by a person at the command line.

``python -m services.notifications.redrive ITEM --worker ID``: everything that waits behind the
item's key is applied in order, or nothing is. Needs the service's own environment.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from services.notifications.handlers import case_events, signals
from services.notifications.settings import NotificationSettings
from shared import events, store
from shared.clock import Clock, utc_now
from shared.database import Connection, Pool, open_pool
from shared.errors import describe
from shared.events import NoticeEvent
from shared.inbox import Inbox, Raw
from shared.redrive import redrive_key
from shared.sealing import KeyFile
from shared.store import Outgoing


class NotParkedError(Exception):
    """There is no such item, or it is closed already."""


async def redrive(
    pool: Pool, settings: NotificationSettings, item: UUID, worker: str, clock: Clock
) -> int:
    """Apply what waits behind `item`; returns how many messages, raises what the handler raises."""

    def inbox_for(parked: asyncpg.Record) -> Inbox[Any]:
        return _inbox(parked, settings, clock)

    def applied(each: UUID) -> Sequence[Outgoing]:
        told = NoticeEvent(
            id=f"{each}.redriven", about=each, kind="redriven", purpose="receipt",
            received_at=clock(),
        )  # fmt: skip
        value = told.model_dump_json().encode()
        return [Outgoing(events.NOTICE, str(each).encode(), told.id, value)]

    try:
        async with pool.acquire() as tx, tx.transaction():
            row = await _open_item(tx, item)
            await store.add_audit(tx, [(worker, "re-drive", str(item), "set-aside", None)])
            done = await redrive_key(tx, inbox_for, row["key"], _raw, applied)
    except NotParkedError:
        raise
    except Exception as error:
        async with pool.acquire() as conn:
            await store.tried_again(conn, item, describe(error))
        raise
    return done.applied


async def _open_item(tx: Connection, item: UUID) -> asyncpg.Record:
    row = await store.set_aside_item(tx, item)
    if row is None or row["closed_at"] is not None:
        raise NotParkedError("no such item is open")
    return row


def _inbox(row: asyncpg.Record, settings: NotificationSettings, clock: Clock) -> Inbox[Any]:
    if row["topic"] == events.CASE:
        return case_events(clock, settings.not_before)
    return signals(KeyFile(settings.key_file), clock, settings.not_before)


def _raw(row: asyncpg.Record) -> Raw:
    return Raw(row["partition"], row["offset"], row["received_at"], None, (), row["body"])


async def _run(item: UUID, worker: str) -> int:
    settings = NotificationSettings()
    pool = await open_pool(settings.database_url.get_secret_value(), "notifications", size=2)
    try:
        return await redrive(pool, settings, item, worker, utc_now)
    finally:
        await pool.close()


def main() -> None:
    """Re-drive one item and say what was applied."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("item", type=UUID)
    parser.add_argument("--worker", required=True, help="who does this; it is audited")
    arguments = parser.parse_args()
    try:
        applied = asyncio.run(_run(arguments.item, arguments.worker))
    except Exception as error:  # noqa: BLE001 -- one clear line, never a person's data
        sys.exit(f"Not applied: {describe(error)}. Nothing has changed; the item stays open.")
    sys.stdout.write(f"{applied} messages applied\n")


if __name__ == "__main__":
    main()
