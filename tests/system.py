"""A whole Luotsi for a test, its inputs and what to look at. Waits for facts, never for time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import asyncpg
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

from deploy.local.system import RunningService, System
from shared import events, kinds

NOTIFICATION = {
    "notifier": {"kind": "education", "name": "Testi Opettaja", "email": "opettaja@koulu.example"},
    "children": [{"name": "Testi Lapsi", "hetu": "010594Y9032"}],
    "observations": "Lapsi on kertonut huolestaan koulussa.",
}


def headers(
    source: str, ident: str, type_: str = kinds.NOTIFICATION.type
) -> list[tuple[str, bytes]]:
    """CloudEvents 1.0 in binary mode."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", ident.encode()),
        ("ce_source", source.encode()),
        ("ce_type", type_.encode()),
        ("content-type", b"application/json"),
    ]


async def publish(
    system: System, records: Iterable[tuple[bytes | None, bytes | None, Sequence[Any]]]
) -> None:
    """Publish (key, value, headers) to intake's topic, as a source would."""
    producer = AIOKafkaProducer(
        bootstrap_servers=system.bootstrap, acks="all", enable_idempotence=True
    )
    await producer.start()
    try:
        topic = system.prefix + events.INTAKE_NOTIFICATION
        sent = [
            await producer.send(topic, value, key=key, headers=list(pairs))
            for key, value, pairs in records
        ]
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


async def publish_notification(
    system: System, ident: str, source: str = "school-1", **content: Any
) -> None:
    """One notification of the usual content, with changes."""
    value = orjson.dumps({**NOTIFICATION, **content})
    await publish(system, [(ident.encode(), value, headers(source, ident))])


async def read_topic(system: System, topic: str, count: int, seconds: float = 30) -> list[Any]:
    """The first `count` records of a topic, from its beginning."""
    found: list[ConsumerRecord[bytes, bytes]] = []
    async for record in _records(system, topic, seconds):
        found.append(record)
        if len(found) >= count:
            break
    return found


async def _records(system: System, topic: str, seconds: float) -> Any:
    consumer = AIOKafkaConsumer(
        system.prefix + topic, bootstrap_servers=system.bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                for record in batch:
                    yield record
    finally:
        await consumer.stop()


async def everything(system: System, topic: str) -> list[ConsumerRecord[bytes, bytes]]:
    """All records of a topic up to its end at the moment of asking."""
    consumer = AIOKafkaConsumer(
        system.prefix + topic, bootstrap_servers=system.bootstrap, auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        partitions = sorted(consumer.assignment())
        ends = await consumer.end_offsets(partitions)
        found: list[ConsumerRecord[bytes, bytes]] = []
        while any([await consumer.position(tp) < end for tp, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=200)).values():
                found += batch
        return found
    finally:
        await consumer.stop()


async def until(what: str, fact: Callable[[], Awaitable[Any]], seconds: float = 60.0) -> Any:
    """Wait until a fact holds and return it; fails with `what` when it does not in time."""
    deadline = time.monotonic() + seconds
    last: Any = None
    while time.monotonic() < deadline:
        try:
            last = await fact()
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            last = error
        else:
            if last:
                return last
        await asyncio.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what} (last seen: {last!r})")


async def until_ready(services: Sequence[RunningService], seconds: float = 60.0) -> None:
    """Wait until every process says it is ready."""

    async def ready() -> bool:
        return all([await asyncio.to_thread(service.ready) for service in services])

    await until(f"{[s.process.name for s in services]} ready", ready, seconds)


async def fetch(url: str, query: str, *values: Any) -> list[asyncpg.Record]:
    """Rows, as the database's owner sees them."""
    conn = await asyncpg.connect(url)
    try:
        return await conn.fetch(query, *values)
    finally:
        await conn.close()


async def value(url: str, query: str, *values: Any) -> Any:
    """One value, as the database's owner sees it."""
    return (await fetch(url, query, *values))[0][0]
