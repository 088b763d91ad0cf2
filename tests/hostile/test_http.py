"""The same hostile messages at the HTTP door: refused with a mend, kept, and never a 5xx."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import product
from typing import Any

import httpx2

from deploy.local.system import System
from shared.kinds import BY_NAME, KINDS, NOTIFICATION
from tests import history
from tests import system as do
from tests.hostile.every_kind import ALL_OR_SOME, hostile_messages
from tests.hostile.inputs import EXTENDED, Hostile, a_body, a_person

PROBLEM = "application/problem+json"
ABOUT_THE_RECORD = ("header-", "foreign-header-", "envelope-", "key-", "tombstone")
DELAY_S = 1.0  # at most so much longer than the longest alone a good request takes among bad ones
EACH = 10  # bad ones to a good one


def client(system: System, token: str) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        base_url=system.services["intake-1"].url,
        headers={"Authorization": f"Bearer {system.secrets[token]}"},
        trust_env=False,
        timeout=30,
    )


def contents(messages: Iterable[Hostile]) -> list[Hostile]:
    """Messages whose strangeness is not that of a Kafka record."""
    return [m for m in messages if not m.name.startswith(ABOUT_THE_RECORD)]


def request_of(message: Hostile) -> tuple[list[tuple[str, str]], bytes]:
    """Headers and body of the same message over HTTP, where the path says the type in v1.

    So another version goes whole into the body, and a type cannot be there twice: the id is.
    """
    values = [(name, (value or b"").decode()) for name, value in message.headers]
    modes = [value for name, value in values if name == "content-type"]
    idents = [message.name, message.name] if message.sort == "doubled-header" else [message.name]
    headers = [("ce-id", ident) for ident in idents] + [("content-type", mode) for mode in modes]
    if message.sort != "unknown-version":
        return headers, message.value or b""
    whole = {name.removeprefix("ce_"): value for name, value in values if name.startswith("ce_")}
    whole["data"] = json.loads(message.value or b"")
    return [("content-type", EXTENDED)], json.dumps(whole).encode()


async def a_good_one(source: httpx2.AsyncClient, number: int) -> float:
    """The seconds until it is taken."""
    started = time.monotonic()
    answer = await source.post(
        NOTIFICATION.path, json=a_body(children=[a_person(number)]),
        headers={"ce-id": f"good-{number}"},
    )  # fmt: skip
    assert answer.status_code == 202, answer.text
    return time.monotonic() - started


@ALL_OR_SOME
async def test_hostile_content_over_http_is_refused_with_a_mend_and_kept(
    two: System, messages: Callable[[], Sequence[Hostile]]
) -> None:
    sent = contents(messages())
    seen: Counter[int] = Counter()
    among = []
    looked_at: set[tuple[str, str]] = set()
    async with client(two, "test-source") as source, client(two, "desk") as desk:
        alone = [await a_good_one(source, number) for number in range(50)]
        for number, message in enumerate(sent):
            headers, body = request_of(message)
            path = BY_NAME[message.kind].path
            answer = await source.post(path, content=body, headers=headers)
            seen[answer.status_code] += 1
            wanted = {True: {202}, False: {400, 413, 422}, None: {202, 422}}[message.applied]
            assert answer.status_code in wanted, (message.name, answer.text)
            if answer.status_code != 202:
                a_problem(answer)
                if (sort := (message.kind, message.sort)) not in looked_at or not message.sort:
                    await kept(desk, answer.json()["receipt_id"], body)
                    looked_at.add(sort)
            if number % EACH == 0:
                among.append(await a_good_one(source, 1000 + number))
    assert max(among) < max(alone) + DELAY_S
    await history.settled(two)
    without = {kind.name for kind in KINDS if kind.type in history.WITHOUT_CHILDREN}
    await history.check(two, {("test-source", m.name) for m in sent if m.kind in without})
    await history.nothing_unaccounted(two)
    assert len(sent) == seen.total()
    open_items = await do.value(
        two.admin_url, "SELECT count(*) FROM routing.duty_item WHERE closed_at IS NULL"
    )
    assert len(sent) - seen[202] == open_items
    assert len(contents(hostile_messages())) >= 1000


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
        [(b"ce-id", b"n-1"), (b"ce-id", b"n-2")],
    ]
    async with client(two, "test-source") as source, client(two, "desk") as desk:
        for path, pairs in product([kind.path for kind in KINDS], envelopes):
            answer = await source.post(path, content=value, headers=pairs)
            assert 400 == answer.status_code, (path, pairs, answer.text)
            await kept(desk, a_problem(answer)["receipt_id"], value)
            other = await source.post(path.replace("/v1/", "/v2/"), content=value, headers=pairs)
            assert 404 == other.status_code, "another version of the interface is not there"
        for token in ("", "Bearer", "Bearer x", "Basic eDp5", "Bearer \xff"):
            answer = await source.post(
                "/v1/notifications",
                content=value,
                headers=[(b"authorization", token.encode("latin-1")), (b"ce-id", b"n-1")],
            )
            assert 401 == answer.status_code, token
            a_problem(answer)
    assert len(KINDS) * len(envelopes) == await do.value(
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
