"""From rule files to tables that may decide: read, checked, proved, or refused as a whole."""

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from services.routing.domain.county import OFFERS
from services.routing.domain.facts import Column
from services.routing.domain.flow import SPACE, Space, wrong_inputs
from services.routing.domain.tables.chain import Proof
from services.routing.domain.tables.engine import (
    OUTCOMES,
    SEES,
    Table,
    Tables,
    column_of,
    compile_table,
    compile_tables,
)
from services.routing.domain.tables.examples import example_faults
from services.routing.domain.tables.faults import Fault, TablesRefusedError
from services.routing.domain.tables.proofs import table_faults
from services.routing.domain.tables.search import EntangledError
from services.routing.domain.tables.settings import read_settings
from services.routing.domain.tables.versions import Version, VersionNameError
from services.routing.domain.tables.written import (
    NAMES,
    Condition,
    Hit,
    Interval,
    TableName,
    WrittenRow,
    WrittenTable,
    newest,
    read_table,
)

_HITS: Mapping[TableName, tuple[Hit, ...]] = {
    "urgent": ("collect",),
    "level": ("agreeing", "unique"),
    "holder": ("agreeing", "unique"),
    "destinations": ("collect",),
}


def load_tables(directory: Path, space: Space = SPACE) -> Tables:
    """Read the newest version of each table, prove them, and return them ready to decide.

    Raises `TablesRefusedError` with every fault found; nothing is loaded in part.
    """
    written = read_newest(directory)
    faults = faults_of(written, space)
    if faults:
        raise TablesRefusedError(faults)
    return compile_tables(written, space)


def load_version(directory: Path, version: str, space: Space = SPACE) -> Tables:
    """The tables of a stored decision (`urgent@2026-11+level@…`), to explain or replay it.

    Where it names the county's settings (`…+settings@2026-08-01`), with those.
    They were proved by the rules of their day when they went live, and are not proved again.
    Raises `TablesRefusedError` if a file is gone or cannot be read.
    """
    tables = compile_tables(read_version(directory, version, space), space)
    settled = Version.read(version).settings_file(directory)
    return tables.in_county(read_settings(settled)) if settled else tables


def read_version(directory: Path, version: str, space: Space = SPACE) -> list[WrittenTable]:
    """The tables of a version as written, in form. Raises what `load_version` raises."""
    try:
        named = Version.read(version)
    except VersionNameError as error:
        raise TablesRefusedError([Fault("version-name", error.part)]) from None
    lacking = [Fault("no-version", name) for name in NAMES if name not in named.tables]
    paths = [named.file(name, directory) for name in NAMES if name in named.tables]
    settled = named.settings_file(directory)
    gone = [path for path in [*paths, *([settled] if settled else [])] if not path.is_file()]
    lacking += [Fault("no-version", f"{path.parent.name}/{path.name}") for path in gone]
    if lacking:
        raise TablesRefusedError(lacking)
    written = [read_table(path) for path in paths]
    faults = [fault for table in written for fault in form_faults(table, space)]
    if faults:
        raise TablesRefusedError(faults)
    return written


def read_newest(directory: Path) -> list[WrittenTable]:
    """The newest version of each table as written. Raises `TablesRefusedError`."""
    written: list[WrittenTable] = []
    faults: list[Fault] = []
    for name in NAMES:
        try:
            written.append(read_table(newest(directory, name)))
        except TablesRefusedError as error:
            faults += error.faults
    if faults:
        raise TablesRefusedError(faults)
    return written


def faults_of(written: Sequence[WrittenTable], space: Space = SPACE) -> list[Fault]:
    """Everything that keeps these tables from going live; what is out of form is not proved."""
    faults = [
        *_flow_faults(written, space),
        *(fault for table in written for fault in _contents_faults(table)),
        *(fault for table in written for fault in form_faults(table, space)),
        *(fault for table in written for fault in _silenced_by_offers(table)),
    ]
    return faults or [*_proved(written, space)]


def _proved(written: Sequence[WrittenTable], space: Space) -> Iterator[Fault]:
    """Along the chain urgent, level, holder, destinations; on a refused one nothing is built."""
    settled: dict[str, Table] = {}
    for source in written:
        table = compile_table(source, space)
        refused = [said for said in SEES[source.table] if _reads(table, settled, said)]
        if not refused:
            faults = _faults_of_one(source, Proof(table, settled, space), space)
            yield from faults
            if not faults:
                settled |= {"flagged": table} if source.table == "urgent" else {}
                settled |= {"level": table} if source.table == "level" else {}


def _faults_of_one(source: WrittenTable, proof: Proof, space: Space) -> list[Fault]:
    try:
        return [*table_faults(proof), *example_faults(source, proof, space)]
    except EntangledError:
        return [Fault("entangled", source.file)]


def _reads(table: Table, settled: Mapping[str, Table], said: str) -> bool:
    return said in table.columns() and said not in settled


def _flow_faults(written: Sequence[WrittenTable], space: Space) -> Iterator[Fault]:
    """Columns that depend on what no rule may know, with the first row that reads each."""
    for kind, column, source in wrong_inputs(space):
        reading = [(t.file, row.id) for t in written for row in t.rows if column in row.when]
        file, row = reading[0] if reading else ("columns", None)
        yield Fault(kind, file, row, {"column": column, "source": source})


# --- form -------------------------------------------------------------------------------------


def _contents_faults(table: WrittenTable) -> Iterator[Fault]:
    if table.contents is None:
        yield Fault("no-contents", table.file)
        return
    ids = [row.id for row in table.rows]
    for name in table.contents:
        if name not in ids:
            yield Fault("contents-without-row", table.file, name)
    for name in ids:
        if name not in table.contents:
            yield Fault("row-without-contents", table.file, name)


def _silenced_by_offers(table: WrittenTable) -> Iterator[Fault]:
    """Rows that would be silent for the sake of an offer which the county may not have."""
    offered = {row.id: row.then for row in table.rows if row.then in OFFERS}
    for row in table.rows if table.table == "destinations" else ():
        for other in row.unless:
            if other in offered:
                names = {"other": other, "offer": offered[other]}
                yield Fault("unless-offer", table.file, row.id, names)


def form_faults(table: WrittenTable, space: Space) -> Iterator[Fault]:
    """What can be seen without looking for children."""
    known = _HITS[table.table]
    if table.hit not in known:
        names = {"hit": table.hit, "known": ", ".join(known)}
        yield Fault("hit-kind", table.file, names=names)
    if not table.rows:
        yield Fault("no-rows", table.file)
    ids = [row.id for row in table.rows]
    twice = {name for name in ids if ids.count(name) > 1}
    for name in sorted(twice):
        yield Fault("id-twice", table.file, name)
    for row in table.rows:
        for kind, names in _row_faults(table.table, row, ids, space):
            yield Fault(kind, table.file, row.id, names)


_Found = Iterator[tuple[str, dict[str, str]]]


def _row_faults(table: TableName, row: WrittenRow, ids: list[str], space: Space) -> _Found:
    for other in row.unless:
        if other == row.id or other not in ids:
            yield "unless-unknown", {"other": other}
    outcomes = OUTCOMES[table]
    if outcomes is not None and row.then not in outcomes:
        yield "unknown-then", {"value": row.then, "known": ", ".join(outcomes)}
    for name, condition in row.when.items():
        column = column_of(space, table, name)
        if column is None:
            yield _unknown_column(table, name, space)
        else:
            yield from _condition_faults(name, column, condition)
    yield from _faults_of_examples(table, row, space)


def _faults_of_examples(table: TableName, row: WrittenRow, space: Space) -> _Found:
    examples = [*row.examples.match, *row.examples.no_match] if row.examples else []
    for name, written in (pair for example in examples for pair in example.items()):
        column = column_of(space, table, name)
        if column is None:
            yield _unknown_column(table, name, space)
        else:
            texts = (written,) if isinstance(written, str) else written
            yield from _example_faults(name, column, texts)


def _unknown_column(table: TableName, name: str, space: Space) -> tuple[str, dict[str, str]]:
    """With the columns that are written most alike."""
    known = [*SEES[table], *space.columns]
    near = get_close_matches(name, known, n=3, cutoff=0)
    return "unknown-column", {"column": name, "near": ", ".join(near)}


def _condition_faults(name: str, column: Column, condition: Condition) -> _Found:
    known = ", ".join(map(str, column.values))
    number = isinstance(column.values[0], int)
    if isinstance(condition, Interval):
        if not number:
            yield "value-as-number", {"column": name, "known": known}
        elif not condition.of(column.values):
            yield "empty-interval", {"column": name}
    elif number:
        yield "number-as-list", {"column": name}
    elif not condition:
        yield "empty-list", {"column": name}
    else:
        for value in condition:
            if value not in column.values:
                yield "unknown-value", {"column": name, "value": value, "known": known}


def _example_faults(name: str, column: Column, texts: tuple[str, ...]) -> _Found:
    values = [str(value) for value in column.values]
    for text in texts:
        if text not in values:
            yield "unknown-value", {"column": name, "value": text, "known": ", ".join(values)}
