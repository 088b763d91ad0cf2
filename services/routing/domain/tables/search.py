"""Looking for a child that shows a fault, among all there could be, without going through them.

The children looked at together are a *box*: for each column the values still open, one bit each. A
*clause* is a list of boxes of which the child must lie in at least one. "Row r does not hit", "the
level is perus", "areas add up": all that a proof asks is said in clauses. The search drops what
cannot be, follows what must be, and only then tries the ways out of the clause with the fewest; so
it ends with a box whose every child fits, or with the certainty that there is none.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from services.routing.domain.facts import Direction

Part = tuple[tuple[int, int], ...]
"""A box by its narrowed columns alone: the column's place, the bits of its values."""
Clause = tuple[Part, ...]
MOST_STEPS = 20_000


class EntangledError(Exception):
    """The search would take too long; nothing is proved."""


class Link(NamedTuple):
    """How the same column of two children, `before` and `after` more concern, may differ."""

    before: int
    after: int
    direction: Direction


def find(
    box: Sequence[int], clauses: Sequence[Clause], links: Sequence[Link] = ()
) -> list[int] | None:
    """A box inside `box` in which every child keeps every clause, or None if no child does.

    With links: every column of the two children has values that keep its link. Raises
    `EntangledError` after `MOST_STEPS` tries.
    """
    waiting: list[tuple[list[int], Sequence[Clause]]] = [(list(box), clauses)] if all(box) else []
    for _ in range(MOST_STEPS):
        if not waiting:
            return None
        tried, left = waiting.pop()
        open_ = _narrow(tried, left, links)
        if open_ is None:
            continue
        if not open_:
            return tried
        clause = min(open_, key=len)
        rest = [other for other in open_ if other is not clause]
        waiting += [(way, rest) for way in reversed(_ways(tried, clause))]
    raise EntangledError


def _ways(box: list[int], clause: Clause) -> list[list[int]]:
    """The box cut to each part of the clause; a later way leaves out what an earlier one covers."""
    ways, base = [], list(box)
    for part in clause:
        way = list(base)
        for place, bits in part:
            way[place] &= bits
        if all(way[place] for place, _ in part):
            ways.append(way)
        if len(part) == 1:
            base[part[0][0]] &= ~part[0][1]
            if not base[part[0][0]]:
                break
    return ways


def _narrow(
    box: list[int], clauses: Sequence[Clause], links: Sequence[Link]
) -> Sequence[Clause] | None:
    """Narrow the box in place to what must be; the clauses still open, None if no child is left."""
    narrowed = True
    while narrowed:
        if not _linked(box, links):
            return None
        narrowed, still_open = False, []
        for clause in clauses:
            parts = _possible(box, clause)
            if parts is None:
                continue
            if not parts:
                return None
            if len(parts) == 1:
                narrowed = True
                for place, bits in parts[0]:
                    box[place] &= bits
            else:
                still_open.append(parts)
        clauses = still_open
    return clauses


def _possible(box: list[int], clause: Clause) -> Clause | None:
    """The parts of the clause that meet the box; None if one of them holds all of it."""
    possible = []
    for part in clause:
        inside = True
        for place, bits in part:
            have = box[place]
            both = have & bits
            if not both:
                break
            if both != have:
                inside = False
        else:
            if inside:
                return None
            possible.append(part)
    return tuple(possible)


def _linked(box: list[int], links: Sequence[Link]) -> bool:
    """Narrow linked columns to values that have a partner; False if one has none left."""
    for before, after, direction in links:
        if direction == "fixed":
            box[before] = box[after] = box[before] & box[after]
        elif direction == "rising":
            _ordered(box, before, after)
        elif direction == "falling":
            _ordered(box, after, before)
        if not box[before] or not box[after]:
            return False
    return True


def _ordered(box: list[int], lower: int, higher: int) -> None:
    box[lower] &= (1 << box[higher].bit_length()) - 1
    box[higher] &= -(box[lower] & -box[lower])


class Ground:
    """The columns that a proof speaks of, each with a place, and rows as boxes and clauses."""

    def __init__(self, values: Mapping[str, tuple[str | int, ...]]) -> None:
        self.values = values
        self.names = tuple(values)
        self.places = {name: place for place, name in enumerate(self.names)}
        self.full = [(1 << len(known)) - 1 for known in values.values()]

    def bits(self, name: str, allowed: frozenset[str | int]) -> int:
        return sum(1 << p for p, value in enumerate(self.values[name]) if value in allowed)

    def part(self, when: Sequence[tuple[str, frozenset[str | int]]]) -> Part:
        """Conditions as a part; one that allows every value is left out."""
        made = [(self.places[name], self.bits(name, allowed)) for name, allowed in when]
        return tuple((place, bits) for place, bits in made if bits != self.full[place])

    def outside(self, part: Part) -> Clause:
        return tuple(((place, self.full[place] & ~bits),) for place, bits in part)

    def box(self, part: Part) -> list[int]:
        made = list(self.full)
        for place, bits in part:
            made[place] &= bits
        return made
