"""Finland's year through intake and routing: how long, against the raw loop, in how much memory.

``python -m tests.bench.year``; also the end of ``make bench``. The year is published first; then
both services start on it together, and what counts is from their start until routing has taken
every signal. Memory is that of the processes after each quarter of the way.
"""

import argparse
import asyncio
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
from tests import history
from tests.bench.rates import raw_rate

SEED = 11
PATIENCE_S = 3600.0
LOOK_EVERY_S = 1.0
RAW = 100_000  # messages of the raw loop


class Way(NamedTuple):
    """How a year went through: seconds, and megabytes of each process at each quarter."""

    seconds: float
    signals: int
    memory: dict[str, list[int]]


async def finlands_year(system: System, under_18s: int) -> str:
    """The figures, in words."""
    kinds: Counter[str] = Counter()
    started = time.perf_counter()
    year = _counted(stream(SEED, under_18s), kinds)
    count = await publish(system.bootstrap, year, topic_prefix=system.prefix)
    published = time.perf_counter() - started
    raw = await raw_rate(system, events.INTAKE_NOTIFICATION, min(RAW, count // 4))
    way = await _through(system, count)
    rate = count / way.seconds
    memory = "; ".join(
        f"{name} {' -> '.join(map(str, sizes))} MB" for name, sizes in way.memory.items()
    )
    return (
        f"{count:,} messages ({', '.join(f'{n:,} {k}' for k, n in kinds.most_common())}), "
        f"published in {published:.0f} s: through intake and routing in {way.seconds:.0f} s, "
        f"{rate:,.0f}/s, {rate / raw:.2f} of raw ({raw:,.0f}/s); {way.signals:,} signals; "
        f"memory after each quarter: {memory}"
    )


def _counted(messages: Iterator[Message], kinds: Counter[str]) -> Iterator[Message]:
    for message in messages:
        kinds[message.kind] += 1
        yield message


async def _through(system: System, count: int) -> Way:
    services = [system.service(name, timers="false") for name in ("intake", "routing")]
    memory: dict[str, list[int]] = {service.program: [] for service in services}
    conn = await asyncpg.connect(system.admin_url)
    started, quarter = time.perf_counter(), 1
    for service in services:
        service.start()
    try:
        while time.perf_counter() - started < PATIENCE_S:
            taken = await conn.fetchval(
                "SELECT coalesce(sum(next_off), 0) FROM intake.source_offset"
            )
            while quarter <= 3 and taken >= quarter * count / 4:
                _weigh(services, memory)
                quarter += 1
            if taken >= count and await _routed(system, conn):
                seconds = time.perf_counter() - started
                _weigh(services, memory)
                signals = await conn.fetchval("SELECT count(*) FROM routing.notification")
                return Way(seconds, signals, memory)
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
    parser.add_argument("--under-18s", type=int, default=FINLAND)
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="luotsi-bench-"))
    try:
        asyncio.run(run(arguments.under_18s, directory))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
