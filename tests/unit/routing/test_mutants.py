"""Whoever changes one thing in one row of the shipped tables is told, or has changed nothing.

Every row is deleted, widened and narrowed in every way that one step allows. The row's own examples
are left as they are.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from services.routing.domain.flow import SPACE
from services.routing.domain.tables.chain import Proof
from services.routing.domain.tables.engine import Table, column_of, compile_table
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
    name: str
    table: WrittenTable


def mutants(table: WrittenTable) -> Iterator[Mutant]:
    for place, row in enumerate(table.rows):
        before, after = table.rows[:place], table.rows[place + 1 :]
        yield Mutant(f"{row.id}: deleted", table.model_copy(update={"rows": before + after}))
        for what, changed in changes(table, row):
            rows = (*before, changed, *after)
            yield Mutant(f"{row.id}: {what}", table.model_copy(update={"rows": rows}))


def changes(table: WrittenTable, row: WrittenRow) -> Iterator[tuple[str, WrittenRow]]:
    for name, condition in row.when.items():
        rest = {other: c for other, c in row.when.items() if other != name}
        yield f"{name} dropped", row.model_copy(update={"when": rest})
        for other in stepped(table, name, condition):
            when = {**row.when, name: other}
            yield f"{name} as {other}", row.model_copy(update={"when": when})
    for silencing in row.unless:
        fewer = tuple(each for each in row.unless if each != silencing)
        yield f"without unless {silencing}", row.model_copy(update={"unless": fewer})


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


def refused(mutant: WrittenTable) -> bool:
    if [*_contents_faults(mutant), *form_faults(mutant, SPACE)]:
        return True
    proof = Proof(compile_table(mutant), EARLIER, SPACE)
    return bool(_faults_of_one(mutant, proof, SPACE))


@pytest.mark.parametrize("name", WRITTEN)
def test_no_change_of_a_row_goes_unseen(name: str) -> None:
    table = WRITTEN[name]  # type: ignore[index]
    every = list(mutants(table))
    survivors = {mutant.name: mutant.table for mutant in every if not refused(mutant.table)}

    assert len(every) > 4 * len(table.rows)
    assert PROVABLY_EQUIVALENT.get(name, set()) == set(survivors)
    for survivor in survivors.values():
        one, other = (Proof(compile_table(each), EARLIER, SPACE) for each in (table, survivor))
        places = {place: place for place in range(len(table.rows))}
        assert changes_nothing(one, other, places)
