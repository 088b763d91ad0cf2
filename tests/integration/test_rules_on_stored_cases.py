"""What rules would say of stored cases, and that stored decisions come out again: on PostgreSQL."""

import asyncio
import csv
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from deploy.cli.__main__ import main
from services.routing.domain.cases import case_mark
from services.routing.domain.tables.written import newest
from shared.events import CodedFacts, ReasonCode, Withdrawn
from tests.builders import RULES, AChild, SetClock
from tests.deskside import Desk, a_desk

MIND: ReasonCode = "LOCAL-REASON-CHILD-MENTAL-HEALTH"
TRIED: ReasonCode = "LOCAL-REASON-SUPPORT-WITHOUT-EFFECT"
SCHOOL: ReasonCode = "LOCAL-REASON-SCHOOL"


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with a_desk(database_url, tmp_path, SetClock()) as desk:
        yield desk


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """Rules that propose psychiatry only where it has asked; the rest is as it is in force."""
    path = newest(RULES, "destinations")
    text = path.read_text(encoding="utf-8")
    before, _, rest = text.partition("  - id: psychiatry-child\n")
    after = rest[rest.index("  - id: psychiatry-asks\n") :]
    text = before + after
    for clinic in ("child", "adolescent", "near-limit", "age-not-known", "placed"):
        text = text.replace(f"  - psychiatry-{clinic}\n", "", 1)
    text = text.replace(f"version: {path.stem}", "version: 2099-01", 1)
    path = tmp_path / "draft" / "destinations" / "2099-01.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return tmp_path / "draft"


@pytest.fixture
async def stored(desk: Desk) -> list[AChild]:
    """Two children whose mental health is of concern, and one whose is not; all not urgent.

    Support has been tried with all.
    """
    children = [AChild(), AChild(), AChild()]
    for child, reason in zip(children, (MIND, MIND, SCHOOL), strict=True):
        signal = await desk.cases.notified(child, facts=CodedFacts(reasons=(reason, TRIED)))
        answer = await desk.post(
            "aino", f"/checks/{signal.id}/answer", answer="not_urgent", reason="Soitettu."
        )
        assert answer.is_success
    return children


async def luotsi(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    """The command, and what it told."""
    code = await asyncio.to_thread(main, ["rules", *words])
    return code, capsys.readouterr().out


@pytest.fixture(autouse=True)
def as_superuser(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUOTSI_DATABASE_URL", database_url)


async def test_each_case_that_would_become_lighter_is_listed_by_its_mark(
    stored: list[AChild], draft: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "cases.csv"

    code, told = await luotsi(capsys, "diff", "live", str(draft), "--list", str(file))

    assert 0 == code, told
    assert "Stored cases 3, compared 3. Left out: 0" in told
    assert "To be read: 2 cases would become lighter." in told
    for child in stored[:2]:
        assert case_mark(child.id) in told
    assert case_mark(stored[2].id) not in told
    assert "rows that no longer hit: destinations/psychiatry" in told
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert {str(child.id) for child in stored[:2]} == {row["child"] for row in rows}


async def test_the_newest_decision_of_a_case_counts_and_each_case_once(
    desk: Desk, stored: list[AChild], draft: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for child in stored:
        await desk.cases.notified(child, facts=CodedFacts(reasons=(SCHOOL,)))
    assert len(await desk.rows("SELECT 1 FROM decision")) > len(stored)

    code, told = await luotsi(capsys, "diff", "live", str(draft))

    assert 0 == code, told
    assert "Stored cases 3, compared 3." in told
    assert "To be read: 0 cases" in told, "all are open again: nothing is proposed to anybody"


async def test_a_case_that_has_nothing_left_is_left_out_and_said_to_be(
    desk: Desk, stored: list[AChild], capsys: pytest.CaptureFixture[str]
) -> None:
    await desk.pool.execute(
        "INSERT INTO child_join (child, joined_to, holder, number, since) "
        "VALUES ($1, $2, $2, 1, now())",
        stored[0].id, stored[1].id,
    )  # fmt: skip

    code, told = await luotsi(capsys, "diff", "live", "live")

    assert 0 == code, told
    assert "Stored cases 2, compared 2. Left out: 1" in told


async def test_facts_that_lack_a_column_are_derived_or_told_and_never_passed_over(
    desk: Desk, stored: list[AChild], draft: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await _without(desk, stored[0], "safety")
    await _without(desk, stored[2], "psych", "own_substance_use")

    code, told = await luotsi(capsys, "diff", "live", str(draft))

    assert 0 == code, told
    assert "Cannot be compared: 1 cases. Lacking in what was stored: own substance" in told
    assert case_mark(stored[2].id) in told
    assert "compared 2." in told or "compared 1." in told


async def _without(desk: Desk, child: AChild, *columns: str) -> None:
    """As a decision was stored before these columns were there."""
    rows = await desk.rows(
        "SELECT seq, facts FROM decision WHERE child = $1 ORDER BY seq DESC LIMIT 1", child.id
    )
    facts = {k: v for k, v in orjson.loads(rows[0]["facts"]).items() if k not in columns}
    await desk.pool.execute(
        "UPDATE decision SET facts = $3 WHERE child = $1 AND seq = $2",
        child.id, rows[0]["seq"], orjson.dumps(facts).decode(),
    )  # fmt: skip


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
async def test_old_rules_may_be_those_that_each_decision_was_made_with(
    stored: list[AChild], draft: Path, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = await luotsi(capsys, "diff", "stored", str(draft), "--language", language)

    assert 0 == code, told
    assert case_mark(stored[0].id) in told


@pytest.mark.parametrize("version", ["nonsense", "level@2026-11"])
async def test_new_rules_that_are_none_or_are_not_proved_are_refused_before_anything_is_read(
    version: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUOTSI_DATABASE_URL", "postgresql://127.0.0.1:1/nothing")

    code, told = await luotsi(capsys, "diff", "live", version, "--language", "fi")

    assert 1 == code
    assert "ei " in told


async def test_a_database_that_does_not_answer_is_told_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUOTSI_DATABASE_URL", "postgresql://127.0.0.1:1/nothing")

    code, told = await luotsi(capsys, "diff", "live", "live")

    assert 1 == code
    assert told.startswith("the database: ")


# --- replay -------------------------------------------------------------------------------------


async def test_every_stored_decision_comes_out_again_byte_for_byte(
    desk: Desk, stored: list[AChild], capsys: pytest.CaptureFixture[str]
) -> None:
    earlier = await desk.cases.notified(stored[0], facts=CodedFacts(in_danger="yes"))
    await desk.cases.come(
        Withdrawn(
            id=f"{earlier.id}.w",
            child=stored[0].id,
            withdraws=earlier.id,
            received_at=desk.clock(),
        )
    )
    count = len(await desk.rows("SELECT 1 FROM decision"))

    code, told = await luotsi(capsys, "replay")

    assert 0 == code, told
    assert f"{count} stored decisions came out again byte for byte." in told


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ("level = 'perus'", "level"),
        ('facts = replace(facts, \'"a2":"yes"\', \'"a2": "yes"\')', "facts"),
        ("rows = rows || ' level/another'", "rows"),
        ("rules_hash = repeat('0', 64)", "rules_hash"),
    ],
)
async def test_a_decision_that_was_altered_in_the_database_is_named(
    desk: Desk, stored: list[AChild], change: str, differs: str,
    capsys: pytest.CaptureFixture[str], tmp_path: Path,
) -> None:  # fmt: skip
    await desk.pool.execute(
        f"UPDATE decision SET {change} WHERE child = $1 AND seq = "  # noqa: S608 -- of this file
        "(SELECT max(seq) FROM decision WHERE child = $1)",
        stored[0].id,
    )

    code, told = await luotsi(capsys, "replay", "--list", str(tmp_path / "unlike.csv"))

    assert 1 == code
    assert "Not the same: 1 decisions" in told
    assert case_mark(stored[0].id) in told
    assert f": {differs}" in told
    assert 2 == len((tmp_path / "unlike.csv").read_text().splitlines())


async def test_a_version_whose_file_is_gone_is_named_with_its_decisions(
    desk: Desk, stored: list[AChild], capsys: pytest.CaptureFixture[str]
) -> None:
    await desk.pool.execute("UPDATE decision SET rules = replace(rules, 'level@', 'level@1999-')")

    code, told = await luotsi(capsys, "replay")

    assert 1 == code
    assert "Cannot be replayed" in told
    assert "level@1999-" in told


# --- kept for the desk --------------------------------------------------------------------------


async def test_a_kept_effect_is_read_at_the_desk_by_supervisors_alone(
    desk: Desk, stored: list[AChild], draft: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, told = await luotsi(capsys, "diff", "live", str(draft), "--keep")
    assert 0 == code, told

    async with desk.browser("kaisa") as browser:
        index = (await browser.open("/rules")).text
        page = await browser.open("/rules/effects/1")
        nothing = await browser.open("/rules/effects/2")
    assert 'href="/rules/effects/1"' in index
    assert 200 == page.status_code
    for child in stored[:2]:
        assert f'href="/cases/{child.id}"' in page.text
    assert str(stored[2].id) not in page.text
    assert 404 == nothing.status_code
    async with desk.browser("sosse") as browser:
        assert 403 == (await browser.open("/rules/effects/1")).status_code
        assert "/rules/effects/" not in (await browser.open("/rules")).text


async def test_the_version_of_a_case_leads_to_its_rules(desk: Desk, stored: list[AChild]) -> None:
    version: Any = desk.cases.rules.tables.version
    async with desk.browser("sosse") as browser:
        case = (await browser.open(f"/cases/{stored[0].id}")).text
        link = case.partition('href="/rules/')[2].partition('"')[0]
        page = await browser.open(f"/rules/{link}")
        menu = case.partition("</nav>")[2].partition("</nav>")[0]
    assert 200 == page.status_code
    assert f"<code>{version}" in page.text
    assert "These tables are in force now." in page.text
    assert 'href="/rules"' not in menu, "the navigation leads supervisors alone there"
    async with desk.browser("kaisa") as browser:
        assert 'href="/rules"' in (await browser.open("/queues/duty")).text


@pytest.mark.parametrize("path", ["/rules/level@1999-01", "/rules/x", "/rules/level@..%2F..%2Fx"])
async def test_a_version_that_is_none_is_not_there(desk: Desk, path: str) -> None:
    async with desk.browser("kaisa") as browser:
        assert 404 == (await browser.open(path)).status_code


async def test_rules_are_for_who_is_logged_in(desk: Desk) -> None:
    async with desk.client() as client:
        for path in ("/rules", "/rules/level@2026-12", "/rules/effects/1"):
            assert 303 == (await client.get(path)).status_code
