"""Creating the topics with their settings: ``python -m shared.topics``.

Every topic has 12 partitions, for ever. Inbound topics stamp the broker's own time and have no
time retention: intake itself deletes what is older than seven days and below its committed offset.
"""

import asyncio
import sys
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from shared.events import INBOUND_TOPICS, PARTITIONS, TOPICS
from shared.settings import TopicSettings

EXISTS = 36
NEW_TOPIC_TRIES = 100  # of 0.1 s
INTERNAL_RETENTION_MS = 30 * 24 * 3_600_000


def topic_settings(topic: str, replication: int) -> dict[str, str]:
    """The settings of a topic, as Kafka names them."""
    settings = {"max.message.bytes": str(2 * 1024 * 1024)}
    if replication > 1:
        settings["min.insync.replicas"] = str(replication - 1)
    if topic not in INBOUND_TOPICS:
        return settings | {"retention.ms": str(INTERNAL_RETENTION_MS)}
    settings |= {"message.timestamp.type": "LogAppendTime", "retention.ms": "-1"}
    if replication == 1:
        settings["flush.messages"] = "1"  # one node: on disk before the source is told
    return settings


async def create_topics(bootstrap: str, prefix: str = "", replication: int = 1) -> list[str]:
    """Create what is missing; returns the new ones. Raises `RuntimeError` with Kafka's code."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        answer = await admin.create_topics(
            [
                NewTopic(
                    prefix + topic, PARTITIONS, replication,
                    topic_configs=topic_settings(topic, replication),
                )
                for topic in TOPICS
            ]
        )  # fmt: skip
    finally:
        await admin.close()
    new = []
    # The client raises no errors, it returns them.
    for name, code, *rest in answer.topic_errors:  # type: ignore[attr-defined]
        if code == 0:
            new.append(name)
        elif code != EXISTS:
            raise RuntimeError(f"topic {name} was not created: Kafka's error {code} {rest}")
    return new


async def wrong_settings(bootstrap: str, prefix: str = "", replication: int = 1) -> list[str]:
    """What of the topics is not as Luotsi needs it, a sentence each.

    A broker that makes topics by itself gives an inbound one a week's retention and the sender's
    clock: an outage would lose notifications, and receipt times would be the source's.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        names = [prefix + topic for topic in TOPICS]
        found = await _partitions(admin, names)
        asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        answers: list[Any] = await admin.describe_configs(asked)
    finally:
        await admin.close()
    wrong = [
        f"{name} has {count} partitions, must have {PARTITIONS}: make it anew while it is empty"
        for name, count in found.items()
        if count != PARTITIONS
    ]
    for answer in answers:
        for _, _, _, name, entries in answer.resources:
            has = {entry[0]: entry[1] for entry in entries}
            for key, value in topic_settings(name.removeprefix(prefix), replication).items():
                if has.get(key) != value:
                    wrong.append(f"{name} has {key}={has.get(key)}, must have {value}")
    return wrong


async def _partitions(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, int]:
    """Partitions of each topic; a topic just made is known to the broker a moment later."""
    found: dict[str, int] = {}
    for _ in range(NEW_TOPIC_TRIES):
        found = {t["topic"]: len(t["partitions"]) for t in await admin.describe_topics(names)}
        if all(found.get(name) for name in names):
            break
        await asyncio.sleep(0.1)
    return found


def main() -> None:
    """Create the topics on the cluster of LUOTSI_KAFKA; refuse those that exist otherwise."""
    settings = TopicSettings()
    where = (settings.kafka, settings.topic_prefix, settings.replication)
    new = asyncio.run(create_topics(*where))
    if wrong := asyncio.run(wrong_settings(*where)):
        sys.exit("\n".join(wrong))
    sys.stdout.write("\n".join(new) + "\n" if new else "nothing to do: all topics exist\n")


if __name__ == "__main__":
    main()
