"""Messages in: sealed, matched to children, answered to their source."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple, cast
from uuid import UUID

import orjson
from pydantic import TypeAdapter

from services.intake import store
from services.intake.alike.keeping import households, keep_traits
from services.intake.attachments import NOTHING, Named
from services.intake.domain.absence import Judged, Providers, judge
from services.intake.domain.feeds import Feeders, not_theirs
from services.intake.domain.reading import kind_of, read_message, read_original
from services.intake.domain.refusals import SAME_ID_OTHER_CONTENT, WITHDRAWS_UNKNOWN
from services.intake.domain.told import AboutChild, children_of, day_of, noted, text_of
from services.intake.domain.traits import notified
from services.intake.feeds import Fed, take_clients, take_entries
from services.intake.manifests.counting import counted
from services.intake.urgent import whole, with_marks
from shared import events
from shared import store as plumbing
from shared.absence import SchoolAbsence
from shared.clients import ClientState
from shared.clock import Clock
from shared.database import Connection
from shared.directory import DirectoryEntry
from shared.events import CodedAbsence, Concern, Message, Notifier, Receipt, SetAside, Withdrawn
from shared.ids import random_id, time_ordered_id
from shared.inbox import Aside, Inbox, Incoming, Outcome, Raw, Stored
from shared.inbox import SetAside as SetAsideHook
from shared.kinds import Manifest, Withdrawal
from shared.sealing import NewKey, Sealer, encrypt, sealed_text
from shared.store import Known, Outgoing

_RECEIPT = TypeAdapter(Receipt)
NOBODY: Feeders = MappingProxyType({})
NO_STEPS: Providers = MappingProxyType({})

Name = tuple[str, str]  # source, and its id of a message


class EarlierSignal(NamedTuple):
    """What an accepted message said about one child."""

    id: str
    child: UUID
    provisional: bool


Said = Mapping[Name, Sequence[EarlierSignal]]
Before = Sequence[EarlierSignal] | None
"""What the message said whose place another takes; None if it names one that nobody knows."""

INCOMPLETE = "incomplete"
NOTHING_MISSING = Judged((), None, None, CodedAbsence())


class Heard(NamedTuple):
    """What a message tells of each child, what its earlier one said, and what is missing of it."""

    told: Sequence[AboutChild]
    before: Before
    judged: Judged


class Matched(NamedTuple):
    """The children of some messages, by (message's place, child's index)."""

    child: dict[tuple[int, int], UUID]
    household: dict[tuple[int, int], UUID]
    provisional: set[UUID]
    new_keys: list[NewKey]


class County(NamedTuple):
    """What the county has said: who may send each kind of feed, and which steps schools take."""

    feeders: Feeders
    providers: Providers


def messages(
    sealer: Sealer, clock: Clock, feeders: Feeders = NOBODY, providers: Providers = NO_STEPS
) -> Inbox[Message]:
    """How intake takes what sources send, of any kind and from either door.

    `feeders` are the sources that may send each kind of feed, `providers` education providers'
    steps.
    """
    county = County(feeders, providers)

    async def on_messages(tx: Connection, batch: Sequence[Incoming[Message]]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        said: dict[Name, Sequence[EarlierSignal]] = {}
        for part in parts(batch):
            if outcomes:  # usually there is one part, and nobody asks what it said
                before = zip(batch, outcomes, strict=False)
                said = {(i.source, i.id): signals_in(o.answers) for i, o in before}
            outcomes += await _take(tx, sealer, county, part, said)
        return outcomes

    async def on_repeats(
        tx: Connection, repeats: Sequence[tuple[Incoming[Message], Known]]
    ) -> list[Outcome]:
        return [await _repeated(tx, sealer, item, known) for item, known in repeats]

    inbox = Inbox(
        "intake", read_message, on_messages, put_aside(sealer), clock, on_repeats,
        quarantines=True,
    )  # fmt: skip
    return counted(with_marks(inbox, sealer))


def named_earlier(message: Message) -> str | None:
    """The source's id of the message that this one corrects or takes back."""
    if isinstance(message, Concern | SchoolAbsence):
        return message.corrects
    return message.withdraws if isinstance(message, Withdrawal) else None


def parts(batch: Sequence[Incoming[Message]]) -> list[list[Incoming[Message]]]:
    """The batch in parts, none of which names a message of its own: usually one."""
    found: list[list[Incoming[Message]]] = [[]]
    here: set[Name] = set()
    for item in batch:
        earlier = named_earlier(item.event)
        if earlier is not None and (item.source, earlier) in here:
            found.append([])
            here = set()
        found[-1].append(item)
        here.add((item.source, item.id))
    return found


async def _take(
    tx: Connection, sealer: Sealer, county: County, batch: Sequence[Incoming[Message]],
    said: Said,
) -> list[Outcome]:  # fmt: skip
    """Accept messages or return them; `said` is what this batch has said before them.

    What was returned and comes again as it was, is answered as it was.
    """
    returned = await _returned(tx, batch)
    again: dict[Name, Outcome] = {}
    for item in batch:
        known = returned.get((item.source, item.id), ())
        if (answer := await _answer_again(tx, sealer, item, known)) is not None:
            again[item.source, item.id] = answer
    fresh = [item for item in batch if (item.source, item.id) not in again]
    taken = iter(await _take_fresh(tx, sealer, county, fresh, said, returned) if fresh else [])
    return [again.get((item.source, item.id)) or next(taken) for item in batch]


async def _take_fresh(
    tx: Connection, sealer: Sealer, county: County, batch: Sequence[Incoming[Message]],
    said: Said, returned: Mapping[Name, Sequence[Known]],
) -> list[Outcome]:  # fmt: skip
    before = await _before(tx, batch, said, returned)
    mended = await plumbing.quarantined_before(tx, [(i.source, i.id) for i in batch])
    batch = [_first_arrival(item, mended, returned) for item in batch]
    judged = [
        judge(item.event, county.providers, day_of(item.received_at))
        if isinstance(item.event, SchoolAbsence)
        else NOTHING_MISSING
        for item in batch
    ]
    told = [
        children_of(item.event, item.received_at, verdict.facts)
        if isinstance(item.event, Concern | SchoolAbsence)
        else []
        for item, verdict in zip(batch, judged, strict=True)
    ]
    matched = await _match(tx, sealer, told, before)
    named = await Named.of(tx, batch)
    refused = {
        place: refusal
        for place, item in enumerate(batch)
        if (refusal := not_theirs(county.feeders, item.source, item.event))
    }
    fed = await _feed(tx, sealer, matched, batch, refused)
    outcomes = []
    for place, item in enumerate(batch):
        if place in refused:
            reason, mend = refused[place].reason, refused[place].mend
            outcome = Outcome("quarantined", reason=reason, mend=mend)
        elif place in fed:
            outcome = _fed(sealer, matched, item, fed[place])
        elif isinstance(item.event, Manifest):
            outcome = _fed(sealer, matched, item, Fed(time_ordered_id(item.received_at)))
        elif isinstance(item.event, Withdrawal):
            outcome = _withdraw(sealer, matched, item, item.event, before[place])
        else:
            heard = Heard(told[place], before[place], judged[place])
            outcome = _accept(sealer, matched, named, place, item, heard)
        outcomes.append(await _close_mended(tx, outcome, item, mended))
    await plumbing.add_data_keys(tx, matched.new_keys)
    await named.keep(tx)
    return outcomes


async def _feed(
    tx: Connection,
    sealer: Sealer,
    matched: Matched,
    batch: Sequence[Incoming[Message]],
    refused: Collection[int],
) -> dict[int, Fed]:
    """What the messages of feeds give, by their place in the batch."""
    taken = [(place, item) for place, item in enumerate(batch) if place not in refused]
    clients = {
        place: cast("Incoming[ClientState]", item)
        for place, item in taken
        if isinstance(item.event, ClientState)
    }
    entries = {
        place: cast("Incoming[DirectoryEntry]", item)
        for place, item in taken
        if isinstance(item.event, DirectoryEntry)
    }
    told, keys = await take_clients(tx, sealer, list(clients.values()))
    listed, more = await take_entries(tx, sealer, list(entries.values()))
    matched.new_keys.extend([*keys, *more])
    return dict(zip([*clients, *entries], [*told, *listed], strict=True))


def _fed(sealer: Sealer, matched: Matched, item: Incoming[Message], fed: Fed) -> Outcome:
    """Seal the original of what concerns no matter, and answer with its receipt and signals."""
    key, cipher = sealer.passing_key(fed.receipt_id)
    matched.new_keys.append(key)
    note = noted(item.event, item.raw.appended_at, item.received_at) or fed.note
    told = receipt(item.source, item.id, "accepted", fed.receipt_id, item.received_at, note=note)
    body = encrypt(cipher, "original", item.key, item.raw.value or b"")
    return Outcome("applied", [*fed.signals, told], body, note, received_at=item.received_at)


def _first_arrival(
    item: Incoming[Message],
    mended: Mapping[Name, Sequence[store.Row]],
    returned: Mapping[Name, Sequence[Known]],
) -> Incoming[Message]:
    """A mended resend keeps the time of the first arrival (design 12)."""
    name = (item.source, item.id)
    times = [row["received_at"] for row in mended.get(name, ())]
    times += [known.received_at for known in returned.get(name, ())]
    return item._replace(received_at=min([item.received_at, *times])) if times else item


async def _before(
    tx: Connection,
    batch: Sequence[Incoming[Message]],
    said: Said,
    returned: Mapping[Name, Sequence[Known]],
) -> list[Before]:
    """What each message's earlier one said: the one it names, or the returned one it mends."""
    names = {(i.source, e) for i in batch if (e := named_earlier(i.event)) is not None}
    found = {name: said[name] for name in names if name in said}
    if missing := sorted(names - found.keys()):
        sent_back = await store.returned_before(tx, missing)
        known = {name: rows[-1] for name, rows in sent_back.items()}
        known |= await plumbing.applied_before(tx, missing)
        found |= {name: signals_in(plumbing.unpack(row.answers)) for name, row in known.items()}
    return [_named_or_mended(item, found, returned) for item in batch]


def _named_or_mended(
    item: Incoming[Message], found: Said, returned: Mapping[Name, Sequence[Known]]
) -> Before:
    if mends := returned.get((item.source, item.id)):
        return signals_in(plumbing.unpack(mends[-1].answers))
    earlier = named_earlier(item.event)
    return () if earlier is None else found.get((item.source, earlier))


async def _returned(tx: Connection, batch: Sequence[Incoming[Message]]) -> dict[Name, list[Known]]:
    """What was returned of the schools' signals in a batch, which nobody else takes meanwhile."""
    names = [(i.source, i.id) for i in batch if isinstance(i.event, SchoolAbsence)]
    if not names:
        return {}
    await store.lock_names(tx, names)
    return await store.returned_before(tx, names)


async def _answer_again(
    tx: Connection, sealer: Sealer, item: Incoming[Message], known: Sequence[Known]
) -> Outcome | None:
    """The earlier answer, if one of these was returned and holds the same content."""
    for each in known:
        if await _is_same(tx, sealer, item, each):
            answer = next(
                a for a in plumbing.unpack(each.answers) if a.topic == events.INTAKE_RECEIPT
            )
            return Outcome("repeated", [answer], received_at=each.received_at)
    return None


def signals_in(answers: Sequence[Outgoing]) -> list[EarlierSignal]:
    """The signals about children among the answers to a message."""
    read = [orjson.loads(a.value) for a in answers if a.topic == events.SIGNAL]
    return [
        EarlierSignal(each["id"], UUID(each["child"]), each["provisional"])
        for each in read
        if "facts" in each
    ]


async def _match(
    tx: Connection,
    sealer: Sealer,
    told: Sequence[Sequence[AboutChild]],
    before: Sequence[Before],
) -> Matched:
    """Find or make the child of every person named, and the data keys that are needed.

    A correction that still does not say who a child is is about the same nameless child.
    """
    digests: dict[tuple[int, int], bytes] = {}
    children: dict[tuple[int, int], UUID] = {}
    nameless: set[UUID] = set()
    unknown: set[bytes] = set()
    for place, children_told in enumerate(told):
        earlier = before[place] or ()
        for index, child in enumerate(children_told):
            if child.looked_up_by is not None:
                digest = sealer.keys.lookup_hash(*child.looked_up_by)
                digests[place, index] = digest
                if not child.known:
                    unknown.add(digest)
            elif index < len(earlier) and earlier[index].provisional:
                children[place, index] = earlier[index].child
            else:
                children[place, index] = random_id()
                nameless.add(children[place, index])
    provisional = set(children.values())
    found, new = await store.match(tx, [(d, random_id()) for d in set(digests.values())])
    children |= {place: found[digest] for place, digest in digests.items()}
    provisional |= {found[digest] for digest in unknown}
    made = new | nameless
    await store.add_children(tx, [(child, child in provisional) for child in sorted(made)])
    keys = [sealer.new_key(child) for child in sorted(made)]
    await sealer.load(tx, sorted(set(children.values()) - new - nameless))
    unheard = [p for p in children if children[p] in new or p not in digests]
    who = {(place, index): told[place][index].named for place, index in unheard}
    described = [(children[p], notified(child)) for p, child in who.items() if child]
    await keep_traits(tx, sealer, described, made)
    shared = await households(tx, sealer, told, children)
    return Matched(children, shared, provisional, keys)


def _accept(
    sealer: Sealer,
    matched: Matched,
    named: Named,
    place: int,
    item: Incoming[Message],
    heard: Heard,
) -> Outcome:
    """Seal the original, and answer with a receipt and one signal for each child.

    A school's signal where something is missing goes on too; its receipt says it is returned.
    """
    assert isinstance(item.event, Concern | SchoolAbsence)  # noqa: S101 -- the rest is withdrawn
    told, before, judged = heard
    received_at = item.received_at
    receipt_id = time_ordered_id(received_at)
    original_key, original = sealer.passing_key(receipt_id)
    matched.new_keys.append(original_key)
    notifier = _sealed_notifier(sealer, matched, item.event.notifier, receipt_id, received_at)
    text = text_of(item.event)
    notes = [noted(item.event, item.raw.appended_at, received_at), judged.note]
    notes += ["corrects-unknown"] if before is None else []
    attached = (
        named.by(item.source, item.event, receipt_id)
        if isinstance(item.event, Concern)
        else NOTHING
    )
    note = " ".join(filter(None, (*notes, attached.note))) or None
    replaced = {signal.child: signal.id for signal in before or ()}
    answers = []
    for index, child in enumerate(told):
        child_id = matched.child[place, index]
        ident = f"{receipt_id}.{index}"
        home = matched.household.get((place, index))
        value = orjson.dumps(
            {
                "kind": kind_of(item.event).name,
                "id": ident,
                "child": str(child_id),  # asyncpg has a UUID class of its own
                "receipt_id": str(receipt_id),
                "index": index,
                "children": len(told),
                "received_at": received_at,
                "provisional": child_id in matched.provisional,
                "age_band": child.age_band,
                "facts": child.facts,
                "person": sealer.seal(child_id, "person", ident, child.card),
                "text": sealer.seal(child_id, "text", ident, text),
                "notifier": notifier,
                "corrects": replaced.pop(child_id, None),
                "source": item.source,
                "source_id": item.id,
                "attachments": attached.files,
                "missing": judged.missing,
                "household": str(home) if home else None,
            }
        )
        answers.append(Outgoing(events.SIGNAL, str(child_id).encode(), ident, value))
    answers += [
        withdrawn(f"{receipt_id}.without.{place}", child, ident, received_at)
        for place, (child, ident) in enumerate(replaced.items())
    ]
    said = {"note": note, "mend": attached.mend}
    body = encrypt(original, "original", item.key, item.raw.value or b"")
    if judged.missing:
        answers.append(
            receipt(
                item.source, item.id, "returned", receipt_id, received_at, reason=INCOMPLETE,
                mend=judged.mend, note=note, missing=judged.missing,
            )
        )  # fmt: skip
        return Outcome("returned", answers, body, INCOMPLETE, received_at=received_at)
    answers.append(receipt(item.source, item.id, "accepted", receipt_id, received_at, **said))
    return Outcome("applied", answers, body, note, received_at=received_at)


def _sealed_notifier(
    sealer: Sealer, matched: Matched, notifier: Notifier | None, receipt_id: UUID, at: datetime
) -> str | None:
    """Whoever tells of it, sealed under a key of their own; None where nobody does yet."""
    if notifier is None:
        return None
    notifier_id = time_ordered_id(at)
    key, cipher = sealer.passing_key(notifier_id)
    matched.new_keys.append(key)
    card = notifier.model_dump_json().encode()
    return sealed_text(notifier_id, encrypt(cipher, "notifier", str(receipt_id), card))


def _withdraw(
    sealer: Sealer,
    matched: Matched,
    item: Incoming[Message],
    message: Withdrawal,
    before: Before,
) -> Outcome:
    """A message taken back: told about each child that it was about."""
    if before is None:
        refusal = WITHDRAWS_UNKNOWN
        return Outcome("quarantined", reason=refusal.reason, mend=refusal.mend)
    receipt_id = time_ordered_id(item.received_at)
    key, cipher = sealer.passing_key(receipt_id)
    matched.new_keys.append(key)
    answers = []
    for index, signal in enumerate(before):
        ident = f"{receipt_id}.{index}"
        text = sealed_text(receipt_id, encrypt(cipher, "text", ident, text_of(message)))
        answers.append(withdrawn(ident, signal.child, signal.id, item.received_at, text))
    answers.append(receipt(item.source, item.id, "accepted", receipt_id, item.received_at))
    body = encrypt(cipher, "original", item.key, item.raw.value or b"")
    return Outcome("applied", answers, body, received_at=item.received_at)


def withdrawn(
    ident: str, child: UUID, withdraws: str, received_at: datetime, text: str | None = None
) -> Outgoing:
    """What was said about a child is taken back."""
    event = Withdrawn(
        id=ident, child=child, withdraws=withdraws, received_at=received_at, text=text
    )
    value = event.model_dump_json().encode()
    return Outgoing(events.SIGNAL, str(child).encode(), ident, value)


async def _close_mended(
    tx: Connection,
    outcome: Outcome,
    item: Incoming[Message],
    mended: Mapping[Name, Sequence[store.Row]],
) -> Outcome:
    """An accepted resend closes what was quarantined of its id."""
    before = mended.get((item.source, item.id), ())
    items = [row["id"] for row in before if row["closed_at"] is None]
    if not items or outcome.kind not in ("applied", "returned"):
        return outcome
    await plumbing.close_set_aside(tx, items, "resent")
    closing = [closed(each, "resent", item.received_at) for each in items]
    return outcome._replace(answers=[*outcome.answers, *closing])


async def _repeated(
    tx: Connection, sealer: Sealer, item: Incoming[Message], known: Known
) -> Outcome:
    """The same content again is a repeat; other content under the same id is set aside.

    What was returned before it was mended is no other content: it comes late.
    """
    before = first_receipt(known)
    same = await _is_same(tx, sealer, item, known)
    if not same and isinstance(item.event, SchoolAbsence):
        name = (item.source, item.id)
        returned = (await store.returned_before(tx, [name])).get(name, ())
        same = any([await _is_same(tx, sealer, item, each) for each in returned])
    if not same:
        refusal = SAME_ID_OTHER_CONTENT
        return Outcome("quarantined", reason=refusal.reason, mend=refusal.mend)
    answer = receipt(item.source, item.id, "repeated", before.receipt_id, before.received_at)
    return Outcome("repeated", [answer], received_at=before.received_at)


async def _is_same(tx: Connection, sealer: Sealer, item: Incoming[Message], known: Known) -> bool:
    """Whether a message says what one said that came before under its id."""
    ident = first_receipt(known).receipt_id
    await sealer.load(tx, [ident])
    original = sealer.open_bytes(ident, "original", item.key, known.body or b"")
    return read_original(type(item.event), original) == item.event


def first_receipt(known: Known) -> Receipt:
    """What was answered when the event was accepted or returned."""
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
    return sealer.seal_bytes(aside.item, "set_aside", str(aside.item), whole(aside.raw))


def open_whole(sealer: Sealer, item: UUID, body: bytes) -> dict[str, object]:
    """What `seal_whole` sealed: value and key in bytes, headers as pairs."""
    kept = orjson.loads(sealer.open_bytes(item, "set_aside", str(item), body))
    return {
        "value": None if kept["value"] is None else bytes.fromhex(kept["value"]),
        "key": None if kept["key"] is None else bytes.fromhex(kept["key"]),
        "headers": [(n, None if v is None else bytes.fromhex(v)) for n, v in kept["headers"]],
    }


def reopen(
    sealer: Sealer, item: UUID, body: bytes, place: tuple[int, int, int], received_at: datetime
) -> Raw:
    """A set-aside message as it came by door, partition and offset, with its first receipt time."""
    kept = open_whole(sealer, item, body)
    door, partition, offset = place
    return Raw(partition, offset, received_at, kept["key"], kept["headers"], kept["value"], door)  # type: ignore[arg-type]


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
                aside.item, aside.received_at, reason=aside.reason, mend=aside.mend,
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
    **said: str | Sequence[str] | None,
) -> Outgoing:
    """The answer to a source, keyed by its own id; `said`: reason, mend, note, missing."""
    value = orjson.dumps(
        {
            "source": source,
            "source_id": ident,
            "outcome": outcome,
            "receipt_id": str(receipt_id),
            "received_at": received_at,
            **said,
        }
    )
    return Outgoing(events.INTAKE_RECEIPT, ident.encode(), f"{receipt_id}.{outcome}", value)
