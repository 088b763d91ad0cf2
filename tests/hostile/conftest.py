"""A running Luotsi for hostile messages."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka.consumer import fetcher

from deploy.local.kafka import ExistingKafka, KafkaNode
from deploy.local.system import RunningService, System
from shared.records import TolerantRecords
from tests import system as do

COMMON = {"account_every": "1", "timers": "false", "demo": "true"}
MAIL = {"send": "false", "mail_sender": "a@county.example", "duty_address": "b@county.example"}
SOURCES = ("test-source", "other-source")
NEVER = "100"  # percent: a source that is hostile from its first message on would be braked
FEEDERS = "hostile-1,test-source"
BELIEVED = {
    "source_brake_percent": NEVER, "client_sources": FEEDERS, "directory_sources": FEEDERS,
}  # fmt: skip


@pytest.fixture(autouse=True)
def _tolerant_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's own readers must survive what the services survive."""
    monkeypatch.setattr(fetcher, "MemoryRecords", TolerantRecords)


@pytest.fixture
def luotsi(
    kafka: KafkaNode | ExistingKafka, database_url: str, topic_prefix: str, tmp_path: Path
) -> Iterator[System]:
    """A Luotsi with its topics, schemas and tokens; no process runs yet."""
    system = System(tmp_path, kafka.bootstrap, database_url, prefix=topic_prefix)
    system.prepare(SOURCES)
    yield system
    for running in system.services.values():
        running.process.kill()


def a_process(system: System, program: str, **settings: str) -> RunningService:
    """One process of a service, started."""
    running = system.service(program, 1, None, **{**COMMON, **MAIL, **BELIEVED, **settings})
    running.start()
    return running


@pytest.fixture
async def two(luotsi: System) -> System:
    """Intake and routing, ready."""
    await do.until_ready([a_process(luotsi, "intake"), a_process(luotsi, "routing")])
    return luotsi


@pytest.fixture
async def three(two: System) -> System:
    """Intake, routing and the desk, which knows one worker, ready."""
    await do.fetch(
        two.admin_url,
        "INSERT INTO routing.worker (id, name, role) VALUES ('aino', 'Aino Esimerkki', 'duty') "
        "ON CONFLICT DO NOTHING",
    )
    intake = two.services["intake-1"]
    await do.until_ready([a_process(two, "desk", intake_url=intake.url)])
    return two
