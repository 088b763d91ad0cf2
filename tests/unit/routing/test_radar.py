"""The radar: what comes again and again about two siblings, in whatever order."""

from datetime import timedelta
from itertools import pairwise
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.domain.facts import COLUMNS, NOTHING_KNOWN, derive
from services.routing.domain.radar import look_at, says_yes
from services.routing.domain.tables import LEVELS
from services.routing.domain.tasks import FOR_SUPERVISORS
from shared.events import Answer, CodedAbsence, CodedFacts, ReasonCode, Signal, Withdrawn
from tests.builders import NOON, routing_rules
from tests.siblings import BEGIN, ELDER, SCHOOL, YOUNGER, Siblings, a_signal_about, eleven

RULES = routing_rules()


# --- eleven notifications about two siblings over eight months ------------------------------------


def after(count: int) -> Siblings:
    """The two cases when so many of the eleven have come."""
    siblings = Siblings(RULES)
    siblings.take(*eleven()[:count])
    return siblings


def test_one_concern_about_the_elder_is_a_matter_of_basic_services() -> None:
    decision = after(1).decided(ELDER, "not_urgent")

    assert ("perus", ("school_welfare",)) == (decision.level, decision.destinations)


def test_one_concern_about_the_younger_is_perus_for_the_younger() -> None:
    siblings = after(2)

    assert "perus" == siblings.decided(YOUNGER).level
    assert [] == siblings.looks


def test_the_third_from_another_source_puts_both_before_a_supervisor() -> None:
    siblings = after(3)

    assert "erityis" == siblings.decided(ELDER).level == siblings.decided(YOUNGER).level
    assert "level/erityis-radar" in siblings.decided(YOUNGER).rows
    assert [ELDER, YOUNGER] == sorted(siblings.looks)


def test_repeats_ask_no_supervisor_again() -> None:
    siblings = after(6)

    assert "erityis" == siblings.decided(ELDER).level == siblings.decided(YOUNGER).level
    assert [ELDER, YOUNGER] == sorted(siblings.looks)


def test_support_without_effect_makes_the_elder_demanding_with_what_was_said_of_the_younger() -> (
    None
):
    siblings = after(7)
    decision = siblings.decided(ELDER)

    assert ("vaativa", "duty") == (decision.level, decision.holder)
    assert "safety" in decision.urgent_flags
    assert "level/vaativa-many-areas" in decision.rows
    assert "expert_group" in siblings.decided(ELDER, "not_urgent").destinations
    without_parenting = siblings.case(ELDER).known
    assert "unknown" == without_parenting.a8, "nobody has said it of the elder"


def test_after_the_seventh_the_elder_is_never_lighter_again() -> None:
    for count in range(7, 12):
        decision = after(count).decided(ELDER, "not_urgent")
        assert ("vaativa", True) == (decision.level, "expert_group" in decision.destinations)
        assert "safety" in decision.urgent_flags


def test_over_all_eleven_the_level_of_neither_falls() -> None:
    for child in (ELDER, YOUNGER):
        reached = [
            LEVELS.index(after(count).decided(child).level)
            for count in range(1, 12)
            if child == ELDER or count > 1
        ]
        assert all(before <= later for before, later in pairwise(reached))


# --- any order ------------------------------------------------------------------------------------

SOURCES = st.sampled_from(["school", "day-care", "police"])
DAYS = st.sampled_from([0, 1, 1, 30, 90, 200, 364, 365, 366, 400, 500])
REASONS = st.lists(st.sampled_from(get_args(ReasonCode)), max_size=2).map(tuple)
ANSWERS: st.SearchStrategy[Answer] = st.sampled_from(get_args(Answer))


@st.composite
def happenings(draw: st.DrawFn) -> list[Signal | Withdrawn]:
    """What comes about two siblings: notifications, absences, corrections and withdrawals."""
    signals: list[Signal] = []
    for number in range(draw(st.integers(1, 6))):
        facts = CodedFacts(reasons=draw(REASONS), in_danger=draw(ANSWERS), is_client=draw(ANSWERS))
        more: dict[str, Any] = {"facts": facts}
        if draw(st.integers(0, 4)) == 0:
            absence = CodedAbsence(confirmed="yes", step_reached=draw(ANSWERS))
            more = {"kind": "absence", "facts": CodedFacts(absence=absence)}
            more["missing"] = draw(st.sampled_from([(), ("school-steps",)]))
        at = BEGIN + timedelta(days=draw(DAYS))
        child = draw(st.sampled_from([ELDER, YOUNGER]))
        signals.append(a_signal_about(child, at, draw(SOURCES), number, **more))
    found: list[Signal | Withdrawn] = list(signals)
    for number, earlier in enumerate(draw(st.lists(st.sampled_from(signals), max_size=2)), 50):
        at = earlier.received_at + timedelta(days=draw(st.integers(0, 30)))
        if draw(st.booleans()):
            facts = CodedFacts(reasons=draw(REASONS))
            found.append(
                a_signal_about(
                    earlier.child, at, earlier.source, number, facts=facts, corrects=earlier.id
                )
            )
        else:
            found.append(
                Withdrawn(
                    id=f"w{number}.0", child=earlier.child, withdraws=earlier.id, received_at=at
                )
            )
    return found


def outcome(events: list[Signal | Withdrawn]) -> dict[Any, bytes]:
    """How each case is decided in the end; what is kept says the same."""
    siblings = Siblings(RULES)
    siblings.take(*events)
    for child in siblings.kin.cases:
        assert siblings.decided(child).level == siblings.stored(child).level
        assert siblings.decided(child).rows == tuple(siblings.stored(child).rows.split())
    return {child: siblings.decided(child).to_json() for child in siblings.kin.cases}


@settings(deadline=None)
@given(st.data())
def test_any_order_of_the_same_events_ends_in_the_same_decisions(data: st.DataObject) -> None:
    """At equal receipt times, as of the same day, before any person's act."""
    events = data.draw(happenings())
    other = data.draw(st.permutations(events))

    assert outcome(events) == outcome(other)


@settings(deadline=None, max_examples=30)
@given(st.permutations(eleven()))
def test_any_order_of_the_eleven_ends_in_the_same_decisions(order: list[Signal]) -> None:
    assert outcome(list(eleven())) == outcome(list(order))


@settings(deadline=None)
@given(happenings())
def test_a_supervisor_is_asked_once_and_exactly_where_the_radar_has_said_yes(
    events: list[Signal | Withdrawn],
) -> None:
    siblings = Siblings(RULES)
    siblings.take(*events)

    facts = [(row.child, orjson.loads(row.facts)) for row in siblings.decisions]
    yes = {
        child
        for child, each in facts
        if each["signals_12_months"] >= 3 and each["sources_12_months"] >= 2
    }
    assert sorted(yes) == sorted(siblings.looks)


# --- the look -------------------------------------------------------------------------------------


def test_the_radar_is_the_row_that_looks_at_twelve_months() -> None:
    assert ["erityis-radar"] == [row.name for row in RULES.radar]


@pytest.mark.parametrize(
    ("signals", "sources", "expected"), [(3, 2, True), (2, 2, False), (3, 1, False), (5, 3, True)]
)
def test_it_says_yes_even_where_a_higher_level_stands(
    signals: int, sources: int, *, expected: bool
) -> None:
    demanding = NOTHING_KNOWN._replace(a10="yes", rare_domain="yes")
    known = demanding._replace(signals=signals, sources=sources)
    facts = derive(known, age_band="7-12", urgency="open")

    assert expected == says_yes(RULES.radar, facts, flagged=False)
    assert "vaativa" == RULES.at(NOON).decide(known, "7-12", "open")[0].level


def test_the_look_of_a_child_is_one_task_however_often_it_is_asked_for() -> None:
    assert look_at(ELDER) == look_at(ELDER)
    assert look_at(ELDER).item != look_at(YOUNGER).item
    assert look_at(ELDER).kind in FOR_SUPERVISORS


def test_a_row_of_the_lightest_level_is_no_radar() -> None:
    assert {"signals_12_months", "sources_12_months"} <= set(COLUMNS)
    assert all(row.then != LEVELS[0] for row in RULES.radar)


def test_three_from_one_source_are_no_radar() -> None:
    siblings = Siblings(RULES)
    for number, day in enumerate((0, 10, 20)):
        at = BEGIN + timedelta(days=day)
        facts = CodedFacts(reasons=(SCHOOL,))
        siblings.take(a_signal_about(ELDER, at, "school", number, facts=facts))

    assert ("perus", []) == (siblings.decided(ELDER).level, siblings.looks)
