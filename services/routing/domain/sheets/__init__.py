"""The rule tables as sheets of a spreadsheet, for experts who change them there.

`cells` writes conditions and examples as text of a cell and reads them, `layout` says which sheets
and columns there are, `writing` and `reading` go from tables to sheets and back, `faults` says what
is wrong in the words of a spreadsheet. All are values: a workbook's file is `deploy/cli/workbook`.
"""

from services.routing.domain.sheets.faults import SheetFault, SheetsRefusedError
from services.routing.domain.sheets.layout import Book, Cell, Sheets
from services.routing.domain.sheets.reading import Draft, read_sheets
from services.routing.domain.sheets.writing import sheets_of

__all__ = [
    "Book",
    "Cell",
    "Draft",
    "SheetFault",
    "Sheets",
    "SheetsRefusedError",
    "read_sheets",
    "sheets_of",
]
