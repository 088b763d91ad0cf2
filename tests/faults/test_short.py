"""One kill of each service and one restart of each server, small: with every run of the suite."""

import asyncio
from collections.abc import Sequence
from random import Random

import pytest

from deploy.local.kafka import KafkaNode
from deploy.local.postgres import PostgresServer
from deploy.local.system import RunningService, System
from tests import history
from tests import system as do
from tests.faults.load import Load
from tests.faults.strike import kill_in_the_middle

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
