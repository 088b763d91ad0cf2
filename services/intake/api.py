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
from pydantic import BaseModel

from services.intake import store
from services.intake.domain import MEND_ENVELOPE, read_notification
from services.intake.internal import where_route, worker_routes
from services.intake.problems import PROBLEM, Problem, answer_problem
from services.intake.settings import IntakeSettings
from shared import events, metrics
from shared import store as plumbing
from shared.clock import Clock
from shared.errors import OUTAGES, RACES
from shared.events import Notification, Receipt
from shared.inbox import Inbox, Raw, Unreadable
from shared.logs import log
from shared.sealing import Sealer
from shared.service import Process

RACE_TRIES = 3


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
    app.add_exception_handler(Problem, answer_problem)
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

    worker_routes(app, process, sealer, inbox, clock, source_of)
    where_route(app, process)


def _authenticated(tokens: dict[str, str]) -> Callable[..., str]:
    def source_of(authorization: Annotated[str | None, Header()] = None) -> str:
        scheme, _, token = (authorization or "").partition(" ")
        source = tokens.get(hashlib.sha256(token.encode()).hexdigest())
        if scheme.lower() != "bearer" or source is None:
            raise Problem(401, "unknown-token", "Send the token of your source",
                          "Authorization: Bearer <token>; ask the county for one.")  # fmt: skip
        return source

    return source_of


async def _not_valid(request: Request, _error: Exception) -> JSONResponse:
    """FastAPI's own answer would repeat what was sent."""
    return await answer_problem(
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
