"""Questions that nobody answers in time become a supervisor's task, and go away when settled."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from services.routing.domain.clocks import ClockSettings
from services.routing.unanswered.watching import look
from shared.events import CaseEvent, CodedFacts, ReasonCode, Signal, Withdrawn
from tests.builders import AChild, SetClock
from tests.deskside import Desk, a_desk

SCHOOL: ReasonCode = "LOCAL-REASON-SCHOOL"
ANSWERED_BY = {"days": 7, "hours": 12}  # a Tuesday noon -> the midnight that ends Tuesday's week
LAST_DAY = "2026-11-24T22:00:00Z"


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with a_desk(database_url, tmp_path, SetClock()) as desk:
        yield desk


async def looked(desk: Desk) -> int:
    """The watch looks once; how many items changed."""
    async with desk.pool.acquire() as tx, tx.transaction():
        return await look(tx, ClockSettings(), desk.clock)


async def judge(desk: Desk, signal: Signal, answer: str = "not_urgent") -> None:
    done = await desk.post("aino", f"/checks/{signal.id}/answer", answer=answer, reason="Soitettu.")
    assert done.is_success, done.text


async def judged(desk: Desk, child: AChild | None = None, answer: str = "not_urgent") -> AChild:
    """A child of whom little is known, its notification judged."""
    child = child or AChild()
    signal = await desk.cases.notified(child, facts=CodedFacts(reasons=(SCHOOL,)))
    await judge(desk, signal, answer)
    return child


async def listed(desk: Desk, section: str = "supervisor") -> list[Any]:
    found: list[Any] = (await desk.get("kaisa", f"/queues/duty/{section}"))["items"]
    return found


async def item_of(desk: Desk, child: AChild) -> Any:
    rows = await desk.rows("SELECT * FROM duty_item WHERE child = $1", child.id)
    assert 1 == len(rows)
    return rows[0]


async def act(desk: Desk, child: AChild, name: str, **body: Any) -> None:
    done = await desk.post("sosse", f"/cases/{child.id}/{name}", **body)
    assert done.is_success, done.text


async def case(desk: Desk, child: AChild) -> Any:
    return await desk.get("sosse", f"/cases/{child.id}")


async def last_screened(desk: Desk, child: AChild) -> Any:
    """What the latest screening asked, by the history of the case."""
    history = (await case(desk, child))["history"]
    return next(line for line in history if line["kind"] == "screened")["ask"]


async def test_every_question_says_by_when_it_is_to_be_answered(desk: Desk) -> None:
    child = await judged(desk)

    asked = (await case(desk, child))["ask"]

    assert {LAST_DAY} == {each["due"] for each in asked}
    async with desk.browser("sosse", "fi") as sosse:
        page = (await sosse.open(f"/cases/{child.id}")).text
    assert "Vastattava viimeistään 24.11.2026" in page
    assert "Alustava: vastaukset voivat muuttaa sitä" in page


async def test_once_the_assessment_has_begun_they_are_due_before_its_end(desk: Desk) -> None:
    child = await judged(desk)

    await act(desk, child, "assessment-started")

    asked = (await case(desk, child))["ask"]
    assert {"2027-02-15T22:00:00Z"} == {each["due"] for each in asked}


async def test_a_stored_decision_carries_what_it_asks_until_nothing_is_asked(desk: Desk) -> None:
    child = await judged(desk)
    asked = [each["question"] for each in (await case(desk, child))["ask"]]
    assert asked == await last_screened(desk, child)

    await act(desk, child, "answers", answers=dict.fromkeys(asked, "no"), told_by="family")

    assert [] == (await case(desk, child))["ask"]
    assert [] == await last_screened(desk, child)
    stored = await desk.rows("SELECT ask FROM decision WHERE child = $1 ORDER BY seq", child.id)
    assert [" ".join(asked), ""] == [row["ask"] for row in stored[-2:]]
    assert [False] == [
        each["asks"]
        for each in (await desk.get("sosse", "/queues/initial_assessment/initial_assessment"))[
            "items"
        ]
    ]


async def test_what_is_not_answered_in_time_is_one_task_of_a_supervisor(desk: Desk) -> None:
    child = await judged(desk)
    assert 0 == await looked(desk)

    desk.clock.forward(**ANSWERED_BY)

    assert [1, 0] == [await looked(desk), await looked(desk)]
    (task,) = await listed(desk)
    assert (str(child.id), True) == (task["child"], task["asks"])
    assert [] == await listed(desk, "set_aside")
    item = await item_of(desk, child)
    assert ("unanswered", "unanswered-in-time") == (item["outcome"], item["reason"])
    (told,) = await desk.rows("SELECT value FROM outbox WHERE key = $1", str(item["id"]).encode())
    event = CaseEvent.model_validate_json(told["value"])
    assert ("duty_item_opened", "unanswered") == (event.kind, event.about), "no mail to the team"


async def test_it_goes_away_when_the_questions_are_answered(desk: Desk) -> None:
    child = await judged(desk)
    desk.clock.forward(**ANSWERED_BY)
    await looked(desk)
    asked = [each["question"] for each in (await case(desk, child))["ask"]]
    await act(desk, child, "answers", answers={asked[0]: "no"}, told_by="family")
    assert 0 == await looked(desk), "others are still open"

    await act(desk, child, "answers", answers=dict.fromkeys(asked, "no"), told_by="family")

    assert 1 == await looked(desk)
    assert [] == await listed(desk)
    assert "settled" == (await item_of(desk, child))["closed_by"]


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("assessment-started", {}),
        ("manifestly-unnecessary", {"ground": "no_services_needed", "reason": "Soitettu."}),
    ],
)
async def test_it_goes_away_when_the_assessment_begins_or_is_not_needed(
    desk: Desk, name: str, body: dict[str, str]
) -> None:
    child = await judged(desk)
    desk.clock.forward(**ANSWERED_BY)
    await looked(desk)

    await act(desk, child, name, **body)

    assert 1 == await looked(desk)
    assert [] == await listed(desk)


async def test_what_began_before_is_no_task(desk: Desk) -> None:
    child = await judged(desk)
    await act(desk, child, "assessment-started")
    desk.clock.forward(**ANSWERED_BY)

    assert 0 == await looked(desk)


async def test_an_urgent_case_counts_and_one_whose_urgency_nobody_judged_does_not(
    desk: Desk,
) -> None:
    urgent = await judged(desk, answer="urgent")
    waiting = await desk.cases.notified(AChild(), facts=CodedFacts(reasons=(SCHOOL,)))
    desk.clock.forward(**ANSWERED_BY)

    assert 1 == await looked(desk)
    assert [str(urgent.id)] == [task["child"] for task in await listed(desk)]

    await judge(desk, waiting)
    assert 1 == await looked(desk)


async def test_what_lies_long_back_opens_nothing(desk: Desk) -> None:
    """Its time limit itself is late and says so; a county that goes live is not flooded."""
    await judged(desk)
    desk.clock.forward(days=10)

    assert 0 == await looked(desk)


async def test_a_second_matter_of_the_case_joins_the_task_that_stands(desk: Desk) -> None:
    child = await judged(desk)
    desk.clock.forward(days=1)
    await judged(desk, child)
    desk.clock.forward(days=6, hours=12)
    await looked(desk)
    item = await item_of(desk, child)

    desk.clock.forward(days=1)

    assert 0 == await looked(desk)
    matters = await desk.rows("SELECT item FROM unanswered")
    assert [item["id"], item["id"]] == [row["item"] for row in matters]
    await act(desk, child, "assessment-started")
    assert 1 == await looked(desk)


async def test_a_supervisor_closes_it_and_it_is_not_opened_again_for_the_same_matter(
    desk: Desk,
) -> None:
    child = await judged(desk)
    desk.clock.forward(**ANSWERED_BY)
    await looked(desk)
    item = (await item_of(desk, child))["id"]

    by_duty = await desk.post("aino", f"/set-aside/{item}/close", reason="Nähty.")
    by_worker = await desk.post("sosse", f"/set-aside/{item}/close", reason="Nähty.")
    done = await desk.post("kaisa", f"/set-aside/{item}/close", reason="Arviointi alkaa huomenna.")

    assert [403, 403, 200] == [by_duty.status_code, by_worker.status_code, done.status_code]
    assert 0 == await looked(desk)
    await judged(desk, child)
    desk.clock.forward(days=8)
    assert 1 == await looked(desk), "a new matter is another task"


async def test_what_its_source_took_back_needs_no_answers(desk: Desk) -> None:
    child = AChild()
    signal = await desk.cases.notified(child, facts=CodedFacts(reasons=(SCHOOL,)))
    await judge(desk, signal)
    desk.clock.forward(**ANSWERED_BY)
    await looked(desk)

    await desk.cases.come(
        Withdrawn(id=f"{uuid4()}.0", child=child.id, withdraws=signal.id, received_at=desk.clock())
    )

    assert 1 == await looked(desk)
    assert [] == await listed(desk)


async def test_decisions_of_the_version_before_open_nothing(desk: Desk) -> None:
    await judged(desk)
    await desk.rows("UPDATE decision SET ask = NULL RETURNING 1")
    desk.clock.forward(**ANSWERED_BY)

    assert 0 == await looked(desk)


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
async def test_the_task_is_read_in_every_language(desk: Desk, language: str) -> None:
    child = await judged(desk)
    desk.clock.forward(**ANSWERED_BY)
    await looked(desk)
    says = {
        "fi": ("Kysymyksiin ei vastattu ajoissa", "Ehdotus on alustava."),
        "sv": ("Frågor besvarades inte i tid", "Förslaget är preliminärt."),
        "en": ("Questions were not answered in time", "The proposal is provisional."),
    }[language]

    async with desk.browser("kaisa", language) as kaisa:
        shown = (await kaisa.open(f"/cases/{child.id}")).text
        item = (await item_of(desk, child))["id"]
        page = await kaisa.open(f"/items/{item}")
        closed = await kaisa.send(page, f"/items/{item}/close", {"reason": "Nähty."})

    assert says[0] in shown
    assert says[1] in page.text
    assert 303 == closed.status_code
