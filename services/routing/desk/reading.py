"""One case as a person reads it.

The audit row comes first, in a transaction of its own: while it cannot be written nothing is
opened. The notifier is never opened here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import orjson
from pydantic import TypeAdapter, ValidationError

from services.routing import store as routing
from services.routing.desk import store
from services.routing.desk.acts import HOLDER_ACTS, Desk, holder_name, level_rows
from services.routing.desk.clients import ClientView, protection
from services.routing.desk.explanations import ExplanationView, read_standing
from services.routing.desk.faults import Conflict, NotThere, Unavailable
from services.routing.desk.hindsight import Difference, differences
from services.routing.desk.languages import Words
from services.routing.desk.questions import AnswersDue, AskView, answers_due, asks_of
from services.routing.desk.queues import Shown, why
from services.routing.desk.sessions import Worker
from services.routing.desk.statements import AreaView, read_areas
from services.routing.desk.words import CLOCKS, FACTS, ClockWords, clock_words
from services.routing.domain.clients import of_client
from services.routing.domain.clocks import last_day
from services.routing.joins import store as joining
from shared import store as plumbing
from shared.database import Connection
from shared.errors import describe
from shared.events import (
    AnySignal,
    AttachedFile,
    ClientSignal,
    IdentityTask,
    Signal,
    SignalMessage,
    Withdrawn,
)
from shared.logs import log
from shared.sealing import Sealer, UnreadableError, key_of

Opened = Mapping[str, Any]
_SIGNAL: TypeAdapter[AnySignal] = TypeAdapter(SignalMessage)


@dataclass(frozen=True, slots=True)
class ClockLine:
    """One clock with everything a page tells of it."""

    words: ClockWords
    started_at: datetime
    last_day: str
    target_day: str
    citation: str
    running: bool


@dataclass(frozen=True, slots=True)
class NotificationView:
    """One notification; `text` and `person` are None when their key is gone or were not asked.

    `missing` is in codes, `returned` is as its row has it.
    `taken_off`: it arrived as another child, whom its card names.
    """

    id: str
    received_at: datetime
    check_state: str
    flagged: bool
    siblings: int
    clocks: tuple[ClockLine, ...]
    taken_off: bool = False
    kind: str = "notification"
    missing: tuple[str, ...] = ()
    returned: str | None = None
    corrects: str | None = None
    replaced: Literal["", "corrected", "withdrawn"] = ""
    withdrawal: Opened | None = None
    text: Opened | None = None
    person: Opened | None = None
    attachments: tuple[AttachedFile, ...] = ()

    def runs(self, kind: str) -> bool:
        """Whether this clock of the notification still runs."""
        return any(line.running and line.words.kind == kind for line in self.clocks)


@dataclass(frozen=True, slots=True)
class Happened:
    """One line of the history: a screening or a person's act."""

    at: datetime
    kind: str
    worker: str = ""
    done_at: datetime | None = None
    answer: str = ""
    about: str = ""
    reason: str | None = None
    erased: bool = False
    level: str = ""
    holder: str = ""
    destinations: tuple[str, ...] = ()
    rules: str = ""
    while_joined: bool = False
    of: UUID | None = None  # of a screening: whose decision it is, and its number
    seq: int | None = None
    ask: tuple[str, ...] = ()  # of a screening: what could still change it


@dataclass(frozen=True, slots=True)
class LevelView:
    """What a person judges the level to be. `decision_seq` is the decision that was judged.

    `reasons_changed`: the rules have other reasons for the same level since then.
    """

    act: UUID
    level: str
    confirms: bool
    worker: str
    at: datetime
    done_at: datetime
    decision_seq: int
    reasons_changed: bool


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case. `person` is what is known of the child, the newest first given.

    `joined` are the own cases of the children who are joined to this one. `explained` and `areas`
    are there only where the case was opened.
    """

    row: store.Row
    why: tuple[str, ...]
    unknown: tuple[str, ...]
    notifications: tuple[NotificationView, ...]
    proposals: Sequence[store.Row]
    history: tuple[Happened, ...]
    waiting: Sequence[store.Row]
    holder_act: UUID | None
    joined: Sequence[store.Row] = ()
    person: Opened | None = None
    identity: Opened | None = None
    clients: tuple[ClientView, ...] = ()
    household: Sequence[store.Row] = ()
    asks: Sequence[AskView] = ()
    explained: ExplanationView | None = None
    areas: Sequence[AreaView] = ()
    answers_due: AnswersDue | None = None
    too_light: Sequence[Difference] = ()  # past decisions that open tasks are about
    level_judged: LevelView | None = None

    @property
    def turvakielto(self) -> str:
        """Whether whereabouts must stay secret; "unknown" where no feed has said it."""
        return protection(self.clients)

    @property
    def own_worker(self) -> str:
        """The responsible worker's name, or their staff id; empty where no feed has said it."""
        said = (c.row["worker_name"] or c.row["worker"] for c in self.clients)
        return next((name for name in said if name), "")

    @property
    def is_judged(self) -> bool:
        """Whether no notification waits for its urgency to be judged."""
        return self.row["urgency"] != "open" and all(
            note.check_state != "open" for note in self.notifications
        )

    @property
    def is_unnamed(self) -> bool:
        """Whether nothing has arrived as this child, so that no card names it."""
        return all(note.taken_off for note in self.notifications)

    def waits_for(self, reason: str) -> bool:
        """Whether a task or something set aside with this reason stands open."""
        return any(item["reason"] == reason for item in self.waiting)

    def running(self, kind: str) -> list[str]:
        """Ids of the notifications whose clock of this kind still runs."""
        return [n.id for n in self.notifications if n.runs(kind)]

    @property
    def may_finish(self) -> list[str]:
        """Notifications whose assessment has started and is not ready."""
        started = set(self.running("assessment_finish")) - set(self.running("assessment_start"))
        return [n.id for n in self.notifications if n.id in started]


@dataclass(frozen=True, slots=True)
class ItemContent:
    """A set-aside message as a person reads it: as it came, or what was sealed in it.

    `erased` says that something was sealed which can no longer be opened.
    """

    content: str = ""
    person: Opened | None = None
    text: Opened | None = None
    erased: bool = False


@dataclass
class _Sealed:
    """What the case page needs from the event log, and whether it may be opened."""

    sealer: Sealer
    signals: dict[str, Signal] = field(default_factory=dict)
    withdrawals: dict[str, Withdrawn] = field(default_factory=dict)
    clients: dict[str, ClientSignal] = field(default_factory=dict)
    identities: dict[UUID, IdentityTask] = field(default_factory=dict)


async def read_case(desk: Desk, worker: Worker, child: UUID, words: Words) -> CaseView:
    """The case with person and texts, opened for this view and noted in the audit trail first.

    Raises `NotThere`, `Conflict` as `_own_case`, and `Unavailable` when the audit trail cannot be
    written.
    """
    async with desk.process.pool.acquire() as conn:
        await _own_case(conn, child)
        await note_reading(conn, worker, "case-opened", str(child))
        async with conn.transaction():
            await joining.hold(conn)  # who is who stays as it is for the whole page
            children = await _own_case(conn, child)
            sealed = await _sealed(desk, conn, children)
            return await _view(desk, conn, children, words, sealed)


async def outline(desk: Desk, child: UUID, words: Words) -> CaseView:
    """The case without person, texts and reasons: nothing is opened, nothing noted."""
    async with desk.process.pool.acquire() as conn, conn.transaction():
        await joining.hold(conn)
        return await _view(desk, conn, await _own_case(conn, child), words, None)


async def _own_case(conn: Connection, child: UUID) -> list[UUID]:
    """The child and everybody who is joined to it.

    Raises `NotThere`, and `Conflict` with the other child where this one is joined itself.
    """
    if await store.version_of(conn, child) is None:
        raise NotThere
    joins = await joining.joins(conn, [child])
    if joins.of(child) != child:
        raise Conflict("joined", other=joins.of(child))
    return [child, *joins.joined(child)]


async def standing(desk: Desk, notification: str) -> tuple[store.Row, Sequence[store.Row]]:
    """A notification's own row and its clocks; nothing is opened, nothing noted."""
    async with desk.process.pool.acquire() as conn:
        row = await store.notification(conn, notification)
        if row is None:
            raise NotThere
        return row, await store.clocks(conn, row["child"], [notification])


async def note_reading(conn: Connection, worker: Worker, act: str, *subjects: str) -> None:
    """The audit rows of a reading, one for each subject, committed before anything is opened."""
    try:
        async with conn.transaction():
            await plumbing.add_audit(
                conn,
                [(worker.id, act, each, "child-protection", worker.role) for each in subjects],
            )
    except Exception as error:
        log.error("audit_refused", error=error)
        raise Unavailable("audit-away") from error


async def read_act(desk: Desk, worker: Worker, ident: UUID) -> Happened | None:
    """One act with its reason, noted in the audit trail first."""
    async with desk.process.pool.acquire() as conn:
        row = await store.act(conn, ident)
        if row is None:
            return None
        await note_reading(conn, worker, "act-opened", str(row["child"] or row["about"]))
        await _load_reasons(desk.sealer, conn, [row])
        return _act(row, desk.sealer)


async def read_item(desk: Desk, worker: Worker, item: UUID) -> ItemContent:
    """What was set aside, noted in the audit trail first.

    Intake opens its own; person and text of what waits in routing are opened here, even where this
    version does not understand the rest of the message. Raises `NotThere` and `Unavailable`.
    """
    async with desk.process.pool.acquire() as conn:
        row = await store.duty_item(conn, item)
        if row is None:
            raise NotThere
        await note_reading(conn, worker, "original-opened", str(item))
        if row["service"] == "routing":
            kept = await plumbing.set_aside_item(conn, item)
            return await _item_content(desk.sealer, conn, kept["body"] if kept else None)
    ask = desk.intake.urgent_original if row["outcome"] == "urgent" else desk.intake.original
    whole = await ask(worker, item)
    return ItemContent(content=str(whole.get("content", "")))


async def _item_content(sealer: Sealer, conn: Connection, body: bytes | None) -> ItemContent:
    try:
        message = orjson.loads(body or b"{}")
        parts = {
            part: (key_of(message[part]), message[part])
            for part in ("person", "text")
            if part in message
        }
        about = str(message.get("id", ""))
    except (orjson.JSONDecodeError, AttributeError, IndexError, TypeError, ValueError):
        return ItemContent()
    await sealer.load(conn, sorted({key for key, _ in parts.values()}))
    opened = {part: _open(_Sealed(sealer), text, part, about) for part, (_, text) in parts.items()}
    return ItemContent(
        person=opened.get("person"), text=opened.get("text"), erased=None in opened.values()
    )


async def _sealed(desk: Desk, conn: Connection, children: Sequence[UUID]) -> _Sealed:
    sealed = _Sealed(desk.sealer)
    rows = await store.notifications(conn, children[0])
    idents = {row["id"] for row in rows} | {r["replaced_by"] for r in rows if r["replaced_by"]}
    idents |= {row["signal"] for row in await store.clients(conn, children)}
    given = [r["identified_by"] for r in await store.marks(conn, children) if r["identified_by"]]
    found = await store.signals(conn, [*idents, *given])
    for ident, body in found.items():
        try:
            event = _SIGNAL.validate_json(body)
        except ValidationError as error:
            log.warning("signal_unreadable", event_id=ident, error=error)
            continue
        if isinstance(event, IdentityTask):
            sealed.identities[event.child] = event
        elif isinstance(event, Withdrawn):
            sealed.withdrawals[ident] = event
        elif isinstance(event, ClientSignal):
            sealed.clients[ident] = event
        elif isinstance(event, Signal):
            sealed.signals[ident] = event
    keys = {key_of(each.text) for each in sealed.withdrawals.values() if each.text}
    keys |= {key_of(signal.person) for signal in sealed.signals.values()}
    keys |= {key_of(signal.text) for signal in sealed.signals.values()}
    await desk.sealer.load(conn, sorted(keys | set(children)))
    return sealed


async def _view(
    desk: Desk, conn: Connection, children: Sequence[UUID], words: Words, sealed: _Sealed | None
) -> CaseView:
    child = children[0]
    row = await store.case_row(conn, child)
    if row is None:
        raise NotThere
    show = Shown(words, desk.rules, desk.clock())
    notes = await _notifications(conn, child, show, sealed)
    facts: dict[str, Any] = orjson.loads(row["facts"])
    holder_act = await store.last_act_about(
        conn, child, holder_name(row["holder_seq"]), HOLDER_ACTS
    )
    targets = await store.next_targets(conn, child)
    waiting = await store.items_of_children(conn, children)
    due = answers_due(targets["start"], targets["finish"], desk.rules, show.now, words)
    return CaseView(
        row=row,
        why=why(row["rule_rows"], row["rules"], show),
        unknown=tuple(
            words.text(FACTS[f]) for f, v in facts.items() if v == "unknown" and f in FACTS
        ),
        notifications=notes,
        proposals=await store.proposals(conn, child),
        history=await _history(desk, conn, children, opens=sealed is not None),
        waiting=waiting,
        holder_act=holder_act,
        joined=await store.marks(conn, children[1:]),
        person=next((n.person for n in notes if n.person and not n.taken_off), None),
        identity=_identity(sealed, children),
        clients=tuple(_client(each, sealed) for each in await store.clients(conn, children)),
        household=await store.household_cases(conn, children),
        asks=await _asks(desk, conn, children, words, due),
        answers_due=due,
        explained=await read_standing(conn, desk, row, words) if sealed else None,
        areas=await read_areas(conn, children, facts, words) if sealed else (),
        level_judged=_level((await store.levels_judged(conn, [child])).get(child), row),
        too_light=await differences(conn, [item["id"] for item in waiting], show),
    )


def _level(judged: store.Row | None, case: store.Row) -> LevelView | None:
    if judged is None:
        return None
    now, then = level_rows(case["rule_rows"]), level_rows(judged["judged_rows"])
    return LevelView(
        judged["id"], judged["answer"], judged["kind"] == "level_confirmed",
        judged["worker_name"], judged["recorded_at"], judged["done_at"], judged["seq"],
        reasons_changed=now != then,
    )  # fmt: skip


async def _asks(
    desk: Desk, conn: Connection, children: Sequence[UUID], words: Words, due: AnswersDue | None
) -> tuple[AskView, ...]:
    """The questions that matter of a case as it stands."""
    case = await routing.read_case(conn, children[0])
    if case is None or case.is_empty:
        return ()
    said = await routing.clients(conn, children)
    case.client = of_client(row for rows in said.values() for row in rows.values())
    return asks_of(case, desk.rules, desk.form, words, due.at if due else None)


def _identity(sealed: _Sealed | None, children: Sequence[UUID]) -> Opened | None:
    """The identity that a worker gave: the child's own, else that of one who is joined to it."""
    given = [sealed.identities[c] for c in children if c in sealed.identities] if sealed else []
    return next((_open(sealed, task.person, "person", task.id) for task in given), None)


def _client(row: store.Row, sealed: _Sealed | None) -> ClientView:
    signal = sealed.clients.get(row["signal"]) if sealed else None
    if signal is None or signal.person is None:
        return ClientView(row)
    return ClientView(row, _open(sealed, signal.person, "person", signal.id))


async def _notifications(
    conn: Connection, child: UUID, show: Shown, sealed: _Sealed | None
) -> tuple[NotificationView, ...]:
    rows = await store.notifications(conn, child)
    lines: dict[str, list[ClockLine]] = {row["id"]: [] for row in rows}
    for clock in await store.clocks(conn, child, list(lines)):
        lines[clock["about"]].append(_clock_line(clock, show))
    taken_over = {row["corrects"]: row["id"] for row in rows if row["corrects"]}
    return tuple(
        NotificationView(
            id=row["id"],
            received_at=row["received_at"],
            check_state=row["check_state"],
            flagged=row["flagged"],
            siblings=row["siblings"],
            clocks=tuple(sorted(lines[row["id"]], key=lambda c: list(CLOCKS).index(c.words.kind))),
            taken_off=row["taken_off"],
            kind=row["kind"],
            missing=tuple(row["missing"]),
            returned=row["returned"],
            corrects=row["corrects"],
            replaced=_replaced(row, taken_over),
            withdrawal=_open_withdrawal(sealed, row["replaced_by"]),
            text=_open_signal(sealed, row["id"], "text"),
            person=_open_signal(sealed, row["id"], "person"),
            attachments=_attachments(sealed, row["id"]),
        )
        for row in rows
    )


def _clock_line(clock: store.Row, show: Shown) -> ClockLine:
    minutes = clock["kind"] == "urgency"
    words = show.words
    return ClockLine(
        words=clock_words(words, dict(clock), show.now, show.rules.clocks),
        started_at=clock["started_at"],
        last_day=words.moment(clock["due"]) if minutes else words.day(last_day(clock["due"])),
        target_day="" if clock["target"] == clock["due"] else words.day(last_day(clock["target"])),
        citation=clock["citation"],
        running=clock["stopped_at"] is None,
    )


def _attachments(sealed: _Sealed | None, ident: str) -> tuple[AttachedFile, ...]:
    signal = sealed.signals.get(ident) if sealed else None
    return signal.attachments if signal else ()


def _open_signal(sealed: _Sealed | None, ident: str, part: str) -> Opened | None:
    signal = sealed.signals.get(ident) if sealed else None
    if signal is None:
        return None
    return _open(sealed, signal.text if part == "text" else signal.person, part, signal.id)


def _replaced(
    row: store.Row, taken_over: Mapping[str, str]
) -> Literal["", "corrected", "withdrawn"]:
    if row["replaced_by"] is None:
        return ""
    return "corrected" if taken_over.get(row["id"]) == row["replaced_by"] else "withdrawn"


def _open_withdrawal(sealed: _Sealed | None, ident: str | None) -> Opened | None:
    withdrawn = sealed.withdrawals.get(ident) if sealed and ident else None
    if withdrawn is None or withdrawn.text is None:
        return None
    return _open(sealed, withdrawn.text, "text", withdrawn.id)


def _open(sealed: _Sealed | None, content: str, part: str, about: str) -> Opened | None:
    if sealed is None:
        return None
    try:
        opened: Opened = orjson.loads(sealed.sealer.open(content, part, about))
    except (UnreadableError, orjson.JSONDecodeError) as error:
        log.info("content_erased", event_id=about, error=describe(error))
        return None
    return opened


async def _history(
    desk: Desk, conn: Connection, children: Sequence[UUID], *, opens: bool
) -> tuple[Happened, ...]:
    acts = await store.acts(conn, children)
    if opens:
        await _load_reasons(desk.sealer, conn, acts)
    history = [_act(row, desk.sealer if opens else None) for row in acts]
    history += [_screening(row) for row in await store.decisions(conn, children)]
    return tuple(sorted(history, key=lambda line: line.at, reverse=True))


def _screening(row: store.Row) -> Happened:
    if row["while_joined"]:  # what it was made of is partly another child's
        return Happened(at=row["decided_at"], kind="screened", while_joined=True)
    return Happened(
        at=row["decided_at"],
        kind="screened",
        level=row["level"],
        holder=row["holder"],
        destinations=tuple(row["destinations"]),
        rules=row["rules"],
        of=row["child"],
        seq=row["seq"],
        ask=tuple(row["ask"] or ()),
    )


async def _load_reasons(sealer: Sealer, conn: Connection, acts: Sequence[store.Row]) -> None:
    keys = {key_of(row["reason"]) for row in acts if row["reason"]}
    await sealer.load(conn, sorted(keys))


def _act(row: store.Row, sealer: Sealer | None) -> Happened:
    reason, erased = None, False
    if row["reason"] and sealer is not None:
        try:
            reason = sealer.open(row["reason"], "reason", str(row["id"])).decode()
        except UnreadableError:
            erased = True
    return Happened(
        at=row["recorded_at"],
        kind=row["kind"],
        worker=row["worker_name"],
        done_at=row["done_at"],
        answer=row["answer"] or "",
        about=row["about"],
        reason=reason,
        erased=erased,
        while_joined=row.get("while_joined", False),
    )
