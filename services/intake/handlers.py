"""Messages in: sealed, matched to children, answered to their source."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import orjson
from pydantic import TypeAdapter

from services.intake import store
from services.intake.domain.reading import (
    TEXTS,
    age_band_of,
    coded_facts,
    read_notification,
    read_original,
)
from services.intake.domain.refusals import SAME_ID_OTHER_CONTENT
from shared import events
from shared import store as plumbing
from shared.clock import Clock
from shared.database import Connection
from shared.events import Notification, NotifiedChild, Receipt, SetAside
from shared.ids import random_id, time_ordered_id
from shared.inbox import Aside, Inbox, Incoming, Outcome, Raw, Stored
from shared.inbox import SetAside as SetAsideHook
from shared.sealing import NewKey, Sealer, encrypt, sealed_text
from shared.store import Known, Outgoing

_RECEIPT = TypeAdapter(Receipt)


class Matched(NamedTuple):
    """The children of a batch, by (event's place, child's index)."""

    child: dict[tuple[int, int], UUID]
    provisional: set[UUID]
    new_keys: list[NewKey]


def notifications(sealer: Sealer, clock: Clock) -> Inbox[Notification]:
    """How intake takes a child-protection notification, from either door."""

    async def on_notifications(
        tx: Connection, batch: Sequence[Incoming[Notification]]
    ) -> list[Outcome]:
        matched = await _match(tx, sealer, batch)
        mended = await plumbing.quarantined_before(tx, [(i.source, i.id) for i in batch])
        outcomes = []
        for place, item in enumerate(batch):
            earlier = mended.get((item.source, item.id), [])
            first = min([item.received_at, *(row["received_at"] for row in earlier)])
            outcomes.append(_accept(sealer, matched, place, item, first))
            if items := [row["id"] for row in earlier if row["closed_at"] is None]:
                await plumbing.close_set_aside(tx, items, "resent")
                closing = [closed(each, "resent", first) for each in items]
                answers = [*outcomes[-1].answers, *closing]
                outcomes[-1] = outcomes[-1]._replace(answers=answers)
        await plumbing.add_data_keys(tx, matched.new_keys)
        return outcomes

    async def on_repeats(
        tx: Connection, repeats: Sequence[tuple[Incoming[Notification], Known]]
    ) -> list[Outcome]:
        return [await _repeated(tx, sealer, item, known) for item, known in repeats]

    return Inbox(
        "intake",
        read_notification,
        on_notifications,
        put_aside(sealer),
        clock,
        on_repeats,
        quarantines=True,
    )


async def _match(
    tx: Connection, sealer: Sealer, batch: Sequence[Incoming[Notification]]
) -> Matched:
    """Find or make the child of every person named, and the data keys that are needed."""
    digests: dict[tuple[int, int], bytes] = {}
    children: dict[tuple[int, int], UUID] = {}
    for place, item in enumerate(batch):
        for index, child in enumerate(item.event.children):
            if child.hetu is None:
                children[place, index] = random_id()
            else:
                digests[place, index] = sealer.keys.lookup_hash("hetu", child.hetu)
    provisional = set(children.values())
    found, new = await store.match(tx, [(d, random_id()) for d in set(digests.values())])
    children |= {place: found[digest] for place, digest in digests.items()}
    await store.add_children(tx, [(c, c in provisional) for c in sorted(new | provisional)])
    keys = [sealer.new_key(child) for child in sorted(new | provisional)]
    await sealer.load(tx, sorted(set(found.values()) - new))
    return Matched(children, provisional, keys)


def _accept(
    sealer: Sealer,
    matched: Matched,
    place: int,
    item: Incoming[Notification],
    received_at: datetime,
) -> Outcome:
    """Seal the original, and answer with a receipt and one signal for each child."""
    notification = item.event
    receipt_id = time_ordered_id(received_at)
    notifier_id = time_ordered_id(received_at)
    original_key, original = sealer.passing_key(receipt_id)
    notifier_key, cipher = sealer.passing_key(notifier_id)
    matched.new_keys.extend([original_key, notifier_key])
    card = notification.notifier.model_dump_json().encode()
    notifier = sealed_text(notifier_id, encrypt(cipher, "notifier", str(receipt_id), card))
    text = notification.model_dump_json(include=set(TEXTS)).encode()
    answers = [
        _signal(
            sealer, matched, (place, index), item, child, (receipt_id, received_at, notifier, text)
        )
        for index, child in enumerate(notification.children)
    ]
    answers.append(receipt(item.source, item.id, "accepted", receipt_id, received_at))
    body = encrypt(original, "original", item.key, item.raw.value or b"")
    return Outcome("applied", answers, body, _noted(item), received_at=received_at)


def _noted(item: Incoming[Notification]) -> str | None:
    """A stated arrival ahead of the real one is ignored, and noted (design 12)."""
    stated = item.event.arrived_at
    return "stated-arrival-ahead" if stated and stated > item.raw.appended_at else None


def _signal(
    sealer: Sealer,
    matched: Matched,
    place: tuple[int, int],
    item: Incoming[Notification],
    child: NotifiedChild,
    message: tuple[UUID, datetime, str, bytes],
) -> Outgoing:
    receipt_id, received_at, notifier, text = message
    child_id = matched.child[place]
    index = place[1]
    ident = f"{receipt_id}.{index}"
    value = orjson.dumps(
        {
            "kind": "notification",
            "id": ident,
            "child": str(child_id),  # asyncpg has a UUID class of its own
            "receipt_id": str(receipt_id),
            "index": index,
            "children": len(item.event.children),
            "received_at": received_at,
            "provisional": child_id in matched.provisional,
            "age_band": age_band_of(child, received_at),
            "facts": coded_facts(item.event, child),
            "person": sealer.seal(child_id, "person", ident, child.model_dump_json().encode()),
            "text": sealer.seal(child_id, "text", ident, text),
            "notifier": notifier,
        }
    )
    return Outgoing(events.SIGNAL, str(child_id).encode(), ident, value)


async def _repeated(
    tx: Connection, sealer: Sealer, item: Incoming[Notification], known: Known
) -> Outcome:
    """The same content again is a repeat; other content under the same id is set aside."""
    before = first_receipt(known)
    await sealer.load(tx, [before.receipt_id])
    original = sealer.open_bytes(before.receipt_id, "original", item.key, known.body or b"")
    if read_original(original) != item.event:
        refusal = SAME_ID_OTHER_CONTENT
        return Outcome("quarantined", reason=refusal.reason, mend=refusal.mend)
    answer = receipt(item.source, item.id, "repeated", before.receipt_id, before.received_at)
    return Outcome("repeated", [answer], received_at=before.received_at)


def first_receipt(known: Known) -> Receipt:
    """What was answered when the event was accepted."""
    for answer in plumbing.unpack(known.answers):
        if answer.topic == events.INTAKE_RECEIPT:
            return _RECEIPT.validate_json(answer.value)
    raise LookupError("an accepted message without a receipt")


def put_aside(sealer: Sealer) -> SetAsideHook:
    """What intake cannot apply: kept whole and sealed, told to its source and to the duty desk."""

    async def set_aside(tx: Connection, items: Sequence[Aside]) -> list[Stored]:
        await plumbing.add_data_keys(tx, [sealer.new_key(aside.item) for aside in items])
        return [Stored(seal_whole(sealer, aside), _told(aside)) for aside in items]

    return set_aside


def seal_whole(sealer: Sealer, aside: Aside) -> bytes:
    """Bytes, key and headers of a message, sealed under the item's own key."""
    raw = aside.raw
    whole = orjson.dumps(
        {
            "value": None if raw.value is None else raw.value.hex(),
            "key": None if raw.key is None else raw.key.hex(),
            "headers": [(n, None if v is None else v.hex()) for n, v in raw.headers],
        }
    )
    return sealer.seal_bytes(aside.item, "set_aside", str(aside.item), whole)


def open_whole(sealer: Sealer, item: UUID, body: bytes) -> dict[str, object]:
    """What `seal_whole` sealed: value and key in bytes, headers as pairs."""
    whole = orjson.loads(sealer.open_bytes(item, "set_aside", str(item), body))
    return {
        "value": None if whole["value"] is None else bytes.fromhex(whole["value"]),
        "key": None if whole["key"] is None else bytes.fromhex(whole["key"]),
        "headers": [(n, None if v is None else bytes.fromhex(v)) for n, v in whole["headers"]],
    }


def reopen(
    sealer: Sealer, item: UUID, body: bytes, partition: int, offset: int, received_at: datetime
) -> Raw:
    """A set-aside message as it came, with its first receipt time."""
    whole = open_whole(sealer, item, body)
    return Raw(partition, offset, received_at, whole["key"], whole["headers"], whole["value"])  # type: ignore[arg-type]


def _told(aside: Aside) -> list[Outgoing]:
    opened = SetAside(
        id=f"{aside.item}.opened",
        item=aside.item,
        state="opened",
        service="intake",
        outcome=aside.outcome,
        reason=aside.reason,
        received_at=aside.received_at,
    )
    told = [_set_aside_event(opened)]
    if aside.outcome == "quarantined":
        told.append(
            receipt(
                aside.source or "unknown", aside.id or f"unreadable-{aside.item}", "quarantined",
                aside.item, aside.received_at, aside.reason, aside.mend,
            )
        )  # fmt: skip
    return told


def closed(item: UUID, how: str, received_at: datetime) -> Outgoing:
    """The duty desk need not hold the item any longer."""
    return _set_aside_event(
        SetAside(
            id=f"{item}.closed",
            item=item,
            state="closed",
            service="intake",
            outcome="quarantined",
            reason=how,
            received_at=received_at,
        )
    )


def _set_aside_event(event: SetAside) -> Outgoing:
    return Outgoing(
        events.SIGNAL, str(event.item).encode(), event.id, event.model_dump_json().encode()
    )


def receipt(
    source: str,
    ident: str,
    outcome: str,
    receipt_id: UUID,
    received_at: datetime,
    reason: str | None = None,
    mend: str | None = None,
) -> Outgoing:
    """The answer to a source, keyed by its own id of the message."""
    value = orjson.dumps(
        {
            "source": source,
            "source_id": ident,
            "outcome": outcome,
            "reason": reason,
            "mend": mend,
            "receipt_id": str(receipt_id),
            "received_at": received_at,
        }
    )
    return Outgoing(events.INTAKE_RECEIPT, ident.encode(), f"{receipt_id}.{outcome}", value)
