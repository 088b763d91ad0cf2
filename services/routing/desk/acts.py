"""What a person decides, each act one function and ONE transaction, for pages and JSON API alike.

The case is locked first; the act names the check or proposal it answers and is refused only if
that one changed. Act, clocks, audit, case and outgoing event are written together or not at all.
"""

import contextlib
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from services.routing import store as routing
from services.routing.desk import store
from services.routing.desk.asks import (
    AnswerCheck,
    AnswerDestination,
    AnswerQuestions,
    ChooseHolder,
    CloseItem,
    FinishAssessment,
    GiveIdentity,
    JoinChildren,
    JudgeLevel,
    NotNeeded,
    SayHousehold,
    SeparateChild,
    SettleReturned,
    SplitCase,
    StartAssessment,
    TellFamily,
    WrongCounty,
)
from services.routing.desk.faults import Conflict, NotThere, Refused
from services.routing.desk.intake import Intake
from services.routing.desk.sessions import Worker
from services.routing.domain.cases import (
    Case,
    Changes,
    Documented,
    Rules,
    case_mark,
    event,
    screen,
    still_pending,
)
from services.routing.domain.facts import Answered, known_when
from services.routing.domain.form import Form
from services.routing.domain.hindsight import TooLight
from services.routing.domain.tasks import (
    CLOSED_BY_WHO_ASSESSES,
    FOR_SUPERVISORS,
    TASKS,
    Task,
)
from services.routing.domain.windows import recent_of
from services.routing.handlers import (
    as_uuid,
    ask_to_look,
    duty_event,
    notices,
    open_tasks,
    signals,
)
from services.routing.hindsight.looking_back import Change, look_back
from services.routing.households.kin import (
    Kin,
    bring_together,
    lock_homes,
    read_beyond,
    take_apart,
)
from services.routing.joins import store as joining
from services.routing.settings import RoutingSettings
from services.routing.urgent import urgent_items
from shared import events
from shared import store as plumbing
from shared.clock import Clock
from shared.database import Connection
from shared.errors import OUTAGES, RACES, RejectedError
from shared.events import CaseEventKind, Destination, Signal
from shared.ids import time_ordered_id
from shared.inbox import Inbox, Raw
from shared.logs import log
from shared.redrive import redrive_key
from shared.sealing import Sealer, UnreadableError, encrypt, key_of, sealed_text
from shared.service import Process
from shared.store import Outgoing

RECORDED_WITHIN = timedelta(days=31)
REDRIVEN_ONLY = ("routing", "intake")  # what they have parked is still applied: others wait for it
HOLDER_ACTS = ("holder_confirmed", "holder_overridden")


@dataclass(frozen=True)
class Desk:
    """What every act and page of one desk process works with."""

    process: Process
    settings: RoutingSettings
    rules: Rules
    sealer: Sealer
    intake: Intake
    clock: Clock
    form: Form


@dataclass(frozen=True)
class Done:
    """What was recorded."""

    act: UUID
    kind: str
    child: UUID | None
    recorded_at: datetime
    done_at: datetime


@dataclass
class _Acting:
    """An act under way: the locked case, what it changes, past decisions it shows as too light."""

    desk: Desk
    tx: Connection
    worker: Worker
    case: Case
    changes: Changes
    now: datetime
    act: UUID
    kin: Kin
    too_light: Sequence[TooLight] = ()

    def tell_siblings(self) -> list[Outgoing]:
        """What the act says of the child counts for the others of its household at once."""
        siblings = self.kin.siblings(self.case.child)
        return self.kin.tell(self.changes, siblings, str(self.act), self.desk.rules, self.now)


@contextlib.asynccontextmanager
async def _acting(
    desk: Desk,
    worker: Worker,
    child: UUID,
    *,
    with_household: bool = False,
    and_of: Sequence[UUID] = (),
) -> AsyncIterator[_Acting]:
    """The case locked; `with_household`: and before it the household, for what changes facts.

    With the household `and_of` others besides, nobody else changes a case meanwhile: so a worker
    may say who lives with whom.
    """
    now = desk.clock()
    async with desk.process.pool.acquire() as tx, tx.transaction():
        await joining.hold(tx, alone=bool(and_of))
        joins = await joining.joins(tx, [child, *and_of])
        if joins.of(child) != child:
            raise Conflict("joined", other=joins.of(child))
        holders = {child, *map(joins.of, and_of)} if with_household else set()
        people = [each for holder in holders for each in (holder, *joins.joined(holder))]
        kin, related = await lock_homes(tx, people, (), joins)
        cases = kin.cases = await routing.lock_cases(tx, {child, *holders, *related})
        if child not in cases:
            raise NotThere
        await read_beyond(tx, kin)
        for each in cases:
            await joining.share(tx, cases[each], kin.joins)
        yield _Acting(
            desk, tx, worker, cases[child], Changes(cases), now, time_ordered_id(now), kin
        )


async def _screen_anew(acting: _Acting) -> None:
    """Count what is known of the case anew, after an act has changed it, and decide with it."""
    case = acting.case
    stands = await routing.standing(acting.tx, [case.child])
    answered = await routing.answered(acting.tx, acting.kin.people(case.child))
    given = [each for told in answered.values() for each in told]
    case.known = known_when(stands[case.child].values(), given)
    case.recent = recent_of(stands[case.child])
    case.answered_at = max((each.at for each in given), default=None)
    case.family = acting.kin.family(case.child)
    case.known_until = acting.now
    screen(acting.changes, case, str(acting.act), acting.desk.rules, acting.now)


async def _record(
    acting: _Acting,
    kind: CaseEventKind,
    about: str,
    *,
    done_at: datetime,
    answer: str | None = None,
    reason: str = "",
    besides: Sequence[Outgoing] = (),
) -> Done:
    """Write everything the act is; the event takes the case's next number.

    `besides` is what it tells of other cases.
    """
    case = acting.case
    messages = await routing.messages_about(acting.tx, case.child, about.split(), or_open=True)
    documented = Documented(messages, answer)
    told = event(case, kind, acting.now, about=about, done_at=done_at, documented=documented)
    return await _write(
        acting, kind, about, done_at=done_at, answer=answer, reason=reason, told=[told, *besides]
    )


async def _write(
    acting: _Acting,
    kind: str,
    about: str,
    *,
    done_at: datetime,
    answer: str | None,
    reason: str,
    told: Sequence[Outgoing],
) -> Done:
    """Write the act, the cases it changes, its audit row, and what is told of it."""
    case, tx = acting.case, acting.tx
    sealed = await _seal_reason(acting, about, reason) if reason else None
    await store.add_act(
        tx,
        store.ActRow(
            acting.act, case.child, about, kind, acting.worker.id, done_at, acting.now, answer,
            sealed,
        ),
    )  # fmt: skip
    if case.joined:
        await joining.share_act(tx, acting.act, [case.child, *case.joined])
    await routing.save(tx, acting.changes)
    await plumbing.add_audit(
        tx, [(acting.worker.id, kind, str(case.child), "child-protection", str(acting.act))]
    )
    looks = await ask_to_look(tx, acting.changes.looks, acting.too_light, acting.now)
    opened = [each for because in looks.values() for each in because]
    await plumbing.add_outbox(tx, [*told, *opened])
    return Done(acting.act, kind, case.child, acting.now, done_at)


async def _seal_reason(acting: _Acting, about: str, reason: str) -> str:
    """Under the key of the child it is about, so that it dies with what else is known of them."""
    named = await store.signals(acting.tx, about.split(" ")[:1])
    if not named:
        latest = await store.notifications(acting.tx, acting.case.child, 1)
        named = await store.signals(acting.tx, [row["id"] for row in latest])
    return await _seal_like(acting.desk, acting.tx, named, acting.act, reason)


async def _seal_like(
    desk: Desk, tx: Connection, signals: Mapping[str, bytes], act: UUID, reason: str
) -> str:
    """Under the key that a signal's person is sealed with."""
    for body in signals.values():
        key = key_of(Signal.model_validate_json(body).person)
        await desk.sealer.load(tx, [key])
        with contextlib.suppress(UnreadableError):
            return desk.sealer.seal(key, "reason", str(act), reason.encode())
    raise Refused("erased")


def done_time(
    asked: datetime | None, now: datetime, not_before: datetime, *, any_day: bool
) -> datetime:
    """When the act was done: now, or the time given where it can be true.

    People give whole minutes, so the minute of the receipt counts as after it. What lies more
    than 31 days back is refused without `any_day`: a supervisor's, and the demonstration's.
    """
    if asked is None:
        return now
    if asked > now:
        raise Refused("done-in-future")
    if asked < not_before.replace(second=0, microsecond=0):
        raise Refused("done-before-receipt")
    if not any_day and asked < now - RECORDED_WITHIN:
        raise Refused("done-too-long-ago")
    return max(asked, not_before)


def _done_at(acting: _Acting, asked: datetime | None, not_before: datetime) -> datetime:
    any_day = acting.worker.supervises or acting.desk.settings.demo
    return done_time(asked, acting.now, not_before, any_day=any_day)


# --- urgency ------------------------------------------------------------------------------------


async def answer_check(desk: Desk, worker: Worker, notification: str, ask: AnswerCheck) -> Done:
    """Judge whether a notification is urgent; the answer decides the holder anew.

    The case is urgent while an urgent matter's assessment has not begun; an earlier one, whose has,
    does not make a later notification urgent.
    """
    async with desk.process.pool.acquire() as conn:
        row = await store.notification(conn, notification)
    if row is None:
        raise NotThere
    async with _acting(desk, worker, row["child"]) as acting:
        check = await store.notification(acting.tx, notification)
        if check is None or check["child"] != acting.case.child:
            raise NotThere
        if check["check_state"] != "open":
            earlier = await store.last_act_about(
                acting.tx, acting.case.child, notification, ["urgency_answered"]
            )
            raise Conflict("already-answered", earlier)
        done_at = _done_at(acting, ask.done_at, check["received_at"])
        await store.answer_check(acting.tx, notification, ask.answer)
        await _stop(acting, [notification], ["urgency"], done_at)
        states = await store.check_states(acting.tx, acting.case.child, notification)
        acting.case.urgency = (
            "urgent" if "urgent" in states else "open" if "open" in states else "not_urgent"
        )
        acting.case.known_until = acting.now
        screen(
            acting.changes, acting.case, str(acting.act), desk.rules, acting.now,
            to_duty=ask.answer == "urgent",
        )  # fmt: skip
        return await _record(
            acting, "urgency_answered", notification,
            done_at=done_at, answer=ask.answer, reason=ask.reason,
        )  # fmt: skip


# --- absence signals returned to the school -------------------------------------------------------

SETTLED = ("is_matter", "no_matter")
DAY_CLOCKS = ("assessment_start", "family_told", "assessment_finish")


@contextlib.asynccontextmanager
async def _settling(
    desk: Desk, worker: Worker, notification: str, *, with_household: bool = False
) -> AsyncIterator[tuple[_Acting, store.Row]]:
    """An act about a returned signal that nobody has decided about yet, its case locked."""
    async with desk.process.pool.acquire() as conn:
        row = await store.notification(conn, notification)
    if row is None:
        raise NotThere
    async with _acting(desk, worker, row["child"], with_household=with_household) as acting:
        signal = await store.notification(acting.tx, notification)
        if signal is None or signal["returned"] is None:
            raise NotThere
        if signal["returned"] != "open":
            earlier = await store.last_act_about(
                acting.tx, acting.case.child, notification, SETTLED
            )
            raise Conflict("already-done", earlier)
        yield acting, signal


async def treat_as_matter(
    desk: Desk, worker: Worker, notification: str, ask: SettleReturned
) -> Done:
    """A returned absence signal is a matter all the same: it is screened as if it were complete."""
    settling = _settling(desk, worker, notification, with_household=True)
    async with settling as (acting, signal):
        done_at = _done_at(acting, ask.done_at, signal["received_at"])
        await store.settle_returned(acting.tx, notification, "matter")
        await _screen_anew(acting)
        return await _record(
            acting, "is_matter", notification, done_at=done_at, reason=ask.reason,
            besides=acting.tell_siblings(),
        )  # fmt: skip


async def find_no_matter(
    desk: Desk, worker: Worker, notification: str, ask: SettleReturned
) -> Done:
    """A returned absence signal is no matter (design 11): stops its clocks, and no other's."""
    async with _settling(desk, worker, notification) as (acting, signal):
        if signal["check_state"] == "open":
            raise Refused("urgency-open")
        done_at = _done_at(acting, ask.done_at, signal["received_at"])
        await store.settle_returned(acting.tx, notification, "no_matter")
        await _stop(acting, [notification], DAY_CLOCKS, done_at)
        return await _record(acting, "no_matter", notification, done_at=done_at, reason=ask.reason)


# --- questions ------------------------------------------------------------------------------------


async def answer_questions(desk: Desk, worker: Worker, child: UUID, ask: AnswerQuestions) -> Done:
    """What a worker was told in answer to questions: the case is screened with it at once."""
    async with _acting(desk, worker, child, with_household=True) as acting:
        done_at = _done_at(acting, ask.done_at, acting.case.first_at)
        answered = Answered(done_at, ask.answers)
        await routing.add_answers(
            acting.tx, acting.act, child, answered, ask.told_by, ask.knowledge
        )
        await _screen_anew(acting)
        return await _record(
            acting, "questions_answered", " ".join(ask.answers), done_at=done_at,
            answer=ask.told_by, reason=ask.reason, besides=acting.tell_siblings(),
        )  # fmt: skip


# --- holder and destinations ----------------------------------------------------------------------


def holder_name(holder_seq: int) -> str:
    """How acts name a proposal of a holder."""
    return f"holder/{holder_seq}"


async def choose_holder(desk: Desk, worker: Worker, child: UUID, ask: ChooseHolder) -> Done:
    """Confirm the proposed holder, or choose another; either can be chosen anew later."""
    async with _acting(desk, worker, child) as acting:
        case = acting.case
        about = holder_name(case.holder_seq)
        earlier = await store.last_act_about(acting.tx, child, about, HOLDER_ACTS)
        if (case.holder_seq, earlier) != (ask.holder_seq, ask.after):
            raise Conflict("already-answered" if earlier else "proposal-changed", earlier)
        if case.urgency == "open" or await store.has_open_check(acting.tx, child):
            raise Refused("urgency-open")
        confirms = ask.holder == case.holder
        if not confirms and not ask.reason:
            raise Refused("reason-needed")
        done_at = _done_at(acting, ask.done_at, case.first_at)
        case.confirmed = ask.holder
        return await _record(
            acting, "holder_confirmed" if confirms else "holder_overridden", about,
            done_at=done_at, answer=ask.holder, reason=ask.reason,
        )  # fmt: skip


async def judge_level(desk: Desk, worker: Worker, child: UUID, ask: JudgeLevel) -> Done:
    """Confirm the level that the rules propose, or judge it to be another; both stay kept.

    It names the decision that was read and is refused where the rules propose another level by now,
    or the same for other reasons. No proposal changes by it, so nothing is told of it.
    """
    async with _acting(desk, worker, child) as acting:
        case, tx = acting.case, acting.tx
        standing = (await store.levels_judged(tx, [child])).get(child)
        earlier = standing["id"] if standing else None
        if earlier != ask.after:
            raise Conflict("already-answered" if earlier else "proposal-changed", earlier)
        people = acting.kin.people(child)
        read = await store.decision(tx, people, child, ask.decision_seq)
        now = await store.decision(tx, people, child, case.decision_seq)
        if read is None or now is None or level_of(read) != level_of(now):
            raise Conflict("proposal-changed")
        if case.urgency == "open" or await store.has_open_check(tx, child):
            raise Refused("urgency-open")
        confirms = ask.level == case.level
        if not confirms and not ask.reason:
            raise Refused("reason-needed")
        case.version += 1
        return await _write(
            acting, "level_confirmed" if confirms else "level_overridden",
            f"{store.LEVEL_OF}{ask.decision_seq}",
            done_at=_done_at(acting, ask.done_at, case.first_at), answer=ask.level,
            reason=ask.reason, told=(),
        )  # fmt: skip


def level_of(decision: store.Row) -> tuple[str, frozenset[str]]:
    """The level that a decision proposes, and the rows that say so."""
    return decision["level"], level_rows(decision["rule_rows"])


def level_rows(rows: Sequence[str]) -> frozenset[str]:
    """The rows of a decision that say what its level is."""
    return frozenset(row for row in rows if row.startswith("level/"))


async def answer_destination(
    desk: Desk, worker: Worker, child: UUID, destination: Destination, ask: AnswerDestination
) -> Done:
    """Accept or decline one destination; the others stand as they are."""
    async with _acting(desk, worker, child) as acting:
        row = await store.proposal(acting.tx, child, destination)
        if row is None:
            raise NotThere
        if row["state"] != "proposed" or row["number"] != ask.number:
            decided = row["state"] in ("accepted", "declined")
            raise Conflict(
                "already-answered" if decided else "proposal-changed",
                UUID(row["decided_by"]) if decided else None,
            )
        done_at = _done_at(acting, ask.done_at, acting.case.first_at)
        await store.decide_proposal(acting.tx, child, destination, ask.answer, acting.act)
        kind: CaseEventKind = (
            "destination_accepted" if ask.answer == "accepted" else "destination_declined"
        )
        return await _record(
            acting, kind, destination, done_at=done_at, answer=ask.answer, reason=ask.reason
        )


# --- assessment ---------------------------------------------------------------------------------


async def start_assessment(desk: Desk, worker: Worker, child: UUID, ask: StartAssessment) -> Done:
    """The assessment has begun: stops the 7-working-day clocks of what it covers."""
    worker.must_assess()
    async with _acting(desk, worker, child) as acting:
        covered, received = await _covered(acting, ask.notifications, "assessment_start")
        done_at = _done_at(acting, ask.done_at, received)
        await _stop(acting, covered, ["assessment_start"], done_at)
        return await _record(
            acting, "assessment_started", " ".join(covered), done_at=done_at, reason=ask.reason
        )


async def find_unnecessary(desk: Desk, worker: Worker, child: UUID, ask: NotNeeded) -> Done:
    """No assessment, with a ground: stops the clocks of its start and of its end (CLK-04)."""
    worker.must_assess()
    async with _acting(desk, worker, child) as acting:
        covered, received = await _covered(acting, ask.notifications, "assessment_start")
        done_at = _done_at(acting, ask.done_at, received)
        await _stop(acting, covered, ["assessment_start", "assessment_finish"], done_at)
        return await _record(
            acting, "manifestly_unnecessary", " ".join(covered),
            done_at=done_at, answer=ask.ground, reason=ask.reason,
        )  # fmt: skip


async def tell_family(desk: Desk, worker: Worker, child: UUID, ask: TellFamily) -> Done:
    """Child and guardian have been told: stops that clock, and no other."""
    async with _acting(desk, worker, child) as acting:
        covered, received = await _covered(acting, ask.notifications, "family_told")
        done_at = _done_at(acting, ask.done_at, received)
        await _stop(acting, covered, ["family_told"], done_at)
        return await _record(
            acting, "family_told", " ".join(covered), done_at=done_at, reason=ask.reason
        )


async def finish_assessment(desk: Desk, worker: Worker, child: UUID, ask: FinishAssessment) -> Done:
    """The assessment is ready: stops the 3-month clocks of what it covers."""
    worker.must_assess()
    async with _acting(desk, worker, child) as acting:
        started = await store.clocks_of_kinds(acting.tx, child, ["assessment_start"])
        waiting = {row["about"] for row in started if row["stopped_at"] is None}
        asked = ask.notifications
        if asked is None:
            running = await store.clocks_of_kinds(acting.tx, child, ["assessment_finish"])
            open_ = [row["about"] for row in running if row["stopped_at"] is None]
            asked = tuple(about for about in open_ if about not in waiting)
            if open_ and not asked:
                raise Refused("not-started")
        elif waiting & set(asked):
            raise Refused("not-started")
        covered, received = await _covered(acting, asked or None, "assessment_finish")
        done_at = _done_at(acting, ask.done_at, received)
        await _stop(acting, covered, ["assessment_finish"], done_at)
        return await _record(
            acting, "assessment_finished", " ".join(covered), done_at=done_at, reason=ask.reason
        )


async def _covered(
    acting: _Acting, asked: Sequence[str] | None, kind: str
) -> tuple[list[str], datetime]:
    """The notifications an act covers, and the latest receipt among them.

    What a page named must still run: a clock that another person stopped meanwhile is a conflict.
    """
    rows = {
        row["about"]: row
        for row in await store.clocks_of_kinds(acting.tx, acting.case.child, [kind])
    }
    names: Collection[str] = (
        [about for about, row in rows.items() if row["stopped_at"] is None]
        if asked is None
        else dict.fromkeys(asked)
    )
    for name in names:
        if name not in rows:
            raise Refused("unknown-notification")
    stopped = [rows[name] for name in names if rows[name]["stopped_at"] is not None]
    if asked is None and not names:
        stopped = list(rows.values())[-1:]
    if stopped:
        raise Conflict("already-done", _act_id(stopped[-1]["stopped_by"]))
    if not names:
        raise Refused("nothing-running")
    return list(names), max(rows[name]["received_at"] for name in names)


async def _stop(
    acting: _Acting, about: Sequence[str], kinds: Sequence[str], done_at: datetime
) -> None:
    stopped = (done_at, acting.act, acting.now)
    await store.stop_clocks(acting.tx, acting.case.child, about, kinds, stopped)
    if "assessment_finish" in kinds:
        receipts = await routing.pending_receipts(acting.tx, acting.case.child)
        still_pending(acting.case, receipts)


def _act_id(stopped_by: str | None) -> UUID | None:
    try:
        return UUID(stopped_by or "")
    except ValueError:
        return None


# --- another county -----------------------------------------------------------------------------


async def belongs_elsewhere(desk: Desk, worker: Worker, child: UUID, ask: WrongCounty) -> Done:
    """The child belongs to another county: opens the task of a person to bring the matter there.

    What was received stays received and its clocks run on; nothing is sent (law.md NOT-07).
    """
    async with _acting(desk, worker, child) as acting:
        stands = await store.open_task(acting.tx, [child, *acting.case.joined], "wrong-county")
        if stands is not None:
            earlier = await store.last_act_about(
                acting.tx, stands["child"], str(stands["id"]), ["wrong_county"]
            )
            raise Conflict("already-done", earlier)
        done_at = _done_at(acting, ask.done_at, acting.case.first_at)
        task = Task(time_ordered_id(acting.now), child, "wrong-county")
        return await _record(
            acting, "wrong_county", str(task.item), done_at=done_at, reason=ask.reason,
            besides=await open_tasks(acting.tx, [task], done_at, acting.now),
        )  # fmt: skip


# --- who is this child? -------------------------------------------------------------------------


async def give_identity(desk: Desk, worker: Worker, child: UUID, ask: GiveIdentity) -> Done:
    """Intake matches and tells routing; here the act is kept, without the identity itself."""
    async with desk.process.pool.acquire() as conn:
        if await store.case_row(conn, child) is None:
            raise NotThere
    if ask.changed:
        worker.must_assess()
    await desk.intake.give_identity(worker, child, ask.hetu, ask.name, changed=ask.changed)
    return await _keep(desk, worker, "identity_given", str(child), child)


async def join_children(desk: Desk, worker: Worker, child: UUID, ask: JoinChildren) -> Done:
    """Two children are one. Intake decides whose case it is and tells both."""
    worker.must_assess()
    reason = await _reason_of(desk, child, ask.reason)
    merged, kept = await desk.intake.join(worker, child, ask.other)
    return await _keep(desk, worker, "merged", str(merged), kept, (reason, [merged, kept]))


async def separate_child(desk: Desk, worker: Worker, child: UUID, ask: SeparateChild) -> Done:
    """A joined child is another one after all: what arrived as that child is its own again."""
    worker.must_assess()
    async with desk.process.pool.acquire() as conn:
        holder = (await joining.joins(conn, [child])).of(child)
    reason = await _reason_of(desk, holder, ask.reason)
    merged, kept = await desk.intake.separate(worker, child)
    return await _keep(desk, worker, "separated", str(merged), kept, (reason, [merged, kept]))


async def split_case(desk: Desk, worker: Worker, child: UUID, ask: SplitCase) -> Done:
    """Some notifications are about somebody else: a new child whom nobody knows yet."""
    worker.must_assess()
    async with _acting(desk, worker, child) as acting:
        stand = await store.notifications(acting.tx, child, 1000)
        known = {row["id"] for row in stand}
        if not known >= set(ask.notifications):
            raise Refused("unknown-notification")
        if known <= set(ask.notifications):
            raise Refused("all-of-them")
    reason = await _reason_of(desk, child, ask.reason)
    merged, kept = await desk.intake.split(worker, child, ask.notifications)
    return await _keep(desk, worker, "separated", str(merged), kept, (reason, [merged, kept]))


async def say_household(desk: Desk, worker: Worker, child: UUID, ask: SayHousehold) -> Done:
    """Two children are of one household, or are not; both cases and all of it are screened anew.

    Where they are, what was decided of either is looked at again with what was stated of the other
    then. Who live apart were decided with more than counts, and more never gives less.

    Raises `Refused` where nothing says that they are of one household and a worker denies it.
    """
    worker.must_assess()
    async with desk.process.pool.acquire() as conn:
        _, other = await two_to_join(conn, child, as_uuid(ask.other) or ask.other)
    two: UUID = other["child"]
    async with _acting(desk, worker, child, with_household=True, and_of=[two]) as acting:
        kin = acting.kin
        if two not in kin.cases:
            raise NotThere
        before = Kin(deepcopy(kin.homes), kin.joins)
        about = {child, two} | kin.siblings(child) | kin.siblings(two)
        if ask.together:
            await bring_together(acting.tx, kin, child, two, acting.now)
        elif not await take_apart(acting.tx, kin, child, two, acting.now):
            raise Refused("not-together")
        about |= kin.siblings(child)
        told = kin.tell(acting.changes, about, str(acting.act), desk.rules, acting.now)
        change = Change(before, kin, {str(acting.act): child} if ask.together else {})
        acting.too_light = await look_back(acting.tx, change, desk.rules, acting.now)
        return await _record(
            acting, "household_stated", str(two), done_at=acting.now,
            answer="together" if ask.together else "apart", reason=ask.reason, besides=told,
        )  # fmt: skip


async def two_to_join(
    conn: Connection, child: UUID, other: UUID | str
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Mark and age band of two cases that a worker takes for one person's, and no more than that.

    `other` is a child or the mark of a case. Raises `NotThere` and `Refused`.
    """
    asked = [other] if isinstance(other, UUID) else await store.marked(conn, other.strip().upper())
    if len(asked) != 1:
        raise Refused("unknown-mark")
    joins = await joining.joins(conn, [child, *asked])
    one, two = joins.of(child), joins.of(asked[0])
    if one == two:
        raise Refused("same-child")
    found = {row["child"]: row for row in await store.marks(conn, [one, two])}
    if one not in found:
        raise NotThere
    unseen = {
        "child": two,
        "mark": case_mark(two),
        "age_band": "",
    }  # its first message is under way
    return dict(found[one]), dict(found.get(two, unseen))


class _Reason(NamedTuple):
    """A reason sealed for an act that is still to come."""

    act: UUID
    sealed: str


async def _reason_of(desk: Desk, child: UUID, reason: str) -> _Reason:
    act = time_ordered_id(desk.clock())
    async with desk.process.pool.acquire() as conn:
        latest = await store.notifications(conn, child, 1)
        if not latest:
            raise NotThere
        found = await store.signals(conn, [row["id"] for row in latest])
        return _Reason(act, await _seal_like(desk, conn, found, act, reason))


async def _keep(
    desk: Desk,
    worker: Worker,
    kind: str,
    about: str,
    child: UUID | None,
    of_two: tuple[_Reason, Sequence[UUID]] | None = None,
) -> Done:
    """Keep an act whose effect another service has carried out and will tell of.

    `of_two` is the reason of an act about two children, and who they are.
    """
    now = desk.clock()
    act = of_two[0].act if of_two else time_ordered_id(now)
    sealed = of_two[0].sealed if of_two else None
    async with desk.process.pool.acquire() as tx, tx.transaction():
        await store.add_act(
            tx, store.ActRow(act, child, about, kind, worker.id, now, now, None, sealed)
        )
        if of_two:
            await joining.share_act(tx, act, of_two[1])
        await plumbing.add_audit(tx, [(worker.id, kind, about, "child-protection", str(act))])
        await store.tell_queues(tx)
    return Done(act, kind, child, now, now)


# --- what was set aside -------------------------------------------------------------------------


def must_close(worker: Worker, outcome: str) -> None:
    """Raises `NotAllowed` where a task is another role's to close."""
    if outcome in CLOSED_BY_WHO_ASSESSES:
        worker.must_assess()
    if outcome in FOR_SUPERVISORS:
        worker.must_supervise()


async def close_item(desk: Desk, worker: Worker, item: UUID, ask: CloseItem) -> Done:
    """A person says what became of something set aside; its clocks stop.

    Intake is told first: it may be told twice, and where it cannot be told nothing changes. What
    is parked or held is never closed by hand: it would be out of sight while others wait behind it.
    """
    any_day = worker.supervises or desk.settings.demo
    async with desk.process.pool.acquire() as conn:
        known = await store.duty_item(conn, item)
    if known is not None and known["closed_at"] is None:
        if known["outcome"] in ("parked", "held") and known["service"] in REDRIVEN_ONLY:
            raise Refused(known["outcome"])
        must_close(worker, known["outcome"])
        done_time(ask.done_at, desk.clock(), known["received_at"], any_day=any_day)
        if known["service"] == "intake" and known["outcome"] != "urgent":
            await desk.intake.close(worker, item)
    now = desk.clock()
    act = time_ordered_id(now)
    async with desk.process.pool.acquire() as tx, tx.transaction():
        row = await store.lock_duty_item(tx, item)
        if row is None:
            raise NotThere
        if row["closed_at"] is not None:
            raise Conflict("already-done", _act_id(row["closed_by"]))
        done_at = done_time(ask.done_at, now, row["received_at"], any_day=any_day)
        sealed = await _seal_about_item(desk, tx, item, act, ask.reason)
        await store.add_act(
            tx,
            store.ActRow(
                act, row["child"], str(item), "duty_item_closed", worker.id, done_at, now, None,
                sealed,
            ),
        )  # fmt: skip
        seq = await routing.close_duty_item(tx, item, str(act), now, done_at)
        assert seq is not None  # noqa: S101 -- it was open under our lock
        await plumbing.add_audit(
            tx, [(worker.id, "duty_item_closed", str(item), "set-aside", str(act))]
        )
        told = duty_event(item, seq, "duty_item_closed", now, done_at=done_at)
        await plumbing.add_outbox(tx, [told])
    return Done(act, "duty_item_closed", row["child"], now, done_at)


async def _seal_about_item(desk: Desk, tx: Connection, item: UUID, act: UUID, reason: str) -> str:
    """Under the item's own key, which intake made with the original, or made here."""
    await desk.sealer.load(tx, [item])
    try:
        return desk.sealer.seal(item, "reason", str(act), reason.encode())
    except UnreadableError:
        new, cipher = desk.sealer.passing_key(item)
        await plumbing.add_data_keys(tx, [new])
        return sealed_text(item, encrypt(cipher, "reason", str(act), reason.encode()))


async def redrive(desk: Desk, worker: Worker, item: UUID) -> Done:
    """Take what was set aside again, in the service that set it aside."""
    async with desk.process.pool.acquire() as conn:
        row = await store.duty_item(conn, item)
    if row is None:
        raise NotThere
    if row["closed_at"] is not None:
        raise Conflict("already-done", _act_id(row["closed_by"]))
    if row["outcome"] == "urgent":
        raise Refused("has-its-turn")
    if row["outcome"] in TASKS:
        raise Refused("a-task")
    if row["service"] == "routing":
        await _redrive_here(desk, item)
    elif row["service"] == "intake" and row["outcome"] != "missing":
        await desk.intake.redrive(worker, item)
    else:
        raise Refused("still-fails")
    return await _keep(desk, worker, "redriven", str(item), row["child"])


async def _redrive_here(desk: Desk, item: UUID) -> None:
    """All that waits behind the item's key is applied in order, or nothing is."""
    error: Exception
    try:
        await _redrive_once(desk, item)
    except (Conflict, *OUTAGES, *RACES):
        raise
    except Exception as failure:  # noqa: BLE001 -- the bug is still there: say so, count it
        log.error("redrive_failed", item_id=str(item), error=failure)
        error = failure
    else:
        return
    reason = error.reason if isinstance(error, RejectedError) else "handler-failed"
    async with desk.process.pool.acquire() as conn:
        await plumbing.tried_again(conn, item, reason)
    raise Refused("still-fails") from error


async def _redrive_once(desk: Desk, item: UUID) -> None:
    now = desk.clock()
    taken: list[UUID] = []

    def note(each: UUID) -> list[Outgoing]:
        taken.append(each)
        return []

    async with desk.process.pool.acquire() as tx, tx.transaction():
        row = await plumbing.set_aside_item(tx, item)
        if row is None or row["closed_at"] is not None:
            raise Conflict("already-done")
        await redrive_key(tx, partial(_inbox, desk), row["key"], _raw, note)
        for each in taken:
            seq = await routing.close_duty_item(tx, each, "re-driven", now)
            if seq is not None:
                told = duty_event(each, seq, "duty_item_closed", now)
                await plumbing.add_outbox(tx, [told])


def _inbox(desk: Desk, record: Mapping[str, Any]) -> Inbox[Any]:
    if record["topic"] == events.NOTICE:
        return notices(desk.rules, desk.clock)
    if record["topic"] == events.URGENT:
        return urgent_items(desk.rules, desk.clock)
    return signals(desk.rules, desk.clock, desk.sealer)


def _raw(record: object) -> Raw:
    row: dict[str, object] = dict(record)  # type: ignore[call-overload]
    return Raw(
        row["partition"], row["offset"], row["received_at"], None, (), row["body"],  # type: ignore[arg-type]
    )  # fmt: skip
