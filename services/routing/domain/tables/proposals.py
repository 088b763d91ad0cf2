"""Rows and examples written as YAML, for a person to complete."""

from collections.abc import Sequence

from services.routing.domain.tables.engine import LEVELS, Table
from services.routing.domain.tables.faults import Facts

Condition = tuple[str, tuple[str | int, ...], list[str | int]]
"""A column, its values, and those of them that are allowed, side by side."""

_SAFEST = {"level": LEVELS[-1], "holder": "duty"}


def proposed_row(table: Table, conditions: Sequence[Condition]) -> str:
    """A row for children whom none fits, as YAML.

    It leads to the safest outcome until its owner says otherwise, and its texts are empty: it
    cannot be loaded before they are written.
    """
    match, no_match = _examples(conditions)
    when = ", ".join(
        f"{name}: {_condition(values, allowed)}" for name, values, allowed in conditions
    )
    lines = [
        "  - id: new-row",
        f"    when: {{ {when} }}",
        f"    then: {_SAFEST.get(table.name, '')}",
        '    reason: { fi: "", sv: "", en: "" }',
        "    basis: own construction",
        "    examples:",
        f"      match: [{match}]",
        f"      no_match: [{no_match}]",
    ]
    return "\n".join(lines)


def written_example(facts: Facts) -> str:
    """An example as it stands in a file."""
    return "{ " + ", ".join(f"{name}: {value}" for name, value in facts.items()) + " }"


def _condition(values: tuple[str | int, ...], allowed: list[str | int]) -> str:
    if not isinstance(values[0], int):
        return f"[{', '.join(map(str, allowed))}]"
    low, high = allowed[0], allowed[-1]
    limits = [f"at_least: {low}"] if low != values[0] else []
    limits += [f"at_most: {high}"] if high != values[-1] else []
    return "{ " + ", ".join(limits) + " }"


def _examples(conditions: Sequence[Condition]) -> tuple[str, str]:
    """Examples on both sides of every limit of these conditions."""
    usual = {name: str(allowed[0]) for name, _, allowed in conditions}
    match = {written_example(usual): None}
    no_match: dict[str, None] = {}
    for name, values, allowed in conditions:
        for value in {allowed[-1]: None} if isinstance(values[0], int) else allowed:
            match[written_example({**usual, name: str(value)})] = None
        here = values.index(allowed[0])
        beside = [*values[max(here - 1, 0) : here], *values[here + len(allowed) :][:1]]
        others = [v for v in values if v not in allowed]
        for value in beside if isinstance(values[0], int) else others:
            no_match[written_example({**usual, name: str(value)})] = None
    return ", ".join(match), ", ".join(no_match)
