"""One kill of each service and one restart of each server, small: with every run of the suite."""

import asyncio
from collections.abc import Sequence
from random import Random

import asyncpg
import httpx2
import orjson
import pytest

from deploy.local.kafka import KafkaNode
from deploy.local.postgres import PostgresServer
from deploy.local.system import RunningService, System
from shared import events
from tests import history
from tests import system as do
from tests.faults.conftest import a_process
from tests.faults.load import Load
from tests.faults.strike import client_ports, kill_in_the_middle

RATE = 60.0


async def none_ready(services: Sequence[RunningService]) -> bool:
    told = [await asyncio.to_thread(running.ready) for running in services]
    return not any(told)


async def test_a_killed_service_takes_up_its_batch_where_it_was(small: System) -> None:
    rng = Random(3)
    hits = {}
    async with Load(small, RATE) as load:
        await load.reach(60)
        for name in ("intake-1", "routing-1", "notifications-1"):
            running = small.services[name]
            hits[name] = await kill_in_the_middle(small, running, rng)
            running.start()
        await do.until_ready(list(small.services.values()))
        await load.reach(load.acknowledged + 60)
    await history.settled(small)

    await history.check(small)
    await history.nothing_unaccounted(small)
    assert None not in hits.values(), hits


async def test_a_desk_killed_in_the_middle_of_an_act_has_done_nothing_of_it(small: System) -> None:
    """The worker answers again at the desk that took its place, and it counts once."""
    desk = a_process(small, "desk", static=False, demo="true")
    desk.start()
    await do.until_ready([desk])
    await do.fetch(
        small.admin_url, "INSERT INTO routing.worker VALUES ('aino', 'Aino Esimerkki', 'duty')"
    )
    await do.publish_notification(small, "n-1")
    (check,) = await do.until(
        "the check is open",
        lambda: do.fetch(small.admin_url, "SELECT id FROM routing.notification"),
    )

    async with httpx2.AsyncClient(
        base_url=f"{desk.url}/api/v1/", headers={"Authorization": "Worker aino"}, trust_env=False
    ) as worker:
        path = f"checks/{check['id']}/answer"
        answer = {"answer": "not_urgent", "reason": "Asia ei ole kiireellinen."}
        other = await asyncpg.connect(small.admin_url)
        async with other.transaction():
            await other.execute("SELECT 1 FROM routing.clock WHERE kind = 'urgency' FOR UPDATE")
            acting = asyncio.create_task(worker.post(path, json=answer))
            await do.until("the act has written and waits", lambda: waits(small, desk))
            await asyncio.to_thread(desk.process.kill)
            with pytest.raises(httpx2.TransportError):
                await acting
        await other.close()
        desk.start()
        await do.until_ready([desk])
        first = await worker.post(path, json=answer)
        again = await worker.post(path, json=answer)

    assert [200, 409] == [first.status_code, again.status_code]
    acts = await do.fetch(small.admin_url, "SELECT kind FROM routing.act")
    assert ["urgency_answered"] == [row["kind"] for row in acts]
    told = await do.read_topic(small, events.CASE, 2)
    assert [1, 2] == [orjson.loads(each.value)["seq"] for each in told]


async def waits(system: System, desk: RunningService) -> bool:
    """Whether a transaction of the desk that has written waits for a lock."""
    assert desk.process.pid is not None
    found = await do.value(
        system.admin_url,
        "SELECT count(*) FROM pg_stat_activity WHERE client_port = ANY($1::int[]) "
        "AND backend_xid IS NOT NULL AND wait_event_type = 'Lock'",
        sorted(client_ports(desk.process.pid)),
    )
    return bool(found)


async def test_a_restart_of_each_server_loses_nothing(
    small: System, own_kafka: KafkaNode, own_postgres: PostgresServer
) -> None:
    services = list(small.services.values())
    async with Load(small, RATE) as load:
        await load.reach(60)

        await asyncio.to_thread(own_postgres.kill)
        await do.until("all say that they are not ready", lambda: none_ready(services), 20)
        own_postgres.start(wait=False)
        await do.until_ready(services)

        await load.reach(load.acknowledged + 60)
        await asyncio.to_thread(own_kafka.stop)
        await do.until("all say that they are not ready", lambda: none_ready(services), 20)
        own_kafka.start(wait=False)
        await do.until_ready(services)
        await load.reach(load.acknowledged + 60)
    await history.settled(small)

    found = await history.check(small)
    await history.nothing_unaccounted(small)
    assert 0 == found.get("intake quarantined", 0) + found.get("intake parked", 0)
    assert 0 == found.get("routing parked", 0) + found.get("notifications parked", 0)


async def test_a_lost_row_of_the_event_log_shows_in_the_metric(small: System) -> None:
    """I1 itself: somebody deletes a row, and the running process tells of it."""
    async with Load(small, RATE, most=60) as load:
        await load.reach(60)
    await history.settled(small)
    await history.nothing_unaccounted(small)

    await do.fetch(
        small.admin_url,
        "DELETE FROM routing.event_log WHERE ctid = (SELECT ctid FROM routing.event_log LIMIT 1)",
    )
    routing = small.services["routing-1"]

    async def told() -> bool:
        found = await asyncio.to_thread(history.metric, routing, "luotsi_unaccounted")
        return 1.0 == sum(found.values())

    await do.until("luotsi_unaccounted is 1", told, 20)
    with pytest.raises(AssertionError, match="does not account"):
        await history.accounted(small)
