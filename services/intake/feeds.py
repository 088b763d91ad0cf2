"""The feeds in: whose state it is, sealed, and told to routing."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

from services.intake import store
from services.intake.alike.keeping import forget_addresses, keep_traits
from services.intake.domain.feeds import card_of, not_here, protected, recent_moves
from services.intake.domain.traits import Described, of_client
from shared import events
from shared.clients import ClientState
from shared.database import Connection
from shared.directory import DirectoryEntry
from shared.events import ClientSignal, DirectorySignal, Message
from shared.ids import random_id, time_ordered_id
from shared.inbox import Inbox, Incoming, Raw, Unreadable
from shared.sealing import NewKey, Sealer
from shared.store import Outgoing

OLDER = "older-version"  # a later one has come: this changes nothing


class Fed(NamedTuple):
    """What one message of a feed gives, and what was noticed about it."""

    receipt_id: UUID
    signals: tuple[Outgoing, ...] = ()
    note: str | None = None


class Meant(NamedTuple):
    """Whom a state is about. `before` is whom its reference meant until now."""

    child: UUID
    before: UUID | None
    household: UUID | None


def at_topic(inbox: Inbox[Message], topic: str) -> Inbox[Message]:
    """The inbox as a topic's consumer reads it: a feed comes on its own topic alone."""

    def read(raw: Raw) -> Incoming[Message] | Unreadable:
        message = inbox.read(raw)
        if isinstance(message, Unreadable):
            return message
        refusal = not_here(topic, message.event)
        if refusal is None:
            return message
        return Unreadable(raw, refusal.reason, refusal.mend, message.source, message.id)

    return replace(inbox, read=read)


async def take_clients(
    tx: Connection, sealer: Sealer, states: Sequence[Incoming[ClientState]]
) -> tuple[list[Fed], list[NewKey]]:
    """States of clients in the order they came, and the data keys that are to be stored."""
    if not states:
        return [], []
    said = await store.lock_references(tx, [_digest(sealer, "client", i) for i in states])
    meant, keys = await _whom(tx, sealer, states, said)
    described: list[tuple[UUID, Described]] = []
    secret: set[UUID] = set()
    fed = []
    for item in states:
        reference = _digest(sealer, "client", item)
        known, version = said[reference]
        receipt_id = time_ordered_id(item.received_at)
        if item.event.version <= version:
            fed.append(Fed(receipt_id, note=OLDER))
            continue
        whom = meant[item.key]._replace(before=known)
        said[reference] = (whom.child, item.event.version)
        protection = protected(item.event)
        described.append((whom.child, of_client(item.event, protection)))
        if protection == "yes":
            secret.add(whom.child)
        fed.append(Fed(receipt_id, _told(sealer, item, f"{receipt_id}.0", whom)))
    await keep_traits(tx, sealer, described)
    await forget_addresses(tx, secret)  # also one told before in this batch
    await store.save_references(
        tx, [(digest, child, version) for digest, (child, version) in said.items() if child]
    )
    return fed, keys


async def take_entries(
    tx: Connection, sealer: Sealer, entries: Sequence[Incoming[DirectoryEntry]]
) -> tuple[list[Fed], list[NewKey]]:
    """Entries of the directory, and the data keys that are to be stored; routing keeps versions."""
    if not entries:
        return [], []
    digests = [
        sealer.keys.lookup_hash("directory", f"{item.source}\0{item.event.entry_id}")
        for item in entries
    ]
    found, new = await store.directory_entries(tx, [(d, random_id()) for d in set(digests)])
    keys = [sealer.new_key(entry) for entry in sorted(new)]
    await sealer.load(tx, sorted(set(found.values()) - new))
    fed = []
    for item, digest in zip(entries, digests, strict=True):
        receipt_id = time_ordered_id(item.received_at)
        ident, entry, said = f"{receipt_id}.0", found[digest], item.event
        signal = DirectorySignal(
            id=ident, entry=entry, received_at=item.received_at, what=said.entry.what,
            version=said.version, ended=said.ended,
            card=sealer.seal(entry, "card", ident, said.entry.model_dump_json().encode()),
        )  # fmt: skip
        value = signal.model_dump_json().encode()
        told = Outgoing(events.SIGNAL, str(entry).encode(), ident, value)
        fed.append(Fed(receipt_id, (told,)))
    return fed, keys


def _digest(sealer: Sealer, kind: str, item: Incoming[ClientState]) -> bytes:
    """The keyed hash of an id that is its source's own."""
    own = item.event.reference if kind == "client" else item.event.household
    return sealer.keys.lookup_hash(kind, f"{item.source}\0{own}")


async def _whom(
    tx: Connection,
    sealer: Sealer,
    states: Sequence[Incoming[ClientState]],
    said: dict[bytes, tuple[UUID | None, int]],
) -> tuple[dict[str, Meant], list[NewKey]]:
    """The child of each state, by the message's key, and the new children's data keys.

    A person is found by the henkilötunnus. Who has none is whom the reference meant before.
    """
    by_hetu = {
        item.key: sealer.keys.lookup_hash("hetu", item.event.person.hetu)
        for item in states
        if item.event.person.hetu
    }
    found, new = await store.match(tx, [(d, random_id()) for d in set(by_hetu.values())])
    nameless: dict[bytes, UUID] = {}
    children = {}
    for item in states:
        if item.key in by_hetu:
            children[item.key] = found[by_hetu[item.key]]
            continue
        reference = _digest(sealer, "client", item)
        known, _ = said[reference]
        children[item.key] = known or nameless.setdefault(reference, random_id())
    made = [(child, False) for child in new] + [(child, True) for child in nameless.values()]
    await store.add_children(tx, sorted(made))
    keys = [sealer.new_key(child) for child, _ in made]
    await sealer.load(tx, sorted(set(children.values()) - {child for child, _ in made}))
    households = {i.key: _digest(sealer, "household", i) for i in states if i.event.household}
    ids = (
        await store.households(tx, [(d, random_id()) for d in set(households.values())])
        if households
        else {}
    )
    return {
        item.key: Meant(children[item.key], None, ids.get(households.get(item.key, b"")))
        for item in states
    }, keys


def _told(
    sealer: Sealer, item: Incoming[ClientState], ident: str, whom: Meant
) -> tuple[Outgoing, ...]:
    """The state, and to the child whom the reference meant before, that it no longer does."""
    state = item.event
    signal = ClientSignal(
        id=ident,
        child=whom.child,
        received_at=item.received_at,
        source=item.source,
        reference=state.reference,
        version=state.version,
        clientship=state.clientship,
        since=state.since,
        worker=state.responsible_worker,
        placement=state.placement,
        moves=recent_moves(state, item.received_at),
        household=whom.household,
        interpreter=state.interpreter,
        turvakielto=protected(state),
        lives_here=state.lives_here,
        person=sealer.seal(whom.child, "person", ident, card_of(state)),
    )
    told = [_outgoing(signal)]
    if whom.before is not None and whom.before != whom.child:
        left = ClientSignal(
            id=f"{ident}.left", child=whom.before, received_at=item.received_at,
            source=item.source, reference=state.reference, version=state.version, moved=True,
        )  # fmt: skip
        told.append(_outgoing(left))
    return tuple(told)


def _outgoing(signal: ClientSignal) -> Outgoing:
    key = str(signal.child).encode()
    return Outgoing(events.SIGNAL, key, signal.id, signal.model_dump_json().encode())
