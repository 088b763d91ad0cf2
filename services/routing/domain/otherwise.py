"""What was stated of a child, read back from a stored decision, and what could have been. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, cast

from services.routing.domain.diagrams import Diagrams, Value
from services.routing.domain.facts import (
    CAME_WITH,
    COUNTED,
    MADE,
    NOT_YET,
    NOTHING_KNOWN,
    QUESTIONS,
    Facts,
    Made,
    UrgencyState,
    fields_of,
)
from shared.events import AgeBand

Case = Mapping[str, Value]
"""A value for each variable of the diagrams: fields of `Known`, `age_band` and `urgency`."""
Free = Mapping[str, Sequence[Value]]
"""The values that something stated could have had instead."""

MAY_BECOME: Mapping[UrgencyState, tuple[UrgencyState, ...]] = {
    "open": ("not_urgent", "urgent"),
    "urgent": ("not_urgent",),
    "not_urgent": ("urgent",),
    "not_asked": (),
}
"""What a person could have answered instead: nothing makes a judged check open again."""


class Change(NamedTuple):
    """Something stated (a field of `Known`, or `urgency`) that could have been otherwise."""

    name: str
    was: Value
    would: Value


Way = tuple[Change, ...]


def free_to_change(diagrams: Diagrams, case: Case, facts: Facts) -> Free:
    """What could have been stated instead, in the order of the form.

    Not how old the child is, not what cannot be so at its age, and nothing that the stored facts do
    not speak of: it could not be stated then.
    """
    spoken = spoken_of(facts)
    never = NOT_YET.get(cast("AgeBand", case["age_band"]), frozenset[str]())
    last = ("urgency", "age_band")
    besides = (n for n in diagrams.names if n not in (*QUESTIONS, *COUNTED, *last))
    names = [n for n in (*QUESTIONS, *besides, *COUNTED) if n in spoken - never]
    free: dict[str, Sequence[Value]] = {n: diagrams.values[diagrams.places[n]] for n in names}
    return {**free, "urgency": MAY_BECOME[cast("UrgencyState", case["urgency"])]}


def spoken_of(facts: Facts) -> frozenset[str]:
    """What could be stated when these facts were derived."""
    found = {field for column in MADE if column in facts for field in fields_of(column)}
    return frozenset(f for f in found if f not in CAME_WITH or CAME_WITH[f] in facts)


def plainest(ways: Iterable[Mapping[str, Value]], case: Case, free: Free) -> list[Way]:
    """For each set of things to change one way, the plainest; in the order of the form."""
    order = list(free)
    best: dict[tuple[str, ...], Way] = {}
    for way in ways:
        names = tuple(sorted(way, key=order.index))
        changes = tuple(Change(name, case[name], way[name]) for name in names)
        if names not in best or _distances(changes) < _distances(best[names]):
            best[names] = changes
    return [best[names] for names in sorted(best, key=lambda names: [*map(order.index, names)])]


def after(case: Case, way: Way) -> Case:
    """The case as it would have been."""
    return {**case, **{change.name: change.would for change in way}}


def _distances(way: Way) -> list[float]:
    """Small where an answer is turned round, or a number moves by little."""
    return [_distance(change) for change in way]


def _distance(change: Change) -> float:
    if isinstance(change.was, int) and isinstance(change.would, int):
        return abs(change.was - change.would)
    return float(change.would != ("no" if change.was == "yes" else "yes"))


# --- from columns back to what was stated -----------------------------------------------------


def stated_of(
    facts: Facts, diagrams: Diagrams, *, least: bool = False, made: Mapping[str, Made] = MADE
) -> Case | None:
    """What `derive` makes these facts of; where several would do, the most concerning.

    With `least` the least concerning. None where nothing does: the facts were derived in another
    way. What no stored column speaks of is as if nobody had said it. `made`: where the columns come
    from in the county (`county.made_in`).
    """
    values = dict(zip(diagrams.names, diagrams.values, strict=True))
    spoken = spoken_of(facts) & values.keys()
    columns = {name: fields_of(name) & spoken for name in MADE if name in facts}
    case: dict[str, Value] = {name: getattr(NOTHING_KNOWN, name, "unknown") for name in values}
    step = 1 if least else -1
    candidates = {
        field: _candidates(
            field, [case | {field: value} for value in values[field][::step]],
            [column for column, fields in columns.items() if fields == {field}], facts, made,
        )
        for field in values
        if any(field in fields for fields in columns.values())
    }  # fmt: skip
    order = sorted(candidates, key=lambda field: len(candidates[field]))
    closed_by = {
        field: [c for c in columns if _last(columns[c], order) == field] for field in order
    }

    def settled(place: int) -> bool:
        if place == len(order):
            return True
        field = order[place]
        for value in candidates[field]:
            case[field] = value
            fits = all(_made(c, case, made) == facts[c] for c in closed_by[field])
            if fits and settled(place + 1):
                return True
        return False

    return case if settled(0) else None


def _candidates(
    field: str,
    cases: Iterable[Case],
    alone: Sequence[str],
    facts: Facts,
    made: Mapping[str, Made],
) -> list[Value]:
    """The field's values in those of these cases that the columns made of it alone allow."""
    return [case[field] for case in cases if all(_made(c, case, made) == facts[c] for c in alone)]


def _last(fields: Iterable[str], order: Sequence[str]) -> str | None:
    return max(fields, key=order.index, default=None)


def _made(column: str, case: Case, made: Mapping[str, Made]) -> Value:
    """A column of what was stated, as `derive` makes it."""
    of, by = made[column]
    return by(*(_made(s, case, made) if s != column and s in made else case[s] for s in of))
