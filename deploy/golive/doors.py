"""The two doors an import uses, intake's and the desk's. A server that goes away is waited for."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self, cast
from uuid import UUID

import httpx2
from pydantic import AwareDatetime, BaseModel

from deploy.cli.settings import GoLiveSettings
from deploy.golive.line import ActKind
from deploy.golive.plan import Act, Matter
from services.routing.domain.clocks import ClockKind
from shared.events import Receipt

AT_ONCE = 8
LONGEST_WAIT_S = 5.0
AWAY = (HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT)
DONE_BEFORE = ("already-answered", "already-done")
PLACES: dict[ActKind, str] = {
    "assessment_started": "assessment-started",
    "manifestly_unnecessary": "manifestly-unnecessary",
    "family_told": "family-told",
    "assessment_finished": "assessment-finished",
}


class Refused(Exception):
    """A door does not do it: its reason as a code, and what it asks for."""

    def __init__(self, reason: str, mend: str) -> None:
        super().__init__(f"{reason}: {mend}")
        self.reason = reason


class ClockNow(BaseModel):
    """A clock as the desk tells of it."""

    kind: ClockKind
    due: AwareDatetime
    stopped_at: AwareDatetime | None


class Standing(BaseModel):
    """A notification as the desk tells of it."""

    id: str
    child: UUID
    received_at: AwareDatetime
    check_state: str
    clocks: list[ClockNow]

    def stopped(self, kind: ClockKind) -> datetime | None:
        """When its clock of this kind was stopped."""
        return next((clock.stopped_at for clock in self.clocks if clock.kind == kind), None)


class Doors:
    """Intake as one source, the desk as one worker. Use it as an async context."""

    def __init__(
        self, settings: GoLiveSettings, source: str, worker: str, told: Callable[[str], None]
    ) -> None:
        session = settings.desk_session.get_secret_value()
        named = {"Cookie": f"luotsi_session={session}"} if session else {
            "Authorization": f"Worker {worker}"
        }  # fmt: skip
        token = {"Authorization": f"Bearer {settings.token.get_secret_value()}"}
        self._source = source
        self._told = told
        self._intake = _client(settings.intake_url, token)
        self._desk = _client(f"{settings.desk_url.rstrip('/')}/api/v1", named)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:  # fmt: skip
        await self._intake.aclose()
        await self._desk.aclose()

    async def check(self) -> None:
        """Both doors know who asks; raises `Refused` before anything is sent."""
        answer = await self._ask(self._intake, "GET", f"/v1/messages/{self._source}/none")
        if answer.status_code != HTTPStatus.NOT_FOUND:
            _refuse(answer)
        answer = await self._ask(self._desk, "GET", "/queues/duty/checks?limit=1")
        if answer.status_code != HTTPStatus.OK:
            _refuse(answer)

    async def send(self, matter: Matter) -> Receipt:
        """The receipt, of this time or of the first; raises `Refused`."""
        headers = {"ce-id": matter.id, "Content-Type": "application/json"}
        answer = await self._ask(
            self._intake, "POST", matter.kind.path, content=matter.content, headers=headers
        )
        if answer.status_code != HTTPStatus.ACCEPTED:
            _refuse(answer)
        return Receipt.model_validate_json(answer.content)

    async def standing(self, notification: str) -> Standing | None:
        """How it stands at the desk; None until it is there."""
        answer = await self._ask(self._desk, "GET", f"/notifications/{notification}")
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        if answer.status_code != HTTPStatus.OK:
            _refuse(answer)
        return Standing.model_validate_json(answer.content)

    async def record(self, act: Act, stands: Standing) -> bool:
        """Record an act about one notification; False if it was recorded before."""
        body: dict[str, Any] = {**act.body, "done_at": act.done_at.isoformat()}
        if act.kind == "urgency_answered":
            path = f"/checks/{stands.id}/answer"
        else:
            path = f"/cases/{stands.child}/{PLACES[act.kind]}"
            body["notifications"] = [stands.id]
        answer = await self._ask(self._desk, "POST", path, json=body)
        if answer.status_code == HTTPStatus.CONFLICT and _code(answer) in DONE_BEFORE:
            return False
        if answer.status_code != HTTPStatus.OK:
            _refuse(answer)
        return True

    async def _ask(
        self, client: httpx2.AsyncClient, method: str, path: str, **content: Any
    ) -> httpx2.Response:
        wait = 0.2
        while True:
            try:
                answer = await client.request(method, path, **content)
            except httpx2.TransportError:
                pass
            else:
                if answer.status_code not in AWAY:
                    return answer
            if wait > 1:
                self._told(f"{'intake' if client is self._intake else 'the desk'} is waited for")
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT_S)


def _client(url: str, headers: Mapping[str, str]) -> httpx2.AsyncClient:
    limits = httpx2.Limits(max_connections=AT_ONCE)
    return httpx2.AsyncClient(
        base_url=url, headers=dict(headers), timeout=30, limits=limits, trust_env=False
    )


def _problem(answer: httpx2.Response) -> dict[str, Any]:
    try:
        found = answer.json()
    except ValueError:
        found = None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _code(answer: httpx2.Response) -> str:
    return str(_problem(answer).get("type", "")).rpartition(":")[2] or str(answer.status_code)


def _refuse(answer: httpx2.Response) -> None:
    problem = _problem(answer)
    mend = str(problem.get("detail") or problem.get("title") or "")
    raise Refused(_code(answer), mend)
