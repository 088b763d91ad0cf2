"""The rule tables go through a spreadsheet's cells and through their files without loss."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.cli.rules import SHIPPED
from services.routing.domain.flow import SPACE
from services.routing.domain.form import load_form
from services.routing.domain.sheets import Book, Cell, Sheets, read_sheets, sheets_of
from services.routing.domain.sheets.cells import (
    NotUnderstoodError,
    read_condition,
    read_examples,
    read_list,
    written_condition,
)
from services.routing.domain.sheets.faults import letters
from services.routing.domain.tables.loading import read_newest
from services.routing.domain.tables.writing import yaml_of, yaml_of_form
from services.routing.domain.tables.written import (
    NAMES,
    Condition,
    Interval,
    WrittenTable,
    read_table,
)
from tests.written_tables import CONDITIONS, FOUR_TABLES, UNSHRUNK, a_table, differences

EVERY_VERSION = sorted(path for name in NAMES for path in (SHIPPED / name).glob("*.yaml"))


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rules")


def as_book(sheets: Sheets) -> Book:
    return {
        name: [[Cell(text.strip()) for text in row] for row in rows]
        for name, rows in sheets.items()
    }


def in_a_file(table: WrittenTable, folder: Path) -> WrittenTable:
    path = folder / table.table / f"{table.version}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml_of(table), encoding="utf-8")
    return read_table(path)


def test_the_shipped_tables_and_questions_come_back_from_their_sheets() -> None:
    tables, form = read_newest(SHIPPED), load_form(SHIPPED)

    draft = read_sheets(as_book(sheets_of(tables, form, SPACE)), SPACE)

    assert [] == differences(tables, draft.tables)
    assert form == draft.form


@pytest.mark.parametrize("path", EVERY_VERSION, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_version_comes_back_from_its_sheet_and_from_its_file(
    path: Path, folder: Path
) -> None:
    written = read_table(path)
    others = [each for each in read_newest(SHIPPED) if each.table != written.table]

    draft = read_sheets(as_book(sheets_of([written, *others], None, SPACE)), SPACE)

    assert written in draft.tables
    assert [] == differences([written], [in_a_file(written, folder)])


@settings(UNSHRUNK, max_examples=60)
@given(FOUR_TABLES)
def test_any_tables_come_back_from_their_sheets(tables: tuple[WrittenTable, ...]) -> None:
    draft = read_sheets(as_book(sheets_of(tables, None, SPACE)), SPACE)

    assert [] == differences(tables, draft.tables)


@settings(UNSHRUNK, max_examples=60)
@given(table=a_table("level"))
def test_any_table_comes_back_from_its_file(table: WrittenTable, folder: Path) -> None:
    assert [] == differences([table], [in_a_file(table, folder)])


def test_the_questions_come_back_from_their_file(tmp_path: Path) -> None:
    form = load_form(SHIPPED)
    (tmp_path / "questions").mkdir()
    path = tmp_path / "questions" / f"{form.version}.yaml"
    path.write_text(yaml_of_form(form), encoding="utf-8")

    assert form == load_form(tmp_path)


def test_a_file_is_written_in_the_form_of_the_shipped_ones() -> None:
    (level,) = (table for table in read_newest(SHIPPED) if table.table == "level")

    lines = yaml_of(level).splitlines()

    assert "  - id: vaativa-many-areas" in lines
    assert "    when: {a10: [yes], many_areas_besides_a10: [yes]}" in lines
    assert "    unless: [vaativa-many-areas, vaativa-rare-domain]" in lines
    assert "        - {a10: [no, unknown], many_areas_besides_a10: yes}" in lines


# --- cells ------------------------------------------------------------------------------------


@given(CONDITIONS, st.booleans())
def test_any_condition_comes_back_from_its_cell(condition: Condition, number: bool) -> None:  # noqa: FBT001 -- drawn
    text = written_condition(condition, number=number).strip()

    assert condition == read_condition(text, number=number)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (">= 3", (3, None)),
        ("≥3", (3, None)),
        ("<=0", (None, 0)),
        ("≤ 2", (None, 2)),
        ("2..4", (2, 4)),
        ("2 … 4", (2, 4)),
        ("2-4", (2, 4)),
        ("2–4", (2, 4)),
        ("3", (3, 3)),
    ],
)
def test_limits_are_read_as_people_type_them(
    text: str, meant: tuple[int | None, int | None]
) -> None:
    read = read_condition(text, number=True)

    assert Interval(at_least=meant[0], at_most=meant[1]) == read


def test_an_age_is_a_value_and_no_limit() -> None:
    assert ("7-12", "13-15") == read_condition("7-12, 13-15", number=False)


def test_a_list_may_be_separated_as_people_do() -> None:
    assert ("yes", "unknown") == read_list("yes;unknown") == read_list("yes\n unknown")


def test_an_example_is_read_as_it_stands_in_a_file_or_in_a_proposal() -> None:
    plain = read_examples("a10: yes, level: [perus, erityis]\n\npsych = no; safety: unknown")
    braced = read_examples("{ a10: yes, level: [perus, erityis] }\n{ psych: no, safety: unknown }")

    assert plain == braced
    assert (
        {"a10": "yes", "level": ("perus", "erityis")},
        {"psych": "no", "safety": "unknown"},
    ) == plain


@pytest.mark.parametrize(
    "text", ['yes no"', ",", "yes,,no", "[yes", "a b: c", "yes, [no]", '"yes" "no"']
)  # fmt: skip
def test_a_list_that_is_none_is_not_guessed_at(text: str) -> None:
    with pytest.raises(NotUnderstoodError):
        read_list(text)


@pytest.mark.parametrize(
    "text",
    [
        "psych",
        "psych: ",
        "psych: yes psych: no",
        "psych: yes, psych: no",
        "{psych: yes",
        ": yes",
        "psych: [yes",
        "a: b}",
    ],
)
def test_an_example_that_is_none_is_not_guessed_at(text: str) -> None:
    with pytest.raises(NotUnderstoodError):
        read_examples(text)


def test_columns_have_a_spreadsheets_letters() -> None:
    assert ["A", "Z", "AA", "AZ", "BA"] == [letters(place) for place in (1, 26, 27, 52, 53)]
