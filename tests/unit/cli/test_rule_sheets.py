"""`./luotsi rules export` and `rules import`: experts change rules in a spreadsheet, safely."""

import re
import zipfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from openpyxl import Workbook
from python_calamine import CalamineWorkbook

from deploy.cli.__main__ import main
from deploy.cli.rule_sheets import SHEETS
from deploy.cli.rules import SHIPPED
from deploy.cli.workbook import read_workbook
from deploy.cli.workbook_look import workbook_of
from services.routing.domain.flow import SPACE
from services.routing.domain.form import load_form
from services.routing.domain.sheets import read_sheets, sheets_of
from services.routing.domain.tables.loading import read_newest, read_version
from services.routing.domain.tables.written import NAMES, WrittenTable, newest, read_table
from tests.edited_workbooks import Desk, nothing, put
from tests.written_tables import FOUR_TABLES, UNSHRUNK, differences


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Desk(tmp_path_factory.mktemp("rules")).file


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


# --- there and back -------------------------------------------------------------------------------


def test_what_nobody_changed_comes_back_byte_for_byte(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == desk.bring_in(nothing)
    told = capsys.readouterr().out
    for name in (*NAMES, "questions"):
        (draft,) = (desk.draft / name).iterdir()
        assert (SHIPPED / name / draft.name).read_bytes() == draft.read_bytes()
    assert f"level/{newest(SHIPPED, 'level').name}: as it was, copied" in told
    assert "Proved: every child gets one level" in told


KINDS = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
SHARED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
ADDED = {
    "[Content_Types].xml": f'<Override PartName="/xl/sharedStrings.xml" ContentType="{KINDS}"/>',
    "xl/_rels/workbook.xml.rels": (
        f'<Relationship Type="{SHARED}" Target="sharedStrings.xml" Id="s"/>'
    ),
}
IN_ITS_CELL = re.compile(r't="inlineStr"([^>]*)><is><t([^>]*)>(.*?)</t></is></c>', re.DOTALL)


def with_a_list_of_texts(file: Path, to: Path) -> None:
    """The same workbook as Excel and LibreOffice save it: texts in a list, some in two runs."""
    texts: list[str] = []

    def listed(found: re.Match[str]) -> str:
        attributes, space, text = found.groups()
        half = 0 if "&" in text else len(text) // 2
        runs = "".join(f"<r><t{space}>{part}</t></r>" for part in (text[:half], text[half:]))
        texts.append(f"<si>{runs}</si>".replace("<t>", '<t xml:space="preserve">'))
        return f't="s"{attributes}><v>{len(texts) - 1}</v></c>'

    with zipfile.ZipFile(file) as old, zipfile.ZipFile(to, "w") as new:
        for name in old.namelist():
            content = old.read(name).decode("utf-8")
            if name.startswith("xl/worksheets/"):
                content = IN_ITS_CELL.sub(listed, content)
                assert "inlineStr" not in content
            if name in ADDED:
                before, end, last = content.rpartition("</")
                content = before + ADDED[name] + end + last
            new.writestr(name, content)
        new.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">{"".join(texts)}</sst>')
    assert len(texts) > 100


def test_a_workbook_with_a_list_of_texts_says_the_same(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    with_a_list_of_texts(desk.file, desk.edited)

    assert 0 == desk.run(desk.edited)
    assert f"level/{newest(SHIPPED, 'level').name}: as it was, copied" in capsys.readouterr().out


def test_what_no_sheet_holds_comes_along_and_the_shares_are_measured_anew(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == desk.bring_in(put("level", "erityis-psych", "reason en", "A concern of the mind."))
    told = capsys.readouterr().out
    for folder in ("settings", "shares"):
        written = {path.name: path.read_bytes() for path in (SHIPPED / folder).iterdir()}
        assert written == {path.name: path.read_bytes() for path in (desk.draft / folder).iterdir()}
    assert "settings/2026-08-01.yaml: as it was, copied" in told
    assert f"not measured yet: ./luotsi rules check {desk.draft} --write-shares\n" in told


def test_a_changed_table_is_a_new_version_and_the_others_stay(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == desk.bring_in(put("level", "erityis-psych", "reason en", "A concern of the mind."))
    told = capsys.readouterr().out
    (old,) = (table for table in read_newest(SHIPPED) if table.table == "level")
    new = read_table(desk.draft / "level" / "2027-01.yaml")
    changed = {row.id: row.reason.en for row in new.rows if row not in old.rows}
    assert {"erityis-psych": "A concern of the mind."} == changed
    assert old == new.model_copy(update={"version": old.version, "rows": old.rows})
    assert ["2026-12.yaml"] == [path.name for path in (desk.draft / "holder").iterdir()]
    assert "level/2027-01.yaml: changed" in told
    assert "urgent@2026-12+level@2027-01+holder@2026-12" in told


def test_a_changed_question_is_a_new_version_of_the_questions(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == desk.bring_in(put("questions", "a1", "text sv", "Är barnet sjukt?"))
    assert "questions/2027-01.yaml: changed" in capsys.readouterr().out
    assert "Är barnet sjukt?" == load_form(desk.draft).by_id()["a1"].text.sv


@settings(UNSHRUNK, max_examples=15)
@given(tables=FOUR_TABLES)
def test_any_tables_come_back_from_a_workbook(tables: tuple[WrittenTable, ...]) -> None:
    content = workbook_of(sheets_of(tables, None, SPACE), "any")

    assert [] == differences(tables, read_sheets(read_workbook(content, SHEETS), SPACE).tables)


@pytest.mark.parametrize(
    "version",
    [
        "2026-11",
        "urgent@2026-11+level@2026-12+holder@2026-11.2+destinations@2026-11.3",
        "urgent@2026-12+level@2026-12.2+holder@2026-12+destinations@2026-12.2+settings@2026-08-01",
    ],
)
def test_any_version_can_be_exported(version: str, tmp_path: Path) -> None:
    file = tmp_path / "old.xlsx"

    assert 0 == main(["rules", "export", str(file), "--version", version])
    whole = version if "@" in version else "+".join(f"{name}@{version}" for name in NAMES)
    draft = read_sheets(read_workbook(file.read_bytes(), SHEETS), SPACE)
    assert [] == differences(read_version(SHIPPED, whole), draft.tables)


def test_rows_columns_and_sheets_may_be_moved(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    def move(book: Workbook) -> None:
        sheet = book["level"]
        rows = [[each.value for each in row] for row in sheet.iter_rows()]
        book.remove(sheet)
        anew = book.create_sheet("Level ", 0)
        for row in [rows[0], *reversed(rows[1:])]:
            anew.append([None, *reversed(row)])

    assert 0 == desk.bring_in(move)
    assert "level/2027-01.yaml: changed" in capsys.readouterr().out  # its rows stand otherwise
    (old,) = (table for table in read_newest(SHIPPED) if table.table == "level")
    assert old.rows == tuple(reversed(read_table(desk.draft / "level" / "2027-01.yaml").rows))


def test_a_draft_can_be_exported_and_brought_in_again(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.bring_in(put("level", "erityis-psych", "reason en", "Once."))
    file, again = str(desk.edited.with_name("again.xlsx")), str(desk.draft.with_name("again"))
    draft = ["--from", str(desk.draft)]

    assert 0 == main(["rules", "export", file, *draft])
    assert 0 == main(["rules", "import", file, again, "--as", "2027-02", *draft])
    assert "level/2027-01.yaml: as it was, copied" in capsys.readouterr().out


# --- what people and other programs see -----------------------------------------------------------


def test_another_reader_sees_the_same_texts(exported: Path) -> None:
    book = CalamineWorkbook.from_path(str(exported))
    sheets = sheets_of(read_newest(SHIPPED), load_form(SHIPPED), SPACE)

    assert ["readme", *sheets] == book.sheet_names
    for name, rows in sheets.items():
        seen = book.get_sheet_by_name(name).to_python()
        assert [[*filter(None, row)] for row in rows] == [[*filter(None, row)] for row in seen]


def test_every_cell_is_text_so_that_nothing_becomes_a_date_or_a_formula(exported: Path) -> None:
    book = openpyxl.load_workbook(exported)
    rows = [row for sheet in book for row in sheet.iter_rows()]
    cells = [each for row in rows for each in row if each.value is not None]

    assert {("s", "@")} == {(each.data_type, each.number_format) for each in cells}
    for name in SHEETS:
        formats = {each.number_format for each in book[name].column_dimensions.values()}
        assert {"@"} == formats  # also of rows that somebody adds


def test_names_stay_in_view_and_columns_are_as_wide_as_they_need(exported: Path) -> None:
    book = openpyxl.load_workbook(exported)

    for name in SHEETS:
        assert "B3" == book[name].freeze_panes
        widths = {each.width for each in book[name].column_dimensions.values()}
        assert 12 <= min(widths)
        assert 62 >= max(widths)


def test_conditions_and_outcomes_offer_what_is_allowed(exported: Path) -> None:
    book = openpyxl.load_workbook(exported)
    offered = {}
    for choice in book["level"].data_validations.dataValidation:
        column = book["level"][f"{str(choice.sqref).split(':')[0].rstrip('3')}1"].value
        offered[column] = choice
    place = offered["when psych"].formula1.partition("!")[2].replace("$", "")

    assert '"perus,erityis,vaativa"' == offered["then"].formula1
    assert offered["then"].showErrorMessage
    values = [each.value for each in book["facts"][place][0]]
    assert ["no", "unknown", "yes", "no, unknown", "no, yes", "unknown, yes"] == values
    assert not offered["when psych"].showErrorMessage


def test_the_readme_says_in_three_languages_whose_construction_it_is(exported: Path) -> None:
    rows = [[each.value for each in row] for row in openpyxl.load_workbook(exported)["readme"]]

    told = [" ".join(texts) for texts in zip(*rows, strict=True)]
    assert "ei THL:n OT-seula" in told[0]
    assert "inte THL:s OT-såll" in told[1]
    assert "own construction" in told[2]
    assert all("urgent@2026-12+level@2026-12" in text for text in told)
