"""Children of one household, on a real PostgreSQL: what comes about one counts for the others."""

import asyncio
import random
from collections import defaultdict
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.routing.domain.facts import known_of
from services.routing.domain.households import Family, Member, family_of
from services.routing.handlers import signals
from shared import events, store
from shared.events import ClientSignal, CodedFacts, Merged, ReasonCode, Separated, Signal, Withdrawn
from shared.inbox import Raw
from tests.builders import NOON, AChild, SetClock, routing_rules
from tests.deskside import a_desk
from tests.integration.test_client_feed import state
from tests.integration.test_routing import Routing, routing
from tests.mixups import SEALED

__all__ = ["routing"]

RULES = routing_rules()
EXHAUSTED: ReasonCode = "LOCAL-REASON-GUARDIAN-EXHAUSTION"
SCHOOL: ReasonCode = "LOCAL-REASON-SCHOOL"
DISPUTE: ReasonCode = "LOCAL-REASON-CUSTODY-DISPUTE"


def about(child: UUID, household: UUID | None = None, *reasons: ReasonCode, **more: Any) -> Signal:
    receipt = uuid4()
    given: dict[str, Any] = {
        "id": f"{receipt}.0", "child": child, "receipt_id": receipt, "index": 0, "children": 2,
        "received_at": NOON, "provisional": False, "age_band": "7-12",
        "facts": CodedFacts(reasons=reasons), "person": SEALED, "text": SEALED,
        "source": "school-1", "source_id": str(receipt), "household": household, **more,
    }  # fmt: skip
    return Signal(**given)


async def take(routing: Routing, *batch: Any, wait: asyncio.Event | None = None) -> list[Any]:
    """One transaction of routing, as one lane of one process has it; it commits after `wait`."""
    inbox = signals(RULES, routing.clock)
    raws = []
    for event in batch:
        routing.offset += 1
        key, value = str(event.child).encode(), event.model_dump_json().encode()
        raws.append(inbox.read(Raw(0, routing.offset, routing.clock(), key, [], value)))
    async with routing.pool.acquire() as tx, tx.transaction():
        door = await store.door(tx, "test", "cluster", events.SIGNAL)
        rows = await inbox.take(tx, door, raws)
        if wait is not None:
            await wait.wait()
    assert {"applied"} == {row.outcome for row in rows}
    return [answer for row in rows for answer in row.answers]


async def family(routing: Routing, child: UUID) -> Family:
    """What the others of its household state for a child; how much came is told elsewhere."""
    text = await routing.owner.fetchval(
        "SELECT family FROM routing.child_case WHERE child = $1", child
    )
    return Family.from_json(text)._replace(recent=())


async def decided(routing: Routing, child: UUID) -> dict[str, Any]:
    row = await routing.owner.fetchrow(
        "SELECT d.facts::jsonb ->> 'a8' AS a8, d.facts::jsonb ->> 'a7' AS a7, c.level "
        "FROM routing.child_case c JOIN routing.decision d "
        "ON d.child = c.child AND d.seq = c.decision_seq WHERE c.child = $1",
        child,
    )
    assert row is not None
    return dict(row)


async def test_a_message_about_one_child_screens_the_others_of_its_household(
    routing: Routing,
) -> None:
    elder, younger, home = uuid4(), uuid4(), uuid4()
    await take(routing, about(elder, home, SCHOOL))
    assert {"a8": "unknown", "a7": "unknown", "level": "perus"} == await decided(routing, elder)

    answers = await take(routing, about(younger, home, EXHAUSTED))

    assert {"a8": "yes", "a7": "yes", "level": "erityis"} == await decided(routing, elder)
    kinds = {bytes(a.key): events.CaseEvent.model_validate_json(a.value) for a in answers}
    told = kinds[str(elder).encode()]
    assert ("household_changed", 2, "erityis") == (told.kind, told.seq, told.level)


@pytest.mark.parametrize("known_before", [False, True])
async def test_siblings_in_two_processes_at_the_same_moment_both_see_each_other(
    routing: Routing, *, known_before: bool
) -> None:
    elder, younger, home = uuid4(), uuid4(), uuid4()
    await take(routing, about(uuid4()))  # the topic is known, which the first to come makes known
    if known_before:
        await take(routing, about(elder, home), about(younger, home))
    first_may_commit = asyncio.Event()

    first = asyncio.create_task(take(routing, about(elder, home, EXHAUSTED), wait=first_may_commit))
    second = asyncio.create_task(take(routing, about(younger, home, DISPUTE)))
    await _until_one_waits_for_the_other(routing)
    first_may_commit.set()
    await asyncio.gather(first, second)

    assert Family(1, "unknown", "yes") == await family(routing, elder)
    assert Family(1, "yes", "unknown") == await family(routing, younger)


async def _until_one_waits_for_the_other(routing: Routing) -> None:
    for _ in range(600):
        waits = await routing.owner.fetchval(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        if waits:
            return
        await asyncio.sleep(0.05)
    raise AssertionError("nobody waits: two transactions saw the same household at once")


async def test_what_is_taken_back_of_one_no_longer_counts_for_the_other(routing: Routing) -> None:
    elder, younger, home = uuid4(), uuid4(), uuid4()
    said = about(younger, home, EXHAUSTED)
    await take(routing, about(elder, home), said)

    await take(
        routing, Withdrawn(id=f"{uuid4()}.0", child=younger, withdraws=said.id, received_at=NOON)
    )

    assert Family() == await family(routing, elder)
    assert "unknown" == (await decided(routing, elder))["a8"]


async def test_who_moves_in_the_client_system_leaves_one_household_and_joins_another(
    routing: Routing,
) -> None:
    child, old, new = AChild(), AChild(), AChild()
    first, second = uuid4(), uuid4()
    for each, home in ((child, first), (old, first), (new, second)):
        await take(routing, about(each.id, None, EXHAUSTED))
        await take(routing, _fed(each, home))
    assert Family(1, "yes") == await family(routing, old.id)

    await take(routing, _fed(child, second, version=2))

    assert Family() == await family(routing, old.id)
    assert Family(1, "yes") == await family(routing, new.id) == await family(routing, child.id)


def _fed(child: AChild, household: UUID | None, version: int = 1) -> ClientSignal:
    return state(child, version, reference=str(child.id), household=household)


class Street:
    """Generated families: what happens to them, and what each case must come to in the end."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.children = [AChild() for _ in range(dice.randrange(3, 7))]
        self.households = [uuid4() for _ in range(dice.randrange(1, 4))]
        self.said: dict[str, Signal] = {}
        self.stated: set[tuple[UUID, UUID]] = set()  # household, child
        self.fed: dict[UUID, UUID | None] = {}
        self.joined_to: dict[UUID, UUID | None] = {}
        self.numbers: dict[UUID, int] = defaultdict(int)
        self.queues: dict[UUID, list[Any]] = defaultdict(list)

    def live(self, count: int) -> None:
        happenings = (
            [self._notify] * 6 + [self._withdraw] + [self._feed] * 2 + [self._join, self._part]
        )
        for _ in range(count):
            self.dice.choice(happenings)()

    def _notify(self) -> None:
        child = self.dice.choice(self.children)
        home = self.dice.choice([*self.households, None])
        reasons = self.dice.sample([EXHAUSTED, SCHOOL, DISPUTE], self.dice.randrange(3))
        signal = about(child.id, home, *reasons)
        self.said[signal.id] = signal
        if home:
            self.stated.add((home, child.id))
        self.queues[child.id].append(signal)

    def _withdraw(self) -> None:
        if self.said:
            signal = self.said.pop(self.dice.choice(sorted(self.said)))
            self.queues[signal.child].append(
                Withdrawn(
                    id=f"{uuid4()}.0", child=signal.child, withdraws=signal.id, received_at=NOON
                )
            )

    def _feed(self) -> None:
        child = self.dice.choice(self.children)
        self.numbers[child.id] += 1
        self.fed[child.id] = self.dice.choice([*self.households, None])
        fed = _fed(child, self.fed[child.id], self.numbers[child.id])
        self.queues[child.id].append(fed.model_copy(update={"id": f"{uuid4()}.0"}))

    def _join(self) -> None:
        alone = [c.id for c in self.children if self.joined_to.get(c.id) is None]
        if len(alone) < 2:
            return
        merged, kept = self.dice.sample(alone, 2)
        self.joined_to[merged] = kept
        self._change(Merged, merged, kept, kept_number=self.numbers[self._key(kept)])

    def _part(self) -> None:
        joined = [c for c, to in self.joined_to.items() if to is not None]
        if not joined:
            return
        merged = self.dice.choice(sorted(joined))
        kept = self.joined_to[merged]
        assert kept is not None
        self.joined_to[merged] = None
        self._change(Separated, merged, self.holder(kept))

    def _key(self, child: UUID) -> UUID:
        return UUID(int=child.int ^ 1)  # joins are numbered apart from the feed's versions

    def _change(self, kind: Any, merged: UUID, kept: UUID, **more: Any) -> None:
        self.numbers[self._key(merged)] += 1
        change = uuid4()
        for place, child in enumerate((merged, kept)):
            self.queues[child].append(
                kind(
                    id=f"{change}.{place}", child=child, merged=merged, kept=kept, at=NOON,
                    number=self.numbers[self._key(merged)], **more,
                )
            )  # fmt: skip

    def holder(self, child: UUID) -> UUID:
        while (to := self.joined_to.get(child)) is not None:
            child = to
        return child

    def lives(self, holder: UUID) -> set[UUID]:
        """The households of everybody in a case."""
        people = {c.id for c in self.children if self.holder(c.id) == holder}
        fed = {home for child, home in self.fed.items() if child in people and home}
        return fed | {home for home, child in self.stated if child in people}

    def family(self, holder: UUID) -> Family:
        others = {self.holder(c.id) for c in self.children} - {holder}
        near = [each for each in others if self.lives(each) & self.lives(holder)]
        return family_of(
            Member(known_of(s.facts for s in self.said.values() if self.holder(s.child) == each))
            for each in near
        )


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_to_families_at_once_each_case_knows_its_household(
    routing: Routing, seed: int
) -> None:
    dice = random.Random(seed)
    streets = [Street(dice) for _ in range(8)]
    for street in streets:
        street.live(40)
    queues = [queue for street in streets for queue in street.queues.values()]

    async def lane(mine: list[list[Any]]) -> None:
        """Each child's events in their order, a few children's in one transaction."""
        while mine := [queue for queue in mine if queue]:
            batch = [queue.pop(0) for queue in dice.sample(mine, min(4, len(mine)))]
            await take(routing, *batch)

    await asyncio.gather(*(lane(queues[place::3]) for place in range(3)))

    for street in streets:
        for holder in {street.holder(c.id) for c in street.children}:
            if await routing.owner.fetchval(
                "SELECT first_at <= last_at FROM routing.child_case WHERE child = $1", holder
            ):
                assert street.family(holder) == await family(routing, holder)


# --- at the desk ----------------------------------------------------------------------------------


async def test_a_worker_says_who_lives_together_and_who_does_not(
    database_url: str, tmp_path: Path
) -> None:
    async with a_desk(database_url, tmp_path, SetClock()) as desk:
        one, other = AChild(), AChild()
        await desk.cases.notified(one, facts=CodedFacts(reasons=(EXHAUSTED,)))
        await desk.cases.notified(other)
        mark = (await desk.get("sosse", f"/cases/{one.id}"))["mark"]

        refused = await desk.post(
            "aino", f"/cases/{other.id}/household", other=mark, together=True, reason="Sisarukset."
        )
        unsaid = await desk.post(
            "sosse", f"/cases/{other.id}/household", other=mark, together=False, reason="Eri koti."
        )
        async with desk.browser("sosse") as sosse:
            page = await sosse.open(f"/cases/{other.id}")
            assert "It is not known whether there are other children" in page.text
            await sosse.send(
                page, f"/cases/{other.id}/household", {"other": mark, "reason": "Sisarukset."}
            )
            page = await sosse.open(f"/cases/{other.id}")
            assert mark in page.text
            assert "Household stated by a worker" in page.text
            together = await desk.get("sosse", f"/cases/{other.id}")
            apart = await sosse.send(page, f"/cases/{other.id}/household", {"reason": "Eri koti."})
            page = await sosse.open(apart.headers["location"])
        after = await desk.get("sosse", f"/cases/{other.id}")

        assert (403, 422) == (refused.status_code, unsaid.status_code)
        assert [str(one.id)] == together["household"]
        assert [] == after["household"]
        assert mark not in page.text.partition('id="history"')[0]
        levels = await desk.rows(
            "SELECT facts::jsonb ->> 'a8' AS a8 FROM decision WHERE child = $1 ORDER BY seq",
            other.id,
        )
        assert ["unknown", "yes", "unknown"] == [row["a8"] for row in levels]


async def test_a_workers_word_stands_when_messages_say_otherwise_again(
    database_url: str, tmp_path: Path
) -> None:
    async with a_desk(database_url, tmp_path, SetClock()) as desk:
        one, other, home = AChild(), AChild(), uuid4()
        await desk.cases.come(*[await desk.cases.sealed(c, household=home) for c in (one, other)])
        assert [str(one.id)] == (await desk.get("sosse", f"/cases/{other.id}"))["household"]

        await desk.post(
            "sosse", f"/cases/{other.id}/household",
            other=str(one.id), together=False, reason="Luokkakaveri.",
        )  # fmt: skip
        await desk.cases.notified(one, household=home)

        assert [] == (await desk.get("sosse", f"/cases/{other.id}"))["household"]
        assert [] == (await desk.get("sosse", f"/cases/{one.id}"))["household"]
