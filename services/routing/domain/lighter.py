"""What makes a decision lighter than another, and which rows made the difference (design 6). Pure.

A decision is lighter where a sign of urgency falls away, the level drops, or expert group or
psychiatry falls away. Who holds the case is no matter of lighter or heavier.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from services.routing.domain.decision import Decision
from services.routing.domain.tables import LEVELS, TableName, Tables
from services.routing.domain.tables.proofs import NOT_TO_FALL_AWAY
from shared.events import Destination, Holder, Level


class Proposed(Protocol):
    """What matters of a decision where two are compared."""

    @property
    def urgent_flags(self) -> Sequence[str]: ...
    @property
    def level(self) -> Level: ...
    @property
    def destinations(self) -> Sequence[Destination]: ...


class Stands(NamedTuple):
    """What a decision proposes, without why."""

    urgent: tuple[str, ...]
    level: Level
    holder: Holder
    destinations: tuple[Destination, ...]

    @property
    def urgent_flags(self) -> tuple[str, ...]:
        """As a decision calls them."""
        return self.urgent


class Fall(NamedTuple):
    """One thing that became lighter: what it was; of a level what it is now, else ""."""

    table: TableName
    was: str
    now: str = ""


class Difference(NamedTuple):
    """The rows, as table/row, that only the one or only the other decision rests on."""

    gone: tuple[str, ...]
    new: tuple[str, ...]


def stands(decision: Decision) -> Stands:
    """What the decision proposes."""
    return Stands(decision.urgent_flags, decision.level, decision.holder, decision.destinations)


def is_lighter(one: Proposed, than: Proposed) -> bool:
    """Whether a decision is lighter than another in any respect.

    Expert group and psychiatry are not ordered, so each of two decisions can be lighter than the
    other.
    """
    return any(True for _ in _falls(than, one))


def falls(before: Proposed, after: Proposed) -> tuple[Fall, ...]:
    """Everything that makes `after` lighter than `before`; empty if it is not."""
    return tuple(_falls(before, after))


def _falls(before: Proposed, after: Proposed) -> Iterator[Fall]:
    for flag in before.urgent_flags:
        if flag not in after.urgent_flags:
            yield Fall("urgent", flag)
    if LEVELS.index(after.level) < LEVELS.index(before.level):
        yield Fall("level", before.level, after.level)
    for each in NOT_TO_FALL_AWAY:
        if each in before.destinations and each not in after.destinations:
            yield Fall("destinations", each)


def difference(before: Decision, after: Decision, old: Tables, new: Tables) -> Difference:
    """The rows behind what differs, in the tables that say something else now.

    A row that says something else under the same name counts as another.
    """
    one, other = _resting_on(before, old), _resting_on(after, new)
    moved = _moved(stands(before), stands(after))
    return Difference(
        tuple(ref for ref, says in one.items() if _of(ref) in moved and other.get(ref) != says),
        tuple(ref for ref, says in other.items() if _of(ref) in moved and one.get(ref) != says),
    )


def _resting_on(decision: Decision, tables: Tables) -> dict[str, str]:
    """The rows that hit, and what each says; a fault stands for itself."""
    says = {row.ref: row.then for table in tables.each() for row in table.rows}
    return {ref: says.get(ref, "") for ref in decision.rows}


def _moved(before: Stands, after: Stands) -> set[str]:
    return {
        table
        for table, one, other in zip(Stands._fields, before, after, strict=True)
        if one != other
    }


def _of(ref: str) -> str:
    return ref.partition("/")[0]
