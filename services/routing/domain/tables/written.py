"""Rule files as their owners write them: typed YAML, and the fault where it is not in form."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import orjson
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

from services.routing.domain.tables.faults import Fault, TablesRefusedError
from services.routing.domain.tables.files import content_of, faults_of_form
from services.routing.domain.texts import Texts, Words

TableName = Literal["urgent", "level", "holder", "destinations"]
Hit = Literal["collect", "unique", "agreeing"]
NAMES: tuple[TableName, ...] = get_args(TableName)

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*([-_][a-z0-9]+)*$")]
_VERSION = re.compile(r"[0-9]{4}-[0-9]{2}(\.[0-9]{1,3})?")


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Interval(_Written):
    """Whole numbers from `at_least` to `at_most`, both included."""

    at_least: int | None = None
    at_most: int | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.at_least is None and self.at_most is None:
            raise ValueError("an interval needs at_least or at_most")
        return self

    def of(self, values: tuple[str | int, ...]) -> frozenset[str | int]:
        low = -1 if self.at_least is None else self.at_least
        high = 10**9 if self.at_most is None else self.at_most
        return frozenset(v for v in values if isinstance(v, int) and low <= v <= high)


Condition = tuple[str, ...] | Interval
Example = dict[str, str | tuple[str, ...]]
"""Facts by column; a list stands for one example with each of its values. A column that is not
named has the value of least concern, or the first of its values if it is no measure of concern."""


class Examples(_Written):
    """What the row must hit and what it must not."""

    match: tuple[Example, ...] = ()
    no_match: tuple[Example, ...] = ()


class Allowed(_Written):
    """An exception to "more concern never gives a lighter decision", and why it is right."""

    reason: Texts


class WrittenRow(_Written):
    """One row: all of `when` must hold, and the `when` of no row named in `unless`.

    `owner` is the table's unless given. Examples are asked of every version that is to go live;
    versions from before there were any have none.
    """

    id: Slug
    when: dict[str, Condition]
    unless: tuple[str, ...] = ()
    then: Slug
    reason: Texts
    basis: Words
    owner: Words | None = None
    exception: Allowed | None = None
    examples: Examples | None = None


class WrittenTable(_Written):
    """One rule file. `contents` lists the ids of its rows, so that none can go unnoticed."""

    table: TableName
    version: str
    hit: Hit
    owner: Words
    note: Texts
    contents: tuple[str, ...] | None = None
    rows: tuple[WrittenRow, ...]

    @property
    def file(self) -> str:
        return f"{self.table}/{self.version}.yaml"


def sorted_rows(table: WrittenTable) -> list[WrittenRow]:
    """The rows by their id: their order in the file means nothing."""
    return sorted(table.rows, key=lambda row: row.id)


def content_hash(written: Sequence[WrittenTable]) -> str:
    """The SHA-256 of what the tables say, in hexadecimal.

    A part that came later (examples, contents, …) counts only where it is given, so that versions
    from before it keep the hash that their decisions were stored with.
    """
    content = [
        {**_given(table), "rows": [_given(row) for row in sorted_rows(table)]} for table in written
    ]
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


_LATER = {"owner", "exception", "examples", "contents"}


def _given(part: BaseModel) -> dict[str, Any]:
    dumped = part.model_dump()
    return {
        name: value for name, value in dumped.items() if value is not None or name not in _LATER
    }


# --- finding and reading ----------------------------------------------------------------------


def newest(directory: Path, name: TableName | Literal["questions"]) -> Path:
    """The file of the newest version of a table, or of the questions.

    Raises `TablesRefusedError` if there is none, or one whose name is none.
    """
    found = sorted((directory / name).glob("*.yaml"), key=in_order)
    wrong = [path for path in found if not _VERSION.fullmatch(path.stem)]
    if wrong:
        raise TablesRefusedError(Fault("version-name", f"{name}/{path.name}") for path in wrong)
    if not found:
        raise TablesRefusedError([Fault("no-version", name)])
    return found[-1]


def is_version(name: str) -> bool:
    """Whether a version may have this name."""
    return _VERSION.fullmatch(name) is not None


def is_newer(version: str, than: str) -> bool:
    """Whether of these two versions the first would be loaded."""
    return order_of(version) > order_of(than)


def in_order(path: Path) -> tuple[str, int]:
    """Sorts files of versions from the oldest to the newest."""
    return order_of(path.stem)


def order_of(version: str) -> tuple[str, int]:
    """Sorts versions from the oldest to the newest: 2026-11.10, 2026-12, 2026-12.2."""
    month, _, change = version.partition(".")
    return month, int(change) if change.isdecimal() else 0


def read_table(path: Path) -> WrittenTable:
    """Read one rule file as it is written. Raises `TablesRefusedError` with every fault of form."""
    name, file = path.parent.name, f"{path.parent.name}/{path.name}"
    content = content_of(path, file)
    try:
        table = WrittenTable.model_validate(content)
    except ValidationError as error:
        raise TablesRefusedError(faults_of_form(error, content, file)) from None
    if (table.table, table.version) != (name, path.stem):
        said = {"table": table.table, "version": table.version}
        raise TablesRefusedError([Fault("not-this-file", file, names=said)])
    return table
