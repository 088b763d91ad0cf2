"""The examples of a row: that they are right, and that there are enough to notice any change.

A row has an example that it alone hits, one on each side of every limit, and one that each `unless`
alone keeps out, but where that row says something else and both could not hit: there the proofs
see to it. What no child can show is not asked for.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from services.routing.domain.flow import Space
from services.routing.domain.tables.chain import Proof
from services.routing.domain.tables.engine import Row, Table, column_of
from services.routing.domain.tables.faults import Child, Facts, Fault
from services.routing.domain.tables.proposals import written_example
from services.routing.domain.tables.search import Clause, Part, find
from services.routing.domain.tables.written import Example, Examples, WrittenTable

_NOTHING = Examples()


class _Given(NamedTuple):
    """The examples of a row, complete, beside the facts that were written."""

    match: list[dict[str, str | int]]
    no_match: list[dict[str, str | int]]


def example_faults(written: WrittenTable, proof: Proof, space: Space) -> list[Fault]:
    """What is wrong with the examples of a table whose rows and examples are in form."""
    return [
        fault
        for place in range(len(proof.table.rows))
        for fault in example_faults_of_row(written, proof, place, space)
    ]


def example_faults_of_row(
    written: WrittenTable, proof: Proof, place: int, space: Space
) -> list[Fault]:
    """The same of one row, by its place in the compiled table."""
    row = proof.table.rows[place]
    examples = next(each.examples for each in written.rows if each.id == row.name)
    if examples is None or not examples.match:
        return [Fault("no-examples", written.file, row.name)]
    given = _complete(proof.table, examples, space)
    wrong = [*_wrong(proof.table, row, examples, space)]
    return wrong or _Enough(proof, place, given).faults()


def hits(table: Table, row: Row, facts: Facts) -> bool:
    """Whether a row hits these facts, as plainly as it can be said."""
    return row.holds(facts) and not any(table.rows[other].holds(facts) for other in row.unless)


def _complete(table: Table, examples: Examples, space: Space) -> _Given:
    return _Given(
        [facts for example in examples.match for facts in _each(table, example, space)],
        [facts for example in examples.no_match for facts in _each(table, example, space)],
    )


def _each(table: Table, example: Example, space: Space) -> Iterator[dict[str, str | int]]:
    """Every pattern an example stands for, with the neutral value of each column not named."""
    columns = {name: column_of(space, table.name, name) for name in table.columns()}
    neutral = {name: column.neutral for name, column in columns.items() if column}
    given = {name: _values(table, name, value, space) for name, value in example.items()}
    for values in product(*given.values()):
        yield {**neutral, **dict(zip(given, values, strict=True))}


def _values(
    table: Table, name: str, written: str | tuple[str, ...], space: Space
) -> list[str | int]:
    column = column_of(space, table.name, name)
    texts = (written,) if isinstance(written, str) else written
    known = {str(value): value for value in (column.values if column else ())}
    return [known[text] for text in texts]


def _wrong(table: Table, row: Row, examples: Examples, space: Space) -> Iterator[Fault]:
    for kind, wanted, given in (
        ("example-missed", True, examples.match),
        ("example-hit", False, examples.no_match),
    ):
        for example in given:
            for facts in _each(table, example, space):
                if hits(table, row, facts) != wanted:
                    named = {name: facts[name] for name in example}
                    child = Child(tuple(named.items()))
                    yield Fault(kind, table.file, row.name, {"child": child}, (facts,))


class _Enough:
    """Whether the examples of one row would notice if it were deleted, widened or narrowed."""

    def __init__(self, proof: Proof, place: int, given: _Given) -> None:
        self._proof, self._place, self._given = proof, place, given
        self._table = proof.table
        self._row = proof.table.rows[place]

    def faults(self) -> list[Fault]:
        faults = [*self._alone()]
        for column, allowed in self._row.when:
            faults += self._inside(column, allowed)
            faults += self._outside(column, allowed)
        return [*faults, *self._unless()]

    def _alone(self) -> Iterator[Fault]:
        others = [row for place, row in enumerate(self._table.rows) if place != self._place]
        if any(
            not any(hits(self._table, row, facts) for row in others) for facts in self._given.match
        ):
            return
        part, clauses = self._proof.hits(self._place)
        rest = [self._proof.misses(p) for p in range(len(self._table.rows)) if p != self._place]
        yield from self._asked("example-alone", part, [*clauses, *rest], {})

    def _inside(self, column: str, allowed: frozenset[str | int]) -> Iterator[Fault]:
        for value in self._limits(column, allowed)[0]:
            if not any(facts[column] == value for facts in self._given.match):
                part, clauses = self._proof.hits(self._place)
                only = self._proof.ground.part([(column, frozenset({value}))])
                names = {"column": column, "value": str(value)}
                yield from self._asked("example-inside", part + only, clauses, names)

    def _outside(self, column: str, allowed: frozenset[str | int]) -> Iterator[Fault]:
        for value in self._limits(column, allowed)[1]:
            if not any(
                facts[column] == value and self._would_hit(facts, column)
                for facts in self._given.no_match
            ):
                ground = self._proof.ground
                others = [(name, a) for name, a in self._row.when if name != column]
                part = ground.part([*others, (column, frozenset({value}))])
                _, clauses = self._proof.hits(self._place)
                names = {"column": column, "value": str(value)}
                yield from self._asked("example-outside", part, clauses, names)

    def _unless(self) -> Iterator[Fault]:
        for other in self._row.unless:
            silencing = self._table.rows[other]
            if self._table.hit != "collect" and silencing.then != self._row.then:
                continue  # without it both would hit and disagree
            rest = [each for each in self._row.unless if each != other]
            if not any(
                self._row.holds(facts)
                and silencing.holds(facts)
                and not any(self._table.rows[each].holds(facts) for each in rest)
                for facts in self._given.no_match
            ):
                parts = self._proof.parts
                part = parts[self._place] + parts[other]
                clauses = [self._proof.ground.outside(parts[each]) for each in rest]
                yield from self._asked("example-unless", part, clauses, {"other": silencing.name})

    def _limits(
        self, column: str, allowed: frozenset[str | int]
    ) -> tuple[list[str | int], list[str | int]]:
        """The values on the inner and on the outer side of every limit of a condition.

        Of numbers these are the ends of the interval and their neighbours; where values are
        listed, every one that is allowed and every one that is not.
        """
        values = self._proof.ground.values[column]
        inside = [value for value in values if value in allowed]
        outside = [value for value in values if value not in allowed]
        if isinstance(values[0], int):
            low, high = values.index(inside[0]), values.index(inside[-1])
            ends = ([low] if low else []) + ([high] if high + 1 < len(values) else [])
            beyond = ([low - 1] if low else []) + ([high + 1] if high + 1 < len(values) else [])
            return [values[end] for end in ends], [values[place] for place in beyond]
        return (inside if outside else []), outside

    def _would_hit(self, facts: Facts, column: str) -> bool:
        """Whether nothing but this column keeps the row from these facts."""
        return all(
            name == column or facts[name] in allowed for name, allowed in self._row.when
        ) and not any(self._table.rows[other].holds(facts) for other in self._row.unless)

    def _asked(
        self, kind: str, part: Part, clauses: Sequence[Clause], names: Mapping[str, str]
    ) -> Iterator[Fault]:
        """The fault with an example that would mend it; none if no pattern of facts can."""
        box = find(self._proof.ground.box(part), clauses)
        if box is None:
            return
        facts = self._proof.facts(box)
        told = {name: facts[name] for name, _ in self._proof.pinned(facts, box).facts}
        yield Fault(kind, self._table.file, self._row.name, names, (facts,), written_example(told))
