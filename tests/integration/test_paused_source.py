"""A source is paused and goes on, in a whole Luotsi on a real Kafka and a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx2
import orjson
import pytest

from deploy.local.system import RunningService, System
from services.intake.sources.resuming import SLICE
from shared import events
from tests import history
from tests import system as do
from tests.faults.load import Load
from tests.faults.strike import client_ports

MANY = SLICE + 30


@pytest.fixture
async def running(luotsi: System) -> AsyncIterator[System]:
    """Intake, its source `school-1` paused, and routing."""
    await asyncio.to_thread(luotsi.prepare)
    services = [
        luotsi.service("intake", account_every="1", instance="intake-1"),
        luotsi.service("routing", account_every="1", timers="false", instance="routing-1"),
    ]
    for service in services:
        service.start()
    await do.until_ready(services)
    await ask(luotsi, "pause", why="a test release")
    yield luotsi
    for service in services:
        service.process.kill()


async def ask(system: System, act: str, **body: Any) -> Any:
    headers = {"authorization": f"Bearer {system.secrets['desk']}", "x-luotsi-worker": "w-1"}
    async with httpx2.AsyncClient(
        base_url=system.services["intake-1"].url, headers=headers, trust_env=False
    ) as http:
        answer = await http.post(f"/internal/sources/{act}", json={"source": "school-1", **body})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def publish(system: System, source: str, count: int) -> None:
    """So many messages of a source, in one partition."""
    value = orjson.dumps(do.NOTIFICATION)
    await do.publish(
        system,
        [(source.encode(), value, do.headers(source, f"{source}-{n}")) for n in range(count)],
    )


async def outcomes(system: System) -> dict[str, int]:
    """How many of each source and outcome intake's log has."""
    rows = await history.of(
        system,
        "intake",
        "SELECT source || ' ' || outcome AS what, count(*) AS n FROM event_log GROUP BY 1",
    )
    return {row["what"]: row["n"] for row in rows}


async def all_open(system: System) -> bool:
    return bool(
        await do.value(
            system.admin_url,
            "SELECT (SELECT state FROM intake.source) = 'open' "
            "AND NOT EXISTS (SELECT 1 FROM intake.outbox)",
        )
    )


async def test_a_paused_sources_messages_stand_at_the_duty_desk_and_then_follow_in_order(
    running: System,
) -> None:
    await publish(running, "school-1", 12)
    await publish(running, "police-1", 3)

    async def arrived() -> bool:
        items = await do.value(running.admin_url, "SELECT count(*) FROM routing.duty_item")
        cases = await do.value(running.admin_url, "SELECT count(*) FROM routing.notification")
        return bool((items, cases) == (12, 3))

    await do.until("twelve are held, three are cases", arrived)
    await history.nothing_unaccounted(running)
    assert {"school-1 held": 12, "police-1 applied": 3} == await outcomes(running)
    clocks = await do.fetch(
        running.admin_url,
        "SELECT c.kind, count(*) AS n FROM routing.clock c JOIN routing.duty_item d "
        "ON c.about = d.id::text AND c.started_at = d.received_at "
        "WHERE c.stopped_at IS NULL AND d.closed_at IS NULL AND d.outcome = 'held' GROUP BY kind",
    )
    assert {row["kind"]: row["n"] for row in clocks} == dict.fromkeys(history.CLOCKS, 12)
    first = await do.fetch(
        running.admin_url, "SELECT event_id, received_at FROM intake.event_log ORDER BY event_id"
    )

    await ask(running, "resume")
    await do.until("it is open", lambda: all_open(running))
    await history.settled(running)

    await history.check(running)
    await history.nothing_unaccounted(running)
    assert {"school-1 applied": 12, "police-1 applied": 3} == await outcomes(running)
    again = await do.fetch(
        running.admin_url, "SELECT event_id, received_at FROM intake.event_log ORDER BY event_id"
    )
    assert first == again
    rows = await do.fetch(
        running.admin_url, "SELECT closed_by FROM routing.duty_item WHERE outcome = 'held'"
    )
    assert ["resumed"] * 12 == [row["closed_by"] for row in rows]
    assert [f"school-1-{n}" for n in range(12)] == await applied_order(running, "school-1")
    assert 12 + 3 == await do.value(running.admin_url, "SELECT count(*) FROM routing.notification")


async def applied_order(system: System, source: str) -> list[str]:
    """The source's ids, in the order in which the signals of its child left."""
    receipts = [
        orjson.loads(r.value or b"") for r in await do.everything(system, events.INTAKE_RECEIPT)
    ]
    names = {r["receipt_id"]: r["source_id"] for r in receipts if r["source"] == source}
    signals = [orjson.loads(r.value or b"") for r in await do.everything(system, events.SIGNAL)]
    found = [names.get(s["receipt_id"]) for s in signals if s["kind"] == "notification"]
    return [name for name in found if name is not None]


async def test_marked_danger_of_a_paused_source_stands_first_at_the_duty_desk_all_the_same(
    running: System,
) -> None:
    marked = [*do.headers("school-1", "n-1"), ("ce_urgent", b"true")]
    await do.publish(running, [(b"n-1", orjson.dumps(do.NOTIFICATION), marked)])

    async def stands() -> bool:
        rows = await do.fetch(
            running.admin_url,
            "SELECT outcome, urgent FROM routing.duty_item WHERE closed_at IS NULL",
        )
        return [tuple(row) for row in rows] == [("held", True)]

    await do.until("its item stands for it, marked", stands)
    await ask(running, "resume")
    await do.until("it is open", lambda: all_open(running))
    await history.settled(running)

    await history.check(running)
    (screened,) = await do.fetch(running.admin_url, "SELECT check_state FROM routing.notification")
    assert "open" == screened["check_state"]
    assert 0 == await do.value(
        running.admin_url, "SELECT count(*) FROM routing.duty_item WHERE closed_at IS NULL"
    )


async def test_a_source_that_is_paused_and_goes_on_under_load_loses_nothing(
    running: System,
) -> None:
    told: list[float] = []
    async with Load(running, 100, most=4_000) as load:
        for _ in range(3):
            await load.reach(load.acknowledged + 120)
            told += history.metric(running.services["intake-1"], "luotsi_unaccounted").values()
            await ask(running, "pause", why="a test release")
            await load.reach(load.acknowledged + 120)
            told += history.metric(running.services["intake-1"], "luotsi_unaccounted").values()
            await ask(running, "resume")
    await do.until("it is open", lambda: all_open(running))
    await history.settled(running)

    await history.check(running)
    await history.nothing_unaccounted(running)
    assert {0.0} == set(told)
    left = await outcomes(running)
    assert [] == [what for what in left if what.endswith((" held", " parked"))]
    resumed = await do.value(
        running.admin_url, "SELECT count(*) FROM intake.event_log WHERE reason = 'resumed'"
    )
    assert resumed > 0


async def test_killed_in_the_middle_of_going_on_each_message_is_applied_once(
    running: System,
) -> None:
    await publish(running, "school-1", MANY)

    async def all_held() -> bool:
        items = await do.value(running.admin_url, "SELECT count(*) FROM routing.duty_item")
        return bool(items == MANY)

    await do.until("all are held", all_held)
    intake = running.services["intake-1"]
    stopper = await asyncpg.connect(running.admin_url)
    async with stopper.transaction():
        await stopper.execute(
            "SELECT 1 FROM intake.event_log WHERE event_id = $1 FOR UPDATE",
            f"school-1-{SLICE + 10}",
        )
        await ask(running, "resume")
        await do.until("the second slice is under way", lambda: waits(running, intake))
        await asyncio.to_thread(intake.process.kill)
    await stopper.close()
    done = await outcomes(running)
    assert {"school-1 applied": SLICE, "school-1 held": MANY - SLICE} == done

    intake.start()
    await do.until_ready([intake])
    await do.until("it is open", lambda: all_open(running))
    await history.settled(running)

    await history.check(running)
    await history.nothing_unaccounted(running)
    assert {"school-1 applied": MANY} == await outcomes(running)
    assert [f"school-1-{n}" for n in range(MANY)] == list(
        dict.fromkeys(await applied_order(running, "school-1"))
    )
    assert 0 == await do.value(
        running.admin_url, "SELECT count(*) FROM routing.duty_item WHERE closed_at IS NULL"
    )
    assert MANY == await do.value(running.admin_url, "SELECT count(*) FROM routing.notification")


async def waits(system: System, service: RunningService) -> bool:
    """Whether a transaction of the service that has written waits for a lock."""
    assert service.process.pid is not None
    found = await do.value(
        system.admin_url,
        "SELECT count(*) FROM pg_stat_activity WHERE client_port = ANY($1::int[]) "
        "AND backend_xid IS NOT NULL AND wait_event_type = 'Lock'",
        sorted(client_ports(service.process.pid)),
    )
    return bool(found)
