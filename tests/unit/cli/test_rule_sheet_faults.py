"""What is wrong in an edited spreadsheet of rules is told with its place; nothing is written."""

import resource
import time
import zipfile
from collections.abc import Callable
from datetime import date
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook

from deploy.cli.__main__ import main
from deploy.cli.rules import SHIPPED
from deploy.cli.workbook import (
    MAX_COLUMNS,
    MAX_ELEMENTS,
    MAX_FILE,
    MAX_PARTS,
    MAX_ROWS,
    MAX_UNPACKED,
)
from services.routing.domain.flow import SPACE
from services.routing.domain.sheets import sheets_of
from services.routing.domain.sheets.faults import letters
from services.routing.domain.tables.loading import read_newest
from services.routing.domain.tables.written import NAMES, newest
from tests.edited_workbooks import Change, Desk, both, cell, nothing, put

Told = pytest.CaptureFixture[str]
COLUMNS = sheets_of(read_newest(SHIPPED), None, SPACE)["level"][0]
AT = {name: letters(place) for place, name in enumerate(COLUMNS, 1)}
"""The letter of each column of the sheet `level`."""
SV = f"{AT['reason sv']} (reason sv)"
LAST = AT["examples no_match"]
OLD = "+".join(f"{name}@2026-12" for name in NAMES)
NEWEST = newest(SHIPPED, "level").stem


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def at(name: str) -> str:
    """The place of a column of the sheet `level`, as faults tell it."""
    return f"column {AT[name]} ({name})"


def remove(sheet: str) -> Change:
    return lambda book: book.remove(book[sheet])


def rename(column: str, to: str | None) -> Change:
    return lambda book: setattr(cell(book, "level", "id", column), "value", to)


def again(book: Workbook) -> None:
    book["holder"].append([each.value for each in book["holder"][3]])


WRONG: dict[str, tuple[Change, str]] = {
    "a sheet is missing": (
        remove("holder"),
        "sheet holder: the sheet is missing; export the tables anew",
    ),
    "the questions are missing": (
        remove("questions"),
        "sheet questions: the sheet is missing; export the tables anew",
    ),
    "a column is missing": (
        lambda book: book["level"].delete_cols([*AT].index("then") + 1),
        "sheet level: the column then is missing; add it",
    ),
    "a column is not known": (
        rename("basis", "source"),
        f"sheet level, row 1, column {AT['basis']} (source): the column source is not known",
    ),
    "a fact is not known": (
        rename("when psych", "when pysch"),
        "sheet level, row 6 (erityis-psych), column F (when pysch): the fact pysch is not known",
    ),
    "a column stands twice": (
        rename("when psych", "when safety"),
        "sheet level, row 1, column G (when safety): the column when safety stands twice",
    ),
    "a column has no name": (
        both(put("level", "erityis-psych", "owner", "somebody"), rename("owner", None)),
        f"sheet level, row 6 (erityis-psych), column {AT['owner']}: the cell holds text, but its",
    ),
    "an id stands twice": (
        again,
        "sheet holder, row 9 (urgency-open), column A (id): two rows have this id",
    ),
    "an id is no id": (
        put("level", "erityis-psych", "id", "Erityis 1"),
        "sheet level, row 6 (Erityis 1), column A (id): small letters a–z and digits only",
    ),
    "a language is missing": (
        put("level", "erityis-psych", "reason sv", None),
        f"sheet level, row 6 (erityis-psych), {at('reason sv')}: the cell is empty; write",
    ),
    "an exception is not told in all languages": (
        put("level", "erityis-psych", "exception fi", "Syy"),
        f"sheet level, row 6 (erityis-psych), {at('exception sv')}: the cell is empty",
    ),
    "a text is too long": (
        put("level", "erityis-psych", "reason en", "a" * 301),
        f"{at('reason en')}: the cell holds more than 300 characters; shorten it",
    ),
    "a value is not known": (
        put("level", "erityis-psych", "when psych", "ja"),
        "row 6 (erityis-psych), column F (when psych): psych: unknown value ja; known: no, unknow",
    ),
    "a number is no limit": (
        put("level", "perus-so-far", "when areas_unknown", "many"),
        "column J (when areas_unknown): a number is given by limits: >= 3, <= 3 or 2..4",
    ),
    "an outcome is not known": (
        put("level", "erityis-psych", "then", "raskas"),
        f"{at('then')}: then: raskas is not one of perus, erityis, vaativa",
    ),
    "a row that is named is not there": (
        put("level", "erityis-psych", "unless", "vaativa-other"),
        f"{at('unless')}: unless names vaativa-other, which is no other row of this table",
    ),
    "an example is none": (
        put("level", "erityis-psych", "examples match", "psych yes"),
        f"{at('examples match')}: write one example a line: psych: yes, level: [",
    ),
    "an example has a value that is not known": (
        put("level", "erityis-psych", "examples no_match", "psych: ei"),
        f"{at('examples no_match')}: psych: unknown value ei",
    ),
    "a formula": (
        put("level", "erityis-psych", "basis", '="LSL "&26'),
        f"{at('basis')}: the cell begins with =, so it is a formula, and no formula is read",
    ),
    "a date": (
        put("level", "erityis-psych", "when psych", date(2026, 2, 1)),
        "column F (when psych): the cell holds a date; format it as text, and write what it says",
    ),
    "a truth value": (
        put("level", "erityis-psych", "when psych", value=True),
        "column F (when psych): the cell holds a truth value; format it as text",
    ),
    "a decimal number": (
        put("level", "perus-so-far", "when areas_unknown", 2.5),
        "column J (when areas_unknown): the cell holds a decimal number",
    ),
    "an error": (
        put("level", "erityis-psych", "basis", "#REF!"),
        f"{at('basis')}: the cell holds an error of the spreadsheet program",
    ),
    "cells that are merged": (
        lambda book: book["level"].merge_cells("F6:F7"),
        "row 6 (erityis-psych), column F (when psych): the cell is merged with others; unmerge it",
    ),
    "a name that is merged": (
        lambda book: book["level"].merge_cells("A1:B1"),
        "sheet level, row 1, column A: the cell is merged with others; unmerge it",
    ),
    "a table is not listed": (
        lambda book: book["tables"].delete_rows(4),
        "sheet tables: the row of the table level is missing",
    ),
    "a table is listed twice": (
        put("tables", "level", "table", "urgent"),
        "sheet tables, row 4 (urgent), column A (table): the table urgent has two rows",
    ),
    "a way of hitting that does not suit": (
        put("tables", "level", "hit", "collect"),
        "sheet tables, row 4 (level), column C (hit): hit: collect does not suit this table",
    ),
    "a question that cannot be asked": (
        put("questions", "a1", "id", "a11"),
        "sheet questions, row 11 (a11), column A (id): this cannot be asked; take the row out",
    ),
    "a person who cannot answer": (
        put("questions", "a1", "answered_by", "family, neighbour"),
        "sheet questions, row 11 (a1), column E (answered_by): only one of: notifier, school, f",
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_fault_is_told_with_sheet_row_column_and_mend(
    wrong: str, desk: Desk, capsys: Told
) -> None:
    change, sentence = WRONG[wrong]

    assert 1 == desk.bring_in(change)
    told = capsys.readouterr().out
    assert sentence in told
    assert told.endswith("Nothing was written.\n")
    assert not desk.draft.parent.exists()


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("fi", f"välilehti level, rivi 6 (erityis-psych), sarake {SV}: solu on tyhjä"),
        ("sv", f"blad level, rad 6 (erityis-psych), kolumn {SV}: cellen är tom"),
    ],
)
def test_a_fault_is_told_in_the_reader_s_language(
    language: str, sentence: str, desk: Desk, capsys: Told
) -> None:
    change = put("level", "erityis-psych", "reason sv", None)

    assert 1 == desk.bring_in(change, "--language", language)
    assert sentence in capsys.readouterr().out


def test_all_faults_are_told_at_once(desk: Desk, capsys: Told) -> None:
    change = both(
        put("urgent", "danger", "reason fi", None), put("level", "erityis-psych", "basis", None)
    )

    assert 1 == desk.bring_in(change)
    told = capsys.readouterr().out
    assert "sheet urgent, row 3 (danger)" in told
    assert "sheet level, row 6 (erityis-psych)" in told


# --- what keeps a draft from going live -----------------------------------------------------------


def test_a_draft_that_may_not_go_live_stands_and_is_told_with_its_row(
    desk: Desk, capsys: Told
) -> None:
    change = both(
        put("urgent", "self-harm", "when self_harm", "unknown"),
        put("urgent", "self-harm", "examples match", "self_harm: unknown"),
        put("urgent", "self-harm", "examples no_match", "self_harm: [no, yes]"),
    )

    assert 1 == desk.bring_in(change)
    told = capsys.readouterr().out
    assert "sheet urgent, row 7 (self-harm): more concern, a lighter decision: self_harm" in told
    assert "stays in force" in told
    assert (desk.draft / "urgent" / "2027-01.yaml").is_file()
    assert 1 == main(["rules", "check", str(desk.draft)])


def test_a_row_that_was_taken_out_by_accident_is_missed(desk: Desk, capsys: Told) -> None:
    assert 1 == desk.bring_in(lambda book: book["urgent"].delete_rows(3))
    told = capsys.readouterr().out
    assert "sheet tables, row 3 (danger), column H (contents): contents names a row that is" in told


def test_a_missing_example_is_told_with_one_that_can_be_pasted(desk: Desk, capsys: Told) -> None:
    no_match = ("level", "erityis-psych", "examples no_match")
    assert 1 == desk.bring_in(put(*no_match, "psych: unknown"))
    told = capsys.readouterr().out
    assert f"{at('examples no_match')}: an example outside the limit psych = no is miss" in told

    proposals = [line for line in told.splitlines() if line.startswith("{ ")]
    cured = "\n".join(["psych: unknown", *proposals])
    assert 0 == desk.bring_in(put(*no_match, cured), "--replace")


def test_an_offer_of_the_county_that_no_row_proposes_any_more_is_told_with_the_draft(
    desk: Desk, capsys: Told
) -> None:
    def take_out(book: Workbook) -> None:
        sheet, contents = book["destinations"], cell(book, "tables", "destinations", "contents")
        (row,) = (each[0].row for each in sheet.iter_rows() if each[0].value == "hospital-school")
        sheet.delete_rows(row)
        contents.value = contents.value.replace("hospital-school, ", "")

    assert 1 == desk.bring_in(take_out)
    told = capsys.readouterr().out
    assert "destinations/2027-01.yaml: changed" in told
    assert "settings/2026-08-01.2.yaml" in told.split("\n\n")[1]
    assert "stays in force" in told
    assert (desk.draft / "destinations" / "2027-01.yaml").is_file()


# --- what is no workbook --------------------------------------------------------------------------


def packed(**parts: bytes) -> bytes:
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as container:
        for name, content in parts.items():
            container.writestr(name, content)
    return file.getvalue()


def with_part(file: Path, name: str, change: tuple[bytes, bytes]) -> bytes:
    """The workbook with something else in one of its parts."""
    anew = BytesIO()
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(anew, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.namelist():
            content = old.read(entry)
            if entry == name:
                assert change[0] in content
                content = content.replace(*change, 1)
            new.writestr(entry, content)
    return anew.getvalue()


LEVEL = "xl/worksheets/sheet4.xml"
LAUGHS = b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><worksheet '


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"id;when;then",
        b"PK\x03\x04",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),  # an old .xls, or one with a password
        packed(mimetype=b"application/vnd.oasis.opendocument.spreadsheet"),
        packed(**{"[Content_Types].xml": b"<Types/>"}),
        packed(**{"[Content_Types].xml": b"<Types"}),
    ],
)
def test_what_is_no_workbook_is_told_in_one_line(content: bytes, desk: Desk, capsys: Told) -> None:
    desk.edited.write_bytes(content)

    assert 1 == desk.run(desk.edited)
    told = capsys.readouterr().out.splitlines()
    assert "the workbook: the file is no readable Excel workbook; save it as .xlsx" in told[0]
    assert ["", "Nothing was written."] == told[1:]
    assert not desk.draft.exists()


def test_a_workbook_that_was_cut_off_or_damaged_is_none(desk: Desk, capsys: Told) -> None:
    whole = desk.file.read_bytes()
    for end in range(0, len(whole), len(whole) // 25):
        desk.edited.write_bytes(whole[:end])
        assert 1 == desk.run(desk.edited)
        desk.edited.write_bytes(whole[:end] + bytes(50) + whole[end + 50 :])
        assert desk.run(desk.edited, "--replace") in (0, 1)
    assert "Traceback" not in capsys.readouterr().out


def test_a_file_that_is_not_there_is_said(desk: Desk, capsys: Told) -> None:
    assert 2 == desk.run(desk.edited)
    assert "there is no such file" in capsys.readouterr().err


BOMBS: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "too many bytes": (
        lambda file: file.read_bytes() + bytes(MAX_FILE),
        "the workbook is too large (> 4 MB)",
    ),
    "what unpacks to too much": (
        lambda _: packed(**{"xl/workbook.xml": bytes(MAX_UNPACKED + 1)}),
        "the workbook is too large (> 16 MB",
    ),
    "too many parts": (
        lambda _: packed(**{f"{place}.xml": b"<a/>" for place in range(MAX_PARTS + 1)}),
        "the workbook is too large",
    ),
    "too many elements": (
        lambda _: packed(**{"xl/styles.xml": b"<a>" + b"<b/>" * MAX_ELEMENTS + b"</a>"}),
        "the workbook is too large (> 400000",
    ),
    "an entity": (
        lambda file: with_part(file, LEVEL, (b"<worksheet ", LAUGHS)),
        "the file is no readable Excel workbook",
    ),
    "a cell far down": (
        lambda file: with_part(file, LEVEL, (b'<row r="9"', b'<row r="1048576"')),
        f"at most {MAX_ROWS} rows and {MAX_COLUMNS} columns are read",
    ),
    "a row beyond all rows": (
        lambda file: with_part(file, LEVEL, (b'<row r="9"', b'<row r="99999999999999"')),
        f"at most {MAX_ROWS} rows and {MAX_COLUMNS} columns are read",
    ),
    "a cell far to the right": (
        lambda file: with_part(file, LEVEL, (f'<c r="{LAST}9"'.encode(), b'<c r="XFD9"')),
        f"at most {MAX_ROWS} rows and {MAX_COLUMNS} columns are read",
    ),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_before_it_goes_off(bomb: str, desk: Desk, capsys: Told) -> None:
    make, sentence = BOMBS[bomb]
    desk.edited.write_bytes(make(desk.file))
    before, began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.monotonic()

    assert 1 == desk.run(desk.edited)
    assert 5 > time.monotonic() - began
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert 150_000 > grown, "kilobytes"
    assert sentence in capsys.readouterr().out
    assert not desk.draft.exists()


def test_cells_that_are_said_to_be_one_cost_nothing(desk: Desk) -> None:
    everything = b'<mergeCells count="1"><mergeCell ref="A20:XFD1048576"/></mergeCells><dataValid'
    desk.edited.write_bytes(with_part(desk.file, LEVEL, (b"<dataValid", everything)))
    began = time.monotonic()

    assert 0 == desk.run(desk.edited)
    assert 5 > time.monotonic() - began


# --- where a draft may go -------------------------------------------------------------------------


def test_a_draft_is_replaced_only_when_it_is_asked_for(desk: Desk, capsys: Told) -> None:
    assert 0 == desk.bring_in(put("urgent", "danger", "basis", "once"))
    assert 1 == desk.bring_in(put("urgent", "danger", "basis", "twice"))
    assert "the directory is not empty; name another" in capsys.readouterr().out
    path = desk.draft / "urgent" / "2027-01.yaml"
    assert "basis: once" in path.read_text(encoding="utf-8")

    assert 0 == desk.bring_in(put("urgent", "danger", "basis", "twice"), "--replace")
    assert "basis: twice" in path.read_text(encoding="utf-8")
    assert [desk.draft] == [*desk.draft.parent.iterdir()]


def test_nothing_but_a_draft_is_replaced(desk: Desk, capsys: Told) -> None:
    (desk.draft / "level").mkdir(parents=True)
    other = desk.draft / "level" / "2026-12.yaml"
    other.write_text("somebody's work")

    assert 1 == desk.bring_in(nothing, "--replace")
    assert "the directory holds no draft" in capsys.readouterr().out
    assert "somebody's work" == other.read_text()


@pytest.mark.parametrize(
    "live", [SHIPPED, SHIPPED / "level", SHIPPED.parent, SHIPPED / ".." / "rules"]
)
def test_the_rules_in_force_are_no_place_for_a_draft(live: Path, desk: Desk, capsys: Told) -> None:
    before = sorted(SHIPPED.rglob("*"))
    desk.draft = live

    assert 1 == desk.bring_in(nothing, "--replace")
    assert "no draft is written among the rules in force" in capsys.readouterr().out
    assert before == sorted(SHIPPED.rglob("*"))


@pytest.mark.parametrize(
    ("version", "sentence"),
    [
        (
            "2026-12",
            f"sheet level: version 2026-12 is not newer than {NEWEST}; stored decisions name",
        ),
        ("2026-11.9", f"sheet level: version 2026-11.9 is not newer than {NEWEST}"),
        ("next", "a version is named 2026-11 or 2026-11.2"),
        ("../2027-01", "a version is named 2026-11 or 2026-11.2"),
    ],
)
def test_a_version_that_stands_is_never_edited(
    version: str, sentence: str, desk: Desk, capsys: Told
) -> None:
    change = put("level", "erityis-psych", "basis", "another")

    assert 1 == desk.bring_in(change, "--as", version)
    assert sentence in capsys.readouterr().out
    assert not desk.draft.exists()


# --- export ---------------------------------------------------------------------------------------


def test_an_export_overwrites_nobody_s_work(desk: Desk, capsys: Told) -> None:
    before = desk.file.read_bytes()

    assert 1 == main(["rules", "export", str(desk.file)])
    assert "the file is there already; name another" in capsys.readouterr().out
    assert before == desk.file.read_bytes()


@pytest.mark.parametrize(
    ("name", "version", "sentence"),
    [
        ("rules.ods", "2026-12", "the file's name must end with .xlsx or .dmn"),
        ("new.xlsx", "2025-01", "urgent/2025-01.yaml: no version of this was found"),
        ("new.xlsx", "latest", "a version is named 2026-11 or 2026-11.2"),
        ("new.xlsx", "level@../../2026-12", "a version is named 2026-11 or 2026-11.2"),
        ("new.xlsx", f"{OLD}+settings@2025-01-01", "settings/2025-01-01.yaml: no version of this"),
        ("new.xlsx", f"{OLD}+settings@../2026-12", "settings@../2026-12: a version is named"),
    ],
)
def test_what_cannot_be_exported_is_said(
    name: str, version: str, sentence: str, tmp_path: Path, capsys: Told
) -> None:
    file = tmp_path / name

    assert 1 == main(["rules", "export", str(file), "--version", version])
    assert sentence in capsys.readouterr().out
    assert not file.exists()


@pytest.mark.parametrize("text", ["=SUM(A1)", r"bell \a", r"a line \r and on", "_x0041_"])
def test_what_a_workbook_would_change_is_not_exported(text: str, desk: Desk, capsys: Told) -> None:
    assert 0 == desk.bring_in(nothing)
    path = desk.draft / "urgent" / "2026-12.yaml"
    written = path.read_text(encoding="utf-8")
    path.write_text(written.replace("LSL 26 § 2 mom; own", f'"{text}" #', 1), encoding="utf-8")
    file = desk.edited.with_name("new.xlsx")

    assert 1 == main(["rules", "export", str(file), "--from", str(desk.draft)])
    told = capsys.readouterr().out
    assert "=" in told
    assert "formula" in told or "cannot be carried by a spreadsheet without loss" in told
    assert not file.exists()
