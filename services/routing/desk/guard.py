"""What holds for every answer: headers, no forged requests, and friendly pages for what fails.

No answer repeats more of what was sent than a colleague's conflicting answer needs, never anything
about a person; none shows where in the program something failed.
"""

from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.routing.desk import reading
from services.routing.desk.acts import Desk
from services.routing.desk.faults import (
    TEXTS,
    Conflict,
    Fault,
    NotAllowed,
    NotLoggedIn,
    NotThere,
    Refused,
    Unavailable,
)
from services.routing.desk.pages import headline
from services.routing.desk.rendering import Page, language_of
from services.routing.desk.sessions import Sessions
from shared.errors import OUTAGES
from shared.logs import log
from shared.service import NotReadyError

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
PROBLEM = "application/problem+json"
_OF_AN_ANSWER = ("answer", "holder", "ground", "reason", "done_at")  # what a conflict gives back


class Guard:
    """Sets the headers of every answer and turns away what another site made a browser send."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if scope["method"] not in _SAFE and _is_foreign(Headers(scope=scope)):
            scope = {**scope, "path": "/foreign", "raw_path": b"/foreign", "method": "GET"}
        await self._app(scope, receive, with_headers)


def _is_foreign(headers: Headers) -> bool:
    """Whether a browser says that another site's page is behind the request."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and origin.partition("://")[2] != headers.get("host")


def fault_routes(app: FastAPI, desk: Desk, sessions: Sessions) -> None:
    """Say what fails in the form the caller reads: a page or problem details."""

    async def told(request: Request, error: Exception) -> Response:
        return await _answer(desk, sessions, request, _as_fault(error))

    async def broken(request: Request, error: Exception) -> Response:
        log.error("request_failed", error=error, method=request.method)
        fault = Fault("broken")
        fault.status = 500
        answer = await _answer(desk, sessions, request, fault)
        answer.headers.update(HEADERS | {"Cache-Control": "no-store"})  # outside of the guard
        return answer

    for kind in (Fault, HTTPException, RequestValidationError, NotReadyError, *OUTAGES):
        app.add_exception_handler(kind, told)
    app.add_exception_handler(Exception, broken)

    @app.get("/foreign", include_in_schema=False)
    async def foreign() -> None:
        raise NotAllowed("foreign-form")


def _as_fault(error: Exception) -> Fault:
    if isinstance(error, Fault):
        return error
    if isinstance(error, RequestValidationError):
        place = error.errors()[0]["loc"][0] if error.errors() else "body"
        return NotThere() if place == "path" else Refused("not-valid")
    if isinstance(error, HTTPException):
        return NotThere() if error.status_code in (404, 405) else Refused("not-valid")
    log.warning("request_not_served", error=error)
    return Unavailable("not-ready")


async def _answer(desk: Desk, sessions: Sessions, request: Request, fault: Fault) -> Response:
    if request.url.path.startswith("/api/"):
        return JSONResponse(
            await _problem(desk, sessions, request, fault), fault.status, media_type=PROBLEM
        )
    if isinstance(fault, NotLoggedIn) and not request.url.path.startswith(("/live/", "/events")):
        target = request.url.path if request.method == "GET" else "/"
        return RedirectResponse(f"/login?next={target}", 303)
    page = Page(request, language_of(request), desk.settings.demo, desk.clock)
    return page.render(
        "live_fault.html" if request.url.path.startswith("/live/") else "fault.html",
        fault.status,
        headline=headline(page, fault),
        text=page.words.text(TEXTS[fault.code]),
        back=None,
        here="/",  # what was asked for may be anything: it is not repeated
    )


async def _problem(
    desk: Desk, sessions: Sessions, request: Request, fault: Fault
) -> dict[str, Any]:
    words = language_of(request)
    page = Page(request, words, desk.settings.demo, desk.clock)
    problem: dict[str, Any] = {
        "type": f"urn:luotsi:problem:{fault.code}",
        "title": headline(page, fault),
        "status": fault.status,
        "detail": words.text(TEXTS[fault.code]),
    }
    if isinstance(fault, Conflict) and fault.other is not None:
        return {**problem, "other": str(fault.other)}
    if isinstance(fault, Conflict):
        problem |= await _both_texts(desk, sessions, request, fault)
    return problem


async def _both_texts(
    desk: Desk, sessions: Sessions, request: Request, fault: Conflict
) -> dict[str, Any]:
    """What the other person did, opened with an audit row, beside what this one sent."""
    theirs = None
    if fault.act is not None:
        async with desk.process.pool.acquire() as conn:
            worker = await sessions.worker(conn, request)
        line = await reading.read_act(desk, worker, fault.act)
        theirs = line and {
            "kind": line.kind,
            "answer": line.answer,
            "worker": line.worker,
            "done_at": line.done_at.isoformat() if line.done_at else None,
            "recorded_at": line.at.isoformat(),
            "reason": line.reason,
        }
    try:
        sent = orjson.loads(await request.body())
    except orjson.JSONDecodeError:
        sent = None
    known = isinstance(sent, dict)
    yours = {name: sent[name] for name in _OF_AN_ANSWER if name in sent} if known else None
    return {"theirs": theirs, "yours": yours}
