"""Finland's year through intake and routing: how long, against the raw loop, in how much memory.

``python -m tests.bench.year``; also the end of ``make bench``. A year of everything: notifications
and other matters, the declared stress figure of absence signals (500,000 in all of Finland), the
feeds. It is published first; then both services start on it together, and what counts is from their
start until routing has taken every signal. Memory is that of the processes after each quarter of
the way, and of this one, which writes the year while it publishes it.
"""

import argparse
import asyncio
import resource
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg

from deploy.local.databases import create_database
from deploy.local.kafka import BENCH, kafka_here
from deploy.local.postgres import postgres_here
from deploy.local.system import System
from deploy.sample.county import FINLAND, Message, stream
from deploy.sample.publish import publish
from shared import events
from shared.kinds import BY_NAME
from tests import history
from tests.bench.rates import raw_rate

SEED = 11
PATIENCE_S = 3600.0
LOOK_EVERY_S = 1.0
RAW = 100_000  # messages of the raw loop, at the most
FEWEST = 10_000
LETTERS = events.INTAKE_NOTIFICATION


class Way(NamedTuple):
    """How a year went through: seconds, and megabytes of each process at each quarter.

    `outcomes` says what became of the messages at intake, `signals` how many cases' rows they made.
    """

    seconds: float
    signals: int
    outcomes: dict[str, int]
    memory: dict[str, list[int]]


async def finlands_year(system: System, under_18s: int) -> str:
    """The figures, in words."""
    kinds: Counter[str] = Counter()
    started = time.perf_counter()
    year = _counted(stream(SEED, under_18s, absences="stress"), kinds)
    count = await publish(system.bootstrap, year, topic_prefix=system.prefix)
    published, writer = time.perf_counter() - started, _most_of_this()
    letters = sum(n for kind, n in kinds.items() if BY_NAME[kind].topic == LETTERS)
    raw = await raw_rate(system, LETTERS, min(RAW, letters))
    way = await _through(system, count)
    outcomes = ", ".join(f"{n:,} {name}" for name, n in sorted(way.outcomes.items()))
    rate = count / way.seconds
    memory = "; ".join(
        f"{name} {' -> '.join(map(str, sizes))} MB" for name, sizes in way.memory.items()
    )
    told = ", ".join(f"{n:,} {kind}" for kind, n in kinds.most_common())
    return (
        f"{count:,} messages ({told}), published in {published:.0f} s with {writer} MB: "
        f"through intake and routing in {way.seconds:.0f} s, {rate:,.0f}/s, "
        f"{rate / raw:.2f} of raw ({raw:,.0f}/s); {way.signals:,} signals; "
        f"at intake {outcomes}; memory after each quarter: {memory}"
    )


def _counted(messages: Iterator[Message], kinds: Counter[str]) -> Iterator[Message]:
    for message in messages:
        kinds[message.kind] += 1
        yield message


async def _through(system: System, count: int) -> Way:
    services = [
        system.service(
            "intake", timers="false", client_sources="clients-1", directory_sources="directory-1"
        ),
        system.service("routing", timers="false"),
    ]
    memory: dict[str, list[int]] = {service.program: [] for service in services}
    conn = await asyncpg.connect(system.admin_url)
    started, quarter = time.perf_counter(), 1
    for service in services:
        service.start()
    try:
        while time.perf_counter() - started < PATIENCE_S:
            taken = await conn.fetchval(
                "SELECT coalesce(sum(o.next_off), 0) FROM intake.source_offset o "
                "JOIN intake.door d ON d.id = o.door WHERE starts_with(d.grp, $1)",
                f"{system.prefix}intake-",
            )
            while quarter <= 3 and taken >= quarter * count / 4:
                _weigh(services, memory)
                quarter += 1
            if taken >= count and await _routed(system, conn):
                seconds = time.perf_counter() - started
                _weigh(services, memory)
                signals = await conn.fetchval("SELECT count(*) FROM routing.notification")
                rows = await conn.fetch(
                    "SELECT outcome, count(*) AS n FROM intake.event_log GROUP BY 1"
                )
                return Way(seconds, signals, {r["outcome"]: r["n"] for r in rows}, memory)
            await asyncio.sleep(LOOK_EVERY_S)
        raise TimeoutError("the year did not get through")
    finally:
        await conn.close()
        system.stop()


async def _routed(system: System, conn: Any) -> bool:
    ends = await history.end_offsets(system, events.SIGNAL, events.PARTITIONS)
    routed = await conn.fetchval(
        "SELECT coalesce(sum(o.next_off), 0) FROM routing.source_offset o "
        "JOIN routing.door d ON d.id = o.door WHERE d.topic = $1",
        events.SIGNAL,
    )
    return bool(routed >= sum(ends.values()))


def _weigh(services: list[Any], memory: dict[str, list[int]]) -> None:
    """Resident memory of each process, in MB."""
    for service in services:
        status = Path(f"/proc/{service.process.pid}/status").read_text(encoding="ascii")
        (line,) = [each for each in status.splitlines() if each.startswith("VmRSS")]
        memory[service.program].append(int(line.split()[1]) // 1024)


def _most_of_this() -> int:
    """The most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


@asynccontextmanager
async def _servers(directory: Path) -> Any:
    kafka = kafka_here(directory / "kafka", profile=BENCH, tied=True)
    postgres = postgres_here(directory / "postgres", tied=True)
    try:
        await asyncio.to_thread(postgres.start)
        await asyncio.to_thread(kafka.start)
        await create_database(postgres.admin_url, "bench_year")
        system = System(
            directory / "year", kafka.bootstrap, postgres.url("bench_year"), prefix="byear."
        )
        await asyncio.to_thread(system.prepare)
        yield system
    finally:
        await asyncio.to_thread(kafka.remove)
        await asyncio.to_thread(postgres.remove)


async def run(under_18s: int, directory: Path) -> None:
    async with _servers(directory) as system:
        print(await finlands_year(system, under_18s))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--under-18s", type=int, default=FINLAND)
    size.add_argument("--fraction", type=float, help="of all of Finland, such as 0.1")
    arguments = parser.parse_args()
    under_18s = arguments.under_18s
    if arguments.fraction is not None:
        under_18s = round(FINLAND * arguments.fraction)
    if under_18s < FEWEST:
        parser.error(f"at least {FEWEST} under-18s: the raw loop needs some batches")
    directory = Path(tempfile.mkdtemp(prefix="luotsi-bench-"))
    try:
        asyncio.run(run(under_18s, directory))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
