"""How soon a marked message stands at the duty desk while 100,000 others wait before it.

``python -m tests.bench.urgent``; also the last line of ``make bench``. Measured from the broker's
acknowledgement of the marked message to its row in routing's database, twice: while intake works
on the backlog, and from intake's readiness when the backlog grew while intake was down.
"""

import argparse
import asyncio
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import orjson
from aiokafka import AIOKafkaProducer

from deploy.local.databases import create_database
from deploy.local.kafka import BENCH, kafka_here
from deploy.local.postgres import postgres_here
from deploy.local.system import System
from deploy.sample.message import Message
from deploy.sample.publish import publish
from shared import events
from shared.clock import utc_now
from tests import system as do

WAITING = 100_000


async def urgent_seconds(system: System, waiting: int = WAITING) -> str:
    """The figures, in words."""
    intake, routing = (system.service(name, timers="false") for name in ("intake", "routing"))
    routing.start()
    intake.start()
    await do.until_ready([intake, routing])
    conn = await asyncpg.connect(system.admin_url)
    try:
        async with conn.transaction():  # intake's turn does not come while this lock is held
            await conn.execute("LOCK TABLE intake.source_offset IN SHARE MODE")
            await _backlog(system, "running", waiting)
        sent = await _marked(system, "running-urgent")
        running = await _seen(conn, 1) - sent
        before = waiting - await _taken(conn)
        await do.until("the first backlog is taken", lambda: _all(conn, waiting + 1), 300)
        intake.process.stop()
        await _backlog(system, "down", waiting)
        await _marked(system, "down-urgent")
        started = time.perf_counter()
        intake.start()
        await do.until_ready([intake])
        ready = time.perf_counter()
        seen = await _seen(conn, 2)
        left = 2 * waiting + 1 - await _taken(conn)
    finally:
        await conn.close()
        system.stop()
    return (
        f"{running:.2f} s while intake runs ({before} still waited); "
        f"after an outage {seen - ready:.2f} s from readiness, "
        f"{seen - started:.2f} s from the start of the process ({left} still waited)"
    )


async def _backlog(system: System, name: str, count: int) -> None:
    def messages() -> Iterator[Message]:
        for number in range(count):
            ident = f"{name}-{number}"
            yield Message(
                utc_now(), "bench", ident, "notification", events.INTAKE_NOTIFICATION,
                ident.encode(), do.headers("bench", ident), _content(),
            )  # fmt: skip

    await publish(system.bootstrap, messages(), topic_prefix=system.prefix)


def _content() -> bytes:
    """A notification of 1.2 KB that hardly shrinks, as texts of people do not."""
    return orjson.dumps({**do.NOTIFICATION, "observations": secrets.token_urlsafe(750)})


async def _marked(system: System, ident: str) -> float:
    """Send it; when the broker had it."""
    producer = AIOKafkaProducer(bootstrap_servers=system.bootstrap, acks="all", linger_ms=0)
    await producer.start()
    headers = [*do.headers("bench", ident), ("ce_urgent", b"true")]
    topic = system.prefix + events.INTAKE_NOTIFICATION
    await producer.send_and_wait(topic, _content(), key=ident.encode(), headers=headers)
    at = time.perf_counter()
    await producer.stop()
    return at


async def _seen(conn: Any, count: int) -> float:
    """When the item's row was there."""
    query = "SELECT count(*) FROM routing.duty_item WHERE outcome = 'urgent'"
    while await conn.fetchval(query) < count:
        await asyncio.sleep(0.005)
    return time.perf_counter()


async def _taken(conn: Any) -> int:
    """How many have had their turn."""
    return int(await conn.fetchval("SELECT count(*) FROM intake.event_log"))


async def _all(conn: Any, count: int) -> bool:
    return await _taken(conn) >= count


@asynccontextmanager
async def _servers(directory: Path) -> Any:
    kafka = kafka_here(directory / "kafka", profile=BENCH, tied=True)
    postgres = postgres_here(directory / "postgres", tied=True)
    try:
        await asyncio.to_thread(postgres.start)
        await asyncio.to_thread(kafka.start)
        await create_database(postgres.admin_url, "bench_urgent")
        system = System(
            directory / "urgent", kafka.bootstrap, postgres.url("bench_urgent"), prefix="burgent."
        )
        await asyncio.to_thread(system.prepare)
        yield system
    finally:
        await asyncio.to_thread(kafka.remove)
        await asyncio.to_thread(postgres.remove)


async def run(count: int, directory: Path) -> None:
    async with _servers(directory) as system:
        print(await urgent_seconds(system, count))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=WAITING)
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="luotsi-bench-"))
    try:
        asyncio.run(run(arguments.count, directory))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
