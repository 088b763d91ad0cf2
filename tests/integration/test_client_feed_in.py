"""The client feed at intake, on a real PostgreSQL: whose state it is, sealed, the newest counts."""

import asyncio
from typing import Any

import orjson
import pytest

from services.intake.feeds import at_topic
from services.intake.handlers import messages
from shared import events
from shared.contract import EXAMPLES
from shared.events import ClientSignal
from shared.hetu import make_hetu
from shared.inbox import Incoming, Unreadable
from tests.intakeside import DESK, NOW, Intake, told
from tests.intakeside import intake as plain_intake
from tests.system import NOTIFICATION

__all__ = ["plain_intake"]

EXAMPLE: dict[str, Any] = orjson.loads((EXAMPLES / "client.json").read_bytes())
OTHER = make_hetu(NOW.date().replace(year=2015), 907).value


@pytest.fixture
async def intake(plain_intake: Intake) -> Intake:
    """Intake that believes the client feed of one source."""
    feeders = {"client": frozenset({"cis-1"})}
    plain_intake.inbox = messages(plain_intake.sealer, lambda: NOW, feeders)
    return plain_intake


async def say(intake: Intake, ident: str = "s-1", source: str = "cis-1", **changes: Any) -> Any:
    return await intake.take({**EXAMPLE, **changes}, ident, source, kind="client")


def signals(row: Any) -> list[ClientSignal]:
    return [ClientSignal.model_validate(s, strict=False) for s in told(row, events.SIGNAL)]


def receipt(row: Any) -> dict[str, Any]:
    return told(row, events.INTAKE_RECEIPT)[0]


async def test_a_state_is_told_of_the_same_child_as_a_notification(intake: Intake) -> None:
    notified = await intake.take(NOTIFICATION)

    row = await say(intake)

    (signal,) = signals(row)
    assert str(signal.child) == told(notified, events.SIGNAL)[0]["child"]
    assert (signal.clientship, signal.worker, signal.placement) == (
        "child_protection", "sosse", "care",
    )  # fmt: skip
    assert (signal.moves, signal.turvakielto, signal.version) == (2, "no", 7)
    assert signal.lives_here == "yes"
    assert receipt(row)["outcome"] == "accepted"


async def test_what_a_state_leaves_out_is_unknown_and_never_no(intake: Intake) -> None:
    person = {"hetu": EXAMPLE["person"]["hetu"]}
    row = await intake.take(
        {"reference": "A-1", "version": 1, "person": person}, "s-1", "cis-1", kind="client"
    )

    (signal,) = signals(row)
    said = {signal.clientship, signal.placement, signal.interpreter, signal.turvakielto}
    assert said | {signal.lives_here} == {"unknown"}
    assert {signal.moves, signal.worker, signal.household, signal.since} == {None}


async def test_no_person_place_or_household_travels_in_the_clear(intake: Intake) -> None:
    row = await say(intake)

    sent = b"".join(answer.key + answer.value for answer in row.answers)
    for canary in ("Testi", "010594", "Esimerk", "0000001", "unit-12", "H-881", "K-17", "PL 1"):
        assert canary.encode() not in sent, canary
    async with intake.pool.acquire() as conn:
        kept = [dict(r) for r in await conn.fetch("SELECT * FROM client_reference")]
    assert "A-2041" not in str(kept)


async def test_an_older_state_that_comes_later_changes_nothing_and_is_kept(intake: Intake) -> None:
    await say(intake, "s-2", version=8)

    late = await say(intake, "s-1", version=7)

    assert signals(late) == []
    assert (late.outcome, late.reason, receipt(late)["note"]) == (
        "applied", "older-version", "older-version",
    )  # fmt: skip
    assert late.body is not None


async def test_versions_in_one_batch_count_in_the_order_they_came(intake: Intake) -> None:
    def read(version: int) -> Any:
        state = {**EXAMPLE, "version": version}
        return intake.read(state, f"s-{version}", "cis-1", kind="client")

    rows = await intake.take_all([read(2), read(3), read(1)])

    assert [[s.version for s in signals(row)] for row in rows] == [[2], [3], []]


async def test_two_processes_that_meet_one_reference_take_its_versions_one_by_one(
    intake: Intake,
) -> None:
    rows = await asyncio.gather(*(say(intake, f"s-{n}", version=n) for n in range(1, 5)))

    children = {s.child for row in rows for s in signals(row)}
    assert len(children) == 1
    async with intake.pool.acquire() as conn:
        assert 4 == await conn.fetchval("SELECT version FROM client_reference")


async def test_a_reference_that_means_another_child_now_leaves_the_first(intake: Intake) -> None:
    (first,) = signals(await say(intake))

    row = await say(intake, "s-2", version=8, person={"hetu": OTHER})

    now, left = signals(row)
    assert (left.child, left.moved, left.version) == (first.child, True, 8)
    assert left.clientship == "unknown"
    assert left.person is None
    assert (now.moved, now.child != first.child) == (False, True)


async def test_a_client_without_a_code_is_the_same_child_in_every_state(intake: Intake) -> None:
    person = {"name": "Testi Lapsi", "birth_date": "2015-05-05"}

    (first,) = signals(await say(intake, person=person))
    (second,) = signals(await say(intake, "s-2", version=8, person=person))

    assert first.child == second.child


async def test_one_household_of_a_source_is_one_random_id(intake: Intake) -> None:
    (one,) = signals(await say(intake))
    (two,) = signals(await say(intake, "s-2", reference="A-9", person={"hetu": OTHER}))
    (other,) = signals(await say(intake, "s-3", reference="A-10", household="H-1"))

    assert one.household == two.household != other.household


@pytest.mark.parametrize(
    ("child", "guardian", "protected"),
    [("no", "yes", "yes"), ("yes", "no", "yes"), ("no", "unknown", "unknown"), ("no", "no", "no")],
)
async def test_a_guardians_protection_is_the_childs(
    intake: Intake, child: str, guardian: str, protected: str
) -> None:
    guardians = [{"name": "Testi Huoltaja", "turvakielto": guardian}]

    (signal,) = signals(await say(intake, turvakielto=child, guardians=guardians))

    assert signal.turvakielto == protected


# --- who may feed --------------------------------------------------------------------------------


async def test_a_source_that_the_county_has_not_named_makes_nobody_a_client(
    intake: Intake,
) -> None:
    row = await say(intake, source="school-1")

    assert (row.outcome, row.reason) == ("quarantined", "not-your-kind")
    assert all(s.get("kind") == "set_aside" for s in told(row, events.SIGNAL))


async def test_over_http_too_and_taking_it_again_does_not_help(plain_intake: Intake) -> None:
    answer = await plain_intake.post(EXAMPLE, path="/v1/clients")

    assert answer.status_code == 403, answer.text
    item = answer.json()["receipt_id"]
    again = await plain_intake.http.post(f"/internal/set-aside/{item}/redrive", headers=DESK)
    assert again.status_code == 422


def test_a_feed_is_not_taken_from_another_topic(intake: Intake) -> None:
    read = intake.read(EXAMPLE, "s-1", "cis-1", kind="client")
    assert isinstance(read, Incoming)

    here = at_topic(intake.inbox, events.INTAKE_CLIENT).read(read.raw)
    there = at_topic(intake.inbox, events.INTAKE_NOTIFICATION).read(read.raw)

    assert isinstance(here, Incoming)
    assert isinstance(there, Unreadable)
    assert there.reason == "wrong-topic"


@pytest.mark.parametrize(
    "change",
    [
        {"reference": "010594Y9032"},
        {"responsible_worker": "010594-9032"},
        {"version": -1},
        {"version": 2**53 + 1},
        {"version": True},
        {"clientship": "maybe"},
        {"turvakielto": None},
        {"person": {"name": "Testi"}},
        {"guardians": [{"name": "T\u0000"}]},
        {"moves": [{"on": "2026-02-30"}]},
        {"unit": "x" * 200},
        {"secret_field": 1},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_hostile_content_is_set_aside_without_a_word_of_it(
    intake: Intake, change: dict[str, Any]
) -> None:
    row = await say(intake, **change)

    assert (row.outcome, row.reason) == ("quarantined", "invalid-content")
    assert "010594" not in receipt(row)["mend"]
    assert "secret_field" not in receipt(row)["mend"]


async def test_a_mended_state_closes_what_was_set_aside(intake: Intake) -> None:
    await say(intake, clientship="maybe")

    row = await say(intake)

    kinds = [(s["kind"], s.get("state")) for s in told(row, events.SIGNAL)]
    assert kinds == [("client", None), ("set_aside", "closed")]


async def test_the_same_state_again_is_a_repeat(intake: Intake) -> None:
    first = await say(intake)

    again = await say(intake)

    assert (again.outcome, receipt(again)["receipt_id"]) == (
        "repeated", receipt(first)["receipt_id"],
    )  # fmt: skip
