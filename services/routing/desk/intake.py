"""What a worker does to intake's things: asked of intake over HTTP, in the worker's name."""

from collections.abc import Sequence
from functools import cached_property
from ssl import SSLContext
from typing import Any
from uuid import UUID

import httpx2

from services.routing.desk.faults import Conflict, Fault, Gone, NotThere, Refused, Unavailable
from services.routing.desk.sessions import Worker
from services.routing.settings import RoutingSettings

SECONDS = 10.0
AT_MOST = 2.0  # seconds for what a page shows the rest without
_KNOWN = frozenset({"invalid-hetu", "same-child"})
_CONFLICTS = frozenset({"already-identified", "known-identity", "joined-already", "not-joined"})


class Intake:
    """Intake's internal API; every call is audited there before it answers."""

    def __init__(
        self, settings: RoutingSettings, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self._url = settings.intake_url
        self._token = settings.intake_token
        self._transport = transport

    async def give_identity(
        self, worker: Worker, child: UUID, hetu: str, name: str, *, changed: bool = False
    ) -> None:
        """Say who a provisional child is, or that a known child's henkilötunnus has changed."""
        body: dict[str, Any] = {"child": str(child), "hetu": hetu, "name": name or None}
        if changed:
            body["changed"] = True
        await self._ask(worker, "POST", "/internal/identity", body)

    async def join(self, worker: Worker, child: UUID, other: UUID) -> tuple[UUID, UUID]:
        """Say that two children are one; who was joined, and who keeps the case."""
        body = {"child": str(child), "other": str(other)}
        return _two(await self._ask(worker, "POST", "/internal/merge", body))

    async def separate(self, worker: Worker, child: UUID) -> tuple[UUID, UUID]:
        """Say that a joined child is another one after all; who that is, and who kept the case."""
        return _two(await self._ask(worker, "POST", "/internal/separate", {"child": str(child)}))

    async def split(self, worker: Worker, child: UUID, signals: Sequence[str]) -> tuple[UUID, UUID]:
        """Say that these messages are about somebody else; the new child, and the old one."""
        body = {"child": str(child), "signals": list(signals)}
        return _two(await self._ask(worker, "POST", "/internal/split", body))

    async def suggestions(self, worker: Worker, child: UUID) -> list[tuple[UUID, tuple[str, ...]]]:
        """Children who may be the same person as this one, the likeliest first, with reasons."""
        body = {"child": str(child)}
        answer = await self._ask(worker, "POST", "/internal/suggestions", body, AT_MOST)
        return [(UUID(s["child"]), tuple(s["reasons"])) for s in answer["suggestions"]]

    async def original(self, worker: Worker, item: UUID) -> dict[str, Any]:
        """A set-aside message as it came, with its reason."""
        return await self._ask(worker, "GET", f"/internal/set-aside/{item}")

    async def urgent_original(self, worker: Worker, item: UUID) -> dict[str, Any]:
        """A marked message as it came, while its turn has not come."""
        return await self._ask(worker, "GET", f"/internal/urgent/{item}")

    async def redrive(self, worker: Worker, item: UUID) -> None:
        """Take a set-aside message again; intake then tells routing that it is closed."""
        await self._ask(worker, "POST", f"/internal/set-aside/{item}/redrive")

    async def close(self, worker: Worker, item: UUID) -> None:
        """A person has dealt with a set-aside message: intake need not show it as open."""
        await self._ask(worker, "POST", f"/internal/set-aside/{item}/close")

    async def attachment(self, worker: Worker, message: UUID, ident: UUID) -> bytes:
        """A file that an accepted message names; `message` is its receipt id."""
        path = f"/internal/messages/{message}/attachments/{ident}"
        answer = await self._answer(worker, "GET", path)
        if answer.status_code == 410:
            raise Gone("erased-attachment")
        if not answer.is_success:
            raise _fault(answer)
        return answer.content

    async def _ask(
        self, worker: Worker, method: str, path: str, body: object = None,
        seconds: float = SECONDS,
    ) -> dict[str, Any]:  # fmt: skip
        answer = await self._answer(worker, method, path, body, seconds)
        if answer.is_success:
            content: dict[str, Any] = answer.json()
            return content
        raise _fault(answer)

    @cached_property
    def _tls(self) -> SSLContext:
        """Read once: it takes longer than a whole page may."""
        return httpx2.create_ssl_context(trust_env=False)

    async def _answer(
        self, worker: Worker, method: str, path: str, body: object = None,
        seconds: float = SECONDS,
    ) -> httpx2.Response:  # fmt: skip
        headers = {
            "Authorization": f"Bearer {self._token.get_secret_value()}",
            "X-Luotsi-Worker": worker.id,
        }
        try:
            async with httpx2.AsyncClient(
                base_url=self._url,
                timeout=seconds,
                transport=self._transport,
                trust_env=False,
                verify=self._tls,
            ) as client:
                return await client.request(method, path, headers=headers, json=body)
        except httpx2.HTTPError as error:
            raise Unavailable("intake-away") from error


def _two(answer: dict[str, Any]) -> tuple[UUID, UUID]:
    return UUID(answer["merged"]), UUID(answer["kept"])


def _fault(answer: httpx2.Response) -> Fault:
    other = None
    try:
        problem = answer.json()
        kind = str(problem["type"]).rpartition(":")[2]
        other = UUID(problem["other"]) if "other" in problem else None
    except (ValueError, KeyError, TypeError):
        kind = ""
    if answer.status_code == 404:
        return NotThere()
    if answer.status_code == 409:
        return Conflict(kind if kind in _CONFLICTS else "already-done", other=other)
    if answer.status_code == 410:
        return Refused("erased-original")
    if answer.status_code == 422:
        return Refused(kind if kind in _KNOWN else "still-fails")
    return Unavailable("intake-away")
