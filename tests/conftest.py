"""The servers of a test run: a real Kafka and a real PostgreSQL, started once, on free ports.

LUOTSI_KAFKA and LUOTSI_DATABASE_URL make the tests use servers that exist.
"""

import importlib
import importlib.util
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from deploy.local.databases import create_database, drop_database, wait_for
from deploy.local.errors import LocalError
from deploy.local.kafka import ExistingKafka, KafkaNode, kafka_here
from deploy.local.postgres import ExistingPostgres, PostgresServer, postgres_here
from deploy.local.system import System
from tests.databases import Databases

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")  # how long something takes is measured in tests/bench

RUNS = Path(__file__).resolve().parent.parent / ".luotsi" / "test"


@pytest.fixture(scope="session")
def server_directory() -> Iterator[Path]:
    """The folder of this run's servers; what killed runs left is swept first."""
    RUNS.mkdir(parents=True, exist_ok=True)
    for old in RUNS.glob("run-*"):
        if not Path(f"/proc/{old.name.removeprefix('run-')}").exists():
            postgres_here(old / "postgres").remove()
            shutil.rmtree(old, ignore_errors=True)
    directory = RUNS / f"run-{os.getpid()}"
    directory.mkdir()
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def kafka(server_directory: Path) -> Iterator[KafkaNode | ExistingKafka]:
    """A ready Kafka, at `.bootstrap`. Who stops or kills it starts it again."""
    node = kafka_here(server_directory / "kafka", tied=True)
    try:
        start_or_end_the_run(node)
        yield node
    finally:
        node.remove()


@pytest.fixture(scope="session")
def postgres(server_directory: Path) -> Iterator[PostgresServer | ExistingPostgres]:
    """A ready PostgreSQL, at `.admin_url`. Who stops or kills it starts it again."""
    server = postgres_here(server_directory / "postgres", tied=True)
    try:
        start_or_end_the_run(server)
        yield server
    finally:
        server.remove()


@pytest.fixture
def topic_prefix() -> str:
    """A short beginning for topic names that no other test has, such as `t1a2b3.`."""
    return f"t{secrets.token_hex(4)}."


@pytest.fixture(scope="session")
def migrated_template(postgres: PostgresServer | ExistingPostgres) -> Iterator[str]:
    """A database with every migration applied, to be copied by `database_url`."""
    name = f"luotsi_template_{secrets.token_hex(4)}"
    wait_for(create_database(postgres.admin_url, name))
    if importlib.util.find_spec("shared.migrate"):
        wait_for(
            importlib.import_module("shared.migrate").migrate_all(postgres.url(name), "luotsi")
        )
    yield name
    wait_for(drop_database(postgres.admin_url, name))


@pytest.fixture(scope="session")
def databases(postgres: PostgresServer | ExistingPostgres, migrated_template: str) -> Databases:
    """Databases with every migration applied, which tests use one after the other."""
    return Databases(postgres, migrated_template)


@pytest.fixture
async def database_url(
    postgres: PostgresServer | ExistingPostgres, databases: Databases
) -> AsyncIterator[str]:
    """An empty, migrated database of this test's own, as its superuser sees it."""
    name = await databases.take()
    yield postgres.url(name)
    await databases.give_back(name)


@pytest.fixture
def luotsi(
    kafka: KafkaNode | ExistingKafka, database_url: str, topic_prefix: str, tmp_path: Path
) -> Iterator[System]:
    """A Luotsi of this test's own, with nothing made yet; what it runs is stopped."""
    system = System(tmp_path, kafka.bootstrap, database_url, prefix=topic_prefix)
    yield system
    system.stop()


def start_or_end_the_run(
    server: KafkaNode | PostgresServer | ExistingKafka | ExistingPostgres,
) -> None:
    """A missing server is a loud failure of the whole run, in one line."""
    try:
        server.start()
    except LocalError as error:
        pytest.exit(f"luotsi: {error}", returncode=1)
