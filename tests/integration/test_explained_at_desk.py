"""Explanations and statements at the desk: who reads what, and that it is noted."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson
import pytest

from services.routing.domain.decision import Decision, decide
from services.routing.domain.facts import NOTHING_KNOWN, derive, learn
from services.routing.domain.tables import load_version
from shared.events import CodedFacts, Merged, NotifierKind, ReasonCode, Separated
from tests.builders import NOON, RULES, AChild, SetClock
from tests.deskside import Desk, a_desk

SCHOOL: ReasonCode = "LOCAL-REASON-SCHOOL"
MENTAL: ReasonCode = "LOCAL-REASON-CHILD-MENTAL-HEALTH"
EXHAUSTED: ReasonCode = "LOCAL-REASON-GUARDIAN-EXHAUSTION"
DISPUTE: ReasonCode = "LOCAL-REASON-CUSTODY-DISPUTE"


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with a_desk(database_url, tmp_path, SetClock()) as desk:
        yield desk


async def judged(
    desk: Desk,
    *reasons: ReasonCode,
    child: AChild | None = None,
    by: NotifierKind | None = None,
    **more: Any,
) -> AChild:
    """A child whose notification was judged not urgent."""
    child = child or AChild()
    facts = CodedFacts(reasons=reasons, said_by=by, knowledge="first_hand")
    signal = await desk.cases.notified(child, facts=facts, **more)
    done = await desk.post(
        "aino", f"/checks/{signal.id}/answer", answer="not_urgent", reason="Soitettu."
    )
    assert done.is_success
    return child


async def content(desk: Desk, child: UUID) -> Any:
    return await desk.get("sosse", f"/cases/{child}/content")


async def audited(desk: Desk) -> list[tuple[str, str, str]]:
    """Who has read what; what people did is left out."""
    rows = await desk.rows(
        "SELECT actor, act, subject FROM audit WHERE act ~ '^(case|decision)-' ORDER BY id"
    )
    return [tuple(row) for row in rows]


@pytest.mark.parametrize("language", ["fi", "sv"])
async def test_what_a_worker_reads_of_a_case_is_in_words_and_in_no_code(
    desk: Desk, language: str
) -> None:
    child = await judged(desk, SCHOOL, MENTAL)
    (row,) = await desk.rows("SELECT decision_seq FROM child_case")
    paths = (f"/cases/{child.id}", f"/decisions/{child.id}/{row['decision_seq']}")
    async with desk.browser("sosse", language) as sosse:
        for path in (*paths, f"{paths[1]}/family"):
            seen = re.sub(r"<[^>]*>", " ", (await sosse.open(path)).text)
            codes = re.findall(r"\w+@[\d-]+|\b(?:perus|erityis|vaativa)-[a-z-]+|own \w+", seen)
            assert [] == codes, path


async def test_every_decision_of_a_case_is_explained_and_every_reading_noted(desk: Desk) -> None:
    child = await judged(desk, SCHOOL, MENTAL)
    history = (await desk.get("sosse", f"/cases/{child.id}"))["history"]
    screenings = [line for line in history if line["kind"] == "screened"]
    assert [] == await audited(desk)

    latest, first = [
        await desk.get("sosse", f"/decisions/{line['decision_of']}/{line['decision_seq']}")
        for line in screenings
    ]

    assert ["duty", "initial_assessment"] == [first["holder"], latest["holder"]]
    assert ["urgency-open"] == [row["row"] for row in first["rows"] if row["table"] == "holder"]
    assert {"school_welfare", "systemic_team"} == set(latest["destinations"])
    changes = [(c["fact"], c["was"], c["would"]) for o in latest["otherwise"] for w in o["ways"]
               for c in w if len(w) == 1]  # fmt: skip
    assert ("a2", "yes", "no") in changes
    assert "OT-seula" in latest["note"]
    assert [("sosse", "decision-explained", str(child.id))] * 2 == await audited(desk)


async def test_the_case_page_has_the_workers_version_in_a_fold_and_the_familys_behind_a_link(
    desk: Desk,
) -> None:
    child = await judged(desk, SCHOOL, MENTAL)
    async with desk.browser("sosse") as sosse:
        case = (await sosse.open(f"/cases/{child.id}")).text
        alone = (await sosse.open(f"/decisions/{child.id}/2")).text
        family = await sosse.open(f"/decisions/{child.id}/2/family?language=sv")
        after = (await sosse.open(f"/cases/{child.id}")).text

    for page in (case, alone):
        assert "Mental health: no (was: yes)" in page
        assert "erityis-psych" in page
        assert f"/decisions/{child.id}/2/family" in page
        assert "construction, not THL" in page
    assert "Varför det här föreslås för er" in family.text
    assert "De är inte THL:s OT-såll." in family.text
    assert "Testi Lapsi" not in family.text
    assert "The child" in after, "the worker's own language stays"
    acts = [act for _, act, _ in await audited(desk)]
    assert ["case-opened", "decision-explained", "decision-for-family", "case-opened"] == acts


@pytest.mark.parametrize("path", ["", "/family"])
async def test_nothing_is_explained_while_the_audit_trail_cannot_be_written(
    desk: Desk, database_url: str, path: str
) -> None:
    child = await judged(desk, SCHOOL)
    owner = await asyncpg.connect(database_url)
    await owner.execute("REVOKE INSERT ON routing.audit FROM luotsi_routing")
    try:
        async with desk.client("sosse") as client:
            told = await client.get(f"/api/v1/decisions/{child.id}/2{path}")
    finally:
        await owner.execute("GRANT INSERT ON routing.audit TO luotsi_routing")
        await owner.close()

    assert 503 == told.status_code
    assert "perus" not in told.text


async def test_nobody_who_is_not_logged_in_reads_and_what_is_not_there_is_said(desk: Desk) -> None:
    child = await judged(desk, SCHOOL)
    async with desk.client() as nobody:
        unknown = [
            (await nobody.get(f"/api/v1/decisions/{child.id}/2{path}")).status_code
            for path in ("", "/family")
        ]
    async with desk.client("sosse") as client:
        gone = [
            (await client.get(f"/api/v1/decisions/{path}")).status_code
            for path in (f"{child.id}/99", f"{child.id}/0", f"{uuid4()}/1", f"{child.id}/{2**40}")
        ]

    assert [401, 401] == unknown
    assert [404] * 4 == gone


async def test_a_familys_page_tells_nothing_of_a_sibling_or_a_guardian(desk: Desk) -> None:
    """Of two children with the same concern one has a sibling whose guardians are in dispute.

    What is proposed is the same; a proposal itself is told, whatever it is for.
    """
    household = uuid4()
    alone = await judged(desk, SCHOOL, MENTAL)
    of_two = await judged(desk, SCHOOL, MENTAL, household=household)
    await judged(desk, DISPUTE, household=household)

    pages, areas = [], []
    for child in (alone, of_two):
        case = await content(desk, child.id)
        pages.append(
            await desk.get("sosse", f"/decisions/{child.id}/{case['decision_seq']}/family")
        )
        areas.append({area["area"]: area["answer"] for area in case["areas"]})

    assert ["unknown", "yes"] == [each["a9"] for each in areas], "it does count"
    assert pages[0] == pages[1]


async def test_a_decision_made_while_joined_to_another_is_explained_to_nobody_after_they_part(
    desk: Desk,
) -> None:
    kept, merged = await judged(desk, SCHOOL), await judged(desk, MENTAL)
    both: dict[str, Any] = {"merged": merged.id, "kept": kept.id, "at": NOON}
    await desk.cases.come(Merged(id=f"{uuid4()}.0", child=kept.id, number=1, kept_number=0, **both))
    await desk.cases.notified(kept)
    together = (await desk.get("sosse", f"/cases/{kept.id}"))["decision_seq"]
    before = await desk.get("sosse", f"/decisions/{kept.id}/{together}")
    own = await desk.get("sosse", f"/decisions/{merged.id}/2")

    await desk.cases.come(Separated(id=f"{uuid4()}.0", child=kept.id, number=2, **both))

    async with desk.client("sosse") as client:
        for path in ("", "/family"):
            after = await client.get(f"/api/v1/decisions/{kept.id}/{together}{path}")
            assert 404 == after.status_code
    assert "erityis" == before["level"]
    assert own == await desk.get("sosse", f"/decisions/{merged.id}/2")
    subjects = {subject for _, act, subject in await audited(desk) if act == "decision-explained"}
    assert {str(kept.id), str(merged.id)} == subjects


def of_2026(*reasons: ReasonCode) -> Decision:
    version = "urgent@2026-11+level@2026-11+holder@2026-11.2+destinations@2026-11.2"
    known = learn(NOTHING_KNOWN, CodedFacts(reasons=reasons))
    return decide(
        derive(known, age_band="7-12", urgency="not_urgent"), load_version(RULES, version)
    )


async def add_decision(desk: Desk, database_url: str, child: UUID, decision: Decision) -> None:
    """A decision of long ago, as it lies in the database."""
    owner = await asyncpg.connect(database_url)
    await owner.execute(
        "INSERT INTO routing.decision (child, seq, because, decided_at, facts, rows, urgent_flags, "
        "level, holder, destinations, rules, rules_hash) "
        "VALUES ($1, 900, 'then', $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        child, NOON - timedelta(days=400), orjson.dumps(decision.facts).decode(),
        " ".join(decision.rows), " ".join(decision.urgent_flags), decision.level, decision.holder,
        " ".join(decision.destinations), decision.version, decision.content_hash,
    )  # fmt: skip
    await owner.close()


async def test_a_decision_of_an_older_version_is_explained_with_the_rules_of_its_day(
    desk: Desk, database_url: str
) -> None:
    child = await judged(desk, SCHOOL)
    await add_decision(desk, database_url, child.id, of_2026(MENTAL))

    then = await desk.get("sosse", f"/decisions/{child.id}/900")
    family = await desk.get("sosse", f"/decisions/{child.id}/900/family")

    assert "level@2026-11+" in then["rules"]
    assert all(row["reason"] for row in then["rows"])
    assert then["otherwise"]
    assert family["sections"][1]["points"]


async def test_where_the_rules_of_its_day_are_not_here_as_they_were_its_rows_are_named_alone(
    desk: Desk, database_url: str
) -> None:
    child = await judged(desk, SCHOOL)
    decision = of_2026(MENTAL)
    changed = Decision(**{**asdict(decision), "content_hash": "0" * 64})
    await add_decision(desk, database_url, child.id, changed)
    async with desk.browser("sosse") as sosse:
        page = await sosse.open(f"/decisions/{child.id}/900")
        family = await sosse.open(f"/decisions/{child.id}/900/family")

    assert "The rules of that day are no longer here." in page.text
    assert "erityis-psych" in page.text
    assert 404 == family.status_code


def asdict(decision: Decision) -> dict[str, Any]:
    return {name: getattr(decision, name) for name in Decision.__slots__}


# --- statements -------------------------------------------------------------------------------


async def test_who_said_what_is_shown_area_by_area_with_what_counts(desk: Desk) -> None:
    child = await judged(desk, SCHOOL, by="education")
    desk.clock.forward(hours=1)
    await desk.post(
        "sosse", f"/cases/{child.id}/answers", answers={"a5": "no", "a1": "yes", "a2": "unknown"},
        told_by="family", knowledge="first_hand",
    )  # fmt: skip

    case = await content(desk, child.id)
    areas = {area["area"]: area for area in case["areas"]}

    assert ["a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "a10"] == [*areas]
    assert ("no", "yes") == (areas["a5"]["answer"], areas["a1"]["answer"])
    (school,) = areas["a5"]["statements"]
    assert school["disputed"]
    family, notifier = school["said"]
    assert (True, "no", "family", "Sosse Koe") == (
        family["counts"], family["answer"], family["by"], family["worker"],
    )  # fmt: skip
    assert (False, "yes", "education", "first_hand", "notification") == (
        notifier["counts"], notifier["answer"], notifier["by"], notifier["knowledge"],
        notifier["kind"],
    )  # fmt: skip
    assert "unknown" == areas["a2"]["answer"]
    assert ["unknown"] == [said["answer"] for said in areas["a2"]["statements"][0]["said"]]


async def test_the_page_shows_a_disagreement_and_never_who_notified(desk: Desk) -> None:
    child = await judged(desk, SCHOOL, by="education")
    desk.clock.forward(hours=1)
    await desk.post("sosse", f"/cases/{child.id}/answers", answers={"a5": "no"}, told_by="family")
    async with desk.browser("sosse", "fi") as sosse:
        page = re.sub(r"<[^>]+>", "", (await sosse.open(f"/cases/{child.id}")).text)

    assert "Erimielisyys" in page
    assert "Kyllä: Koulu, 17.11.2026 klo 12.00, oma havainto" in page
    assert "kirjasi Sosse Koe" in page
    assert "Testi Ilmoittaja" not in page


async def test_without_opening_a_case_no_statement_is_told(desk: Desk) -> None:
    child = await judged(desk, SCHOOL)

    assert [] == (await desk.get("sosse", f"/cases/{child.id}"))["areas"]


async def test_what_was_taken_back_and_what_a_sibling_adds_are_told_as_they_count(
    desk: Desk,
) -> None:
    household = uuid4()
    child = await judged(desk, SCHOOL, household=household)
    await judged(desk, EXHAUSTED, household=household)

    areas = {each["area"]: each for each in (await content(desk, child.id))["areas"]}

    (parenting,) = areas["a8"]["statements"]
    assert [("household", "yes", True, None)] == [
        (s["by"], s["answer"], s["counts"], s["at"]) for s in parenting["said"]
    ]


async def test_two_workers_who_note_answers_for_the_same_minute_are_both_recorded(
    desk: Desk,
) -> None:
    child = await judged(desk, SCHOOL)
    at = desk.clock().isoformat()
    desk.clock.forward(minutes=5)

    for answer in ("no", "yes"):
        done = await desk.post(
            "sosse", f"/cases/{child.id}/answers", answers={"a3": answer}, told_by="school",
            done_at=at,
        )  # fmt: skip
        assert done.is_success, done.text
    await desk.cases.notified(child)

    areas = {each["area"]: each for each in (await content(desk, child.id))["areas"]}
    assert "yes" == areas["a3"]["answer"], "the more concerning of one time"
