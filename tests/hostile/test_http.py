"""The same hostile contents at the HTTP door: refused with a mend, kept, and never a 5xx."""

from collections import Counter
from typing import Any

import httpx2

from deploy.local.system import System
from shared.kinds import BY_TYPE, NOTIFICATION
from tests import history
from tests import system as do
from tests.hostile.inputs import EXTENDED, Hostile, hostile_messages

PROBLEM = "application/problem+json"
ABOUT_THE_ENVELOPE = ("header-", "foreign-header-", "envelope-", "key-", "tombstone")


def client(system: System, token: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        base_url=system.services["intake-1"].url,
        headers={"Authorization": f"Bearer {system.secrets[token]}"},
        trust_env=False,
        timeout=30,
    )


def contents() -> list[Hostile]:
    """Messages whose strangeness lies in their content."""
    return [m for m in hostile_messages() if not m.name.startswith(ABOUT_THE_ENVELOPE)]


def mode_of(message: Hostile) -> str:
    return dict(message.headers).get("content-type", b"").decode()  # type: ignore[union-attr]


def path_of(message: Hostile) -> str:
    type_ = dict(message.headers).get("ce_type") or b""
    return BY_TYPE.get(type_.decode(), NOTIFICATION).path


async def test_hostile_content_over_http_is_refused_with_a_mend_and_kept(two: System) -> None:
    seen: Counter[int] = Counter()
    async with client(two, "test-source") as source, client(two, "desk") as desk:
        for message in contents():
            answer = await source.post(
                path_of(message),
                content=message.value,
                headers={"ce-id": message.name, "content-type": mode_of(message)},
            )
            seen[answer.status_code] += 1
            wanted = {True: {202}, False: {400, 413, 422}, None: {202, 422}}[message.applied]
            assert answer.status_code in wanted, (message.name, answer.text)
            if answer.status_code != 202:
                a_problem(answer)
                await kept(desk, answer.json()["receipt_id"], message.value or b"")
    await history.settled(two)
    await history.check(two)
    await history.nothing_unaccounted(two)
    assert len(contents()) == seen.total()
    open_items = await do.value(
        two.admin_url, "SELECT count(*) FROM routing.duty_item WHERE closed_at IS NULL"
    )
    assert len(contents()) - seen[202] == open_items


def a_problem(answer: httpx2.Response) -> dict[str, Any]:
    """RFC 9457, with what to do about it."""
    assert answer.headers["content-type"].startswith(PROBLEM)
    body: dict[str, Any] = answer.json()
    assert answer.status_code == body["status"]
    assert body["title"]
    assert body["detail"], body
    return body


async def kept(desk: httpx2.AsyncClient, item: str, content: bytes) -> None:
    answer = await desk.get(f"/internal/set-aside/{item}", headers={"X-Luotsi-Worker": "aino"})
    assert 200 == answer.status_code
    assert content.decode("utf-8", "replace")[:200_000] == answer.json()["content"]


async def test_a_hostile_envelope_over_http_is_refused_with_a_mend_and_kept(two: System) -> None:
    value = b"{}"
    envelopes: list[list[tuple[bytes, bytes]]] = [
        [],
        [(b"ce-id", b"")],
        [(b"ce-id", b"\xff\xfe")],
        [(b"ce-id", "ä".encode())],
        [(b"ce-id", b"a b")],
        [(b"ce-id", b"a" * 129)],
        [(b"ce-id", b"010594Y9032")],
        [(b"content-type", b"\xff")],
        [(b"content-type", EXTENDED.encode())],
        [(b"content-type", EXTENDED.encode()), (b"ce-id", b"n-1")],
    ]
    async with client(two, "test-source") as source, client(two, "desk") as desk:
        for pairs in envelopes:
            answer = await source.post("/v1/notifications", content=value, headers=pairs)
            assert 400 == answer.status_code, (pairs, answer.text)
            await kept(desk, a_problem(answer)["receipt_id"], value)
        for token in ("", "Bearer", "Bearer x", "Basic eDp5", "Bearer \xff"):
            answer = await source.post(
                "/v1/notifications",
                content=value,
                headers=[(b"authorization", token.encode("latin-1")), (b"ce-id", b"n-1")],
            )
            assert 401 == answer.status_code, token
            a_problem(answer)
    assert len(envelopes) == await do.value(
        two.admin_url, "SELECT count(*) FROM intake.event_log WHERE outcome = 'quarantined'"
    )


async def test_strange_questions_to_intake_are_answered(two: System) -> None:
    """Ids that no event has, in the paths that the desk and `luotsi where` ask."""
    async with client(two, "desk") as desk:
        for path in ("%00", "%ff", "a%00b", "%25", "x" * 5000, "../..", "%0a", "a'b"):
            for where in ("where", "set-aside"):
                answer = await desk.get(
                    f"/internal/{where}/{path}", headers={"X-Luotsi-Worker": "aino"}
                )
                assert answer.status_code < 500, (where, path, answer.text)
        answer = await desk.post(
            "/internal/identity",
            content=b'{"child": "\xff"}',
            headers={"X-Luotsi-Worker": "aino", "content-type": "application/json"},
        )
        assert answer.status_code < 500
