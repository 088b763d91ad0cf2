"""What other rules would say of a stored decision: its facts, decided by both. Pure.

Facts that were stored before a column was there lack it. What nobody could state then is unknown,
and what can be derived from the others is; otherwise every value that it could have is tried, and
where they do not agree nobody is told that nothing moves: the case cannot be compared, and what
could become lighter is named.
"""

from collections.abc import Mapping
from itertools import product
from math import prod
from typing import NamedTuple

from services.routing.domain.decision import Decision, decide
from services.routing.domain.facts import CAME_UNSAID, COLUMNS, MADE, Column, Facts, Made
from services.routing.domain.flow import ALWAYS
from services.routing.domain.lighter import Difference, Fall, Stands, difference, falls, stands
from services.routing.domain.tables import Tables

MOST_COMPLETIONS = 729  # six columns of three values
_NOTHING = Difference((), ())


class Compared(NamedTuple):
    """What both say. `falls` and `rows` where the new decision is lighter.

    `derived` are columns that were not stored and are certain; of `whatever` both say the same with
    any value.
    """

    before: Stands
    after: Stands
    falls: tuple[Fall, ...] = ()
    rows: Difference = _NOTHING
    derived: tuple[str, ...] = ()
    whatever: tuple[str, ...] = ()


class Unsure(NamedTuple):
    """What depends on facts that were not stored, or not understood.

    `lacking` are their columns; `perhaps` is all that could become lighter, None if there are too
    many possibilities to try.
    """

    lacking: tuple[str, ...]
    perhaps: tuple[Fall, ...] | None = None


class Comparison:
    """Two sets of tables, for comparing what they say of many cases."""

    def __init__(
        self, old: Tables, new: Tables,
        columns: Mapping[str, Column] = COLUMNS, made: Mapping[str, Made] = MADE,
    ) -> None:  # fmt: skip
        self.old = old
        self.new = new
        self._columns = columns
        self._made = made
        read = {name for tables in (old, new) for t in tables.each() for name in t.columns()}
        self._read = tuple(name for name in columns if name in read)

    def of(self, stored: Facts) -> Compared | Unsure:
        """What both say of these facts."""
        facts, derived = self._completed(stored)
        lacking = tuple(name for name in self._read if not self._is_understood(name, facts))
        if not lacking:
            return self._compared(facts)._replace(derived=derived)
        if prod(len(self._columns[name].values) for name in lacking) > MOST_COMPLETIONS:
            return Unsure(lacking)
        tried = self._tried(facts, lacking)
        return tried._replace(derived=derived) if isinstance(tried, Compared) else tried

    def _completed(self, stored: Facts) -> tuple[Facts, tuple[str, ...]]:
        """The facts with the columns that are lacking and are certain, and their names."""
        facts, derived = dict(stored), []
        for name in [name for name in self._made if name not in stored]:
            of, by = self._made[name]
            if name in CAME_UNSAID:
                facts[name] = "unknown"
            elif all(part != name and self._is_understood(part, facts) for part in of):
                facts[name] = by(*(facts[part] for part in of))
            else:
                continue
            derived += [name] if name in self._read else []
        return facts, tuple(derived)

    def _is_understood(self, name: str, facts: Facts) -> bool:
        return name in self._columns and facts.get(name) in self._columns[name].values

    def _compared(self, facts: Facts) -> Compared:
        before, after = self._decided(facts)
        one, other = stands(before), stands(after)
        lighter = falls(one, other)
        rows = difference(before, after, self.old, self.new) if lighter else _NOTHING
        return Compared(one, other, lighter, rows)

    def _decided(self, facts: Facts) -> tuple[Decision, Decision]:
        return decide(facts, self.old), decide(facts, self.new)

    def _tried(self, facts: Facts, lacking: tuple[str, ...]) -> Compared | Unsure:
        """Compared, if it is the same whatever the lacking columns would have been."""
        found = {self._compared(whole) for whole in self._completions(facts, lacking)}
        if len({(each.before, each.after) for each in found}) == 1:
            return min(found)._replace(whatever=lacking)
        perhaps = sorted({fall for each in found for fall in each.falls})
        return Unsure(lacking, tuple(perhaps))

    def _completions(self, facts: Facts, lacking: tuple[str, ...]) -> list[Facts]:
        """The facts with every value of what is lacking that no other fact contradicts."""
        values = product(*(self._columns[name].values for name in lacking))
        every: list[Facts] = [{**facts, **dict(zip(lacking, each, strict=True))} for each in values]
        return [whole for whole in every if self._hangs_together(whole)] or every

    def _hangs_together(self, facts: Facts) -> bool:
        return all(
            always.holds(*(facts[name] for name in always.columns))
            for always in ALWAYS
            if all(self._is_understood(name, facts) for name in always.columns)
        )
