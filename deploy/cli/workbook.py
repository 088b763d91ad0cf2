"""A workbook (XLSX) as sheets of cells. openpyxl reads and writes it (ADR 15).

What comes in is foreign. It is measured before it is unpacked and looked through before it is
read: no document type (so no entity), no text beyond the rows and columns that are read. Only text
and whole numbers count; a formula is never evaluated, and not read either.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, time, timedelta
from io import BytesIO
from typing import Any
from xml.parsers import expat
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import openpyxl
from openpyxl.utils import range_boundaries

from services.routing.domain.sheets import Book, Cell, SheetFault, SheetsRefusedError
from services.routing.domain.sheets.layout import Strange

Merged = Mapping[str, list[str]]
"""The ranges of merged cells of a workbook's parts, such as `B3:B5`."""
MAX_FILE = 4_000_000  # bytes
MAX_UNPACKED = 16_000_000  # bytes
MAX_PARTS = 200
MAX_ELEMENTS = 400_000  # of XML, in all parts
MAX_ROWS = 2_000
MAX_COLUMNS = 100


def read_workbook(content: bytes, names: Collection[str]) -> Book:
    """The sheets of these names that the workbook has.

    Raises `SheetsRefusedError` for what is no workbook or one that is too large.
    """
    merged = _look_through(content)
    try:
        book = openpyxl.load_workbook(BytesIO(content), read_only=True, keep_links=False)
        titles = {sheet.title.strip().casefold(): sheet for sheet in book.worksheets}
        return {
            name: _unmerged([*_rows(titles[name])], merged[_part_of(titles[name])])
            for name in names
            if name in titles
        }
    except Exception:  # noqa: BLE001 -- openpyxl raises a dozen kinds for a damaged file
        raise _refused("not-a-workbook") from None


def _refused(kind: str, **names: str) -> SheetsRefusedError:
    return SheetsRefusedError([SheetFault(kind, names=names)])


# --- before it is read ----------------------------------------------------------------------------


def _look_through(content: bytes) -> Merged:
    """The merged cells of each part. Raises `SheetsRefusedError`."""
    if len(content) > MAX_FILE:
        raise _refused("too-large", limit=f"> {MAX_FILE // 1_000_000} MB")
    try:
        with ZipFile(BytesIO(content)) as container:
            return _look_into(container)
    except SheetsRefusedError:
        raise
    except Exception:  # noqa: BLE001 -- zipfile raises a dozen kinds for a damaged file
        raise _refused("not-a-workbook") from None


def _look_into(container: ZipFile) -> Merged:
    entries = container.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > MAX_PARTS or unpacked > MAX_UNPACKED:
        raise _refused("too-large", limit=f"> {MAX_UNPACKED // 1_000_000} MB, {MAX_PARTS}")
    if any(entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for entry in entries):
        raise _refused("not-a-workbook")
    look = _Look()
    for entry in entries:
        with container.open(entry) as part:
            content = part.read(MAX_UNPACKED)
        look.at(content, entry.filename, is_xml=entry.filename.endswith((".xml", ".rels")))
    return look.merged


class _Look:
    """Goes through the XML of all parts and builds nothing."""

    def __init__(self) -> None:
        self.merged: Merged = defaultdict(list)
        self._elements = 0
        self._part = ""
        self._row = self._column = 0

    def at(self, content: bytes, name: str, *, is_xml: bool) -> None:
        """Raises for what is refused; a part that is no XML need not be any, but by its name."""
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._element
        parser.StartDoctypeDeclHandler = self._document_type
        self._row = self._column = 0
        self._part = name
        try:
            parser.Parse(content, True)  # noqa: FBT003 -- expat's: this is all
        except expat.ExpatError:
            if is_xml:
                raise

    def _document_type(self, *_: object) -> None:
        raise _refused("not-a-workbook")

    def _element(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > MAX_ELEMENTS:
            raise _refused("too-large", limit=f"> {MAX_ELEMENTS}")
        match name.rpartition(":")[2]:
            case "row":
                self._row = int(attributes.get("r", self._row + 1))
                self._column = 0
            case "c":
                self._column = _column_of(attributes.get("r")) or self._column + 1
            case "v" | "f" | "is" if self._row > MAX_ROWS or self._column > MAX_COLUMNS:
                raise _refused("too-far", rows=f"{MAX_ROWS}", columns=f"{MAX_COLUMNS}")
            case "mergeCell":
                self.merged[self._part].append(attributes["ref"])


def _column_of(reference: str | None) -> int:
    """The column of a cell's address, from 1; 0 if it has none."""
    found = 0
    for letter in re.match("[A-Z]{0,3}", reference or "").group():  # type: ignore[union-attr]
        found = found * 26 + ord(letter) - ord("A") + 1
    return found


# --- cells ----------------------------------------------------------------------------------------

_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


def _rows(sheet: Any) -> Iterator[list[Cell]]:
    sheet.reset_dimensions()  # what it says of its own size need not be so
    for row in sheet.iter_rows(max_row=MAX_ROWS, max_col=MAX_COLUMNS):
        cells = [_cell(cell.value, cell.data_type) for cell in row]
        while cells and cells[-1].empty:
            cells.pop()
        yield cells


def _unmerged(rows: list[list[Cell]], merged: Sequence[str]) -> list[list[Cell]]:
    """The rows, with the first cell of each merged range as one that is not understood.

    A reader sees its text in every row of the range; all its cells but the first are empty.
    """
    for ref in merged:
        column, row, *_ = range_boundaries(ref)
        if column and row and row <= len(rows):
            cells = rows[row - 1]
            cells += [Cell()] * (column - len(cells))
            cells[column - 1] = Cell(strange="merged")
    return rows


def _part_of(sheet: Any) -> str:
    """The name of the part that a sheet is read from."""
    path: str = sheet._worksheet_path  # noqa: SLF001 -- openpyxl tells of no merged cells here
    return path.lstrip("/")


def _cell(value: object, kind: str) -> Cell:
    """`kind` is the type of its content as openpyxl names it."""
    if strange := _strange(value, kind):
        return Cell(strange=strange)
    if isinstance(value, (int, float)):
        return Cell(str(int(value)))
    return _text("" if value is None else str(value))


def _strange(value: object, kind: str) -> Strange | None:
    if kind in ("f", "e"):
        return "formula" if kind == "f" else "error"
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, (date, time, timedelta)):
        return "date"
    return "decimal" if isinstance(value, float) and not value.is_integer() else None


def _text(value: str) -> Cell:
    """Excel writes some signs by their number, a carriage return among them."""
    text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), value)
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    return Cell(strange="formula") if text.startswith("=") else Cell(text)
