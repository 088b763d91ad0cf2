"""Taking again what was set aside, from its own row, with its first receipt time.

One transaction of a person's act: what was parked is applied in the order it came, its rows in
the event log take their new outcome and answers, and the answers leave through the outbox.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import asyncpg

from shared import store
from shared.database import Connection
from shared.errors import RejectedError
from shared.inbox import Inbox, Incoming, Outcome, Raw, Unreadable
from shared.store import LogRow, Outgoing

E = TypeVar("E")

Reopen = Callable[[asyncpg.Record], Raw]
InboxFor = Callable[[asyncpg.Record], Inbox[Any]]
Closed = Callable[[UUID], Sequence[Outgoing]]


class Redriven(NamedTuple):
    """How many messages were applied."""

    applied: int


async def redrive_key(
    tx: Connection, inbox_for: InboxFor, key: str, reopen: Reopen, closed: Closed
) -> Redriven:
    """Apply everything parked under a key, oldest first, then let the key go.

    `inbox_for` gives the inbox of a row by its topic: a key may be parked on several.
    Raises what the handler raises (the caller rolls back and counts the attempt) and
    `RejectedError` for a message that still cannot be read.
    """
    rows = await store.parked_events(tx, key)
    for row in rows:
        await _again(tx, inbox_for(row), row, reopen(row), closed, item=row["item"], parked=True)
    await store.unpark(tx, key)
    return Redriven(len(rows))


async def redrive_item(
    tx: Connection, inbox: Inbox[E], row: asyncpg.Record, reopen: Reopen, closed: Closed
) -> Redriven:
    """Apply one quarantined message; `row` is `store.set_aside_item`'s."""
    await _again(tx, inbox, row, reopen(row), closed, item=row["id"], parked=False)
    return Redriven(1)


async def _again(
    tx: Connection,
    inbox: Inbox[E],
    row: asyncpg.Record,
    raw: Raw,
    closed: Closed,
    *,
    item: UUID,
    parked: bool,
) -> None:
    message = inbox.read(raw)
    if isinstance(message, Unreadable):
        raise RejectedError(message.reason, message.mend)
    message = message._replace(received_at=min(message.received_at, row["received_at"]))
    outcome = await _outcome(tx, inbox, message)
    if outcome.kind == "quarantined" and parked:
        await _quarantine(tx, inbox, row, message, outcome, closed)
        return
    if outcome.kind in ("quarantined", "parked"):
        raise RejectedError(outcome.reason or outcome.kind, outcome.mend or "")
    await store.settle(
        tx,
        LogRow(
            row["door"], row["partition"], row["offset"], outcome.kind, message.source, message.id,
            message.key, "re-driven", outcome.received_at or message.received_at, outcome.body,
            outcome.answers,
        ),
    )  # fmt: skip
    await store.close_set_aside(tx, [item], "re-driven")
    await store.add_outbox(tx, [*outcome.answers, *closed(item)])


async def _quarantine(
    tx: Connection,
    inbox: Inbox[E],
    row: asyncpg.Record,
    message: Incoming[E],
    outcome: Outcome,
    closed: Closed,
) -> None:
    """What waited turns out to be refused (an id used for other content): a new item tells so.

    The others behind the key go on all the same.
    """
    aside = inbox.refused(message, outcome)
    (stored,) = await inbox.set_aside(tx, [aside])
    await store.set_aside_anew(tx, row["item"], aside.item, aside.reason)
    await store.settle(
        tx,
        LogRow(
            row["door"], row["partition"], row["offset"], "quarantined", message.source,
            message.id, message.key, aside.reason, aside.received_at, stored.body, stored.answers,
        ),
    )  # fmt: skip
    await store.add_outbox(tx, [*stored.answers, *closed(row["item"])])


async def _outcome(tx: Connection, inbox: Inbox[Any], message: Incoming[Any]) -> Outcome:
    before = await store.applied_before(tx, [(message.source, message.id)])
    if before:
        return (await inbox.repeat(tx, [(message, before[message.source, message.id])]))[0]
    return (await inbox.apply(tx, [message]))[0]
