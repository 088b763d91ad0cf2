"""Canaries in names, texts, keys and headers; then every sink is searched for them."""

import asyncio
import base64
import json
import re
import subprocess
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx2
import orjson
import pytest

from deploy.local.errors import LocalError
from deploy.local.kafka import ExistingKafka, KafkaNode
from deploy.local.machine import free_port
from deploy.local.mailcatcher import Box, listen
from deploy.local.postgres import ExistingPostgres, PostgresServer, binaries
from deploy.local.system import System
from shared import events
from shared.database import open_pool
from shared.sealing import KeyFile, Sealer
from tests import history
from tests import system as do
from tests.hostile.canaries import GIVEN_HETU, HETU, OTHER_HETU, Flock
from tests.hostile.conftest import a_process
from tests.hostile.inputs import EXTENDED, Hostile, a_body, a_whole, an_envelope
from tests.hostile.send import a_sender

CHANNELS = (
    "routing_queue", "routing_outbox", "intake_outbox", "notifications_outbox",
)  # fmt: skip
MAY_BE_SILENT = {"log of Kafka", f"topic {events.NOTICE}"}
# A page knows its own address, to come back to it when another language is chosen.
OWN_ADDRESS = re.compile(rb'href="[^"]*[?]lang=')
SECRET_TO_ROUTING = {"notifier.name", "notifier.email", "notifier.phone", "notifier.role"}


def a_full_notification(flock: Flock, hetu: str | None) -> dict[str, Any]:
    """Every field that may hold what a person wrote holds a canary."""
    plant = flock.plant
    child: dict[str, Any] = {
        "name": plant("child.name"),
        "address": plant("child.address"),
        "school": plant("child.school"),
        "own_worker": plant("child.own_worker"),
        "guardians": [
            {
                "name": plant("guardian.name"),
                "phone": plant("guardian.phone"),
                "address": plant("guardian.address"),
            }
        ],
    }
    if hetu is not None:
        child["hetu"] = flock.plant_as("child.hetu", hetu)
    return {
        "notifier": {
            "kind": "education",
            "name": plant("notifier.name"),
            "organisation": plant("notifier.organisation"),
            "role": plant("notifier.role"),
            "phone": plant("notifier.phone"),
            "email": f"{flock.plant_plain('notifier.email')}@koulu.example",
        },
        "children": [child],
        **{
            field: plant(field)
            for field in (
                "observations", "acts_done", "bodies_contacted", "earlier_attempts", "expectations",
            )
        },
    }  # fmt: skip


def readable(flock: Flock) -> list[Hostile]:
    """Valid notifications: as UTF-8, with escapes, in structured mode, with a key and headers."""
    found = []
    for number, (hetu, escaped) in enumerate(((HETU, False), (None, True))):
        name = f"readable-{number}"
        body = a_full_notification(flock, hetu)
        value = json.dumps(body, ensure_ascii=escaped).encode()
        foreign = (f"x-{flock.plant_plain('header name')}", flock.plant("header").encode())
        key = flock.plant("key").encode()
        mark = ("ce_urgent", flock.plant("mark").encode())  # whatever is not false is one
        found.append(Hostile(name, key, value, [foreign, mark, *an_envelope(name)], applied=True))
    whole = a_whole("readable-structured", data=a_full_notification(flock, None))
    whole["subject"] = flock.plant("extension")
    value = json.dumps(whole).encode()
    mode = ("content-type", f"{EXTENDED}; note={flock.plant_plain('content-type')}".encode())
    found.append(Hostile("readable-structured", b"k", value, [mode], applied=True))
    return found


def unreadable(flock: Flock) -> list[Hostile]:
    """Messages that are set aside, each with canaries where it is wrong."""

    def about(field: str, **changes: Any) -> Hostile:
        body = a_body() | changes
        value = json.dumps(body, ensure_ascii=False).encode()
        return Hostile(field, flock.plant(f"key of {field}").encode(), value, an_envelope(field))

    def enveloped(field: str, **headers: bytes | None) -> Hostile:
        value = flock.plant(f"value of {field}").encode()
        return Hostile(field, None, value, an_envelope(field, **headers))

    word = flock.plant
    latin = word("latin-1").encode("latin-1")
    return [
        Hostile("junk", b"k", b"{" + word("junk").encode(), an_envelope("junk")),
        Hostile("not-utf-8", b"k", b'{"observations": "\xff' + latin, an_envelope("not-utf-8")),
        Hostile("large", b"k", word("large").encode() * 30_000, an_envelope("large")),
        about("unknown-field", **{word("field name"): word("field value")}),
        about("wrong-code", reasons=[word("reason")]),
        about("wrong-text", observations=[word("text in a list")]),
        about("wrong-language", notifier={"kind": "education", "language": word("language")}),
        about("wrong-email", notifier={"kind": "education", "email": word("email")}),
        about("wrong-kind", notifier={"kind": word("kind"), "name": word("name beside kind")}),
        about("long-name", children=[{"name": word("long name") * 10}]),
        about("wrong-hetu", children=[{"hetu": flock.plant_plain("hetu")}]),
        about("wrong-day", children=[{"name": "x", "birth_date": word("day")}]),
        about("wrong-time", arrived_at=word("time")),
        enveloped("type", ce_type=word("type").encode()),
        enveloped("marked", ce_type=word("marked type").encode(), ce_urgent=b"true"),
        enveloped("version", ce_specversion=word("version").encode()),
        enveloped("id-not-utf-8", ce_id=word("id").encode("latin-1")),
        enveloped("id-with-name", ce_id=word("id with å").encode()),
        enveloped("id-with-hetu", ce_id=flock.plant_as("id with hetu", OTHER_HETU).encode()),
        enveloped("source-with-name", ce_source=word("source with å").encode()),
        enveloped("mode", **{"content-type": f"{EXTENDED}; {word('mode')}".encode()}),
        Hostile(
            "doubled", b"k", word("doubled value").encode(),
            [*an_envelope("doubled"), ("ce_id", word("doubled id").encode())],
        ),
        Hostile(
            "structured", b"k",
            json.dumps(a_whole("structured", source=word("source"), data=word("data"))).encode(),
            [("content-type", EXTENDED.encode())],
        ),
    ]  # fmt: skip


async def test_no_sink_shows_what_a_person_wrote(
    three: System,
    tmp_path: Path,
    kafka: KafkaNode | ExistingKafka,
    postgres: PostgresServer | ExistingPostgres,
) -> None:
    flock = Flock()
    messages = [*readable(flock), *unreadable(flock)]
    box = Box(tmp_path / "mail")
    told: list[bytes] = []
    async with mail(three, box), listening(three.admin_url, told):
        async with a_sender(three) as sender:
            for number, message in enumerate(messages):
                await sender.send(message, number % events.PARTITIONS)
        await history.settled(three)
        answers = await over_http(three, flock)
        answers += await at_the_desk(three, flock)
        await history.settled(three)
        await do.until("the mails are out", lambda: mails_are_out(three))
        metrics = [await page(r.url + "/metrics") for r in three.services.values()]
    await history.check(three)

    await they_are_found_where_they_belong(three, flock)
    sinks = {
        "answers and error pages": b"\n".join(answers),
        "metrics": b"\n".join(metrics),
        "NOTIFY": b"\n".join(told),
        "dump of the database": dump(three.admin_url, await tables(three.admin_url)),
        "mails": b"\n".join(m.text.encode() + m.subject.encode() for m in box.newest()),
        **{f"log {f.name}": f.read_bytes() for f in three.directory.glob("*.log")},
        **{f"topic {t}": await topic(three, t) for t in events.TOPICS if t not in INBOUND},
    }
    for name, server in (("Kafka", kafka), ("PostgreSQL", postgres)):
        if isinstance(server, KafkaNode | PostgresServer):
            sinks[f"log of {name}"] = server.log_file.read_bytes()
    assert {} == {name: seen for name, sink in sinks.items() if (seen := flock.seen_in(sink))}
    silent = {name for name, sink in sinks.items() if not sink} - MAY_BE_SILENT
    assert set() == silent, "nothing was searched there"


INBOUND = events.INBOUND_TOPICS


@asynccontextmanager
async def mail(system: System, box: Box) -> AsyncIterator[None]:
    """A mail catcher, and notifications that send to it."""
    port = free_port()
    server = await listen(box, port)
    sending = a_process(system, "notifications", send="true", smtp_port=str(port))
    try:
        await do.until_ready([sending])
        yield
    finally:
        await asyncio.to_thread(sending.process.stop)
        server.close()


async def mails_are_out(system: System) -> bool:
    waiting = "SELECT count(*) FROM notifications.notice WHERE state = 'created'"
    return bool(0 == await do.value(system.admin_url, waiting))


@asynccontextmanager
async def listening(url: str, told: list[bytes]) -> AsyncIterator[None]:
    """Keep the payload of every NOTIFY."""
    conn = await asyncpg.connect(url)

    def keep(_conn: object, _pid: int, channel: str, payload: object) -> None:
        told.append(f"{channel} {payload}".encode())

    for channel in CHANNELS:
        await conn.add_listener(channel, keep)
    try:
        yield
    finally:
        await conn.close()


# --- doing things ---------------------------------------------------------------------------------


async def over_http(system: System, flock: Flock) -> list[bytes]:
    """The same over HTTP; what intake answers to it, and to strange questions."""
    token = {"authorization": f"Bearer {system.secrets['test-source']}"}
    plant = flock.plant
    found = []
    async with httpx2.AsyncClient(
        base_url=system.services["intake-1"].url, trust_env=False
    ) as client:

        async def ask(method: str, path: str, **more: Any) -> None:
            more["headers"] = {**token, **more.get("headers", {})}
            answer = await client.request(method, path, **more)
            found.append(answer.content + repr(sorted(answer.headers.items())).encode())

        for ident, body in (
            ("h-1", a_full_notification(flock, None)),
            ("h-2", {plant("http field"): plant("http value")}),
            ("h-3", a_full_notification(flock, None) | {"knowledge": plant("http code")}),
        ):
            for path in ("/v1/check", "/v1/notifications"):
                await ask("POST", path, json=body, headers={"ce-id": ident})
        for file, kind in (
            (plant("http file"), "text/plain"),
            ("<html>" + plant("http file refused"), "text/plain"),
            (plant("http file of another type"), flock.plant_plain("http type of a file")),
        ):
            await ask("POST", "/v1/attachments", content=file, headers={"content-type": kind})
        name = flock.plant_plain("http header name")
        await ask("POST", "/v1/notifications", headers={f"x-{name}": plant("http header").encode()})
        await ask(
            "POST",
            "/v1/notifications",
            headers={"ce-id": "not an id: " + flock.plant_plain("http id")},
        )
        await ask("POST", f"/v1/notifications?name={plant('query')}", headers={"ce-id": "h-4"})
        await ask("GET", f"/{plant('path')}")
        wrong = {"authorization": f"Bearer {flock.plant_plain('token')}"}
        await ask("POST", "/v1/notifications", headers=wrong)
        as_desk = {
            "authorization": f"Bearer {system.secrets['desk']}", "x-luotsi-worker": "aino",
        }  # fmt: skip
        identity = {"child": plant("identity child"), "hetu": plant("identity hetu")}
        await ask("POST", "/internal/identity", json=identity, headers=as_desk)
        await ask("GET", f"/internal/set-aside/{flock.plant_plain('item')}", headers=as_desk)
        await ask("GET", f"/internal/where/{plant('where')}", headers=as_desk)
    return found


async def at_the_desk(system: System, flock: Flock) -> list[bytes]:
    """A worker writes reasons and names, and asks what cannot be; the answers that are errors."""
    child = await do.value(
        system.admin_url, "SELECT child FROM routing.child_case WHERE provisional LIMIT 1"
    )
    notification = await do.value(
        system.admin_url, "SELECT id FROM routing.notification WHERE child = $1", child
    )
    plant = flock.plant
    found = []
    async with httpx2.AsyncClient(
        base_url=system.services["desk-1"].url,
        headers={"authorization": "Worker aino"},
        trust_env=False,
    ) as client:
        check = f"/api/v1/checks/{notification}/answer"
        reason = {"answer": "not_urgent", "reason": plant("worker's reason")}
        card = {"hetu": flock.plant_as("given hetu", GIVEN_HETU), "name": plant("given name")}
        for path, body in (
            (check, reason),
            (f"/api/v1/cases/{child}/identity", card),
        ):
            answer = await client.post(path, json=body)
            assert answer.is_success, answer.text
            found.append(answer.content)
        await history.settled(system)
        for method, path, more in (
            ("POST", check, {"answer": plant("desk answer"), "reason": plant("desk reason")}),
            ("POST", f"/api/v1/checks/{plant('desk path')}/answer", reason),
            ("POST", f"/api/v1/cases/{child}/identity", {"hetu": plant("desk hetu"), "name": "x"}),
            ("GET", f"/cases/{plant('desk case')}", None),
            ("GET", f"/queues/{plant('desk queue')}", None),
            ("GET", f"/queues/duty/checks?after={plant('desk query')}", None),
            ("GET", f"/{plant('desk page')}", None),
            ("POST", "/login", {"worker": plant("desk login")}),
        ):
            answer = await client.request(method, path, json=more)
            shown = OWN_ADDRESS.sub(b"", answer.content)
            found.append(shown + repr(sorted(answer.headers.items())).encode())
    return found


# --- sinks ----------------------------------------------------------------------------------------


async def page(url: str) -> bytes:
    async with httpx2.AsyncClient(trust_env=False) as client:
        return (await client.get(url)).content


async def topic(system: System, name: str) -> bytes:
    """Keys, headers and values of a whole topic."""
    return b"\n".join(
        b"\n".join([r.key or b"", r.value or b"", *(n.encode() + (v or b"") for n, v in r.headers)])
        for r in await do.everything(system, name)
    )


async def tables(url: str) -> list[str]:
    rows = await do.fetch(
        url,
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables "
        "WHERE schemaname IN ('intake', 'routing', 'notifications', 'keys')",
    )
    return [row["name"] for row in rows]


def dump(url: str, names: Iterable[str]) -> bytes:
    """The whole database as text: by pg_dump, else each table by itself (bytea is hex in both)."""
    try:
        program = binaries() / "pg_dump"
    except LocalError:
        program = Path("pg_dump")
    if program.exists():
        parts = urlsplit(url)
        done = subprocess.run(
            [program, "--host", parts.hostname or "", "--port", str(parts.port), "--username",
             parts.username or "", parts.path[1:]],
            env={"PGPASSWORD": parts.password or ""}, capture_output=True, check=True,
        )  # fmt: skip
        return done.stdout
    return asyncio.run(copied(url, names))


async def copied(url: str, names: Iterable[str]) -> bytes:
    conn = await asyncpg.connect(url)
    try:
        parts = [repr(await conn.fetch(f"SELECT t::text FROM {name} t")) for name in names]  # noqa: S608 -- the catalogue's own names
    finally:
        await conn.close()
    return "\n".join(parts).encode()


# --- where they must be found ---------------------------------------------------------------------


async def they_are_found_where_they_belong(system: System, flock: Flock) -> None:
    """The search finds them on the inbound topic, under seal, and on the page of the case."""
    on_the_topic = flock.seen_in(await topic(system, events.INTAKE_NOTIFICATION))
    by_http = {c.field for c in flock.canaries} - on_the_topic
    assert all(field.startswith(("http", "desk", "worker", "given")) or field in {
        "query", "path", "token", "identity child", "identity hetu", "item", "where",
    } for field in by_http), by_http  # fmt: skip

    written = {"child.name", "child.school", "guardian.phone", "child.hetu"}
    assert written <= flock.seen_in(await opened_cards(system))
    shown = set()
    for row in await do.fetch(system.admin_url, "SELECT child FROM routing.child_case"):
        async with httpx2.AsyncClient(
            base_url=system.services["desk-1"].url,
            headers={"authorization": "Worker aino"},
            trust_env=False,
        ) as client:
            answer = await client.get(f"/cases/{row['child']}")
        assert 200 == answer.status_code
        shown |= flock.seen_in(answer.content)
    assert {*written, "observations", "expectations", "worker's reason", "given name"} <= shown
    assert set() == shown & SECRET_TO_ROUTING


async def opened_cards(system: System) -> bytes:
    """The person cards of all signals, opened with the keys of this system."""
    sealer = Sealer(KeyFile(system.key_file))
    pool = await open_pool(system.admin_url, "intake", size=1)
    cards = []
    try:
        for record in await do.everything(system, events.SIGNAL):
            signal = orjson.loads(record.value or b"")
            if signal["kind"] == "notification":
                async with pool.acquire() as conn:
                    await sealer.load(
                        conn, [events.Signal.model_validate(signal, strict=False).child]
                    )
                cards.append(sealer.open(signal["person"], "person", signal["id"]))
    finally:
        await pool.close()
    return b"\n".join(cards)


@pytest.mark.parametrize("dress", ["plain", "escaped", "hex", "base64", "url", "latin-1"])
def test_the_search_finds_a_canary_in_every_dress(dress: str) -> None:
    flock = Flock()
    word = flock.plant("field").split(" ")[1]
    content = {
        "plain": word.encode(),
        "escaped": json.dumps({"x": word}).encode(),
        "hex": b"\\x00" + word.encode().hex().encode(),
        "base64": base64.b64encode(b"ab" + word.encode() + b"c"),
        "url": str(httpx2.URL("http://x", params={"q": word})).encode(),
        "latin-1": word.encode("latin-1"),
    }[dress]
    assert {"field"} == flock.seen_in(content)
