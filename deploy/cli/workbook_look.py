"""Rule tables as a workbook that people like to work in: widths, lists to choose from, a readme."""

from collections.abc import Mapping, Sequence
from io import BytesIO
from math import ceil
from typing import get_args

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, NamedStyle, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from services.routing.domain.sheets.layout import (
    FACTS,
    LANGUAGES,
    OF_FACTS,
    QUESTIONS,
    TABLES,
    WHEN,
    Sheets,
)
from services.routing.domain.sheets.readme import PARAGRAPHS, README, TITLE
from services.routing.domain.tables.engine import OUTCOMES
from services.routing.domain.tables.written import Hit

SPARE_ROWS = 200
"""Rows below the last that have the lists to choose from, too."""

_WIDTHS = {
    "id": 26, "unless": 22, "then": 16, "basis": 22, "owner": 20, "contents": 40, "version": 12,
    "table": 14, "hit": 12, "examples match": 42, "examples no_match": 42, "answered_by": 30,
    "fact": 28, "direction": 14, "tables": 34, "values": 16,
    **{f"exception {language}": 24 for language in LANGUAGES},
}  # fmt: skip
"""Of columns, in characters."""
_WIDTH_OF_TEXT, _WIDTH_OF_CONDITION, _WIDTH_OF_README = 36, 18, 62
_LINE_HEIGHT, _SMALL_HEIGHT, _HIGHEST = 14, 10, 400  # points
_LINE = Side(style="thin", color="C8D0D4")


def _style(name: str, font: Font | None = None, fill: str = "") -> NamedStyle:
    return NamedStyle(
        name,
        font=font or Font(),
        fill=PatternFill("solid", fgColor=fill) if fill else PatternFill(),
        border=Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE),
        alignment=Alignment(wrap_text=True, vertical="top"),
        number_format="@",
    )


_TEXT, _TITLE, _NAME, _LABEL = "Luotsi text", "Luotsi title", "Luotsi name", "Luotsi label"
_A3 = 8


def workbook_of(sheets: Sheets, version: str) -> bytes:
    """The workbook's file. Every cell is text."""
    book = Workbook()
    book.properties.creator = "Luotsi"
    book.properties.title = version
    book.add_named_style(_style(_TEXT))
    book.add_named_style(_style(_TITLE, Font(bold=True, size=14)))
    book.add_named_style(_style(_NAME, Font(bold=True, color="FFFFFF"), "1F4E5F"))
    book.add_named_style(_style(_LABEL, Font(italic=True, size=9, color="444444"), "E3ECEF"))
    readme = book.active
    assert isinstance(readme, Worksheet)  # noqa: S101 -- a new workbook has one sheet
    _readme(readme, version)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        _rows(sheet, rows)
        _choices(sheet, rows, sheets)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def _readme(sheet: Worksheet, version: str) -> None:
    sheet.title = README
    rows = [
        [TITLE.in_language(language) for language in LANGUAGES],
        [version] * len(LANGUAGES),
        *([each.in_language(language) for language in LANGUAGES] for each in PARAGRAPHS),
    ]
    for row, texts in enumerate(rows, 1):
        for column, text in enumerate(texts, 1):
            _write(sheet, (row, column), text, _TITLE if row == 1 else _TEXT)
    _fit(sheet, rows, [_WIDTH_OF_README] * len(LANGUAGES))
    _to_print(sheet)


def _rows(sheet: Worksheet, rows: Sequence[Sequence[str]]) -> None:
    for row, texts in enumerate(rows, 1):
        style = {1: _NAME, 2: _LABEL}.get(row, _TEXT)
        for column, text in enumerate(texts, 1):
            _write(sheet, (row, column), text, style)
    names = [*rows[0], *[rows[0][-1]] * (max(map(len, rows)) - len(rows[0]))]
    _fit(sheet, rows, [_width(name) for name in names])
    sheet.freeze_panes = "B3"
    sheet.print_title_rows, sheet.print_title_cols = "1:2", "A:A"
    _to_print(sheet)


def _write(sheet: Worksheet, at: tuple[int, int], text: str, style: str) -> None:
    cell = sheet.cell(*at)
    cell.style = style
    if text:
        cell.value = text
        cell.data_type = "s"  # whatever it looks like


def _width(name: str) -> int:
    return _WIDTH_OF_CONDITION if name.startswith(WHEN) else _WIDTHS.get(name, _WIDTH_OF_TEXT)


def _fit(sheet: Worksheet, rows: Sequence[Sequence[str]], widths: Sequence[int]) -> None:
    """Columns as wide and rows as high as their texts need: LibreOffice does not see to it."""
    for column, width in enumerate(widths, 1):
        dimension = sheet.column_dimensions[get_column_letter(column)]
        dimension.width = width
        dimension.number_format = "@"
    for row, texts in enumerate(rows, 1):
        lines = max(_lines(text, width) for text, width in zip(texts, widths, strict=False))
        small = sheet.cell(row, 1).style == _LABEL
        height = lines * (_SMALL_HEIGHT if small else _LINE_HEIGHT) + 4
        sheet.row_dimensions[row].height = min(height, _HIGHEST)


def _lines(text: str, width: int) -> int:
    """About how many lines a text takes; words do not fill a line to its end."""
    return sum(max(1, ceil(len(line) * 1.15 / width)) for line in text.split("\n"))


def _to_print(sheet: Worksheet) -> None:
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = _A3
    sheet.page_setup.fitToWidth = 1 if sheet.title in (README, TABLES, FACTS, QUESTIONS) else 2
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


# --- lists to choose from -------------------------------------------------------------------------


_OUTCOMES: Mapping[str, tuple[str, ...] | None] = {str(name): OUTCOMES[name] for name in OUTCOMES}


def _choices(sheet: Worksheet, rows: Sequence[Sequence[str]], sheets: Sheets) -> None:
    """Conditions may be typed otherwise than the list offers, outcomes may not."""
    for column, name in enumerate(rows[0], 1):
        if name.startswith(WHEN):
            _choose(sheet, column, _offered(name.removeprefix(WHEN), sheets), strict=False)
        elif name == "then" and (known := _OUTCOMES.get(sheet.title)):
            _choose(sheet, column, f'"{",".join(known)}"', strict=True)
        elif name == "hit" and sheet.title == TABLES:
            _choose(sheet, column, f'"{",".join(get_args(Hit))}"', strict=True)


def _offered(fact: str, sheets: Sheets) -> str:
    """Where on the sheet of facts the conditions on a fact stand; empty if it is not there."""
    first = len(OF_FACTS)
    for row, texts in enumerate(sheets[FACTS], 1):
        if texts[0] == fact:
            ends = get_column_letter(first), get_column_letter(len(texts))
            return f"{FACTS}!${ends[0]}${row}:${ends[1]}${row}"
    return ""


def _choose(sheet: Worksheet, column: int, offered: str, *, strict: bool) -> None:
    if not offered:
        return
    choice = DataValidation("list", formula1=offered, allow_blank=True)
    choice.showErrorMessage = strict
    letter = get_column_letter(column)
    choice.add(f"{letter}3:{letter}{sheet.max_row + SPARE_ROWS}")
    sheet.add_data_validation(choice)
