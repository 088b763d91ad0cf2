"""A month of the sample county on its way into Luotsi, and what comes in just now."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

import orjson
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.consumer import AIOKafkaConsumer

from deploy.sample.county import Message, Truth, told
from deploy.sample.publish import publish
from services.intake.groups import in_turn
from shared.clock import HELSINKI
from shared.events import CASE, INBOUND_TOPICS, INTAKE_NOTIFICATION, PARTITIONS, SIGNAL
from shared.kinds import FEED_TOPICS

DAYS = 31  # so that, today included, a whole month lies behind
NOW = 8  # the newest so many arrive when the desk is open already

# About 1 % of all notifications are of the level that the expert group is for (domain.md 10). The
# county's scenes have one theme each, so some where support has not helped get more themes here.
WITHOUT_EFFECT = b"LOCAL-REASON-SUPPORT-WITHOUT-EFFECT"
DEMANDING_EVERY = 5
MORE_REASONS = (
    "LOCAL-REASON-GUARDIAN-SUBSTANCE",
    "LOCAL-REASON-NEUROPSYCHIATRIC",
    "LOCAL-REASON-SCHOOL",
)
MORE_WORDS = {
    "fi": " Samaan aikaan perheessä on päihteiden käyttöä ja lapsella neuropsykiatrisia vaikeuksia"
    " ja paljon poissaoloja. Mukana on monta palvelua, mutta kukaan ei näe kokonaisuutta.",
    "sv": " Samtidigt finns det rusmedelsbruk i familjen, och barnet har neuropsykiatriska"
    " svårigheter och mycket frånvaro. Många instanser är med, men ingen ser helheten.",
    "en": " At the same time there is substance use in the family, and the child has"
    " neuropsychiatric difficulties and is often absent. Many services are involved, but nobody"
    " sees the whole.",
}


class SampleMonth(NamedTuple):
    """Messages of the month, in time order, and those that are held back to arrive now.

    `known` are the feeds as they stand when it begins: staff, rota, clients. `truths` is what is
    really so about each, by source and the source's id.
    """

    known: tuple[Message, ...]
    past: tuple[Message, ...]
    now: tuple[Message, ...]
    truths: Mapping[tuple[str, str], Truth]

    @property
    def signals(self) -> int:
        """How much routing gets of the past, counted per child, without repeats."""
        matters = (m for m in self.past if m.topic not in FEED_TOPICS and m.kind != "withdrawal")
        names = {(m.source, m.source_id) for m in matters}
        return sum(len(self.truths[name].children) for name in names)


def sample_month(until: datetime, seed: int = 1) -> SampleMonth:
    """The month that ends at `until`; the same arguments give the same messages."""
    last_day = until.astimezone(HELSINKI).date()
    county = [t for t in told(last_day=last_day, days=DAYS, seed=seed) if t.message.at <= until]
    truths = {(t.truth.source, t.truth.source_id): t.truth for t in county}
    every = [each.message for each in county]
    begin = every[0].at
    known = tuple(m for m in every if m.at == begin and m.topic in FEED_TOPICS)
    found = every[len(known) :]
    copies = Counter(message.source_id for message in found)
    letters = [message for message in found if message.topic == INTAKE_NOTIFICATION]
    single = [message for message in letters if copies[message.source_id] == 1]
    now = {message.source_id for message in single[-NOW:]}
    without_effect = [m.source_id for m in single[:-NOW] if WITHOUT_EFFECT in m.value]
    hard = set(without_effect[::DEMANDING_EVERY])
    past = (demanding(m) if m.source_id in hard else m for m in found if m.source_id not in now)
    return SampleMonth(known, tuple(past), tuple(single[-NOW:]), truths)


def demanding(message: Message) -> Message:
    """The same, with more areas of concern: the few families that the expert group is for."""
    body = orjson.loads(message.value)
    body["reasons"] = list(dict.fromkeys((*body["reasons"], *MORE_REASONS)))
    body["observations"] += MORE_WORDS[body["notifier"]["language"]]
    return replace(message, value=orjson.dumps(body))


def arriving_now(message: Message) -> Message:
    """The message without a stated arrival: it is received when Kafka takes it."""
    body = orjson.loads(message.value)
    body.pop("arrived_at")
    headers = [(name, value) for name, value in message.headers if name != "ce_time"]
    return replace(message, value=orjson.dumps(body), headers=headers)


def misspelt(message: Message) -> Message:
    """A copy with an id of its own and a misspelt field: what quarantine is for."""
    body = orjson.loads(message.value)
    body["observation"] = body.pop("observations")
    ident = f"{message.source_id}-x"
    headers = [
        (name, ident.encode() if name == "ce_id" else value) for name, value in message.headers
    ]
    return replace(
        message, source_id=ident, key=ident.encode(), value=orjson.dumps(body), headers=headers
    )


async def publish_known(
    bootstrap: str, sample: SampleMonth, progress: Callable[[int], None]
) -> int:
    """Publish the feeds as they stand when the month begins."""
    return await publish(bootstrap, sample.known, progress=progress)


async def publish_past(bootstrap: str, sample: SampleMonth, progress: Callable[[int], None]) -> int:
    """Publish the month as intake systems would have, each with the time it arrived there."""
    return await publish(bootstrap, sample.past, progress=progress)


async def publish_now(bootstrap: str, sample: SampleMonth) -> int:
    """Publish what comes in just now, one message with a mistake in it among them."""
    messages = [arriving_now(message) for message in sample.now]
    one = next(each for each in messages if each.kind != "withdrawal")
    messages.insert(len(messages) // 2, misspelt(one))
    return await publish(bootstrap, messages)


WAY = (
    *((topic, in_turn(topic)) for topic in INBOUND_TOPICS),
    (SIGNAL, "routing-signal"),
    (SIGNAL, "notifications-signal"),
    (CASE, "notifications-case"),
)
"""The way of a message: each topic with a group that must have read it."""


async def waiting(bootstrap: str) -> int:
    """How many records wait somewhere on the way. A group that has read all has answered all."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await consumer.start()
    await admin.start()
    try:
        left = 0
        for topic, group in WAY:
            partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]
            read = await admin.list_consumer_group_offsets(group, partitions=partitions)
            for partition, end in (await consumer.end_offsets(partitions)).items():
                left += end - max(0, read[partition].offset)
        return left
    finally:
        await admin.close()
        await consumer.stop()
