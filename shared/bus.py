"""The batch consumer, the only place that knows acknowledgements (delivery contract, design.md).

What was fetched goes through three lanes, each a share of the partitions: a slice of records → one
transaction (`Inbox`) → publish its answers → the next slice. The Kafka offset is committed last.
Whatever fails in between, the record comes again and is answered from the log.
"""

import asyncio
import contextlib
import contextvars
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Generic, NoReturn, TypeVar

from aiokafka import ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.annotations import NoCast
from faststream.kafka.message import KafkaAckableMessage

from shared import events, metrics, store
from shared.clock import from_milliseconds, utc_now
from shared.database import Pool
from shared.errors import OUTAGES, RACE_TRIES, RACES, BrakeError, PartitionLostError
from shared.inbox import Inbox, Incoming, Raw, Unreadable
from shared.logs import log
from shared.publisher import Publisher
from shared.records import read_tolerantly
from shared.settings import ServiceSettings
from shared.store import LogRow, Outgoing, Position
from shared.turns import Turns

E = TypeVar("E")

MEND_READER = "An engineer mends the cause; then re-drive it from the desk."
LANES = 3  # of a fetch, which work side by side
FETCH_BYTES = 512 * 1024  # of a partition, some 400 messages
FETCH_BYTES_INSIDE = 2 * 1024 * 1024  # of a topic of Luotsi's own: some 1,400
SLICES = 16  # at most so many transactions of `batch_records` to a fetch: it is not to be cut


class Records(list[ConsumerRecord[bytes, bytes]]):
    """A fetched batch that knows in which assignment it was fetched."""

    generation: int = 0


def kafka_broker(settings: ServiceSettings) -> KafkaBroker:
    """FastStream's broker: it consumes; what leaves goes through `Publisher`."""
    read_tolerantly()
    return KafkaBroker(
        settings.bootstrap,
        logger=None,
        acks="all",
        enable_idempotence=True,
        allow_auto_create_topics=False,
        graceful_timeout=20,
    )


class Subscription:
    """A group's way through a topic: a batch, its work, the acknowledgement last, else back off."""

    def __init__(
        self,
        broker: KafkaBroker,
        settings: ServiceSettings,
        *,
        service: str,
        topic: str,
        group: str,
        max_records: int,
        partition_bytes: int,
    ) -> None:
        """`service` is what metrics call it."""
        self.topic = topic
        self.group = settings.topic_prefix + group
        self.pool: Pool | None = None
        self.braked = False
        self._last_appended = utc_now()
        self._settings = settings
        self._lock = asyncio.Lock()
        self._generation = 0
        self._context = contextvars.copy_context()
        self._wait = 0.05
        self._labels = {"service": service, "topic": topic}
        self.subscriber = broker.subscriber(
            settings.topic_prefix + topic,
            group_id=self.group,
            group_instance_id=settings.instance and f"{settings.instance}-{group}-{topic}",
            batch=True,
            max_records=max_records,
            batch_timeout_ms=10,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.NACK_ON_ERROR,
            no_reply=True,
            parser=self._parse,
            decoder=self._decode,
            listener=_Lifecycle(self),
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=partition_bytes,
            session_timeout_ms=settings.session_timeout_ms,
            heartbeat_interval_ms=settings.session_timeout_ms // 4,
            rebalance_timeout_ms=60_000,
            max_poll_interval_ms=300_000,
            isolation_level="read_committed",
        )
        self.subscriber(self._on_batch)

    # FastStream's own parser dies on a header that is not UTF-8 and loses the batch with it;
    # its decoder would parse JSON. Both only hand the records on.
    async def _parse(self, message: Any) -> KafkaAckableMessage:
        consumer = self.subscriber.consumer
        assert consumer is not None  # noqa: S101 -- a running subscriber has one
        return KafkaAckableMessage(raw_message=message, body=b"", consumer=consumer)

    async def _decode(self, message: KafkaMessage) -> Records:
        records = Records(message.raw_message)  # type: ignore[arg-type]
        records.generation = self._generation
        return records

    async def _on_batch(self, records: NoCast[Records], message: KafkaMessage) -> None:
        started = time.perf_counter()
        try:
            async with self._lock:
                self._may_work(records)
                # FastStream's context holds the batch, and a timer keeps the context it is made in:
                # asyncpg's, one for each statement, kept tens of thousands of records in memory.
                await asyncio.create_task(self._work(records), context=self._context.copy())
                await message.ack()
        except Exception as error:
            await self._back_off(error)
            raise
        self._wait = 0.05
        self._last_appended = from_milliseconds(max(record.timestamp for record in records))
        metrics.BATCH_SECONDS.labels(**self._labels).observe(time.perf_counter() - started)

    def _may_work(self, records: Records) -> None:
        if records.generation != self._generation:
            raise PartitionLostError("fetched before a rebalance")
        if self.braked:
            raise BrakeError

    async def _work(self, records: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        raise NotImplementedError

    async def _back_off(self, error: BaseException) -> None:
        """Outside the lock, so that a rebalance does not wait for it.

        FastStream says nothing of what is raised and fetches again at once: this does.
        """
        metrics.BATCH_FAILURES.labels(**self._labels, kind=type(error).__name__).inc()
        if isinstance(error, OUTAGES):
            log.warning("batch_rolled_back", topic=self.topic, error=error, seconds=self._wait)
        else:
            log.error("batch_failed", topic=self.topic, error=error, seconds=self._wait)
        await asyncio.sleep(self._wait)
        self._wait = min(self._wait * 2, self._settings.backoff_max)

    async def revoked(self) -> None:
        """Wait for the running batch and its acknowledgement, then let go of everything."""
        async with self._lock:
            self._generation += 1

    async def account(self) -> int | None:
        """Set what metrics tell of this subscription."""
        raise NotImplementedError

    def account_unknown(self) -> None:
        """Kafka or PostgreSQL does not answer: no figure is better than yesterday's."""
        raise NotImplementedError

    async def _committed(self) -> dict[TopicPartition, int | None] | None:
        """The partitions of this process and the broker's word how far each is; None if none."""
        consumer = self.subscriber.consumer
        if consumer is None or self.pool is None:
            return None
        return {tp: await consumer.committed(tp) for tp in sorted(consumer.assignment())}

    async def _lag(self, committed: Mapping[TopicPartition, int | None]) -> tuple[int, float]:
        """Records not acknowledged, and the age in seconds of the newest one that is."""
        if not committed:  # another process has them, and tells of them
            return 0, 0.0
        consumer = self.subscriber.consumer
        assert consumer is not None  # noqa: S101 -- it has told of its partitions
        ends = await consumer.end_offsets(list(committed))
        lag = sum(end - (committed[tp] or 0) for tp, end in ends.items())
        behind = (utc_now() - self._last_appended).total_seconds() if lag else 0.0
        return lag, behind

    async def _cluster(self) -> str:
        """The cluster's id: the same topic of another cluster is another door."""
        consumer = self.subscriber.consumer
        assert consumer is not None  # noqa: S101 -- a running subscriber has one
        return await cluster_id(consumer._client)  # noqa: SLF001 -- aiokafka shows it nowhere else


class Consumer(Subscription, Generic[E]):
    """Fetches batches of a topic and feeds them to an `Inbox`."""

    def __init__(
        self,
        broker: KafkaBroker,
        publisher: Publisher,
        settings: ServiceSettings,
        inbox: Inbox[E],
        *,
        topic: str,
        group: str,
        key_stays: bool = False,
    ) -> None:
        """`key_stays`: answers mostly keep their message's key, and so its partition."""
        super().__init__(
            broker,
            settings,
            service=inbox.service,
            topic=topic,
            group=group,
            max_records=SLICES * settings.batch_records,
            partition_bytes=FETCH_BYTES if topic in events.INBOUND_TOPICS else FETCH_BYTES_INSIDE,
        )
        self.inbox = inbox
        self.gives_way: Callable[[], Awaitable[None]] | None = None
        self._publisher = publisher
        self._key_stays = key_stays
        self._positions: dict[int, Position] = {}
        self._door: int | None = None
        self._failures = 0
        self._lost_generation = -1
        self._uncertain = False
        self._counted = store.NOTHING_COUNTED
        self._count_all_from = 0.0

    async def _back_off(self, error: BaseException) -> None:
        self._uncertain = True
        await super()._back_off(error)

    # --- one batch -----------------------------------------------------------------------------

    async def _work(self, records: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        await self._take(records)
        done = await asyncio.gather(
            *(self._lane(lane) for lane in split_lanes(records)), return_exceptions=True
        )
        failures = [failure for failure in done if failure is not None]
        # An outage first: after it PostgreSQL is asked where the partitions stand.
        for failure in sorted(failures, key=lambda each: not isinstance(each, OUTAGES)):
            raise failure

    async def _lane(self, records: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        """Some partitions' records, one transaction after the other."""
        size = self._settings.batch_records
        for at in range(0, len(records), size):
            if self.gives_way is not None:
                await self.gives_way()
            batch = await self._read(records[at : at + size])
            await self._send(await self._answers(batch), batch)

    async def _read(
        self, records: Sequence[ConsumerRecord[bytes, bytes]]
    ) -> list[Incoming[E] | Unreadable]:
        batch = []
        turns = Turns()
        for record in records:
            batch.append(self._read_one(raw_of(record, self._door)))
            if turns.over():
                await turns.next()
        return batch

    def _read_one(self, raw: Raw) -> Incoming[E] | Unreadable:
        try:
            return self.inbox.read(raw)
        except Exception as error:  # noqa: BLE001 -- our own bug: this one goes to a person
            log.error(
                "event_unreadable", topic=self.topic, partition=raw.partition, offset=raw.offset,
                error=error,
            )  # fmt: skip
            key = raw.key.decode("ascii", "replace") if raw.key else None
            return Unreadable(raw, "reader-failed", MEND_READER, key=key)

    async def _answers(self, batch: list[Incoming[E] | Unreadable]) -> list[Outgoing]:
        """Write what is new of a slice; the answers of all of it."""
        fresh, answers = batch, list[Outgoing]()
        if again := self._maybe_again(batch):
            known = await self._logged(again)
            answers = self._stored_answers(again, known)
            fresh = [i for i in batch if _place(i) not in known and not self._passed(i)]
        ends = _highs(batch)
        behind = any(end > self._positions[p].next_off for p, end in ends.items())
        rows = await self._apply_in_turn(fresh, ends) if fresh or behind else []
        for row in rows:
            answers += row.answers
        for outcome, count in Counter([row.outcome for row in rows]).items():
            metrics.RECORDS.labels(**self._labels, outcome=outcome).inc(count)
        return answers

    def _maybe_again(
        self, batch: Sequence[Incoming[E] | Unreadable]
    ) -> list[Incoming[E] | Unreadable]:
        """What PostgreSQL may have seen before: usually nothing."""
        lows = {item.raw.partition: item.raw.offset for item in reversed(batch)}
        if all(low >= self._positions[p].written for p, low in lows.items()):
            return []
        return [item for item in batch if item.raw.offset < self._position(item).written]

    def _passed(self, item: Incoming[E] | Unreadable) -> bool:
        return item.raw.offset < self._position(item).next_off

    async def _send(
        self, answers: Sequence[Outgoing], batch: Sequence[Incoming[E] | Unreadable]
    ) -> None:
        """Publish a slice's answers and remember how far everything is out."""
        kept: dict[bytes, int] = {}
        if self._key_stays:
            kept = {item.raw.key: item.raw.partition for item in batch if item.raw.key is not None}
        await self._publisher.send(answers, kept)
        for partition, high in _highs(batch).items():
            position = self._positions[partition]
            published = max(position.published, high)
            self._positions[partition] = position._replace(published=published)

    async def _apply_in_turn(
        self, batch: Sequence[Incoming[E] | Unreadable], ends: Mapping[int, int]
    ) -> list[LogRow]:
        """Write what is new of a slice; what waits for other transactions comes behind the rest.

        All messages of a key are written together, so order by key stays.
        """
        apart: Collection[str] = ()
        if self.inbox.apart is not None and batch:
            assert self.pool is not None  # noqa: S101 -- the app set it before the broker started
            async with self.pool.acquire() as conn:
                apart = await self.inbox.apart(conn, batch)
        waits = [item for item in batch if item.key in apart]
        if not waits or len(waits) == len(batch):
            return await self._apply(batch, ends)
        goes = [item for item in batch if item.key not in apart]
        return await self._apply(goes, ends, waits) + await self._apply(waits, ends)

    async def _apply(
        self,
        batch: Sequence[Incoming[E] | Unreadable],
        ends: Mapping[int, int],
        waits: Sequence[Incoming[E] | Unreadable] = (),
    ) -> list[LogRow]:
        """Write a batch; when the handler fails, halve it until the one is found and parked.

        `ends`: where the slice ends in each partition; `waits`: what of it is not written yet.
        """
        try:
            rows = await self._write_through_races(batch, ends, waits)
        except OUTAGES:
            raise
        except Exception as error:  # noqa: BLE001 -- our own bug: find the one, park it, go on
            if len(batch) > 1:
                middle = len(batch) // 2
                first, rest = batch[:middle], batch[middle:]
                rows = await self._apply(first, ends, [*rest, *waits])
                return rows + await self._apply(rest, ends, waits)
            self._count_failure(batch[0], error)
            return await self._write(batch, ends, waits, error)
        if any(row.outcome in ("applied", "returned") for row in rows):
            self._failures = 0
        return rows

    async def _write_through_races(
        self,
        batch: Sequence[Incoming[E] | Unreadable],
        ends: Mapping[int, int],
        waits: Sequence[Incoming[E] | Unreadable],
    ) -> list[LogRow]:
        for _ in range(RACE_TRIES - 1):
            try:
                return await self._write(batch, ends, waits)
            except RACES as error:
                log.info("batch_raced", topic=self.topic, error=error)
        return await self._write(batch, ends, waits)

    async def _write(
        self,
        batch: Sequence[Incoming[E] | Unreadable],
        ends: Mapping[int, int],
        waits: Sequence[Incoming[E] | Unreadable],
        failure: BaseException | None = None,
    ) -> list[LogRow]:
        assert self.pool is not None  # noqa: S101 -- the app set it before the broker started
        assert self._door is not None  # noqa: S101 -- _take() ran
        moved = self._positions_after(batch, ends, waits)
        marks = [(p, to.next_off, to.published, to.epoch) for p, to in sorted(moved.items())]
        async with self.pool.acquire() as tx, tx.transaction():
            try:
                await store.fence(tx, self._door, marks)
            except PartitionLostError:
                self._lost_generation = self._generation
                raise
            rows = []
            for part in split_repeats(batch) if batch else ():
                rows += await self.inbox.take(tx, self._door, part, failure)
        self._positions |= moved
        return rows

    def _positions_after(
        self,
        batch: Sequence[Incoming[E] | Unreadable],
        ends: Mapping[int, int],
        waits: Sequence[Incoming[E] | Unreadable],
    ) -> dict[int, Position]:
        """Where partitions stand once a batch is written: none has passed what still waits."""
        highs, next_off = _highs(batch), dict(ends)
        for item in waits:
            partition = item.raw.partition
            next_off[partition] = min(item.raw.offset, next_off[partition])
        moved = {}
        for partition, to in next_off.items():
            position = self._positions[partition]
            written = max(position.written, highs.get(partition, 0), to)
            moved[partition] = position._replace(
                next_off=max(position.next_off, to), written=written
            )
        return moved

    def _count_failure(self, item: Incoming[E] | Unreadable, error: BaseException) -> None:
        """Ten in a row are a bad deployment, not ten bad events: stop before all are parked."""
        log.error(
            "event_parked", topic=self.topic, partition=item.raw.partition, offset=item.raw.offset,
            error=error,
        )  # fmt: skip
        self._failures += 1
        if self._failures >= self._settings.brake_after:
            log.critical("consumer_braked", topic=self.topic, count=self._failures)
            self._brake(error)

    async def _logged(
        self, again: Sequence[Incoming[E] | Unreadable]
    ) -> dict[tuple[int, int], store.Logged]:
        assert self.pool is not None  # noqa: S101 -- the app set it before the broker started
        assert self._door is not None  # noqa: S101 -- _take() ran
        async with self.pool.acquire() as conn:
            return await store.logged(conn, self._door, [_place(item) for item in again])

    def _stored_answers(
        self,
        again: Sequence[Incoming[E] | Unreadable],
        logged: Mapping[tuple[int, int], store.Logged],
    ) -> list[Outgoing]:
        """Answers of records applied before a crash; those known to be out are not sent again."""
        answers: list[Outgoing] = []
        for item in again:
            known = logged.get(_place(item))
            if known is None:
                continue  # it waited; or, where its partition has passed it, I1's metric tells
            if item.id is not None and known.event_id not in (None, item.id):
                log.critical("offsets_reused", topic=self.topic, offset=item.raw.offset)
                self._brake()
            if item.raw.offset >= self._position(item).published:
                answers += store.unpack(known.answers)
        return answers

    def _brake(self, cause: BaseException | None = None) -> NoReturn:
        """Stop consuming until a person has looked: going on would do harm."""
        self.braked = True
        metrics.BRAKED.labels(service=self.inbox.service).set(1)
        raise BrakeError from cause

    # --- partitions ----------------------------------------------------------------------------

    async def ends(self) -> dict[int, int]:
        """Partition -> the offset its next record gets, of every one that holds records.

        Also of partitions that another process has.
        """
        consumer = self.subscriber.consumer
        if consumer is None:
            raise ConnectionError("not connected to Kafka yet")
        topic = self._settings.topic_prefix + self.topic
        places = [TopicPartition(topic, number) for number in range(events.PARTITIONS)]
        begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        return {place.partition: end for place, end in ends.items() if end > begins[place]}

    async def reached(self, ends: Mapping[int, int]) -> bool:
        """Whether everything below these offsets is in PostgreSQL, whichever process took it."""
        assert self.pool is not None  # noqa: S101 -- a running process has one
        async with self.pool.acquire() as conn:
            if self._door is None:
                self._door = await store.door(conn, self.group, await self._cluster(), self.topic)
            found = await store.positions(conn, self._door, list(ends))
        return all(p in found and found[p].next_off >= end for p, end in ends.items())

    async def _take(self, records: Iterable[ConsumerRecord[bytes, bytes]]) -> None:
        """Fence partitions that are new to this process: no batch runs before that succeeded."""
        if self._lost_generation == self._generation:
            await self._prove_membership(records)
        assert self.pool is not None  # noqa: S101 -- the app sets it before the broker starts
        if self._uncertain:
            await self._look_again()
        new = sorted({r.partition for r in records} - self._positions.keys())
        if not new:
            return
        consumer = self.subscriber.consumer
        assert consumer is not None  # noqa: S101 -- a running subscriber has one
        topic = self._settings.topic_prefix + self.topic
        begins = await consumer.beginning_offsets([TopicPartition(topic, p) for p in new])
        first = {tp.partition: offset for tp, offset in begins.items()}
        async with self.pool.acquire() as conn:
            if self._door is None:
                self._door = await store.door(conn, self.group, await self._cluster(), self.topic)
            self._positions |= await store.take_partitions(conn, self._door, first)
        log.info("partitions_taken", topic=self.topic, count=len(new))

    async def _prove_membership(self, records: Iterable[ConsumerRecord[bytes, bytes]]) -> None:
        """Fenced off: ask the broker whether the partitions are ours, and take them anew if so.

        Whoever fenced us off may have died before the group knew of it; then no assignment ever
        comes. A commit is refused (`CommitFailedError`) to a process that is not a member any more.
        """
        starts: dict[TopicPartition, int] = {}
        for record in records:
            starts.setdefault(TopicPartition(record.topic, record.partition), record.offset)
        consumer = self.subscriber.consumer
        assert consumer is not None  # noqa: S101 -- a running subscriber has one
        await consumer.commit(starts)
        log.warning("partitions_taken_back", topic=self.topic, count=len(self._positions))
        self._positions.clear()
        self._lost_generation = -1

    async def _look_again(self) -> None:
        """After an outage nobody knows whether the last commit got through: ask PostgreSQL."""
        if self._positions:
            assert self.pool is not None  # noqa: S101 -- the app set it before the broker started
            assert self._door is not None  # noqa: S101 -- it comes with the positions
            async with self.pool.acquire() as conn:
                found = await store.positions(conn, self._door, list(self._positions))
            if any(found[p].epoch != mine.epoch for p, mine in self._positions.items()):
                self._lost_generation = self._generation
                raise PartitionLostError("a newer owner has taken the partition")
            for partition, mine in self._positions.items():
                self._positions[partition] = found[partition]._replace(published=mine.published)
        self._uncertain = False

    def _position(self, item: Incoming[E] | Unreadable) -> Position:
        return self._positions[item.raw.partition]

    async def revoked(self) -> None:
        """Wait for the running batch and its acknowledgement, then let go of everything."""
        async with self._lock:
            self._generation += 1
            self._positions.clear()

    # --- I1 --------------------------------------------------------------------------------------

    async def account(self) -> int | None:
        """I1 for the partitions of this process: consumed by the broker's word minus log rows.

        What has come since the last time is counted each time: a record that left no row shows at
        once. All of the log is counted as often as that takes a fiftieth of the time, so a row that
        somebody deletes later shows then; in a log of some ten thousand rows, each time, too.
        """
        known = await self._committed()
        if known is None:
            return None
        lag, behind = await self._lag(known)
        metrics.LAG.labels(**self._labels).set(lag)
        metrics.LAG_SECONDS.labels(**self._labels).set(behind)
        if not known:
            metrics.UNACCOUNTED.labels(**self._labels).set(0)
            return 0
        committed = {tp.partition: offset for tp, offset in known.items()}
        assert self.pool is not None  # noqa: S101 -- _committed() looked
        async with self.pool.acquire() as conn:
            if self._door is None:
                self._door = await store.door(conn, self.group, await self._cluster(), self.topic)
            upto = {p: offset for p, offset in committed.items() if offset}
            began = time.monotonic()
            count_all = began >= self._count_all_from
            before = store.NOTHING_COUNTED if count_all else self._counted
            self._counted = await store.count_log(conn, self._door, upto, before)
        if count_all:
            took = time.monotonic() - began
            self._count_all_from = began + took / metrics.WATCHING_SHARE
        difference = sum(each.upto - each.accounted for each in self._counted.values())
        metrics.UNACCOUNTED.labels(**self._labels).set(difference)
        return int(difference)

    def account_unknown(self) -> None:
        """Kafka or PostgreSQL does not answer: no figure is better than yesterday's 0."""
        labels = (self._labels["service"], self._labels["topic"])
        with contextlib.suppress(KeyError):
            metrics.UNACCOUNTED.remove(*labels)


async def cluster_id(client: Any) -> str:
    """The cluster's own id, as the broker reports it."""
    from aiokafka.admin import AIOKafkaAdminClient  # noqa: PLC0415 -- only here, once per start

    admin = AIOKafkaAdminClient(bootstrap_servers=client._bootstrap_servers)  # noqa: SLF001
    await admin.start()
    try:
        return str((await admin.describe_cluster())["cluster_id"])
    finally:
        await admin.close()


def split_lanes(
    records: Iterable[ConsumerRecord[bytes, bytes]],
) -> list[list[ConsumerRecord[bytes, bytes]]]:
    """Whole partitions, spread evenly: while one lane waits for PostgreSQL, another computes."""
    partitions: dict[int, list[ConsumerRecord[bytes, bytes]]] = {}
    for record in records:
        partitions.setdefault(record.partition, []).append(record)
    lanes: list[list[ConsumerRecord[bytes, bytes]]] = [[] for _ in range(LANES)]
    for part in sorted(partitions.values(), key=len, reverse=True):
        min(lanes, key=len).extend(part)
    return [lane for lane in lanes if lane]


def split_repeats(
    batch: Sequence[Incoming[E] | Unreadable],
) -> list[list[Incoming[E] | Unreadable]]:
    """First everything's first coming, then the second, …: so a repeat finds what it repeats.

    And the mended resend of something unreadable finds what it mends.
    """
    names = [(item.source, item.id) for item in batch if item.id is not None]
    if len(set(names)) == len(names):
        return [list(batch)]
    parts: list[list[Incoming[E] | Unreadable]] = [[]]
    seen: Counter[tuple[str | None, str]] = Counter()
    for item in batch:
        turn = 0
        if item.id is not None:
            turn = seen[item.source, item.id]
            seen[item.source, item.id] += 1
        if turn == len(parts):
            parts.append([])
        parts[turn].append(item)
    return parts


def raw_of(record: ConsumerRecord[bytes, bytes], door: int | None) -> Raw:
    """A fetched record as a message that came in by this door."""
    return Raw(
        record.partition, record.offset, from_milliseconds(record.timestamp), record.key,
        record.headers, record.value, door,
    )  # fmt: skip


def _place(item: Incoming[Any] | Unreadable) -> tuple[int, int]:
    return item.raw.partition, item.raw.offset


def _highs(batch: Iterable[Incoming[E] | Unreadable]) -> dict[int, int]:
    highs: dict[int, int] = {}
    for item in batch:
        highs[item.raw.partition] = item.raw.offset + 1
    return highs


class _Lifecycle(ConsumerRebalanceListener):
    """Lets the running batch finish before partitions go; fencing happens at the first batch."""

    def __init__(self, consumer: Subscription) -> None:
        self._consumer = consumer

    async def on_partitions_revoked(self, revoked: object) -> None:  # noqa: ARG002 -- all of them
        """Wait for the running batch."""
        await self._consumer.revoked()

    async def on_partitions_assigned(self, assigned: object) -> None:
        """Nothing: aiokafka swallows what is raised here, so no promise may depend on it."""
