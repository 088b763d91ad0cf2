"""Events in: signals from intake, notices that need a person."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
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
    who,
)
from services.routing.domain.clients import (
    ClientRow,
    county_tasks,
    households_of,
    is_newer,
    of_client,
    row_of,
)
from services.routing.domain.hindsight import STOOD, TooLight, is_late
from services.routing.domain.joins import Joins
from services.routing.domain.radar import look_at
from services.routing.domain.tasks import FOR_SUPERVISORS, Task
from services.routing.hindsight import store as hindsight
from services.routing.hindsight.looking_back import Change, look_back
from services.routing.households import store as households
from services.routing.households.kin import Kin, lock_homes, read_beyond
from services.routing.joins import store as joining
from services.routing.joins.applying import apply_change, people_of
from services.routing.joins.store import Belongs
from shared import events, metrics
from shared.clock import Clock
from shared.database import Connection
from shared.events import (
    AnySignal,
    ClientSignal,
    DirectorySignal,
    IdentityTask,
    Merged,
    NoticeEvent,
    Separated,
    SetAside,
    Signal,
    SignalMessage,
    Withdrawn,
)
from shared.ids import time_ordered_id
from shared.inbox import Aside, Inbox, Incoming, Outcome, Raw, Stored, Unreadable
from shared.inbox import SetAside as SetAsideHook
from shared.sealing import Sealer
from shared.store import Outgoing
from shared.turns import Turns

INTAKE = "luotsi.intake"
NOTIFICATIONS = "luotsi.notifications"

Fed = dict[UUID, store.References]  # what the client feed has said, by child

_OfChild = Signal | Withdrawn | IdentityTask | ClientSignal | Merged | Separated
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
    if isinstance(signal, Signal):
        key, received = signal.child, signal.received_at
    elif isinstance(signal, SetAside):
        key, received = signal.item, signal.received_at
    elif isinstance(signal, DirectorySignal):
        key, received = signal.entry, signal.received_at
    else:
        key = signal.child
        if isinstance(signal, IdentityTask | Merged | Separated):
            received = signal.at
        else:
            received = signal.received_at
    return Incoming(raw, signal, INTAKE, signal.id, str(key), received)


def signals(rules: Rules, clock: Clock, sealer: Sealer | None = None) -> Inbox[AnySignal]:
    """How routing takes `luotsi.signal.v1`; `sealer` opens the entries of the directory."""

    async def on_signals(tx: Connection, batch: Sequence[Incoming[AnySignal]]) -> list[Outcome]:
        now = clock()
        changes = [i.event for i in batch if isinstance(i.event, Merged | Separated)]
        await joining.hold(tx, alone=bool(changes))
        if changes:
            await _lock_all(tx, batch)
        outcomes: list[Outcome] = []
        for part in _parts(batch):
            first = part[0].event
            if isinstance(first, Merged | Separated):
                answers = await _change_joins(tx, first, rules, now)
                outcomes.append(Outcome("applied", answers, part[0].raw.value))
            else:
                outcomes += await _take(tx, part, rules, now, sealer)
        return outcomes

    return Inbox(
        "routing", read_signal, on_signals, park(rules, clock, of_children=True), clock,
        apart=of_households,
    )  # fmt: skip


async def of_households(
    tx: Connection, batch: Sequence[Incoming[AnySignal] | Unreadable]
) -> set[str]:
    """The keys of children who live in a household, or will as a message of the batch says.

    Siblings lie in any partitions, so their batches lock the same households. What names one now
    and is missed here (a worker may say so at this moment) is locked all the same.
    """
    of_child = {child: i.key for i in batch if (child := _child_in(i)) and i.key is not None}
    living = await households.at_home(tx, of_child)
    named = {i.key for i in batch if isinstance(i, Incoming) and _household_in(i.event)}
    return named | {of_child[child] for child in living}


def _child_in(item: Incoming[AnySignal] | Unreadable) -> UUID | None:
    if isinstance(item, Incoming):
        return _child_of(item.event)
    return None if item.key is None else as_uuid(item.key)


def _household_in(signal: AnySignal) -> UUID | None:
    return signal.household if isinstance(signal, Signal | ClientSignal) else None


@dataclass(frozen=True)
class _Work:
    """What the signals of a batch are applied to, and by what."""

    tx: Connection
    changes: Changes
    joins: Joins
    kin: Kin
    stands: Mapping[str, Belongs]  # where what is corrected or taken back stands
    fed: Fed
    rules: Rules
    now: datetime

    def owner(self, event: _OfChild) -> UUID:
        """Which child a signal is about: what was taken off a child takes its correction along."""
        if not self.stands:
            return event.child
        earlier = self.stands.get(_earlier(event) or "")
        if earlier is None or earlier.belongs_to is None or earlier.arrived_as != event.child:
            return event.child
        return earlier.belongs_to

    def case_of(self, event: _OfChild) -> UUID:
        """Whose case takes a signal: that of the child it is about, over all joins."""
        return self.joins.of(self.owner(event))

    def client_rows(self, child: UUID) -> list[ClientRow]:
        """What the client feed says of whoever shares this child's case."""
        if not self.fed:
            return []
        people = [child, *self.joins.joined(child)]
        return [row for each in people for row in self.fed.get(each, {}).values()]


def _parts(batch: Sequence[Incoming[AnySignal]]) -> list[list[Incoming[AnySignal]]]:
    """The batch in parts, each a change of joins by itself or none: usually there is one."""
    found: list[list[Incoming[AnySignal]]] = []
    joinable = False
    for item in batch:
        changes = isinstance(item.event, Merged | Separated)
        if changes or not joinable:
            found.append([])
        found[-1].append(item)
        joinable = not changes
    return found


async def _lock_all(tx: Connection, batch: Sequence[Incoming[AnySignal]]) -> None:
    """All cases of a batch at once, in key order, where its parts would lock them in turn."""
    children = {child for i in batch if (child := _child_of(i.event))}
    for item in batch:
        if isinstance(item.event, Merged | Separated):
            children |= set(await people_of(tx, item.event))
    joins = await joining.joins(tx, children)
    await store.lock_cases(tx, children | {joins.of(child) for child in children})


async def _take(
    tx: Connection,
    batch: Sequence[Incoming[AnySignal]],
    rules: Rules,
    now: datetime,
    sealer: Sealer | None,
) -> list[Outcome]:
    """Signals, entries and items of a batch that changes no joins."""
    work = await _begin(tx, batch, rules, now)
    if entries := [i.event for i in batch if isinstance(i.event, DirectorySignal)]:
        if sealer is None:
            raise LookupError("an entry of the directory, and nothing to open it with")
        await directory.learn(tx, sealer, entries)
    outcomes: list[Outcome] = []
    turns = Turns()
    for item in batch:
        outcomes.append(Outcome("applied", await _apply(work, item.event), item.raw.value))
        if turns.over():
            await turns.next()
    await store.save(tx, work.changes)
    outcomes = await _ask_supervisors(work, batch, outcomes)
    outcomes = await _settle_screened(tx, batch, outcomes, now)
    for holder, count in Counter(d.holder for d in work.changes.decisions).items():
        metrics.ROUTED.labels(holder).inc(count)
    return outcomes


async def _begin(
    tx: Connection, batch: Sequence[Incoming[AnySignal]], rules: Rules, now: datetime
) -> _Work:
    """Lock the cases of a batch, whoever has them, and read what is known of them."""
    about = [i.event for i in batch if not isinstance(i.event, SetAside | DirectorySignal)]
    earlier = [e for event in about if (e := _earlier(event))]
    stands = await joining.belongings(tx, earlier) if earlier else {}
    children = {event.child for event in about}
    children |= {each.belongs_to or each.arrived_as for each in stands.values()}
    joins = await joining.joins(tx, children)
    held = {joins.of(child) for child in children}
    everybody = children | {each for child in held for each in (child, *joins.joined(child))}
    kin, related = await lock_homes(tx, everybody, _named_households(about), joins)
    joins = kin.joins
    changes = Changes(await store.lock_cases(tx, children | held | related))
    kin.cases = changes.cases
    await read_beyond(tx, kin)
    changes.taken_back = await store.taken_back(tx, [item.id for item in batch])
    told_of = {joins.of(event.child) for event in about if isinstance(event, ClientSignal)}
    shared = {child for child in held | related if joins.joined(child)}
    asked = (held - changes.cases.keys()) | told_of | shared
    people = {each for child in asked for each in (child, *joins.joined(child))}
    work = _Work(tx, changes, joins, kin, stands, await store.clients(tx, people), rules, now)
    for child in shared & changes.cases.keys():
        changes.cases[child].joined = joins.joined(child)
        changes.cases[child].client = of_client(work.client_rows(child))
    rewritten = {work.case_of(event) for event in about if _earlier(event)}
    rewritten |= {c.child for c in changes.cases.values() if c.answered_at is not None}
    if rewritten:
        await _read_what_stands(work, rewritten)
    return work


async def _read_what_stands(work: _Work, children: Iterable[UUID]) -> None:
    """What notifications state of these cases, and what a worker was told."""
    work.changes.standing = await store.standing(work.tx, children)
    people = {each: child for child in children for each in (child, *work.joins.joined(child))}
    for each, answers in (await store.answered(work.tx, people)).items():
        work.changes.answered.setdefault(people[each], []).extend(answers)


async def _change_joins(
    tx: Connection, change: Merged | Separated, rules: Rules, now: datetime
) -> list[Outgoing]:
    applied = await apply_change(tx, change, rules, now)
    tasks = [
        Task(time_ordered_id(now), child, "acted-while-joined") for child in applied.look_again
    ]
    for said in (await store.clients(tx, applied.with_case)).values():
        tasks += county_tasks(said.values())
    told = [*applied.told, *await open_tasks(tx, tasks, now, now)]
    asked = await ask_to_look(tx, applied.looks, applied.too_light, now)
    return told + [each for because in asked.values() for each in because]


async def open_tasks(
    tx: Connection, tasks: Sequence[Task], since: datetime, now: datetime
) -> list[Outgoing]:
    """Ask a person for these, once each; what is told of those that were not asked before."""
    if not tasks:
        return []
    opened = await store.open_tasks(tx, tasks, since)
    return [
        duty_event(t.item, 1, "duty_item_opened", now, about=_whose(t))
        for t in tasks
        if t.item in opened
    ]


def _whose(task: Task) -> str | None:
    """What is a supervisor's says so: nobody calls the duty team for it."""
    return task.kind if task.kind in FOR_SUPERVISORS else None


async def _apply(work: _Work, signal: AnySignal) -> list[Outgoing]:
    """One signal on the locked cases; what it answers."""
    if isinstance(signal, Signal):
        told = _receive(work, signal)
        return told + await _ask_to_tell_county(work, signal) if work.fed else told
    if isinstance(signal, ClientSignal):
        return _client(work, signal) + await _ask_to_tell_county(work, signal)
    if isinstance(signal, IdentityTask):
        return _identify(work, signal)
    if isinstance(signal, Withdrawn):
        about = [signal.withdraws]
        named = await store.messages_about(work.tx, work.case_of(signal), about)
        return _take_back(work, signal, named)
    if isinstance(signal, SetAside):
        return await _duty_item(work.tx, signal, work.rules, work.now)
    return []  # an entry of the directory: learned with the others of its batch


def _named_households(about: Iterable[AnySignal]) -> set[UUID]:
    """The households that messages and the client feed name."""
    return {household for e in about if (household := _household_in(e)) is not None}


def _child_of(signal: AnySignal) -> UUID | None:
    return None if isinstance(signal, SetAside | DirectorySignal) else signal.child


def _receive(work: _Work, signal: Signal) -> list[Outgoing]:
    changes, owner = work.changes, work.owner(signal)
    child = work.joins.of(owner)
    if owner is not signal.child and owner != signal.child:
        changes.belongs_to[signal.id] = owner
    elif signal.household is not None and work.kin.homes.move_in(signal.child, signal.household):
        changes.moved_in.append((signal.household, signal.child))
    case = changes.cases.get(child)
    if case is None:
        client = of_client(work.client_rows(child))
        case = changes.cases[child] = new_case(child, signal, client)
        case.joined = work.joins.joined(child)
    siblings = work.kin.siblings(child)
    case.family = work.kin.family_from(siblings)
    if signal.corrects is not None or _is_late(work, case, siblings, signal):
        changes.touched[signal.id] = child
    told = receive(changes, case, signal, work.rules, work.now)
    metrics.SCREEN_SECONDS.observe(max(0.0, (work.now - signal.received_at).total_seconds()))
    return [told, *_tell(work, siblings, signal.id)]


def _is_late(work: _Work, case: Case, siblings: Iterable[UUID], signal: Signal) -> bool:
    """Whether something was decided of the child or its household that should have known this."""
    if signal.received_at > work.now - STOOD:
        return False
    cases = work.changes.cases
    near = [cases[each] for each in siblings if each in cases]
    return is_late(signal.received_at, [each.known_until for each in (case, *near)])


def _tell(work: _Work, siblings: Collection[UUID], because: str) -> list[Outgoing]:
    """What came about a child counts for the others of its household at once."""
    if not siblings:
        return []
    return work.kin.tell(work.changes, siblings, because, work.rules, work.now)


def _client(work: _Work, signal: ClientSignal) -> list[Outgoing]:
    """A state of the client feed: kept, and the child's case, if there is one, screened with it."""
    said = work.fed.setdefault(signal.child, {})
    before = said.get((signal.source, signal.reference))
    row = row_of(signal, before)
    if not is_newer(row, before):
        return []
    said[row.source, row.reference] = row
    work.changes.clients.append(row)
    child = work.case_of(signal)
    case = work.changes.cases.get(child)
    told: list[Outgoing] = []
    if case is not None:
        client = of_client(work.client_rows(child))
        told = learn_client(work.changes, case, client, signal.id, work.rules, work.now)
    siblings = work.kin.siblings(child)
    work.kin.homes.feed(signal.child, households_of(said.values()))
    about = {child} | siblings | work.kin.siblings(child)
    return told + work.kin.tell(work.changes, about, signal.id, work.rules, work.now)


async def _ask_to_tell_county(work: _Work, signal: Signal | ClientSignal) -> list[Outgoing]:
    """Who has a case and lives in another county: a person tells that one, Luotsi never does.

    Notification and feed may come in either order, so both ask; a task is opened only once.
    """
    child = work.case_of(signal)
    if child not in work.changes.cases:
        return []
    tasks = county_tasks(work.client_rows(child))
    return await open_tasks(work.tx, tasks, signal.received_at, work.now)


def _earlier(event: AnySignal) -> str | None:
    """The signal that this one corrects or takes back."""
    if isinstance(event, Signal):
        return event.corrects
    return event.withdraws if isinstance(event, Withdrawn) else None


def _take_back(work: _Work, withdrawn: Withdrawn, messages: Sequence[str]) -> list[Outgoing]:
    changes = work.changes
    case = changes.cases.get(work.case_of(withdrawn))
    if case is None:  # it came first: kept in mind until the notification comes
        changes.replaced.append((withdrawn.withdraws, withdrawn.id))
        changes.taken_back[withdrawn.withdraws] = withdrawn.id
        return []
    changes.touched[withdrawn.id] = case.child
    told = take_back(changes, case, withdrawn, work.rules, work.now, messages)
    return [told, *_tell(work, work.kin.siblings(case.child), withdrawn.id)]


async def _ask_supervisors(
    work: _Work, batch: Sequence[Incoming[AnySignal]], outcomes: list[Outcome]
) -> list[Outcome]:
    """Ask to look at who is on the radar now, and at what was decided without what came late."""
    change = Change(work.kin, work.kin, work.changes.touched)
    found = await look_back(work.tx, change, work.rules, work.now)
    told = await ask_to_look(work.tx, work.changes.looks, found, work.now)
    for place, item in enumerate(batch):
        if because := told.get(item.event.id):
            answers = [*outcomes[place].answers, *because]
            outcomes[place] = outcomes[place]._replace(answers=answers)
    return outcomes


async def ask_to_look(
    tx: Connection,
    looks: Iterable[tuple[UUID, str]],
    too_light: Sequence[TooLight],
    now: datetime,
) -> dict[str, list[Outgoing]]:
    """Ask a supervisor to look, once each; what is told, by what it is because of."""
    asked = {look_at(child): because for child, because in looks}
    asked |= {each.task: each.because for each in too_light}
    if not asked:
        return {}
    if too_light:
        await hindsight.keep(tx, too_light)
    opened = await store.open_tasks(tx, list(asked), now)
    told: dict[str, list[Outgoing]] = {}
    for task, because in asked.items():
        if task.item in opened:
            opens = duty_event(task.item, 1, "duty_item_opened", now, about=_whose(task))
            told.setdefault(because, []).append(opens)
    return told


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


def _identify(work: _Work, task: IdentityTask) -> list[Outgoing]:
    """Somebody has said who the child is: the case that has its messages has an age now."""
    own = work.changes.cases.get(task.child)
    case = work.changes.cases.get(work.case_of(task))
    if own is None or case is None:
        raise LookupError("an identity for a child without a case")
    own.identified_by, own.identified_band = task.id, task.age_band
    case.age_band, case.provisional = who(
        [(case.age_band, case.provisional), (task.age_band, False)]
    )
    return [event(case, "identity_given", work.now, about=task.id)]


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
