"""From the broker's acceptance of a notification to the desk's word that its queue changed."""

import asyncio
import statistics
import time

import asyncpg
import orjson
from aiokafka import AIOKafkaProducer

from deploy.local.system import System
from shared import events
from tests import system as do

COUNT = 500
PER_SECOND = 50


async def desk_latency(system: System) -> str:
    """p50, p99 and maximum in milliseconds, at 50 notifications per second.

    Seen = a desk process woken by the database's notification finds the case in the queue; the
    page itself adds its rendering.
    """
    services = [system.service(program, timers="false") for program in ("intake", "routing")]
    for service in services:
        service.start()
    await do.until_ready(services)
    sent: dict[str, float] = {}
    seen: dict[str, float] = {}
    url = system.admin_url
    listener = await asyncpg.connect(url)
    reader = await asyncpg.connect(url)
    woken = asyncio.Event()
    await listener.add_listener("routing_queue", lambda *_: woken.set())
    watching = asyncio.create_task(_watch(reader, woken, seen))
    producer = AIOKafkaProducer(bootstrap_servers=system.bootstrap, acks="all", linger_ms=0)
    await producer.start()
    value = orjson.dumps(do.NOTIFICATION)
    started = time.perf_counter()
    for number in range(COUNT):
        await asyncio.sleep(max(0.0, started + number / PER_SECOND - time.perf_counter()))
        ident = f"latency-{number}"
        await producer.send_and_wait(
            system.prefix + events.INTAKE_NOTIFICATION, value, key=ident.encode(),
            headers=do.headers("bench", ident),
        )  # fmt: skip
        sent[ident] = time.perf_counter()

    async def all_seen() -> bool:
        return len(seen) >= COUNT

    await do.until("all are at the desk", all_seen)
    watching.cancel()
    await producer.stop()
    await listener.close()
    await reader.close()
    system.stop()
    waits = sorted((seen[ident] - at) * 1000 for ident, at in sent.items())
    p99 = waits[int(len(waits) * 0.99) - 1]
    return f"p50 {statistics.median(waits):.0f} ms, p99 {p99:.0f} ms, max {waits[-1]:.0f} ms"


async def _watch(reader: asyncpg.Connection, woken: asyncio.Event, seen: dict[str, float]) -> None:
    while True:
        await woken.wait()
        woken.clear()
        rows = await reader.fetch(
            """
            SELECT i.event_id FROM intake.event_log i
            JOIN routing.notification n ON n.received_at = i.received_at
            WHERE n.check_state = 'open' AND NOT i.event_id = ANY($1::text[])
            """,
            list(seen),
        )
        now = time.perf_counter()
        for row in rows:
            seen.setdefault(row["event_id"], now)
