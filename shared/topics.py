"""Creating the topics with their settings: ``python -m shared.topics``.

Every topic has 12 partitions, for ever. Inbound topics stamp the broker's own time and have no
time retention: intake itself deletes what is older than seven days and below its committed offset.
"""

import asyncio
import sys

from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.events import INBOUND_TOPICS, PARTITIONS, TOPICS
from shared.settings import TopicSettings

EXISTS = 36
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


def main() -> None:
    """Create the topics on the cluster of LUOTSI_KAFKA."""
    settings = TopicSettings()
    new = asyncio.run(create_topics(settings.kafka, settings.topic_prefix, settings.replication))
    sys.stdout.write("\n".join(new) + "\n" if new else "nothing to do: all topics exist\n")


if __name__ == "__main__":
    main()
