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


@lru_cache(maxsize=200_000)
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


class Publisher:
    """Sends answers and waits for their acknowledgement; refuses topics of another size."""

    def __init__(
        self, bootstrap: Sequence[str], *, prefix: str = "", source: str, seconds: float = 30.0
    ) -> None:
        self._bootstrap = list(bootstrap)
        self._prefix = prefix
        self._source = source
        self._seconds = seconds
        self._producer: AIOKafkaProducer | None = None
        self._restarting = asyncio.Lock()
        self._checked: set[str] = set()

    async def start(self) -> None:
        """Connect; raises `KafkaError` when Kafka is away."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            enable_idempotence=True,
            compression_type="zstd",
            linger_ms=0,
            max_batch_size=1_000_000,
            max_request_size=MAX_BYTES,
            request_timeout_ms=int(self._seconds * 1000),
        )
        try:
            await producer.start()
        except BaseException:
            with contextlib.suppress(Exception):
                await producer.stop()
            raise
        _calm(producer)
        self._producer = producer

    async def stop(self) -> None:
        """Let go of the connection, whatever state it is in."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with contextlib.suppress(Exception, asyncio.CancelledError):
                async with asyncio.timeout(5):
                    await producer.stop()
            # Where its last request is never answered, it stops before it hangs up.
            with contextlib.suppress(Exception, asyncio.CancelledError):
                async with asyncio.timeout(5):
                    await producer.client.close()

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
        return self._producer

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


def _calm(producer: AIOKafkaProducer) -> None:
    """While no broker answers, ask for metadata ten times a second, not seven thousand times.

    aiokafka 0.14 spins after a clean stop of the broker (technology.md 1.5).
    """
    original: Callable[[], Awaitable[bool]] = producer.client.force_metadata_update

    def slowed() -> asyncio.Task[bool]:
        update = original()

        async def wait() -> bool:
            done = bool(await update)
            if not done:
                await asyncio.sleep(0.1)
            return done

        return asyncio.ensure_future(wait())

    producer.client.force_metadata_update = slowed  # type: ignore[method-assign]
