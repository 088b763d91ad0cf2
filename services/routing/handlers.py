"""Events in: signals from intake, notices that need a person."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import orjson
from pydantic import TypeAdapter, ValidationError

from services.routing import directory, store
from services.routing.domain.cases import (
    Case,
    Changes,
    Rules,
    event,
    learn_client,
    new_case,
    receive,
    start_clocks,
    take_back,
)
from services.routing.domain.clients import is_newer, of_client, row_of
from shared import events, metrics
from shared.clock import Clock
from shared.database import Connection
from shared.events import (
    AnySignal,
    ClientSignal,
    DirectorySignal,
    IdentityTask,
    NoticeEvent,
    SetAside,
    Signal,
    SignalMessage,
    Withdrawn,
)
from shared.inbox import Aside, Inbox, Incoming, Outcome, Raw, Stored, Unreadable
from shared.inbox import SetAside as SetAsideHook
from shared.sealing import Sealer
from shared.store import Outgoing

INTAKE = "luotsi.intake"
NOTIFICATIONS = "luotsi.notifications"

Fed = dict[UUID, store.References]  # what the client feed has said, by child

_SIGNAL: TypeAdapter[AnySignal] = TypeAdapter(SignalMessage)
UNREADABLE_MEND = (
    "A programme of Luotsi sent what this version cannot read: upgrade, then re-drive."
)


def read_signal(raw: Raw) -> Incoming[AnySignal] | Unreadable:
    """A signal from its bytes; what cannot be read parks its key."""
    try:
        signal = _SIGNAL.validate_json(raw.value or b"")
    except ValidationError:
        return Unreadable(raw, "unreadable-signal", UNREADABLE_MEND, key=text_of(raw.key))
    if isinstance(signal, SetAside):
        key, received = signal.item, signal.received_at
    elif isinstance(signal, DirectorySignal):
        key, received = signal.entry, signal.received_at
    else:
        key = signal.child
        received = signal.at if isinstance(signal, IdentityTask) else signal.received_at
    return Incoming(raw, signal, INTAKE, signal.id, str(key), received)


def signals(rules: Rules, clock: Clock, sealer: Sealer | None = None) -> Inbox[AnySignal]:
    """How routing takes `luotsi.signal.v1`; `sealer` opens the entries of the directory."""

    async def on_signals(tx: Connection, batch: Sequence[Incoming[AnySignal]]) -> list[Outcome]:
        now = clock()
        about_children = {child for i in batch if (child := _child_of(i.event))}
        changes = Changes(await store.lock_cases(tx, about_children))
        changes.taken_back = await store.taken_back(tx, [item.id for item in batch])
        if rewritten := [child for item in batch if (child := _rewritten(item.event))]:
            changes.standing = await store.standing(tx, rewritten)
        told_of = {i.event.child for i in batch if isinstance(i.event, ClientSignal)}
        fed = await store.clients(tx, (about_children - changes.cases.keys()) | told_of)
        if entries := [i.event for i in batch if isinstance(i.event, DirectorySignal)]:
            if sealer is None:
                raise LookupError("an entry of the directory, and nothing to open it with")
            await directory.learn(tx, sealer, entries)
        outcomes = [
            Outcome(
                "applied", await _apply(tx, changes, fed, item.event, rules, now), item.raw.value
            )
            for item in batch
        ]
        await store.save(tx, changes)
        outcomes = await _settle_screened(tx, batch, outcomes, now)
        for holder, count in Counter(decision.holder for decision in changes.decisions).items():
            metrics.ROUTED.labels(holder).inc(count)
        return outcomes

    return Inbox("routing", read_signal, on_signals, park(rules, clock, of_children=True), clock)


async def _apply(
    tx: Connection, changes: Changes, fed: Fed, signal: AnySignal, rules: Rules, now: datetime
) -> list[Outgoing]:
    """One signal on the locked cases; what it answers."""
    if isinstance(signal, Signal):
        return [_receive(changes, signal, fed, rules, now)]
    if isinstance(signal, ClientSignal):
        return _client(changes, signal, fed, rules, now)
    if isinstance(signal, IdentityTask):
        return _identify(changes, signal, now)
    if isinstance(signal, Withdrawn):
        named = await store.messages_about(tx, signal.child, [signal.withdraws])
        return _take_back(changes, signal, rules, now, named)
    if isinstance(signal, SetAside):
        return await _duty_item(tx, signal, rules, now)
    return []  # an entry of the directory: learned with the others of its batch


def _child_of(signal: AnySignal) -> UUID | None:
    return None if isinstance(signal, SetAside | DirectorySignal) else signal.child


def _receive(changes: Changes, signal: Signal, fed: Fed, rules: Rules, now: datetime) -> Outgoing:
    case = changes.cases.get(signal.child)
    if case is None:
        client = of_client(fed.get(signal.child, {}).values())
        case = changes.cases[signal.child] = new_case(signal, client)
    told = receive(changes, case, signal, rules, now)
    metrics.SCREEN_SECONDS.observe(max(0.0, (now - signal.received_at).total_seconds()))
    return told


def _client(
    changes: Changes, signal: ClientSignal, fed: Fed, rules: Rules, now: datetime
) -> list[Outgoing]:
    """A state of the client feed: kept, and the child's case, if there is one, screened with it."""
    row = row_of(signal)
    said = fed.setdefault(signal.child, {})
    if not is_newer(row, said.get((row.source, row.reference))):
        return []
    said[row.source, row.reference] = row
    changes.clients.append(row)
    case = changes.cases.get(signal.child)
    if case is None:
        return []
    return learn_client(changes, case, of_client(said.values()), signal.id, rules, now)


def _rewritten(event: AnySignal) -> UUID | None:
    """The child of whom something said before is taken back, if it is one."""
    if isinstance(event, Signal):
        return event.child if event.corrects is not None else None
    return event.child if isinstance(event, Withdrawn) else None


def _take_back(
    changes: Changes, withdrawn: Withdrawn, rules: Rules, now: datetime, messages: Sequence[str]
) -> list[Outgoing]:
    case = changes.cases.get(withdrawn.child)
    if case is None:  # it came first: kept in mind until the notification comes
        changes.replaced.append((withdrawn.withdraws, withdrawn.id))
        changes.taken_back[withdrawn.withdraws] = withdrawn.id
        return []
    return [take_back(changes, case, withdrawn, rules, now, messages)]


async def _settle_screened(
    tx: Connection,
    batch: Sequence[Incoming[AnySignal]],
    outcomes: list[Outcome],
    now: datetime,
) -> list[Outcome]:
    """The checks of marked messages stand open: the items that stood for the messages close."""
    marked = [
        (item.event.urgent_item, place, item.event)
        for place, item in enumerate(batch)
        if isinstance(item.event, Signal) and item.event.urgent_item is not None
    ]
    for urgent, place, signal in sorted(marked, key=lambda each: each[:2]):
        if await store.screened_one(tx, urgent, signal.children):
            told = await _close(tx, urgent, "screened", now)
            answers = [*outcomes[place].answers, *told]
            outcomes[place] = outcomes[place]._replace(answers=answers)
    return outcomes


async def settle(tx: Connection, item: UUID, how: str, now: datetime) -> list[Outgoing]:
    """The item of a marked message closes, or will not open."""
    await store.settle(tx, item)
    return await _close(tx, item, how, now)


async def _close(tx: Connection, item: UUID, how: str, now: datetime) -> list[Outgoing]:
    seq = await store.close_duty_item(tx, item, how, now)
    return [] if seq is None else [duty_event(item, seq, "duty_item_closed", now)]


def _identify(changes: Changes, task: IdentityTask, now: datetime) -> list[Outgoing]:
    """Somebody has said who the child is: the case has a name and an age now."""
    case: Case | None = changes.cases.get(task.child)
    if case is None:
        raise LookupError("an identity for a child without a case")
    case.provisional = False
    case.age_band = task.age_band
    return [event(case, "identity_given", now, about=task.id)]


async def _duty_item(tx: Connection, item: SetAside, rules: Rules, now: datetime) -> list[Outgoing]:
    if item.state == "closed":
        return await _close(tx, item.item, item.reason, now)
    await store.open_duty_items(tx, [item], None)
    clocks = start_clocks(item.item, str(item.item), item.received_at, rules.clocks)
    await store.add_clocks(tx, [clocks])
    marked = item.urgent_item is not None
    told = [duty_event(item.item, 1, "duty_item_opened", now, urgent=marked)]
    if item.urgent_item is not None:  # this item stands for the message from now on
        told += await settle(tx, item.urgent_item, "set-aside", now)
    return told


def park(rules: Rules, clock: Clock, *, of_children: bool) -> SetAsideHook:
    """What this service cannot apply stands at its own duty desk, with its clocks, at once.

    With `of_children` keys are child ids, but for those of what intake has set aside.
    """

    async def set_aside(tx: Connection, items: Sequence[Aside]) -> list[Stored]:
        now = clock()
        stored = []
        for aside in items:
            item = SetAside(
                id=f"{aside.item}.opened",
                item=aside.item,
                state="opened",
                service="routing",
                outcome=aside.outcome,
                reason=aside.reason,
                received_at=aside.received_at,
            )
            child = as_uuid(aside.key) if of_children and not _is_of_item(aside.raw) else None
            await store.open_duty_items(tx, [item], child)
            clocks = start_clocks(
                child or aside.item, str(aside.item), aside.received_at, rules.clocks
            )
            await store.add_clocks(tx, [clocks])
            told = duty_event(aside.item, 1, "duty_item_opened", now)
            stored.append(Stored(aside.raw.value, [told]))
        return stored

    return set_aside


# --- luotsi.notice.v1 -----------------------------------------------------------------------------


def read_notice(raw: Raw) -> Incoming[NoticeEvent] | Unreadable:
    """A notice event from its bytes."""
    try:
        notice = NoticeEvent.model_validate_json(raw.value or b"")
    except ValidationError:
        return Unreadable(raw, "unreadable-notice", UNREADABLE_MEND, key=text_of(raw.key))
    return Incoming(raw, notice, NOTIFICATIONS, notice.id, str(notice.about), notice.received_at)


def notices(rules: Rules, clock: Clock) -> Inbox[NoticeEvent]:
    """How routing takes `luotsi.notice.v1`: what did not get there becomes a person's task."""

    async def on_notices(tx: Connection, batch: Sequence[Incoming[NoticeEvent]]) -> list[Outcome]:
        now = clock()
        outcomes = []
        for item in batch:
            answers: list[Outgoing] = []
            if item.event.kind != "delivered":
                answers = await _duty_item(tx, _needs_a_person(item.event), rules, now)
            outcomes.append(Outcome("applied", answers, item.raw.value))
        return outcomes

    return Inbox("routing", read_notice, on_notices, park(rules, clock, of_children=False), clock)


def _needs_a_person(notice: NoticeEvent) -> SetAside:
    """A notice that did not get there, or was parked; or that no longer is."""
    return SetAside(
        id=notice.id,
        item=notice.about,
        state="closed" if notice.kind == "redriven" else "opened",
        service="notifications",
        outcome="undeliverable" if notice.kind == "undeliverable" else "parked",
        reason=notice.reason or notice.kind,
        received_at=notice.received_at,
    )


def duty_event(
    item: UUID,
    seq: int,
    kind: events.CaseEventKind,
    now: datetime,
    *,
    about: str | None = None,
    done_at: datetime | None = None,
    urgent: bool = False,
) -> Outgoing:
    """An event about a duty item; its own id is the key and counts its own `seq`."""
    ident = f"{item}.{seq}"
    value = orjson.dumps(
        {
            "id": ident,
            "child": str(item),
            "seq": seq,
            "kind": kind,
            "at": now,
            "done_at": done_at,
            "about": about,
            "holder": "duty",
            "urgent": urgent,
        }
    )
    return Outgoing(events.CASE, str(item).encode(), ident, value)


def _is_of_item(raw: Raw) -> bool:
    """Whether a signal is about no child: its key is that of an item, or of a directory's entry."""
    try:
        return bool(orjson.loads(raw.value or b"").get("kind") in ("set_aside", "directory"))
    except (orjson.JSONDecodeError, AttributeError):
        return False


def text_of(key: bytes | None) -> str | None:
    """A key as text, where it is one."""
    try:
        return key.decode("ascii") if key else None
    except UnicodeDecodeError:
        return None


def as_uuid(key: str) -> UUID | None:
    """A key as an id; None where it is something else, such as a notification's."""
    try:
        return UUID(key)
    except ValueError:
        return None
