"""The demo: python -m deploy.local.demo [up | down | clean].

`up` starts PostgreSQL and Kafka, the services and a mail catcher, publishes a month of the sample
county, lets sample workers work on it, and says where to look. What is there already stays.
"""

import asyncio
import fcntl
import os
import shutil
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from deploy.local import store, supervisor
from deploy.local.databases import wait_for
from deploy.local.errors import LocalError, run_command
from deploy.local.kafka import KafkaNode, kafka_here
from deploy.local.machine import demand_space, port_is_free
from deploy.local.month import (
    SampleMonth,
    publish_known,
    publish_now,
    publish_past,
    sample_month,
    waiting,
)
from deploy.local.plan import DIRECTORY, USERS, DemoSettings, Plan
from deploy.local.play import Beside, answer_checks, work_on_cases
from deploy.local.postgres import PostgresServer, postgres_here
from deploy.local.process import POLL_S, BackgroundProcess
from deploy.local.programs import SOURCES, Program, programs
from deploy.local.progress import Progress, step
from deploy.local.summary import summary
from deploy.local.system import System
from deploy.sample.staff import WORKERS
from deploy.sample.staff.telling import Known
from deploy.sample.store import add_workers
from shared.clock import utc_now
from shared.migrate import EditedMigrationError

SPACE_MB = 1500
READY_S = 90.0
PATIENCE_S = 60.0  # without a single notification more
DATABASE = "luotsi"


class Demo:
    """The demo in one folder."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._plan = Plan.load(directory)

    def up(self) -> None:
        """Start what does not run, play the month in where that is not done, say where to look."""
        if self._runs():
            print("Luotsi is running already.")
        else:
            self._start()
        sample = self._sample()
        if sample is not None:
            self._play_in(sample)
        print()
        print(summary(self._plan, wait_for(store.counts(self._plan.database_url, utc_now()))))

    def down(self) -> None:
        """Stop our own processes and no others; the data stay."""
        if not self._anything_runs():
            print("Nothing of Luotsi's demo is running in this checkout.")
            return
        with step("stopping Luotsi"):
            supervisor.process(self._directory).stop(timeout_s=60)
            for file in self._directory.glob("*.pid"):  # left where the supervisor was killed
                BackgroundProcess(file.stem, self._directory).stop()
            with ThreadPoolExecutor() as threads:
                list(threads.map(lambda server: server.stop(), self._own_servers()))

    def clean(self) -> None:
        """Stop, and forget everything."""
        self.down()
        for server in self._own_servers():
            server.remove()
        shutil.rmtree(self._directory, ignore_errors=True)
        print("  The demo's data are gone.")
        if not (self._plan.own_kafka and self._plan.own_postgres):
            print("  The servers that LUOTSI_KAFKA or LUOTSI_DATABASE_URL named keep their data.")

    # --- start ------------------------------------------------------------------------------------

    def _runs(self) -> bool:
        """Whether all of it runs and is ready."""
        if supervisor.process(self._directory).pid is None or not self._plan.database_url:
            return False
        return all(program.ready() for program in self._programs())

    def _start(self) -> None:
        settings = DemoSettings.read()
        demand_space(self._directory, SPACE_MB)
        supervisor.process(self._directory).stop()  # only half of it runs: all of it anew
        self._plan.ports = settings.ports(self._plan.ports)
        self._demand_ports(settings)
        with step("PostgreSQL and Kafka", talks=True):
            self._start_servers(settings)
        with step("keys, topics and schemas"):
            System(self._directory, self._plan.kafka, self._plan.database_url).prepare(SOURCES)
            self._plan.save(self._directory)
        with step("services and mail catcher"):
            supervisor.start(self._directory)
            self._wait_until_ready()

    def _demand_ports(self, settings: DemoSettings) -> None:
        ports = self._plan.ports.model_dump()
        if settings.kafka or KafkaNode(self._directory / "kafka").running:
            del ports["kafka"], ports["kafka_controller"]
        if settings.database_url or PostgresServer(self._directory / "postgres").running:
            del ports["postgres"]
        demand_ports(ports)

    def _start_servers(self, settings: DemoSettings) -> None:
        plan, ports = self._plan, self._plan.ports
        kafka = kafka_here(self._directory / "kafka", ports.kafka, ports.kafka_controller)
        postgres = postgres_here(self._directory / "postgres", ports.postgres)
        kafka.start(wait=False)
        postgres.start()
        kafka.ready()
        plan.kafka, plan.own_kafka = kafka.bootstrap, settings.kafka is None
        plan.own_postgres = settings.database_url is None
        plan.database_url = postgres.admin_url
        if isinstance(postgres, PostgresServer):
            postgres.create_database(DATABASE)
            plan.database_url = postgres.url(DATABASE)

    def _anything_runs(self) -> bool:
        left = [BackgroundProcess(f.stem, self._directory) for f in self._directory.glob("*.pid")]
        return any(process.pid for process in left) or any(s.running for s in self._own_servers())

    def _programs(self) -> list[Program]:
        return programs(self._plan, self._directory)

    def _own_servers(self) -> list[KafkaNode | PostgresServer]:
        servers: list[KafkaNode | PostgresServer] = []
        if (self._directory / "kafka").exists():
            servers.append(KafkaNode(self._directory / "kafka"))
        postgres = PostgresServer(self._directory / "postgres")
        return [*servers, postgres] if postgres.directory.exists() else servers

    def _wait_until_ready(self) -> None:
        waiting = self._programs()
        deadline = time.monotonic() + READY_S
        while waiting := [program for program in waiting if not program.ready()]:
            if time.monotonic() > deadline:
                process = waiting[0].process
                raise LocalError(
                    f"{process.name} is not ready after {READY_S:.0f} s: {process.last_lines(1)}",
                    f"Mend: see {process.log_file}.",
                )
            time.sleep(POLL_S)

    # --- the month --------------------------------------------------------------------------------

    def _sample(self) -> SampleMonth | None:
        """The month to play in; None where that is done, or where data are there already."""
        plan = self._plan
        if plan.stage == "played":
            return None
        if plan.until is None:
            if held := wait_for(store.routed(plan.database_url)):
                print(f"  The database holds {held} notifications already: none are added.")
                self._open()
                return None
            plan.until = utc_now()
            plan.save(self._directory)
        return sample_month(plan.until)

    def _play_in(self, sample: SampleMonth) -> None:
        """Publish, wait until all is routed, let people work, then let the clocks be watched.

        The feeds go first, so that clients are known when the month's messages come. Each stage is
        kept, so that what was interrupted goes on where it was.
        """
        plan = self._plan
        wait_for(add_workers(plan.database_url, WORKERS))
        if plan.stage == "new":
            with Progress("staff, rota and clients from the feeds", len(sample.known)) as shown:
                asyncio.run(publish_known(plan.kafka, sample, shown))
                self._wait_until_routed(lambda _: None)
            with Progress("published as intake systems would", len(sample.past)) as shown:
                asyncio.run(publish_past(plan.kafka, sample, shown))
            plan.stage = "published"
            plan.save(self._directory)
        with Progress("received, screened and routed", sample.signals) as shown:
            self._wait_until_routed(shown)
        desk = f"http://127.0.0.1:{plan.ports.desk}"
        names = wait_for(store.message_names(plan.database_url))
        beside = Beside(Known(names, sample.truths), self._directory / "workers.jsonl")
        with Progress("urgency checks answered", 0) as shown:
            asyncio.run(answer_checks(desk, utc_now(), shown, beside))
        with Progress("cases worked on", 0) as shown:
            asyncio.run(work_on_cases(desk, utc_now(), shown, beside))
        with step("watch over clocks and mail switched on"):
            self._open()
        with step("a few messages come in just now"):
            asyncio.run(publish_now(plan.kafka, sample))
            self._wait_until_routed(lambda _: None)

    def _wait_until_routed(self, shown: Callable[[int], None]) -> None:
        """Wait until nothing waits on the way any more."""
        plan = self._plan
        least, deadline = sys.maxsize, 0.0
        while left := wait_for(waiting(plan.kafka)):
            shown(wait_for(store.routed(plan.database_url)))
            if left < least:
                least, deadline = left, time.monotonic() + PATIENCE_S
            if time.monotonic() > deadline:
                raise LocalError(
                    f"{left} messages wait on the way, and none has moved for {PATIENCE_S:.0f} s.",
                    f"Mend: see the logs in {self._directory}; `make demo` goes on from here.",
                )
            time.sleep(0.2)
        shown(wait_for(store.routed(plan.database_url)))

    def _open(self) -> None:
        """The month is in: from now on clocks are watched and mail leaves, as in real work."""
        was = {program.name: program.settings for program in self._programs()}
        self._plan.opens(utc_now())
        changed = [p for p in self._programs() if p.settings != was[p.name]]
        before = {program.name: program.process.pid for program in changed}
        self._plan.save(self._directory)
        supervisor_pid = supervisor.process(self._directory).pid
        if supervisor_pid is None:
            raise LocalError("The supervisor has ended.", "Mend: `make demo` again.")
        os.kill(supervisor_pid, signal.SIGHUP)
        deadline = time.monotonic() + READY_S
        while any(program.process.pid in (None, before[program.name]) for program in changed):
            if time.monotonic() > deadline:
                raise LocalError("The services were not restarted.", "Mend: `make demo` again.")
            time.sleep(POLL_S)
        self._wait_until_ready()


def demand_ports(ports: dict[str, int]) -> None:
    """Raise LocalError, naming every one of `ports` (user -> number) that is taken."""
    taken = {name: port for name, port in ports.items() if not port_is_free(port)}
    if not taken:
        return
    another = " (perhaps a demo of another checkout: `make down` there)" if len(taken) > 2 else ""
    told = ", ".join(f"{port} ({USERS[name]})" for name, port in taken.items())
    name, port = next(iter(taken.items()))
    choice = f"`make demo LUOTSI_{name.upper()}_PORT={port + 10}`"
    one = len(taken) == 1
    raise LocalError(
        f"{'Port' if one else 'Ports'} {told} {'is' if one else 'are'} taken by another program.",
        f"Mend: stop that program{another}, or choose another port, as in {choice}.",
    )


# --- command line ---------------------------------------------------------------------------------


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Only one command at a time works on the demo."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        lock = (directory.parent / "demo.lock").open("w")
    except OSError as error:
        raise LocalError(
            f"The folder {directory} cannot be written: {error.strerror}.",
            "Mend: work in a checkout of your own account, on a disk with room.",
        ) from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalError(
                "Another `make demo`, `make down` or `make clean` is at work in this checkout.",
                "Mend: wait until it has ended.",
            ) from None
        yield


@contextmanager
def one_line(directory: Path) -> Iterator[None]:
    """Whatever goes wrong is one line; the whole story lies in a file."""
    try:
        yield
    except (LocalError, KeyboardInterrupt):
        raise
    except EditedMigrationError:
        raise LocalError(
            "The demo's data were made by another version of Luotsi.",
            "Mend: `make clean`, then `make demo`.",
        ) from None
    except Exception as error:  # noqa: BLE001 -- a newcomer gets one line, whatever it was
        file = directory / "error.log"
        file.write_text(traceback.format_exc(), encoding="utf-8")
        reason = " ".join(str(error).split())[:200]
        raise LocalError(
            f"Something unexpected happened: {type(error).__name__}: {reason}.",
            f"Mend: `make demo` goes on from here; if it comes back, see {file}.",
        ) from None


def main() -> None:
    """Do what the command line says: `up`, `down` or `clean`."""
    command = sys.argv[1] if len(sys.argv) > 1 else "up"
    with alone(DIRECTORY), one_line(DIRECTORY):
        demo = Demo(DIRECTORY)
        {"up": demo.up, "down": demo.down, "clean": demo.clean}[command]()


if __name__ == "__main__":
    run_command(main)
