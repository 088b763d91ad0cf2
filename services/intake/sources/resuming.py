"""A source goes on: what was held of it is applied in the order it came, then it is open.

A slice is one transaction. Whoever dies in the middle of one has done nothing of it, and the next
process to look goes on there: the state stands in the database.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from services.intake.handlers import closed
from services.intake.internal import inbox_of, reopened
from services.intake.sources import store
from shared import store as plumbing
from shared.database import Connection, Pool
from shared.errors import OUTAGES, RACES
from shared.events import Message
from shared.inbox import Inbox
from shared.logs import log
from shared.redrive import park_held, resume_held
from shared.sealing import Sealer, UnreadableError
from shared.service import Process
from shared.store import LogRow, Outgoing

SLICE = 50  # messages to a transaction, some 0.2 s
LOOK_EVERY_S = 1.0


def resume_sources(sealer: Sealer, inbox: Inbox[Message]) -> Callable[[Process], Awaitable[None]]:
    """A loop of the intake process. Several may run: each source is worked on by one at a time."""

    async def loop(process: Process) -> None:
        while True:
            try:
                while await resume_slice(process.pool, sealer, inbox):
                    pass
            except RACES as error:
                log.info("resuming_raced", error=error)
                continue
            await asyncio.sleep(LOOK_EVERY_S)

    return loop


async def resume_slice(pool: Pool, sealer: Sealer, inbox: Inbox[Message]) -> bool:
    """Apply the next held messages of a source, or open it; False when there is nothing to do now.

    Raises `OUTAGES` and `RACES`; then nothing of the slice has been done.
    """
    async with pool.acquire() as tx, tx.transaction():
        source = await store.take_resuming(tx)
        if source is None:
            return False
        held = await store.held_messages(tx, source, SLICE)
        if not held:
            opened = await store.open_if_nothing_is_held(tx, source)
            if opened:
                log.info("source_open")
            return opened
        await sealer.load(tx, [row["item"] for row in held])
        for row in held:
            await _resume_one(tx, sealer, inbox, row)
        await store.stepped(tx, source)
    return True


async def _resume_one(tx: Connection, sealer: Sealer, inbox: Inbox[Message], row: Any) -> None:
    """One held message; whatever is wrong with it stops no other."""

    def told(how: str) -> Callable[[UUID], Sequence[Outgoing]]:
        return lambda item: [closed(item, how, row["received_at"])]

    door, again = inbox_of(inbox, row), partial(reopened, sealer)
    try:
        async with tx.transaction():
            await resume_held(tx, door, row, again, told("resumed"))
    except (*OUTAGES, *RACES):
        raise
    except UnreadableError:
        await _erased(tx, row, told("erased"))
    except Exception as error:  # noqa: BLE001 -- our own bug: kept, and in front of a person
        log.error("event_parked", topic=row["topic"], item_id=str(row["item"]), error=error)
        await park_held(tx, door, row, again, told("parked"), error)


async def _erased(tx: Connection, row: Any, told: Callable[[UUID], Sequence[Outgoing]]) -> None:
    """Its key has been destroyed while it was held: there is nothing left to apply."""
    log.warning("held_erased", item_id=str(row["item"]))
    await plumbing.settle(
        tx,
        LogRow(
            row["door"], row["partition"], row["offset"], "quarantined", row["source"],
            row["event_id"], row["key"], "erased", row["received_at"], None, (),
        ),
    )  # fmt: skip
    await plumbing.close_set_aside(tx, [row["item"]], "erased")
    await plumbing.add_outbox(tx, told(row["item"]))
