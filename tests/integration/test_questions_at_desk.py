"""The questions that matter, at the desk: asked, answered, and screened with at once."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest

from services.routing.domain.form import load_form
from services.routing.domain.tables import TablesRefusedError
from shared.events import CodedFacts, ReasonCode, Withdrawn
from tests.builders import RULES, AChild, SetClock
from tests.deskside import Desk, a_desk

SCHOOL: ReasonCode = "LOCAL-REASON-SCHOOL"
WITHOUT_EFFECT: ReasonCode = "LOCAL-REASON-SUPPORT-WITHOUT-EFFECT"
SELF_HARM: ReasonCode = "LOCAL-REASON-SELF-HARM"


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with a_desk(database_url, tmp_path, SetClock()) as desk:
        yield desk


async def judged(desk: Desk, *reasons: ReasonCode) -> AChild:
    """A child whose one notification was judged not urgent."""
    child = AChild()
    signal = await desk.cases.notified(child, facts=CodedFacts(reasons=reasons))
    answer = await desk.post(
        "aino", f"/checks/{signal.id}/answer", answer="not_urgent", reason="Soitettu."
    )
    assert answer.is_success
    return child


async def case(desk: Desk, child: AChild) -> Any:
    return await desk.get("sosse", f"/cases/{child.id}")


async def answer(desk: Desk, child: AChild, told_by: str = "family", **answers: str) -> None:
    done = await desk.post("sosse", f"/cases/{child.id}/answers", answers=answers, told_by=told_by)
    assert done.is_success, done.text


async def test_answers_screen_the_case_at_once(desk: Desk) -> None:
    child = await judged(desk, SCHOOL, WITHOUT_EFFECT)
    before = await case(desk, child)

    await answer(desk, child, a1="yes", a3="yes")

    after = await case(desk, child)
    asked = {each["question"] for each in before["ask"]}
    assert {"a1", "a3"} <= asked
    assert ("erityis", "vaativa") == (before["level"], after["level"])
    assert "expert_group" in {each["destination"] for each in after["proposals"]}
    assert {"a1", "a3"} & {each["question"] for each in after["ask"]} == set()
    told = next(line for line in after["history"] if line["kind"] == "questions_answered")
    assert "family" == told["answer"]


async def test_a_question_says_what_each_answer_alone_would_change(desk: Desk) -> None:
    child = await judged(desk, SCHOOL)

    asks = {each["question"]: each for each in (await case(desk, child))["ask"]}

    changes = [
        "Erityistaso",
        "Ehdotetaan: Viikoittainen systeeminen tiimi",
    ]
    assert changes == asks["a2"]["changes"]["yes"]
    assert [] == asks["a2"]["changes"]["no"]
    assert "health_care" in asks["a2"]["answered_by"]


async def test_answered_no_is_known_and_asked_no_more_until_somebody_says_yes(desk: Desk) -> None:
    child = await judged(desk, SCHOOL)
    await answer(desk, child, self_harm="no", a2="unknown")

    asked = {each["question"] for each in (await case(desk, child))["ask"]}
    assert "self_harm" not in asked
    assert "a2" in asked, "nobody knew"

    desk.clock.forward(days=1)
    await desk.cases.notified(child, facts=CodedFacts(reasons=(SELF_HARM,)))
    flags = await desk.rows("SELECT urgent_flags FROM child_case WHERE child = $1", child.id)
    assert "self_harm" in flags[0]["urgent_flags"]


async def test_a_workers_no_stands_against_what_came_before_and_what_comes_late(
    desk: Desk,
) -> None:
    child = await judged(desk, SELF_HARM)
    long_ago = desk.clock()
    desk.clock.forward(days=2)
    await answer(desk, child, told_by="health_care", self_harm="no", a2="no")
    assert "perus" == (await case(desk, child))["level"]

    late = await desk.cases.sealed(
        child, facts=CodedFacts(reasons=(SELF_HARM,)), received_at=long_ago
    )
    await desk.cases.come(late)

    assert "perus" == (await case(desk, child))["level"]
    await desk.cases.come(
        Withdrawn(id=f"{uuid4()}.0", child=child.id, withdraws=late.id, received_at=desk.clock())
    )
    known = await desk.rows("SELECT known FROM child_case WHERE child = $1", child.id)
    assert '"self_harm":"no"' in known[0]["known"]


async def test_five_are_asked_at_a_time_and_the_form_works_without_script(desk: Desk) -> None:
    child = await judged(desk, SCHOOL)
    async with desk.browser("sosse", "fi") as sosse:
        page = await sosse.open(f"/cases/{child.id}")
        shown = [q for q in load_form(RULES).by_id() if f'name="answer-{q}"' in page.text]
        done = await sosse.send(
            page, f"/cases/{child.id}/answers",
            {f"answer-{shown[0]}": "no", "told_by": "notifier", "reason": "Lapsi on kotona."},
        )  # fmt: skip
        page = await sosse.open(done.headers["location"])

    assert 5 == len(shown)
    assert done.headers["location"].endswith("#recorded"), "where the keyboard goes on"
    left = len((await desk.get("sosse", f"/cases/{child.id}"))["ask"])
    assert f'<a href="#questions">{left} kysymystä on yhä avoinna</a>' in page.text
    assert f'name="answer-{shown[0]}"' not in page.text
    assert "Kysymyksiin vastattu" in page.text
    assert "Lapsi on kotona." in page.text


async def test_a_referral_that_was_returned_is_told_without_being_asked_about(desk: Desk) -> None:
    """The question about A10 covers it; the form stands with each destination that was accepted."""
    child = await judged(desk, SCHOOL)
    asked = {each["question"] for each in (await case(desk, child))["ask"]}
    assert "a10" in asked
    assert not asked & {"referral_returned", "support_tried"}

    await answer(desk, child, referral_returned="yes")

    (row,) = await desk.rows(
        "SELECT facts FROM decision WHERE child = $1 ORDER BY seq DESC LIMIT 1", child.id
    )
    facts = orjson.loads(row["facts"])
    assert ("yes", "yes", 2) == (
        facts["referral_returned"], facts["a10"], facts["areas_of_concern"],
    )  # fmt: skip
    assert "a10" not in {each["question"] for each in (await case(desk, child))["ask"]}


async def test_a_planned_placement_is_told_by_the_worker_who_plans_it(desk: Desk) -> None:
    """No event does. Said on the page it proposes a family group conference, until it is unsaid."""

    async def conference() -> str | None:
        found = (await case(desk, child))["proposals"]
        states = {each["destination"]: each["state"] for each in found}
        return states.get("family_group_conference")

    async def say(planned: str) -> str:
        async with desk.browser("sosse", "fi") as sosse:
            page = await sosse.open(f"/cases/{child.id}")
            done = await sosse.send(
                page, f"/cases/{child.id}/answers",
                {"answer-placement_planned": planned, "told_by": "own_worker"},
            )  # fmt: skip
            return (await sosse.open(done.headers["location"])).text

    child = await judged(desk, SCHOOL)
    assert await conference() is None
    assert "placement_planned" not in {e["question"] for e in (await case(desk, child))["ask"]}

    page = await say("yes")
    assert "proposed" == await conference()
    assert "Lapsen sijoitusta suunnitellaan; ehdotetaan läheisneuvonpitoa" in page

    desk.clock.forward(minutes=1)
    await say("no")
    assert "withdrawn" == await conference()


async def test_what_is_no_question_is_refused(desk: Desk) -> None:
    child = await judged(desk, SCHOOL)

    answers = [{"name": "yes"}, {"a1": "maybe"}, {}]
    refused = [
        await desk.post("sosse", f"/cases/{child.id}/answers", answers=each, told_by="family")
        for each in answers
    ]

    assert [422, 422, 422] == [each.status_code for each in refused]


def test_a_form_without_a_question_or_a_text_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "questions"
    folder.mkdir()
    written = (RULES / "questions" / "2026-12.2.yaml").read_text(encoding="utf-8")
    for broken, told in (
        (written.replace("- id: a10\n", "- id: a11\n"), "row a11: this cannot be asked"),
        (
            written.replace("      sv: Är barnet i fara just nu?\n", ""),
            "row in_danger: text.sv: it is missing",
        ),
        (written.partition("  - id: is_client")[0], "the question is_client is missing"),
    ):
        (folder / "2026-12.yaml").write_text(broken, encoding="utf-8")
        with pytest.raises(TablesRefusedError, match=told):
            load_form(tmp_path)


def test_a_mended_form_of_the_same_month_is_the_one_that_is_asked(tmp_path: Path) -> None:
    folder = tmp_path / "questions"
    folder.mkdir()
    written = (RULES / "questions" / "2026-12.2.yaml").read_text(encoding="utf-8")
    for version in ("2026-12", "2026-12.2", "2026-12.10"):
        mended = written.replace("version: 2026-12.2\n", f"version: {version}\n")
        (folder / f"{version}.yaml").write_text(mended, encoding="utf-8")

    assert "2026-12.10" == load_form(tmp_path).version
