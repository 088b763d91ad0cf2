"""Decision tables: typed YAML, proved when they are loaded, evaluated row by row.

Every row of every table is always evaluated, and no order of rows means anything. Where one
outcome is needed and the rows give none or several, that is said (`Outcome.fault`) and a person
decides; the loader refuses a table in which that could happen at all.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from math import prod
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self, get_args

import orjson
import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_validator

from services.routing.domain.facts import COLUMNS, Facts
from shared.events import Destination, Holder, Language, Level

TableName = Literal["urgent", "level", "holder", "destinations"]
Hit = Literal["collect", "unique", "agreeing"]

LEVELS: tuple[Level, ...] = get_args(Level)  # from the lightest to the most demanding
DESTINATIONS: tuple[Destination, ...] = get_args(Destination)

_LEVEL_VALUES: tuple[str | int, ...] = LEVELS
_NAMES: tuple[TableName, ...] = get_args(TableName)
_ONE_OUTCOME: tuple[TableName, ...] = ("level", "holder")
_SEES_LEVEL: tuple[TableName, ...] = ("holder", "destinations")
_OUTCOMES: Mapping[TableName, tuple[str, ...] | None] = {
    "urgent": None,  # a new sign is a new row, nothing else
    "level": LEVELS,
    "holder": get_args(Holder),
    "destinations": DESTINATIONS,
}
_VERSION = re.compile(r"[0-9]{4}-[0-9]{2}(\.[0-9]{1,3})?")
_MOST_PATTERNS = 200_000


class TablesRefusedError(ValueError):
    """A rule file must not go live; the message names the file, the row and what is wrong."""


# --- the files ------------------------------------------------------------------------------


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Words = Annotated[str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*([-_][a-z0-9]+)*$")]


class Texts(_Written):
    """The same words in the three languages."""

    fi: Words
    sv: Words
    en: Words

    def in_language(self, language: Language) -> str:
        text: str = getattr(self, language)
        return text


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


class WrittenRow(_Written):
    """One row: all of `when` must hold, and the `when` of no row named in `unless`."""

    id: Slug
    when: dict[str, tuple[str, ...] | Interval]
    unless: tuple[str, ...] = ()
    then: Slug
    reason: Texts
    basis: Words


class WrittenTable(_Written):
    """One rule file as its owner wrote it."""

    table: TableName
    version: str
    hit: Hit
    owner: Words
    note: Texts
    rows: tuple[WrittenRow, ...]


# --- ready to decide ------------------------------------------------------------------------


class Row(NamedTuple):
    """A compiled row; `unless` are positions in its table."""

    ref: str
    when: tuple[tuple[str, frozenset[str | int]], ...]
    unless: tuple[int, ...]
    then: str

    def holds(self, facts: Facts) -> bool:
        for column, allowed in self.when:  # noqa: SIM110 -- the hot path; all(...) costs twice
            if facts[column] not in allowed:
                return False
        return True


class Outcome(NamedTuple):
    """All rows that hit, what they say (each once), and what is wrong where one was needed."""

    hits: tuple[Row, ...]
    says: tuple[str, ...]
    fault: Literal["no-row", "rows-disagree"] | None


@dataclass(frozen=True, slots=True)
class Table:
    """A compiled table. Its rows are sorted by their id, so the order in the file cannot matter."""

    name: TableName
    hit: Hit
    note: Texts
    rows: tuple[Row, ...]

    def outcome(self, facts: Facts) -> Outcome:
        """Evaluate every row. `facts` must hold every column of the table."""
        holds = [row.holds(facts) for row in self.rows]
        hits = tuple(
            row
            for row, held in zip(self.rows, holds, strict=True)
            if held and not any(holds[other] for other in row.unless)
        )
        says = tuple(dict.fromkeys(row.then for row in hits))
        return Outcome(hits, says, self._fault(hits, says))

    def _fault(
        self, hits: tuple[Row, ...], says: tuple[str, ...]
    ) -> Literal["no-row", "rows-disagree"] | None:
        if self.hit == "collect":
            return None
        if not hits:
            return "no-row"
        several = hits if self.hit == "unique" else says
        return "rows-disagree" if len(several) > 1 else None

    def columns(self) -> tuple[str, ...]:
        return tuple(sorted({column for row in self.rows for column, _ in row.when}))


@dataclass(frozen=True, slots=True)
class Tables:
    """The four tables, with the version and hash that every decision stores."""

    urgent: Table
    level: Table
    holder: Table
    destinations: Table
    columns: tuple[tuple[str, frozenset[str | int]], ...]
    reasons: Mapping[str, Texts]
    version: str
    content_hash: str


def load_tables(directory: Path) -> Tables:
    """Read the newest version of each table, prove them, and return them ready to decide.

    The proof goes through every pattern of facts the rows can tell apart: no row is without
    effect, and level and holder have exactly one outcome each. Raises `TablesRefusedError`.
    """
    written = [_read(directory, name) for name in _NAMES]
    tables = compile_tables(written)
    for each, source in zip(_each(tables), written, strict=True):
        _prove(each, f"{source.table}/{source.version}.yaml")
    return tables


def compile_tables(written: Sequence[WrittenTable]) -> Tables:
    """Compile the four tables, in the order of their names, without proving them."""
    urgent, level, holder, destinations = made = [_compile(table) for table in written]
    used = sorted({column for table in made for column in table.columns()} - {"level"})
    return Tables(
        urgent=urgent,
        level=level,
        holder=holder,
        destinations=destinations,
        columns=tuple((column, frozenset(COLUMNS[column].values)) for column in used),
        reasons={f"{table.table}/{row.id}": row.reason for table in written for row in table.rows},
        version="+".join(f"{table.table}@{table.version}" for table in written),
        content_hash=_content_hash(written),
    )


def _each(tables: Tables) -> tuple[Table, ...]:
    return (tables.urgent, tables.level, tables.holder, tables.destinations)


def _content_hash(written: Sequence[WrittenTable]) -> str:
    content = [
        {**table.model_dump(), "rows": [row.model_dump() for row in _sorted_rows(table)]}
        for table in written
    ]
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _sorted_rows(table: WrittenTable) -> list[WrittenRow]:
    return sorted(table.rows, key=lambda row: row.id)


# --- reading --------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """YAML in which every scalar is text (yes stays yes) and no key may stand twice."""

    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 -- PyYAML's own attribute

    def construct_mapping(
        self,
        node: yaml.MappingNode,
        deep: bool = False,  # noqa: FBT001, FBT002 -- PyYAML's
    ) -> dict[Any, Any]:
        keys = [self.construct_object(key) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key!r} stands twice", node.start_mark
                )
        return super().construct_mapping(node, deep)


def _read(directory: Path, name: TableName) -> WrittenTable:
    path = _newest(directory, name)
    where = f"{name}/{path.name}"
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506 -- it is safe
    except yaml.YAMLError as error:
        raise TablesRefusedError(f"{where}: {' '.join(str(error).split())}") from None
    try:
        table = WrittenTable.model_validate(content)
    except ValidationError as error:
        raise TablesRefusedError(f"{where}{_first_problem(error, content)}") from None
    if (table.table, table.version) != (name, path.stem):
        raise TablesRefusedError(
            f"{where}: the file says it is {table.table}, version {table.version}"
        )
    _check(table, where)
    return table


def _newest(directory: Path, name: TableName) -> Path:
    found = sorted((directory / name).glob("*.yaml"), key=_version_of)
    for path in found:
        if not _VERSION.fullmatch(path.stem):
            raise TablesRefusedError(f"{name}/{path.name}: a version is named 2026-11 or 2026-11.2")
    if not found:
        raise TablesRefusedError(f"{name}: no version of this table was found")
    return found[-1]


def _version_of(path: Path) -> tuple[str, int]:
    month, _, change = path.stem.partition(".")
    return month, int(change) if change.isdecimal() else 0


def _first_problem(error: ValidationError, content: Any) -> str:
    problem = error.errors(include_url=False)[0]
    place = list(problem["loc"])
    row = ""
    if place[:1] == ["rows"] and len(place) > 1 and isinstance(place[1], int):
        row = f", row {_row_name(content, place[1])}"
        place = place[2:]
    return f"{row}: {'.'.join(map(str, place)) or 'content'}: {problem['msg']}"


def _row_name(content: Any, position: int) -> str:
    row = content["rows"][position]
    return str(row["id"]) if isinstance(row, dict) and "id" in row else f"number {position + 1}"


# --- checking -------------------------------------------------------------------------------


def _values(table: TableName, column: str) -> tuple[str | int, ...] | None:
    if column == "level" and table in _SEES_LEVEL:
        return _LEVEL_VALUES
    known = COLUMNS.get(column)
    return known.values if known else None


def _check(table: WrittenTable, where: str) -> None:
    """Refuse what can be seen without trying patterns of facts."""
    if (table.hit == "collect") == (table.table in _ONE_OUTCOME):
        raise TablesRefusedError(f"{where}: hit {table.hit} does not suit this table")
    if not table.rows:
        raise TablesRefusedError(f"{where}: a table needs rows")
    names = [row.id for row in table.rows]
    for row in table.rows:
        for problem in _row_problems(table, row, names):
            raise TablesRefusedError(f"{where}, row {row.id}: {problem}")


def _row_problems(table: WrittenTable, row: WrittenRow, names: list[str]) -> Iterator[str]:
    if names.count(row.id) > 1:
        yield "two rows have this id"
    for other in row.unless:
        if other == row.id or other not in names:
            yield f"unless names {other}, which is no other row of this table"
    outcomes = _OUTCOMES[table.table]
    if outcomes is not None and row.then not in outcomes:
        yield f"then: {row.then} is not one of {', '.join(outcomes)}"
    for column, condition in row.when.items():
        yield from _condition_problems(table.table, column, condition)


def _condition_problems(
    table: TableName, column: str, condition: tuple[str, ...] | Interval
) -> Iterator[str]:
    values = _values(table, column)
    if values is None:
        yield f"unknown column {column}"
    elif isinstance(condition, Interval):
        if not condition.of(values):
            yield f"{column}: no value lies in this interval"
    elif isinstance(values[0], int):
        yield f"{column}: a number is given by at_least, at_most or both"
    elif not condition:
        yield f"{column}: no value is allowed, so the row could never hit"
    else:
        for value in condition:
            if value not in values:
                yield f"{column}: unknown value {value}; known: {', '.join(map(str, values))}"


def _compile(table: WrittenTable) -> Table:
    rows = _sorted_rows(table)
    places = {row.id: place for place, row in enumerate(rows)}
    return Table(
        table.table,
        table.hit,
        table.note,
        tuple(
            Row(
                ref=f"{table.table}/{row.id}",
                when=tuple(
                    (column, _allowed(table.table, column, condition))
                    for column, condition in row.when.items()
                ),
                unless=tuple(places[other] for other in row.unless),
                then=row.then,
            )
            for row in rows
        ),
    )


def _allowed(
    table: TableName, column: str, condition: tuple[str, ...] | Interval
) -> frozenset[str | int]:
    if isinstance(condition, Interval):
        return condition.of(_values(table, column) or ())
    return frozenset(condition)


# --- proving --------------------------------------------------------------------------------


def _prove(table: Table, where: str) -> None:
    """Try every pattern the rows can tell apart; exact, because rows only see membership."""
    columns = table.columns()
    choices = [_told_apart(table, column) for column in columns]
    if prod(map(len, choices)) > _MOST_PATTERNS:
        raise TablesRefusedError(f"{where}: more than {_MOST_PATTERNS} patterns to prove")
    idle = {row.ref for row in table.rows}
    for values in islice(product(*choices), _MOST_PATTERNS):
        facts = dict(zip(columns, values, strict=True))
        outcome = table.outcome(facts)
        if outcome.fault is not None:
            raise TablesRefusedError(f"{where}{_witness(outcome, facts)}")
        idle -= {row.ref for row in outcome.hits}
    for ref in sorted(idle):
        raise TablesRefusedError(f"{where}, row {ref.partition('/')[2]}: it can never hit")


def _told_apart(table: Table, column: str) -> list[str | int]:
    """One value for each group of values that no row of the table can tell apart."""
    tests = [allowed for row in table.rows for name, allowed in row.when if name == column]
    values = _values(table.name, column) or ()
    groups = {tuple(value in allowed for allowed in tests): value for value in values}
    return list(groups.values())


def _witness(outcome: Outcome, facts: Facts) -> str:
    case = ", ".join(f"{column} = {value}" for column, value in facts.items())
    if not outcome.hits:
        return f": no row hits when {case}"
    rows = " and ".join(row.ref.partition("/")[2] for row in outcome.hits)
    return f", row {rows}: both hit when {case}"
