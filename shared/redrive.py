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
from shared.errors import RejectedError, describe
from shared.ids import time_ordered_id
from shared.inbox import (
    WAITS_BEHIND_PARKED,
    Aside,
    AsideKind,
    Inbox,
    Incoming,
    Outcome,
    Raw,
    Unreadable,
)
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


async def resume_held(
    tx: Connection, inbox: Inbox[E], row: asyncpg.Record, reopen: Reopen, closed: Closed
) -> str:
    """Apply one held message as if it came now, with its first receipt time; its new outcome.

    What turns out to be refused, or belongs behind a parked key, becomes a new item: it stops no
    other. Raises what the handler raises (then `park_held`).
    """
    message = inbox.read(reopen(row))
    if isinstance(message, Unreadable):
        return await _anew(tx, inbox, row, inbox.unreadable(message), closed)
    message = _as_received(message, row)
    if await store.parked_keys(tx, [message.key]):
        return await _anew(tx, inbox, row, inbox.parked(message, WAITS_BEHIND_PARKED), closed)
    outcome = await _outcome(tx, inbox, message)
    if outcome.kind == "quarantined":
        return await _anew(tx, inbox, row, inbox.refused(message, outcome), closed)
    if outcome.kind == "parked":
        aside = inbox.parked(message, outcome.reason or "parked")
        return await _anew(tx, inbox, row, aside, closed)
    await _settle(tx, row, message, outcome, "resumed")
    await store.close_set_aside(tx, [row["item"]], "resumed")
    await store.add_outbox(tx, [*outcome.answers, *closed(row["item"])])
    return outcome.kind


async def park_held(
    tx: Connection,
    inbox: Inbox[Any],
    row: asyncpg.Record,
    reopen: Reopen,
    closed: Closed,
    failure: BaseException,
) -> None:
    """A held message at which the handler raised: an engineer has to mend something."""
    aside = Aside(
        time_ordered_id(inbox.clock()), "parked", "handler-failed", "", row["source"],
        row["event_id"], row["key"], row["received_at"], reopen(row),
    )  # fmt: skip
    await _anew(tx, inbox, row, aside, closed, describe(failure))


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
    message = _as_received(message, row)
    outcome = await _outcome(tx, inbox, message)
    if outcome.kind == "quarantined" and parked:
        await _anew(tx, inbox, row, inbox.refused(message, outcome), closed)
        return
    if outcome.kind in ("quarantined", "parked"):
        raise RejectedError(outcome.reason or outcome.kind, outcome.mend or "")
    await _settle(tx, row, message, outcome, "re-driven")
    await store.close_set_aside(tx, [item], "re-driven")
    await store.add_outbox(tx, [*outcome.answers, *closed(item)])


def _as_received(message: Incoming[E], row: asyncpg.Record) -> Incoming[E]:
    """The message with its first receipt time."""
    return message._replace(received_at=min(message.received_at, row["received_at"]))


async def _settle(
    tx: Connection, row: asyncpg.Record, message: Incoming[E], outcome: Outcome, how: str
) -> None:
    await store.settle(
        tx,
        LogRow(
            row["door"], row["partition"], row["offset"], outcome.kind, message.source, message.id,
            message.key, how, outcome.received_at or message.received_at, outcome.body,
            outcome.answers,
        ),
    )  # fmt: skip


async def _anew(
    tx: Connection,
    inbox: Inbox[Any],
    row: asyncpg.Record,
    aside: Aside,
    closed: Closed,
    error: str | None = None,
) -> AsideKind:
    """What waited turns out not to be applicable (an id used for other content): a new item.

    The others that waited with it go on all the same.
    """
    (stored,) = await inbox.set_aside(tx, [aside])
    await store.set_aside_anew(tx, row["item"], aside.item, aside.outcome, aside.reason, error)
    if aside.outcome == "parked":
        await store.park(tx, [aside.key])
    await store.settle(
        tx,
        LogRow(
            row["door"], row["partition"], row["offset"], aside.outcome, aside.source, aside.id,
            aside.key, aside.reason, aside.received_at, stored.body, stored.answers,
        ),
    )  # fmt: skip
    await store.add_outbox(tx, [*stored.answers, *closed(row["item"])])
    return aside.outcome


async def _outcome(tx: Connection, inbox: Inbox[Any], message: Incoming[Any]) -> Outcome:
    before = await store.applied_before(tx, [(message.source, message.id)])
    if before:
        return (await inbox.repeat(tx, [(message, before[message.source, message.id])]))[0]
    return (await inbox.apply(tx, [message]))[0]
