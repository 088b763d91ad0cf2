"""The proofs say of small tables what trying every child says, and of large ones they say it fast.

The oracle below is as plain as can be: it goes through all children, and all pairs of them.
"""

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.domain.facts import Column, Direction
from services.routing.domain.flow import Always, Flow, Space
from services.routing.domain.tables import search
from services.routing.domain.tables.chain import Proof
from services.routing.domain.tables.engine import LEVELS, SAID, SEES, Row, Table
from services.routing.domain.tables.examples import hits
from services.routing.domain.tables.faults import Fault
from services.routing.domain.tables.proofs import not_to_fall_away, table_faults
from services.routing.domain.tables.search import EntangledError, find
from services.routing.domain.tables.written import Hit, TableName
from services.routing.domain.texts import Texts

WORDS = Texts(fi="a", sv="b", en="c")
NO_FLOW = Flow(frozenset(), {}, {})
Child = dict[str, str | int]


class Chain(NamedTuple):
    """A table under proof, those before it, and the columns of its children."""

    table: Table
    earlier: Mapping[str, Table]
    space: Space

    def faults(self) -> list[Fault]:
        return table_faults(Proof(self.table, self.earlier, self.space))


def a_table(name: TableName, hit: Hit, rows: Sequence[Row]) -> Table:
    return Table(name, "2026-12", hit, "owner", WORDS, tuple(rows))


# --- any small tables -------------------------------------------------------------------------

DIRECTIONS: st.SearchStrategy[Direction] = st.sampled_from(["rising", "falling", "fixed", "either"])
VALUES: st.SearchStrategy[tuple[str | int, ...]] = st.sampled_from(
    [("no", "yes"), ("no", "unknown", "yes"), (0, 1, 2)]
)
COLUMNS = st.lists(st.builds(Column, VALUES, DIRECTIONS), min_size=1, max_size=3).map(
    lambda columns: {f"c{place}": column for place, column in enumerate(columns)}
)


@st.composite
def rows_of(
    draw: st.DrawFn, name: TableName, columns: Mapping[str, Column], then: Sequence[str]
) -> list[Row]:
    count = draw(st.integers(1, 5))
    rows = []
    for place in range(count):
        read = draw(st.lists(st.sampled_from(sorted(columns)), max_size=3, unique=True))
        when = tuple(
            (c, frozenset(draw(st.lists(st.sampled_from(columns[c].values), min_size=1))))
            for c in read
        )
        others = [other for other in range(count) if other != place]
        unless = draw(
            st.lists(st.sampled_from(others), max_size=2, unique=True) if others else st.just([])
        )
        exception = WORDS if draw(st.integers(0, 5)) == 0 else None
        rows.append(
            Row(f"{name}/r{place}", when, tuple(unless), draw(st.sampled_from(then)), exception)
        )
    return rows


@st.composite
def level_tables(draw: st.DrawFn, columns: Mapping[str, Column]) -> Table:
    """A complete table in two tiers, the lighter below the heavier, and the rest."""
    heavy = draw(rows_of("level", columns, ["vaativa"]))
    heavy = [row._replace(unless=()) for row in heavy]
    above = tuple(range(len(heavy)))
    middle = [
        row._replace(ref=row.ref.replace("/r", "/m"), then="erityis", unless=above)
        for row in draw(rows_of("level", columns, ["-"]))
    ]
    rest = Row("level/rest", (), tuple(range(len(heavy) + len(middle))), "perus", None)
    return a_table("level", "agreeing", [*heavy, *middle, rest])


@st.composite
def chains(draw: st.DrawFn) -> Chain:
    columns = draw(COLUMNS)
    urgent = a_table("urgent", "collect", draw(rows_of("urgent", columns, ["x", "y"])))
    level = draw(level_tables({**columns, "flagged": SAID["flagged"]}))
    earlier = {"flagged": urgent, "level": level}
    name: TableName = draw(st.sampled_from(["urgent", "level", "holder", "destinations"]))
    said = {"urgent": ["x", "y"], "level": LEVELS, "holder": ["duty", "own_worker"]}
    seen = {**columns, **{each: SAID[each] for each in SEES[name]}}
    then = said.get(name, ["expert_group", "psychiatry", "basic_services"])
    hit: Hit = (
        "collect"
        if name in ("urgent", "destinations")
        else draw(st.sampled_from(["unique", "agreeing"]))
    )
    rows = draw(rows_of(name, seen, then))
    if name == "level" and draw(st.booleans()):
        rows = list(draw(level_tables(seen)).rows)
    return Chain(a_table(name, hit, rows), earlier, Space(columns, NO_FLOW, draw(ties(columns))))


@st.composite
def ties(draw: st.DrawFn, columns: Mapping[str, Column]) -> tuple[Always, ...]:
    """What holds between two columns, in any combinations but none at all."""
    if len(columns) < 2 or draw(st.booleans()):
        return ()
    one, other = draw(st.permutations(sorted(columns)))[:2]
    every = list(product(columns[one].values, columns[other].values))
    kept = set(draw(st.lists(st.sampled_from(every), min_size=1)))
    return (Always("tied", (one, other), lambda a, b: (a, b) in kept),)


# --- the oracle -------------------------------------------------------------------------------


def children(chain: Chain) -> Iterator[Child]:
    """Every child there can be, with what the earlier tables say of it."""
    columns = chain.space.columns
    for values in product(*(column.values for column in columns.values())):
        child: Child = dict(zip(columns, values, strict=True))
        if all(a.holds(*(child[name] for name in a.columns)) for a in chain.space.always):
            child["flagged"] = "yes" if hit_rows(chain.earlier["flagged"], child) else "no"
            said = {
                chain.earlier["level"].rows[p].then for p in hit_rows(chain.earlier["level"], child)
            }
            (child["level"],) = said
            yield child


def hit_rows(table: Table, child: Child) -> list[int]:
    return [place for place, row in enumerate(table.rows) if hits(table, row, child)]


def no_less_concern(chain: Chain, before: Child, after: Child) -> bool:
    read = set(chain.table.columns())
    for name in before:
        column = chain.space.columns.get(name, SAID.get(name))
        assert column is not None
        place, later = column.values.index(before[name]), column.values.index(after[name])
        fits = {"rising": place <= later, "falling": place >= later, "fixed": place == later}
        if (name not in SAID or name in read) and not fits.get(column.direction, True):
            return False
    return True


def overlaps(table: Table, places: Sequence[int]) -> set[tuple[str, str]]:
    """Pairs of rows that must not hit together."""
    return {
        (table.rows[one].name, table.rows[other].name)
        for one in places
        for other in places
        if one < other and (table.hit == "unique" or table.rows[one].then != table.rows[other].then)
    }


def oracle(chain: Chain) -> set[tuple[str, str | None]]:
    """The kind and the row of every fault."""
    table, every = chain.table, [(child, hit_rows(chain.table, child)) for child in children(chain)]
    found: set[tuple[str, str | None]] = set()
    if table.hit != "collect":
        found |= {("gap", None) for _, places in every if not places}
        found |= {
            ("both", f"{one} + {other}")
            for _, places in every
            for one, other in overlaps(table, places)
        }
    if found:
        return found
    ever = {place for _, places in every for place in places}
    found |= {("dead", row.name) for place, row in enumerate(table.rows) if place not in ever}
    pairs = [
        (one, other)
        for before, one in every
        for after, other in every
        if no_less_concern(chain, before, after)
    ]
    excepted = {place for place, row in enumerate(table.rows) if row.exception}
    needed = set()
    for group in map(set, not_to_fall_away(table).values()):
        for one, other in pairs:
            lost = set(one) & group if not group & set(other) else set()
            found |= {
                ("lighter", table.rows[p].name)
                for p in lost - excepted
                if not excepted & set(other)
            }
            needed |= lost & excepted
            needed |= {e for e in excepted & set(other) if lost - {e}}
    return found | {("exception-needless", table.rows[p].name) for p in excepted - needed}


@settings(max_examples=100, deadline=None)
@given(chains())
def test_a_proof_says_what_trying_every_child_says(chain: Chain) -> None:
    assert oracle(chain) == {(fault.kind, fault.row) for fault in chain.faults()}


@settings(max_examples=100, deadline=None)
@given(chains())
def test_the_child_that_a_fault_names_shows_it(chain: Chain) -> None:
    every = list(children(chain))
    for fault in chain.faults():
        told = [
            [places(chain, child) for child in every if told_of(child, witness)]
            for witness in fault.witness
        ]
        if fault.kind == "gap":
            assert [] in told[0]
        elif fault.kind == "both":
            assert any({*str(fault.row).split(" + ")} <= set(names) for names in told[0])
        elif fault.kind == "lighter":
            before, after = fault.witness
            assert any(fault.row in names for names in told[0])
            assert no_less_concern(chain, {**every[0], **before}, {**every[0], **before, **after})
            group = not_to_fall_away(chain.table)[str(fault.names["outcome"])]
            gone = {chain.table.rows[place].name for place in group}
            assert any(not gone & set(names) for names in told[1])


def places(chain: Chain, child: Child) -> list[str]:
    return [chain.table.rows[place].name for place in hit_rows(chain.table, child)]


def told_of(child: Child, witness: Mapping[str, str | int]) -> bool:
    return all(child[name] == value for name, value in witness.items())


# --- speed ------------------------------------------------------------------------------------

ANSWERS = ("no", "unknown", "yes")
WIDE: dict[str, Column] = {
    **{f"answer{n}": Column(ANSWERS, "rising") for n in range(8)},
    **{f"count{n}": Column(tuple(range(12)), "rising") for n in range(3)},
    "kind": Column(("a", "b", "c", "d", "e"), "fixed"),
}
CPU_SECONDS = 10.0


def cut_up(count: int) -> list[dict[str, list[str | int]]]:
    """All children, cut into this many boxes."""
    chance = random.Random(7)
    boxes = [{name: list(column.values) for name, column in WIDE.items()}]
    while len(boxes) < count:
        box = boxes.pop(chance.randrange(len(boxes)))
        name = chance.choice([name for name, values in box.items() if len(values) > 1])
        place = chance.randrange(1, len(box[name]))
        boxes += [{**box, name: box[name][:place]}, {**box, name: box[name][place:]}]
    return boxes


def a_partition(count: int, *, leave_out: int = 0) -> Table:
    rows = [
        Row(f"level/r{place}", tuple((n, frozenset(v)) for n, v in box.items()), (), "perus", None)
        for place, box in enumerate(cut_up(count)[leave_out:])
    ]
    return a_table("level", "unique", rows)


def in_tiers(count: int) -> Table:
    """A third of the rows vaativa, the others erityis where none of those holds, and the rest."""
    chance = random.Random(7)
    heavy = count // 3

    def row(place: int) -> Row:
        names = chance.sample([name for name in WIDE if name != "kind"], 3)
        values = [WIDE[name].values for name in names]
        when = [
            (n, frozenset(v[chance.randrange(1, len(v)) :]))
            for n, v in zip(names, values, strict=True)
        ]
        then, unless = ("vaativa", ()) if place < heavy else ("erityis", tuple(range(heavy)))
        return Row(f"level/r{place}", tuple(when), unless, then, None)

    rows = [row(place) for place in range(count - 1)]
    rest = Row("level/rest", (), tuple(range(count - 1)), "perus", None)
    return a_table("level", "agreeing", [*rows, rest])


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (a_partition(300), set()),
        (a_partition(300, leave_out=1), {"gap"}),
        (in_tiers(300), {"dead"}),
    ],
    ids=["a partition", "a partition with a gap", "three tiers, some rows under others"],
)
def test_three_hundred_rows_of_twelve_columns_are_proved_in_ten_seconds(
    table: Table, expected: set[str]
) -> None:
    chain = Chain(table, {}, Space(WIDE, NO_FLOW, ()))
    begun = time.process_time()
    faults = chain.faults()

    assert time.process_time() - begun < CPU_SECONDS
    assert 12 >= len(table.columns()) >= 11
    assert expected == {fault.kind for fault in faults}


def test_what_cannot_be_proved_is_not_taken_for_true(monkeypatch: pytest.MonkeyPatch) -> None:
    """More pigeons than holes would take for ever: it is said, and no verdict is given."""
    monkeypatch.setattr(search, "MOST_STEPS", 100)
    pigeons, holes = 11, 10
    full = [(1 << holes) - 1] * pigeons
    clauses = [
        tuple(((pigeon, full[0] & ~(1 << hole)),) for pigeon in pair)
        for hole in range(holes)
        for pair in ((a, b) for a in range(pigeons) for b in range(a))
    ]

    with pytest.raises(EntangledError):
        find(full, clauses)
