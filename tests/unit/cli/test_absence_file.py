"""A file of absence signals: what is read of it, and what is told of a line that is not right."""

from pathlib import Path

import orjson
import pytest

from deploy.cli.__main__ import main
from deploy.cli.absence_file import COLUMNS, NotAFile, Read, read_file
from shared.absence import SchoolAbsence

EXAMPLE = Path(__file__).parents[3] / "docs" / "examples" / "absences.csv"
HEADER = "provider,school,pupil_hetu,pupil_name,period_begins,period_ends,hours_unauthorised"
LINE = "esimerkkila,Esimerkin koulu,010512A903W,Testi Lapsi,2026-08-11,2026-11-13,34"
SECRET = ("010512A", "Testi", "Lapsi", "Esimerkin")


def read(text: str, key: bytes = b"key") -> Read:
    return read_file(text.encode(), key)


def signals(found: Read) -> list[SchoolAbsence]:
    return [SchoolAbsence.model_validate_json(line.content) for line in found.lines]


def test_the_example_of_the_guide_is_read() -> None:
    found = read_file(EXAMPLE.read_bytes(), b"key")

    one, two = signals(found)
    assert [] == found.faults
    assert ["2026-0001", "2026-0002"] == [line.id for line in found.lines]
    assert (34, 6, 12, "opp-0001") == (
        one.hours_unauthorised, one.hours_illness, one.hours_authorised, one.pupil_ref,
    )  # fmt: skip
    assert ["luokanopettaja", "koulukuraattori"] == [step.actor for step in one.steps_done]
    assert "2026-10-12" == one.steps_done[1].done_on.isoformat()
    assert one.confirmed_by is not None
    assert (two.pupil.hetu, two.school_mar_held, two.reason_class) == (None, None, "health")


def test_every_field_of_a_signal_has_a_column() -> None:
    reached = {path[0] for path in COLUMNS.values()}

    assert set(SchoolAbsence.model_fields) - {"arrived_at"} == reached - {"id"}


@pytest.mark.parametrize(
    "text",
    [
        f"\ufeff{HEADER}\n{LINE}\n",
        f"{HEADER}\r\n{LINE}\r\n\r\n",
        f"{HEADER}\n{LINE}\n".replace(",", ";"),
        f"{HEADER}\n{LINE}\n".replace(",", "\t"),
        f"{HEADER.upper()}\n{LINE}",
    ],
    ids=["byte order mark", "empty lines", "semicolons", "tabs", "capitals"],
)
def test_a_file_is_read_as_programs_write_it(text: str) -> None:
    (one,) = signals(read(text))

    assert (one.school, one.hours_unauthorised) == ("Esimerkin koulu", 34)


def test_what_looks_like_a_formula_is_plain_text() -> None:
    line = LINE.replace("Testi Lapsi", '"=HYPERLINK(""http://x"")"').replace("Esimerkin", "@SUM -")

    (one,) = signals(read(f"{HEADER}\n{line}\n"))

    assert (one.pupil.name, one.school) == ('=HYPERLINK("http://x")', "@SUM - koulu")


@pytest.mark.parametrize(
    ("old", "new", "column", "mend"),
    [
        ("010512A903W", "010512A903X", "column pupil_hetu", "henkilötunnus"),
        ("2026-08-11", "11/8/2026", "column period_begins", "valid date"),
        ("2026-08-11", "2026-12-11", "column period_ends", "not before begins"),
        (",34", ",neljä", "column hours_unauthorised", "integer"),
        (",34", ",2001", "column hours_unauthorised", "2000"),
        ("esimerkkila,", "Esimerkkilän kaupunki,", "column provider", "form"),
        ("Esimerkin koulu,", ",", "column school", "required"),
        ("010512A903W,Testi Lapsi,", ",,", "column pupil_hetu", "name or henkilötunnus"),
        (",34", "", "the whole line", "6 cells"),
    ],
)
def test_a_fault_is_told_by_line_and_column_without_what_the_cell_holds(
    old: str, new: str, column: str, mend: str
) -> None:
    found = read(f"{HEADER}\n{LINE}\n{LINE.replace(old, new)}\n")

    (fault,) = found.faults
    assert (fault.line, fault.column) == (3, column)
    assert mend in fault.mend
    assert not any(word in str(fault) for word in (*SECRET, "903X", "neljä"))
    assert 1 == len(found.lines) == found.bad_lines


def test_a_step_that_cannot_be_read_is_told_by_its_place() -> None:
    line = f'{LINE},"1:2026-09-01:kuraattori|2:eilen:Testi Lapsi"'

    (fault,) = read(f"{HEADER},steps_done\n{line}\n").faults

    assert "column steps_done, entry 2" == fault.column
    assert "Testi" not in str(fault)


def test_lines_are_numbered_as_an_editor_shows_them() -> None:
    long = LINE + ',"Kaksi\nriviä"'

    found = read(f"{HEADER},observations\n{long}\n\n{LINE.replace('34', 'x')},\n")

    assert [2] == [line.number for line in found.lines]
    assert [5] == [fault.line for fault in found.faults]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not a column|columns are missing"),
        (HEADER.replace("school", "koulu").encode(), "line 1, column 2: not a column"),
        (HEADER.replace("provider,", "").encode(), "missing: provider"),
        (f"{HEADER},school\n".encode(), "the column school stands twice"),
        (f"{HEADER}\n{LINE}\n".replace("Esimerkin", "Äiti").encode("latin-1"), "line 2 is not UTF"),
        (f'{HEADER}\n"{LINE}\n'.encode(), "line 2: not CSV"),
    ],
)
def test_what_is_no_such_file_is_refused_as_a_whole(content: bytes, told: str) -> None:
    with pytest.raises(NotAFile, match=told) as refused:
        read_file(content, b"key")

    assert "koulu" not in str(refused.value)


# --- ids ------------------------------------------------------------------------------------------


def made(line: str, key: bytes = b"key") -> str:
    (found,) = read(f"{HEADER}\n{line}\n", key).lines
    return found.id


def test_a_line_without_an_id_has_the_same_one_each_time_and_once_it_is_mended() -> None:
    assert made(LINE) == made(LINE.replace(",34", ",60")) == made(LINE.replace("-08-11", "-08-11"))
    assert made(LINE) == made(LINE.replace("2026-08-11", "11.8.2026"))
    assert made(LINE) != made(LINE.replace("2026-11-13", "2026-11-20"))


def test_nobody_without_the_key_can_find_out_whom_a_made_id_is_about() -> None:
    assert made(LINE) != made(LINE, b"another key")
    assert not any(word.lower() in made(LINE) for word in SECRET)


def test_two_lines_about_the_same_pupil_and_period_are_one_too_many() -> None:
    (fault,) = read(f"{HEADER}\n{LINE}\n{LINE.replace('34', '35')}\n").faults

    assert (3, "the whole line") == (fault.line, fault.column)
    assert "line 2" in fault.mend


@pytest.mark.parametrize("ident", ["opp/010512A903W", "tyhjä väli"])
def test_an_id_that_cannot_stand_in_a_header_or_names_a_person_is_refused(ident: str) -> None:
    (fault,) = read(f"{HEADER},id\n{LINE},{ident}\n").faults

    assert "column id" == fault.column
    assert ident not in str(fault)


# --- the command ----------------------------------------------------------------------------------


def test_checking_sends_nothing_and_says_how_many_are_right(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "absences.csv"
    file.write_text(f"{HEADER}\n{LINE}\n{LINE.replace('34', 'x')}\n", encoding="utf-8")

    code = main(["import-absences", str(file), "--source", "school-1", "--check"])

    out = capsys.readouterr().out
    assert 1 == code
    assert "line 3, column hours_unauthorised" in out
    assert "1 lines could be sent, 1 are not right." in out


def test_where_nobody_answers_nothing_is_sent(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LUOTSI_INTAKE_URL", "http://127.0.0.1:9")

    assert 2 == main(["import-absences", str(EXAMPLE), "--source", "school-1"])
    assert "does not answer" in capsys.readouterr().err


def test_what_is_sent_is_json_that_intake_takes() -> None:
    (line,) = read(f"{HEADER}\n{LINE}\n").lines

    assert orjson.loads(line.content)["period"] == {"begins": "2026-08-11", "ends": "2026-11-13"}
