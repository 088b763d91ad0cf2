"""`./luotsi rules export`: a version of the rule tables as a spreadsheet, or as a DMN model.

What a workbook cannot carry without loss is not exported: it is read again before it is written.
"""

from collections.abc import Sequence
from pathlib import Path

from openpyxl.utils.exceptions import IllegalCharacterError

from deploy.cli.rules import SHIPPED
from deploy.cli.workbook import read_workbook
from deploy.cli.workbook_look import workbook_of
from services.routing.domain.dmn import dmn_of
from services.routing.domain.flow import SPACE
from services.routing.domain.form import load_form
from services.routing.domain.sheets import (
    SheetFault,
    SheetsRefusedError,
    read_sheets,
    sheets_of,
)
from services.routing.domain.sheets.faults import Place
from services.routing.domain.sheets.layout import QUESTIONS, TABLES
from services.routing.domain.tables.faults import TablesRefusedError
from services.routing.domain.tables.loading import form_faults, read_newest, read_version
from services.routing.domain.tables.versions import Version
from services.routing.domain.tables.written import NAMES, WrittenTable
from services.routing.domain.texts import Texts
from shared.events import Language

SHEETS = (TABLES, *NAMES, QUESTIONS)
"""The sheets that are read."""


class NotCarried(Exception):
    """Nothing was written; says why."""


def export_rules(file: Path, version: str | None, rules: Path | None, language: Language) -> str:
    """Write the tables in the directory `rules` (the shipped ones) to a new `.xlsx` or `.dmn` file.

    `version` is as a decision stores it, or one for all four tables; the newest of each if None.
    The county's settings that a decision names have to be there, and are in no sheet.
    Raises `NotCarried`, and OSError for the file or the directory.
    """
    where = rules or SHIPPED
    where.stat()
    if file.suffix not in (".xlsx", ".dmn"):
        raise NotCarried(f"{file}: {_ENDING.in_language(language)}")
    try:
        tables = _in_form(_version(where, version))
        content = dmn_of(tables).encode() if file.suffix == ".dmn" else _workbook(where, tables)
        with file.open("xb") as new:
            new.write(content)
    except (TablesRefusedError, SheetsRefusedError) as error:
        raise NotCarried(error.in_language(language)) from None
    except FileExistsError:
        raise NotCarried(f"{file}: {_THERE.in_language(language)}") from None
    return f"{file}: {_named(tables)}"


def _version(directory: Path, version: str | None) -> list[WrittenTable]:
    if version is None:
        return read_newest(directory)
    whole = version if "@" in version else "+".join(f"{name}@{version}" for name in NAMES)
    return read_version(directory, whole)


def _in_form(tables: list[WrittenTable]) -> list[WrittenTable]:
    faults = [fault for table in tables for fault in form_faults(table, SPACE)]
    if faults:
        raise TablesRefusedError(faults)
    return tables


def _named(tables: Sequence[WrittenTable]) -> str:
    return str(Version({table.table: table.version for table in tables}))


def _workbook(directory: Path, tables: Sequence[WrittenTable]) -> bytes:
    form = load_form(directory) if (directory / QUESTIONS).is_dir() else None
    try:
        content = workbook_of(sheets_of(tables, form, SPACE), _named(tables))
    except IllegalCharacterError:
        raise SheetsRefusedError([SheetFault("not-carried")]) from None
    read = read_sheets(read_workbook(content, SHEETS), SPACE)
    lost: list[str] = [table.table for table in tables if table not in read.tables]
    lost += [QUESTIONS] if form != read.form else []
    if lost:
        raise SheetsRefusedError(SheetFault("not-carried", Place(name)) for name in lost)
    return content


_ENDING = Texts(
    fi="tiedoston nimen lopussa on oltava .xlsx tai .dmn",
    sv="filens namn ska sluta på .xlsx eller .dmn",
    en="the file's name must end with .xlsx or .dmn",
)
_THERE = Texts(
    fi="tiedosto on jo olemassa; nimeä toinen, ettei kenenkään työ katoa",
    sv="filen finns redan; ange en annan, så att ingens arbete går förlorat",
    en="the file is there already; name another, so that nobody's work is lost",
)
