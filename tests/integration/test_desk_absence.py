"""Schools' absence signals at routing and at the desk, on a real PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.routing.domain.facts import NOTHING_KNOWN, Known
from services.routing.store import queue_state
from shared.contract import EXAMPLES
from shared.events import CodedAbsence, CodedFacts, Signal
from tests.builders import AChild, SetClock
from tests.deskside import Desk, a_desk

DAYS = {"assessment_start", "family_told", "assessment_finish"}
TEXT = orjson.loads((EXAMPLES / "absence.json").read_bytes())
WHOLE = CodedAbsence(confirmed="yes", health="no", step_reached="yes")
PART = CodedAbsence(health="no", step_reached="yes")
MISSING = ("confirmer", "step-2", "school-mar")


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with a_desk(database_url, tmp_path, SetClock()) as opened:
        yield opened


async def sent(desk: Desk, child: AChild, absence: CodedAbsence = WHOLE, **more: Any) -> Signal:
    """A school's signal has arrived; `more` are facts, or fields of the signal."""
    fields = {name: more.pop(name) for name in ("missing", "corrects", "text") if name in more}
    facts = CodedFacts(absence=absence, **more)
    return await desk.cases.notified(child, facts=facts, kind="absence", **fields)


async def returned(desk: Desk, child: AChild, **more: Any) -> Signal:
    return await sent(desk, child, PART, missing=MISSING, **more)


async def case_of(desk: Desk, child: AChild) -> dict[str, Any]:
    found: dict[str, Any] = await desk.get("aino", f"/cases/{child.id}")
    return found


async def standing(desk: Desk, child: AChild) -> tuple[str, str, list[str]]:
    """Urgency, holder and open proposals of the child's case."""
    case = await case_of(desk, child)
    open_ = [p["destination"] for p in case["proposals"] if p["state"] == "proposed"]
    return case["urgency"], case["holder"], open_


async def running(desk: Desk, about: str) -> set[str]:
    rows = await desk.rows("SELECT kind FROM clock WHERE about = $1 AND stopped_at IS NULL", about)
    return {row["kind"] for row in rows}


async def listed(desk: Desk, place: str) -> list[str]:
    return [item["key"] for item in (await desk.get("aino", f"/queues/{place}"))["items"]]


# --- without any other concern --------------------------------------------------------------------


async def test_a_confirmed_signal_asks_no_urgency_and_runs_the_clocks_in_days(desk: Desk) -> None:
    child = AChild()
    signal = await sent(desk, child)

    assert await running(desk, signal.id) == DAYS
    assert await standing(desk, child) == (
        "not_asked", "initial_assessment", ["basic_services"],
    )  # fmt: skip
    assert await listed(desk, "duty/checks") == []
    assert await listed(desk, "initial_assessment/initial_assessment") == [str(child.id)]


@pytest.mark.parametrize(
    ("facts", "holder", "destinations"),
    [
        ({"is_client": "yes"}, "own_worker", ["hospital_school"]),
        ({"is_client": "no"}, "initial_assessment", ["basic_services"]),
        ({"absence": WHOLE.model_copy(update={"health": "yes"})}, "initial_assessment",
         ["school_health"]),
        ({"absence": WHOLE.model_copy(update={"health": "yes"}), "is_client": "yes"}, "own_worker",
         ["hospital_school", "school_health"]),
    ],
)  # fmt: skip
async def test_where_a_confirmed_signal_goes(
    desk: Desk, facts: dict[str, Any], holder: str, destinations: list[str]
) -> None:
    child = AChild()
    await sent(desk, child, **facts)

    assert await standing(desk, child) == ("not_asked", holder, destinations)
    for destination in destinations:
        assert await listed(desk, f"{destination}/proposed") == [str(child.id)]


async def test_psychiatric_signs_go_to_the_duty_check_and_then_to_the_co_consultation(
    desk: Desk,
) -> None:
    child = AChild()
    reasons = ("LOCAL-REASON-CHILD-MENTAL-HEALTH", "LOCAL-REASON-SUPPORT-WITHOUT-EFFECT")
    signal = await sent(desk, child, reasons=reasons)
    before = await standing(desk, child)

    await desk.post("aino", f"/checks/{signal.id}/answer", answer="not_urgent", reason="Ei nyt.")

    assert before == ("open", "duty", [])
    assert await standing(desk, child) == (
        "not_urgent", "initial_assessment", ["psychiatry", "school_welfare", "systemic_team"],
    )  # fmt: skip


@pytest.mark.parametrize(
    "concern", [{"in_danger": "yes"}, {"reasons": ("LOCAL-REASON-NEGLECT",)}], ids=str
)
async def test_any_other_concern_stands_at_the_duty_desk_with_all_four_clocks(
    desk: Desk, concern: dict[str, Any]
) -> None:
    child = AChild()
    signal = await sent(desk, child, **concern)

    assert await running(desk, signal.id) == DAYS | {"urgency"}
    assert (await standing(desk, child))[:2] == ("open", "duty")
    assert await listed(desk, "duty/checks") == [signal.id]


async def test_the_school_itself_as_a_reason_is_no_other_concern(desk: Desk) -> None:
    child = AChild()
    await sent(desk, child, reasons=("LOCAL-REASON-SCHOOL",))

    assert (await standing(desk, child))[0] == "not_asked"


async def test_signals_are_no_notifications_that_pile_up(desk: Desk) -> None:
    child = AChild()
    for _ in range(3):
        await sent(desk, child)

    (row,) = await desk.rows("SELECT known, level FROM child_case")
    assert Known.from_json(row["known"]).notifications == 0
    assert row["level"] == "perus"


# --- with other messages about the child ----------------------------------------------------------


async def test_a_later_notification_opens_the_check(desk: Desk) -> None:
    child = AChild()
    await sent(desk, child)
    notified = await desk.cases.notified(child)

    before = await standing(desk, child)
    await desk.post("aino", f"/checks/{notified.id}/answer", answer="not_urgent", reason="Ei.")

    assert before == ("open", "duty", [])
    assert (await standing(desk, child))[:2] == ("not_urgent", "initial_assessment")


@pytest.mark.parametrize("answer", ["urgent", "not_urgent"])
async def test_a_signal_after_an_answered_check_leaves_the_answer_as_it_is(
    desk: Desk, answer: str
) -> None:
    child = AChild()
    notified = await desk.cases.notified(child)
    await desk.post("aino", f"/checks/{notified.id}/answer", answer=answer, reason="Siksi.")

    await sent(desk, child)

    holder = "duty" if answer == "urgent" else "initial_assessment"
    assert (await standing(desk, child))[:2] == (answer, holder)


async def test_a_signal_while_a_check_is_open_leaves_it_open(desk: Desk) -> None:
    child = AChild()
    await desk.cases.notified(child)
    await sent(desk, child)

    assert (await standing(desk, child))[:2] == ("open", "duty")


async def test_an_answer_counts_what_was_asked_and_not_what_was_not(desk: Desk) -> None:
    child = AChild()
    await sent(desk, child)
    first = await desk.cases.notified(child)
    second = await sent(desk, child, in_danger="yes")
    await desk.post("aino", f"/checks/{first.id}/answer", answer="urgent", reason="On.")
    half = (await standing(desk, child))[0]
    await desk.post("aino", f"/checks/{second.id}/answer", answer="not_urgent", reason="Ei.")

    assert (half, (await standing(desk, child))[0]) == ("urgent", "urgent")


async def test_the_holder_of_a_case_without_a_check_can_be_confirmed(desk: Desk) -> None:
    child = AChild()
    await sent(desk, child)
    case = await case_of(desk, child)

    told = await desk.post(
        "aino", f"/cases/{child.id}/holder", holder="initial_assessment",
        holder_seq=case["holder_seq"],
    )  # fmt: skip

    assert told.status_code == 200, told.text


# --- returned to the school -----------------------------------------------------------------------


async def test_a_returned_signal_stands_in_its_own_list_with_clocks_and_what_is_missing(
    desk: Desk,
) -> None:
    child = AChild()
    signal = await returned(desk, child)

    page = await desk.get("aino", "/queues/duty/returned")

    (item,) = page["items"]
    assert (item["key"], len(item["why"])) == (signal.id, 3)
    assert "Step 2" in (await english(desk, "/queues/duty"))
    assert [clock["kind"] for clock in item["clocks"]] == ["assessment_start"]
    assert await running(desk, signal.id) == DAYS
    assert await standing(desk, child) == ("not_asked", "duty", [])
    for place in ("duty/held", "duty/checks", "initial_assessment/initial_assessment"):
        assert await listed(desk, place) == [], place


async def english(desk: Desk, path: str) -> str:
    async with desk.browser("aino") as browser:
        return (await browser.open(path)).text


async def test_what_a_returned_signal_states_counts_only_once_it_is_a_matter(desk: Desk) -> None:
    child = AChild()
    signal = await returned(desk, child, is_client="yes")
    before = await standing(desk, child)
    (row,) = await desk.rows("SELECT known FROM child_case")

    told = await desk.post("aino", f"/absence-signals/{signal.id}/matter", reason="Kuultu jo.")

    assert Known.from_json(row["known"]) == NOTHING_KNOWN

    assert told.status_code == 200, told.text
    assert before == ("not_asked", "duty", [])
    assert await standing(desk, child) == ("not_asked", "own_worker", ["hospital_school"])
    assert await listed(desk, "duty/returned") == []
    assert await running(desk, signal.id) == DAYS
    (note,) = (await case_of(desk, child))["notifications"]
    assert (note["returned"], note["missing"]) == ("matter", list(MISSING))


async def test_no_matter_stops_its_clocks_and_no_others_and_is_remembered(desk: Desk) -> None:
    child = AChild()
    signal = await returned(desk, child)
    other = await sent(desk, child)

    told = await desk.post("eero", f"/absence-signals/{signal.id}/no-matter", reason="Virhe.")

    assert told.status_code == 200, told.text
    assert (await running(desk, signal.id), await running(desk, other.id)) == (set(), DAYS)
    assert await listed(desk, "duty/returned") == []
    (act,) = await desk.rows("SELECT kind, reason FROM act")
    assert act["kind"] == "no_matter"
    assert act["reason"].startswith("s1.")
    (event,) = await desk.rows("SELECT value FROM outbox")
    assert orjson.loads(event["value"])["kind"] == "no_matter"
    assert await desk.rows("SELECT 1 FROM audit WHERE act = 'no_matter'")


async def test_who_comes_second_is_told_so(desk: Desk) -> None:
    signal = await returned(desk, AChild())
    path = f"/absence-signals/{signal.id}"
    await desk.post("aino", f"{path}/matter", reason="On.")

    second = await desk.post("eero", f"{path}/no-matter", reason="Ei ole.")
    without = await desk.post("eero", f"{path}/no-matter")

    assert (second.status_code, without.status_code) == (409, 422)
    assert second.json()["theirs"]["reason"] == "On."


async def test_only_what_was_returned_can_be_settled(desk: Desk) -> None:
    complete = await sent(desk, AChild())
    notified = await desk.cases.notified()

    for signal in (complete, notified):
        told = await desk.post("aino", f"/absence-signals/{signal.id}/no-matter", reason="Ei.")
        assert told.status_code == 404


async def test_a_returned_signal_with_a_concern_counts_at_once_and_goes_to_the_check_too(
    desk: Desk,
) -> None:
    child = AChild()
    signal = await returned(desk, child, reasons=("LOCAL-REASON-SELF-HARM",))
    early = await desk.post("aino", f"/absence-signals/{signal.id}/no-matter", reason="Ei.")

    assert await listed(desk, "duty/checks") == await listed(desk, "duty/returned") == [signal.id]
    assert await running(desk, signal.id) == DAYS | {"urgency"}
    (row,) = await desk.rows("SELECT urgent_flags FROM child_case")
    assert row["urgent_flags"] == "self_harm"
    assert (early.status_code, early.json()["type"].rpartition(":")[2]) == (422, "urgency-open")


async def test_a_concern_counts_without_making_the_absence_confirmed(desk: Desk) -> None:
    child = AChild()
    signal = await returned(desk, child, is_client="yes", reasons=("LOCAL-REASON-NEGLECT",))
    await desk.post("aino", f"/checks/{signal.id}/answer", answer="not_urgent", reason="Ei.")
    before = await standing(desk, child)

    await desk.post("aino", f"/absence-signals/{signal.id}/matter", reason="On.")

    assert before == ("not_urgent", "own_worker", ["lets_talk", "systemic_team"])
    assert (await standing(desk, child))[2] == ["hospital_school", "lets_talk", "systemic_team"]


async def test_the_mended_signal_takes_the_returned_ones_place_in_the_list(desk: Desk) -> None:
    child = AChild()
    first = await returned(desk, child)

    second = await returned(desk, child, corrects=first.id)
    between = await listed(desk, "duty/returned")
    await sent(desk, child, corrects=second.id)

    assert between == [second.id]
    assert await listed(desk, "duty/returned") == []
    assert await standing(desk, child) == ("not_asked", "initial_assessment", ["basic_services"])
    assert await running(desk, first.id) == DAYS


async def test_the_mended_signal_may_come_before_the_returned_one(desk: Desk) -> None:
    child = AChild()
    first = await desk.cases.sealed(
        child, facts=CodedFacts(absence=PART), kind="absence", missing=MISSING
    )
    await sent(desk, child, corrects=first.id)

    async with desk.pool.acquire() as tx, tx.transaction():
        await desk.cases.take(tx, [first])

    assert await listed(desk, "duty/returned") == []
    assert await standing(desk, child) == ("not_asked", "initial_assessment", ["basic_services"])


# --- pages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
async def test_the_case_page_tells_the_signal_in_words(desk: Desk, language: str) -> None:
    child = AChild()
    apart = ("pupil", "confirmed_by")
    text = {name: value for name, value in TEXT.items() if name not in apart}
    signal = await returned(desk, child, text=text)

    async with desk.browser("aino", language) as browser:
        page = await browser.open(f"/cases/{child.id}")
        assert page.status_code == 200
        for words in ("luokanopettaja", "koulukuraattori", "Esimerkin koulu", "34"):
            assert words in page.text
        told = await browser.send(
            page, f"/absence-signals/{signal.id}/no-matter", {"reason": "Ei aihetta."}
        )
        after = await browser.open(f"/cases/{child.id}")

    assert told.status_code == 303
    assert "Ei aihetta." in after.text


async def test_operations_see_how_many_wait(desk: Desk) -> None:
    await returned(desk, AChild())

    async with desk.pool.acquire() as conn:
        rows = {row["queue"]: row["n"] for row in await queue_state(conn)}

    assert rows["returned"] == 1
