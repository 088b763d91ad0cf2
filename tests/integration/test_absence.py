"""Schools' absence signals at intake, on a real PostgreSQL: accepted, returned, mended."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from shared import events
from shared.contract import EXAMPLES
from tests.intakeside import NOW, Intake, bearer, intake, told

__all__ = ["intake"]

PATH = "/v1/absence-signals"
WHOLE: dict[str, Any] = orjson.loads((EXAMPLES / "absence.json").read_bytes())
PART = {**WHOLE, "steps_done": WHOLE["steps_done"][:1], "school_mar_held": None}
NOBODY = {name: value for name, value in PART.items() if name != "confirmed_by"}
LATER = NOW + timedelta(days=1)


def signals(row: Any) -> list[dict[str, Any]]:
    return told(row, events.SIGNAL)


def receipt(row: Any) -> dict[str, Any]:
    (found,) = told(row, events.INTAKE_RECEIPT)
    return found


async def take(intake: Intake, content: Any, ident: str = "a-1", **more: Any) -> Any:
    return await intake.take(content, ident, kind="absence", **more)


async def test_a_complete_signal_is_accepted_and_its_confirmer_is_the_notifier(
    intake: Intake,
) -> None:
    row = await take(intake, WHOLE)

    (signal,) = signals(row)
    assert (row.outcome, receipt(row)["outcome"]) == ("applied", "accepted")
    assert (signal["kind"], signal["missing"]) == ("absence", [])
    assert signal["facts"]["absence"] == {
        "confirmed": "yes", "health": "no", "step_reached": "yes",
    }  # fmt: skip
    assert signal["notifier"].startswith("s1.")
    for answer in row.answers:
        assert b"Rehtori" not in answer.value
        assert b"Esimerkin" not in answer.value
    events.Signal.model_validate(signal, strict=False)


async def test_an_incomplete_one_is_returned_in_words_and_goes_on_all_the_same(
    intake: Intake,
) -> None:
    row = await take(intake, NOBODY)

    (signal,) = signals(row)
    answer = receipt(row)
    assert (row.outcome, answer["outcome"], answer["reason"]) == (
        "returned", "returned", "incomplete",
    )  # fmt: skip
    assert answer["missing"] == signal["missing"] == ["confirmer", "step-2", "school-mar"]
    assert "school_mar_held" in answer["mend"]
    assert signal["notifier"] is None
    assert signal["facts"]["absence"]["confirmed"] == "unknown"
    events.Receipt.model_validate(answer, strict=False)


async def test_over_http_a_returned_signal_is_stored_and_its_state_says_so(intake: Intake) -> None:
    answer = await intake.post(PART, "a-1", path=PATH)
    asked = await intake.http.get("/v1/messages/school-1/a-1", headers=bearer("school-1"))

    assert (answer.status_code, answer.json()["outcome"]) == (202, "returned")
    assert asked.json()["state"] == "returned"
    assert [each["outcome"] for each in asked.json()["answers"]] == ["returned"]


async def test_the_same_incomplete_signal_again_is_a_repeat_with_the_same_answer(
    intake: Intake,
) -> None:
    first = await take(intake, PART)

    again = await take(intake, PART, at=LATER)

    assert again.outcome == "repeated"
    assert receipt(again) == receipt(first)
    assert signals(again) == []


async def test_mended_under_the_same_id_it_takes_the_returned_ones_place_and_time(
    intake: Intake,
) -> None:
    first = await take(intake, NOBODY)
    second = await take(intake, PART, at=LATER)

    row = await take(intake, WHOLE, at=LATER)

    (one,), (two,), (three,) = signals(first), signals(second), signals(row)
    assert (second.outcome, row.outcome) == ("returned", "applied")
    assert (two["corrects"], three["corrects"]) == (one["id"], two["id"])
    assert one["child"] == three["child"]
    assert three["received_at"] == one["received_at"]
    asked = await intake.http.get("/v1/messages/school-1/a-1", headers=bearer("school-1"))
    assert asked.json()["state"] == "accepted"


async def test_the_returned_one_coming_late_again_is_a_repeat_of_the_mended_one(
    intake: Intake,
) -> None:
    await take(intake, PART)
    accepted = await take(intake, WHOLE)

    late = await take(intake, PART)
    again = await take(intake, WHOLE)

    assert (late.outcome, again.outcome) == ("repeated", "repeated")
    assert receipt(late)["receipt_id"] == receipt(accepted)["receipt_id"]


async def test_other_content_after_a_complete_one_is_set_aside_as_ever(intake: Intake) -> None:
    await take(intake, WHOLE)

    row = await take(intake, PART)

    assert (row.outcome, row.reason) == ("quarantined", "same-id-other-content")


async def test_a_new_id_may_correct_or_take_back_what_was_returned(intake: Intake) -> None:
    first = await take(intake, PART)

    corrected = await take(intake, {**WHOLE, "corrects": "a-1"}, "a-2")
    back = await intake.take({"withdraws": "a-1", "reason": "Virhe."}, "a-3", kind="withdrawal")

    assert signals(corrected)[0]["corrects"] == signals(first)[0]["id"]
    assert (back.outcome, signals(back)[0]["withdraws"]) == ("applied", signals(first)[0]["id"])


async def test_what_was_quarantined_may_come_again_incomplete_and_closes(intake: Intake) -> None:
    await take(intake, {**PART, "hours_illness": -1})

    row = await take(intake, PART, at=LATER)

    assert row.outcome == "returned"
    assert receipt(row)["received_at"] == NOW.isoformat()
    async with intake.pool.acquire() as conn:
        assert await conn.fetchval("SELECT closed_how FROM set_aside") == "resent"


async def test_a_pupil_without_a_name_to_look_up_stays_the_same_when_mended(
    intake: Intake,
) -> None:
    pupil = {"name": "Testi Nimetön"}
    first = await take(intake, {**PART, "pupil": pupil})

    row = await take(intake, {**WHOLE, "pupil": pupil})

    assert signals(row)[0]["child"] == signals(first)[0]["child"]


@pytest.mark.parametrize(
    ("change", "mend"),
    [
        ({"period": {"begins": "2026-11-13", "ends": "2026-08-11"}}, "not before begins"),
        ({"hours_unauthorised": 2001}, "hours_unauthorised"),
        ({"provider": "Esimerkkilän kaupunki"}, "provider"),
        ({"confirmed_by": {"name": "Testi"}}, "confirmed_by.role"),
        ({"step": 2}, "does not know"),
    ],
)
async def test_what_is_not_valid_is_quarantined_and_its_place_named(
    intake: Intake, change: dict[str, Any], mend: str
) -> None:
    row = await take(intake, {**WHOLE, **change})

    assert row.outcome == "quarantined"
    assert mend in receipt(row)["mend"]


async def test_where_tells_each_hop_of_what_was_returned_and_mended(intake: Intake) -> None:
    first, row = await take(intake, PART), await take(intake, WHOLE)

    answer = await intake.http.get("/internal/where/a-1")

    hops = answer.json()["hops"]
    assert [hop["outcome"] for hop in hops] == ["returned", "applied"]
    assert [hop["receipt_id"] for hop in hops] == [
        receipt(first)["receipt_id"], receipt(row)["receipt_id"],
    ]  # fmt: skip
