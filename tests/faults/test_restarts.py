"""Kafka and PostgreSQL go away under load, for a moment and for longer than clients wait."""

import asyncio
import logging
import os
import signal
import time
from collections.abc import Sequence

import pytest

from deploy.local.kafka import KafkaNode
from deploy.local.postgres import PostgresServer
from deploy.local.system import RunningService, System
from shared import events
from shared.errors import PublishFailedError
from shared.publisher import Publisher
from shared.store import Outgoing
from tests import history
from tests import system as do
from tests.faults.load import Load
from tests.faults.strike import connections
from tests.faults.test_kills import nothing_set_aside, start_two_each

log = logging.getLogger(__name__)

RATE = 60.0
AWAY = [("stop", 5.0), ("kill", 5.0), ("stop", 70.0), ("kill", 70.0)]
READY_S = 60.0  # from the server's readiness to that of every service
DRAINED_S = 60.0  # from then on until nothing is on its way any more


@pytest.mark.faults
async def test_kafka_may_go_away(luotsi: System, own_kafka: KafkaNode) -> None:
    await go_away_under_load(luotsi, own_kafka)


@pytest.mark.faults
async def test_postgresql_may_go_away(luotsi: System, own_postgres: PostgresServer) -> None:
    await go_away_under_load(luotsi, own_postgres)


async def go_away_under_load(luotsi: System, server: KafkaNode | PostgresServer) -> None:
    services = start_two_each(luotsi)
    await do.until_ready(services)
    async with Load(luotsi, RATE, most=60_000) as load:
        for how, seconds in AWAY:
            await load.reach(load.acknowledged + 200)
            before = load.acknowledged
            await asyncio.to_thread(getattr(server, how))
            gone = time.monotonic()
            await do.until("all say that they are not ready", lambda: none_ready(services), 20)
            await asyncio.sleep(max(0.0, gone + seconds - time.monotonic()))
            assert await none_ready(services)
            server.start(wait=False)  # in the main thread, with which it is tied to end
            await asyncio.to_thread(server.ready)
            back = time.monotonic()
            await do.until_ready(services, READY_S)
            ready = time.monotonic() - back
            log.info("%s, away %.0f s: services ready %.1f s after it", how, seconds, ready)
            await load.reach(before + 200)
            await do.until("the others catch up", lambda: caught_up(luotsi), DRAINED_S)
            log.info("caught up %.1f s after it", time.monotonic() - back)
    seconds = await history.settled(luotsi, DRAINED_S)

    found = await history.check(luotsi)
    await history.nothing_unaccounted(luotsi)
    log.info("drained %.1f s after the last, sent again %d: %s", seconds, load.sent_again, found)
    nothing_set_aside(found)


async def none_ready(services: Sequence[RunningService]) -> bool:
    told = [await asyncio.to_thread(running.ready) for running in services]
    return not any(told)


async def caught_up(system: System) -> bool:
    """No more is on its way than the load brings within two seconds on each door."""
    try:
        return max((await history.on_the_way(system)).values(), default=0) < 2 * RATE
    except history.AWAY:
        return False


@pytest.mark.faults
async def test_a_partition_whose_owner_died_as_it_took_it_is_not_left_alone(
    luotsi: System,
) -> None:
    """A process takes partitions (their epoch is newer) and dies before it has joined the group.

    Nothing tells the group of it, so the one who owns them has to find its own way back.
    """
    services = start_two_each(luotsi)
    await do.until_ready(services)
    async with Load(luotsi, RATE, most=60_000) as load:
        await load.reach(300)
        await do.fetch(luotsi.admin_url, "UPDATE intake.source_offset SET epoch = epoch + 1")
        await do.fetch(luotsi.admin_url, "UPDATE routing.source_offset SET epoch = epoch + 1")
        await load.reach(600)
    seconds = await history.settled(luotsi, DRAINED_S)

    found = await history.check(luotsi)
    await history.nothing_unaccounted(luotsi)
    log.info("drained %.1f s after the last: %s", seconds, found)
    nothing_set_aside(found)


@pytest.mark.faults
async def test_a_failed_publish_leaves_no_connection_behind(
    luotsi: System, own_kafka: KafkaNode
) -> None:
    """A broker that stands still: the producer is dropped whole, not left to try for ever."""
    publisher = Publisher([luotsi.bootstrap], prefix=luotsi.prefix, source="test", seconds=2)
    event = Outgoing(events.CASE, b"k", "k.1", b"{}")
    others = asyncio.all_tasks()
    await publisher.send([event])
    pid = own_kafka._process.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        with pytest.raises(PublishFailedError):
            await publisher.send([event])
    finally:
        os.kill(pid, signal.SIGCONT)
    await publisher.stop()

    # A task of a dropped producer would connect again, and send what had been given up.
    assert asyncio.all_tasks() - others == set()

    async def none_left() -> bool:
        return own_kafka.port not in {remote for _, remote in connections(os.getpid())}

    await do.until("no connection to Kafka is left", none_left, 10)
