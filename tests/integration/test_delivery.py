"""The delivery contract on a real Kafka and a real PostgreSQL, with a toy handler."""

import asyncio
import contextvars
import math
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from faststream.kafka.message import KafkaAckableMessage
from pydantic import SecretStr

from deploy.local.system import System
from shared import events, store
from shared.bus import Consumer, kafka_broker
from shared.clock import utc_now
from shared.database import Connection, Pool, open_pool
from shared.errors import PartitionLostError
from shared.inbox import Aside, Inbox, Incoming, Outcome, Raw, Stored, Unreadable
from shared.migrate import service_url
from shared.publisher import Publisher, partition_of
from shared.settings import ServiceSettings
from shared.store import Outgoing
from shared.topics import create_topics
from tests import system as do

CHILD = b"11111111-1111-4111-8111-111111111111"
OTHER = b"22222222-2222-4222-8222-222222222222"
ELSEWHERE = b"33333333-3333-4333-8333-333333333333"  # on another partition than the two


@dataclass
class World:
    """A topic to read, a toy service that counts, a topic it answers on."""

    bootstrap: str
    prefix: str
    url: str
    admin_url: str
    seen: list[str] = field(default_factory=list)
    fails: Callable[[str], bool] = lambda _: False
    clock: Callable[[], datetime] = utc_now
    apart: frozenset[bytes] = frozenset()

    def inbox(self) -> Inbox[str]:
        return Inbox("toy", self._read, self._apply, self._set_aside, self.clock, apart=self._apart)

    async def _apart(self, _conn: Connection, _batch: object) -> set[str]:
        return {key.decode() for key in self.apart}

    def _read(self, raw: Raw) -> Incoming[str] | Unreadable:
        text = (raw.value or b"").decode()
        if text == "unreadable":
            return Unreadable(raw, "unreadable", "mend it", key=(raw.key or b"").decode())
        return Incoming(raw, text, "toy", text, (raw.key or b"").decode(), raw.appended_at)

    async def _apply(self, _tx: Connection, batch: Sequence[Incoming[str]]) -> list[Outcome]:
        for item in batch:
            if self.fails(item.event):
                raise ValueError("a bug in the handler")
        self.seen += [item.event for item in batch]
        return [
            Outcome("applied", [Outgoing(events.CASE, i.raw.key or b"", i.id, i.id.encode())])
            for i in batch
        ]

    async def _set_aside(self, _tx: Connection, items: Sequence[Aside]) -> list[Stored]:
        return [Stored(item.raw.value) for item in items]

    @asynccontextmanager
    async def running(self, **settings: object) -> AsyncIterator[Consumer[str]]:
        known = ServiceSettings(
            kafka=self.bootstrap, database_url=SecretStr(self.url), topic_prefix=self.prefix,
            key_file=Path("unused"), session_timeout_ms=6_000, **settings,  # type: ignore[arg-type]
        )  # fmt: skip
        broker = kafka_broker(known)
        publisher = Publisher(known.bootstrap, prefix=self.prefix, source="toy")
        consumer = Consumer(
            broker, publisher, known, self.inbox(), topic=events.SIGNAL, group="toy"
        )
        pool = await open_pool(self.url, "notifications", size=3)
        consumer.pool = pool
        await broker.start()
        try:
            yield consumer
        finally:
            await broker.stop()
            await publisher.stop()
            await pool.close()

    async def publish(self, *records: tuple[bytes, str]) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all")
        await producer.start()
        for key, text in records:
            await producer.send_and_wait(self.prefix + events.SIGNAL, text.encode(), key=key)
        await producer.stop()

    async def outcomes(self) -> list[tuple[str, str]]:
        rows = await do.fetch(
            self.admin_url,
            "SELECT coalesce(event_id, 'none') AS id, outcome FROM notifications.event_log "
            'ORDER BY partition, "offset"',
        )
        return [(row["id"], row["outcome"]) for row in rows]

    async def logged(self, count: int) -> list[tuple[str, str]]:
        async def fact() -> list[tuple[str, str]] | None:
            found = await self.outcomes()
            return found if len(found) >= count else None

        return list(await do.until(f"{count} rows in the log", fact))

    async def delete(self, event_id: str) -> None:
        """Somebody deletes the row of a message."""
        conn = await asyncpg.connect(self.admin_url)
        done = await conn.execute(
            "DELETE FROM notifications.event_log WHERE event_id = $1", event_id
        )
        await conn.close()
        assert done == "DELETE 1"

    async def told(self) -> list[str]:
        """What left, in order per partition."""
        consumer = AIOKafkaConsumer(
            self.prefix + events.CASE, bootstrap_servers=self.bootstrap,
            auto_offset_reset="earliest",
        )  # fmt: skip
        await consumer.start()
        found: list[str] = []
        while polled := await consumer.getmany(timeout_ms=800):
            found += [(r.value or b"").decode() for batch in polled.values() for r in batch]
        await consumer.stop()
        return found

    async def committed(self) -> dict[int, int]:
        """What the group has acknowledged."""
        reader = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap, group_id=f"{self.prefix}toy", enable_auto_commit=False
        )
        await reader.start()
        found = {}
        for number in range(events.PARTITIONS):
            place = TopicPartition(self.prefix + events.SIGNAL, number)
            found[number] = await reader.committed(place) or 0
        await reader.stop()
        return found


@pytest.fixture
async def world(kafka: object, database_url: str, topic_prefix: str) -> World:
    bootstrap: str = kafka.bootstrap  # type: ignore[attr-defined]
    await create_topics(bootstrap, topic_prefix)
    return World(
        bootstrap, topic_prefix, service_url(database_url, "notifications", "luotsi"), database_url
    )


async def test_an_event_is_applied_answered_and_acknowledged(world: World) -> None:
    await world.publish((CHILD, "one"), (CHILD, "two"))

    async with world.running() as consumer:
        await world.logged(2)

        async def accounted() -> bool:
            return sum((await world.committed()).values()) == 2

        await do.until("both are acknowledged", accounted)
        difference = await consumer.account()

    assert await world.told() == ["one", "two"]
    assert difference == 0


async def test_a_batch_is_let_go_though_a_timer_keeps_the_context_it_was_made_in(
    world: World,
) -> None:
    kept: list[contextvars.Context] = []

    def keep_context(_: str) -> bool:
        kept.append(contextvars.copy_context())
        return False

    world.fails = keep_context
    await world.publish((CHILD, "one"))

    with structlog.contextvars.bound_contextvars(service="toy"):
        async with world.running():
            await world.logged(1)

    assert [] == [held for held in kept[0].values() if isinstance(held, KafkaAckableMessage)]
    assert {"service": "toy"} == kept[0].run(structlog.contextvars.get_contextvars)


async def test_a_missing_log_row_shows_as_unaccounted(world: World) -> None:
    await world.publish((CHILD, "one"), (CHILD, "two"), (OTHER, "three"))
    async with world.running() as consumer:
        await world.logged(3)

        async def acknowledged() -> bool:
            return sum((await world.committed()).values()) == 3

        await do.until("all are acknowledged", acknowledged)
        await world.delete("two")

        assert await consumer.account() == 1


async def test_what_has_come_is_counted_each_time_and_a_large_log_only_now_and_then(
    world: World,
) -> None:
    """A record that leaves no row shows at once; one whose row somebody deletes, in the end."""

    async def acknowledged() -> bool:
        return sum((await world.committed()).values()) == count

    await world.publish((CHILD, "one"), (OTHER, "two"))
    async with world.running() as consumer:
        count = 2
        await do.until("both are acknowledged", acknowledged)
        assert await consumer.account() == 0
        consumer._count_all_from = math.inf

        await world.publish((CHILD, "three"), (OTHER, "four"))
        count = 4
        await do.until("all are acknowledged", acknowledged)
        await world.delete("one")
        await world.delete("four")
        assert await consumer.account() == 1
        assert await consumer.account() == 1

        consumer._count_all_from = 0.0
        assert await consumer.account() == 2


async def test_a_committed_offset_that_has_gone_back_is_counted_from_the_beginning(
    world: World,
) -> None:
    await world.publish((CHILD, "one"), (CHILD, "two"))
    async with world.running():
        await world.logged(2)

    pool = await open_pool(world.url, "notifications")
    async with pool, pool.acquire() as conn:
        ((door, partition),) = await conn.fetch("SELECT DISTINCT door, partition FROM event_log")
        before = {partition: store.Counted(2, 0)}
        counted = await store.count_log(conn, door, {partition: 1}, before)

    assert {partition: store.Counted(1, 1)} == counted


async def test_a_redelivered_event_is_answered_from_the_log_and_not_applied_again(
    world: World,
) -> None:
    await world.publish((CHILD, "one"), (CHILD, "two"))
    async with world.running() as consumer:
        send, failing = consumer._publisher.send, True

        async def down(*sent: object) -> None:
            if failing:
                raise OSError("no broker")
            await send(*sent)  # type: ignore[arg-type]

        consumer._publisher.send = down  # type: ignore[assignment, method-assign]
        await world.logged(2)
        assert await world.told() == []
        failing = False

        async def answered() -> bool:
            return await world.told() == ["one", "two"]

        await do.until("the stored answers go out", answered)

    assert world.seen == ["one", "two"]


async def test_other_messages_under_offsets_used_before_stop_the_consumer(world: World) -> None:
    """A topic made anew: its first messages are not those that PostgreSQL knows."""
    await world.publish((CHILD, "one"), (CHILD, "two"))
    async with world.running():
        await world.logged(2)
    await do.fetch(
        world.admin_url, "UPDATE notifications.event_log SET event_id = 'was-' || event_id"
    )
    reader = AIOKafkaConsumer(
        bootstrap_servers=world.bootstrap, group_id=f"{world.prefix}toy", enable_auto_commit=False
    )
    await reader.start()
    place = TopicPartition(world.prefix + events.SIGNAL, partition_of(CHILD))
    reader.assign([place])
    await reader.commit({place: 0})
    await reader.stop()

    async with world.running() as consumer:

        async def braked() -> bool:
            return consumer.braked

        await do.until("the brake is on", braked)

    assert (await world.committed())[partition_of(CHILD)] == 0


async def test_what_one_lane_wrote_stands_when_the_other_is_interrupted(world: World) -> None:
    assert partition_of(CHILD) != partition_of(ELSEWHERE)
    await world.publish((CHILD, "one"), (ELSEWHERE, "two"), (CHILD, "three"), (ELSEWHERE, "four"))
    tried: list[str] = []

    def interrupted(event: str) -> bool:
        tried.append(event)
        if event == "two" and tried.count("two") == 1:
            raise OSError("PostgreSQL went away")
        return False

    world.fails = interrupted
    async with world.running():
        await world.logged(4)

        async def acknowledged() -> bool:
            return sum((await world.committed()).values()) == 4

        await do.until("all are acknowledged", acknowledged)

    assert sorted(world.seen) == ["four", "one", "three", "two"]
    assert tried.count("two") == 2
    told = await world.told()
    assert set(told) == {"one", "two", "three", "four"}
    assert told.index("one") < told.index("three")
    assert told.index("two") < told.index("four")


async def test_what_shares_locks_with_others_is_written_behind_the_rest_of_its_slice(
    world: World,
) -> None:
    assert partition_of(CHILD) == partition_of(OTHER)
    await world.publish((CHILD, "one"), (OTHER, "two"), (CHILD, "three"), (ELSEWHERE, "four"))
    world.apart = frozenset({CHILD})

    async with world.running() as consumer:
        await world.logged(4)

        async def acknowledged() -> bool:
            return sum((await world.committed()).values()) == 4

        await do.until("all are acknowledged", acknowledged)
        assert await consumer.account() == 0

    assert world.seen.index("two") < world.seen.index("one") < world.seen.index("three")
    assert await _written_together(world, "one", "three")
    assert not await _written_together(world, "one", "two")
    assert sorted(await world.told()) == ["four", "one", "three", "two"]


async def _written_together(world: World, *idents: str) -> bool:
    transactions = await do.value(
        world.admin_url,
        "SELECT count(DISTINCT xmin::text) FROM notifications.event_log WHERE event_id = ANY($1)",
        list(idents),
    )
    return bool(transactions == 1)


@pytest.mark.parametrize("slices", [1, 2, 3, 100])
async def test_a_process_killed_before_it_wrote_what_waits_takes_up_only_that(
    world: World, slices: int
) -> None:
    """However the slices are cut when it comes back, and whatever waits then."""
    texts = [(CHILD, "1"), (OTHER, "2"), (CHILD, "3"), (OTHER, "4"), (CHILD, "5"), (OTHER, "6")]
    await world.publish(*texts)
    world.apart = frozenset({CHILD})

    def dies(event: str) -> bool:
        if event == "1":
            raise OSError("the process dies before this transaction commits")
        return False

    world.fails = dies
    async with world.running():
        await world.logged(3)
    assert await do.fetch(
        world.admin_url,
        "SELECT 1 FROM notifications.source_offset WHERE partition = $1 AND next_off = 0",
        partition_of(CHILD),
    )
    assert world.seen == ["2", "4", "6"]

    world.fails = lambda _: False
    world.apart = frozenset()
    await world.publish((OTHER, "7"), (CHILD, "8"))
    async with world.running(batch_records=slices) as consumer:
        await world.logged(8)

        async def acknowledged() -> bool:
            return sum((await world.committed()).values()) == 8

        await do.until("all are acknowledged", acknowledged)
        assert await consumer.account() == 0
        reached = {partition_of(CHILD): 8}
        assert await consumer.reached(reached)

    assert sorted(world.seen) == ["1", "2", "3", "4", "5", "6", "7", "8"]
    told = await world.told()
    assert sorted(set(told)) == ["1", "2", "3", "4", "5", "6", "7", "8"]
    for key in (CHILD, OTHER):
        of_key = [text for each, text in [*texts, (OTHER, "7"), (CHILD, "8")] if each == key]
        assert [text for text in dict.fromkeys(told) if text in of_key] == of_key
        assert [text for text in world.seen if text in of_key] == of_key


async def test_a_bad_event_parks_its_own_key_only_whether_it_waits_or_not(world: World) -> None:
    await world.publish(
        (CHILD, "one"), (OTHER, "two"), (CHILD, "three"), (OTHER, "four"), (ELSEWHERE, "five")
    )
    world.apart = frozenset({CHILD})
    world.fails = lambda event: event in ("one", "two")

    async with world.running() as consumer:
        found = dict(await world.logged(5))

        async def acknowledged() -> bool:
            return sum((await world.committed()).values()) == 5

        await do.until("all are acknowledged", acknowledged)
        assert await consumer.account() == 0

    assert found == dict.fromkeys(["one", "two", "three", "four"], "parked") | {"five": "applied"}


async def test_an_owner_of_an_older_epoch_writes_nothing(world: World) -> None:
    pool: Pool = await open_pool(world.url, "notifications", size=2)
    async with pool.acquire() as conn:
        door = await store.door(conn, "toy", "cluster", events.SIGNAL)
        old = (await store.take_partitions(conn, door, {0: 0}))[0]
        await store.take_partitions(conn, door, {0: 0})
        with pytest.raises(PartitionLostError):
            await store.fence(conn, door, [(0, 5, 0, old.epoch)])
        assert (await store.positions(conn, door, [0]))[0].next_off == 0
    await pool.close()


async def test_a_process_fenced_off_by_one_that_died_goes_on_once_each(world: World) -> None:
    async with world.running():
        await world.publish((CHILD, "one"))
        await world.logged(1)
        conn = await asyncpg.connect(world.admin_url)
        await conn.execute("UPDATE notifications.source_offset SET epoch = epoch + 1")
        await conn.close()
        await world.publish((CHILD, "two"))
        await world.logged(2)

    assert world.seen == ["one", "two"]


async def test_the_one_bad_event_parks_its_child_and_no_other(world: World) -> None:
    world.fails = lambda text: text == "bad"
    await world.publish(
        (CHILD, "before"), (CHILD, "bad"), (CHILD, "behind"), *[(OTHER, f"o{n}") for n in range(9)]
    )

    async with world.running():
        outcomes = dict(await world.logged(12))

    assert outcomes["before"] == "applied"
    assert outcomes["bad"] == outcomes["behind"] == "parked"
    assert {outcomes[f"o{n}"] for n in range(9)} == {"applied"}
    assert sorted(await world.told()) == sorted(["before", *[f"o{n}" for n in range(9)]])
    reasons = await do.fetch(
        world.admin_url, "SELECT event_id, reason, error FROM notifications.set_aside"
    )
    assert {r["event_id"]: r["reason"] for r in reasons} == {
        "bad": "handler-failed",
        "behind": "waits-behind-parked",
    }
    assert "a bug in the handler" not in str(reasons)


async def test_an_unreadable_internal_event_parks_its_key(world: World) -> None:
    await world.publish((CHILD, "unreadable"), (CHILD, "behind"), (OTHER, "other"))

    async with world.running():
        outcomes = [outcome for _, outcome in await world.logged(3)]

    assert sorted(outcomes) == ["applied", "parked", "parked"]


async def test_ten_failures_in_a_row_stop_the_consumer_before_everybody_is_parked(
    world: World,
) -> None:
    world.fails = lambda _: True
    children = [f"{n:08d}-1111-4111-8111-111111111111".encode() for n in range(30)]
    await world.publish(*[(child, f"e{n}") for n, child in enumerate(children)])

    async with world.running() as consumer:

        async def braked() -> bool:
            return consumer.braked

        await do.until("the brake holds", braked)
        parked = len(await world.outcomes())

    assert parked < 10
    assert await world.told() == []


async def test_a_repeat_in_the_same_batch_finds_the_first(world: World) -> None:
    await world.publish((CHILD, "one"), (CHILD, "one"), (CHILD, "two"), (CHILD, "one"))

    async with world.running():
        outcomes = await world.logged(4)

    assert outcomes == [
        ("one", "applied"), ("one", "repeated"), ("two", "applied"), ("one", "repeated"),
    ]  # fmt: skip
    assert await world.told() == ["one", "two"]


async def test_what_leaves_goes_to_the_partition_every_kafka_client_would_choose(
    world: World,
) -> None:
    await world.publish((CHILD, "one"))
    async with world.running():
        await world.logged(1)
        record = (await do.read_topic(_system(world), events.CASE, 1))[0]

    assert record.partition == partition_of(CHILD)
    assert dict(record.headers)["ce_id"] == b"one"


def _system(world: World) -> System:
    return System(Path("unused"), world.bootstrap, world.admin_url, prefix=world.prefix)


async def test_the_relay_sends_lowest_id_first_and_forgets_what_is_acknowledged(
    world: World,
) -> None:
    from shared.relay import run_relay  # noqa: PLC0415 -- only here

    pool = await open_pool(world.url, "notifications", size=3)
    publisher = Publisher([world.bootstrap], prefix=world.prefix, source="toy")
    relays = [asyncio.create_task(run_relay(pool, publisher, "notifications")) for _ in range(2)]
    for number in range(20):
        async with pool.acquire() as tx, tx.transaction():
            await store.add_outbox(tx, [Outgoing(events.CASE, CHILD, f"{number}", b"%d" % number)])

    async def empty() -> bool:
        async with pool.acquire() as conn:
            return (await store.outbox_state(conn))[0] == 0

    await do.until("the outbox is empty", empty)
    for relay in relays:
        relay.cancel()
    await asyncio.gather(*relays, return_exceptions=True)
    await publisher.stop()
    await pool.close()

    assert await world.told() == [str(number) for number in range(20)]


@pytest.mark.parametrize("stamp", [datetime(2026, 11, 20, 14, 0, tzinfo=UTC)])
async def test_appended_at_is_the_brokers_or_producers_time(world: World, stamp: datetime) -> None:
    """On a topic with CreateTime the record's own time counts, never the time of reading."""
    producer = AIOKafkaProducer(bootstrap_servers=world.bootstrap)
    await producer.start()
    await producer.send_and_wait(
        world.prefix + events.SIGNAL, b"friday", key=CHILD,
        timestamp_ms=int(stamp.timestamp() * 1000),
    )  # fmt: skip
    await producer.stop()

    async with world.running():
        await world.logged(1)

    received = await do.value(world.admin_url, "SELECT received_at FROM notifications.event_log")
    assert received == stamp
