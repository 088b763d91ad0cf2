"""The cases of one household under their locks, each told of what came about another."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.routing.domain.cases import Case, Changes, Rules, learn_family
from services.routing.domain.households import ALONE, Family, Homes, Member, family_of
from services.routing.domain.joins import Joins
from services.routing.households import store
from services.routing.joins import store as joining
from shared.database import Connection
from shared.ids import random_id
from shared.store import Outgoing


@dataclass
class Kin:
    """Who shares a household with whom, over all joins.

    `cases` are the locked ones, by child: whoever holds the lock of a case brings it up to date, so
    what came about two children at one moment is seen by both. `beyond` is what is known of those
    who are only read, because they share a household with one whose case is locked.
    """

    homes: Homes
    joins: Joins
    cases: dict[UUID, Case] = field(default_factory=dict)
    beyond: Mapping[UUID, Member] = field(default_factory=dict)

    def siblings(self, child: UUID) -> set[UUID]:
        """Whose cases share a household with this child's case."""
        if not self.homes:
            return set()
        if not self.joins.holders:
            return self.homes.others((child,)) if self.homes.of(child) else set()
        others = self.homes.others(self.people(child))
        return {self.joins.of(other) for other in others} - {child}

    def family(self, child: UUID) -> Family:
        """What its siblings add to a child's case."""
        return self.family_from(self.siblings(child))

    def family_from(self, siblings: Collection[UUID]) -> Family:
        """What these add to the case of a child whose siblings they are."""
        if not siblings:
            return ALONE
        members = [self._member(each) for each in siblings]
        return family_of(member for member in members if member is not None)

    def tell(
        self, changes: Changes, about: Iterable[UUID], because: str, rules: Rules, now: datetime
    ) -> list[Outgoing]:
        """Screen the cases of `about` with their households as they are now; what is told of it."""
        told: list[Outgoing] = []
        for child in sorted(about):
            case = self.cases.get(child)
            if case is not None and not case.is_empty:
                told += learn_family(changes, case, self.family(child), because, rules, now)
        return told

    def people(self, child: UUID) -> tuple[UUID, ...]:
        """Whose notifications stand in this child's case."""
        return (child, *self.joins.joined(child))

    def _member(self, child: UUID) -> Member | None:
        case = self.cases.get(child)
        return self.beyond.get(child) if case is None else Member(case.known, case.recent)


async def lock_homes(
    tx: Connection, people: Iterable[UUID], named: Iterable[UUID], joins: Joins
) -> tuple[Kin, set[UUID]]:
    """Lock the households of these people and those a message names, before any case.

    Returns who is who there, and whose cases are to be locked besides. Joins must be held.
    """
    wanted = await store.households(tx, people) | set(named)
    if not wanted:
        return Kin(Homes(), joins), set()
    await store.lock(tx, wanted)
    near = await store.homes(tx, wanted)
    joins = await _with(tx, joins, {home.child for home in near})
    holders = {joins.of(home.child) for home in near}
    theirs = {each for holder in holders for each in (holder, *joins.joined(holder))}
    further = await store.homes(tx, await store.households(tx, theirs) - wanted)
    joins = await _with(tx, joins, {home.child for home in further})
    return Kin(Homes([*near, *further]), joins), holders


async def read_beyond(tx: Connection, kin: Kin) -> None:
    """What is known of the siblings of locked cases that are not locked themselves."""
    if kin.homes:
        beyond = {each for child in kin.cases for each in kin.siblings(child)} - kin.cases.keys()
        kin.beyond = await store.members(tx, beyond) if beyond else {}


async def _with(tx: Connection, joins: Joins, children: Iterable[UUID]) -> Joins:
    more = await joining.joins(tx, children)
    return Joins({**joins.holders, **more.holders})


# --- as a worker says it --------------------------------------------------------------------------


async def bring_together(tx: Connection, kin: Kin, one: UUID, two: UUID, now: datetime) -> None:
    """These two live together: in a household that one of them has, else in a new one."""
    has = {home for case in (one, two) for each in kin.people(case) for home in kin.homes.of(each)}
    household = min(has, default=None) or random_id()
    await store.bring_together(tx, household, sorted([one, two]), now)
    for child in (one, two):
        kin.homes.bring(child, household)


async def take_apart(tx: Connection, kin: Kin, one: UUID, two: UUID, now: datetime) -> bool:
    """The second belongs to no household of the first; whether anything had said that it does."""
    homes = {home for each in kin.people(one) for home in kin.homes.of(each)}
    shared = {each: homes & kin.homes.of(each) for each in kin.people(two)}
    for child, households in shared.items():
        if households:
            await store.take_out(tx, child, households, now)
            kin.homes.take_out(child, households)
    return any(shared.values())
