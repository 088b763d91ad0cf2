"""What routing makes of a signal, on a real PostgreSQL: case, decision, clocks, duty items."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest
from pydantic import SecretStr

from services.routing import store as routing_store
from services.routing.domain.cases import Case
from services.routing.domain.clocks import CALENDAR_VERSION, clocks_for
from services.routing.domain.decision import decide
from services.routing.domain.tables import load_version
from services.routing.handlers import notices, signals
from services.routing.settings import RoutingSettings
from services.routing.timers import tell
from shared import events, store
from shared.database import Connection, Pool, open_pool
from shared.events import CaseEvent, CodedFacts, IdentityTask, NoticeEvent, SetAside
from shared.inbox import Inbox, Raw
from shared.migrate import service_url
from shared.sealing import KeyFile, Sealer
from tests.builders import NOON, RULES, AChild, Cases, SetClock, key_file, routing_rules


@dataclass
class Routing:
    """Routing's handlers over a database of their own."""

    pool: Pool
    owner: asyncpg.Connection
    cases: Cases
    clock: SetClock
    settings: RoutingSettings
    offset: int = 1000

    async def take(self, event: Any, inbox: Inbox[Any] | None = None) -> list[CaseEvent]:
        """One event through the inbox; what it answers."""
        inbox = inbox or signals(routing_rules(), self.clock)
        self.offset += 1
        value = event.model_dump_json().encode()
        raw = Raw(0, self.offset, self.clock(), b"k", [], value)
        async with self.pool.acquire() as tx, tx.transaction():
            door = await store.door(tx, "test", "cluster", events.SIGNAL)
            rows = await inbox.take(tx, door, [inbox.read(raw)])
        return [CaseEvent.model_validate_json(answer.value) for answer in rows[0].answers]

    async def clocks(self, about: str) -> dict[str, asyncpg.Record]:
        rows = await self.owner.fetch("SELECT * FROM routing.clock WHERE about = $1", about)
        return {row["kind"]: row for row in rows}

    async def tell(self) -> int:
        async with self.pool.acquire() as tx, tx.transaction():
            return await tell(tx, self.settings, self.clock)

    async def told(self) -> list[CaseEvent]:
        rows = await self.owner.fetch("SELECT value FROM routing.outbox ORDER BY id")
        return [CaseEvent.model_validate_json(row["value"]) for row in rows]


@pytest.fixture
async def routing(database_url: str, tmp_path: Path) -> AsyncIterator[Routing]:
    url = service_url(database_url, "routing", "luotsi")
    pool = await open_pool(url, "routing", size=3)
    owner = await asyncpg.connect(database_url)
    keys = key_file(tmp_path)
    clock = SetClock()
    cases = Cases(pool, Sealer(KeyFile(keys)), clock)
    settings = RoutingSettings(database_url=SecretStr(url), key_file=keys)
    yield Routing(pool, owner, cases, clock, settings)
    await owner.close()
    await pool.close()


async def test_each_notification_has_its_own_four_clocks_by_law(routing: Routing) -> None:
    signal = await routing.cases.notified()

    clocks = await routing.clocks(signal.id)

    for expected in clocks_for(NOON):
        row = clocks.pop(expected.kind)
        assert (row["started_at"], row["target"], row["due"]) == (
            NOON, expected.target, expected.due,
        )  # fmt: skip
        assert (row["citation"], row["calendar"]) == (expected.citation, CALENDAR_VERSION)
        assert row["stopped_at"] is None
    assert clocks == {}


async def test_a_later_notification_never_moves_or_stops_an_earlier_ones_clocks(
    routing: Routing,
) -> None:
    child = AChild()
    first = await routing.cases.notified(child)
    before = await routing.clocks(first.id)
    routing.clock.forward(days=3)

    second = await routing.cases.notified(child)

    assert await routing.clocks(first.id) == before
    assert len(await routing.clocks(second.id)) == 4
    assert await routing.owner.fetchval("SELECT count(*) FROM routing.child_case") == 1


async def test_a_decision_is_replayed_to_the_same_result_from_what_was_stored(
    routing: Routing,
) -> None:
    facts = CodedFacts(reasons=("LOCAL-REASON-SELF-HARM", "LOCAL-REASON-SCHOOL"))
    await routing.cases.notified(facts=facts)
    stored = await routing.owner.fetchrow("SELECT * FROM routing.decision")
    assert stored is not None

    again = decide(orjson.loads(stored["facts"]), load_version(RULES, stored["rules"]))

    assert stored["rows"] == " ".join(again.rows)
    assert (stored["level"], stored["holder"]) == (again.level, again.holder)
    assert stored["destinations"] == " ".join(again.destinations)
    assert (stored["rules"], stored["rules_hash"]) == (again.version, again.content_hash)


async def test_what_is_known_adds_up_over_a_childs_notifications(routing: Routing) -> None:
    child = AChild()
    await routing.cases.notified(child, facts=CodedFacts(reasons=("LOCAL-REASON-SCHOOL",)))
    light = await routing.owner.fetchval("SELECT level FROM routing.child_case")
    await routing.cases.notified(child, facts=CodedFacts(reasons=("LOCAL-REASON-SELF-HARM",)))

    heavier = await routing.owner.fetchval("SELECT level FROM routing.child_case")

    assert (light, heavier) == ("perus", "erityis")


async def test_events_about_a_child_are_numbered_without_gaps(routing: Routing) -> None:
    child = AChild()
    for _ in range(3):
        await routing.cases.notified(child)
    routing.clock.forward(minutes=16)
    await routing.tell()

    case = await routing.owner.fetchrow("SELECT seq, version FROM routing.child_case")

    assert case is not None
    assert case["seq"] == 6
    assert [told.seq for told in await routing.told()] == [4, 5, 6]


async def test_what_intake_set_aside_stands_at_duty_with_its_clocks_until_closed(
    routing: Routing,
) -> None:
    item = uuid4()
    friday = datetime(2026, 11, 13, 15, 0, tzinfo=UTC)
    opened = SetAside(
        id=f"{item}.opened", item=item, state="opened", service="intake", outcome="quarantined",
        reason="invalid-content", received_at=friday,
    )  # fmt: skip

    told = await routing.take(opened)
    clocks = await routing.clocks(str(item))
    closing = opened.model_copy(
        update={"id": f"{item}.closed", "state": "closed", "reason": "resent"}
    )
    then = await routing.take(closing)

    assert {row["started_at"] for row in clocks.values()} == {friday}
    assert len(clocks) == 4
    assert [(e.kind, e.seq, e.holder) for e in told] == [("duty_item_opened", 1, "duty")]
    assert [(e.kind, e.seq) for e in then] == [("duty_item_closed", 2)]
    assert all(row["stopped_at"] for row in (await routing.clocks(str(item))).values())


async def test_a_notice_that_did_not_get_there_becomes_a_persons_task(routing: Routing) -> None:
    about = uuid4()
    notice = NoticeEvent(
        id=f"{about}.undeliverable", about=about, kind="undeliverable", purpose="receipt",
        reason="address-refused", received_at=NOON,
    )  # fmt: skip
    taking = notices(routing_rules(), routing.clock)

    await routing.take(notice, taking)
    await routing.take(
        notice.model_copy(update={"id": f"{about}.redriven", "kind": "redriven", "reason": None}),
        taking,
    )
    await routing.take(
        notice.model_copy(update={"id": "other", "about": uuid4(), "kind": "delivered"}), taking
    )

    items = await routing.owner.fetch(
        "SELECT id, service, outcome, closed_by FROM routing.duty_item"
    )
    assert [tuple(row) for row in items] == [(about, "notifications", "undeliverable", "redriven")]


async def test_a_given_identity_ends_the_question_who_the_child_is(routing: Routing) -> None:
    child = AChild(known=False)
    signal = await routing.cases.notified(child)
    task = IdentityTask(
        id=f"{child.id}.identified", child=child.id, state="given", age_band="7-12",
        person=signal.person, at=NOON,
    )  # fmt: skip

    told = await routing.take(task)

    row = await routing.owner.fetchrow("SELECT provisional, age_band FROM routing.child_case")
    assert [event.kind for event in told] == ["identity_given"]
    assert row is not None
    assert tuple(row) == (False, "7-12")


async def test_a_signal_this_version_cannot_read_parks_its_child_in_front_of_duty(
    routing: Routing,
) -> None:
    child = uuid4()
    inbox = signals(routing_rules(), routing.clock)
    raw = Raw(0, 1, NOON, str(child).encode(), [], b'{"kind": "notification"}')
    async with routing.pool.acquire() as tx, tx.transaction():
        door = await store.door(tx, "test", "cluster", events.SIGNAL)
        rows = await inbox.take(tx, door, [inbox.read(raw)])

    item = await routing.owner.fetchrow("SELECT id, child, reason FROM routing.duty_item")
    assert rows[0].outcome == "parked"
    assert item is not None
    assert (item["child"], item["reason"]) == (child, "unreadable-signal")
    assert len(await routing.clocks(str(item["id"]))) == 4


async def test_a_clock_is_warned_of_before_it_runs_out_and_recorded_when_it_did(
    routing: Routing,
) -> None:
    signal = await routing.cases.notified()

    assert await routing.tell() == 0
    routing.clock.forward(minutes=15)
    warned = await routing.tell()
    routing.clock.forward(minutes=15)
    late = await routing.tell()
    again = await routing.tell()

    row = (await routing.clocks(signal.id))["urgency"]
    assert (warned, late, again) == (1, 1, 0)
    assert row["warned_at"] == NOON + timedelta(minutes=15)
    assert row["late_at"] == row["due"] == NOON + timedelta(minutes=30)
    assert [told.kind for told in await routing.told()] == ["clock_warned", "clock_late"]
    assert [told.about for told in await routing.told()] == [f"{signal.id}/urgency"] * 2


async def test_the_clocks_of_what_was_set_aside_are_told_of_as_well(routing: Routing) -> None:
    item = await routing.cases.set_aside()
    routing.clock.forward(minutes=15)
    await routing.tell()
    routing.clock.forward(minutes=15)

    told = await routing.tell(), await routing.tell()

    events_ = await routing.told()
    assert (1, 0) == told
    assert [("clock_warned", 2), ("clock_late", 3)] == [(e.kind, e.seq) for e in events_]
    assert {(item, f"{item}/urgency", "duty")} == {(e.child, e.about, e.holder) for e in events_}
    assert 3 == await routing.owner.fetchval("SELECT seq FROM routing.duty_item")
    row = (await routing.clocks(str(item)))["urgency"]
    assert row["warned_at"] == NOON + timedelta(minutes=15)


async def test_a_clock_that_a_person_stops_while_it_is_told_of_is_not_told_as_late(
    routing: Routing, monkeypatch: pytest.MonkeyPatch
) -> None:
    signal = await routing.cases.notified()
    routing.clock.forward(minutes=40)
    lock = routing_store.lock_cases

    async def after_an_act(conn: Connection, children: Iterable[UUID]) -> dict[UUID, Case]:
        await routing.owner.execute(
            "UPDATE routing.clock SET stopped_at = $2 WHERE about = $1", signal.id, NOON
        )
        return await lock(conn, children)

    monkeypatch.setattr(routing_store, "lock_cases", after_an_act)

    assert await routing.tell() == 0
    assert await routing.told() == []
    assert (await routing.clocks(signal.id))["urgency"]["late_at"] is None


async def test_only_a_childs_own_message_that_waits_is_said_to_be_of_a_child(
    routing: Routing,
) -> None:
    readings: list[tuple[Inbox[Any], UUID, bytes]] = [
        (signals(routing_rules(), routing.clock), uuid4(), b'{"kind": "notification"}'),
        (signals(routing_rules(), routing.clock), uuid4(), b'{"kind": "set_aside"}'),
        (notices(routing_rules(), routing.clock), uuid4(), b"{}"),
    ]
    for place, (inbox, key, value) in enumerate(readings):
        raw = Raw(0, place, NOON, str(key).encode(), [], value)
        async with routing.pool.acquire() as tx, tx.transaction():
            door = await store.door(tx, "test", "cluster", events.SIGNAL)
            await inbox.take(tx, door, [inbox.read(raw)])

    rows = await routing.owner.fetch("SELECT child FROM routing.duty_item WHERE child IS NOT NULL")
    assert [readings[0][1]] == [row["child"] for row in rows]


async def test_a_stopped_clock_is_never_told_of(routing: Routing) -> None:
    signal = await routing.cases.notified()
    await routing.owner.execute(
        "UPDATE routing.clock SET stopped_at = $2 WHERE about = $1", signal.id, NOON
    )
    routing.clock.forward(days=200)

    assert await routing.tell() == 0


async def test_no_name_and_no_text_is_in_any_column_in_the_clear(routing: Routing) -> None:
    await routing.cases.notified(AChild(name="Kanaria Ääkkönen"), text={"observations": "Kanariä"})

    tables = await routing.owner.fetch(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'routing'"
    )
    for table in tables:
        rows = await routing.owner.fetch(f'SELECT * FROM routing."{table["table_name"]}"')  # noqa: S608
        clear = str([dict(row) for row in rows]).lower()
        for canary in ("kanari", "ääkk", "\\xc3\\xa4\\xc3\\xa4kk"):
            assert canary not in clear, table["table_name"]


def test_case_marks_name_nobody_and_differ() -> None:
    from services.routing.domain.cases import case_mark  # noqa: PLC0415 -- only here

    marks = {case_mark(UUID(int=n << 88)) for n in range(1000)}

    assert len(marks) == 1000
    assert all(len(mark) == 11 and mark.startswith("K-") for mark in marks)
