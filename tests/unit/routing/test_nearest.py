"""The shortest way through a diagram is the smallest change: compared with trying every one."""

from itertools import product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain import diagrams as module
from services.routing.domain.diagrams import Diagrams

VALUES: dict[str, tuple[Any, ...]] = {
    "a": ("no", "unknown", "yes"), "b": ("no", "yes"), "c": (0, 1, 2), "d": ("no", "yes"),
}  # fmt: skip
CASES = [dict(zip(VALUES, each, strict=True)) for each in product(*VALUES.values())]
PLACES = st.integers(0, len(CASES) - 1)
TABLES = st.lists(st.integers(0, 2), min_size=len(CASES), max_size=len(CASES))
NAMES = st.sets(st.sampled_from(sorted(VALUES)))


def function(table: list[int]) -> tuple[Diagrams, int]:
    """A function that has these values, case by case."""
    d = Diagrams(VALUES)
    says = {tuple(case.values()): value for case, value in zip(CASES, table, strict=True)}
    return d, d.apply(lambda *of: says[of], *(d.variable(name) for name in VALUES))


@given(TABLES, PLACES, NAMES)
def test_the_smallest_changes_are_all_found_and_nothing_smaller_is_missed(
    table: list[int], place: int, free: set[str]
) -> None:
    d, node = function(table)
    case, stands = CASES[place], table[place]
    changes = [
        {name: other[name] for name in VALUES if other[name] != case[name]}
        for other, value in zip(CASES, table, strict=True)
        if value != stands and all(other[name] == case[name] for name in VALUES.keys() - free)
    ]
    least = min((len(each) for each in changes), default=0)

    found = d.nearest(node, case, {n: VALUES[n] for n in free}, lambda said: said != stands)

    in_order = [sorted(each.items()) for each in changes if len(each) == least]
    assert sorted(in_order, key=str) == sorted((sorted(w.items()) for w in found), key=str)
    assert found == d.nearest(
        node, case, {n: VALUES[n] for n in sorted(free, reverse=True)}, lambda said: said != stands
    )


@given(TABLES, TABLES, PLACES, NAMES)
def test_what_functions_can_say_together_is_what_every_case_says(
    one: list[int], other: list[int], place: int, fixed: set[str]
) -> None:
    d, first = function(one)
    says = {tuple(case.values()): value for case, value in zip(CASES, other, strict=True)}
    second = d.apply(lambda *of: says[of], *(d.variable(name) for name in VALUES))
    known = {name: CASES[place][name] for name in fixed}

    assert d.possible(known, first, second) == {
        (a, b)
        for case, a, b in zip(CASES, one, other, strict=True)
        if known.items() <= case.items()
    }


@given(TABLES, PLACES, NAMES)
def test_what_is_true_whatever_some_have_is_true_for_each_of_their_values(
    table: list[int], place: int, names: set[str]
) -> None:
    d, node = function(table)
    always = d.whatever(d.apply(bool, node), names)
    rest = {n: v for n, v in CASES[place].items() if n not in names}
    cases = [v for case, v in zip(CASES, table, strict=True) if rest.items() <= case.items()]

    assert all(cases) == d.says(always, CASES[place])


def test_of_very_many_ways_no_more_than_a_bound_is_looked_at() -> None:
    names = [f"v{number}" for number in range(14)]
    d = Diagrams(dict.fromkeys(names, ("no", "yes")))
    count = d.leaf(0)
    for name in names:
        count = d.apply(lambda sofar, said: sofar + (said == "yes"), count, d.variable(name))
    nobody, free = dict.fromkeys(names, "no"), dict.fromkeys(names, ("no", "yes"))

    ways = d.nearest(count, nobody, free, lambda number: number == 7)

    assert module.MOST_WAYS == len(ways), "of 3,432"
    assert {7} == {len(way) for way in ways}
