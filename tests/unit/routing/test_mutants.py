"""Whoever changes one thing in one row of the shipped tables is told, or has changed nothing.

Every row is deleted, widened and narrowed in every way that one step allows; narrowed, too, by a
condition on any column that it does not ask for, and by any other row as its `unless`. The row's
own examples are left as they are.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from services.routing.domain.facts import Column
from services.routing.domain.flow import SPACE
from services.routing.domain.tables.chain import Proof
from services.routing.domain.tables.engine import LEVELS, SAID, Table, column_of, compile_table
from services.routing.domain.tables.examples import example_faults_of_row
from services.routing.domain.tables.loading import (
    _contents_faults,
    _faults_of_one,
    form_faults,
    read_newest,
)
from services.routing.domain.tables.proofs import changes_nothing
from services.routing.domain.tables.written import Condition, Interval, WrittenRow, WrittenTable

RULES = Path(__file__).parents[3] / "services" / "routing" / "rules"
WRITTEN = {table.table: table for table in read_newest(RULES)}
COMPILED = {name: compile_table(table) for name, table in WRITTEN.items()}
EARLIER: dict[str, Table] = {"flagged": COMPILED["urgent"], "level": COMPILED["level"]}

PROVABLY_EQUIVALENT: dict[str, set[str]] = {}
"""Changes that no child can tell from the row as it is: the proof of it is in the test below."""


class Mutant(NamedTuple):
    """A table of which one row is another; `row` is None where it is gone."""

    name: str
    table: WrittenTable
    row: str | None = None


def mutants(table: WrittenTable) -> Iterator[Mutant]:
    """What takes something away, or moves it by a step."""
    for place, row in enumerate(table.rows):
        rest = table.rows[:place] + table.rows[place + 1 :]
        yield Mutant(f"{row.id}: deleted", table.model_copy(update={"rows": rest}))
    yield from each_row(table, changes)


def each_row(
    table: WrittenTable,
    changed: Callable[[WrittenTable, WrittenRow], Iterator[tuple[str, WrittenRow]]],
) -> Iterator[Mutant]:
    for place, row in enumerate(table.rows):
        before, after = table.rows[:place], table.rows[place + 1 :]
        for what, other in changed(table, row):
            rows = (*before, other, *after)
            name = f"{row.id}: {what}"
            yield Mutant(name, table.model_copy(update={"rows": rows}), row.id)


def changes(table: WrittenTable, row: WrittenRow) -> Iterator[tuple[str, WrittenRow]]:
    for name, condition in row.when.items():
        rest = {other: c for other, c in row.when.items() if other != name}
        yield f"{name} dropped", row.model_copy(update={"when": rest})
        for other in stepped(table, name, condition):
            yield f"{name} as {other}", asking(row, name, other)
    for silencing in row.unless:
        fewer = tuple(each for each in row.unless if each != silencing)
        yield f"without unless {silencing}", row.model_copy(update={"unless": fewer})


def asking(row: WrittenRow, name: str, condition: Condition) -> WrittenRow:
    return row.model_copy(update={"when": {**row.when, name: condition}})


def stepped(table: WrittenTable, name: str, condition: Condition) -> Iterator[Condition]:
    """A value more or less; a limit one step further or nearer."""
    column = column_of(SPACE, table.table, name)
    assert column is not None
    if isinstance(condition, Interval):
        for limit in ("at_least", "at_most"):
            value = getattr(condition, limit)
            for step in (-1, 1) if value is not None else ():
                yield condition.model_copy(update={limit: value + step})
    else:
        for value in map(str, column.values):
            others = tuple(each for each in condition if each != value)
            yield others if value in condition else (*condition, value)


def additions(table: WrittenTable, row: WrittenRow) -> Iterator[tuple[str, WrittenRow]]:
    """A condition on what the row does not ask for; another row that silences it."""
    for name in (*SAID, *SPACE.columns):
        column = column_of(SPACE, table.table, name)
        if column is not None and name not in row.when:
            for condition in all_but_little(column):
                yield f"{name} asked, {condition}", asking(row, name, condition)
    for other in table.rows:
        if other.id != row.id and other.id not in row.unless:
            more = (*row.unless, other.id)
            yield f"unless {other.id}", row.model_copy(update={"unless": more})


def all_but_little(column: Column) -> Iterator[Condition]:
    """Conditions that leave out one value; of a number every limit there is."""
    values = column.values
    for place, value in enumerate(values):
        if not isinstance(value, int):
            yield tuple(str(each) for each in values if each != value)
            continue
        if place:
            yield Interval(at_least=value)
        if place + 1 < len(values):
            yield Interval(at_most=value)


def refused(mutant: Mutant) -> bool:
    """What is quick to find is looked for first: one fault is enough."""
    table = mutant.table
    if [*_contents_faults(table), *form_faults(table, SPACE)]:
        return True
    proof = Proof(compile_table(table), EARLIER, SPACE)
    for place, row in enumerate(proof.table.rows):
        if row.name == mutant.row and example_faults_of_row(table, proof, place, SPACE):
            return True
    return bool(_faults_of_one(table, proof, SPACE))


def no_child_can_tell(table: WrittenTable, other: WrittenTable) -> bool:
    """That every row hits the same children, proved."""
    before, after = (Proof(compile_table(each), EARLIER, SPACE) for each in (table, other))
    places = {place: place for place in range(len(table.rows))}
    return before.ground.names == after.ground.names and changes_nothing(before, after, places)


@pytest.mark.parametrize("name", WRITTEN)
def test_no_change_of_a_row_goes_unseen(name: str) -> None:
    table = WRITTEN[name]  # type: ignore[index]
    every = list(mutants(table))
    survivors = {mutant.name: mutant.table for mutant in every if not refused(mutant)}

    assert len(every) > 4 * len(table.rows)
    assert PROVABLY_EQUIVALENT.get(name, set()) == set(survivors)
    assert all(no_child_can_tell(table, survivor) for survivor in survivors.values())


@pytest.mark.parametrize("name", WRITTEN)
def test_nothing_that_is_added_to_a_row_goes_unseen(name: str) -> None:
    """Rows that never meet can silence each other and no child can tell; that is proved."""
    table = WRITTEN[name]  # type: ignore[index]
    every = list(each_row(table, additions))

    assert len(every) > 100 * len(table.rows)
    unseen = [mutant for mutant in every if not refused(mutant)]
    assert [] == [each.name for each in unseen if not no_child_can_tell(table, each.table)]


def test_another_level_than_a_row_gives_is_refused() -> None:
    table = WRITTEN["level"]

    def otherwise(_: WrittenTable, row: WrittenRow) -> Iterator[tuple[str, WrittenRow]]:
        for level in LEVELS:
            if level != row.then:
                yield f"then {level}", row.model_copy(update={"then": level})

    assert [] == [each.name for each in each_row(table, otherwise) if not refused(each)]
