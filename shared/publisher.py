"""The producer: whole batches to a chosen partition, re-created after any failed send."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from struct import unpack_from
from types import MappingProxyType
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.errors import PublishFailedError
from shared.events import PARTITIONS
from shared.logs import log
from shared.store import Outgoing
from shared.turns import Turns

MAX_BYTES = 1_900_000  # below the brokers' message.max.bytes of 2 MiB


@lru_cache(maxsize=20_000)
def partition_of(key: bytes) -> int:
    """The partition of a key: murmur2 as every Kafka client does it, over 12."""
    return (murmur2(key) & 0x7FFF_FFFF) % PARTITIONS


def murmur2(data: bytes) -> int:
    """Kafka's hash of keys, word by word: four times as fast as aiokafka's byte by byte."""
    length = len(data)
    whole = length & ~3
    state = (0x9747B28C ^ length) & 0xFFFF_FFFF
    for word in unpack_from(f"<{whole // 4}I", data):
        mixed = word * 0x5BD1E995 & 0xFFFF_FFFF
        mixed = (mixed ^ mixed >> 24) * 0x5BD1E995
        state = (state * 0x5BD1E995 ^ mixed) & 0xFFFF_FFFF
    if whole < length:
        state ^= int.from_bytes(data[whole:], "little")
        state = state * 0x5BD1E995 & 0xFFFF_FFFF
    state = (state ^ state >> 13) * 0x5BD1E995 & 0xFFFF_FFFF
    return state ^ state >> 15


class _Producer:
    """aiokafka's producer, mended: calm while no broker answers, and it can be dropped whole."""

    def __init__(self, kafka: AIOKafkaProducer) -> None:
        self.kafka = kafka
        self._dropped = False
        self._asking: set[asyncio.Task[bool]] = set()
        self._ask: Callable[[], Awaitable[bool]] = kafka.client.force_metadata_update
        kafka.client.force_metadata_update = self._ask_calmly  # type: ignore[method-assign]

    def _ask_calmly(self) -> asyncio.Task[bool]:
        """Ask for metadata ten times a second, not seven thousand times.

        aiokafka 0.14 spins after a clean stop of the broker (technology.md 1.5).
        """
        update = None if self._dropped else self._ask()

        async def wait() -> bool:
            done = update is not None and bool(await update)
            if not done:
                await asyncio.sleep(0.1)
            return done

        task = asyncio.create_task(wait())
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        return task

    async def drop(self) -> None:
        """End it with all its tasks, and give up what it has not sent.

        `stop` sends the rest first. Where the broker does not answer, the sender lives on behind
        it, connects again and sends what was given up after what has been sent anew.
        """
        self._dropped = True
        self.kafka._closed = True  # noqa: SLF001 -- this is its stop
        client, sender = self.kafka.client, self.kafka._sender.sender_task  # noqa: SLF001
        if sender is not None:
            sender.cancel()  # it waits for the requests under way, which fail as this hangs up:
        with contextlib.suppress(Exception):
            await client.close()
        asked = client._md_update_fut  # noqa: SLF001 -- nobody answers those who wait for it now
        if asked is not None and not asked.done():
            asked.set_result(False)
        if sender is not None:
            await asyncio.wait([sender], timeout=5)
        with contextlib.suppress(Exception):
            await client.close()  # a connection may have been made meanwhile
        left = [*self._asking]  # what they wait for, nobody answers any more
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)


class Publisher:
    """Sends answers and waits for their acknowledgement; refuses topics of another size."""

    def __init__(
        self, bootstrap: Sequence[str], *, prefix: str = "", source: str, seconds: float = 30.0
    ) -> None:
        self._bootstrap = list(bootstrap)
        self._prefix = prefix
        self._source = source
        self._seconds = seconds
        self._producer: _Producer | None = None
        self._restarting = asyncio.Lock()
        self._checked: set[str] = set()

    async def start(self) -> None:
        """Connect; raises `KafkaError` when Kafka is away."""
        producer = _Producer(
            AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                acks="all",
                enable_idempotence=True,
                compression_type="zstd",
                linger_ms=0,
                max_batch_size=1_000_000,
                max_request_size=MAX_BYTES,
                request_timeout_ms=int(self._seconds * 1000),
            )
        )
        try:
            await producer.kafka.start()
        except BaseException:
            await producer.drop()
            raise
        self._producer = producer

    async def stop(self) -> None:
        """Let go of the connection, whatever state it is in."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.drop()

    async def send(
        self, outgoing: Iterable[Outgoing], kept: Mapping[bytes, int] = MappingProxyType({})
    ) -> None:
        """Send and await every acknowledgement, in order per key.

        `kept` says the partition of keys that came from a topic of Luotsi's own: it is what
        `partition_of` would give.

        Raises `PublishFailedError`: some may have arrived, so all must go out again, and the
        producer is a new one by then (an idempotent one never recovers from a failed send).
        """
        grouped: dict[tuple[str, int], list[Outgoing]] = {}
        turns = Turns()
        for item in outgoing:
            partition = kept.get(item.key)
            if partition is None:
                partition = partition_of(item.key)
            grouped.setdefault((item.topic, partition), []).append(item)
            if turns.over():
                await turns.next()
        if not grouped:
            return
        try:
            async with asyncio.timeout(self._seconds):
                producer = await self._ready()
                futures: list[asyncio.Future[Any]] = []
                for (topic, partition), items in grouped.items():
                    await self._check(producer, topic)
                    futures += await self._enqueue(producer, topic, partition, items)
                await asyncio.gather(*futures)
        except (KafkaError, TimeoutError, OSError, AssertionError) as error:
            await self._renew()
            raise PublishFailedError(type(error).__name__) from error
        except asyncio.CancelledError:
            await self._renew()
            raise

    async def _enqueue(
        self, producer: AIOKafkaProducer, topic: str, partition: int, items: Sequence[Outgoing]
    ) -> list[asyncio.Future[Any]]:
        futures = []
        batch = producer.create_batch()
        usual = [
            ("ce_specversion", b"1.0"),
            ("ce_source", self._source.encode()),
            ("ce_type", topic.encode()),
            ("content-type", b"application/json"),
        ]
        turns = Turns()
        for item in items:
            if turns.over():
                await turns.next()
            headers = [("ce_id", item.id.encode()), *usual]
            if (
                batch.append(key=item.key, value=item.value, timestamp=None, headers=headers)
                is None
            ):
                batch.close()
                futures.append(
                    await producer.send_batch(batch, self._prefix + topic, partition=partition)
                )
                batch = producer.create_batch()
                batch.append(key=item.key, value=item.value, timestamp=None, headers=headers)
        batch.close()
        futures.append(await producer.send_batch(batch, self._prefix + topic, partition=partition))
        return futures

    async def _ready(self) -> AIOKafkaProducer:
        async with self._restarting:
            if self._producer is None:
                await self.start()
        assert self._producer is not None  # noqa: S101 -- start() set it or raised
        return self._producer.kafka

    async def _renew(self) -> None:
        """Drop the producer; the next send makes a new one."""
        async with self._restarting:
            await self.stop()
            self._checked.clear()
        log.warning("producer_dropped", topic=self._prefix or "default")

    async def _check(self, producer: AIOKafkaProducer, topic: str) -> None:
        if topic in self._checked:
            return
        partitions = await producer.partitions_for(self._prefix + topic)
        if len(partitions) != PARTITIONS:
            raise RuntimeError(f"{topic} has {len(partitions)} partitions, must have {PARTITIONS}")
        self._checked.add(topic)
