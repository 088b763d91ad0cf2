"""Every kind of message on a real PostgreSQL: accepted, matched, corrected, taken back."""

from typing import Any

import orjson
import pytest

from shared import events
from shared.contract import EXAMPLES
from shared.hetu import make_hetu
from shared.kinds import KINDS, WITHDRAWAL, Kind
from tests.intakeside import DESK, NOW, Intake, bearer, intake, told
from tests.system import NOTIFICATION

__all__ = ["intake"]

CONCERNS = [kind for kind in KINDS if issubclass(kind.model, events.Concern)]
SISTER = {"hetu": "020594X903P", "name": "Testi Sisko"}


def example(name: str) -> dict[str, Any]:
    read: dict[str, Any] = orjson.loads((EXAMPLES / f"{name}.json").read_bytes())
    return read


def signals(row: Any) -> list[dict[str, Any]]:
    return told(row, events.SIGNAL)


def receipt(row: Any) -> dict[str, Any]:
    return told(row, events.INTAKE_RECEIPT)[0]


@pytest.mark.parametrize("kind", CONCERNS, ids=[kind.name for kind in CONCERNS])
async def test_each_kind_is_taken_at_its_own_door_and_goes_on_as_itself(
    intake: Intake, kind: Kind
) -> None:
    answer = await intake.post(example(kind.name), path=kind.path)

    assert answer.status_code == 202, answer.text
    assert answer.json()["outcome"] == "accepted"
    async with intake.pool.acquire() as conn:
        sent = await conn.fetch("SELECT topic, value FROM outbox ORDER BY id")
    signal = next(orjson.loads(row["value"]) for row in sent if row["topic"] == events.SIGNAL)
    assert signal["kind"] == kind.name
    events.Signal.model_validate(signal, strict=False)


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
async def test_content_of_another_kind_is_kept_and_refused_in_words(
    intake: Intake, kind: Kind
) -> None:
    answer = await intake.post({"observations": "Vain tämä."}, path=kind.path)

    assert answer.status_code == 422
    assert "Field required" in answer.json()["detail"]
    assert answer.json()["receipt_id"]


@pytest.mark.parametrize(
    ("name", "change", "mend"),
    [
        ("joint_contact", {"notifier": {"kind": "private", "anonymity_reason": "a"}}, "25 a §"),
        ("contact", {"ground_without_consent": None}, "ground_without_consent"),
        ("application", {"notifier": {"kind": "police", "name": "Testi"}}, "as a contact"),
        ("police_report", {"notifier": {"kind": "kela", "name": "Testi"}}, "notification"),
        ("consultation_request", {"notifier": {"kind": "kela", "name": "Testi"}}, "contact"),
        ("anticipatory", {"parent": {"phone": "+358"}}, "expecting parent's name"),
    ],
)
async def test_what_the_law_asks_of_a_kind_is_asked_in_words(
    intake: Intake, name: str, change: dict[str, Any], mend: str
) -> None:
    row = await intake.take({**example(name), **change}, kind=name)

    assert row.outcome == "quarantined"
    assert mend in receipt(row)["mend"]


async def test_a_child_below_12_who_applies_is_heard_and_the_worker_told(intake: Intake) -> None:
    young = {**example("application"), "children": [{"hetu": make_hetu(NOW.date(), 905).value}]}

    row = await intake.take(young, kind="application")

    assert (row.outcome, row.reason) == ("applied", "applicant-below-12")
    assert receipt(row)["note"] == "applicant-below-12"


async def test_two_sources_that_expect_the_same_birth_tell_of_one_child(intake: Intake) -> None:
    first = await intake.take(example("anticipatory"), "a-1", kind="anticipatory")
    again = await intake.take(example("anticipatory"), "a-2", "police-1", kind="anticipatory")

    (one,), (two,) = signals(first), signals(again)
    assert one["child"] == two["child"]
    assert (one["age_band"], one["provisional"], two["provisional"]) == ("unborn", True, True)
    assert b"010594" not in again.answers[0].value


async def test_after_birth_the_same_parents_next_child_is_another(intake: Intake) -> None:
    first = await intake.take(example("anticipatory"), "a-1", kind="anticipatory")
    child = signals(first)[0]["child"]
    born = {"child": child, "hetu": make_hetu(NOW.date(), 906).value}

    answer = await intake.http.post("/internal/identity", json=born, headers=DESK)

    assert answer.status_code == 200, answer.text
    later = await intake.take(example("anticipatory"), "a-2", kind="anticipatory")
    assert signals(later)[0]["child"] != child


# --- corrections ---------------------------------------------------------------------------------


async def test_a_correction_names_the_signal_whose_place_it_takes(intake: Intake) -> None:
    first = await intake.take(NOTIFICATION, "n-1")

    row = await intake.take({**NOTIFICATION, "corrects": "n-1"}, "n-2")

    (before,), (after,) = signals(first), signals(row)
    assert (after["corrects"], after["child"]) == (before["id"], before["child"])
    assert after["receipt_id"] != before["receipt_id"]


async def test_a_correction_in_the_same_batch_is_linked_too(intake: Intake) -> None:
    corrected = intake.read({**NOTIFICATION, "corrects": "n-1"}, "n-2")

    first, second = await intake.take_all([intake.read(NOTIFICATION, "n-1"), corrected])

    assert signals(second)[0]["corrects"] == signals(first)[0]["id"]


async def test_a_child_whom_a_correction_leaves_out_is_told_so(intake: Intake) -> None:
    both = {**NOTIFICATION, "children": [*NOTIFICATION["children"], SISTER]}
    first = await intake.take(both, "n-1")

    row = await intake.take({**NOTIFICATION, "corrects": "n-1"}, "n-2")

    kept, left_out = signals(row)
    sister = signals(first)[1]
    assert kept["corrects"] == signals(first)[0]["id"]
    assert (left_out["kind"], left_out["child"]) == ("withdrawn", sister["child"])
    assert left_out["withdraws"] == sister["id"]


async def test_a_nameless_child_stays_the_same_in_a_correction(intake: Intake) -> None:
    nameless = {**NOTIFICATION, "children": [{"name": "Testi Lapsi"}]}
    first = await intake.take(nameless, "n-1")

    row = await intake.take({**nameless, "observations": "Toisin.", "corrects": "n-1"}, "n-2")

    assert signals(row)[0]["child"] == signals(first)[0]["child"]
    assert signals(row)[0]["provisional"]


async def test_nobody_corrects_what_another_source_sent(intake: Intake) -> None:
    await intake.take(NOTIFICATION, "n-1", "police-1")

    row = await intake.take({**NOTIFICATION, "corrects": "n-1"}, "n-2", "school-1")

    assert (row.outcome, row.reason) == ("applied", "corrects-unknown")
    assert receipt(row)["note"] == "corrects-unknown"
    assert signals(row)[0]["corrects"] is None


# --- withdrawals ---------------------------------------------------------------------------------


async def test_a_withdrawal_is_told_about_each_child_and_its_reason_is_sealed(
    intake: Intake,
) -> None:
    both = {**NOTIFICATION, "children": [*NOTIFICATION["children"], SISTER]}
    first = await intake.take(both, "n-1")

    row = await intake.take(example("withdrawal"), "w-1", kind="withdrawal")

    assert [s["withdraws"] for s in signals(row)] == [s["id"] for s in signals(first)]
    assert [s["child"] for s in signals(row)] == [s["child"] for s in signals(first)]
    assert receipt(row)["outcome"] == "accepted"
    assert all(b"koski toista lasta" not in answer.value for answer in row.answers)
    for signal in signals(row):
        events.Withdrawn.model_validate(signal, strict=False)


async def test_a_withdrawal_of_what_never_came_is_kept_and_can_be_sent_again_after_it(
    intake: Intake,
) -> None:
    refused = await intake.post(example("withdrawal"), "w-1", path=WITHDRAWAL.path)
    await intake.take(NOTIFICATION, "n-1")

    again = await intake.post(example("withdrawal"), "w-1", path=WITHDRAWAL.path)

    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (
        422, "withdraws-unknown",
    )  # fmt: skip
    assert again.status_code == 202
    asked = await intake.http.get("/v1/messages/school-1/w-1", headers=bearer("school-1"))
    assert asked.json()["state"] == "accepted"
