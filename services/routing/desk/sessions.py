"""Who is there: the signed session cookie, the demo's worker header, rights, and the form token.

Rights are read from the table `worker` at every request, so a withdrawn worker has none at once.
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from fastapi import Request, Response

from services.routing.desk import store
from services.routing.desk.faults import NotAllowed, NotLoggedIn
from services.routing.settings import RoutingSettings
from shared.clock import HELSINKI, Clock
from shared.database import Connection

COOKIE = "luotsi_session"
LASTS = timedelta(hours=10)
_WORKER_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_ASSESSING = frozenset({"social_worker", "supervisor"})


class Worker(NamedTuple):
    """Who acts."""

    id: str
    name: str
    role: str

    @property
    def assesses(self) -> bool:
        """Whether the role covers assessments (LSL 26 §: a social worker's)."""
        return self.role in _ASSESSING

    @property
    def supervises(self) -> bool:
        """Whether the role may record what lies far back."""
        return self.role == "supervisor"

    def must_assess(self) -> None:
        """Raises `NotAllowed` for another role."""
        if not self.assesses:
            raise NotAllowed("role-needed")

    def must_supervise(self) -> None:
        """Raises `NotAllowed` for another role."""
        if not self.supervises:
            raise NotAllowed("supervisor-needed")


class Sessions:
    """Makes and checks sessions with one secret; an empty one lasts as long as the process."""

    def __init__(self, settings: RoutingSettings, clock: Clock) -> None:
        given = settings.session_secret.get_secret_value()
        self._secret = given.encode() or secrets.token_bytes(32)
        self._demo = settings.demo
        self._clock = clock

    def start(self, response: Response, worker: str, *, secure: bool) -> None:
        """Put a session of this worker into the cookie."""
        ends = int((self._clock() + LASTS).timestamp())
        content = {"worker": worker, "ends": ends, "id": secrets.token_hex(8)}
        payload = _b64(json.dumps(content).encode())
        response.set_cookie(
            COOKIE, f"{payload}.{self._sign(payload)}", max_age=int(LASTS.total_seconds()),
            httponly=True, samesite="strict", secure=secure, path="/",
        )  # fmt: skip

    async def worker(self, conn: Connection, request: Request) -> Worker:
        """The worker of this request; raises `NotLoggedIn`."""
        ident = self._named(request) or self._session(request).get("worker")
        today = self._clock().astimezone(HELSINKI).date()
        row = await store.worker(conn, str(ident), today) if ident else None
        if row is None:
            raise NotLoggedIn
        return Worker(row["id"], row["name"], row["role"])

    def form_token(self, request: Request) -> str:
        """What every form of this session carries (against forged requests)."""
        session = self._session(request)
        return self._sign(f"form.{session['id']}") if session else ""

    def is_own_form(self, request: Request, token: object) -> bool:
        """Whether a form was made for this session."""
        expected = self.form_token(request)
        return bool(expected) and hmac.compare_digest(expected.encode(), str(token).encode())

    def _named(self, request: Request) -> str | None:
        """``Authorization: Worker <id>``, in the demonstration alone."""
        scheme, _, ident = request.headers.get("authorization", "").partition(" ")
        if not self._demo or scheme.lower() != "worker" or not _WORKER_ID.fullmatch(ident):
            return None
        return ident

    def _session(self, request: Request) -> dict[str, Any]:
        payload, _, signature = request.cookies.get(COOKIE, "").partition(".")
        if not hmac.compare_digest(self._sign(payload).encode(), signature.encode()):
            return {}
        content: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload))
        return content if self._clock() < _moment(content["ends"], self._clock()) else {}

    def _sign(self, text: str) -> str:
        return _b64(hmac.digest(self._secret, text.encode(), hashlib.sha256))


def _moment(seconds: int, like: datetime) -> datetime:
    return datetime.fromtimestamp(seconds, like.tzinfo)


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()
