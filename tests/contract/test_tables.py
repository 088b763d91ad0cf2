"""The pages of the rules leave nothing out, and are words."""

import re
import shutil
from pathlib import Path

import pytest

from deploy.cli.rules import SHIPPED
from services.routing.domain.facts import COLUMNS
from services.routing.domain.form import load_form
from services.routing.domain.tables.loading import read_newest
from services.routing.domain.tables.written import newest
from shared.events import Language
from tests.contract.tables import PAGES, tables_page

CODE = re.compile(r"\b(" + "|".join(name for name in COLUMNS if "_" in name) + r")\b")
EXCEPTED = "      match:\n        - { custody_dispute: [no, unknown], level: vaativa, has_worker"


def cells(page: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in line[1:-1].split(" | ")]
        for line in page.splitlines()
        if line.startswith("| ") and "---" not in line
    ]


@pytest.mark.parametrize("language", PAGES)
def test_every_row_of_the_newest_tables_stands_there_once_with_its_reason(
    language: Language,
) -> None:
    told = [(line[-1], line[2]) for line in cells(tables_page(language)) if "`" in line[-1]]

    rows = [row for table in read_newest(SHIPPED) for row in table.rows]
    assert [(f"`{row.id}`", row.reason.in_language(language)) for row in rows] == told


@pytest.mark.parametrize("language", PAGES)
def test_every_question_stands_there(language: Language) -> None:
    told = [line[0] for line in cells(tables_page(language)) if len(line) == 2]

    asked = [question.text.in_language(language) for question in load_form(SHIPPED).questions]
    assert asked == told[1:]


@pytest.mark.parametrize("language", PAGES)
def test_no_fact_is_called_by_its_code(language: Language) -> None:
    assert [] == CODE.findall(tables_page(language))


@pytest.mark.parametrize("language", PAGES)
def test_conditions_all_count_and_rows_that_keep_one_out_are_named(language: Language) -> None:
    rows = {row.id: row for table in read_newest(SHIPPED) for row in table.rows}

    for line in cells(tables_page(language)):
        row = rows.get(line[-1].strip("`"))
        if row is not None:
            conditions, _, others = line[1].partition(": `")
            assert len(row.when) == conditions.count(": ")
            assert list(row.unless) == re.findall(r"[a-z0-9-]{3,}(?=`)", others)


def test_an_exception_is_shown_with_its_reason(tmp_path: Path) -> None:
    rules = Path(shutil.copytree(SHIPPED, tmp_path / "rules"))
    path = newest(rules, "destinations")
    before, row, after = re.split(
        r"(  - id: expert-group\n.*?)(?=  - id: )", path.read_text("utf-8"), flags=re.DOTALL
    )
    row = row.replace("level: [vaativa],", "level: [vaativa], custody_dispute: [no, unknown],")
    row = row.replace("      match:\n        - { level: vaativa, has_worker", EXCEPTED)
    row += (
        "        - { level: vaativa, custody_dispute: yes, has_worker: yes, urgency: not_urgent }\n"
    )
    row += "    exception: { reason: { fi: Käräjät ensin, sv: Tinget först, en: Court first } }\n"
    path.write_text(before + row + after, "utf-8")

    page = tables_page("fi", rules)
    assert "- `destinations/expert-group`: Käräjät ensin" in page
    assert "Ei ole." not in page
    assert "Ei ole." in tables_page("fi")
