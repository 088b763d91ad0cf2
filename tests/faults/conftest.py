"""A whole Luotsi under load, on servers that may be stopped and killed."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.kafka import ExistingKafka, KafkaNode
from deploy.local.postgres import ExistingPostgres, PostgresServer
from deploy.local.system import RunningService, System
from tests import system as do


@pytest.fixture(autouse=True)
def _calm_client() -> None:
    """While a server is away on purpose, the test's own clients need not tell of it."""
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


@pytest.fixture
def own_kafka(kafka: KafkaNode | ExistingKafka) -> Iterator[KafkaNode]:
    """A Kafka that may be killed; it runs again when the test is over."""
    if isinstance(kafka, ExistingKafka):
        pytest.skip("LUOTSI_KAFKA names a Kafka that is not ours to stop")
    yield kafka
    kafka.start()


@pytest.fixture
def own_postgres(postgres: PostgresServer | ExistingPostgres) -> Iterator[PostgresServer]:
    """A PostgreSQL that may be killed; it runs again when the test is over."""
    if isinstance(postgres, ExistingPostgres):
        pytest.skip("LUOTSI_DATABASE_URL names a PostgreSQL that is not ours to stop")
    yield postgres
    postgres.start()


@pytest.fixture
def luotsi(
    kafka: KafkaNode | ExistingKafka, database_url: str, topic_prefix: str, tmp_path: Path
) -> Iterator[System]:
    """A Luotsi with its topics and schemas; no process runs yet."""
    system = System(tmp_path, kafka.bootstrap, database_url, prefix=topic_prefix)
    system.prepare()
    yield system
    for running in system.services.values():
        running.process.kill()


COMMON = {"account_every": "1", "timers": "false"}
MAIL = {"send": "false", "mail_sender": "a@county.example", "duty_address": "b@county.example"}


def a_process(
    system: System, program: str, number: int = 1, *, static: bool = True, **settings: str
) -> RunningService:
    """One process of a service; a `static` one keeps its partitions over a restart."""
    values = {**COMMON, **(MAIL if program == "notifications" else {}), **settings}
    if static:
        values["instance"] = f"{program}-{number}"
    return system.service(program, number, None, **values)


@pytest.fixture
async def small(luotsi: System) -> System:
    """One ready process of each service."""
    running = [a_process(luotsi, name) for name in ("intake", "routing", "notifications")]
    for process in running:
        process.start()
    await do.until_ready(running)
    return luotsi
