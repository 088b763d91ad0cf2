"""Files beside messages: sent over HTTP and sealed, named by a message, opened by a worker.

A message is never refused for a file: one that is not there is noted and told in the receipt.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import Depends, FastAPI, Header, Request, Response
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect

from services.intake import store
from services.intake.domain.attachments import TYPES, RefusedFile, type_of
from services.intake.domain.refusals import (
    ATTACHMENT_SLOW,
    ATTACHMENT_TOO_LARGE,
    ATTACHMENTS_BUSY,
    MAX_ATTACHMENT_BYTES,
    Refusal,
)
from services.intake.problems import Problem
from shared import metrics
from shared import store as plumbing
from shared.clock import Clock
from shared.database import Connection
from shared.errors import OUTAGES, RACE_TRIES, RACES
from shared.events import Concern, Message
from shared.ids import random_id
from shared.inbox import Incoming
from shared.logs import log
from shared.sealing import NewKey, Sealer, UnreadableError, encrypt_with, new_nonce
from shared.service import Process

AT_ONCE = 4  # files that one process holds in memory, some 50 MB each
READ_SECONDS = 60.0
FIELD = "attachment"

CLOSED = {
    "Content-Disposition": "attachment",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}


class Attachment(BaseModel):
    """A file that was stored; messages name it by its id."""

    attachment: UUID
    bytes: int
    type: str = Field(description="As found in the content")
    sha256: str


# --- sent by a source ---------------------------------------------------------------------------

BODY = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("application/octet-stream", *TYPES)
        },
    }
}


def attachment_routes(
    app: FastAPI,
    process: Process,
    sealer: Sealer,
    clock: Clock,
    source_of: Callable[..., str],
    responses: dict[int | str, dict[str, Any]],
) -> None:
    """Add the route that takes files; `responses` describes its refusals."""
    room = asyncio.Semaphore(AT_ONCE)

    @app.post(
        "/v1/attachments", status_code=201, responses=responses, openapi_extra=BODY,
        summary="Send a file that a message will name",
    )  # fmt: skip
    async def send(
        request: Request,
        source: Annotated[str, Depends(source_of)],
        content_type: Annotated[str, Header(include_in_schema=False)] = "",
    ) -> Attachment:
        if room.locked():
            raise _problem(ATTACHMENTS_BUSY)
        async with room:
            content = await _read(request)
            try:
                return await _keep(process, sealer, source, content, content_type, clock())
            except RefusedFile as error:
                metrics.ATTACHMENTS.labels("refused").inc()
                raise _problem(error.refusal) from None


def _problem(refusal: Refusal) -> Problem:
    return Problem(
        refusal.status, refusal.reason, "Not kept", f"{refusal.cause} {refusal.mend}"
    )  # fmt: skip


async def _read(request: Request) -> bytes:
    """The body; of one that is too large no more than shows that it is."""
    stated = request.headers.get("content-length", "")
    if stated.isdecimal() and int(stated) > MAX_ATTACHMENT_BYTES:
        raise _problem(ATTACHMENT_TOO_LARGE)
    content = bytearray()
    try:
        async with asyncio.timeout(READ_SECONDS):
            async for chunk in request.stream():
                content += chunk
                if len(content) > MAX_ATTACHMENT_BYTES:
                    raise _problem(ATTACHMENT_TOO_LARGE)
    except (TimeoutError, ClientDisconnect):
        raise _problem(ATTACHMENT_SLOW) from None
    return bytes(content)


class _Sealed(NamedTuple):
    type: str
    sha256: str
    content: bytes


async def _keep(
    process: Process, sealer: Sealer, source: str, content: bytes, declared: str, now: datetime
) -> Attachment:
    """Check, seal and store; the same bytes of the same source have the same id."""
    ident = random_id()
    key, cipher = sealer.passing_key(ident)
    # 10 MB take some 30 ms: not in the event loop's thread.
    sealed = await asyncio.to_thread(_seal, cipher, new_nonce(), ident, content, declared)
    digest = sealer.keys.lookup_hash(FIELD, f"{source}\0{sealed.sha256}")
    new = store.NewAttachment(
        ident, source, digest, sealed.type, len(content), now, now, sealed.content
    )
    known = await _store(process, new, key)
    metrics.ATTACHMENTS.labels("stored" if known == ident else "repeated").inc()
    return Attachment(attachment=known, bytes=len(content), type=sealed.type, sha256=sealed.sha256)


def _seal(cipher: AESGCM, nonce: bytes, ident: UUID, content: bytes, declared: str) -> _Sealed:
    found = type_of(content, declared)
    sealed = encrypt_with(cipher, nonce, FIELD, str(ident), content)
    return _Sealed(found, hashlib.sha256(content).hexdigest(), sealed)


async def _store(process: Process, new: store.NewAttachment, key: NewKey) -> UUID:
    """The id it is known by: a new one, or that of the first time."""
    for _ in range(RACE_TRIES):
        try:
            async with process.pool.acquire() as tx, tx.transaction():
                known = await store.sent_again(tx, new.source, new.hash, new.sent_at)
                if known is not None:
                    return UUID(bytes=known["id"].bytes)  # asyncpg has a UUID class of its own
                await store.add_attachment(tx, new)
                await plumbing.add_data_keys(tx, [key])
                return new.id
        except RACES:
            continue  # the same file at the same moment: the next try finds the other one's row
        except OUTAGES as error:
            log.warning("attachment_not_kept", error=error)
            raise Problem(
                503, "not-accepted", "Not kept", "The database cannot be reached. Send again."
            ) from None
    raise Problem(503, "busy", "Not kept", "Send it again.")


# --- named by a message -------------------------------------------------------------------------


class Attached(NamedTuple):
    """The files of one message: those that are there, and the places of those that are not."""

    files: list[dict[str, object]]
    missing: list[int]

    @property
    def note(self) -> str | None:
        """What is noticed, in a code."""
        return "attachment-unknown" if self.missing else None

    @property
    def mend(self) -> str | None:
        """What the source is told; says nothing of the ids."""
        if not self.missing:
            return None
        places = ", ".join(f"attachments.{place}" for place in self.missing)
        return (
            f"Accepted without {places}: your source has sent no such file. "
            "Send the file, then a message under a new id that corrects this one and names it."
        )


NOTHING = Attached([], [])


class Named:
    """The files that the messages of a batch name. Call `keep` at the end of the transaction."""

    def __init__(self, found: dict[tuple[str, UUID], Any]) -> None:
        self._found = found
        self._named: list[tuple[UUID, UUID]] = []

    @classmethod
    async def of(cls, tx: Connection, batch: Sequence[Incoming[Message]]) -> "Named":
        """Look for all of them at once, if any message names one; another source's is not there."""
        wanted = {
            (item.source, ident)
            for item in batch
            if isinstance(item.event, Concern)
            for ident in item.event.attachments
        }
        return cls(await store.attachments(tx, sorted(wanted)) if wanted else {})

    def by(self, source: str, message: Concern, receipt_id: UUID) -> Attached:
        """The files of one message, which is accepted under this receipt id."""
        if not message.attachments:
            return NOTHING
        rows = [self._found.get((source, ident)) for ident in message.attachments]
        there = {row["id"]: row for row in rows if row is not None}  # each once
        self._named += [(ident, receipt_id) for ident in there]
        return Attached(
            [
                {"id": str(ident), "type": row["type"], "bytes": row["size"]}
                for ident, row in there.items()
            ],
            [place for place, row in enumerate(rows) if row is None],
        )

    async def keep(self, tx: Connection) -> None:
        """Write down which messages name which files."""
        if self._named:
            await store.name_attachments(tx, self._named)


# --- opened by a worker -------------------------------------------------------------------------


def opening_route(
    app: FastAPI, process: Process, sealer: Sealer, worker: Callable[..., str]
) -> None:
    """Add the route by which the desk gets a file in a worker's name."""

    @app.get("/internal/messages/{message}/attachments/{ident}", include_in_schema=False)
    async def open_attachment(
        message: UUID, ident: UUID, who: Annotated[str, Depends(worker)]
    ) -> Response:
        async with process.pool.acquire() as conn:
            async with conn.transaction():  # audited before anything is opened
                await plumbing.add_audit(
                    conn, [(who, "open-attachment", str(ident), "child-protection", None)]
                )
            row = await store.attachment_of(conn, message, ident)
            if row is None:
                raise Problem(404, "unknown-attachment", "There is no such file")
            await sealer.load(conn, [ident])
        try:
            content = await asyncio.to_thread(
                sealer.open_bytes, ident, FIELD, str(ident), row["sealed"]
            )
        except UnreadableError:
            raise Problem(410, "erased", "The file has been erased") from None
        return Response(content, media_type="application/octet-stream", headers=CLOSED)
