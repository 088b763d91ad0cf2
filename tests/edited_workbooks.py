"""Workbooks of the shipped rules that somebody has edited."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openpyxl
from openpyxl import Workbook

from deploy.cli.__main__ import main
from deploy.cli.rule_sheets import export_rules

Change = Callable[[Workbook], object]


class Desk:
    """A folder with the newest rules exported, where they are changed and brought in again."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "rules.xlsx"
        self.edited = folder / "edited.xlsx"
        self.draft = folder / "drafts" / "draft"
        self.file.write_bytes(_exported())

    def bring_in(self, change: Change, *more: str) -> int:
        """Import the workbook after a change; the exit code."""
        book = openpyxl.load_workbook(self.file)
        change(book)
        book.save(self.edited)
        return self.run(self.edited, *more)

    def run(self, file: Path, *more: str) -> int:
        return main(["rules", "import", str(file), "--as", "2027-01", str(self.draft), *more])


@cache
def _exported() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "rules.xlsx"
        export_rules(file, None, None, "en")
        return file.read_bytes()


def cell(book: Workbook, sheet: str, row: str, column: str) -> Any:
    """The cell of the row with this id and of the column with this name."""
    names = [each.value for each in book[sheet][1]]
    rows = {each[0].value: each for each in book[sheet].iter_rows()}
    return rows[row][names.index(column)]


def put(sheet: str, row: str, column: str, value: object) -> Change:
    """Another content of a cell."""
    return lambda book: setattr(cell(book, sheet, row, column), "value", value)


def both(*changes: Change) -> Change:
    """Several changes, one after the other."""
    return lambda book: [change(book) for change in changes]


def nothing(_: Workbook) -> None:
    """Leave the workbook as it is."""
