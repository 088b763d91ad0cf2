"""The level is a suggestion with reasons: a person confirms it or judges otherwise; both stay."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.events import CodedFacts, Merged, ReasonCode, Separated, Signal
from tests.builders import NOON, AChild, SetClock
from tests.deskside import Desk, a_desk
from tests.siblings import SCHOOL

ILLNESS: ReasonCode = "LOCAL-REASON-ILLNESS"
MIND: ReasonCode = "LOCAL-REASON-CHILD-MENTAL-HEALTH"


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with a_desk(database_url, tmp_path, SetClock()) as desk:
        yield desk


async def judged(desk: Desk, child: AChild, *reasons: ReasonCode) -> Signal:
    """A notification whose urgency has been answered."""
    signal = await desk.cases.notified(child, facts=CodedFacts(reasons=reasons))
    told = await desk.post(
        "aino", f"/checks/{signal.id}/answer", answer="not_urgent", reason="Soitettu."
    )
    assert 200 == told.status_code, told.text
    return signal


async def case_of(desk: Desk, child: AChild) -> Any:
    return await desk.get("aino", f"/cases/{child.id}")


async def judge(desk: Desk, worker: str, child: AChild, level: str, **more: Any) -> Any:
    """Judge the level of the case as it is now, unless `more` says what was read."""
    case = await case_of(desk, child)
    stands = case["level_judged"]
    body = {"decision_seq": case["decision_seq"], "after": stands and stands["act"], **more}
    return await desk.post(worker, f"/cases/{child.id}/level", level=level, **body)


async def test_a_worker_confirms_the_level_or_judges_otherwise_and_both_stay(desk: Desk) -> None:
    child = AChild()
    await judged(desk, child, SCHOOL)
    before = await case_of(desk, child)

    confirmed = await judge(desk, "aino", child, "perus")
    desk.clock.forward(minutes=1)
    other = await judge(desk, "sosse", child, "erityis", reason="Tunnen perheen.")

    assert [200, 200] == [confirmed.status_code, other.status_code], other.text
    after = await case_of(desk, child)
    told = after["level_judged"]
    assert ("perus", "erityis", False) == (after["level"], told["level"], told["confirms"])
    assert ("Sosse Koe", before["decision_seq"]) == (told["worker"], told["decision_seq"])
    assert not told["reasons_changed"]
    acts = [line for line in after["history"] if line["kind"].startswith("level_")]
    assert [("level_overridden", "erityis"), ("level_confirmed", "perus")] == [
        (line["kind"], line["answer"]) for line in acts
    ]
    assert {f"level/{before['decision_seq']}"} == {line["about"] for line in acts}
    (sealed,) = await desk.rows("SELECT reason FROM act WHERE kind = 'level_overridden'")
    assert "Tunnen" not in sealed["reason"]


async def test_a_judgement_changes_no_proposal_and_no_event_tells_of_it(desk: Desk) -> None:
    child = AChild()
    await judged(desk, child, SCHOOL)
    before = await case_of(desk, child)
    told = len(await desk.rows("SELECT 1 FROM outbox"))

    await judge(desk, "sosse", child, "vaativa", reason="Tunnen perheen.")

    after = await case_of(desk, child)
    assert after["version"] > before["version"], "open pages learn of it"
    for each in ("level", "holder", "proposals", "decision_seq", "holder_seq"):
        assert before[each] == after[each]
    assert told == len(await desk.rows("SELECT 1 FROM outbox"))
    assert [("sosse", "level_overridden")] == [
        (row["actor"], row["act"])
        for row in await desk.rows(
            "SELECT actor, act FROM audit WHERE subject = $1 AND act LIKE 'level%'", str(child.id)
        )
    ]


async def test_another_level_needs_a_reason_and_a_judged_urgency(desk: Desk) -> None:
    child = AChild()
    await desk.cases.notified(child, facts=CodedFacts(reasons=(SCHOOL,)))

    early = await judge(desk, "aino", child, "perus")
    other = AChild()
    await judged(desk, other, SCHOOL)
    bare = await judge(desk, "aino", other, "erityis")

    assert "urn:luotsi:problem:urgency-open" == early.json()["type"]
    assert "urn:luotsi:problem:reason-needed" == bare.json()["type"]


async def test_who_comes_second_sees_what_the_first_did_beside_the_own_text(desk: Desk) -> None:
    child = AChild()
    await judged(desk, child, SCHOOL)
    async with desk.browser("eero", "en") as eero:
        page = await eero.open(f"/cases/{child.id}")
        await judge(desk, "sosse", child, "erityis", reason="Tunnen perheen.")

        answer = await eero.send(
            page, f"/cases/{child.id}/level", {"level": "vaativa", "reason": "Kolme palvelua."}
        )

    assert 409 == answer.status_code
    for text in ("Level judged to be another", "Tunnen perheen.", "Kolme palvelua."):
        assert text in answer.text
    assert "Demanding level" in answer.text
    assert "erityis" == (await case_of(desk, child))["level_judged"]["level"]


@pytest.mark.parametrize("reason", [ILLNESS, MIND], ids=["two-areas", "mental-health"])
async def test_it_is_refused_where_the_decision_that_was_read_has_changed(
    desk: Desk, reason: ReasonCode
) -> None:
    child = AChild()
    await judged(desk, child, SCHOOL)
    read = (await case_of(desk, child))["decision_seq"]
    await judged(desk, child, reason)

    stale = await judge(desk, "aino", child, "perus", decision_seq=read, reason="Luettu ennen.")

    assert 409 == stale.status_code
    assert "urn:luotsi:problem:proposal-changed" == stale.json()["type"]
    assert "Luettu ennen." == stale.json()["yours"]["reason"]
    assert (await case_of(desk, child))["level_judged"] is None


async def test_the_same_level_for_other_reasons_is_refused_unread_and_marked_where_judged(
    desk: Desk,
) -> None:
    child = AChild()
    await judged(desk, child, SCHOOL, ILLNESS)
    read = (await case_of(desk, child))["decision_seq"]
    await judge(desk, "sosse", child, "perus", reason="Sairaus on hoidossa.")
    await judged(desk, child, MIND)

    stands = await case_of(desk, child)
    stale = await judge(desk, "aino", child, "erityis", decision_seq=read)

    assert ("erityis", "perus") == (stands["level"], stands["level_judged"]["level"])
    assert stands["level_judged"]["reasons_changed"]
    assert "urn:luotsi:problem:proposal-changed" == stale.json()["type"]
    async with desk.browser("aino", "en") as aino:
        page = (await aino.open(f"/cases/{child.id}")).text
    assert "see whether the judgement still holds" in page


async def test_a_screening_that_leaves_the_level_and_its_reasons_refuses_nothing(
    desk: Desk,
) -> None:
    child = AChild()
    await judged(desk, child, SCHOOL)
    read = (await case_of(desk, child))["decision_seq"]
    await judged(desk, child, SCHOOL)

    told = await judge(desk, "aino", child, "perus", decision_seq=read)

    assert 200 == told.status_code, told.text


async def test_another_level_by_the_rules_asks_anew(desk: Desk) -> None:
    child = AChild()
    await judged(desk, child, SCHOOL)
    await judge(desk, "sosse", child, "erityis", reason="Tunnen perheen.")
    await judged(desk, child, MIND)
    assert (await case_of(desk, child))["level_judged"] is None

    again = await judge(desk, "aino", child, "erityis")

    assert 200 == again.status_code, again.text
    assert (await case_of(desk, child))["level_judged"]["confirms"]


async def test_a_judgement_of_two_who_were_joined_does_not_stand_for_one_of_them(
    desk: Desk,
) -> None:
    one, other = AChild(), AChild()
    await judged(desk, one, SCHOOL)
    await judged(desk, other, SCHOOL)
    await desk.cases.come(*change(Merged, other.id, one.id, 1, kept_number=0))
    told = await judge(desk, "sosse", one, "erityis", reason="Yhdessä enemmän.")
    assert 200 == told.status_code, told.text
    assert (await case_of(desk, one))["level_judged"] is not None

    await desk.cases.come(*change(Separated, other.id, one.id, 2))

    assert "perus" == (await case_of(desk, one))["level"]
    assert (await case_of(desk, one))["level_judged"] is None


def change(kind: Any, merged: UUID, kept: UUID, number: int, **more: Any) -> list[Any]:
    """Both copies of a change of joins."""
    ident = uuid4()
    return [
        kind(
            id=f"{ident}.{place}", child=each, merged=merged, kept=kept, number=number, at=NOON,
            **more,
        )
        for place, each in enumerate((merged, kept))
    ]  # fmt: skip


async def test_lists_say_what_a_person_judges_the_level_to_be(desk: Desk) -> None:
    child = AChild()
    await judged(desk, child, SCHOOL)
    await judge(desk, "sosse", child, "vaativa", reason="Tunnen perheen.")

    listed = await desk.get("aino", "/queues/initial_assessment/initial_assessment")

    (item,) = listed["items"]
    assert ("perus", "vaativa") == (item["level"], item["level_judged"])


@pytest.mark.parametrize(
    ("language", "done"),
    [
        ("fi", "Taso arvioitu toiseksi"),
        ("sv", "Nivån bedömd som en annan"),
        ("en", "Level judged to be another"),
    ],
)
async def test_the_case_page_shows_both_levels_and_the_history_says_why(
    desk: Desk, language: str, done: str
) -> None:
    child = AChild()
    await judged(desk, child, SCHOOL)
    async with desk.browser("sosse", language) as sosse:
        page = await sosse.open(f"/cases/{child.id}")
        answer = await sosse.send(
            page, f"/cases/{child.id}/level", {"level": "vaativa", "reason": "Kolme palvelua."}
        )
        shown = await sosse.open(answer.headers["location"])

    assert 303 == answer.status_code
    assert done in shown.text
    assert "Kolme palvelua." in shown.text
    assert "level/" not in shown.text
