"""Intake's HTTP door, and what a worker does to intake's things (called by the desk).

`POST /v1/notifications` answers 202 only after the original, its receipt time and all answers are
durable. Errors are problem details (RFC 9457) that name what is wrong and what to do.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from services.intake import store
from services.intake.domain import MEND_ENVELOPE, read_notification
from services.intake.handlers import closed, open_whole, reopen
from services.intake.settings import IntakeSettings
from shared import events, metrics
from shared import store as plumbing
from shared.clock import Clock
from shared.database import Connection
from shared.errors import OUTAGES, RACES, RejectedError, describe
from shared.events import IdentityTask, Notification, NotifiedChild, Receipt, age_band_on
from shared.hetu import InvalidHetuError, parse_hetu
from shared.inbox import Inbox, Raw, Unreadable
from shared.logs import log
from shared.redrive import redrive_item, redrive_key
from shared.sealing import Sealer, UnreadableError
from shared.service import Process
from shared.store import Outgoing

RACE_TRIES = 3
PROBLEM = "application/problem+json"


class Problem(Exception):
    """An answer by RFC 9457: status, title and what to do; never anything of the message."""

    def __init__(self, status: int, kind: str, title: str, detail: str = "", **more: Any) -> None:
        super().__init__(kind)
        self.status = status
        self.body = {
            "type": f"urn:luotsi:problem:{kind}",
            "title": title,
            "status": status,
            "detail": detail,
            **more,
        }


class ProblemBody(BaseModel):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    receipt_id: UUID | None = None


class Checked(BaseModel):
    """The message would be accepted."""

    valid: bool = True


class GivenIdentity(BaseModel):
    """Who a provisional child is."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    child: UUID
    hetu: str
    name: str | None = None


RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemBody, "description": text, "content": {PROBLEM: {}}}
    for status, text in (
        (400, "The envelope is not CloudEvents 1.0"),
        (401, "No or unknown token"),
        (409, "This id was used before for other content"),
        (413, "Too large"),
        (422, "The content is not valid; the original is kept and shown to the duty desk"),
        (503, "Not accepted: the database cannot be reached; send again later"),
    )
}
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/Notification"}},
            "application/cloudevents+json": {
                "schema": {"type": "object", "description": "CloudEvents 1.0, structured mode"}
            },
        },
    }
}


def load_tokens(settings: IntakeSettings) -> dict[str, str]:
    """SHA-256 of a token (hex) -> source."""
    if settings.tokens_file is None:
        return {}
    return {str(k): str(v) for k, v in json.loads(settings.tokens_file.read_text()).items()}


def api_routes(
    app: FastAPI,
    process: Process,
    settings: IntakeSettings,
    sealer: Sealer,
    inbox: Inbox[Notification],
    clock: Clock,
) -> None:
    """Add the public and the internal routes."""
    tokens = load_tokens(settings)
    source_of = _authenticated(tokens)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(RequestValidationError, _not_valid)

    @app.post(
        "/v1/notifications", status_code=202, response_model=Receipt, responses=RESPONSES,
        openapi_extra=BODY, summary="Send a child-protection notification",
    )  # fmt: skip
    async def send(
        request: Request,
        source: Annotated[str, Depends(source_of)],
        ce_id: Annotated[str | None, Header(alias="ce-id", description="Your id of it")] = None,
    ) -> Any:
        now = clock()
        raw = await _raw(request, settings, source, ce_id, now)
        message = inbox.read(raw)
        if isinstance(message, Unreadable) and message.id is None:
            raise Problem(400, message.reason, "The envelope cannot be read", message.mend)
        return await _take(process, inbox, source, raw)

    @app.post(
        "/v1/check", response_model=Checked, responses=RESPONSES, openapi_extra=BODY,
        summary="Check a notification; nothing is stored",
    )  # fmt: skip
    async def check(request: Request, source: Annotated[str, Depends(source_of)]) -> Any:
        raw = await _raw(request, settings, source, "check", clock())
        message = read_notification(raw)
        if isinstance(message, Unreadable):
            raise Problem(422, message.reason, "The message is not valid", message.mend)
        return Checked()

    _internal_routes(app, process, sealer, inbox, clock, source_of)


def _authenticated(tokens: dict[str, str]) -> Callable[..., str]:
    def source_of(authorization: Annotated[str | None, Header()] = None) -> str:
        scheme, _, token = (authorization or "").partition(" ")
        source = tokens.get(hashlib.sha256(token.encode()).hexdigest())
        if scheme.lower() != "bearer" or source is None:
            raise Problem(401, "unknown-token", "Send the token of your source",
                          "Authorization: Bearer <token>; ask the county for one.")  # fmt: skip
        return source

    return source_of


async def _problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)  # noqa: S101 -- registered for it alone
    headers = {"Retry-After": "5"} if error.status == 503 else None
    return JSONResponse(error.body, error.status, headers, media_type=PROBLEM)


async def _not_valid(request: Request, _error: Exception) -> JSONResponse:
    """FastAPI's own answer would repeat what was sent."""
    return await _problem(
        request, Problem(422, "not-valid", "Not valid", "See what /openapi.json says of it.")
    )


async def _raw(
    request: Request, settings: IntakeSettings, source: str, ce_id: str | None, now: Any
) -> Raw:
    """The request as a message; the source is the token's, whatever the body says."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > settings.max_body:
            raise Problem(413, "too-large", "Too large", f"Send at most {settings.max_body} bytes.")
        chunks.append(chunk)
    kind = request.headers.get("content-type", "")
    value = b"".join(chunks)
    headers = [("content-type", kind.encode())]
    if not kind.startswith("application/cloudevents+json"):
        if ce_id is None:
            raise Problem(
                400, "bad-envelope", "Give your id of the message", "Header ce-id. " + MEND_ENVELOPE
            )
        headers += [
            ("ce_specversion", b"1.0"),
            ("ce_id", ce_id.encode()),
            ("ce_source", source.encode()),
            ("ce_type", events.NOTIFICATION_TYPE.encode()),
        ]
    return Raw(0, 0, now, None, headers, value)


async def _take(
    process: Process, inbox: Inbox[Notification], source: str, raw: Raw
) -> JSONResponse:
    """One request through the inbox in one transaction; its answers leave by the outbox."""
    for attempt in range(RACE_TRIES):
        try:
            return await _take_once(process, inbox, source, raw)
        except RACES:
            if attempt == RACE_TRIES - 1:
                raise Problem(503, "busy", "Not accepted", "Send it again.") from None
        except OUTAGES as error:
            log.warning("request_not_accepted", error=error)
            raise Problem(
                503, "not-accepted", "Not accepted", "The database cannot be reached. Send again."
            ) from None
    raise AssertionError  # the loop returns or raises


async def _take_once(
    process: Process, inbox: Inbox[Notification], source: str, raw: Raw
) -> JSONResponse:
    async with process.pool.acquire() as tx, tx.transaction():
        door = await plumbing.door(tx, store.HTTP_GROUP, store.HTTP_GROUP, "/v1/notifications")
        number = await store.take_request(tx, source)
        message = inbox.read(raw._replace(offset=number))
        if not isinstance(message, Unreadable):
            # The source is the token's: a structured event cannot speak for another.
            message = message._replace(source=source, key=f"{source}/{message.id}")
        else:
            message = message._replace(source=source)
        try:
            async with tx.transaction():
                rows = await inbox.take(tx, door, [message])
        except (*OUTAGES, *RACES):
            raise
        except Exception as error:  # noqa: BLE001 -- our own bug: kept, and in front of a person
            log.error("event_parked", topic="http", error=error)
            rows = await inbox.take(tx, door, [message], error)
        answers = rows[0].answers
        await plumbing.add_outbox(tx, answers)
    outcome = rows[0].outcome
    metrics.RECORDS.labels("intake", "http", outcome).inc()
    told = [a for a in answers if a.topic == events.INTAKE_RECEIPT]
    if outcome == "parked":
        body = {"source": source, "source_id": message.id, "outcome": "accepted",
                "receipt_id": str(number), "received_at": raw.appended_at.isoformat()}  # fmt: skip
        return JSONResponse(body, 202)
    answer = Receipt.model_validate_json(told[0].value)
    if outcome == "quarantined":
        status = 409 if answer.reason == "same-id-other-content" else 422
        raise Problem(
            status, answer.reason or "refused", "Kept, but not applied", answer.mend or "",
            receipt_id=str(answer.receipt_id),
        )  # fmt: skip
    return JSONResponse(answer.model_dump(mode="json"), 202)


# --- what a worker does to intake's things, through the desk ------------------------------------


def _internal_routes(
    app: FastAPI,
    process: Process,
    sealer: Sealer,
    inbox: Inbox[Notification],
    clock: Clock,
    source_of: Callable[..., str],
) -> None:
    def worker(
        source: Annotated[str, Depends(source_of)],
        x_luotsi_worker: Annotated[str, Header(pattern=r"^[A-Za-z0-9._-]{1,64}$")],
    ) -> str:
        if source != "desk":
            raise Problem(403, "desk-only", "Only the desk may do this")
        return x_luotsi_worker

    @app.post("/internal/identity", include_in_schema=False)
    async def identity(body: GivenIdentity, who: Annotated[str, Depends(worker)]) -> dict[str, str]:
        async with process.pool.acquire() as tx, tx.transaction():
            await _identify(tx, sealer, body, who, clock)
        return {"child": str(body.child), "state": "identified"}

    @app.get("/internal/set-aside/{item}", include_in_schema=False)
    async def open_item(item: UUID, who: Annotated[str, Depends(worker)]) -> dict[str, Any]:
        async with process.pool.acquire() as conn:
            async with conn.transaction():  # audited before anything is opened
                await plumbing.add_audit(
                    conn, [(who, "open-original", str(item), "set-aside", None)]
                )
            async with conn.transaction():
                row = await _item(conn, item)
                await sealer.load(conn, [item])
        try:
            whole = open_whole(sealer, item, row["body"])
        except UnreadableError:
            raise Problem(410, "erased", "The original has been erased") from None
        value = whole["value"]
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else ""
        return {
            "item": str(item), "reason": row["reason"], "received_at": row["received_at"],
            "source": row["source"], "source_id": row["event_id"], "content": text[:200_000],
        }  # fmt: skip

    @app.post("/internal/set-aside/{item}/redrive", include_in_schema=False)
    async def redrive(item: UUID, who: Annotated[str, Depends(worker)]) -> dict[str, Any]:
        return {"applied": await _redrive(process, sealer, inbox, item, who)}

    _where_route(app, process)


def _where_route(app: FastAPI, process: Process) -> None:
    """Hop, time and state of a message for ``luotsi where``; nothing about a person."""

    @app.get("/internal/where/{source_id:path}", include_in_schema=False)
    async def where(source_id: events.SourceId) -> dict[str, Any]:
        async with process.pool.acquire() as conn:
            hops = [dict(row) for row in await plumbing.trail(conn, source_id)]
            for hop in hops:
                known = await plumbing.applied_before(conn, [(hop["source"], hop["event_id"])])
                for each in known.values():
                    found = [
                        a for a in plumbing.unpack(each.answers) if a.topic == events.INTAKE_RECEIPT
                    ]
                    hop["receipt_id"] = str(Receipt.model_validate_json(found[0].value).receipt_id)
        return {"service": "intake", "hops": hops}


async def _item(conn: Connection, item: UUID) -> Any:
    row = await plumbing.set_aside_item(conn, item)
    if row is None:
        raise Problem(404, "unknown-item", "There is no such item")
    return row


async def _identify(
    tx: Connection, sealer: Sealer, body: GivenIdentity, who: str, clock: Clock
) -> None:
    """Give a provisional child an identity Luotsi does not know yet."""
    try:
        hetu = parse_hetu(body.hetu)
    except InvalidHetuError as error:
        raise Problem(422, "invalid-hetu", "Not a henkilötunnus", str(error)) from None
    provisional = await store.provisional_child(tx, body.child)
    if provisional is None:
        raise Problem(404, "unknown-child", "There is no such child")
    if not provisional:
        raise Problem(409, "already-identified", "This child has an identity already")
    if not await store.identify(tx, body.child, sealer.keys.lookup_hash("hetu", hetu.value)):
        raise Problem(
            409, "known-identity", "Luotsi knows this person already",
            "Two known children cannot be joined yet; note it on the case of both.",
        )  # fmt: skip
    await sealer.load(tx, [body.child])
    now = clock()
    ident = f"{body.child}.identified"
    card = NotifiedChild(hetu=hetu.value, name=body.name).model_dump_json().encode()
    task = IdentityTask(
        id=ident,
        child=body.child,
        state="given",
        age_band=age_band_on(hetu.born, now.date()),
        person=sealer.seal(body.child, "person", ident, card),
        at=now,
    )
    await plumbing.add_audit(tx, [(who, "give-identity", str(body.child), "identity-task", None)])
    await plumbing.add_outbox(
        tx,
        [Outgoing(events.SIGNAL, str(body.child).encode(), ident, task.model_dump_json().encode())],
    )


async def _redrive(
    process: Process, sealer: Sealer, inbox: Inbox[Notification], item: UUID, who: str
) -> int:
    """Take a set-aside message again; a failure is counted and told, nothing is lost."""
    failure: RejectedError | None = None
    async with process.pool.acquire() as tx:
        async with tx.transaction():
            await plumbing.add_audit(tx, [(who, "re-drive", str(item), "set-aside", None)])
            row = await _item(tx, item)
            if row["closed_at"] is not None:
                raise Problem(409, "closed", "This item is closed already", row["closed_how"])
        try:
            async with tx.transaction():
                row = await _item(tx, item)
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


async def _redrive_row(tx: Connection, sealer: Sealer, inbox: Inbox[Notification], row: Any) -> int:
    def again(record: Any) -> Raw:
        item = record["item"] if "item" in record else record["id"]
        return reopen(
            sealer, item, record["body"], record["partition"], record["offset"],
            record["received_at"],
        )  # fmt: skip

    def done(item: UUID) -> list[Outgoing]:
        return [closed(item, "re-driven", row["received_at"])]

    if row["outcome"] == "parked":
        waiting = await plumbing.parked_events(tx, row["key"])
        await sealer.load(tx, [record["item"] for record in waiting])
        return (await redrive_key(tx, inbox, row["key"], again, done)).applied
    await sealer.load(tx, [row["id"]])
    # Closed first, or the handler would find it open and close it as resent, too.
    await plumbing.close_set_aside(tx, [row["id"]], "re-driven")
    return (await redrive_item(tx, inbox, row, again, done)).applied
