"""Hostile messages of every kind on the inbound topics, among those of other children."""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

import asyncpg
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local.system import System
from shared.events import PARTITIONS
from shared.kinds import BY_NAME, FEED_TOPICS, KINDS, KindName
from tests import history
from tests import system as do
from tests.history import Place
from tests.hostile.every_kind import (
    ALL_OR_SOME,
    CODES,
    SORTS,
    TEXTS,
    hostile_messages,
    one_of_each,
)
from tests.hostile.inputs import Hostile, a_body, a_person, an_envelope
from tests.hostile.send import Sender, a_sender

log = logging.getLogger(__name__)

PACE_S = 0.02
AT_ONCE_S = 10.0  # from a message's arrival to its item at the duty desk
DELAY_S = 2.0  # at most so much later for the bad one before it: 10 MB are stored in it, too
TRIES = 3  # in how many of which a bad one must do so to be found guilty


class Sent(NamedTuple):
    message: Hostile
    place: Place


def a_good_one(number: int, after: KindName = "notification") -> Hostile:
    """A notification, on the topic of the bad one before it where that one takes notifications."""
    name = f"good-{number}"
    value = json.dumps(a_body(children=[a_person(number)])).encode()
    kind: KindName = "notification" if BY_NAME[after].topic in FEED_TOPICS else after
    return Hostile(name, name.encode(), value, an_envelope(name), applied=True, kind=kind)


def test_the_hostile_messages_hold_every_sort_of_strangeness_in_every_kind() -> None:
    made = {(message.kind, message.sort) for message in one_of_each()}

    assert len(one_of_each()) >= 450
    assert len(hostile_messages()) >= 1000
    assert [] == [(kind.name, s) for kind in KINDS for s in SORTS if (kind.name, s) not in made]
    assert [] == [kind for kind in CODES if (kind, "hetu") not in made]
    assert [] == [kind for kind in TEXTS if (kind, "markup") not in made]


@ALL_OR_SOME
async def test_every_hostile_message_is_seen_and_delays_nobody(
    two: System, messages: Callable[[], Sequence[Hostile]]
) -> None:
    await a_topic(two, "stolen")
    async with a_sender(two) as sender:
        before = [await send(sender, a_good_one(n), n) for n in range(120)]
        await settled_places(two, before)
        bad, good = [], []
        for number, message in enumerate(messages()):
            bad.append(await send(sender, answering_to(two.prefix, message), number))
            good.append(await send(sender, a_good_one(1000 + number, message.kind), number))
            await asyncio.sleep(PACE_S)
    await history.settled(two)
    await history.check(two)
    await history.nothing_unaccounted(two)

    rows = await log_by_place(two)
    assert {} == differences(bad, rows)
    assert {"applied"} == {rows[sent.place]["outcome"] for sent in before + good}
    await shown_at_once(two, [s for s in bad if rows[s.place]["outcome"] == "quarantined"], rows)
    suspects = await delaying(two, before, bad, good)
    for again in range(1, TRIES):
        suspects = await delaying_again(two, before, suspects, again) if suspects else []
    assert [] == [message.name for message in suspects]
    stolen = TopicPartition(two.prefix + "stolen", 0)
    assert {stolen: 0} == await history.end_offsets(two, "stolen", 1)


def answering_to(prefix: str, message: Hostile) -> Hostile:
    """Where a reply is asked for, ask for it at a topic that exists."""
    headers = [(n, prefix.encode() + v if n == "reply_to" and v else v) for n, v in message.headers]
    return message._replace(headers=headers)


async def a_topic(system: System, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=system.bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(system.prefix + name, 1, 1)])
    finally:
        await admin.close()


async def send(sender: Sender, message: Hostile, number: int) -> Sent:
    """A bad one and the good one after it lie in one partition."""
    return Sent(message, await sender.send(message, number % PARTITIONS))


async def settled_places(system: System, sent: list[Sent]) -> None:
    async def all_there() -> bool:
        return all(s.place in rows for s in sent) if (rows := await log_by_place(system)) else False

    await do.until("these have been read", all_there)


async def log_by_place(system: System) -> dict[Place, asyncpg.Record]:
    rows = await history.of(system, "intake", history.LOG)
    return {history.place_of(r): r for r in rows if r["grp"] != "http"}


def differences(sent: list[Sent], rows: dict[Place, asyncpg.Record]) -> dict[str, tuple[str, str]]:
    """By name: what became of a message that should have become something else."""
    found = {}
    for message, place in sent:
        outcome = rows[place]["outcome"]
        taken = {"applied", "returned"} if message.kind == "absence" else {"applied"}
        wanted = {True: taken, False: {"quarantined"}, None: {*taken, "quarantined"}}
        if outcome not in wanted[message.applied]:
            found[message.name] = (outcome, rows[place]["reason"])
        if outcome == "quarantined" and not rows[place]["reason"]:
            found[message.name] = (outcome, "no reason")
    return found


async def shown_at_once(
    system: System, sent: list[Sent], rows: dict[Place, asyncpg.Record]
) -> None:
    """Each stands at the duty desk with its four clocks (`history.check`) within seconds."""
    items = {
        history.place_of(r): r["opened_at"]
        for r in await do.fetch(
            system.admin_url,
            'SELECT o.topic, s.partition, s."offset", d.opened_at FROM intake.set_aside s '
            "JOIN routing.duty_item d ON d.id = s.id JOIN intake.door o ON o.id = s.door",
        )
    }
    late = {
        s.message.name: seconds
        for s in sent
        if (seconds := (items[s.place] - rows[s.place]["received_at"]).total_seconds()) > AT_ONCE_S
    }
    assert {} == late


async def delaying(
    system: System, before: list[Sent], bad: list[Sent], good: list[Sent]
) -> list[Hostile]:
    """Bad ones behind which a good one waited for its decision longer than any did alone.

    The time is that from the broker's append to the decision.
    """
    rows = await log_by_place(system)
    decided = {
        row["receipt"]: row["decided_at"]
        for row in await do.fetch(
            system.admin_url,
            "SELECT split_part(because, '.', 1) AS receipt, decided_at FROM routing.decision",
        )
    }
    receipts = {name[1]: r for name, r in history.accepted(await history.read(system)).items()}

    def waited(sent: Sent) -> float:
        at = decided[str(receipts[sent.message.name].receipt_id)]
        return float((at - rows[sent.place]["received_at"]).total_seconds())

    alone, among = max(map(waited, before)), [waited(sent) for sent in good]
    log.info("longest way to a decision: %.2f s alone, %.2f s among bad ones", alone, max(among))
    return [
        sent.message for sent, seconds in zip(bad, among, strict=True) if seconds >= alone + DELAY_S
    ]


async def delaying_again(
    system: System, before: list[Sent], suspects: list[Hostile], again: int
) -> list[Hostile]:
    """Those of them that do so anew, each sent when the one before it has been dealt with.

    A busy machine delays whom it likes, and a large message those that are fetched with it.
    """
    bad, good = [], []
    async with a_sender(system) as sender:
        for number, message in enumerate(suspects):
            after = a_good_one(again * 10_000 + number, message.kind)
            bad.append(await send(sender, message, number))
            good.append(await send(sender, after, number))
            await settled_places(system, [bad[-1], good[-1]])
    await history.settled(system)
    return await delaying(system, before, bad, good)
