"""One Kafka node: format, start, stop, kill, start again."""

import base64
import json
import os
import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import LocalError
from deploy.local.kafka.jars import fetch_jars, java
from deploy.local.kafka.readiness import every_leader_answers
from deploy.local.machine import HOST, demand_free, free_port, port_answers
from deploy.local.process import POLL_S, BackgroundProcess

READY_TIMEOUT_S = 90

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers={host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
num.partitions=12
num.network.threads=2
num.io.threads=2
message.max.bytes=2097152
auto.create.topics.enable=false
# One node: every internal topic has one copy.
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
# After a kill the controller waits this long for the node it was itself, before it lets it in.
broker.session.timeout.ms=5000
broker.heartbeat.interval.ms=1000
# Nothing is forgotten because time passed: neither records nor how far a group has read.
log.retention.ms=-1
offsets.retention.minutes=2147483647
log.segment.bytes=134217728
# The default, 128 MB, would be taken from the heap at start.
log.cleaner.dedupe.buffer.size=16777216
"""

LOGGING = """\
status=error
rootLogger.level=warn
rootLogger.appenderRef.stdout.ref=STDOUT
appender.stdout.type=Console
appender.stdout.name=STDOUT
appender.stdout.layout.type=PatternLayout
appender.stdout.layout.pattern=[%d] %p %m (%c)%n
"""


@dataclass(frozen=True)
class Profile:
    """How much of the machine a node takes."""

    java_flags: tuple[str, ...]


SMALL = Profile(("-Xms128m", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:ActiveProcessorCount=2"))
BENCH = Profile(("-Xms256m", "-Xmx512m", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20"))


class KafkaNode:
    """A broker and controller in one process, with all its files in `directory`.

    A port of 0 means: the one this directory had before, else any free one.
    """

    def __init__(
        self,
        directory: Path,
        port: int = 0,
        controller_port: int = 0,
        *,
        profile: Profile = SMALL,
        tied: bool = False,
    ) -> None:
        self.directory = directory.resolve()
        self._profile = profile
        self._process = BackgroundProcess("kafka", self.directory, tied=tied)
        before = self._ports_before()
        self.port = port or before.get("port") or free_port()
        self.controller_port = controller_port or before.get("controller_port") or free_port()

    @property
    def bootstrap(self) -> str:
        """Where clients connect."""
        return f"{HOST}:{self.port}"

    @property
    def log_file(self) -> Path:
        """What the node has to say."""
        return self._process.log_file

    @property
    def running(self) -> bool:
        """Whether the node's process lives; it may not be ready yet."""
        return self._process.pid is not None

    def start(self, *, wait: bool = True) -> None:
        """Start the node, formatting its directory the first time; `wait` until it is ready.

        Raises LocalError where Java or Maven is missing, a port is taken, or Kafka ends at once.
        """
        if not self.running:
            java_path, jars = java(), fetch_jars()
            demand_free(self.port, "Kafka", "LUOTSI_KAFKA_PORT")
            demand_free(self.controller_port, "Kafka's controller", "LUOTSI_KAFKA_CONTROLLER_PORT")
            self._configure()
            self._format(java_path, jars)
            self._process.start(self._command(java_path, jars))
        if wait:
            self.ready()

    def ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Wait until every partition's leader answers; LocalError where that does not happen."""
        deadline = time.monotonic() + timeout_s
        while not every_leader_answers(HOST, self.port):
            if not self.running:
                raise self._failed("Kafka ended")
            if time.monotonic() > deadline:
                raise self._failed(f"Kafka was not ready after {timeout_s:.0f} s")
            time.sleep(POLL_S)

    def stop(self) -> None:
        """End the node in good order (SIGTERM)."""
        self._process.stop()

    def kill(self) -> None:
        """End the node at once (SIGKILL), as a crash would."""
        self._process.kill()

    def remove(self) -> None:
        """End the node and forget its data."""
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self.directory / "data"

    @property
    def _properties(self) -> Path:
        return self.directory / "server.properties"

    def _ports_before(self) -> dict[str, int]:
        try:
            ports: dict[str, int] = json.loads((self.directory / "ports.json").read_bytes())
        except FileNotFoundError:
            return {}
        return ports

    def _configure(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        ports = {"port": self.port, "controller_port": self.controller_port}
        (self.directory / "ports.json").write_text(json.dumps(ports), encoding="ascii")
        properties = PROPERTIES.format(host=HOST, data=self._data, **ports)
        self._properties.write_text(properties, encoding="utf-8")
        (self.directory / "log4j2.properties").write_text(LOGGING, encoding="utf-8")

    def _format(self, java_path: str, jars: Path) -> None:
        if (self._data / "meta.properties").exists():
            return
        tool = BackgroundProcess("format", self.directory, tied=True)
        tool.start(
            [
                *(java_path, "-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", f"{jars}/*"),
                *("kafka.tools.StorageTool", "format", "--ignore-formatted", "--standalone"),
                *("-t", new_cluster_id(), "-c", self._properties),
            ]
        )
        if tool.wait(READY_TIMEOUT_S) != 0:
            raise LocalError(
                f"Kafka's directory could not be formatted: {tool.last_lines(2)}",
                f"Mend: see {tool.log_file}; Kafka needs Java 17 or newer.",
            )

    def _command(self, java_path: str, jars: Path) -> list[str | Path]:
        return [
            java_path,
            *self._profile.java_flags,
            *("-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true"),
            f"-Dkafka.logs.dir={self.directory}",
            f"-Dlog4j2.configurationFile=file:{self.directory / 'log4j2.properties'}",
            *("-cp", f"{jars}/*", "kafka.Kafka", self._properties),
        ]

    def _failed(self, what: str) -> LocalError:
        return LocalError(f"{what}: {self._process.last_lines(2)}", f"Mend: see {self.log_file}.")


class ExistingKafka:
    """A Kafka that was here before us: used, never started or stopped."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap

    def start(self, *, wait: bool = True) -> None:
        """See that it is there."""
        if wait:
            self.ready()

    def ready(self, timeout_s: float = READY_TIMEOUT_S) -> None:
        """Raise LocalError where no address of LUOTSI_KAFKA answers within `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        addresses = [entry.strip().rpartition(":") for entry in self.bootstrap.split(",")]
        while not any(port_answers(int(port), host) for host, _, port in addresses):
            if time.monotonic() > deadline:
                raise LocalError(
                    f"No Kafka answers at {self.bootstrap}.",
                    "Mend: start it, or unset LUOTSI_KAFKA to use one of our own.",
                )
            time.sleep(POLL_S)

    def stop(self) -> None:
        """Leave it running: it is not ours."""

    def kill(self) -> None:
        """Refuse: it is not ours."""
        raise LocalError("LUOTSI_KAFKA names a Kafka that is not ours to kill.", "Mend: unset it.")

    def remove(self) -> None:
        """Leave its data: they are not ours."""


def kafka_here(
    directory: Path,
    port: int = 0,
    controller_port: int = 0,
    *,
    profile: Profile = SMALL,
    tied: bool = False,
) -> KafkaNode | ExistingKafka:
    """The Kafka that LUOTSI_KAFKA names, else a node of our own in `directory`."""
    if existing := os.environ.get("LUOTSI_KAFKA"):
        return ExistingKafka(existing)
    return KafkaNode(directory, port, controller_port, profile=profile, tied=tied)


def new_cluster_id() -> str:
    """A random id in Kafka's spelling; one that starts with a dash would look like an option."""
    while True:
        spelt = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not spelt.startswith("-"):
            return spelt
