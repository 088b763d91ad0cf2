"""What must be true of tables before they may decide anything, and the child that shows it is not.

Every proof is exact over the columns: it speaks of every child there could be and of no sample,
and what it refuses it shows. It leaves out what no child can be (`flow.ALWAYS`). ADR 12 says why a
proof over columns is one about what is stated.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import combinations, product

from services.routing.domain.flow import Always, Space
from services.routing.domain.tables.engine import LEVELS, SAID, SEES, Table, column_of
from services.routing.domain.tables.faults import Child, Facts, Fault
from services.routing.domain.tables.proposals import proposed_row
from services.routing.domain.tables.search import (
    Clause,
    Ground,
    Link,
    Part,
    find,
)

NOT_TO_FALL_AWAY = ("expert_group", "psychiatry")
"""Destinations whose loss is a lighter decision (design 6); basic services are the lightest."""


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


def table_faults(proof: Proof) -> list[Fault]:
    """Every fault of one table. Raises `EntangledError` if that cannot be found out.

    Where two rows hit or none does, what the rows mean is not settled, so no more is asked.
    """
    open_ends = [] if proof.table.hit == "collect" else [*_gaps(proof), *_overlaps(proof)]
    return open_ends or [*_dead(proof), *_lighter(proof), *_needless(proof)]


def _gaps(proof: Proof) -> Iterator[Fault]:
    box = proof.child((), proof.misses_all(range(len(proof.table.rows))))
    if box is not None:
        facts = proof.facts(box)
        child = proof.pinned(facts, box)
        yield Fault(
            "gap",
            proof.table.file,
            names={"child": child},
            witness=(facts,),
            proposal=proposed_row(proof.table, _around(proof, facts, box)),
        )


def _around(
    proof: Proof, facts: Facts, box: Sequence[int]
) -> list[tuple[str, tuple[str | int, ...], list[str | int]]]:
    """The conditions of a row for this box: column, its values, those next to the child's."""
    conditions = []
    for place, name in enumerate(proof.ground.names):
        values = proof.ground.values[name]
        if name not in proof.table.columns() or box[place] == proof.ground.full[place]:
            continue
        here = values.index(facts[name])
        low = high = here
        while low and box[place] >> (low - 1) & 1:
            low -= 1
        while high + 1 < len(values) and box[place] >> (high + 1) & 1:
            high += 1
        conditions.append((name, values, list(values[low : high + 1])))
    return conditions


def _overlaps(proof: Proof) -> Iterator[Fault]:
    rows, hit = proof.table.rows, proof.table.hit
    for one, other in combinations(range(len(rows)), 2):
        if hit == "agreeing" and rows[one].then == rows[other].then:
            continue
        if other in rows[one].unless or one in rows[other].unless:
            continue
        if _apart(proof.parts[one], proof.parts[other]):
            continue
        part, silent = proof.hits(one)
        second, also_silent = proof.hits(other)
        box = proof.child(_both(part, second), [*silent, *also_silent])
        if box is not None:
            facts = proof.facts(box)
            names = {"child": proof.pinned(facts, box)}
            row = f"{rows[one].name} + {rows[other].name}"
            yield Fault("both", proof.table.file, row, names, (facts,))


def _apart(one: Part, other: Part) -> bool:
    bits = dict(one)
    return any(place in bits and not bits[place] & more for place, more in other)


def _both(one: Part, other: Part) -> Part:
    bits = dict(one)
    for place, more in other:
        bits[place] = bits.get(place, more) & more
    return tuple(bits.items())


def _dead(proof: Proof) -> Iterator[Fault]:
    for place, row in enumerate(proof.table.rows):
        part, silent = proof.hits(place)
        if proof.child(part, silent) is None:
            yield Fault("dead", proof.table.file, row.name)


# --- more concern, nothing lighter ------------------------------------------------------------


def not_to_fall_away(table: Table) -> dict[str, list[int]]:
    """Each outcome whose loss is a lighter decision, and the rows that give it (design 6)."""
    said = [row.then for row in table.rows]
    if table.name == "urgent":
        kept = dict.fromkeys(said)
        return {flag: [p for p, then in enumerate(said) if then == flag] for flag in kept}
    if table.name == "level":
        at_least = {level: LEVELS[place:] for place, level in enumerate(LEVELS) if place}
        return {
            level: [p for p, then in enumerate(said) if then in higher]
            for level, higher in at_least.items()
        }
    if table.name == "destinations":
        return {
            each: [p for p, then in enumerate(said) if then == each] for each in NOT_TO_FALL_AWAY
        }
    return {}  # who holds the case is no matter of lighter or heavier


def _lighter(proof: Proof) -> Iterator[Fault]:
    told = set()
    for outcome, rows in not_to_fall_away(proof.table).items():
        for place in rows:
            row = proof.table.rows[place]
            found = None
            if row.exception is None and place not in told:
                found = _falls_away(proof, place, rows, forgiven=_excepted(proof))
            if found:
                told.add(place)
                first, second = proof.both_facts(*found)
                names: dict[str, str | Child] = {
                    "outcome": outcome,
                    "before": proof.pinned(first, *found),
                    "after": proof.pinned(second, *found),
                }
                yield Fault("lighter", proof.table.file, row.name, names, (first, second))


def _excepted(proof: Proof) -> list[int]:
    return [place for place, row in enumerate(proof.table.rows) if row.exception is not None]


def _falls_away(
    proof: Proof, place: int, rows: Sequence[int], forgiven: Sequence[int], because: Part = ()
) -> tuple[list[int], list[int]] | None:
    """Two children: the row hits the first; of the second, with more concern, none of `rows` does.

    Where a forgiven row hits the second, that row says why. `because`: where the second must lie.
    """
    part, silent = proof.hits(place)
    gone = proof.misses_all({*rows, *forgiven})
    return proof.pair(part, silent, because, gone)


def _needless(proof: Proof) -> Iterator[Fault]:
    """An exception must excuse something: from the row, or to the row, with more concern."""
    for place in _excepted(proof):
        if not any(_excuses(proof, place, rows) for rows in not_to_fall_away(proof.table).values()):
            yield Fault("exception-needless", proof.table.file, proof.table.rows[place].name)


def _excuses(proof: Proof, excepted: int, rows: Sequence[int]) -> bool:
    if excepted in rows and _falls_away(proof, excepted, rows, forgiven=()):
        return True
    part, silent = proof.hits(excepted)
    gone = proof.misses_all(rows)
    for place in rows:
        before, clauses = proof.hits(place)
        if place != excepted and proof.pair(before, clauses, part, [*silent, *gone]):
            return True
    return False


def changes_nothing(one: Proof, other: Proof, places: Mapping[int, int]) -> bool:
    """Whether rows hit alike in both: `places` from one's rows to the other's. Same ground."""
    return all(
        one.child(one.hits(a)[0], [*one.hits(a)[1], other.misses(b)]) is None
        and other.child(other.hits(b)[0], [*other.hits(b)[1], one.misses(a)]) is None
        for a, b in places.items()
    )
