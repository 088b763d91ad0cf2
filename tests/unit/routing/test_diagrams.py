"""Decision diagrams against the functions they stand for, by going through every case."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.diagrams import Diagrams

VARIABLES: dict[str, tuple[str, ...]] = dict.fromkeys("abcd", ("no", "unknown", "yes"))
CASES = [dict(zip(VARIABLES, each, strict=True)) for each in product(*VARIABLES.values())]
TABLES = st.lists(st.integers(0, 2), min_size=len(CASES), max_size=len(CASES))
CHOICES = [CASES.index(case) for case in CASES]


def made(diagrams: Diagrams, outcomes: list[int]) -> int:
    """The diagram of a function that is given as the list of its outcomes."""
    index = {tuple(case.values()): place for place, case in enumerate(CASES)}
    return diagrams.apply(
        lambda *values: outcomes[index[values]], *(diagrams.variable(name) for name in VARIABLES)
    )


@given(TABLES)
def test_a_diagram_says_what_its_function_says(outcomes: list[int]) -> None:
    diagrams = Diagrams(VARIABLES)

    node = made(diagrams, outcomes)

    assert outcomes == [diagrams.says(node, case) for case in CASES]


@given(TABLES)
def test_a_diagram_asks_exactly_what_its_function_depends_on(outcomes: list[int]) -> None:
    diagrams = Diagrams(VARIABLES)
    said = dict(zip((tuple(c.values()) for c in CASES), outcomes, strict=True))

    def depends(name: str) -> bool:
        return any(
            said[tuple({**case, name: value}.values())] != said[tuple(case.values())]
            for case in CASES
            for value in VARIABLES[name]
        )

    assert {name for name in VARIABLES if depends(name)} == diagrams.depends_on(
        [made(diagrams, outcomes)]
    )


@given(TABLES, st.sampled_from(sorted(VARIABLES)))
def test_the_weight_is_the_share_of_cases_that_an_answer_decides(
    outcomes: list[int], name: str
) -> None:
    diagrams = Diagrams(VARIABLES)
    node = made(diagrams, outcomes)
    cases = [case for case in CASES if "unknown" not in case.values()]

    decided = [
        diagrams.says(node, {**case, name: "no"}) != diagrams.says(node, {**case, name: "yes"})
        for case in cases
    ]

    share = sum(decided) / len(cases)
    assert share == pytest.approx(diagrams.weights(node).get(name, 0.0))


@given(TABLES, st.sampled_from(sorted(VARIABLES)), st.sets(st.integers(0, 2), min_size=1))
def test_what_can_no_longer_be_is_asked_no_more(
    outcomes: list[int], name: str, left: set[int]
) -> None:
    diagrams = Diagrams(VARIABLES)
    place = diagrams.places[name]
    node = made(diagrams, outcomes)

    limited = diagrams.limited(node, {place: tuple(left)})

    for case in CASES:
        if VARIABLES[name].index(case[name]) in left:
            assert diagrams.says(node, case) == diagrams.says(limited, case)
    if len(left) == 1:
        assert name not in diagrams.depends_on([limited])


@given(TABLES, st.lists(st.integers(0, 2), max_size=len(VARIABLES)))
def test_settled_first_variables_leave_the_function_of_the_others(
    outcomes: list[int], settled: list[int]
) -> None:
    diagrams = Diagrams(VARIABLES)
    node = made(diagrams, outcomes)

    rest = diagrams.where_first(node, settled)

    for case in CASES:
        values = [VARIABLES[name].index(value) for name, value in case.items()]
        if values[: len(settled)] == settled:
            assert diagrams.says(node, case) == diagrams.says(rest, case)
    assert diagrams.depends_on([rest]).isdisjoint([*VARIABLES][: len(settled)])


@given(TABLES, st.lists(st.integers(0, 2), min_size=3, max_size=3), st.sampled_from(CHOICES))
def test_a_function_tells_another_until_one_case_of_it_says_something_else(
    outcomes: list[int], follows: list[int], changed: int
) -> None:
    other = [follows[outcome] for outcome in outcomes]
    otherwise = [*other[:changed], 3, *other[changed + 1 :]]
    diagrams = Diagrams(VARIABLES)
    one = made(diagrams, outcomes)

    assert diagrams.tells(one, made(diagrams, other))
    alone = outcomes.count(outcomes[changed]) == 1
    assert alone == diagrams.tells(one, made(diagrams, otherwise))


def test_equal_functions_are_one_node() -> None:
    diagrams = Diagrams(VARIABLES)
    a, b = diagrams.variable("a"), diagrams.variable("b")

    def both(one: Any, other: Any) -> bool:
        return bool(one == other == "yes")

    assert diagrams.apply(both, a, b) == diagrams.apply(both, b, a)
    assert diagrams.leaf(says=True) != diagrams.leaf(1)
