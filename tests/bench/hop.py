"""Routing's hop again and again over the same signals: ``python -m tests.bench.hop``.

For whoever changes the hop: one run of intake, then each hop on a database of its own, with the raw
loop before and after it, and what processor time a signal costs routing and PostgreSQL. With
``--processes 2`` as it is deployed (deploy/kubernetes): two of them share the partitions. What is
measured begins when each process has written its first batch: a start costs as much as thousands
of signals, and the raw loop's is not counted either.
"""

import argparse
import asyncio
import os
import shutil
import tempfile
from pathlib import Path
from urllib.request import urlopen

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local.databases import create_database
from deploy.local.system import RunningService, System
from shared import events
from tests import system as do
from tests.bench.__main__ import PATIENCE, Bench, taken, written
from tests.bench.rates import rate, raw_rate

GROUP = "routing-signal"
WRITTEN = f'luotsi_records_total{{outcome="applied",service="routing",topic="{events.SIGNAL}"}}'
TICKS = os.sysconf("SC_CLK_TCK")
EVENTS = "SELECT e.recorded_at FROM routing.event_log e JOIN routing.door d ON d.id = e.door "


async def run(count: int, runs: int, processes: int, directory: Path) -> None:
    bench = Bench(directory, count)
    try:
        await asyncio.to_thread(bench.postgres.start)
        await asyncio.to_thread(bench.kafka.start)
        first = await bench.system("hop")
        await bench.publish(first)
        await bench.hop(first, "intake", "intake-notification", count)
        signals = len(await do.everything(first, events.SIGNAL))
        before = await raw_rate(first, events.SIGNAL, signals)
        for number in range(runs):
            system = await same_signals(bench, first, number)
            hop, own, server = await measured(system, signals, processes)
            after = await raw_rate(first, events.SIGNAL, signals)
            ratio = 2 * hop / (before + after)
            print(
                f"routing {hop:,.0f}/s, {ratio:.2f} of raw ({before:,.0f} and {after:,.0f}/s); "
                f"a signal {own:.0f} us of its own, {server:.0f} of PostgreSQL's",
                flush=True,
            )
            before = after
    finally:
        await asyncio.to_thread(bench.kafka.remove)
        await asyncio.to_thread(bench.postgres.remove)


async def same_signals(bench: Bench, first: System, number: int) -> System:
    """A fresh database with the keys of the first, before the same topics, which begin anew."""
    name = f"hop_{number}"
    await create_database(bench.postgres.admin_url, name)
    url = bench.postgres.url(name)
    system = System(bench.directory / name, bench.kafka.bootstrap, url, prefix=first.prefix)
    system.directory.mkdir()
    shutil.copy(first.key_file, system.key_file)
    await asyncio.to_thread(system.prepare)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=system.bootstrap, group_id=system.prefix + GROUP, enable_auto_commit=False
    )
    await consumer.start()
    try:
        topic = system.prefix + events.SIGNAL
        places = [TopicPartition(topic, each) for each in range(events.PARTITIONS)]
        consumer.assign(places)
        await consumer.commit(dict.fromkeys(places, 0))
    finally:
        await consumer.stop()
    return system


async def measured(system: System, signals: int, processes: int) -> tuple[float, float, float]:
    """Signals per second; microseconds of processor a signal, routing's own and PostgreSQL's."""
    services = [
        system.service("routing", number, timers="false", send="false")
        for number in range(1, processes + 1)
    ]
    for service in services:
        service.start()
    group = system.prefix + GROUP
    conn = await asyncpg.connect(system.admin_url)
    try:
        async with asyncio.timeout(PATIENCE):
            while not all(map(has_written, services)):
                if await written(conn, "routing", group) >= signals:
                    raise ValueError(f"{signals} signals are too few: give a larger --count")
                await asyncio.sleep(0.1)
        since = await conn.fetchval("SELECT now()")
        done = await conn.fetchval("SELECT count(*) FROM routing.event_log")
        own, server = sum(map(seconds_of, services)), seconds_of_postgres()
        await taken(conn, "routing", group, signals)
        own, server = sum(map(seconds_of, services)) - own, seconds_of_postgres() - server
        left = (signals - done) / 1_000_000
        rows = f"{EVENTS}WHERE d.grp = '{group}' AND e.recorded_at >= '{since}'"
        hop = await rate(conn, rows, 1)
        return hop, own / left, server / left
    finally:
        for service in services:
            service.process.stop()
        await conn.close()


def has_written(service: RunningService) -> bool:
    """Whether a process has written a batch of signals."""
    assert service.process.pid is not None, f"{service.process.name} has ended"
    if not service.ready():
        return False
    with urlopen(f"{service.url}/metrics") as answer:  # noqa: S310 -- one of our own
        return WRITTEN in answer.read().decode()


def seconds_of(service: RunningService) -> float:
    """What a running process has used of the processors; proc(5)."""
    pid = service.process.pid
    assert pid is not None, f"{service.process.name} has ended"
    stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, stat[11:13])) / TICKS


def seconds_of_postgres() -> float:
    """What PostgreSQL has used, those of its processes that have ended included.

    Of every server of this machine: no other may have work meanwhile.
    """
    total = 0.0
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = entry.read_text().partition("(")[2].rpartition(")")
        except OSError:  # it has ended meanwhile: its parent counts it
            continue
        if name == "postgres":
            total += sum(map(int, rest.split()[11:15])) / TICKS
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=70_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--processes", type=int, default=1)
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="luotsi-hop-"))
    try:
        asyncio.run(run(arguments.count, arguments.runs, arguments.processes, directory))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
