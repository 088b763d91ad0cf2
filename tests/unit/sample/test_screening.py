"""The sample county's year as the rules see it, and how many answers a decision takes."""

from collections import Counter, defaultdict
from datetime import date

import pytest

from deploy.sample.county import Told, told_of_children
from deploy.sample.screening import Heard, screened
from services.routing.domain.cases import InForce
from services.routing.domain.facts import QUESTIONS
from services.routing.domain.tables import load_settings, load_tables
from tests.bench.questions import spread, until_final
from tests.builders import RULES

LAST_DAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def county() -> list[Told]:
    """The year of a small one."""
    return list(told_of_children(last_day=LAST_DAY, children=4000))


@pytest.fixture(scope="module")
def heard(county: list[Told]) -> list[Heard]:
    return list(screened(county))


@pytest.fixture(scope="module")
def rules() -> InForce:
    tables = load_tables(RULES)
    return InForce(tables.in_county(load_settings(RULES)[-1]))


def test_each_child_of_each_message_is_heard_of_once(
    county: list[Told], heard: list[Heard]
) -> None:
    told = [
        (message.kind, len(truth.children))
        for message, truth in county
        if not truth.repeat and message.kind != "withdrawal"
    ]

    assert Counter(each.kind for each in heard) == sum(
        (Counter({kind: children}) for kind, children in told), Counter()
    )


def test_only_what_stands_is_counted_of_a_child(county: list[Told], heard: list[Heard]) -> None:
    """What was corrected or taken back counts no more; a school's signal is no notification."""
    standing: defaultdict[str, set[str]] = defaultdict(set)
    expected = []
    for message, truth in county:
        for child in truth.children if not truth.repeat else ():
            of = standing[f"unborn of {child.child}" if child.unborn else child.child]
            of.discard(truth.about or "")
            if message.kind not in ("absence", "withdrawal"):
                of.add(truth.source_id)
            if message.kind != "withdrawal":
                expected.append(len(of))

    assert expected == [each.known.notifications for each in heard]
    assert any(truth.about for _, truth in county)


def test_an_absence_alone_asks_no_urgency_and_a_client_is_known_as_one(
    heard: list[Heard],
) -> None:
    absences = [each for each in heard if each.kind == "absence"]

    assert {True, False} == {each.asked for each in absences}
    assert all(each.asked for each in heard if each.kind != "absence")
    assert all(each.known.is_client == "yes" for each in heard if each.client)
    assert any(each.known.siblings for each in heard)


def test_answers_end_when_nothing_is_asked(heard: list[Heard], rules: InForce) -> None:
    first = list(until_final(heard, rules))
    every = list(until_final(heard, rules, every=True))

    assert len({each.child for each in heard if each.asked}) == len(first)
    assert sum(each.asked for each in heard) == len(every)
    assert 0 < min(e.answers for e in first) <= max(e.answers for e in first) <= len(QUESTIONS)
    assert sum(e.answers for e in every) >= sum(e.answers for e in first)


def test_the_same_seed_asks_as_much_again(heard: list[Heard], rules: InForce) -> None:
    assert list(until_final(heard, rules)) == list(until_final(heard, rules))


def test_the_spread_is_median_tenth_from_the_top_and_most() -> None:
    assert (10, 5, 9, 9) == spread(range(10))
    assert (0, 0, 0, 0) == spread([])
