"""The urgent lane: a message whose sender marks immediate danger overtakes every backlog.

Two readers meet a marked message: the lane, which looks at headers only, and the inbox, when its
turn comes. Whoever is first keeps the original; both say the same on `luotsi.urgent.v1`, about the
same item, and routing takes it once. What the inbox then says of the message names the item, so
that routing closes it in the transaction in which the message stands at the duty desk by itself.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, TypeVar

import orjson
from faststream.kafka import KafkaBroker

from services.intake import store
from services.intake.domain.urgency import is_marked, item_of
from services.intake.groups import ahead
from services.intake.settings import IntakeSettings
from shared import events
from shared import store as plumbing
from shared.ahead import Ahead
from shared.bus import Consumer
from shared.database import Connection
from shared.events import UrgentItem
from shared.inbox import Aside, Inbox, Incoming, Outcome, Raw, Stored
from shared.publisher import Publisher
from shared.sealing import Sealer, encrypt
from shared.store import Known, Outgoing

E = TypeVar("E")


def lane(
    broker: KafkaBroker,
    publisher: Publisher,
    settings: IntakeSettings,
    sealer: Sealer,
    ahead_of: Consumer[Any],
) -> Ahead:
    """The reader that runs ahead of a consumer of an inbound topic."""

    async def keep(tx: Connection, raws: Sequence[Raw]) -> list[Outgoing]:
        return await keep_ahead(tx, sealer, raws)

    group = ahead(ahead_of.topic)
    return Ahead(broker, publisher, settings, ahead_of, group=group, wanted=is_marked, keep=keep)


async def keep_ahead(tx: Connection, sealer: Sealer, raws: Sequence[Raw]) -> list[Outgoing]:
    """What the lane does with marked messages: keep them, and say that they have come."""
    await keep_originals(tx, sealer, raws)
    return [_told(raw, "opened", "marked-by-sender") for raw in raws]


async def keep_originals(tx: Connection, sealer: Sealer, raws: Sequence[Raw]) -> None:
    """Store marked messages whole, each sealed under its item's own key, once."""
    known = await store.known_urgent(tx, [item_of(raw) for raw in raws])
    rows, keys = [], {}
    for raw in raws:
        item = item_of(raw)
        if item not in known:
            keys[item], cipher = sealer.passing_key(item)
            body = encrypt(cipher, "set_aside", str(item), whole(raw))
            rows.append(
                store.UrgentRow(item, raw.door, raw.partition, raw.offset, raw.appended_at, body)
            )
    kept = await store.add_urgent(tx, rows)
    await plumbing.add_data_keys(tx, [keys[item] for item in kept])


def whole(raw: Raw) -> bytes:
    """Bytes, key and headers of a message, as JSON."""
    return orjson.dumps(
        {
            "value": None if raw.value is None else raw.value.hex(),
            "key": None if raw.key is None else raw.key.hex(),
            "headers": [(n, None if v is None else v.hex()) for n, v in raw.headers],
        }
    )


def with_marks(inbox: Inbox[E], sealer: Sealer) -> Inbox[E]:
    """The inbox, which says of marked messages besides that they are, whatever becomes of them."""

    async def take(tx: Connection, raws: Sequence[Raw]) -> None:
        if marked := [raw for raw in raws if is_marked(raw.headers)]:
            await keep_originals(tx, sealer, marked)
            await store.urgent_taken(tx, [item_of(raw) for raw in marked])

    async def apply(tx: Connection, batch: Sequence[Incoming[E]]) -> Sequence[Outcome]:
        await take(tx, [item.raw for item in batch])
        outcomes = await inbox.apply(tx, batch)
        return [
            _marked(item.raw, outcome) if is_marked(item.raw.headers) else outcome
            for item, outcome in zip(batch, outcomes, strict=True)
        ]

    async def repeat(
        tx: Connection, repeats: Sequence[tuple[Incoming[E], Known]]
    ) -> Sequence[Outcome]:
        await take(tx, [item.raw for item, _ in repeats])
        outcomes = await inbox.repeat(tx, repeats)
        return [
            _marked_again(item.raw, known, outcome) if is_marked(item.raw.headers) else outcome
            for (item, known), outcome in zip(repeats, outcomes, strict=True)
        ]

    async def set_aside(tx: Connection, items: Sequence[Aside]) -> Sequence[Stored]:
        await take(tx, [aside.raw for aside in items])
        stored = await inbox.set_aside(tx, items)
        return [
            each._replace(answers=_with_item(aside.raw, each.answers))
            if is_marked(aside.raw.headers)
            else each
            for aside, each in zip(items, stored, strict=True)
        ]

    return replace(inbox, apply=apply, repeat=repeat, set_aside=set_aside)


def _marked(raw: Raw, outcome: Outcome) -> Outcome:
    if outcome.kind in ("quarantined", "parked"):
        return outcome  # it is set aside next
    return outcome._replace(answers=_with_item(raw, outcome.answers))


def _marked_again(raw: Raw, known: Known, outcome: Outcome) -> Outcome:
    """A repeat of what was marked before adds nothing to it; a mark that is new stays open."""
    if outcome.kind != "repeated":
        return outcome
    before = any(answer.topic == events.URGENT for answer in plumbing.unpack(known.answers))
    told = _told(raw, "closed", "repeated") if before else _told(raw, "opened", "marked-by-sender")
    return outcome._replace(answers=[*outcome.answers, told])


def _with_item(raw: Raw, answers: Sequence[Outgoing]) -> list[Outgoing]:
    """What is said of a marked message: each signal names its item and tells of the danger."""
    told = [_naming(raw, answer) if answer.topic == events.SIGNAL else answer for answer in answers]
    return [*told, _told(raw, "opened", "marked-by-sender")]


def _naming(raw: Raw, answer: Outgoing) -> Outgoing:
    value = orjson.loads(answer.value)
    if "facts" in value:
        value["facts"]["in_danger"] = "yes"
    elif value.get("state") != "opened":
        return answer
    value["urgent_item"] = str(item_of(raw))
    return answer._replace(value=orjson.dumps(value))


def _told(raw: Raw, state: Literal["opened", "closed"], reason: str) -> Outgoing:
    item = item_of(raw)
    event = UrgentItem(
        id=f"{item}.{state}", item=item, state=state, reason=reason, received_at=raw.appended_at
    )
    return Outgoing(events.URGENT, str(item).encode(), event.id, event.model_dump_json().encode())
