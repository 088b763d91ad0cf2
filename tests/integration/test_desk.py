"""The desk on a real PostgreSQL: acts, clocks, who may what, and what nobody may see."""

import asyncio
import base64
import os
import re
import socket
import sys
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import httpx2
import orjson
import pytest
from starlette.responses import Response

from services.routing.desk.app import build_app
from services.routing.desk.intake import Intake
from services.routing.desk.queues import QUEUES
from services.routing.desk.sessions import Sessions
from shared.events import CodedFacts
from tests.builders import NOON, WORDS, AChild, SetClock
from tests.deskside import Desk, a_desk, desk_settings

DANGER = CodedFacts(in_danger="yes")


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
async def desk(database_url: str, tmp_path: Path, clock: SetClock) -> AsyncIterator[Desk]:
    async with a_desk(database_url, tmp_path, clock) as desk:
        yield desk


async def judged(desk: Desk, child: AChild | None = None, answer: str = "not_urgent") -> Any:
    """A notification whose urgency has been judged."""
    signal = await desk.cases.notified(child)
    told = await desk.post("aino", f"/checks/{signal.id}/answer", answer=answer, reason="Soitettu.")
    assert 200 == told.status_code, told.text
    return signal


async def running(desk: Desk, about: str) -> set[str]:
    rows = await desk.rows("SELECT kind FROM clock WHERE about = $1 AND stopped_at IS NULL", about)
    return {row["kind"] for row in rows}


class Unborn(AChild):
    """A child of an anticipatory notification."""

    def card(self) -> bytes:
        parent = {"name": "Testi Odottaja", "birth_date": "1994-05-01"}
        return orjson.dumps({"expecting_parent": parent, "due_date": "2027-02-14"})


async def events_of(desk: Desk) -> list[dict[str, Any]]:
    rows = await desk.rows("SELECT value FROM outbox ORDER BY id")
    return [orjson.loads(row["value"]) for row in rows]


# --- urgency ------------------------------------------------------------------------------------


async def test_an_answered_check_stops_its_clock_and_decides_the_holder_anew(desk: Desk) -> None:
    signal = await desk.cases.notified()
    desk.clock.forward(minutes=10)

    told = await desk.post(
        "aino", f"/checks/{signal.id}/answer", answer="not_urgent", reason="Lapsi on turvassa."
    )

    assert 200 == told.status_code
    assert {"assessment_start", "family_told", "assessment_finish"} == await running(
        desk, signal.id
    )
    case = await desk.get("aino", f"/cases/{signal.child}")
    assert ("not_urgent", "initial_assessment") == (case["urgency"], case["holder"])
    (event,) = await events_of(desk)
    assert ("urgency_answered", 2, signal.id) == (event["kind"], event["seq"], event["about"])
    assert "initial_assessment" == event["holder"]
    (act,) = await desk.rows("SELECT * FROM act")
    assert act["reason"].startswith("s1.")
    assert "turvassa" not in act["reason"]


async def test_a_case_stays_open_until_every_check_is_answered(desk: Desk) -> None:
    child = AChild()
    first = await desk.cases.notified(child)
    second = await desk.cases.notified(child)

    await desk.post("aino", f"/checks/{first.id}/answer", answer="not_urgent", reason="Ei.")
    before = await desk.get("aino", f"/cases/{child.id}")
    await desk.post("aino", f"/checks/{second.id}/answer", answer="urgent", reason="Kyllä.")
    after = await desk.get("aino", f"/cases/{child.id}")

    assert ("open", "duty") == (before["urgency"], before["holder"])
    assert ("urgent", "duty") == (after["urgency"], after["holder"])
    assert "urgency" not in await running(desk, first.id)


async def test_two_workers_answer_one_check_and_one_wins(desk: Desk) -> None:
    signal = await desk.cases.notified()

    answers = await asyncio.gather(
        desk.post("aino", f"/checks/{signal.id}/answer", answer="urgent", reason="Ainon syy."),
        desk.post("eero", f"/checks/{signal.id}/answer", answer="not_urgent", reason="Eeron syy."),
    )

    lost = next(a for a in answers if a.status_code == 409)
    assert [200, 409] == sorted(a.status_code for a in answers)
    problem = lost.json()
    assert {problem["theirs"]["reason"], problem["yours"]["reason"]} == {
        "Ainon syy.",
        "Eeron syy.",
    }
    assert 1 == len(await desk.rows("SELECT 1 FROM act"))
    assert 1 == len(await events_of(desk))


async def test_the_second_worker_sees_who_did_what_and_keeps_the_own_text(desk: Desk) -> None:
    signal = await desk.cases.notified()
    async with desk.browser("eero") as eero:
        page = await eero.open(f"/cases/{signal.child}")
        await desk.post(
            "aino", f"/checks/{signal.id}/answer", answer="urgent", reason="Aino ensin."
        )

        told = await eero.send(
            page,
            f"/checks/{signal.id}/answer",
            {"answer": "not_urgent", "reason": "Eeron oma pitkä teksti."},
        )

    assert 409 == told.status_code
    for text in ("Aino Esimerkki", "Aino ensin.", "Eeron oma pitkä teksti.", "Urgent"):
        assert text in told.text


async def hand_on(desk: Desk, child: AChild, holder: str = "initial_assessment") -> None:
    case = await desk.get("aino", f"/cases/{child.id}")
    told = await desk.post(
        "aino", f"/cases/{child.id}/holder", holder=holder, holder_seq=case["holder_seq"],
        after=case["holder_act"], reason="Siirretään.",
    )  # fmt: skip
    assert 200 == told.status_code, told.text


async def test_a_new_notification_brings_a_child_who_was_handed_on_back_to_duty(desk: Desk) -> None:
    child = AChild()
    await judged(desk, child, "urgent")
    await hand_on(desk, child)
    before = await desk.get("aino", f"/cases/{child.id}")

    second = await desk.cases.notified(child)

    case = await desk.get("aino", f"/cases/{child.id}")
    assert ("initial_assessment", "duty") == (before["holder"], case["holder"])
    assert (None, None) == (case["confirmed_holder"], case["holder_act"])
    assert before["holder_seq"] < case["holder_seq"]
    refused = await desk.post(
        "aino", f"/cases/{child.id}/holder", holder="own_worker", holder_seq=case["holder_seq"],
        reason="Syy.",
    )  # fmt: skip
    assert "urn:luotsi:problem:urgency-open" == refused.json()["type"]
    async with desk.browser("aino") as aino:
        page = (await aino.open(f"/cases/{child.id}")).text
    assert "until its urgency has been judged" in page
    assert second.id in page


async def test_an_urgent_answer_asks_anew_who_holds_the_case(desk: Desk) -> None:
    child = AChild()
    await judged(desk, child, "urgent")
    second = await desk.cases.notified(child)
    opened = await desk.get("aino", f"/cases/{child.id}")
    await desk.post("aino", f"/checks/{second.id}/answer", answer="urgent", reason="Heti.")

    stale = await desk.post(
        "eero", f"/cases/{child.id}/holder", holder="own_worker", holder_seq=opened["holder_seq"],
        reason="Syy.",
    )  # fmt: skip

    assert "urn:luotsi:problem:proposal-changed" == stale.json()["type"]
    assert "duty" == (await desk.get("aino", f"/cases/{child.id}"))["holder"]


@pytest.mark.parametrize(("begun", "urgency"), [(True, "not_urgent"), (False, "urgent")])
async def test_an_urgent_matter_counts_until_its_assessment_has_begun(
    desk: Desk,
    begun: bool,  # noqa: FBT001 -- a case of the test
    urgency: str,
) -> None:
    child = AChild()
    await judged(desk, child, "urgent")
    if begun:
        await desk.post("sosse", f"/cases/{child.id}/assessment-started")

    await judged(desk, child, "not_urgent")

    assert urgency == (await desk.get("aino", f"/cases/{child.id}"))["urgency"]


# --- holder and destinations ----------------------------------------------------------------------


async def test_a_holder_is_confirmed_once_and_can_be_changed_by_naming_what_is_replaced(
    desk: Desk,
) -> None:
    signal = await judged(desk)
    path = f"/cases/{signal.child}"
    case = await desk.get("aino", path)
    ask = {"holder": case["proposed_holder"], "holder_seq": case["holder_seq"]}

    first = await desk.post("aino", f"{path}/holder", **ask)
    again = await desk.post("eero", f"{path}/holder", **ask)
    case = await desk.get("aino", path)
    changed = await desk.post(
        "eero", f"{path}/holder", holder="own_worker", holder_seq=case["holder_seq"],
        after=case["holder_act"], reason="Asiakas jo.",
    )  # fmt: skip

    assert [200, 409, 200] == [first.status_code, again.status_code, changed.status_code]
    assert "holder_confirmed" == again.json()["theirs"]["kind"]
    case = await desk.get("aino", path)
    assert ("own_worker", "initial_assessment") == (case["holder"], case["proposed_holder"])
    assert {"assessment_start", "family_told", "assessment_finish"} == await running(
        desk, signal.id
    )


async def test_another_holder_needs_a_reason_and_a_judged_urgency(desk: Desk) -> None:
    signal = await desk.cases.notified()
    path = f"/cases/{signal.child}/holder"
    case = await desk.get("aino", f"/cases/{signal.child}")

    early = await desk.post(
        "aino", path, holder="own_worker", holder_seq=case["holder_seq"], reason="Syy."
    )
    await desk.post("aino", f"/checks/{signal.id}/answer", answer="not_urgent", reason="Ei.")
    stale = await desk.post(
        "aino", path, holder="own_worker", holder_seq=case["holder_seq"], reason="Syy."
    )
    case = await desk.get("aino", f"/cases/{signal.child}")
    bare = await desk.post("aino", path, holder="own_worker", holder_seq=case["holder_seq"])

    assert "urn:luotsi:problem:urgency-open" == early.json()["type"]
    assert "urn:luotsi:problem:proposal-changed" == stale.json()["type"]
    assert "urn:luotsi:problem:reason-needed" == bare.json()["type"]


async def test_a_destination_is_answered_once_and_named_by_its_number(desk: Desk) -> None:
    signal = await judged(desk)
    path = f"/cases/{signal.child}/destinations/basic_services"

    wrong = await desk.post("aino", path, answer="accepted", number=7, reason="Sopii.")
    first = await desk.post("aino", path, answer="accepted", number=1, reason="Sopii.")
    second = await desk.post("eero", path, answer="declined", number=1, reason="Ei sovi.")

    assert [409, 200, 409] == [wrong.status_code, first.status_code, second.status_code]
    assert "Sopii." == second.json()["theirs"]["reason"]
    listed = await desk.get("aino", "/queues/basic_services/accepted")
    assert [str(signal.child)] == [item["child"] for item in listed["items"]]
    assert [] == (await desk.get("aino", "/queues/basic_services/proposed"))["items"]
    assert "destination_accepted" == (await events_of(desk))[-1]["kind"]


async def test_what_was_declined_is_proposed_again_when_a_later_notification_leads_to_it(
    desk: Desk,
) -> None:
    child = AChild()
    await judged(desk, child)
    path = f"/cases/{child.id}/destinations/basic_services"
    await desk.post("aino", path, answer="declined", number=1, reason="Ei tarvetta.")
    (before,) = (await desk.get("aino", f"/cases/{child.id}"))["proposals"]

    await judged(desk, child)
    (again,) = (await desk.get("aino", f"/cases/{child.id}"))["proposals"]
    accepted = await desk.post("aino", path, answer="accepted", number=2, reason="Nyt sopii.")
    await judged(desk, child)
    proposals = (await desk.get("aino", f"/cases/{child.id}"))["proposals"]
    stands, piling_up = sorted(proposals, key=lambda each: str(each["destination"]))

    assert "systemic_team" == piling_up["destination"], "of the third notification"
    assert ("declined", 1) == (before["state"], before["number"])
    assert ("proposed", 2) == (again["state"], again["number"])
    assert 200 == accepted.status_code
    assert ("accepted", 2) == (stands["state"], stands["number"])


async def test_the_list_of_a_destination_tells_why_it_is_proposed_and_no_other(desk: Desk) -> None:
    child = AChild()
    facts = CodedFacts(reasons=("LOCAL-REASON-ILLNESS", "LOCAL-REASON-GUARDIAN-EXHAUSTION"))
    signal = await desk.cases.notified(child, facts=facts)
    await desk.post("aino", f"/checks/{signal.id}/answer", answer="not_urgent", reason="Soitettu.")
    proposed = {
        p["destination"] for p in (await desk.get("aino", f"/cases/{child.id}"))["proposals"]
    }

    whys = {}
    for each in proposed:
        (item,) = (await desk.get("aino", f"/queues/{each}/proposed"))["items"]
        whys[each] = set(item["why"])

    assert {"systemic_team", "lets_talk"} <= proposed
    assert len(proposed) == len({why for texts in whys.values() for why in texts})
    assert all(len(texts) == 1 for texts in whys.values())


# --- assessment -----------------------------------------------------------------------------------


async def test_each_act_of_the_assessment_stops_its_own_clock_only(desk: Desk) -> None:
    signal = await judged(desk)
    path = f"/cases/{signal.child}"

    early = await desk.post("sosse", f"{path}/assessment-finished")
    await desk.post("sosse", f"{path}/assessment-started")
    assert {"family_told", "assessment_finish"} == await running(desk, signal.id)
    await desk.post("aino", f"{path}/family-told")
    assert {"assessment_finish"} == await running(desk, signal.id)
    await desk.post("kaisa", f"{path}/assessment-finished")

    assert "urn:luotsi:problem:not-started" == early.json()["type"]
    assert set() == await running(desk, signal.id)
    assert [] == (await desk.get("aino", "/queues/initial_assessment/initial_assessment"))["items"]


async def test_an_unnecessary_assessment_needs_ground_and_text_and_leaves_the_family_clock(
    desk: Desk,
) -> None:
    signal = await judged(desk)
    path = f"/cases/{signal.child}/manifestly-unnecessary"

    bare = await desk.post("sosse", path, ground="other", reason="  ")
    told = await desk.post("sosse", path, ground="recently_assessed", reason="Arvioitu kesällä.")

    assert 422 == bare.status_code
    assert 200 == told.status_code
    assert {"family_told"} == await running(desk, signal.id)


async def test_a_later_notification_is_not_covered_by_what_a_page_named_before(desk: Desk) -> None:
    child = AChild()
    first = await judged(desk, child)
    desk.clock.forward(hours=2)
    second = await desk.cases.notified(child)

    told = await desk.post(
        "sosse", f"/cases/{child.id}/assessment-started", notifications=[first.id]
    )
    again = await desk.post(
        "kaisa", f"/cases/{child.id}/assessment-started", notifications=[first.id]
    )

    assert [200, 409] == [told.status_code, again.status_code]
    assert "Sosse Koe" == again.json()["theirs"]["worker"]
    assert "assessment_start" in await running(desk, second.id)


async def test_a_duty_worker_may_not_record_an_assessment(desk: Desk) -> None:
    signal = await judged(desk)

    refused = await desk.post("aino", f"/cases/{signal.child}/assessment-started")

    assert (403, "urn:luotsi:problem:role-needed") == (
        refused.status_code,
        refused.json()["type"],
    )
    assert "assessment_start" in await running(desk, signal.id)


# --- when it was done ----------------------------------------------------------------------------


async def test_clocks_are_judged_by_when_it_was_done_and_the_record_shows_both(desk: Desk) -> None:
    signal = await desk.cases.notified()
    done = NOON + timedelta(minutes=20)
    desk.clock.forward(hours=3)

    await desk.post(
        "aino", f"/checks/{signal.id}/answer", answer="urgent", reason="Puhelimessa.",
        done_at=done.isoformat(),
    )  # fmt: skip

    (clock_row,) = await desk.rows("SELECT * FROM clock WHERE kind = 'urgency'")
    assert (done, desk.clock()) == (clock_row["stopped_at"], clock_row["recorded_at"])
    (act,) = await desk.rows("SELECT * FROM act")
    assert (done, desk.clock()) == (act["done_at"], act["recorded_at"])


@pytest.mark.parametrize(
    ("done", "code"),
    [
        (timedelta(hours=4), "done-in-future"),
        (timedelta(minutes=-2), "done-before-receipt"),
    ],
)
async def test_an_act_is_never_done_ahead_of_the_clock_nor_before_the_receipt(
    desk: Desk, done: timedelta, code: str
) -> None:
    signal = await desk.cases.notified()
    desk.clock.forward(hours=3)

    refused = await desk.post(
        "aino", f"/checks/{signal.id}/answer", answer="urgent", reason="Syy.",
        done_at=(NOON + done).isoformat(),
    )  # fmt: skip

    assert (422, f"urn:luotsi:problem:{code}") == (refused.status_code, refused.json()["type"])
    assert "urgency" in await running(desk, signal.id)


# --- set aside, identity ------------------------------------------------------------------------


async def test_a_message_set_aside_is_closed_with_a_reason_and_its_clocks_stop(desk: Desk) -> None:
    item = await desk.cases.set_aside(service="notifications")
    listed = await desk.get("aino", "/queues/duty/set_aside")

    first = await desk.post("aino", f"/set-aside/{item}/close", reason="Soitettu lähettäjälle.")
    second = await desk.post("eero", f"/set-aside/{item}/close", reason="Minäkin.")

    assert [str(item)] == [row["key"] for row in listed["items"]]
    assert [200, 409] == [first.status_code, second.status_code]
    assert "Soitettu lähettäjälle." == second.json()["theirs"]["reason"]
    assert set() == await running(desk, str(item))
    (event,) = await events_of(desk)
    assert ("duty_item_closed", 2) == (event["kind"], event["seq"])


async def test_an_items_clocks_are_judged_by_when_it_was_dealt_with(
    database_url: str, tmp_path: Path, clock: SetClock
) -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        return httpx2.Response(200, json={})

    intake = an_intake(database_url, tmp_path, answer)
    async with a_desk(database_url, tmp_path, clock, intake) as desk:
        item = await desk.cases.set_aside()
        clock.forward(hours=2)
        path, done = f"/set-aside/{item}/close", NOON + timedelta(minutes=20)
        early = await desk.post(
            "aino", path, reason="Soitettu.", done_at=(NOON - timedelta(hours=1)).isoformat()
        )
        told_early = list(asked)
        closed = await desk.post("aino", path, reason="Soitettu.", done_at=done.isoformat())
        rows = await desk.rows("SELECT stopped_at, recorded_at FROM clock")
        (event,) = await events_of(desk)

    assert "urn:luotsi:problem:done-before-receipt" == early.json()["type"]
    assert [] == told_early
    assert (200, 1) == (closed.status_code, len(asked))
    assert {(done, clock())} == {tuple(row) for row in rows}
    assert done.isoformat() == event["done_at"]


async def test_only_a_supervisor_records_what_lies_more_than_31_days_back(
    database_url: str, tmp_path: Path, clock: SetClock
) -> None:
    sessions = Sessions(desk_settings(database_url, tmp_path), clock)
    async with a_desk(database_url, tmp_path, clock, demo=False) as desk:
        signal = await desk.cases.notified(received_at=NOON - timedelta(days=60))
        done = NOON - timedelta(days=40)
        ask = {"answer": "not_urgent", "reason": "Jäi kirjaamatta.", "done_at": done.isoformat()}
        told = []
        for worker in ("aino", "sosse", "kaisa"):
            answer = Response()
            sessions.start(answer, worker, secure=False)
            cookie = answer.headers["set-cookie"].partition(";")[0]
            async with desk.client(Cookie=cookie) as client:
                told.append(await client.post(f"/api/v1/checks/{signal.id}/answer", json=ask))
        (row,) = await desk.rows("SELECT stopped_at FROM clock WHERE kind = 'urgency'")

    assert [422, 422, 200] == [answer.status_code for answer in told]
    assert "urn:luotsi:problem:done-too-long-ago" == told[1].json()["type"]
    assert done == row["stopped_at"]


async def test_a_page_that_is_not_there_does_not_repeat_what_was_asked_for(desk: Desk) -> None:
    async with desk.browser("aino") as aino:
        answer = await aino.client.get("/cases/Kanarianlintu", headers={"accept": "text/html"})

    assert answer.status_code == 404
    assert "<html" in answer.text
    assert "Kanarianlintu" not in answer.text


async def test_what_intake_set_aside_is_closed_there_first_or_not_at_all(desk: Desk) -> None:
    item = await desk.cases.set_aside()  # nobody answers at intake's address here

    refused = await desk.post("aino", f"/set-aside/{item}/close", reason="Soitettu.")

    assert refused.status_code == 503
    assert "urgency" in await running(desk, str(item))


async def test_who_a_child_is_goes_to_intake_in_the_workers_name_and_is_not_kept_here(
    database_url: str, tmp_path: Path, clock: SetClock
) -> None:
    asked: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return httpx2.Response(200, json={"child": "x", "state": "identified"})

    intake = an_intake(database_url, tmp_path, answer)
    async with a_desk(database_url, tmp_path, clock, intake) as desk:
        child = AChild(known=False)
        await desk.cases.notified(child)
        told = await desk.post("aino", f"/cases/{child.id}/identity", hetu=child.hetu, name="Testi")
        acts = await desk.rows("SELECT * FROM act")

    assert 200 == told.status_code
    (request,) = asked
    assert ("Bearer t", "aino") == (
        request.headers["authorization"],
        request.headers["x-luotsi-worker"],
    )
    assert {"child": str(child.id), "hetu": child.hetu, "name": "Testi"} == orjson.loads(
        request.content
    )
    assert child.hetu not in str([dict(act) for act in acts])


@pytest.mark.parametrize(
    ("status", "kind", "told"),
    [
        (409, "known-identity", (409, "known-identity")),
        (422, "invalid-hetu", (422, "invalid-hetu")),
        (500, "broken", (503, "intake-away")),
        (401, "unknown-token", (503, "intake-away")),
    ],
)
async def test_what_intake_refuses_is_told_and_no_act_is_kept(
    database_url: str,
    tmp_path: Path,
    clock: SetClock,
    status: int,
    kind: str,
    told: tuple[int, str],
) -> None:
    intake = an_intake(
        database_url,
        tmp_path,
        lambda _: httpx2.Response(status, json={"type": f"urn:luotsi:problem:{kind}"}),
    )
    async with a_desk(database_url, tmp_path, clock, intake) as desk:
        child = AChild(known=False)
        await desk.cases.notified(child)
        answer = await desk.post(
            "aino", f"/cases/{child.id}/identity", hetu=child.hetu, name="Testi Toinen"
        )
        acts = await desk.rows("SELECT 1 FROM act")

    assert child.hetu not in answer.text
    assert "Testi" not in answer.text
    assert told == (answer.status_code, answer.json()["type"].rpartition(":")[2])
    assert [] == acts


async def test_the_original_of_a_message_is_shown_escaped_and_its_opening_is_noted(
    database_url: str, tmp_path: Path, clock: SetClock
) -> None:
    intake = an_intake(
        database_url,
        tmp_path,
        lambda _: httpx2.Response(200, json={"content": '{"name": "<b>Testi</b>"'}),
    )
    async with a_desk(database_url, tmp_path, clock, intake) as desk:
        item = await desk.cases.set_aside()
        async with desk.browser("aino") as aino:
            page = await aino.open(f"/items/{item}")
            whole = await aino.open(f"/items/{item}/original")
        audit = await desk.rows("SELECT act, subject FROM audit")

    assert "Testi" not in page.text
    assert "&lt;b&gt;Testi&lt;/b&gt;" in whole.text
    assert [("original-opened", str(item))] == [tuple(row) for row in audit]


async def test_a_marked_message_stands_before_everything_and_opens_its_original_at_intake(
    database_url: str, tmp_path: Path, clock: SetClock
) -> None:
    asked: list[str] = []

    def intake_answers(request: httpx2.Request) -> httpx2.Response:
        asked.append(f"{request.method} {request.url.path}")
        return httpx2.Response(200, json={"content": "Testi Vaarassa"})

    intake = an_intake(database_url, tmp_path, intake_answers)
    async with a_desk(database_url, tmp_path, clock, intake) as desk:
        await desk.cases.notified(facts=CodedFacts(in_danger="yes"))
        item = await desk.cases.marked()
        aside = await desk.cases.set_aside(urgent_item=uuid4())
        async with desk.browser("aino") as aino:
            page = (await aino.open("/queues/duty")).text
            whole = (await aino.open(f"/items/{item}/original")).text
        listed = [
            {each["key"] for each in (await desk.get("aino", f"/queues/duty/{name}"))["items"]}
            for name in ("marked", "set_aside")
        ]
        counts = await desk.rows("SELECT count(*) FROM audit WHERE subject = $1", str(item))

    first, case = page.index(f"/items/{item}"), page.index("/cases/")
    assert first < case
    assert "The sender marked immediate danger" in page
    assert [{str(item), str(aside)}, set()] == listed
    assert [f"GET /internal/urgent/{item}"] == asked
    assert "Testi Vaarassa" in whole
    assert [(1,)] == [tuple(row) for row in counts]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("fi", "Lähettäjä on merkinnyt välittömän vaaran: avaa viesti nyt"),
        ("sv", "Avsändaren har markerat omedelbar fara: öppna meddelandet nu"),
        ("en", "The sender marked immediate danger: open the message now"),
    ],
)
async def test_a_marked_message_says_so_in_the_readers_language(
    desk: Desk, language: str, words: str
) -> None:
    await desk.cases.marked()
    async with desk.browser("aino", language) as aino:
        page = await aino.open("/queues/duty")

    assert words in page.text


async def test_a_marked_message_is_closed_by_a_person_without_intake_and_never_taken_again_by_hand(
    desk: Desk,
) -> None:
    item = await desk.cases.marked()
    again = await desk.post("aino", f"/set-aside/{item}/redrive")
    closed = await desk.post("aino", f"/set-aside/{item}/close", reason="Soitettu ja käyty.")
    running = await desk.rows("SELECT FROM clock WHERE stopped_at IS NULL")

    assert (422, "has-its-turn") == (again.status_code, again.json()["type"].rpartition(":")[2])
    assert 200 == closed.status_code
    assert [] == running


async def test_what_waits_in_routing_is_opened_by_whoever_is_noted_first(
    desk: Desk, database_url: str
) -> None:
    child = AChild(name="Testi Odottava")
    item = await desk.cases.parked(child)
    path = f"/items/{item}/original"
    async with desk.client() as nobody:
        turned_away = await nobody.get(path)
    async with desk.browser("aino") as aino:
        closed = (await aino.open(f"/items/{item}")).text
        opened = (await aino.open(path)).text
    told = await desk.get("aino", f"/set-aside/{item}/original")
    audit = await desk.rows("SELECT actor, act, subject FROM audit")
    await _as_owner(database_url, "REVOKE INSERT ON routing.audit FROM luotsi_routing")
    try:
        async with desk.client("aino") as client:
            unnoted = await client.get(f"/api/v1/set-aside/{item}/original")
    finally:
        await _as_owner(database_url, "GRANT INSERT ON routing.audit TO luotsi_routing")

    assert 303 == turned_away.status_code
    assert path in closed
    assert "Testi Odottava" not in closed
    for words in ("Testi Odottava", child.hetu, WORDS):
        assert words in opened
    assert "Testi Ilmoittaja" not in opened
    assert ("Testi Odottava", WORDS) == (told["person"]["name"], told["text"]["observations"])
    assert [("aino", "original-opened", str(item))] * 2 == [tuple(row) for row in audit]
    assert 503 == unnoted.status_code
    assert WORDS not in unnoted.text


async def test_an_erased_message_that_waits_is_said_to_be_erased(
    desk: Desk, database_url: str
) -> None:
    child = AChild(name="Testi Odottava")
    item = await desk.cases.parked(child)
    await _as_owner(database_url, "DELETE FROM keys.data_key WHERE id = $1", child.id)
    async with desk.browser("aino") as aino:
        page = await aino.open(f"/items/{item}/original")

    assert 200 == page.status_code
    assert "Erased: this can no longer be read." in page.text
    assert "Testi Odottava" not in page.text


@pytest.mark.parametrize("body", [b"\xff", b"[]", b'{"person": 5}', b'{"person": "s1"}', b"{}"])
async def test_a_waiting_message_nobody_can_read_breaks_no_page(desk: Desk, body: bytes) -> None:
    item = await desk.cases.parked(AChild())
    await desk.pool.execute("UPDATE event_log SET body = $1", body)
    async with desk.browser("aino") as aino:
        page = await aino.open(f"/items/{item}/original")

    assert 200 == page.status_code
    assert "neither a person nor a text" in page.text


async def test_what_routing_set_aside_is_taken_again_here_in_order(desk: Desk) -> None:
    child = AChild()
    items = [await desk.cases.parked(child), await desk.cases.parked(child)]

    told = await desk.post("aino", f"/set-aside/{items[0]}/redrive")

    assert 200 == told.status_code, told.text
    case = await desk.get("aino", f"/cases/{child.id}")
    assert 2 == len(case["notifications"])
    assert [] == (await desk.get("aino", "/queues/duty/set_aside"))["items"]
    for item in items:
        assert set() == await running(desk, str(item))
    kinds = [event["kind"] for event in await events_of(desk)]
    assert ["screened", "screened", "duty_item_closed", "duty_item_closed"] == kinds
    again = await desk.post("eero", f"/set-aside/{items[0]}/redrive")
    assert 409 == again.status_code


@pytest.mark.parametrize("service", ["routing", "intake"])
async def test_what_is_parked_is_never_closed_while_it_can_be_taken_again(
    desk: Desk, service: str
) -> None:
    if service == "routing":
        item = await desk.cases.parked(AChild())
    else:
        item = await desk.cases.set_aside(outcome="parked")

    refused = await desk.post("aino", f"/set-aside/{item}/close", reason="Hoidettu puhelimitse.")
    async with desk.browser("eero") as eero:
        page = (await eero.open(f"/items/{item}")).text

    assert (422, "parked") == (refused.status_code, refused.json()["type"].rpartition(":")[2])
    assert 4 == len(await running(desk, str(item)))
    assert f'action="/items/{item}/redrive"' in page
    assert f'action="/items/{item}/close"' not in page
    assert "an engineer must mend the cause" in page


async def test_what_is_held_is_never_closed_by_hand_and_may_be_taken_at_once(desk: Desk) -> None:
    item = await desk.cases.set_aside(outcome="held", reason="source-paused")

    refused = await desk.post("aino", f"/set-aside/{item}/close", reason="Hoidettu puhelimitse.")
    async with desk.browser("eero") as eero:
        page = (await eero.open(f"/items/{item}")).text

    assert (422, "held") == (refused.status_code, refused.json()["type"].rpartition(":")[2])
    assert 4 == len(await running(desk, str(item)))
    assert "A message waits because its source is paused" in page
    assert f'action="/items/{item}/redrive"' in page
    assert f'action="/items/{item}/close"' not in page
    assert "an engineer must mend the cause" not in page


async def test_what_is_missing_can_be_seen_and_closed_but_not_taken_again(desk: Desk) -> None:
    item = await desk.cases.set_aside(outcome="missing", reason="messages-missing")

    refused = await desk.post("aino", f"/set-aside/{item}/redrive")
    async with desk.browser("eero") as eero:
        page = (await eero.open(f"/items/{item}")).text

    assert (422, "still-fails") == (refused.status_code, refused.json()["type"].rpartition(":")[2])
    assert 4 == len(await running(desk, str(item)))
    assert "A source sent messages that have not arrived" in page
    assert "See what is missing" in page
    assert f'action="/items/{item}/redrive"' not in page
    assert f'action="/items/{item}/close"' in page


async def test_a_message_that_still_cannot_be_applied_stays_at_the_desk(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = await desk.cases.parked(AChild())

    async def breaks(*_: object) -> None:
        raise RuntimeError("still broken")

    monkeypatch.setattr("services.routing.store.lock_cases", breaks)
    told = await desk.post("aino", f"/set-aside/{item}/redrive")

    assert (422, "still-fails") == (told.status_code, told.json()["type"].rpartition(":")[2])
    assert [str(item)] == [
        row["key"] for row in (await desk.get("aino", "/queues/duty/set_aside"))["items"]
    ]
    assert [2] == [row["attempts"] for row in await desk.rows("SELECT attempts FROM set_aside")]


# --- what nobody may see --------------------------------------------------------------------------


async def test_no_list_shows_a_name_or_a_text(desk: Desk) -> None:
    child = AChild(name="Näkymätön Nimi", known=False)
    await desk.cases.notified(child, facts=DANGER)
    await judged(desk, AChild(name="Toinen Nimi"))
    async with desk.browser("aino") as aino:
        for queue in ("duty", "initial_assessment", "basic_services"):
            page = (await aino.open(f"/queues/{queue}")).text
            assert "K-" in page
            for secret in ("Näkymätön", "Toinen", child.hetu, WORDS, "Ilmoittaja"):
                assert secret not in page


async def test_a_case_is_opened_only_after_the_audit_row_is_committed(desk: Desk) -> None:
    signal = await desk.cases.notified(AChild(name="Testi Avattu"))
    async with desk.browser("aino") as aino:
        page = await aino.open(f"/cases/{signal.child}")

    assert "Testi Avattu" in page.text
    assert WORDS in page.text
    assert "Testi Ilmoittaja" not in page.text
    (row,) = await desk.rows("SELECT * FROM audit")
    assert ("aino", "case-opened", str(signal.child)) == (row["actor"], row["act"], row["subject"])


async def test_nothing_is_shown_while_the_audit_trail_cannot_be_written(
    desk: Desk, database_url: str
) -> None:
    signal = await desk.cases.notified(AChild(name="Testi Avattu"))
    await _as_owner(database_url, "REVOKE INSERT ON routing.audit FROM luotsi_routing")
    try:
        async with desk.browser("aino") as aino:
            page = await aino.open(f"/cases/{signal.child}")
        async with desk.client("aino") as client:
            told = await client.get(f"/api/v1/cases/{signal.child}/content")
            act = await client.post(
                f"/api/v1/checks/{signal.id}/answer", json={"answer": "urgent", "reason": "Syy."}
            )
    finally:
        await _as_owner(database_url, "GRANT INSERT ON routing.audit TO luotsi_routing")

    for answer in (page, told):
        assert 503 == answer.status_code
        assert "Testi Avattu" not in answer.text
        assert WORDS not in answer.text
    assert act.status_code >= 500
    assert [] == await desk.rows("SELECT 1 FROM act")


async def test_what_was_erased_is_shown_as_erased(desk: Desk, database_url: str) -> None:
    signal = await desk.cases.notified(AChild(name="Testi Avattu"))
    await _as_owner(database_url, "DELETE FROM keys.data_key WHERE id = $1", signal.child)
    async with desk.browser("aino") as aino:
        page = await aino.open(f"/cases/{signal.child}")
    act = await desk.post("aino", f"/checks/{signal.id}/answer", answer="urgent", reason="Syy.")

    assert 200 == page.status_code
    assert "Erased" in page.text
    assert "Testi Avattu" not in page.text
    assert "urn:luotsi:problem:erased" == act.json()["type"]


async def test_a_text_about_several_children_is_marked(desk: Desk) -> None:
    signal = await desk.cases.notified(children=3)
    async with desk.browser("aino") as aino:
        page = await aino.open(f"/cases/{signal.child}")

    assert "names several children" in page.text


async def test_refusals_never_repeat_what_was_sent(desk: Desk) -> None:
    signal = await desk.cases.notified(AChild(known=False))

    bad = await desk.post("aino", f"/cases/{signal.child}/identity", hetu="Salainen-tunnus-123")
    wrong = await desk.post("aino", f"/checks/{signal.id}/answer", answer="Salainen", reason="x")

    for answer in (bad, wrong):
        assert 422 == answer.status_code
        assert "Salainen" not in answer.text


# --- who is there ---------------------------------------------------------------------------------


async def test_nobody_gets_in_without_logging_in(desk: Desk) -> None:
    signal = await desk.cases.notified()
    async with desk.client() as client:
        page = await client.get(f"/cases/{signal.child}")
        told = await client.get("/api/v1/queues/duty/checks")
        stream = await client.get("/events")
    async with desk.client("nobody") as client:
        unknown = await client.get("/api/v1/queues/duty/checks")

    assert (303, f"/login?next=/cases/{signal.child}") == (
        page.status_code,
        page.headers["location"],
    )
    assert [401, 401, 401] == [a.status_code for a in (told, stream, unknown)]


async def test_outside_the_demonstration_no_sample_worker_can_be_chosen(
    database_url: str, tmp_path: Path, clock: SetClock
) -> None:
    async with a_desk(database_url, tmp_path, clock, demo=False) as desk:
        async with desk.client() as client:
            page = await client.get("/login", headers={"Accept-Language": "fi"})
            chosen = await client.post("/login", data={"worker": "aino"})
        async with desk.client("aino") as client:
            told = await client.get("/api/v1/queues/duty/checks")

    assert [403, 403, 401] == [page.status_code, chosen.status_code, told.status_code]
    assert "vain esittelyssä" in page.text


async def test_a_withdrawn_worker_is_out_at_once(desk: Desk) -> None:
    async with desk.browser("aino") as aino:
        assert 200 == (await aino.open("/queues/duty")).status_code
        await desk.pool.execute("DELETE FROM worker WHERE id = 'aino'")
        assert 303 == (await aino.open("/queues/duty")).status_code


async def test_the_session_is_signed_and_ends(desk: Desk) -> None:
    async with desk.browser("aino") as aino:
        cookie = aino.client.cookies["luotsi_session"]
        desk.clock.forward(hours=11)
        late = await aino.open("/queues/duty")
    desk.clock.forward(hours=-11)
    async with desk.client(Cookie=f"luotsi_session={cookie[:-2]}xx") as client:
        forged = await client.get("/queues/duty")
    async with desk.client() as client:
        answer = await client.post("/login", data={"worker": "aino"})

    assert [303, 303] == [late.status_code, forged.status_code]
    flags = answer.headers["set-cookie"].lower()
    assert "httponly" in flags
    assert "samesite=strict" in flags


async def test_forged_forms_are_turned_away(desk: Desk) -> None:
    signal = await desk.cases.notified()
    fields = {"answer": "urgent", "reason": "Syy."}
    async with desk.browser("aino") as aino:
        bare = await aino.client.post(f"/checks/{signal.id}/answer", data=fields)
        foreign = await aino.client.post(
            f"/api/v1/checks/{signal.id}/answer", json=fields,
            headers={"Origin": "https://elsewhere.example"},
        )  # fmt: skip

    assert [403, 403] == [bare.status_code, foreign.status_code]
    assert [] == await desk.rows("SELECT 1 FROM act")


async def test_every_answer_is_closed_to_other_sites_and_to_caches(desk: Desk) -> None:
    async with desk.browser("aino") as aino:
        for path in ("/queues/duty", "/nothing-here", "/api/v1/queues/duty/checks", "/interface"):
            headers = (await aino.open(path)).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert "no-store" == headers["cache-control"]
            assert "nosniff" == headers["x-content-type-options"]


async def test_pages_hold_no_inline_script_or_style_and_nothing_from_elsewhere(desk: Desk) -> None:
    signal = await judged(desk)
    async with desk.browser("aino") as aino:
        for path in ("/queues/duty", f"/cases/{signal.child}", "/interface", "/login"):
            page = (await aino.open(path)).text
            assert "<script>" not in page
            assert " style=" not in page
            assert " onclick=" not in page
            assert "http" not in page.replace("https://elsewhere", "").replace(
                "http://www.w3.org", ""
            ).replace("htmx", "")


@pytest.mark.parametrize(
    ("language", "texts"),
    [
        ("fi", ("Päivystys", "Kiireellisyysarviot", "Ilmoituksen mukaan lapsi on vaarassa")),
        ("sv", ("Jour", "Tecken på brådska", "Enligt anmälan är barnet i fara")),
        ("en", ("Duty desk", "Sign of urgency", "The notification says that the child is in dan")),
    ],
)
async def test_pages_speak_the_language_asked_for_and_remember_it(
    desk: Desk, language: str, texts: tuple[str, ...]
) -> None:
    await desk.cases.notified(facts=DANGER)
    async with desk.browser("aino", "de") as aino:
        await aino.open(f"/queues/duty?lang={language}")
        page = (await aino.open("/queues/duty")).text

    assert f'<html lang="{language}">' in page
    for text in texts:
        assert text in page


async def test_a_missing_page_and_a_broken_one_are_told_in_plain_words(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise RuntimeError("secret detail")

    async with desk.browser("aino") as aino:
        missing = await aino.open("/cases/not-an-id")
        monkeypatch.setattr("services.routing.desk.pages.Shown", breaks)
        broken = await aino.open("/queues/duty")

    assert [404, 500] == [missing.status_code, broken.status_code]
    for page in (missing, broken):
        assert "<h1>" in page.text
        assert "secret detail" not in page.text
        assert "Traceback" not in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "no-store" == page.headers["cache-control"]


# --- lists, paging, liveness ----------------------------------------------------------------------


async def test_the_duty_list_has_flagged_checks_first_then_the_oldest(desk: Desk) -> None:
    old = await desk.cases.notified(received_at=NOON - timedelta(hours=3))
    new = await desk.cases.notified(received_at=NOON - timedelta(hours=1))
    flagged = await desk.cases.notified(facts=DANGER)

    items = (await desk.get("aino", "/queues/duty/checks?lang=en"))["items"]

    assert [flagged.id, old.id, new.id] == [item["key"] for item in items]
    assert "late since 09:30" == items[1]["clocks"][0]["text"]
    assert ["The notification says that the child is in danger."] == items[0]["why"][:1]


@pytest.mark.parametrize("page_size", [7, 50])
async def test_paging_shows_every_row_once(desk: Desk, page_size: int) -> None:
    made = await desk.cases.many(31)
    made += await desk.cases.many(12, facts=DANGER)

    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await desk.get("aino", f"/queues/duty/checks?limit={page_size}&after={after}")
        seen += [item["key"] for item in page["items"]]
        after = page["next"]

    assert len(made) == len(seen)
    assert {signal.id for signal in made} == set(seen)


@pytest.mark.parametrize(
    ("section", "values"),
    [
        ("duty/checks", ["0", "9" * 30, ""]),
        ("duty/checks", ["0", "0", "\0"]),
        ("duty/held", ["0", "1" * 5000, "00000000-0000-0000-0000-000000000000"]),
        ("duty/identity", ["0", "no-id"]),
        ("psychiatry/accepted", ["0", "5"]),
        ("psychiatry/accepted", ["0", "-" + "9" * 60]),
        ("psychiatry/proposed", ["0"]),
    ],
)
async def test_a_position_nobody_was_given_leads_nowhere(
    desk: Desk, section: str, values: list[str]
) -> None:
    after = base64.urlsafe_b64encode(orjson.dumps(values)).decode().rstrip("=")
    async with desk.client("aino") as client:
        answer = await client.get(f"/api/v1/queues/{section}?after={after}")

    assert 404 == answer.status_code


async def test_both_ways_of_reading_a_holders_list_agree(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    for days in (1, 5, 3):
        signal = await desk.cases.notified(received_at=NOON - timedelta(days=days))
        await desk.post("aino", f"/checks/{signal.id}/answer", answer="not_urgent", reason="Ei.")
    path = "/queues/initial_assessment/initial_assessment?limit=2"

    sorted_ = await desk.get("aino", path)
    rest = await desk.get("aino", f"{path}&after={sorted_['next']}")
    monkeypatch.setattr("services.routing.desk.store.SORTABLE", 1)
    by_clock = await desk.get("aino", path)

    assert [2, 1] == [len(sorted_["items"]), len(rest["items"])]
    assert sorted_ == by_clock
    assert rest == await desk.get("aino", f"{path}&after={by_clock['next']}")
    assert sorted_["items"][0]["since"] < sorted_["items"][1]["since"]


async def test_an_open_page_learns_what_is_new_and_what_is_gone(desk: Desk) -> None:
    first = await desk.cases.notified()
    async with desk.browser("aino") as aino:
        page = await aino.open("/queues/duty")
        await desk.post("eero", f"/checks/{first.id}/answer", answer="urgent", reason="Syy.")
        second = await desk.cases.notified(facts=DANGER)

        told = (await aino.send(page, "/live/queues/duty", {})).text

    mark = (await desk.get("aino", f"/cases/{second.child}"))["mark"]
    assert mark in told
    assert f'id="gone-{first.id.replace(".", "-")}"' in told
    assert "2 new" in told  # the second notification, and the first case among the desk's own


async def children_in_lists(desk: Desk) -> set[str]:
    listed = set()
    for queue, sections in QUEUES.items():
        for section in sections:
            page = await desk.get("aino", f"/queues/{queue}/{section.name}")
            listed |= {item["child"] for item in page["items"] if item["kind"] == "case"}
    return listed


@pytest.mark.parametrize("answer", [None, "urgent", "not_urgent"])
@pytest.mark.parametrize("holder", [None, "duty", "own_worker", "initial_assessment"])
async def test_every_case_with_a_running_clock_is_in_a_list(
    desk: Desk, answer: str | None, holder: str | None
) -> None:
    signal = await judged(desk, answer=answer) if answer else await desk.cases.notified()
    path = f"/cases/{signal.child}"
    case = await desk.get("aino", path)
    if answer and holder:
        chosen = await desk.post(
            "aino", f"{path}/holder", holder=holder, holder_seq=case["holder_seq"], reason="Syy."
        )
        assert 200 == chosen.status_code
    await desk.pool.execute("UPDATE proposal SET state = 'withdrawn'")

    assert {str(signal.child)} == await children_in_lists(desk)


async def test_a_case_that_is_not_urgent_but_kept_by_duty_stands_in_its_list(desk: Desk) -> None:
    signal = await judged(desk)
    path = f"/cases/{signal.child}"
    case = await desk.get("aino", path)
    await desk.post(
        "aino", f"{path}/holder", holder="duty", holder_seq=case["holder_seq"], reason="Meillä."
    )

    for name in ("held", "urgent"):  # the list's earlier name leads there as well
        items = (await desk.get("aino", f"/queues/duty/{name}"))["items"]
        assert [(str(signal.child), "not_urgent")] == [(i["child"], i["urgency"]) for i in items]
    async with desk.browser("aino") as aino:
        assert "Held by the duty desk" in (await aino.open("/queues/duty")).text


async def test_a_page_is_woken_when_something_arrives(desk: Desk) -> None:
    async with asyncio.timeout(20):
        await desk.app.state.hub.listening.wait()
        hub_events = desk.app.state.hub.changes()
        assert b"retry: 2000\n\n" == await anext(hub_events)
        assert b"event: changed" in await anext(hub_events)
        waiting = asyncio.ensure_future(anext(hub_events))

        await desk.cases.notified()

        assert b"event: changed\ndata: {}\n\n" == await waiting
        await hub_events.aclose()


async def test_a_desk_told_to_stop_does_not_wait_for_open_pages(
    desk: Desk, database_url: str, tmp_path: Path
) -> None:
    settings = desk_settings(database_url, tmp_path)
    environment = {
        "LUOTSI_DATABASE_URL": settings.database_url.get_secret_value(),
        "LUOTSI_KEY_FILE": str(settings.key_file),
        "LUOTSI_KAFKA": settings.kafka,
        "LUOTSI_DEMO": "true",
    }
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "uvicorn", "--factory", "services.routing.desk.app:build_app",
        "--port", str(port), "--timeout-graceful-shutdown", "60",
        env={**os.environ, **environment}, stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    base = f"http://127.0.0.1:{port}"
    try:
        async with (
            asyncio.timeout(40),
            httpx2.AsyncClient(headers={"Authorization": "Worker aino"}) as client,
        ):
            await _ready(client, base)
            async with client.stream("GET", f"{base}/events", timeout=None) as stream:
                lines = stream.aiter_lines()
                assert "retry: 2000" == await anext(lines)
                process.terminate()
                async for _ in lines:
                    pass
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _ready(client: httpx2.AsyncClient, base: str) -> None:
    while True:
        try:
            if (await client.get(f"{base}/ready")).status_code == 200:
                return
        except httpx2.TransportError:
            await asyncio.sleep(0.05)


async def test_the_api_is_described_without_anything_from_elsewhere(desk: Desk) -> None:
    async with desk.client("aino") as client:
        document = (await client.get("/openapi.json")).json()
    async with desk.browser("aino") as aino:
        page = (await aino.open("/interface")).text

    acts = [path for path, methods in document["paths"].items() if "post" in methods]
    assert 19 == len(acts)
    for path in document["paths"]:
        assert path.startswith("/api/v1/")
        assert path in page


async def test_a_second_process_knows_the_sessions_of_the_first(
    desk: Desk, database_url: str, tmp_path: Path, clock: SetClock
) -> None:
    other = build_app(desk_settings(database_url, tmp_path), clock)
    other.state.process.relays = False
    async with desk.browser("aino") as aino, other.router.lifespan_context(other):
        transport = httpx2.ASGITransport(other)
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://desk.test", cookies=aino.client.cookies
        ) as client:
            while not other.state.process.started:
                await asyncio.sleep(0.01)
            page = await client.get("/queues/duty")

    assert 200 == page.status_code
    assert "Aino Esimerkki" in page.text


def an_intake(
    database_url: str, directory: Path, answer: Callable[[httpx2.Request], httpx2.Response]
) -> Intake:
    """Intake as seen from here: only its answers."""
    return Intake(desk_settings(database_url, directory), httpx2.MockTransport(answer))


async def _as_owner(database_url: str, statement: str, *args: Any) -> None:
    conn = await asyncpg.connect(database_url)
    try:
        await conn.execute(statement, *args)
    finally:
        await conn.close()


async def test_days_and_moments_that_a_source_states_are_written_as_the_page_writes_them(
    desk: Desk,
) -> None:
    child, unborn = AChild(known=False, more={"birth_date": "2014-05-01"}), Unborn(known=False)
    moved = {"first_received_at": "2026-10-30T12:00:00Z"}
    await desk.cases.notified(child, kind="transfer", text=moved)
    await desk.cases.notified(unborn, kind="anticipatory", age_band="unborn")

    async with desk.browser("sosse", "fi") as browser:
        page = (await browser.open(f"/cases/{child.id}")).text
        other = (await browser.open(f"/cases/{unborn.id}")).text

    assert "<dd>1.5.2014</dd>" in page
    assert "<dd>30.10.2026 klo 14.00</dd>" in page
    assert ["<dd>1.5.1994</dd>", "<dd>14.2.2027</dd>"] == re.findall(r"<dd>[\d.]+</dd>", other)
