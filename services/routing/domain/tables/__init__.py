"""Decision tables: typed YAML, proved when they are loaded, evaluated row by row.

`written` reads the files, `engine` decides, `search` looks for a child that shows a fault, `proofs`
and `examples` say what to look for, `faults` says what was found, `loading` is all of it in order.
"""

from services.routing.domain.tables.engine import (
    DESTINATIONS,
    LEVELS,
    Outcome,
    Row,
    Said,
    Table,
    Tables,
    compile_tables,
)
from services.routing.domain.tables.faults import Fault, TablesRefusedError
from services.routing.domain.tables.loading import load_tables, load_version
from services.routing.domain.tables.settings import load_settings, read_settings
from services.routing.domain.tables.written import TableName, WrittenTable
from services.routing.domain.texts import Texts

__all__ = [
    "DESTINATIONS",
    "LEVELS",
    "Fault",
    "Outcome",
    "Row",
    "Said",
    "Table",
    "TableName",
    "Tables",
    "TablesRefusedError",
    "Texts",
    "WrittenTable",
    "compile_tables",
    "load_settings",
    "load_tables",
    "load_version",
    "read_settings",
]
