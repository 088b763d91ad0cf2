"""Services first, servers later, topics and tables last: nobody has to restart anything."""

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from deploy.local.databases import create_database
from deploy.local.kafka import ExistingKafka, KafkaNode
from deploy.local.postgres import ExistingPostgres, PostgresServer
from deploy.local.system import ROLE_PASSWORD, System
from shared.migrate import migrate_all
from shared.sealing import KeyFile
from shared.topics import create_topics
from tests import history
from tests import system as do
from tests.faults.load import Load
from tests.faults.test_kills import nothing_set_aside, start_two_each
from tests.faults.test_restarts import none_ready

log = logging.getLogger(__name__)

READY_S = 90.0  # the topics' creation -> every service ready
PAUSE_S = 8.0  # long enough for every service to have tried in vain


@pytest.fixture
def later_kafka(kafka: KafkaNode | ExistingKafka, server_directory: Path) -> Iterator[KafkaNode]:
    """A Kafka of this test's own, not yet started."""
    if isinstance(kafka, ExistingKafka):
        pytest.skip("LUOTSI_KAFKA names a Kafka; this test starts one of its own")
    node = KafkaNode(server_directory / "later-kafka", tied=True)
    yield node
    node.remove()


@pytest.fixture
def later_postgres(
    postgres: PostgresServer | ExistingPostgres, server_directory: Path
) -> Iterator[PostgresServer]:
    """A PostgreSQL of this test's own: initialised and stopped."""
    if isinstance(postgres, ExistingPostgres):
        pytest.skip("LUOTSI_DATABASE_URL names a PostgreSQL; this test starts one of its own")
    server = PostgresServer(server_directory / "later-postgres", tied=True)
    server.start()
    server.stop()
    yield server
    server.remove()


def unprepared(directory: Path, kafka: KafkaNode, postgres: PostgresServer) -> System:
    """A system with its keys and tokens; `prepare` would want the servers."""
    system = System(directory, kafka.bootstrap, postgres.url("luotsi"))
    KeyFile.create(system.key_file)
    (directory / "secrets.json").write_text(json.dumps({"desk": "d", "session": "s"}))
    tokens = {hashlib.sha256(b"d").hexdigest(): "desk"}
    (directory / "tokens.json").write_text(json.dumps(tokens))
    return system


@pytest.mark.faults
@pytest.mark.parametrize("first", ["postgresql", "kafka"])
async def test_services_may_start_before_everything_else(
    later_kafka: KafkaNode, later_postgres: PostgresServer, tmp_path: Path, first: str
) -> None:
    luotsi = unprepared(tmp_path, later_kafka, later_postgres)
    services = start_two_each(luotsi)
    try:
        await still_waiting(luotsi)

        if first == "kafka":
            await start_kafka(later_kafka)
            await still_waiting(luotsi)
            await create_topics(luotsi.bootstrap)
            await still_waiting(luotsi)
        later_postgres.start(wait=False)
        await asyncio.to_thread(later_postgres.ready)
        await still_waiting(luotsi)
        await create_database(later_postgres.admin_url, "luotsi")
        await still_waiting(luotsi)
        await migrate_all(luotsi.admin_url, ROLE_PASSWORD)
        if first == "postgresql":
            await still_waiting(luotsi)
            await start_kafka(later_kafka)
            await still_waiting(luotsi)
            await create_topics(luotsi.bootstrap)
        complete = time.monotonic()
        await do.until_ready(services, READY_S)
        log.info("ready %.1f s after the last thing was there", time.monotonic() - complete)

        async with Load(luotsi, 100, most=500) as load:
            await load.reach(500)
        seconds = await history.settled(luotsi)
        found = await history.check(luotsi)
        await history.nothing_unaccounted(luotsi)
        log.info("drained %.1f s after the last: %s", seconds, found)
        nothing_set_aside(found)
    finally:
        for running in services:
            running.process.kill()


async def start_kafka(node: KafkaNode) -> None:
    node.start(wait=False)
    await asyncio.to_thread(node.ready)


async def still_waiting(system: System) -> None:
    """Every process lives, says so, and says that it is not ready."""
    services = list(system.services.values())
    await do.until("all are alive", lambda: all_alive(system), 60)
    await asyncio.sleep(PAUSE_S)
    assert await none_ready(services)
    assert await all_alive(system)


async def all_alive(system: System) -> bool:
    async with httpx2.AsyncClient(trust_env=False) as client:
        try:
            told = [await client.get(f"{r.url}/alive") for r in system.services.values()]
        except httpx2.HTTPError:
            return False
    return all(answer.is_success for answer in told)
