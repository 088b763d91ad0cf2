"""Past decisions of the cases that something touches, made again as known then.

A message that comes late, is corrected or taken back, children who are joined or separated, and a
worker's word on who lives with whom can each say what was so before. The client feed cannot: it
tells what is so from now on, and not since when. So nothing is looked at again because of it.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.routing import store as routing
from services.routing.domain.cases import Rules
from services.routing.domain.facts import Answered
from services.routing.domain.hindsight import (
    STOOD,
    TooLight,
    World,
    by_case,
    first_change,
    since_when,
    stated_before,
    stated_now,
    to_the_second,
    would_have_been,
)
from services.routing.hindsight import store
from services.routing.households.kin import Kin
from shared.database import Connection


@dataclass(frozen=True)
class Change:
    """What has changed: who shares what with whom, before and after, and what came.

    `because` -> the child whose case it touches. `cases`: whose case had each notification before,
    where children were joined or separated.
    """

    before: Kin
    after: Kin
    because: Mapping[str, UUID]
    cases: Mapping[str, UUID] | None = None


async def look_back(tx: Connection, change: Change, rules: Rules, now: datetime) -> list[TooLight]:
    """The past decisions that were too light for want of what came; written are the cases already.

    Usually nothing was decided long enough ago, and that is all that is asked.
    """
    until = now - STOOD
    about = {child: _near(change, child) for child in change.because.values()}
    everybody = {each for near in about.values() for each in near}
    if not about or not await store.stood(tx, everybody, until):
        return []
    before, after = await _worlds(tx, change, everybody)
    since = _since(before, after, everybody)
    found = []
    for past in await store.past(tx, since, until):
        would = would_have_been(past, before, after, rules.of_version(past.version))
        because = _because(change, about, past.child)
        if would is not None:
            found.append(TooLight(because, after.joins.of(past.child), past, would))
    return found


def _near(change: Change, child: UUID) -> set[UUID]:
    """Whose decisions can hang on what is stated of a child: those of its case and its siblings."""
    found = set()
    for kin in (change.before, change.after):
        case = kin.joins.of(child)
        for each in (case, *kin.siblings(case)):
            found |= {each, *kin.joins.joined(each)}
    return found


def _because(change: Change, about: Mapping[UUID, Collection[UUID]], child: UUID) -> str:
    """The first of what came that touches this child."""
    return next(ident for ident, touched in change.because.items() if child in about[touched])


def _since(before: World, after: World, children: Iterable[UUID]) -> dict[UUID, datetime]:
    """For each child since when what counts for it differs; without those for whom nothing does."""
    found = {}
    for child in sorted(children):
        moment = first_change(before, after, child)
        if moment is not None:
            found[child] = to_the_second(moment)
    return found


async def _worlds(
    tx: Connection, change: Change, children: Collection[UUID]
) -> tuple[World, World]:
    """What was stated before, and what is now, in these cases and those of their siblings."""
    kins = (change.before, change.after)
    cases = {kin.joins.of(child) for kin in kins for child in children}
    cases |= {each for kin in kins for case in cases for each in kin.siblings(case)}
    noted = await store.noted(tx, cases)
    since = since_when(noted)
    before, after = change.before, change.after
    return (
        World(
            by_case(stated_before(noted, change.because), since, change.cases),
            await _answered(tx, before, cases), {each: before.siblings(each) for each in cases},
            before.joins,
        ),
        World(
            by_case(stated_now(noted), since), await _answered(tx, after, cases),
            {each: after.siblings(each) for each in cases}, after.joins,
        ),
    )  # fmt: skip


async def _answered(tx: Connection, kin: Kin, cases: Iterable[UUID]) -> dict[UUID, list[Answered]]:
    """What a worker was told, by the case that has it."""
    people = {each: kin.joins.of(each) for case in cases for each in kin.people(case)}
    found: dict[UUID, list[Answered]] = {}
    for each, answers in (await routing.answered(tx, people)).items():
        found.setdefault(people[each], []).extend(answers)
    return found
