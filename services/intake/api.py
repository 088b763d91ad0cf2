"""Intake's HTTP door, and what a worker does to intake's things (called by the desk).

There is one route for each kind of message (`shared.kinds`). `POST` answers 202 only after the
original, its receipt time and all answers are durable. Errors are problem details (RFC 9457) that
name what is wrong and what to do.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, FastAPI, Header, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Field

from services.intake import store
from services.intake.attachments import attachment_routes
from services.intake.domain.numbering import NUMBER, RUN
from services.intake.domain.reading import STRUCTURED, read_message, spoken_by
from services.intake.domain.refusals import MAX_BYTES, REFUSALS
from services.intake.domain.urgency import MARK, is_marked, says_danger
from services.intake.internal import where_route, worker_routes
from services.intake.manifests.routes import manifest_routes
from services.intake.problems import PROBLEM, Problem, answer_problem
from services.intake.settings import IntakeSettings
from services.intake.sources.routes import source_routes
from shared import events, metrics
from shared import store as plumbing
from shared.clock import Clock
from shared.errors import OUTAGES, RACE_TRIES, RACES
from shared.events import Message, Receipt
from shared.inbox import Inbox, Incoming, Raw, Unreadable
from shared.kinds import BY_NAME, FEEDS, KINDS, Kind, KindName
from shared.logs import log
from shared.sealing import Sealer
from shared.service import Process


class ProblemBody(BaseModel):
    """Problem details (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    receipt_id: UUID | None = None


class MessageState(BaseModel):
    """What became of a message.

    `waiting`: taken, and applied later: the county has paused its source, or an engineer has to
    mend Luotsi first. `returned`: kept, its time limits run, and something is missing that is sent
    again.
    """

    source: str
    source_id: str
    state: Literal["accepted", "waiting", "returned", "quarantined", "closed"]
    answers: list[Receipt] = Field(description="What the source was told, the first first")


class Checked(BaseModel):
    """The message would be accepted."""

    valid: bool = True


MARKED = Header(
    alias="ce-urgent",
    description="`true` marks immediate danger: the duty desk hears of it at once. It is no "
    "emergency call: that is 112",
)
NUMBERED = Header(
    alias="ce-sequence", description="The message's number: 1, 2, 3, … without gaps over all kinds"
)
OF_RUN = Header(alias="ce-sequencerun", description="Another name whenever you begin with 1 anew")
STATUS = {refusal.reason: refusal.status for refusal in REFUSALS}
BEARER = HTTPBearer(auto_error=False, description="The token that the county gave to your source")


def _refusals(*texts: tuple[int, str]) -> dict[int | str, dict[str, Any]]:
    """The problem details a route answers with, for OpenAPI."""
    return {
        status: {"model": ProblemBody, "description": text, "content": {PROBLEM: {}}}
        for status, text in texts
    }


RESPONSES = _refusals(
    (400, "The envelope is not CloudEvents 1.0; kept and shown to the duty desk"),
    (401, "No or unknown token"),
    (409, "This id was used before for other content"),
    (413, "Too large; its beginning is kept and shown to the duty desk"),
    (422, "The content is not valid; kept and shown to the duty desk"),
    (503, "Not accepted: the database cannot be reached; send again later"),
)
FEED_RESPONSES = RESPONSES | _refusals((403, "Your source may not send this kind; kept and shown"))
CHECK_RESPONSES = _refusals(
    (400, "The envelope is not CloudEvents 1.0"),
    (401, "No or unknown token"),
    (413, "Too large"),
    (422, "The content is not valid"),
)
MESSAGE_RESPONSES = _refusals(
    (401, "No or unknown token"),
    (403, "Messages of another source"),
    (404, "Nothing has arrived under this id"),
)
MANIFEST_RESPONSES = _refusals(
    (401, "No or unknown token"),
    (403, "Another source"),
)
ATTACHMENT_RESPONSES = _refusals(
    (401, "No or unknown token"),
    (408, "Not sent within a minute; not kept"),
    (413, "Too large; not kept"),
    (415, "The content is of no type that is taken, or of another than declared; not kept"),
    (422, "Empty"),
    (503, "Not kept: too many at once, or the database cannot be reached; send again later"),
)


def _body(kinds: Sequence[Kind]) -> dict[str, Any]:
    """What a route takes, for OpenAPI."""
    refs = [{"$ref": f"#/components/schemas/{kind.model.__name__}"} for kind in kinds]
    whole = {"type": "object", "description": "CloudEvents 1.0, structured mode"}
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": refs[0] if len(refs) == 1 else {"anyOf": refs}},
                "application/cloudevents+json": {"schema": whole},
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
    inbox: Inbox[Message],
    clock: Clock,
) -> None:
    """Add the public and the internal routes."""
    tokens = load_tokens(settings)
    source_of = _authenticated(tokens)
    app.add_exception_handler(Problem, answer_problem)
    app.add_exception_handler(RequestValidationError, _not_valid)

    for kind in KINDS:
        _door(app, process, inbox, clock, source_of, kind)

    @app.post(
        "/v1/check", response_model=Checked, responses=CHECK_RESPONSES, openapi_extra=_body(KINDS),
        summary="Check a message of any kind; nothing is stored",
    )  # fmt: skip
    async def check(
        request: Request,
        source: Annotated[str, Depends(source_of)],
        kind: Annotated[KindName, Query(description="What it is")] = "notification",
    ) -> Any:
        raw = await _raw(request, source, BY_NAME[kind], ["check"], clock())
        message = read_message(raw)
        if isinstance(message, Unreadable):
            status = _status(message.reason, message)
            raise Problem(status, message.reason, "The message is not valid", message.mend)
        return Checked()

    @app.get(
        "/v1/messages/{source}/{source_id:path}", responses=MESSAGE_RESPONSES,
        summary="What became of a message that you sent",
    )  # fmt: skip
    async def message(
        source: str, source_id: str, asking: Annotated[str, Depends(source_of)]
    ) -> MessageState:
        place = f"{source}/{source_id}"  # either may have a slash of its own
        if not place.startswith(f"{asking}/"):
            raise Problem(403, "other-source", "Your token is that of another source")
        ident = place.removeprefix(f"{asking}/")
        async with process.pool.acquire() as conn:
            rows = await store.arrivals(conn, asking, ident)
        if not rows:
            raise Problem(404, "unknown-message", "Nothing has arrived under this id",
                          "Send it; over Kafka it may still be on its way.")  # fmt: skip
        return state_of(asking, ident, rows)

    attachment_routes(app, process, sealer, clock, source_of, ATTACHMENT_RESPONSES)
    worker = worker_routes(app, process, sealer, inbox, clock, source_of)
    source_routes(app, process, sealer, inbox, worker)
    manifest_routes(app, process, source_of, worker, MANIFEST_RESPONSES)
    where_route(app, process)


def _door(
    app: FastAPI,
    process: Process,
    inbox: Inbox[Message],
    clock: Clock,
    source_of: Callable[..., str],
    kind: Kind,
) -> None:
    """Add the route of one kind of message."""

    @app.post(
        kind.path, status_code=202, response_model=Receipt,
        responses=FEED_RESPONSES if kind in FEEDS else RESPONSES,
        openapi_extra=_body([kind]), summary=f"Send {kind.title}",
        operation_id=f"send_{kind.name}",
    )  # fmt: skip
    async def send(
        request: Request,
        source: Annotated[str, Depends(source_of)],
        _ce_id: Annotated[str | None, Header(alias="ce-id", description="Your id of it")] = None,
        _ce_urgent: Annotated[str | None, MARKED] = None,
        _ce_sequence: Annotated[str | None, NUMBERED] = None,
        _ce_sequencerun: Annotated[str | None, OF_RUN] = None,
    ) -> Any:
        raw = await _raw(request, source, kind, request.headers.getlist("ce-id"), clock())
        return await _take(process, inbox, source, raw)


def state_of(source: str, ident: str, rows: Sequence[Any]) -> MessageState:
    """The state of what arrived under one id, from `store.arrivals`."""
    state: Literal["accepted", "waiting", "returned", "quarantined", "closed"] = "closed"
    open_ = {row["outcome"] for row in rows if row["closed_at"] is None}
    if "applied" in open_:
        state = "accepted"
    elif open_ & {"parked", "held"}:
        state = "waiting"
    elif "returned" in open_:
        state = "returned"
    elif open_:
        state = "quarantined"
    answers = [_answer(source, ident, row) for row in rows]
    return MessageState(source=source, source_id=ident, state=state, answers=answers)


def _answer(source: str, ident: str, row: Any) -> Receipt:
    for answer in plumbing.unpack(row["answers"]):
        if answer.topic == events.INTAKE_RECEIPT:
            return Receipt.model_validate_json(answer.value)
    return Receipt(
        source=source, source_id=ident, outcome="accepted", receipt_id=row["item"],
        received_at=row["received_at"],
    )  # fmt: skip


def _authenticated(tokens: dict[str, str]) -> Callable[..., str]:
    def source_of(
        given: Annotated[HTTPAuthorizationCredentials | None, Depends(BEARER)],
    ) -> str:
        token = given.credentials if given else ""
        source = tokens.get(hashlib.sha256(token.encode()).hexdigest())
        if source is None:
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
    request: Request, source: str, kind: Kind, idents: Sequence[str], now: datetime
) -> Raw:
    """The request as a message; the source is the token's, whatever the body says.

    Headers that are there twice stay so, and are refused as over Kafka. Of one that is too large
    no more is read than shows that it is.
    """
    value = bytearray()
    async for chunk in request.stream():
        value += chunk[: MAX_BYTES + 1 - len(value)]
        if len(value) > MAX_BYTES:
            break
    contents = request.headers.getlist("content-type") or [""]
    headers = [("content-type", each.encode()) for each in contents]
    if not any(each.startswith(STRUCTURED) for each in contents):
        headers += [
            ("ce_specversion", b"1.0"),
            ("ce_source", source.encode()),
            ("ce_type", kind.type.encode()),
        ]
        headers += [("ce_id", each.encode()) for each in idents]
    if is_marked([(MARK, each.encode()) for each in request.headers.getlist("ce-urgent")]) or (
        says_danger(bytes(value))
    ):
        headers.append((MARK, b"true"))
    for name in (NUMBER, RUN):
        given = request.headers.getlist(name.replace("_", "-"))
        headers += [(name, each.encode()) for each in given]
    return Raw(0, 0, now, None, headers, bytes(value))


def _status(reason: str, message: Incoming[Message] | Unreadable) -> int:
    """The HTTP status of a refusal: by its reason, or that the envelope told no id."""
    status = STATUS.get(reason, 422)
    return 400 if status == 422 and isinstance(message, Unreadable) and not message.id else status


async def _take(process: Process, inbox: Inbox[Message], source: str, raw: Raw) -> JSONResponse:
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
    process: Process, inbox: Inbox[Message], source: str, raw: Raw
) -> JSONResponse:
    async with process.pool.acquire() as tx, tx.transaction():
        door = await plumbing.door(tx, store.HTTP_GROUP, store.HTTP_GROUP, "/v1/notifications")
        number = await store.take_request(tx, source)
        message = spoken_by(source, inbox.read(raw._replace(offset=number, door=door)))
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
        waits = outcome in ("parked", "held")
        item = await plumbing.set_aside_at(tx, rows[0]) if waits else None
    metrics.RECORDS.labels("intake", "http", outcome).inc()
    told = [a for a in answers if a.topic == events.INTAKE_RECEIPT]
    if item is not None:
        body = {
            "source": source, "source_id": message.id, "outcome": "accepted",
            "receipt_id": str(item), "received_at": rows[0].received_at.isoformat(),
        }  # fmt: skip
        return JSONResponse(body, 202)
    answer = Receipt.model_validate_json(told[0].value)
    if outcome == "quarantined":
        reason = answer.reason or "refused"
        raise Problem(
            _status(reason, message), reason, "Kept, but not applied", answer.mend or "",
            receipt_id=str(answer.receipt_id),
        )  # fmt: skip
    return JSONResponse(answer.model_dump(mode="json"), 202)
