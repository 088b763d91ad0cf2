"""What routing makes of corrections and withdrawals, in whatever order they come."""

from itertools import permutations
from typing import Any

from shared.events import CodedFacts, Signal, Withdrawn
from shared.ids import time_ordered_id
from tests.builders import NOON, AChild
from tests.integration.test_routing import Routing, routing

__all__ = ["routing"]

DANGER = CodedFacts(in_danger="yes", reasons=("LOCAL-REASON-THREAT",))
SCHOOL = CodedFacts(reasons=("LOCAL-REASON-SCHOOL",))


async def sealed(routing: Routing, child: AChild, facts: CodedFacts, **more: Any) -> Signal:
    """A signal that has not arrived yet."""
    signal = await routing.cases.sealed(child, facts=facts)
    return signal.model_copy(update=more)


def withdrawal(child: AChild, earlier: Signal) -> Withdrawn:
    ident = f"{time_ordered_id(NOON)}.0"
    return Withdrawn(id=ident, child=child.id, withdraws=earlier.id, received_at=NOON)


async def case_of(routing: Routing, child: AChild) -> Any:
    return await routing.owner.fetchrow(
        "SELECT known, level, urgent_flags, destinations FROM routing.child_case "
        "WHERE child = $1", child.id,
    )  # fmt: skip


async def test_a_corrected_message_no_longer_counts_and_its_clocks_run_on(
    routing: Routing,
) -> None:
    child = AChild()
    first = await sealed(routing, child, DANGER)
    second = await sealed(routing, child, SCHOOL, corrects=first.id)

    await routing.take(first)
    assert (await case_of(routing, child))["urgent_flags"]
    await routing.take(second)

    assert (await case_of(routing, child))["urgent_flags"] == ""
    assert len(await routing.clocks(first.id)) == 4
    assert len(await routing.clocks(second.id)) == 4
    open_checks = await routing.owner.fetchval(
        "SELECT count(*) FROM routing.notification WHERE check_state = 'open'"
    )
    assert open_checks == 2


async def test_a_withdrawn_message_stays_with_its_check_and_clocks_and_is_told_of(
    routing: Routing,
) -> None:
    child = AChild()
    first = await sealed(routing, child, DANGER)
    await routing.take(first)

    (told,) = await routing.take(withdrawal(child, first))

    assert (told.kind, told.about, told.seq) == ("withdrawn", first.id, 2)
    row = await routing.owner.fetchrow("SELECT * FROM routing.notification")
    assert row is not None
    assert (row["check_state"], row["replaced_by"] is not None) == ("open", True)
    assert all(c["stopped_at"] is None for c in (await routing.clocks(first.id)).values())


async def test_the_order_in_which_they_come_does_not_matter(routing: Routing) -> None:
    for order in permutations(range(4)):
        child = AChild()
        danger = await sealed(routing, child, DANGER)
        corrected = await sealed(routing, child, SCHOOL, corrects=danger.id)
        other = await sealed(routing, child, CodedFacts(reasons=("LOCAL-REASON-SELF-HARM",)))
        come = [danger, corrected, other, withdrawal(child, other)]

        for place in order:
            await routing.take(come[place])

        case = await case_of(routing, child)
        assert (order, case["urgent_flags"], case["level"]) == (order, "", "perus")
        assert '"notifications":1' in case["known"]


async def test_an_unborn_childs_clocks_are_the_countys_choice(routing: Routing) -> None:
    unborn = await sealed(routing, AChild(known=False), SCHOOL, kind="anticipatory")
    await routing.take(unborn)

    assert len(await routing.clocks(unborn.id)) == 4
