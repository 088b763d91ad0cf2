"""A message whose sender marks immediate danger, from both of its readers to the duty desk."""

import asyncio
import hashlib
import itertools
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import SecretStr

from deploy.local.system import System
from services.intake import store as intake_store
from services.intake.api import api_routes
from services.intake.handlers import messages
from services.intake.settings import IntakeSettings
from services.intake.urgent import keep_ahead
from services.routing.handlers import signals
from services.routing.urgent import urgent_items
from shared import events, store
from shared.database import Pool, open_pool
from shared.events import CaseEvent
from shared.inbox import Inbox, Raw
from shared.migrate import head, service_url
from shared.sealing import KeyFile, Sealer
from shared.service import Process, application
from shared.store import LogRow, Outgoing
from tests import system as do
from tests.builders import SetClock, key_file, routing_rules
from tests.system import NOTIFICATION, headers

NOW = datetime(2026, 11, 17, 9, 0, tzinfo=UTC)
MARK = ("ce_urgent", b"true")
SISTER = {"hetu": "020594X903P", "name": "Testi Sisko"}
DESK = {"authorization": "Bearer token-of-desk", "x-luotsi-worker": "w-1"}


@dataclass
class Way:
    """Intake's inbox and lane, and routing's inboxes, over one database; no Kafka between them."""

    intake: Pool
    routing: Pool
    owner: asyncpg.Connection
    sealer: Sealer
    inbox: Inbox[events.Message]
    http: httpx2.AsyncClient
    clock: SetClock
    offsets: Any = field(default_factory=itertools.count)
    places: Any = field(default_factory=itertools.count)

    async def arrived(self, content: Any = NOTIFICATION, *marks: Any, ident: str = "n-1") -> Raw:
        """A record on intake's topic that nobody has read."""
        body = content if isinstance(content, bytes) else orjson.dumps(content)
        async with self.intake.acquire() as conn:
            door = await store.door(conn, "intake", "cluster", events.INTAKE_NOTIFICATION)
        pairs = [*headers("school-1", ident), *marks]
        return Raw(0, next(self.offsets), self.clock(), b"k", pairs, body, door)

    async def ahead(self, *raws: Raw) -> list[Outgoing]:
        """The lane has seen these."""
        async with self.intake.acquire() as tx, tx.transaction():
            return await keep_ahead(tx, self.sealer, raws)

    async def turn(self, raw: Raw) -> LogRow:
        """The record's turn has come."""
        assert raw.door is not None
        async with self.intake.acquire() as tx, tx.transaction():
            return (await self.inbox.take(tx, raw.door, [self.inbox.read(raw)]))[0]

    async def route(self, answers: Sequence[Outgoing], *topics: str) -> list[CaseEvent]:
        """Routing takes what intake said on these topics; what it answers."""
        told: list[CaseEvent] = []
        rules = routing_rules()
        for topic in topics or (events.URGENT, events.SIGNAL):
            inbox: Inbox[Any] = (
                urgent_items(rules, self.clock)
                if topic == events.URGENT
                else signals(rules, self.clock)
            )
            for answer in [answer for answer in answers if answer.topic == topic]:
                raw = Raw(0, next(self.places), self.clock(), answer.key, (), answer.value)
                async with self.routing.acquire() as tx, tx.transaction():
                    door = await store.door(tx, topic, "cluster", topic)
                    rows = await inbox.take(tx, door, [inbox.read(raw)])
                told += [CaseEvent.model_validate_json(a.value) for a in rows[0].answers]
        return told

    async def items(self) -> list[tuple[str, bool, str | None]]:
        """The duty items: outcome, whether urgent, how closed."""
        rows = await self.owner.fetch(
            "SELECT outcome, urgent, closed_by FROM routing.duty_item ORDER BY opened_at, outcome"
        )
        return [tuple(row) for row in rows]

    async def running(self, about: str) -> dict[str, datetime]:
        """The clocks that run about something, with their beginning."""
        rows = await self.owner.fetch(
            "SELECT kind, started_at FROM routing.clock WHERE about = $1 AND stopped_at IS NULL",
            about,
        )
        return {row["kind"]: row["started_at"] for row in rows}

    async def checks(self) -> list[tuple[str, bool, datetime]]:
        rows = await self.owner.fetch(
            "SELECT check_state, flagged, received_at FROM routing.notification"
        )
        return [tuple(row) for row in rows]


@pytest.fixture
async def way(database_url: str, tmp_path: Path) -> AsyncIterator[Way]:
    keys = key_file(tmp_path)
    tokens = {
        hashlib.sha256(f"token-of-{name}".encode()).hexdigest(): name
        for name in ("desk", "school-1")
    }
    (tmp_path / "tokens.json").write_bytes(orjson.dumps(tokens))
    url = service_url(database_url, "intake", "luotsi")
    settings = IntakeSettings(
        database_url=SecretStr(url), key_file=keys, tokens_file=tmp_path / "tokens.json"
    )
    clock = SetClock(NOW)
    sealer = Sealer(KeyFile(keys))
    inbox = messages(sealer, clock)
    intake = await open_pool(url, "intake", size=3)
    routing = await open_pool(service_url(database_url, "routing", "luotsi"), "routing", size=3)
    owner = await asyncpg.connect(database_url)
    process = Process("intake", "intake", head("intake"), settings, _pool=intake)
    app = application(process)
    api_routes(app, process, settings, sealer, inbox, clock)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://intake") as http:
        yield Way(intake, routing, owner, sealer, inbox, http, clock)
    await owner.close()
    await intake.close()
    await routing.close()


def urgent(answers: Sequence[Outgoing]) -> list[Any]:
    return [orjson.loads(a.value) for a in answers if a.topic == events.URGENT]


def told_on_signal(row: LogRow) -> list[Any]:
    return [orjson.loads(a.value) for a in row.answers if a.topic == events.SIGNAL]


# --- before its turn ----------------------------------------------------------------------------


async def test_the_item_stands_with_the_urgency_clock_alone_and_alarms_as_urgent(way: Way) -> None:
    raw = await way.arrived(NOTIFICATION, MARK)

    told = await way.route(await way.ahead(raw))

    (opened,) = told
    assert ("duty_item_opened", True) == (opened.kind, opened.urgent)
    assert [("urgent", True, None)] == await way.items()
    assert {"urgency": NOW} == await way.running(str(opened.child))


async def test_the_original_can_be_opened_before_its_turn_and_who_opens_it_is_noted(
    way: Way,
) -> None:
    (said,) = urgent(await way.ahead(await way.arrived(NOTIFICATION, MARK)))

    answer = await way.http.get(f"/internal/urgent/{said['item']}", headers=DESK)
    source = {"authorization": "Bearer token-of-school-1", "x-luotsi-worker": "w-1"}
    turned_away = await way.http.get(f"/internal/urgent/{said['item']}", headers=source)

    audit = await way.owner.fetch("SELECT actor, act, subject FROM intake.audit")
    assert "huolestaan" in answer.json()["content"]
    assert [("w-1", "open-original", said["item"])] == [tuple(row) for row in audit]
    assert 403 == turned_away.status_code


async def test_nothing_of_a_person_is_said_or_kept_in_the_clear(way: Way) -> None:
    said = await way.ahead(await way.arrived(NOTIFICATION, MARK))

    (kept,) = await way.owner.fetch("SELECT * FROM intake.urgent_message")
    everything = b"".join(b"".join([a.key, a.id.encode(), a.value]) for a in said) + kept["body"]
    for secret in (b"Testi", b"010594", b"huolestaan", b"opettaja", b"school-1"):
        assert secret not in everything
    assert {"id", "item", "state", "reason", "received_at"} == set(urgent(said)[0])


async def test_a_record_seen_twice_is_kept_once_and_makes_one_item(way: Way) -> None:
    raw = await way.arrived(NOTIFICATION, MARK)

    first, again = await way.ahead(raw), await way.ahead(raw)
    await way.route(first)
    await way.route(again)

    assert first == again
    assert [("urgent", True, None)] == await way.items()
    assert 1 == await way.owner.fetchval("SELECT count(*) FROM intake.urgent_message")


# --- when its turn has come ---------------------------------------------------------------------


async def test_the_item_closes_when_the_check_stands_open_first_and_from_the_same_time(
    way: Way,
) -> None:
    raw = await way.arrived(NOTIFICATION, MARK)
    await way.route(await way.ahead(raw))
    way.clock.forward(minutes=5)

    told = await way.route((await way.turn(raw)).answers)

    assert ["screened", "duty_item_closed"] == [each.kind for each in told]
    assert told[0].urgent
    assert [("urgent", True, "screened")] == await way.items()
    assert [("open", True, NOW)] == await way.checks()
    assert {} == await way.running(str(told[1].child))
    assert NOW == (await way.running(str(told[0].about)))["urgency"]


async def test_an_unmarked_message_makes_no_item(way: Way) -> None:
    raw = await way.arrived(NOTIFICATION, ("ce_urgent", b"false"))

    row = await way.turn(raw)
    await way.route(row.answers)

    assert [] == urgent(row.answers)
    assert [] == await way.items()
    assert [("open", False, NOW)] == await way.checks()


async def test_an_item_told_of_after_its_signal_does_not_open(way: Way) -> None:
    row = await way.turn(await way.arrived(NOTIFICATION, MARK))

    await way.route(row.answers, events.SIGNAL, events.URGENT)

    assert [] == await way.items()
    assert [("open", True, NOW)] == await way.checks()


async def test_a_turn_that_comes_first_keeps_the_original_for_the_item_too(way: Way) -> None:
    raw = await way.arrived(NOTIFICATION, MARK)
    row = await way.turn(raw)
    await way.route(row.answers, events.URGENT)
    late = await way.ahead(raw)
    await way.route(late)

    (item,) = urgent(row.answers)
    answer = await way.http.get(f"/internal/urgent/{item['item']}", headers=DESK)
    assert urgent(late) == [item]
    assert [("urgent", True, None)] == await way.items()
    assert "huolestaan" in answer.json()["content"]


async def test_the_item_stays_until_the_check_of_every_child_stands_open(way: Way) -> None:
    both = {**NOTIFICATION, "children": [*NOTIFICATION["children"], SISTER]}
    raw = await way.arrived(both, MARK)
    said = await way.ahead(raw)
    row = await way.turn(raw)
    one, other = [answer for answer in row.answers if answer.topic == events.SIGNAL]

    await way.route([one])
    await way.route(said)  # and between the two
    between = await way.items()
    await way.route([other])

    assert [("urgent", True, None)] == between
    assert [("urgent", True, "screened")] == await way.items()


@pytest.mark.parametrize("first", [events.URGENT, events.SIGNAL])
async def test_one_that_is_set_aside_stands_first_as_that_and_as_nothing_else(
    way: Way, first: str
) -> None:
    raw = await way.arrived({**NOTIFICATION, "observations": ""}, MARK)
    said = await way.ahead(raw)
    row = await way.turn(raw)
    second = events.SIGNAL if first == events.URGENT else events.URGENT

    told = await way.route([*said, *row.answers], first, second)

    open_ = [item for item in await way.items() if item[2] is None]
    assert [("quarantined", True, None)] == open_
    assert all(each.urgent for each in told if each.kind == "duty_item_opened")
    (opened,) = told_on_signal(row)
    assert 4 == len(await way.running(opened["item"]))
    assert {} == await way.running(opened["urgent_item"])


async def test_a_set_aside_one_taken_again_is_an_urgent_matter_still(way: Way) -> None:
    raw = await way.arrived(b'{"observations": 5}', MARK)
    row = await way.turn(raw)
    await way.route(row.answers)
    (opened,) = told_on_signal(row)
    mended = await way.turn(await way.arrived(NOTIFICATION, MARK))  # sent again under its id
    await way.route(mended.answers)

    assert [("open", True, NOW)] == await way.checks()
    assert [] == [item for item in await way.items() if item[2] is None]
    assert opened["item"] in {each.get("item") for each in told_on_signal(mended)}


async def test_a_repeat_of_a_marked_message_leaves_no_second_item(way: Way) -> None:
    await way.route((await way.turn(await way.arrived(NOTIFICATION, MARK))).answers)
    again = await way.arrived(NOTIFICATION, MARK)

    await way.route(await way.ahead(again))
    between = [item for item in await way.items() if item[2] is None]
    await way.route((await way.turn(again)).answers)

    assert [("urgent", True, None)] == between
    assert [] == [item for item in await way.items() if item[2] is None]


async def test_a_repeat_that_is_marked_for_the_first_time_waits_for_a_person(way: Way) -> None:
    await way.route((await way.turn(await way.arrived())).answers)
    again = await way.arrived(NOTIFICATION, MARK)

    await way.route((await way.turn(again)).answers)

    assert [("urgent", True, None)] == await way.items()


async def test_second_originals_go_a_week_after_their_turn(way: Way) -> None:
    done, waiting = await way.arrived(NOTIFICATION, MARK), await way.arrived(NOTIFICATION, MARK)
    await way.ahead(done, waiting)
    await way.turn(done)
    async with way.intake.acquire() as conn:
        soon = await intake_store.forget_urgent(conn, datetime.now(UTC) - timedelta(days=7))
        late = await intake_store.forget_urgent(conn, datetime.now(UTC) + timedelta(seconds=1))

    assert (0, 1) == (soon, late)


# --- over HTTP ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "more"),
    [
        (NOTIFICATION, {"ce-urgent": "true"}),
        ({**NOTIFICATION, "urgency": {"in_danger": "yes"}}, {}),
        (
            {"specversion": "1.0", "id": "n-1", "source": "x", "urgent": True,
             "type": "fi.luotsi.childprotection.notification.v1", "data": NOTIFICATION},
            {"content-type": "application/cloudevents+json"},
        ),
    ],
)  # fmt: skip
async def test_a_request_that_marks_danger_says_so_on_the_topic_of_its_own(
    way: Way, content: Any, more: dict[str, str]
) -> None:
    answer = await _post(way, content, **more)

    outbox = [Outgoing(*row) for row in await way.owner.fetch(
        "SELECT topic, key, event_id, value FROM intake.outbox ORDER BY id"
    )]  # fmt: skip
    assert 202 == answer.status_code
    assert 1 == len(urgent(outbox))
    await way.route(outbox, events.URGENT)
    assert [("urgent", True, None)] == await way.items()
    await way.route(outbox, events.SIGNAL)
    assert [("urgent", True, "screened")] == await way.items()
    assert [("open", True, NOW)] == await way.checks()


async def test_a_request_that_marks_danger_and_cannot_be_taken_is_set_aside_as_urgent(
    way: Way,
) -> None:
    answer = await _post(way, {**NOTIFICATION, "urgency": {"in_danger": "yes"}, "mispelt": 1})

    outbox = [Outgoing(*row) for row in await way.owner.fetch(
        "SELECT topic, key, event_id, value FROM intake.outbox ORDER BY id"
    )]  # fmt: skip
    await way.route(outbox)
    assert 422 == answer.status_code
    assert [("quarantined", True, None)] == [i for i in await way.items() if i[2] is None]


async def test_a_request_that_marks_nothing_makes_no_item(way: Way) -> None:
    await _post(
        way, {**NOTIFICATION, "urgency": {"in_danger": "unknown"}}, **{"ce-urgent": "false"}
    )

    assert 0 == await way.owner.fetchval(
        "SELECT count(*) FROM intake.outbox WHERE topic = $1", events.URGENT
    )


async def _post(way: Way, content: Any, **more: str) -> httpx2.Response:
    given = {
        "authorization": "Bearer token-of-school-1", "content-type": "application/json",
        "ce-id": "n-1", **more,
    }  # fmt: skip
    return await way.http.post("/v1/notifications", content=orjson.dumps(content), headers=given)


# --- past a backlog, on a real Kafka -------------------------------------------------------------


async def test_a_marked_message_overtakes_thousands_survives_a_kill_and_is_counted_once(
    luotsi: System,
) -> None:
    services = await _running(luotsi)
    owner = await asyncpg.connect(luotsi.admin_url)
    lock = owner.transaction()
    await lock.start()
    await owner.execute("LOCK TABLE intake.source_offset IN SHARE MODE")  # nobody's turn comes
    backlog = [_record(f"n-{number}") for number in range(3000)]
    await do.publish(luotsi, [*backlog, _record("danger", MARK)])

    (item,) = await do.until("the item stands", lambda: _urgent_items(luotsi))
    waiting = await do.value(luotsi.admin_url, "SELECT count(*) FROM intake.event_log")
    services[0].process.kill()
    services[0].start()
    await lock.rollback()  # killed before its turn; a new process cannot be ready behind the lock
    await do.until_ready(services)
    await owner.close()

    async def settled() -> Any:
        (row,) = await _urgent_items(luotsi)
        return row if row["closed_by"] else None

    closed = await do.until("its turn has come", settled, 120)

    async def all_taken() -> bool:
        taken = await do.value(luotsi.admin_url, "SELECT count(*) FROM intake.event_log")
        return bool(taken == 3001)

    await do.until("everyone's turn has come", all_taken, 120)
    flagged = await do.fetch(
        luotsi.admin_url,
        "SELECT check_state, received_at FROM routing.notification WHERE flagged",
    )
    assert 0 == waiting
    assert "screened" == closed["closed_by"]
    assert [("open", item["received_at"])] == [tuple(row) for row in flagged]
    said = await do.everything(luotsi, events.URGENT)
    assert {str(item["id"]).encode()} == {record.key for record in said}


async def test_the_lane_leaves_alone_what_has_had_its_turn(luotsi: System) -> None:
    intake, routing = await _running(luotsi)
    await do.publish(luotsi, [_record(f"danger-{number}", MARK) for number in range(20)])

    async def all_screened() -> bool:
        rows = await do.fetch(luotsi.admin_url, "SELECT FROM routing.notification WHERE flagged")
        return len(rows) == 20

    await do.until("all are screened", all_screened)
    intake.process.stop()
    await _back_to_the_beginning(luotsi, "intake-urgent")
    await do.fetch(luotsi.admin_url, "DELETE FROM intake.urgent_message")
    intake.start()
    await do.until_ready([intake, routing])
    await do.publish(luotsi, [_record("after", MARK)])  # behind all the others on its partition

    async def read_again() -> Any:
        return await do.fetch(luotsi.admin_url, "SELECT * FROM intake.urgent_message")

    kept = await do.until("the lane has read on", read_again)
    assert 1 == len(kept)


async def _back_to_the_beginning(luotsi: System, group: str) -> None:
    """As an operator resets the offsets of a group whose processes are stopped."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=luotsi.bootstrap,
        group_id=luotsi.prefix + group,
        enable_auto_commit=False,
    )
    await consumer.start()
    topic = luotsi.prefix + events.INTAKE_NOTIFICATION
    places = [TopicPartition(topic, number) for number in range(events.PARTITIONS)]
    consumer.assign(places)
    await consumer.commit(dict.fromkeys(places, 0))
    await consumer.stop()


async def _running(luotsi: System) -> list[Any]:
    await asyncio.to_thread(luotsi.prepare)
    services = [
        luotsi.service("intake", session_timeout_ms="6000", backoff_max="1"),
        luotsi.service("routing", timers="false"),
    ]
    for service in services:
        service.start()
    await do.until_ready(services)
    return services


def _record(ident: str, *marks: tuple[str, bytes]) -> tuple[bytes, bytes, Any]:
    """A notification; the marked ones are about another child than the rest."""
    content = {**NOTIFICATION, "children": [SISTER]} if marks else NOTIFICATION
    return ident.encode(), orjson.dumps(content), [*headers("school-1", ident), *marks]


async def _urgent_items(luotsi: System) -> list[asyncpg.Record]:
    return await do.fetch(
        luotsi.admin_url,
        "SELECT id, received_at, closed_by FROM routing.duty_item WHERE outcome = 'urgent'",
    )
