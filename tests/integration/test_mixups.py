"""Who is who changes: a thousand generated mix-ups, and each case by itself."""

import random
from collections import defaultdict
from typing import Any
from uuid import UUID

import pytest

from services.routing.domain.facts import known_of
from services.routing.handlers import signals
from shared import events, store
from shared.events import CaseEvent, Merged, Separated
from shared.inbox import Raw
from tests.builders import routing_rules
from tests.integration.test_routing import Routing, routing
from tests.mixups import County, Event, Model, deliver, happen

__all__ = ["routing"]
AT_ONCE = 20
RULES = routing_rules()


async def take(routing: Routing, batch: list[Event], door: str = "test") -> list[CaseEvent]:
    """Events through routing's inbox in one transaction; what they answer."""
    inbox = signals(RULES, routing.clock)
    raws = []
    for event in batch:
        routing.offset += 1
        key = str(event.child).encode()
        value = event.model_dump_json().encode()
        raws.append(inbox.read(Raw(0, routing.offset, routing.clock(), key, [], value)))
    async with routing.pool.acquire() as tx, tx.transaction():
        number = await store.door(tx, door, "cluster", events.SIGNAL)
        rows = await inbox.take(tx, number, raws)
    assert {"applied"} >= {row.outcome for row in rows}
    return [CaseEvent.model_validate_json(a.value) for row in rows for a in row.answers]


async def look(routing: Routing, model: Model, told: dict[UUID, list[int]]) -> None:
    """Every notification, clock and fact is with the child that the model says."""
    idents = list(model.signals)
    rows = await routing.owner.fetch(
        "SELECT n.id, n.child, k.clocks, k.number FROM routing.notification n LEFT JOIN ("
        "SELECT about, array_agg(DISTINCT child) AS clocks, count(*) AS number "
        "FROM routing.clock WHERE about = ANY($1) GROUP BY about) k ON k.about = n.id "
        "WHERE n.id = ANY($1)",
        idents,
    )
    assert {ident: model.case_of(ident) for ident in idents} == {r["id"]: r["child"] for r in rows}
    assert all((row["clocks"], row["number"]) == ([row["child"]], 4) for row in rows)
    cases = await routing.owner.fetch(
        "SELECT child, known, seq FROM routing.child_case WHERE child = ANY($1)", list(told)
    )
    for case in cases:
        child = UUID(str(case["child"]))
        if model.holder(child) == child:
            assert case["known"] == known_of(model.standing(child)).to_json()
        numbers = told[child]
        assert sorted(numbers) == list(range(1, case["seq"] + 1))


class World:
    """Some counties at once: what waits for routing, what has come, and what routing told."""

    def __init__(self, routing: Routing, dice: random.Random, many: int) -> None:
        self.routing = routing
        self.dice = dice
        self.counties = [County(dice).grow(dice.randrange(2, 5)) for _ in range(many)]
        self.model = Model()
        self.told: dict[UUID, list[int]] = defaultdict(list)
        self.waiting: dict[UUID, list[Event]] = defaultdict(list)
        self.late: list[Event] = []

    def send(self, happened: list[Event]) -> None:
        """Each copy goes to the end of its key's queue; some come once more, long after."""
        for event in happened:
            self.waiting[event.child].append(event)
        if isinstance(happened[0], Merged | Separated) and self.dice.random() < 0.3:
            self.late.append(happened[0].model_copy(update={"id": f"{happened[0].id}.again"}))

    async def come(self, limit: int) -> None:
        """A batch has come: everything is where the model says."""
        batch = list(deliver(self.dice, self.waiting, limit))
        if self.late and self.dice.random() < 0.5:
            batch.append(self.late.pop(self.dice.randrange(len(self.late))))
        for event in batch:
            self.model.take(event)
        if batch:
            for each in await take(self.routing, batch):
                self.told[each.child].append(each.seq)
            await look(self.routing, self.model, self.told)

    def part(self) -> None:
        """Everybody who is still joined to another is separated."""
        for county in self.counties:
            for child in county.children + county.apart:
                if county.truth.holder(child) != child:
                    self.send(county.separation(child))


async def mix_up(routing: Routing, dice: random.Random, many: int) -> None:
    """Looked at after every batch; at the end all are apart, as if they had never been joined."""
    world = World(routing, dice, many)
    for _ in range(12):
        for county in world.counties:
            world.send(happen(county, world.model))
        await world.come(dice.randrange(1, 3 * many))
    world.part()
    while any(world.waiting.values()) or world.late:
        await world.come(5 * many)
    await never_joined(routing, world.counties, world.model)


FACTS = "urgency, urgent_flags, level, holder, known, age_band, provisional, first_at, last_at"


async def never_joined(routing: Routing, counties: list[County], model: Model) -> None:
    """The same messages about children who were never joined to anybody make the same cases."""
    twins: dict[UUID, UUID] = {}
    come: list[Event] = []
    for ident, signal in model.signals.items():
        child = model.case_of(ident)
        twin = twins.setdefault(child, counties[0].uuid())
        own: dict[str, Any] = {"id": f"{ident}.twin", "child": twin}
        if child != signal.child:  # who it named is another child
            own |= {"provisional": True, "age_band": "unknown"}
        come.append(signal.model_copy(update=own))
        if ident in model.gone:
            come.append(
                events.Withdrawn(
                    id=f"{ident}.taken", child=twin, withdraws=f"{ident}.twin",
                    received_at=signal.received_at,
                )
            )  # fmt: skip
    await take(routing, come)
    rows = await routing.owner.fetch(
        f"SELECT child, {FACTS}, string_to_array(destinations, ' ') AS destinations, "  # noqa: S608
        "ARRAY(SELECT destination || state FROM routing.proposal p WHERE p.child = c.child "
        "AND state <> 'withdrawn' ORDER BY destination) AS proposals "
        "FROM routing.child_case c WHERE child = ANY($1)",
        [*twins, *twins.values()],
    )
    found = {UUID(str(row["child"])): dict(row) for row in rows}
    for child, twin in twins.items():
        one, other = found[child], found[twin]
        for each in (one, other):
            each.pop("child")
            each["destinations"] = sorted(each["destinations"])
        assert one == other


@pytest.mark.faults
async def test_a_thousand_mix_ups_leave_nothing_with_the_wrong_child(routing: Routing) -> None:
    for seed in range(1000 // AT_ONCE):
        await mix_up(routing, random.Random(seed), AT_ONCE)


async def test_a_hundred_mix_ups_leave_nothing_with_the_wrong_child(routing: Routing) -> None:
    for seed in range(5):
        await mix_up(routing, random.Random(10_000 + seed), AT_ONCE)
