"""From rule tables to the texts of a spreadsheet's cells."""

from collections.abc import Sequence
from itertools import combinations

from services.routing.domain.facts import Column
from services.routing.domain.flow import Space
from services.routing.domain.form import Form
from services.routing.domain.sheets.cells import (
    written_condition,
    written_examples,
    written_list,
)
from services.routing.domain.sheets.layout import (
    AFTER_CONDITIONS,
    BEFORE_CONDITIONS,
    FACTS,
    LABELS,
    LANGUAGES,
    NOTE,
    OF_FACTS,
    OF_QUESTIONS,
    OF_TABLES,
    QUESTIONS,
    TABLES,
    WHEN,
    Sheets,
    is_number,
)
from services.routing.domain.tables.engine import SAID, column_of
from services.routing.domain.tables.words import COLUMN_WORDS
from services.routing.domain.tables.written import NAMES, WrittenRow, WrittenTable
from services.routing.domain.texts import Texts

_SIDE_BY_SIDE = 5  # values of a fact, up to which pairs of them are offered to choose from


def sheets_of(tables: Sequence[WrittenTable], form: Form | None, space: Space) -> Sheets:
    """The sheets of these tables: a list of them, one each, the questions, and the known facts."""
    sheets = {TABLES: [list(OF_TABLES), _labels(OF_TABLES), *map(_of_table, tables)]}
    for table in tables:
        sheets[table.table] = _rows(table, space)
    if form is not None:
        sheets[TABLES].append([QUESTIONS, form.version, "", form.owner, "", "", "", ""])
        sheets[QUESTIONS] = _questions(form)
    sheets[FACTS] = _facts(space)
    return sheets


def _of_table(table: WrittenTable) -> list[str]:
    contents = "" if table.contents is None else written_list(table.contents)
    return [table.table, table.version, table.hit, table.owner, *_each(table.note), contents]


def _rows(table: WrittenTable, space: Space) -> list[list[str]]:
    conditions = list(dict.fromkeys(name for row in table.rows for name in row.when))
    header = [
        *BEFORE_CONDITIONS,
        *(WHEN + written_list((name,)) for name in conditions),
        *AFTER_CONDITIONS,
    ]
    return [
        header,
        _labels(header, conditions),
        *(_row(table, row, conditions, space) for row in table.rows),
    ]


def _row(
    table: WrittenTable, row: WrittenRow, conditions: Sequence[str], space: Space
) -> list[str]:
    when = [
        written_condition(row.when[name], number=is_number(space, table.table, name))
        if name in row.when
        else ""
        for name in conditions
    ]
    exception = _each(row.exception.reason) if row.exception else ["", "", ""]
    return [
        row.id,
        *when,
        written_list(row.unless) if row.unless else "",
        row.then,
        *_each(row.reason),
        row.basis,
        row.owner or "",
        *exception,
        *_examples(row),
    ]


def _examples(row: WrittenRow) -> tuple[str, str]:
    if row.examples is None:
        return "", ""
    match, no_match = map(written_examples, (row.examples.match, row.examples.no_match))
    return (match, no_match) if match or no_match else ("[]", "")


def _questions(form: Form) -> list[list[str]]:
    rows = [[q.id, *_each(q.text), written_list(q.answered_by)] for q in form.questions]
    return [list(OF_QUESTIONS), _labels(OF_QUESTIONS), *rows]


def _facts(space: Space) -> list[list[str]]:
    """Every fact that a table may ask for, with the conditions that a cell's list offers."""
    return [
        list(OF_FACTS),
        _labels(OF_FACTS),
        *(_fact(name, space) for name in (*space.columns, *SAID)),
    ]


def _fact(name: str, space: Space) -> list[str]:
    words = COLUMN_WORDS.get(name)
    tables = [table for table in NAMES if column_of(space, table, name)]
    column = SAID[name] if name in SAID else space.columns[name]
    return [
        name,
        *(_each(words) if words else [name] * len(LANGUAGES)),
        column.direction,
        ", ".join(tables),
        *offered(column),
    ]


def offered(column: Column) -> list[str]:
    """The conditions on a fact that somebody would choose, as they are written in a cell."""
    values = column.values
    if isinstance(values[0], int):
        return [f">= {value}" for value in values[1:]] + [f"<= {value}" for value in values[:-1]]
    sizes = range(1, len(values)) if len(values) <= _SIDE_BY_SIDE else range(1, 2)
    return [
        written_list([str(value) for value in chosen])
        for size in sizes
        for chosen in combinations(values, size)
    ]


def _labels(header: Sequence[str], conditions: Sequence[str] = ()) -> list[str]:
    """What each column holds, in three languages."""
    names = {WHEN + written_list((name,)): name for name in conditions}
    labels = [
        _label(COLUMN_WORDS.get(names[column])) if column in names else _of_column(column)
        for column in header
    ]
    return [f"{NOTE} {labels[0]}", *labels[1:]]


def _of_column(column: str) -> str:
    """Columns that hold a text in one language are told in that language."""
    for language in LANGUAGES:
        if column.endswith(f" {language}"):
            words = LABELS[column.removesuffix(f" {language}")]
            return f"{words.in_language(language)} ({language})"
    return _label(LABELS.get(column))


def _label(words: Texts | None) -> str:
    return " / ".join(dict.fromkeys(_each(words))) if words else ""


def _each(texts: Texts) -> list[str]:
    return [texts.in_language(language) for language in LANGUAGES]
