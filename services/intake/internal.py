"""What a worker does to intake's things, asked by the desk in the worker's name, audited here."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, Header

from services.intake import store
from services.intake.alike.routes import suggestion_route
from services.intake.attachments import opening_route
from services.intake.domain.reading import spoken_by
from services.intake.feeds import at_topic
from services.intake.handlers import closed, first_receipt, open_whole, reopen
from services.intake.identity import identity_routes
from services.intake.manifests.routes import content_of_alarm, deal_with_alarm
from services.intake.problems import Problem
from shared import events
from shared import store as plumbing
from shared.clock import Clock
from shared.database import Connection
from shared.errors import OUTAGES, RACES, RejectedError, describe
from shared.events import Message
from shared.inbox import Inbox, Raw
from shared.logs import log
from shared.redrive import redrive_item, redrive_key
from shared.sealing import Sealer, UnreadableError
from shared.service import Process
from shared.store import Outgoing


def worker_routes(
    app: FastAPI,
    process: Process,
    sealer: Sealer,
    inbox: Inbox[Message],
    clock: Clock,
    source_of: Callable[..., str],
) -> Callable[..., str]:
    """Add the routes that only the desk may use; returns who asks, as a dependency of others."""

    def worker(
        source: Annotated[str, Depends(source_of)],
        x_luotsi_worker: Annotated[str, Header(pattern=r"^[A-Za-z0-9._-]{1,64}$")],
    ) -> str:
        if source != "desk":
            raise Problem(403, "desk-only", "Only the desk may do this")
        return x_luotsi_worker

    identity_routes(app, process, sealer, clock, worker)
    suggestion_route(app, process, worker)
    _item_routes(app, process, sealer, inbox, worker)
    opening_route(app, process, sealer, worker)
    _urgent_routes(app, process, sealer, worker)
    return worker


def _item_routes(
    app: FastAPI,
    process: Process,
    sealer: Sealer,
    inbox: Inbox[Message],
    worker: Callable[..., str],
) -> None:
    @app.get("/internal/set-aside/{item}", include_in_schema=False)
    async def open_item(item: UUID, who: Annotated[str, Depends(worker)]) -> dict[str, Any]:
        async with process.pool.acquire() as conn:
            async with conn.transaction():  # audited before anything is opened
                await plumbing.add_audit(
                    conn, [(who, "open-original", str(item), "set-aside", None)]
                )
                if missing := await content_of_alarm(conn, item):
                    return missing
            async with conn.transaction():
                row = await _item(conn, item)
                await sealer.load(conn, [item])
        if row["closed_how"] == "re-driven":
            raise Problem(410, "re-driven", "It has been taken again: see the child's case")
        try:
            content = _content_of(open_whole(sealer, item, row["body"]))
        except UnreadableError:
            raise Problem(410, "erased", "The original has been erased") from None
        return {
            "item": str(item), "reason": row["reason"], "received_at": row["received_at"],
            "source": row["source"], "source_id": row["event_id"], "content": content,
        }  # fmt: skip

    @app.post("/internal/set-aside/{item}/redrive", include_in_schema=False)
    async def redrive(item: UUID, who: Annotated[str, Depends(worker)]) -> dict[str, Any]:
        return {"applied": await take_again(process, sealer, inbox, item, who)}

    @app.post("/internal/set-aside/{item}/close", include_in_schema=False)
    async def close(item: UUID, who: Annotated[str, Depends(worker)]) -> dict[str, bool]:
        async with process.pool.acquire() as tx, tx.transaction():
            await plumbing.add_audit(tx, [(who, "close", str(item), "set-aside", None)])
            return {"closed": await _close(tx, item)}


def _urgent_routes(
    app: FastAPI, process: Process, sealer: Sealer, worker: Callable[..., str]
) -> None:
    @app.get("/internal/urgent/{item}", include_in_schema=False)
    async def open_urgent(item: UUID, who: Annotated[str, Depends(worker)]) -> dict[str, Any]:
        async with process.pool.acquire() as conn:
            async with conn.transaction():  # audited before anything is opened
                await plumbing.add_audit(conn, [(who, "open-original", str(item), "urgent", None)])
            async with conn.transaction():
                row = await store.urgent_message(conn, item)
                await sealer.load(conn, [item])
        if row is None:
            raise Problem(404, "unknown-item", "There is no such item")
        try:
            content = _content_of(open_whole(sealer, item, row["body"] or b""))
        except UnreadableError:
            raise Problem(410, "erased", "The original has been erased") from None
        return {"item": str(item), "received_at": row["received_at"], "content": content}


def _content_of(whole: dict[str, object]) -> str:
    """A message's value as a person can read it."""
    value = whole["value"]
    return value.decode("utf-8", "replace")[:200_000] if isinstance(value, bytes) else ""


def where_route(app: FastAPI, process: Process) -> None:
    """Hop, time and state of a message for ``luotsi where``; nothing about a person."""

    @app.get("/internal/where/{source_id:path}", include_in_schema=False)
    async def where(source_id: events.SourceId) -> dict[str, Any]:
        async with process.pool.acquire() as conn:
            hops = [dict(row) for row in await plumbing.trail(conn, source_id)]
            for hop in hops:
                name = (hop["source"], hop["event_id"])
                known = list((await plumbing.applied_before(conn, [name])).values())
                if hop["outcome"] == "returned":
                    sent_back = (await store.returned_before(conn, [name])).get(name, [])
                    place = (hop["partition"], hop["offset"])
                    known = [k for k in sent_back if (k.partition, k.offset) == place]
                for each in known:
                    hop["receipt_id"] = str(first_receipt(each).receipt_id)
        return {"service": "intake", "hops": hops}


async def _close(tx: Connection, item: UUID) -> bool:
    """What is parked stays open here: it can still be applied, and others wait behind it."""
    if await deal_with_alarm(tx, item):
        return True
    row = await _item(tx, item)
    if row["outcome"] == "quarantined":
        await plumbing.close_set_aside(tx, [item], "closed-by-a-person")
    return bool(row["outcome"] == "quarantined")


async def _item(conn: Connection, item: UUID) -> Any:
    row = await plumbing.set_aside_item(conn, item)
    if row is None:
        raise Problem(404, "unknown-item", "There is no such item")
    return row


async def _open_item(conn: Connection, item: UUID) -> Any:
    row = await _item(conn, item)
    if row["closed_at"] is not None:
        raise Problem(409, "closed", "This item is closed already", row["closed_how"])
    return row


async def take_again(
    process: Process, sealer: Sealer, inbox: Inbox[Message], item: UUID, who: str
) -> int:
    """Take a set-aside message again, and say how many were applied.

    A failure is counted and told as a `Problem`; nothing is lost.
    """
    failure: RejectedError | None = None
    async with process.pool.acquire() as tx:
        async with tx.transaction():
            await plumbing.add_audit(tx, [(who, "re-drive", str(item), "set-aside", None)])
            await _open_item(tx, item)
        try:
            async with tx.transaction():
                row = await _open_item(tx, item)  # somebody may have asked at the same moment
                return await _redrive_row(tx, sealer, inbox, row)
        except RejectedError as error:
            failure = error
        except (*OUTAGES, *RACES):
            raise Problem(503, "busy", "Not done", "Try again.") from None
        except UnreadableError:
            raise Problem(410, "erased", "The original has been erased") from None
        except Problem:
            raise
        except Exception as error:  # noqa: BLE001 -- the bug is still there: say so
            log.error("redrive_failed", item_id=str(item), error=error)
            failure = RejectedError("handler-failed", describe(error))
        await plumbing.tried_again(tx, item, failure.reason)
    raise Problem(422, failure.reason, "It still cannot be applied", failure.mend)


def reopened(sealer: Sealer, record: Any) -> Raw:
    """A set-aside message as it came; raises `UnreadableError` where it has been erased."""
    item = record["item"] if "item" in record else record["id"]
    return reopen(
        sealer, item, record["body"],
        (record["door"], record["partition"], record["offset"]), record["received_at"],
    )  # fmt: skip


def inbox_of(inbox: Inbox[Message], record: Any) -> Inbox[Message]:
    """The inbox as the record's door reads: over HTTP the source stays the token's."""
    if record["grp"] != store.HTTP_GROUP:
        return at_topic(inbox, record["topic"])
    return replace(inbox, read=lambda raw: spoken_by(record["source"], inbox.read(raw)))


async def _redrive_row(tx: Connection, sealer: Sealer, inbox: Inbox[Message], row: Any) -> int:
    again = partial(reopened, sealer)
    read_anew = partial(inbox_of, inbox)

    def done(item: UUID) -> list[Outgoing]:
        return [closed(item, "re-driven", row["received_at"])]

    if row["outcome"] == "parked":
        waiting = await plumbing.parked_events(tx, row["key"])
        await sealer.load(tx, [record["item"] for record in waiting])
        return (await redrive_key(tx, read_anew, row["key"], again, done)).applied
    await sealer.load(tx, [row["id"]])
    # Closed first, or the handler would find it open and close it as resent, too.
    await plumbing.close_set_aside(tx, [row["id"]], "re-driven")
    return (await redrive_item(tx, read_anew(row), row, again, done)).applied
