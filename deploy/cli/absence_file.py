"""A file of schools' absence signals (CSV): each line read and checked, nothing of a person told.

A cell is plain text, whatever it begins with: no formula is ever evaluated.
"""

import csv
import hashlib
import hmac
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from shared.absence import Confirmer, SchoolAbsence
from shared.events import SourceId, Urgency
from shared.hetu import contains_hetu

Path = tuple[str, ...]

COLUMNS: Mapping[str, Path] = {
    **{name: (name,) for name in SchoolAbsence.model_fields if name not in (
        "arrived_at", "pupil", "period", "confirmed_by", "urgency",
    )},
    "id": ("id",),
    "pupil_hetu": ("pupil", "hetu"),
    "pupil_name": ("pupil", "name"),
    "pupil_birth_date": ("pupil", "birth_date"),
    "is_client": ("pupil", "is_client"),
    "period_begins": ("period", "begins"),
    "period_ends": ("period", "ends"),
    **{f"confirmed_by_{name}": ("confirmed_by", name) for name in Confirmer.model_fields},
    **{name: ("urgency", name) for name in Urgency.model_fields},
}  # fmt: skip
"""Column -> where its cell stands in the signal."""
NEEDED = ("provider", "school", "period_begins", "period_ends")
_WHOLE = {"period": "period_ends", "pupil": "pupil_hetu"}  # what is wrong as a whole is told there
_FINNISH_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_SOURCE_ID: TypeAdapter[str] = TypeAdapter(SourceId)


class NotAFile(Exception):
    """The file as a whole cannot be read as CSV with these columns; says why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a line, with its mend; never what the cell holds."""

    line: int
    column: str
    mend: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.column}: {self.mend}"


@dataclass(frozen=True, slots=True)
class Line:
    """A line that may be sent: its number, its id, the signal as JSON."""

    number: int
    id: str
    content: bytes


@dataclass(slots=True)
class Read:
    """A whole file: what may be sent, and what is wrong with the rest."""

    lines: list[Line] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)

    @property
    def bad_lines(self) -> int:
        """How many lines cannot be sent."""
        return len({fault.line for fault in self.faults})


def read_file(content: bytes, key: bytes) -> Read:
    """Check every line. `key` keys the ids that Luotsi makes, so that nobody can guess a person.

    Raises `NotAFile`.
    """
    rows = _rows(content)
    header = next(rows, (1, []))[1]
    columns = _columns(header)
    read = Read()
    seen: dict[str, int] = {}
    for number, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(columns):
            told = f"{len(cells)} cells, and the header has {len(columns)} columns"
            read.faults.append(Fault(number, "the whole line", told))
            continue
        given = {c: cell.strip() for c, cell in zip(columns, cells, strict=True) if cell.strip()}
        _read_line(read, number, given, key, seen)
    return read


def _read_line(
    read: Read, number: int, given: Mapping[str, str], key: bytes, seen: dict[str, int]
) -> None:
    content = orjson.dumps(_signal(given))
    try:
        SchoolAbsence.model_validate_json(content)
    except ValidationError as error:
        read.faults += _faults(number, error)
        return
    ident = given.get("id") or _made_id(given, key)
    if fault := _wrong_id(ident):
        read.faults.append(Fault(number, "column id", fault))
    elif ident in seen:
        told = f"the same as in line {seen[ident]}: one line for each pupil, school and period"
        read.faults.append(Fault(number, "column id" if "id" in given else "the whole line", told))
    else:
        seen[ident] = number
        read.lines.append(Line(number, ident, content))


def _rows(content: bytes) -> Iterator[tuple[int, list[str]]]:
    """Rows with the number of the line that each begins in."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise NotAFile(f"line {line} is not UTF-8: save the file as CSV UTF-8") from None
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    while True:
        try:
            row = next(reader, None)
        except csv.Error:
            told = "a quotation mark is not closed, or a cell is too long"
            raise NotAFile(f"line {line}: not CSV: {told}") from None
        if row is None:
            return
        yield line, row
        line = reader.line_num + 1


def _columns(header: Sequence[str]) -> list[str]:
    """The columns of the header; what a column is named that we do not know is not repeated."""
    names = [name.strip().lower() for name in header]
    for place, name in enumerate(names, 1):
        if name not in COLUMNS:
            raise NotAFile(
                f"line 1, column {place}: not a column that is known. These are: "
                + ", ".join(sorted(COLUMNS))
            )
        if names.count(name) > 1:
            raise NotAFile(f"line 1: the column {name} stands twice")
    if missing := [name for name in NEEDED if name not in names]:
        raise NotAFile(f"line 1: these columns are missing: {', '.join(missing)}")
    return names


def _signal(given: Mapping[str, str]) -> dict[str, Any]:
    """The cells where the signal has them; what cannot be read stays text and is found wrong."""
    signal: dict[str, Any] = {"pupil": {}}
    for column, cell in given.items():
        *parents, name = COLUMNS[column]
        place = signal
        for parent in parents:
            place = place.setdefault(parent, {})
        place[name] = _value(column, cell)
    signal.pop("id", None)
    return signal


def _value(column: str, cell: str) -> Any:
    if column == "steps_done":
        return [_step(part.strip()) for part in re.split(r"[;|]", cell) if part.strip()]
    if column == "reasons":
        return cell.split()
    if column.startswith("hours_") or column == "step_reached":
        return _number(cell)
    return _day(cell)


def _step(part: str) -> dict[str, Any]:
    """``1:2026-09-01:class teacher``."""
    names = ("step", "done_on", "actor")
    cells = [cell.strip() for cell in part.split(":", 2)]
    step: dict[str, Any] = dict(zip(names, cells, strict=False))
    return {name: _number(c) if name == "step" else _day(c) for name, c in step.items()}


def _number(cell: str) -> Any:
    return int(cell) if re.fullmatch(r"[0-9]{1,6}", cell) else cell


def _day(cell: str) -> str:
    """Days may be written as in Finland, ``1.9.2026``; all else stays as it is."""
    if found := _FINNISH_DAY.fullmatch(cell):
        day, month, year = found.groups()
        return f"{year}-{int(month):02}-{int(day):02}"
    return cell


def _faults(number: int, error: ValidationError) -> Iterator[Fault]:
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        loc = [part for part in problem["loc"] if isinstance(part, str)]
        entries = [part + 1 for part in problem["loc"] if isinstance(part, int)]
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "string_pattern_mismatch":
            message = "not in the form that is needed"
        place = f"column {_column(loc)}" + "".join(f", entry {entry}" for entry in entries)
        yield Fault(number, place, message)


def _column(loc: Sequence[str]) -> str:
    for column, path in COLUMNS.items():
        if tuple(loc[: len(path)]) == path:
            return column
    return _WHOLE.get(loc[0], loc[0]) if loc else "?"


def _made_id(given: Mapping[str, str], key: bytes) -> str:
    """Whom and what the line is about, under a key: the same line and a mended one have the same.

    It tells nothing of the person, and without the key nobody can try persons against it.
    """
    named = f"{given.get('pupil_name')} {_day(given.get('pupil_birth_date', ''))}"
    who = given.get("pupil_ref") or given.get("pupil_hetu") or named
    days = [_day(given["period_begins"]), _day(given["period_ends"])]
    about = [given["provider"], given["school"], *days, who]
    digest = hmac.new(key, orjson.dumps(about), hashlib.sha256).hexdigest()
    return f"absence-{digest[:40]}"


def _wrong_id(ident: str) -> str | None:
    try:
        _SOURCE_ID.validate_python(ident)
    except ValidationError:
        return "letters, digits and . _ : / - only, at most 128, beginning with a letter or digit"
    return "it holds a personal identity code; use another id" if contains_hetu(ident) else None
