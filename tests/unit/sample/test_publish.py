"""Publishing the sample county to a real Kafka."""

from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local.kafka import ExistingKafka, KafkaNode
from deploy.sample import county
from deploy.sample.publish import main, publish
from shared.events import INBOUND_TOPICS, INTAKE_NOTIFICATION, PARTITIONS
from shared.publisher import partition_of

LAST_DAY = date(2026, 11, 22)


@pytest.fixture
async def topic(kafka: KafkaNode | ExistingKafka, topic_prefix: str) -> str:
    name = topic_prefix + INTAKE_NOTIFICATION
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, PARTITIONS, 1)])
    await admin.close()
    return name


@pytest.fixture
async def inbound_topics(
    kafka: KafkaNode | ExistingKafka, topic_prefix: str
) -> AsyncIterator[list[str]]:
    names = [topic_prefix + name for name in INBOUND_TOPICS]
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names])
    yield names
    await admin.close()


async def test_each_kind_goes_to_its_own_topic(
    kafka: KafkaNode | ExistingKafka, inbound_topics: list[str], topic_prefix: str
) -> None:
    arguments: dict[str, Any] = {"last_day": LAST_DAY, "days": 20, "children": 2_000}
    expected = Counter(topic_prefix + m.topic for m in county.month(**arguments))
    await publish(kafka.bootstrap, county.month(**arguments), topic_prefix=topic_prefix)

    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap)
    await consumer.start()
    try:
        partitions = [TopicPartition(t, n) for t in inbound_topics for n in range(PARTITIONS)]
        found: Counter[str] = Counter()
        for partition, end in (await consumer.end_offsets(partitions)).items():
            found[partition.topic] += end
    finally:
        await consumer.stop()
    assert found == expected
    assert len(found) == len(INBOUND_TOPICS)
    assert min(found.values()) > 0


async def test_everything_arrives_as_it_was_written_each_key_in_its_partition_and_order(
    kafka: KafkaNode | ExistingKafka, topic: str, topic_prefix: str
) -> None:
    messages = county.messages(2_500, last_day=LAST_DAY)
    told: list[int] = []
    number = await publish(
        kafka.bootstrap, messages, topic_prefix=topic_prefix, progress=told.append
    )
    assert number == told[-1] == 2_500
    assert told == sorted(told)

    expected = defaultdict(list)
    for message in messages:
        expected[partition_of(message.key)].append(
            (message.key, tuple(message.headers), message.value)
        )
    partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        for partition in partitions:
            arrived: list[tuple[object, ...]] = []
            consumer.assign([partition])
            while len(arrived) < ends[partition]:
                record = await consumer.getone(partition)
                arrived.append((record.key, record.headers, record.value))
            assert arrived == expected[partition.partition]
    finally:
        await consumer.stop()


async def test_a_rate_is_kept(
    kafka: KafkaNode | ExistingKafka, topic: str, topic_prefix: str
) -> None:
    told: list[int] = []
    messages = county.messages(30, last_day=LAST_DAY)
    await publish(kafka.bootstrap, messages, topic_prefix=topic_prefix)  # each partition has begun
    await publish(
        kafka.bootstrap, messages, topic_prefix=topic_prefix, per_second=20, progress=told.append
    )
    assert told[-1] == 30
    assert len(set(told)) > 5, "they left one by one, not all at once"


def test_a_kafka_that_is_not_there_is_told_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--bootstrap", "127.0.0.1:1", "--days", "1", "--last-day", "2026-11-20"]
    assert main(asked) == 1
    assert "127.0.0.1:1 did not take them" in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--rate", "0"], ["--days", "400"], ["--last-day", "soon"]])
def test_a_wrong_argument_is_refused(wrong: list[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--bootstrap", "127.0.0.1:1", *wrong])
