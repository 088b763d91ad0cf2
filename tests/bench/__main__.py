"""``make bench``: the pure core, then the raw limit, the plumbing, each hop and the whole way.

Every round measures all of them one after the other on the same servers; what is reported are
medians of the rounds and of the ratios inside a round. The raw loop runs before and after the hops
that are compared with it, because the machine's own speed changes meanwhile. A rate is taken from
a program's own rows: those after its first batch, by the time between its first and its last
transaction.
"""

import argparse
import asyncio
import json
import platform
import shutil
import statistics
import tempfile
import time
from datetime import date
from pathlib import Path

import asyncpg

from deploy.local.databases import create_database
from deploy.local.kafka import BENCH, kafka_here
from deploy.local.postgres import postgres_here
from deploy.local.system import APPS, System
from deploy.sample.county import FINLAND, messages
from deploy.sample.publish import publish
from shared import events
from tests import system as do
from tests.bench import decide
from tests.bench.latency import desk_latency
from tests.bench.rates import rate, raw_rate
from tests.bench.urgent import urgent_seconds
from tests.bench.year import finlands_year

APPS["plumbing"] = ("notifications", "tests.bench.plumbing:build_app")
LAST_DAY = date(2026, 11, 20)
PATIENCE = 300.0

Rates = dict[str, float]
RATIOS = {
    "bare plumbing": "raw (notifications)",
    "intake hop": "raw (notifications)",
    "routing hop": "raw (signals)",
    "notifications hop": "raw (signals)",
}


class Bench:
    """One run on its own servers."""

    def __init__(self, directory: Path, count: int) -> None:
        self.directory = directory
        self.kafka = kafka_here(directory / "kafka", profile=BENCH, tied=True)
        self.postgres = postgres_here(directory / "postgres", tied=True)
        self.sample = messages(count, seed=7, last_day=LAST_DAY)

    async def system(self, name: str) -> System:
        """Fresh topics and a fresh database."""
        await create_database(self.postgres.admin_url, f"bench_{name}")
        url = self.postgres.url(f"bench_{name}")
        system = System(self.directory / name, self.kafka.bootstrap, url, prefix=f"b{name}.")
        await asyncio.to_thread(system.prepare)
        return system

    async def round(self, number: int) -> Rates:
        """All measurements once."""
        system = await self.system(f"{number}hops")
        await self.publish(system)
        count = len(self.sample)
        rates: Rates = {}
        before = await raw_rate(system, events.INTAKE_NOTIFICATION, count)
        rates["bare plumbing"] = await self.hop(system, "plumbing", "plumbing", count)
        rates["intake hop"] = await self.hop(system, "intake", "intake-notification", count)
        after = await raw_rate(system, events.INTAKE_NOTIFICATION, count)
        rates["raw (notifications)"] = (before + after) / 2
        signals = len(await do.everything(system, events.SIGNAL))
        before = await raw_rate(system, events.SIGNAL, signals)
        # Notifications before routing: afterwards it would also read what routing has said.
        rates["notifications hop"] = await self.hop(
            system, "notifications", "notifications-signal", signals
        )
        rates["routing hop"] = await self.hop(system, "routing", "routing-signal", signals)
        rates["raw (signals)"] = (before + await raw_rate(system, events.SIGNAL, signals)) / 2
        rates["whole way"] = await self.whole_way(f"{number}way")
        return rates

    async def publish(self, system: System) -> None:
        """The sample, as fast as Kafka takes it."""
        await publish(self.kafka.bootstrap, self.sample, topic_prefix=system.prefix)

    async def hop(self, system: System, program: str, group: str, count: int) -> float:
        """One service alone over the records that wait for it."""
        service = system.service(program, timers="false", send="false")
        service.start()
        schema = APPS[program][0]
        conn = await asyncpg.connect(system.admin_url)
        try:
            await taken(conn, schema, system.prefix + group, count)
            return await rate(
                conn,
                f"SELECT e.recorded_at FROM {schema}.event_log e JOIN {schema}.door d "  # noqa: S608
                f"ON d.id = e.door WHERE d.grp = '{system.prefix}{group}'",
                count,
            )
        finally:
            service.process.stop()
            await conn.close()

    async def whole_way(self, name: str) -> float:
        """All services run; from the first publish to the last case and the last receipt row."""
        system = await self.system(name)
        services = [
            system.service(program, timers="false", send="false")
            for program in ("intake", "routing", "notifications")
        ]
        for service in services:
            service.start()
        await do.until_ready(services)
        started = time.perf_counter()
        await self.publish(system)
        conn = await asyncpg.connect(system.admin_url)
        try:
            await arrived(conn, len(self.sample))
            return len(self.sample) / (time.perf_counter() - started)
        finally:
            await conn.close()
            system.stop()


async def arrived(conn: asyncpg.Connection, count: int) -> None:
    """Everything is through: intake's log is whole, each signal is routed and noticed."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        row = await conn.fetchrow(
            """
            SELECT (SELECT count(*) FROM intake.event_log) AS taken,
                   (SELECT sum(next_off) FROM routing.source_offset o JOIN routing.door d
                    ON d.id = o.door WHERE d.topic = $1) AS routed,
                   (SELECT sum(next_off) FROM notifications.source_offset o
                    JOIN notifications.door d ON d.id = o.door WHERE d.topic = $1) AS noticed,
                   (SELECT sum(published) FROM intake.source_offset) AS told
            """,
            events.SIGNAL,
        )
        if row and row["taken"] >= count and row["routed"] and row["routed"] == row["noticed"]:
            signals = await conn.fetchval(
                "SELECT count(*) FROM routing.notification"
            ) + await conn.fetchval("SELECT count(*) FROM routing.duty_item")
            if signals >= row["routed"]:
                return
        await asyncio.sleep(0.1)
    raise TimeoutError("the sample did not get through")


async def taken(conn: asyncpg.Connection, schema: str, group: str, count: int) -> None:
    """Wait until a group has taken so many messages."""
    deadline = time.monotonic() + PATIENCE
    while await written(conn, schema, group) < count:
        if time.monotonic() > deadline:
            raise TimeoutError(group)
        await asyncio.sleep(0.2)


async def written(conn: asyncpg.Connection, schema: str, group: str) -> int:
    """How many, by the twelve rows of the offsets: counting the log would slow the hop down."""
    found: int = await conn.fetchval(
        f"SELECT coalesce(sum(o.next_off - o.first_off), 0)::int FROM {schema}.source_offset o "  # noqa: S608
        f"JOIN {schema}.door d ON d.id = o.door WHERE d.grp = $1",
        group,
    )
    return found


async def run(count: int, rounds: int, under_18s: int, directory: Path) -> None:
    bench = Bench(directory, count)
    try:
        await asyncio.to_thread(bench.postgres.start)
        await asyncio.to_thread(bench.kafka.start)
        await bench.round(0)  # a fresh broker needs many records before its figures hold
        measured = [await bench.round(number) for number in range(1, rounds + 1)]
        report(measured, count)
        latency = await desk_latency(await bench.system("latency"))
        print(f"\naccepted -> visible at the desk at 50/s: {latency}")
        urgent = await urgent_seconds(await bench.system("urgent"))
        print(f"marked as urgent -> at the duty desk: {urgent}")
        if under_18s:
            year = await finlands_year(await bench.system("year"), under_18s)
            print(f"a year of {under_18s:,} under-18s: {year}")
    finally:
        await asyncio.to_thread(bench.kafka.remove)
        await asyncio.to_thread(bench.postgres.remove)


def report(measured: list[Rates], count: int) -> None:
    """A table: median and range in events per second, and the median ratio to raw."""
    print(f"\n{count} notifications, {len(measured)} rounds; {platform.machine()}, Python "
          f"{platform.python_version()}")  # fmt: skip
    print(f"{'':22} {'events/s':>10} {'range':>19} {'ratio to raw':>14}")
    for name in measured[0]:
        rates = sorted(each[name] for each in measured)
        ratio = ""
        if name in RATIOS:
            ratios = [each[name] / each[RATIOS[name]] for each in measured]
            ratio = f"{statistics.median(ratios):.2f}"
        spread = f"{rates[0]:,.0f} - {rates[-1]:,.0f}"
        print(f"{name:22} {statistics.median(rates):10,.0f} {spread:>19} {ratio:>14}")
    print(json.dumps(measured))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--under-18s", type=int, default=FINLAND, help="of the year at the end; 0 leaves it out"
    )
    arguments = parser.parse_args()
    decide.main()
    directory = Path(tempfile.mkdtemp(prefix="luotsi-bench-"))
    try:
        asyncio.run(run(arguments.count, arguments.rounds, arguments.under_18s, directory))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
