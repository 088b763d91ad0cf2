"""One table as its proofs see it: with the tables before it, and with every child there can be."""

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from itertools import product

from services.routing.domain.flow import Always, Space
from services.routing.domain.tables.engine import SAID, SEES, Table, column_of
from services.routing.domain.tables.faults import Child, Facts
from services.routing.domain.tables.search import Clause, Ground, Link, Part, find


class Proof:
    """One table, with what the tables before it say, as boxes and clauses."""

    def __init__(self, table: Table, earlier: Mapping[str, Table], space: Space) -> None:
        self.table = table
        self._earlier = earlier
        self._space = space
        names = self._names()
        self._columns = {name: column_of(space, table.name, name) for name in names}
        self.ground = Ground({name: c.values for name, c in self._columns.items() if c})

    def _names(self) -> list[str]:
        """Columns the rows read, those that earlier tables read for them, and what is tied in."""
        names = dict.fromkeys(self.table.columns())
        for said in reversed(SEES[self.table.name]):  # the level may look at the flags
            if said in names:
                names.update(dict.fromkeys(self._earlier[said].columns()))
        known = 0
        while known < len(names):  # what is tied in may tie in more
            known = len(names)
            for always in self._tied(names):
                names.update(dict.fromkeys(always.columns))
        return list(names)

    def _tied(self, names: Mapping[str, object]) -> list[Always]:
        return [always for always in self._space.always if names.keys() & set(always.columns)]

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        return tuple(self.ground.part(row.when) for row in self.table.rows)

    @cached_property
    def possible(self) -> tuple[Clause, ...]:
        """What keeps a child possible: the columns hang together, earlier tables have spoken."""
        clauses = [self._always(a) for a in self._tied(dict.fromkeys(self.ground.names))]
        for said in SEES[self.table.name]:
            if said in self.ground.places:
                clauses += self._says(said)
        return tuple(clauses)

    def _always(self, always: Always) -> Clause:
        """Its combinations as parts, those that differ in the last column alone in one part."""
        *others, last = always.columns
        parts = []
        for values in product(*(self.ground.values[name] for name in others)):
            fits = [v for v in self.ground.values[last] if always.holds(*values, v)]
            pairs = [*zip(others, ([v] for v in values), strict=True), (last, fits)]
            if fits:
                parts.append(self.ground.part([(n, frozenset(vs)) for n, vs in pairs]))
        return tuple(parts)

    def _says(self, said: str) -> list[Clause]:
        """A row of the table before hits only where its column has what the row says."""
        table = self._earlier[said]
        other = Proof(table, self._earlier, self._space)
        other.ground = self.ground
        if said == "level":
            return [
                (*other.misses(place), self.ground.part([("level", frozenset({row.then}))]))
                for place, row in enumerate(table.rows)
            ]
        flag, none = (self.ground.part([("flagged", frozenset({v}))]) for v in ("yes", "no"))
        pieces = [piece for place in range(len(table.rows)) for piece in other.pieces(place)]
        return [
            *[(*other.misses(place), flag) for place in range(len(table.rows))],
            (none, *pieces),
        ]

    def hits(self, place: int) -> tuple[Part, list[Clause]]:
        """Where a row hits: its own box, outside those that silence it."""
        row = self.table.rows[place]
        return self.parts[place], [self.ground.outside(self.parts[other]) for other in row.unless]

    def misses(self, place: int) -> Clause:
        """Where a row does not hit: outside its box, or where another silences it."""
        row = self.table.rows[place]
        return (
            *self.ground.outside(self.parts[place]),
            *(self.parts[other] for other in row.unless),
        )

    def misses_all(self, places: Collection[int]) -> list[Clause]:
        """Where none of these rows hits, as shortly as it can be said.

        A row whose silencers are all among them, and theirs, can only be missed outside its box:
        what silences it would itself have to be silenced, and so on to a row that nothing silences.
        """
        rooted: set[int] = set()
        known = -1
        while known < len(rooted):
            known = len(rooted)
            rooted |= {p for p in places if rooted.issuperset(self.table.rows[p].unless)}
        return [
            self.ground.outside(self.parts[place]) if place in rooted else self.misses(place)
            for place in places
        ]

    def pieces(self, place: int) -> list[Part]:
        """Where a row hits, as boxes."""
        part, silent = self.hits(place)
        boxes = [self.ground.box(part)]
        for clause in silent:
            cut = []
            for box in boxes:
                rest = list(box)
                for (column, bits), *_ in clause:
                    piece = list(rest)
                    piece[column] &= bits
                    rest[column] &= ~bits
                    cut += [piece] if piece[column] else []
            boxes = cut
        full = self.ground.full
        return [tuple((p, b) for p, b in enumerate(box) if b != full[p]) for box in boxes]

    # --- finding a child ---

    def child(self, part: Part, clauses: Sequence[Clause]) -> list[int] | None:
        return find(self.ground.box(part), [*clauses, *self.possible])

    def pair(
        self, before: Part, clauses: Sequence[Clause], after: Part, later: Sequence[Clause]
    ) -> tuple[list[int], list[int]] | None:
        """Two children, the second with more concern or the same: boxes of both, or None."""
        size = len(self.ground.full)
        box = [*self.ground.box(before), *self.ground.box(after)]
        moved = [*later, *self.possible]
        shifted = [tuple(_shift(part, size) for part in clause) for clause in moved]
        found = find(box, [*clauses, *self.possible, *shifted], self._links(size))
        return None if found is None else (found[:size], found[size:])

    def _links(self, size: int) -> list[Link]:
        return [
            Link(place, place + size, column.direction)
            for place, column in enumerate(c for c in self._columns.values() if c)
            if column.direction != "either"
        ]

    # --- telling ---

    def facts(self, box: Sequence[int]) -> dict[str, str | int]:
        """One child of the box, the most ordinary one."""
        return {
            name: self._value(name, bits) for name, bits in zip(self.ground.names, box, strict=True)
        }

    def both_facts(
        self, before: Sequence[int], after: Sequence[int]
    ) -> tuple[dict[str, str | int], dict[str, str | int]]:
        """One child and the same with more concern, as alike as the boxes allow."""
        first, second = {}, {}
        for name, low, high in zip(self.ground.names, before, after, strict=True):
            column = self._columns[name]
            same = low & high
            if same:
                first[name] = second[name] = self._value(name, same)
            elif column is not None and column.direction == "falling":
                first[name], second[name] = self._last(name, low), self._first(name, high)
            else:
                first[name], second[name] = self._first(name, low), self._last(name, high)
        return first, second

    def _value(self, name: str, bits: int) -> str | int:
        column = self._columns[name]
        neutral = column.neutral if column else ""
        allowed = self._allowed(name, bits)
        return neutral if neutral in allowed else allowed[0]

    def _first(self, name: str, bits: int) -> str | int:
        return self._allowed(name, bits)[0]

    def _last(self, name: str, bits: int) -> str | int:
        return self._allowed(name, bits)[-1]

    def _allowed(self, name: str, bits: int) -> list[str | int]:
        return [v for place, v in enumerate(self.ground.values[name]) if bits >> place & 1]

    def pinned(self, facts: Facts, *boxes: Sequence[int]) -> Child:
        """A child in words, by the facts that matter: those the boxes narrow."""
        read = {*self.table.columns(), *SAID}
        told = [
            (name, facts[name])
            for place, name in enumerate(self.ground.names)
            if name in read and any(box[place] != self.ground.full[place] for box in boxes)
        ]
        return Child(tuple(told))


def _shift(part: Part, by: int) -> Part:
    return tuple((place + by, bits) for place, bits in part)
