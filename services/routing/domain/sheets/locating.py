"""Where in the sheets a fault is that was found in the tables they were read as."""

from collections.abc import Iterator, Mapping
from typing import Final

from services.routing.domain.facts import QUESTIONS as ASKED
from services.routing.domain.sheets.faults import Place, SheetFault
from services.routing.domain.sheets.layout import QUESTIONS, TABLES, WHEN
from services.routing.domain.sheets.reading import Draft, Line, Sheet
from services.routing.domain.tables.faults import Fault
from services.routing.domain.tables.written import WrittenRow

_LISTED: Final[Mapping[str, str]] = {
    "hit-kind": "hit",
    "no-contents": "contents",
    "contents-without-row": "contents",
    "row-without-contents": "contents",
}
"""Faults of what the list of tables says of one."""
_COLUMNS: Final[Mapping[str, str]] = {
    "id-twice": "id",
    "unless-unknown": "unless",
    "unknown-then": "then",
    "no-examples": "examples match",
    "example-missed": "examples match",
    "example-alone": "examples match",
    "example-inside": "examples match",
    "example-hit": "examples no_match",
    "example-outside": "examples no_match",
    "example-unless": "examples no_match",
    "exception-needless": "exception fi",
}
_KINDS: Final[Mapping[str, str]] = {"unknown-column": "fact-unknown"}


def located(fault: Fault, draft: Draft) -> SheetFault:
    """The fault with its sheet and, as far as it has them, its row and column."""
    kind = _KINDS.get(fault.kind, fault.kind)
    return SheetFault(kind, _place(fault, draft), fault.names, fault.proposal)


def _place(fault: Fault, draft: Draft) -> Place:
    name = fault.file.partition("/")[0]
    if name not in draft.sheets:
        return Place(id=fault.row or "")
    if column := _LISTED.get(fault.kind):
        listed = draft.sheets[TABLES]
        line = next(line for line in listed.lines if line.id == name)
        return listed.place(line, column)._replace(id=fault.row or name)
    sheet = draft.sheets[name]
    lines = [line for line in sheet.lines if line.id == fault.row]
    if not lines:
        return sheet.place()._replace(id=fault.row or "")
    return sheet.place(lines[-1], _column(fault, draft, lines[-1]))


def _column(fault: Fault, draft: Draft, line: Line) -> str:
    """The column of a row's fault; none if it is the row as a whole."""
    if fault.kind in _COLUMNS or "column" not in fault.names:
        return _COLUMNS.get(fault.kind, "")
    fact, value = str(fault.names["column"]), str(fault.names.get("value", ""))
    row = next(
        row
        for table in draft.tables
        if table.table == fault.file.partition("/")[0]
        for row in table.rows
        if row.id == line.id
    )
    if fact in row.when and not (fault.kind == "unknown-value" and value not in row.when[fact]):
        return WHEN + fact
    return "examples match" if _in_match(row, fact, value) else "examples no_match"


def _in_match(row: WrittenRow, fact: str, value: str) -> bool:
    match = row.examples.match if row.examples else ()
    written = [example[fact] for example in match if fact in example]
    each = [(said,) if isinstance(said, str) else said for said in written]
    return any(not value or value in said for said in each)


def question_faults(draft: Draft) -> Iterator[SheetFault]:
    """What is asked that cannot be, or is not asked that can."""
    if draft.form is None:
        return
    sheet: Sheet = draft.sheets[QUESTIONS]
    seen: set[str] = set()
    for line in sheet.lines:
        if line.id not in ASKED:
            yield SheetFault("question-unknown", sheet.place(line, "id"))
        elif line.id in seen:
            yield SheetFault("question-twice", sheet.place(line, "id"))
        seen.add(line.id)
    for name in ASKED:
        if name not in seen:
            yield SheetFault("question-missing", sheet.place(), {"question": name})
