"""The topics on a real Kafka: made as Luotsi needs them, refused where they are otherwise."""

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared import events
from shared.topics import create_topics, wrong_settings


async def test_topics_are_made_once_and_as_they_must_be(kafka: object, topic_prefix: str) -> None:
    bootstrap: str = kafka.bootstrap  # type: ignore[attr-defined]

    first = await create_topics(bootstrap, topic_prefix)
    again = await create_topics(bootstrap, topic_prefix)

    assert [topic_prefix + topic for topic in events.TOPICS] == sorted(
        first, key=[topic_prefix + t for t in events.TOPICS].index
    )
    assert [] == again
    assert [] == await wrong_settings(bootstrap, topic_prefix)


@pytest.mark.parametrize("topic", [events.INTAKE_NOTIFICATION, events.SIGNAL])
async def test_a_topic_that_a_broker_made_by_itself_is_refused(
    kafka: object, topic_prefix: str, topic: str
) -> None:
    bootstrap: str = kafka.bootstrap  # type: ignore[attr-defined]
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic_prefix + topic, 1, 1)])
    await admin.close()

    await create_topics(bootstrap, topic_prefix)
    wrong = "\n".join(await wrong_settings(bootstrap, topic_prefix))

    assert f"{topic} has 1 partitions, must have 12" in wrong
    inbound = topic in events.INBOUND_TOPICS
    assert inbound == ("message.timestamp.type=CreateTime" in wrong)
