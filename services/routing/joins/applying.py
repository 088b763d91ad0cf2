"""A join or a separation, applied once whichever of its two copies comes first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from services.routing import store as routing
from services.routing.domain.cases import Case, Changes, Rules, event, screen
from services.routing.domain.facts import UrgencyState
from services.routing.domain.hindsight import TooLight
from services.routing.domain.joins import Joins, Note, count_anew, empty_case, gravest, urgency_of
from services.routing.hindsight import store as hindsight
from services.routing.hindsight.looking_back import Change, look_back
from services.routing.households.kin import Kin, lock_homes, read_beyond
from services.routing.joins import store
from shared.database import Connection
from shared.events import CaseEventKind, Merged, Separated
from shared.store import Outgoing


@dataclass
class _Moving:
    """A change of joins under way: who had whose notifications, and who has them now."""

    tx: Connection
    event: Merged | Separated
    rules: Rules
    now: datetime
    before: Joins
    after: Joins
    people: list[UUID]  # everybody whose case it can change, in key order
    cases: dict[UUID, Case]
    kin: Kin

    def had(self, holder: UUID) -> set[UUID]:
        """Whose notifications were in this case; nobody's where it was joined itself."""
        own = {holder} if self.before.of(holder) == holder else set()
        return own | set(self.before.joined(holder))

    def has(self, holder: UUID) -> set[UUID]:
        """As `had`, now."""
        own = {holder} if self.after.of(holder) == holder else set()
        return own | set(self.after.joined(holder))


async def people_of(tx: Connection, change: Merged | Separated) -> list[UUID]:
    """Everybody whose case a change can touch, in key order."""
    children = [change.merged, change.kept]
    if isinstance(change, Separated):
        stands = await store.belongings(tx, change.signals)
        children += [each.child for each in stands.values()]
    joins = await store.joins(tx, children)
    return sorted({*children, *joins.holders, *joins.holders.values()})


class Applied(NamedTuple):
    """What is told, and the children of whom somebody must look at what was done meanwhile.

    `with_case` are all whose case there is now, their own or another's. `looks`: at whose cases a
    supervisor is asked to look, because they are on the radar now. `too_light`: what was decided
    without what belongs to the case now.
    """

    told: list[Outgoing]
    look_again: list[UUID]
    with_case: list[UUID]
    looks: list[tuple[UUID, str]]
    too_light: list[TooLight]


async def apply_change(
    tx: Connection, change: Merged | Separated, rules: Rules, now: datetime
) -> Applied:
    """Join or separate two children; the second copy finds it done and has nothing to say.

    Nobody else changes a case meanwhile (`store.hold`). What the notifications of each case tell
    is counted anew, so nothing of a child stays in a case that is no longer its own.
    """
    people = await people_of(tx, change)
    before = await store.joins(tx, people)
    acted = isinstance(change, Separated) and await store.acted_while_joined(
        tx, change.merged, people
    )
    if not await store.change(tx, _decided(change), now):
        return Applied([], [], [], [], [])
    await store.find_holders(tx, people)
    after = await store.joins(tx, people)
    kin, related = await lock_homes(tx, people, (), after)
    cases = kin.cases = await routing.lock_cases(tx, {*people, *related})
    await read_beyond(tx, kin)
    moving = _Moving(tx, change, rules, now, before, after, people, cases, kin)
    had = await hindsight.cases_of(tx, people)
    if isinstance(change, Separated) and change.signals:
        acted = await store.split_off(tx, change.signals, change.merged)
    held_before = sorted({before.of(child) for child in people})
    await store.move(tx, held_before, {child: after.of(child) for child in people})
    told, looks = await _count_anew(moving)
    look_again = sorted({change.merged, after.of(change.kept)}) if acted else []
    with_case = [each for each in people if after.of(each) in cases]
    return Applied(told, look_again, with_case, looks, await _look_back(moving, had))


async def _look_back(moving: _Moving, had: Mapping[str, UUID]) -> list[TooLight]:
    """What was decided of each of the two without what is the other's, or with it."""
    kin = moving.kin
    people = set(moving.people)
    others = {c: holder for c, holder in kin.joins.holders.items() if c not in people}
    before = Kin(kin.homes, Joins({**others, **moving.before.holders}))
    touched = dict.fromkeys((moving.event.id,), moving.event.kept)
    change = Change(before, kin, touched, had)
    return await look_back(moving.tx, change, moving.rules, moving.now)


def _decided(change: Merged | Separated) -> list[tuple[UUID, UUID | None, int]]:
    """What a change says of where children belong.

    A join says of both: that the one who keeps was joined to nobody is part of it, so that a
    change which has not come yet can never close a circle.
    """
    if isinstance(change, Separated):
        return [(change.merged, None, change.number)]
    return [(change.kept, None, change.kept_number), (change.merged, change.kept, change.number)]


async def _count_anew(moving: _Moving) -> tuple[list[Outgoing], list[tuple[UUID, str]]]:
    """Every case that gained or lost something, each from its own notifications.

    Returns what is told, and the cases that are on the radar now.
    """
    changed = _changed(moving)
    notes = await store.notes(moving.tx, changed)
    for row in await store.give_back(moving.tx, moving.people):
        _drop(moving.cases.get(row["child"]), {row["destination"]})
    changes = Changes(await _counted(moving, changed, notes))
    answers = []
    for child, case in changes.cases.items():
        if moving.after.of(child) == child:
            answers.append(await _screen_anew(moving, changes, case, notes[child]))
        else:
            _drop(case, await store.withdraw_open(moving.tx, child))
            answers.append(_told(moving, case))
    answers += await _tell_siblings(moving, changes)
    await routing.save(moving.tx, changes)
    for child in changed:
        await store.carry_accepted(moving.tx, child, moving.after.joined(child))
    return answers, changes.looks


def _drop(case: Case | None, destinations: set[str]) -> None:
    """These are proposed for the case no longer; they may be again."""
    if case is not None:
        case.destinations = tuple(d for d in case.destinations if d not in destinations)


def _changed(moving: _Moving) -> list[UUID]:
    """Whose case gained or lost something: always the two that the change names."""
    holders = {j.of(child) for j in (moving.before, moving.after) for child in moving.people}
    named = {moving.event.merged, moving.after.of(moving.event.kept)}
    if isinstance(moving.event, Separated) and moving.event.signals:
        named |= holders
    return sorted(named | {h for h in holders if moving.had(h) != moving.has(h)})


async def _tell_siblings(moving: _Moving, changes: Changes) -> list[Outgoing]:
    """The others of the households, whose siblings have changed."""
    siblings = {each for child in changes.cases for each in moving.kin.siblings(child)}
    for child in sorted((siblings & moving.cases.keys()) - changes.cases.keys()):
        changes.cases[child] = moving.cases[child]
        await store.share(moving.tx, changes.cases[child], moving.kin.joins)
    return moving.kin.tell(changes, siblings, moving.event.id, moving.rules, moving.now)


async def _counted(
    moving: _Moving, changed: Sequence[UUID], notes: Mapping[UUID, list[Note]]
) -> dict[UUID, Case]:
    """The cases of these children, those that have notifications now made and counted anew."""
    found = {}
    for child in changed:
        case = moving.cases.get(child)
        if case is None and notes[child]:
            case = moving.cases[child] = empty_case(child, moving.now)
        if case is None:
            continue
        found[child] = case
        if moving.after.of(child) == child:
            await _count(moving, case, notes[child])
    return found


async def _count(moving: _Moving, case: Case, notes: list[Note]) -> None:
    """What the notifications of a case tell, before anybody is screened with anybody."""
    await store.share(moving.tx, case, moving.after)
    identified = [
        band
        for each in moving.has(case.child)
        if each in moving.cases and (band := moving.cases[each].identified_band)
    ]
    answered = await routing.answered(moving.tx, moving.has(case.child))
    count_anew(case, notes, identified, [each for told in answered.values() for each in told])


async def _screen_anew(
    moving: _Moving, changes: Changes, case: Case, notes: list[Note]
) -> Outgoing:
    now = moving.now
    case.family = moving.kin.family(case.child)
    stood = case.urgency
    case.urgency = await _urgency(moving, case, notes)
    to_duty = any(note.waits_at_duty for note in notes) or (
        case.urgency == "urgent" and stood != "urgent"
    )
    decision = screen(changes, case, moving.event.id, moving.rules, now, to_duty=to_duty)
    return _told(moving, case, rules=decision.version)


async def _urgency(moving: _Moving, case: Case, notes: list[Note]) -> UrgencyState:
    """Joined: the graver of what stood for each. Separated: what its own notifications say."""
    had, has = moving.had(case.child), moving.has(case.child)
    if isinstance(moving.event, Merged) and had <= has:
        holders = {moving.before.of(each) for each in has}
        stood = [c.urgency for h in holders if (c := moving.cases.get(h)) and not c.is_new]
        if stood:
            return gravest(stood)
    answered = await store.last_answered(moving.tx, case.child, case.joined)
    return urgency_of(notes, answered)


def _told(moving: _Moving, case: Case, rules: str | None = None) -> Outgoing:
    """The event about one of the two, naming the other."""
    merged, kept = moving.event.merged, moving.event.kept
    other = kept if case.child == merged else merged
    kind: CaseEventKind = "merged" if isinstance(moving.event, Merged) else "separated"
    return event(case, kind, moving.now, about=str(other), rules=rules)
