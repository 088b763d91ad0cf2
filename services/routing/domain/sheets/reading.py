"""From the cells of a spreadsheet to rule tables, or to every fault with its sheet, row and column.

Read is what is written, nothing is looked up: whether facts, values and rows are known and the
tables may go live is asked of the tables afterwards (`located` says where in the sheets it is).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from services.routing.domain.flow import Space
from services.routing.domain.form import Form, Question
from services.routing.domain.sheets.cells import (
    NotUnderstoodError,
    read_condition,
    read_examples,
    read_list,
)
from services.routing.domain.sheets.faults import Place, SheetFault, SheetsRefusedError
from services.routing.domain.sheets.layout import (
    LANGUAGES,
    MAY_BE_LEFT_OUT,
    NOTE,
    OF_QUESTIONS,
    OF_ROWS,
    OF_TABLES,
    QUESTIONS,
    TABLES,
    WHEN,
    Book,
    Cell,
    is_number,
)
from services.routing.domain.tables.files import choices
from services.routing.domain.tables.written import NAMES, TableName, WrittenRow, WrittenTable

_T = TypeVar("_T")
_M = TypeVar("_M", bound=BaseModel)


class Line(NamedTuple):
    """A row of a sheet that is not empty: its number, and its cells by their column's name."""

    number: int
    cells: Mapping[str, str]

    @property
    def id(self) -> str:
        return self.cells.get("id") or self.cells.get("table", "")


class Sheet:
    """One sheet being read: its columns, its rows, and what was found wrong."""

    def __init__(self, name: str, rows: Sequence[Sequence[Cell]], known: Sequence[str]) -> None:
        self.name = name
        self.faults: list[SheetFault] = []
        self.columns: dict[str, int] = {}
        """The columns' places, from 0; a condition's column is named as `WHEN` and the fact."""
        header = rows[0] if rows else ()
        for place, cell in enumerate(header):
            if not cell.empty:
                self._column(place, cell, known)
        for column in known:
            if column not in self.columns and column not in MAY_BE_LEFT_OUT:
                self.fault("column-missing", names={"column": column})
        self.lines = [] if self.faults else [*self._lines(rows)]

    def fault(
        self,
        kind: str,
        line: Line | None = None,
        column: str = "",
        names: Mapping[str, str] | None = None,
    ) -> None:
        """Tell what is wrong, of a cell only the first thing."""
        self._tell(SheetFault(kind, self.place(line, column), names or {}))

    def _tell(self, fault: SheetFault) -> None:
        of_cell = fault.place.row is not None and fault.place.column is not None
        if not (of_cell and any(fault.place == each.place for each in self.faults)):
            self.faults.append(fault)

    def place(self, line: Line | None = None, column: str = "") -> Place:
        at = self.columns.get(column)
        row = line.number if line else (1 if column else None)
        ident = line.id if line else ""
        return Place(self.name, row, None if at is None else at + 1, column, ident)

    def when(self) -> dict[str, str]:
        """The columns of conditions, each with the fact it asks for."""
        return {
            column: column.removeprefix(WHEN) for column in self.columns if column.startswith(WHEN)
        }

    def _column(self, place: int, cell: Cell, known: Sequence[str]) -> None:
        plain = " ".join(cell.text.casefold().split())
        column = plain if plain in known else _condition(cell.text)
        at = Place(self.name, 1, place + 1, cell.text)
        if cell.strange:
            self.faults.append(SheetFault(f"cell-{cell.strange}", at))
        elif column is None or (column.startswith(WHEN) and "then" not in known):
            names = {"column": cell.text, "known": ", ".join(known)}
            self.faults.append(SheetFault("column-unknown", at, names))
        elif column in self.columns:
            self.faults.append(SheetFault("column-twice", at, {"column": cell.text}))
        else:
            self.columns[column] = place

    def _lines(self, rows: Sequence[Sequence[Cell]]) -> Iterator[Line]:
        names = {place: column for column, place in self.columns.items()}
        for number, cells in enumerate(rows[1:], 2):
            texts = {at: cell.text for at, cell in enumerate(cells)}
            line = Line(number, {name: texts.get(at, "") for name, at in self.columns.items()})
            if all(cell.empty for cell in cells) or NOTE in (line.id[:1], texts[0][:1]):
                continue
            for at, cell in enumerate(cells):
                header = names.get(at, "")
                place = Place(self.name, number, at + 1, header, line.id)
                if cell.strange:
                    self._tell(SheetFault(f"cell-{cell.strange}", place))
                elif cell.text and not header:
                    self._tell(SheetFault("column-unnamed", place))
            yield line


def _condition(text: str) -> str | None:
    """The name of a condition's column; None if it is named otherwise."""
    if not text.casefold().startswith(WHEN):
        return None
    try:
        names = read_list(text[len(WHEN) :])
    except NotUnderstoodError:
        return None
    return WHEN + names[0] if len(names) == 1 else None


class Draft(NamedTuple):
    """What a workbook says: the four tables, the questions if it has them, and where it says it."""

    tables: tuple[WrittenTable, ...]
    form: Form | None
    sheets: Mapping[str, Sheet]


def read_sheets(book: Book, space: Space) -> Draft:
    """The tables as they are written. Raises `SheetsRefusedError` with every fault of form."""
    wanted: dict[str, Sequence[str]] = {TABLES: OF_TABLES, **dict.fromkeys(NAMES, OF_ROWS)}
    if QUESTIONS in book:
        wanted[QUESTIONS] = OF_QUESTIONS
    missing = [name for name in wanted if name not in book]
    if missing:
        raise SheetsRefusedError(SheetFault("sheet-missing", Place(name)) for name in missing)
    sheets = {name: Sheet(name, book[name], known) for name, known in wanted.items()}
    heads = _heads(sheets[TABLES], (*NAMES, *([QUESTIONS] if QUESTIONS in book else [])))
    if QUESTIONS in heads and QUESTIONS not in book:
        sheets[TABLES].faults.append(SheetFault("sheet-missing", Place(QUESTIONS)))
    tables = [_table(name, heads, sheets, space) for name in NAMES]
    form = _form(heads, sheets) if QUESTIONS in book else None
    faults = [fault for sheet in sheets.values() for fault in sheet.faults]
    if faults:
        raise SheetsRefusedError(faults)
    return Draft(tuple(table for table in tables if table), form, sheets)


# --- the list of tables ---------------------------------------------------------------------------


def _heads(sheet: Sheet, wanted: Sequence[str]) -> dict[str, Line]:
    """What the sheet of tables says of each."""
    found: dict[str, Line] = {}
    for line in sheet.lines:
        name = line.cells.get("table", "")
        if name not in (*NAMES, QUESTIONS):
            sheet.fault("cell-choice", line, "table", {"known": ", ".join(wanted)})
        elif name in found:
            sheet.fault("table-twice", line, "table", {"table": name})
        else:
            found[name] = line
    for name in wanted:
        if name not in found and not sheet.faults:
            sheet.fault("table-missing", names={"table": name})
    return found


def _table(
    name: TableName, heads: Mapping[str, Line], sheets: Mapping[str, Sheet], space: Space
) -> WrittenTable | None:
    sheet, listed = sheets[name], sheets[TABLES]
    rows = [_row(sheet, line, name, space) for line in sheet.lines]
    if name not in heads:
        return None
    head = heads[name]
    content = {
        "table": name,
        "rows": tuple(row for row in rows if row),
        "note": _texts(head, "note"),
        "contents": _read(listed, head, "contents", read_list, "cell-list"),
        **{each: head.cells[each] for each in ("version", "hit", "owner")},
    }
    return _made(WrittenTable, content, listed, head)


def _form(heads: Mapping[str, Line], sheets: Mapping[str, Sheet]) -> Form | None:
    questions = [_question(sheets[QUESTIONS], line) for line in sheets[QUESTIONS].lines]
    if QUESTIONS not in heads:
        return None
    head = heads[QUESTIONS]
    content = {
        "version": head.cells["version"],
        "owner": head.cells["owner"],
        "questions": tuple(question for question in questions if question),
    }
    return _made(Form, content, sheets[TABLES], head)


# --- rows -----------------------------------------------------------------------------------------


def _row(sheet: Sheet, line: Line, table: TableName, space: Space) -> WrittenRow | None:
    before = len(sheet.faults)
    when = {}
    for column, fact in sheet.when().items():
        number = is_number(space, table, fact)
        read = partial(read_condition, number=number)
        otherwise = "number-as-list" if number else "cell-list"
        condition = _read(sheet, line, column, read, otherwise)
        if condition is not None:
            when[fact] = condition
    match, no_match = (
        _read(sheet, line, f"examples {kind}", read_examples, "cell-examples")
        for kind in ("match", "no_match")
    )
    exception = _texts(line, "exception")
    content = {
        "id": line.cells["id"],
        "when": when,
        "unless": _read(sheet, line, "unless", read_list, "cell-list") or (),
        "then": line.cells["then"],
        "reason": _texts(line, "reason"),
        "basis": line.cells["basis"],
        "owner": line.cells.get("owner") or None,
        "exception": {"reason": exception} if exception else None,
        "examples": None
        if match is None and no_match is None
        else {"match": match or (), "no_match": no_match or ()},
    }
    return _made(WrittenRow, content, sheet, line) if len(sheet.faults) == before else None


def _question(sheet: Sheet, line: Line) -> Question | None:
    content = {
        "id": line.cells["id"],
        "text": _texts(line, "text"),
        "answered_by": _read(sheet, line, "answered_by", read_list, "cell-list") or (),
    }
    return _made(Question, content, sheet, line)


def _texts(line: Line, name: str) -> dict[str, str]:
    """The languages in which something is written."""
    written = {language: line.cells.get(f"{name} {language}", "") for language in LANGUAGES}
    return {language: text for language, text in written.items() if text}


def _read(
    sheet: Sheet, line: Line, column: str, read: Callable[[str], _T], otherwise: str
) -> _T | None:
    """The cell as it is read; None if it is empty or not in form, which is told then."""
    text = line.cells.get(column, "")
    if not text:
        return None
    try:
        return read(text)
    except NotUnderstoodError:
        sheet.fault(otherwise, line, column)
        return None


_KINDS = {
    "missing": "cell-missing",
    "string_too_short": "cell-missing",
    "string_too_long": "cell-long",
    "string_pattern_mismatch": "cell-slug",
    "literal_error": "cell-choice",
}


def _made(model: type[_M], content: Mapping[str, Any], sheet: Sheet, line: Line) -> _M | None:
    """The value that a row stands for; None if it is not in form, which is told then."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            loc = [str(part) for part in problem["loc"]]
            column = " ".join(part for part in loc if part != "reason" or loc[0] == "reason")
            column = column if column in sheet.columns else loc[0]
            kind = _KINDS.get(problem["type"], "cell-other")
            if not line.cells.get(column):
                kind = "cell-missing"
            known = choices(problem)
            sheet.fault(kind, line, column, {"problem": problem["msg"], "known": known})
        return None
