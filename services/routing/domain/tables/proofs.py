"""What must be true of tables before they may decide anything, and the child that shows it is not.

Every proof is exact over the columns: it speaks of every child there could be and of no sample,
and what it refuses it shows. It leaves out what no child can be (`flow.ALWAYS`). ADR 12 says why a
proof over columns is one about what is stated.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

from services.routing.domain.tables.chain import Proof
from services.routing.domain.tables.engine import LEVELS, Table
from services.routing.domain.tables.faults import Child, Facts, Fault
from services.routing.domain.tables.proposals import proposed_row
from services.routing.domain.tables.search import Part

NOT_TO_FALL_AWAY = ("expert_group", "psychiatry")
"""Destinations whose loss is a lighter decision (design 6); basic services are the lightest."""


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
                shown = dict(proof.pinned(second, *found).facts)
                names: dict[str, str | Child] = {
                    "outcome": outcome,
                    "before": proof.pinned(first, *found),
                    "after": Child(tuple((n, v) for n, v in shown.items() if first[n] != v)),
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
