"""What comes late, is corrected or belongs elsewhere makes past decisions anew, as known then."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest

from services.routing.domain.decision import Decision
from services.routing.domain.lighter import is_lighter
from shared.events import CodedFacts, Merged, ReasonCode, Separated, Signal, Withdrawn
from tests.builders import NOON, AChild, SetClock
from tests.deskside import Desk, a_desk
from tests.siblings import EXHAUSTED, SCHOOL

ILLNESS: ReasonCode = "LOCAL-REASON-ILLNESS"
THREAT: ReasonCode = "LOCAL-REASON-THREAT"
HOUR = timedelta(hours=1)


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with a_desk(database_url, tmp_path, SetClock()) as desk:
        yield desk


async def said(desk: Desk, child: AChild, *reasons: ReasonCode, **more: Any) -> Signal:
    """A notification that routing takes now, whenever it was received."""
    return await desk.cases.notified(child, facts=CodedFacts(reasons=reasons), **more)


async def too_light(desk: Desk) -> list[Any]:
    """What the open tasks tell: the child, the decision, what it said and would have said."""
    return await desk.rows(
        """
        SELECT i.id AS item, i.child AS case, t.child, t.seq, d.because, d.level, d.urgent_flags,
               d.destinations, t.level AS would_level, t.urgent_flags AS would_flags,
               t.destinations AS would_destinations
        FROM duty_item i JOIN too_light t ON t.item = i.id
        JOIN decision d ON d.child = t.child AND d.seq = t.seq
        WHERE i.outcome = 'too_light' AND i.closed_at IS NULL ORDER BY i.child, t.child, t.seq
        """
    )


async def level(desk: Desk, child: AChild) -> str:
    (row,) = await desk.rows("SELECT level FROM child_case WHERE child = $1", child.id)
    return str(row["level"])


# --- late -----------------------------------------------------------------------------------------


async def test_a_late_message_asks_a_supervisor_about_decisions_made_without_it(
    desk: Desk,
) -> None:
    child = AChild()
    first = await said(desk, child, SCHOOL)
    desk.clock.forward(days=3)

    await said(desk, child, ILLNESS, received_at=NOON - HOUR)

    (found,) = await too_light(desk)
    assert (child.id, first.id) == (found["child"], found["because"])
    assert ("perus", "erityis") == (found["level"], found["would_level"])
    assert "erityis" == await level(desk, child), "and the case is screened anew"


async def test_a_message_that_comes_in_its_order_asks_nothing(desk: Desk) -> None:
    child = AChild()
    await said(desk, child, SCHOOL)
    desk.clock.forward(days=3)

    await said(desk, child, ILLNESS)

    assert [] == await too_light(desk)


async def test_a_late_message_that_makes_nothing_heavier_asks_nothing(desk: Desk) -> None:
    child = AChild()
    await said(desk, child, SCHOOL)
    desk.clock.forward(days=3)

    await said(desk, child, SCHOOL, received_at=NOON - HOUR)

    assert [] == await too_light(desk)


async def test_a_decision_that_was_replaced_within_minutes_is_no_matter(desk: Desk) -> None:
    """Two processes, or two topics, bring messages in another order than they were received."""
    child = AChild()
    await said(desk, child, SCHOOL)
    desk.clock.forward(minutes=2)

    await said(desk, child, ILLNESS, received_at=NOON - HOUR)

    assert [] == await too_light(desk)


async def test_a_message_that_waited_while_a_person_acted_is_late(desk: Desk) -> None:
    """Received after the first, before the check was answered, and taken after that."""
    child = AChild()
    first = await said(desk, child, SCHOOL)
    desk.clock.forward(hours=2)
    answer = {"answer": "not_urgent", "reason": "Soitettu."}
    told = await desk.post("aino", f"/checks/{first.id}/answer", **answer)
    assert 200 == told.status_code, told.text
    desk.clock.forward(hours=1)

    await said(desk, child, "LOCAL-REASON-CHILD-MENTAL-HEALTH", received_at=NOON + HOUR)

    (found,) = await too_light(desk)
    assert told.json()["act"] == found["because"], "the first was made before it was received"
    assert "school_welfare" == found["destinations"]
    assert "erityis" == found["would_level"]


async def test_what_comes_late_about_one_touches_the_decisions_about_the_other(
    desk: Desk,
) -> None:
    elder, younger, home = AChild(), AChild(), uuid4()
    first = await said(desk, elder, SCHOOL, household=home)
    desk.clock.forward(days=1)

    await said(desk, younger, EXHAUSTED, household=home, received_at=NOON - HOUR)

    (found,) = await too_light(desk)
    assert (elder.id, first.id) == (found["child"], found["because"])
    assert ("perus", "erityis") == (found["level"], found["would_level"])


async def test_each_thing_that_comes_late_is_told_once_and_not_again(desk: Desk) -> None:
    child = AChild()
    await said(desk, child, SCHOOL)
    desk.clock.forward(days=1)
    await said(desk, child, ILLNESS, received_at=NOON - HOUR)
    (before,) = await too_light(desk)

    await said(desk, child, ILLNESS, received_at=NOON - 2 * HOUR)

    assert [before] == await too_light(desk)


# --- corrected and withdrawn ----------------------------------------------------------------------


async def test_a_correction_that_says_more_asks_about_decisions_since_what_it_corrects(
    desk: Desk,
) -> None:
    child = AChild()
    first = await said(desk, child, SCHOOL)
    desk.clock.forward(days=3)

    await said(desk, child, SCHOOL, THREAT, corrects=first.id)

    (found,) = await too_light(desk)
    assert ("", "safety") == (found["urgent_flags"], found["would_flags"])
    assert first.id == found["because"]


async def test_a_correction_that_says_less_and_a_withdrawal_ask_nothing(desk: Desk) -> None:
    child = AChild()
    first = await said(desk, child, SCHOOL, THREAT)
    desk.clock.forward(days=3)

    right = await said(desk, child, SCHOOL, corrects=first.id)
    desk.clock.forward(days=3)
    await desk.cases.come(
        Withdrawn(
            id=f"{uuid4()}.0", child=child.id, withdraws=right.id, received_at=desk.clock()
        )
    )  # fmt: skip

    assert [] == await too_light(desk)
    assert "perus" == await level(desk, child)


# --- joined and separated -------------------------------------------------------------------------


def change(kind: Any, child: AChild, kept: AChild, number: int = 1, **more: Any) -> list[Any]:
    ident = uuid4()
    return [
        kind(
            id=f"{ident}.{place}", child=each.id, merged=child.id, kept=kept.id, number=number,
            at=NOON, **more,
        )
        for place, each in enumerate((child, kept))
    ]  # fmt: skip


async def test_children_who_are_one_were_each_decided_without_the_others_messages(
    desk: Desk,
) -> None:
    one, other = AChild(), AChild()
    await said(desk, one, SCHOOL)
    desk.clock.forward(hours=1)
    second = await said(desk, other, ILLNESS)
    desk.clock.forward(days=1)

    await desk.cases.come(*change(Merged, other, one, kept_number=0))

    (found,) = await too_light(desk)
    assert (one.id, other.id, second.id) == (found["case"], found["child"], found["because"])
    assert ("perus", "erityis") == (found["level"], found["would_level"])
    assert "erityis" == await level(desk, one)


async def test_children_who_are_separated_were_decided_with_more_and_not_with_less(
    desk: Desk,
) -> None:
    one, other = AChild(), AChild()
    await said(desk, one, SCHOOL)
    await said(desk, other, ILLNESS)
    await desk.cases.come(*change(Merged, other, one, kept_number=0))
    desk.clock.forward(days=1)

    await desk.cases.come(*change(Separated, other, one, number=2))

    assert [] == await too_light(desk)
    assert ("perus", "perus") == (await level(desk, one), await level(desk, other))


# --- of one household -----------------------------------------------------------------------------


async def lives_with(desk: Desk, child: AChild, other: AChild, *, together: bool = True) -> None:
    """A worker says whether two children live together."""
    told = await desk.post(
        "sosse", f"/cases/{child.id}/household", other=str(other.id), together=together,
        reason="Kotikäynti.",
    )  # fmt: skip
    assert 200 == told.status_code, told.text


async def test_children_found_to_live_together_were_each_decided_without_what_is_theirs(
    desk: Desk,
) -> None:
    elder, younger = AChild(), AChild()
    await said(desk, elder, EXHAUSTED)
    desk.clock.forward(hours=1)
    second = await said(desk, younger, SCHOOL)
    desk.clock.forward(days=1)

    await lives_with(desk, elder, younger)

    (found,) = await too_light(desk)
    assert (younger.id, younger.id) == (found["case"], found["child"])
    assert second.id == found["because"], "of the elder nothing was known then of the other"
    assert ("perus", "erityis") == (found["level"], found["would_level"])
    assert "erityis" == await level(desk, younger), "and the case is screened anew"
    told = [orjson.loads(row["value"]) for row in await desk.rows("SELECT value FROM outbox")]
    assert ["too_light"] == [e["about"] for e in told if e["kind"] == "duty_item_opened"]


async def test_whoever_lived_with_either_already_is_looked_at_too(desk: Desk) -> None:
    elder, younger, third, home = AChild(), AChild(), AChild(), uuid4()
    await said(desk, third, EXHAUSTED)
    desk.clock.forward(hours=1)
    await said(desk, elder, household=home)
    last = await said(desk, younger, SCHOOL, household=home)
    desk.clock.forward(days=1)

    await lives_with(desk, third, elder)

    assert last.id in [each["because"] for each in await too_light(desk)]


async def test_what_was_stated_of_the_other_only_later_makes_no_earlier_decision_too_light(
    desk: Desk,
) -> None:
    elder, younger = AChild(), AChild()
    await said(desk, younger, SCHOOL)
    desk.clock.forward(days=1)
    await said(desk, elder, EXHAUSTED)
    desk.clock.forward(minutes=5)

    await lives_with(desk, elder, younger)

    assert [] == await too_light(desk)
    assert "erityis" == await level(desk, younger)


async def test_children_found_to_live_apart_were_decided_with_more_and_not_with_less(
    desk: Desk,
) -> None:
    elder, younger, home = AChild(), AChild(), uuid4()
    await said(desk, elder, EXHAUSTED, household=home)
    await said(desk, younger, SCHOOL, household=home)
    desk.clock.forward(days=1)

    await lives_with(desk, elder, younger, together=False)

    assert [] == await too_light(desk)
    assert "perus" == await level(desk, younger)


# --- the task -------------------------------------------------------------------------------------


async def test_the_task_shows_the_difference_and_nothing_of_the_child(desk: Desk) -> None:
    child = AChild()
    await said(desk, child, SCHOOL)
    desk.clock.forward(days=3)
    await said(desk, child, ILLNESS, THREAT, received_at=NOON - HOUR)
    (found,) = await too_light(desk)

    async with desk.browser("kaisa") as kaisa:
        page = (await kaisa.open(f"/items/{found['item']}")).text
        case = (await kaisa.open(f"/cases/{child.id}")).text

    assert "<code>" not in page, "the code of a task says nothing to who reads it"
    assert "Proposal of" in page
    assert "It would have said" in page
    assert "Sign of urgency" in page
    assert "Several areas are of concern." in page
    assert child.name not in page
    assert f"/items/{found['item']}" in case


async def test_programmes_get_the_same_difference_until_the_task_is_closed(desk: Desk) -> None:
    child = AChild()
    await said(desk, child, SCHOOL)
    desk.clock.forward(days=3)
    await said(desk, child, ILLNESS, THREAT, received_at=NOON - HOUR)
    (found,) = await too_light(desk)

    (told,) = (await desk.get("aino", f"/cases/{child.id}"))["too_light"]

    assert (str(found["item"]), str(child.id), found["seq"]) == (
        told["item"], told["child"], told["seq"],
    )  # fmt: skip
    assert ("perus", False) == (told["said"]["level"], told["said"]["flagged"])
    assert ("erityis", True) == (
        told["would_have_said"]["level"], told["would_have_said"]["flagged"],
    )  # fmt: skip
    assert "Huolta on usealla alueella." in told["reasons"]

    await desk.post("kaisa", f"/set-aside/{found['item']}/close", reason="Katsottu.")

    assert [] == (await desk.get("aino", f"/cases/{child.id}"))["too_light"]


async def test_only_a_supervisor_closes_the_task(desk: Desk) -> None:
    child = AChild()
    await said(desk, child, SCHOOL)
    desk.clock.forward(days=3)
    await said(desk, child, ILLNESS, received_at=NOON - HOUR)
    (found,) = await too_light(desk)
    path = f"/set-aside/{found['item']}/close"

    refused = await desk.post("sosse", path, reason="Katsottu.")
    closed = await desk.post("kaisa", path, reason="Perhe oli jo autettu.")

    assert (403, 200) == (refused.status_code, closed.status_code)
    assert [] == await too_light(desk)


async def test_every_difference_that_is_kept_is_one_of_a_lighter_decision(desk: Desk) -> None:
    """Many orders of one history: what is kept is never heavier than what would have been."""
    child, home = AChild(), uuid4()
    sibling = AChild()
    days = [5, 1, 9, 3, 7, 2]
    for place, day in enumerate(days):
        who = (child, sibling)[place % 2]
        reasons = ((SCHOOL,), (EXHAUSTED,), (THREAT,), (ILLNESS,), (), (SCHOOL, ILLNESS))[place]
        await said(desk, who, *reasons, household=home, received_at=NOON + day * HOUR)
        desk.clock.forward(days=1)

    rows = await too_light(desk)

    assert rows
    for row in rows:
        past = proposed(row["urgent_flags"], row["level"], row["destinations"])
        would = proposed(row["would_flags"], row["would_level"], row["would_destinations"])
        assert is_lighter(past, would)


def proposed(flags: str, level: Any, destinations: Any) -> Decision:
    to = tuple(destinations.split())
    return Decision(tuple(flags.split()), level, "duty", to, (), {}, "", "")
