"""What past decisions would have been, had what came late or was corrected been known then."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, get_args
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.domain.decision import Decision
from services.routing.domain.facts import Answered, Told
from services.routing.domain.hindsight import (
    Noted,
    Past,
    World,
    as_known_then,
    by_case,
    first_change,
    is_late,
    since_when,
    stated_before,
    stated_now,
    would_have_been,
)
from services.routing.domain.joins import Joins
from services.routing.domain.lighter import is_lighter
from services.routing.domain.tables import LEVELS
from shared.events import CodedFacts, Destination, Level, ReasonCode
from tests.builders import routing_rules
from tests.siblings import BEGIN, ELDER, EXHAUSTED, SCHOOL, YOUNGER, Siblings, a_signal_about

RULES = routing_rules()
ILLNESS: ReasonCode = "LOCAL-REASON-ILLNESS"
THREAT: ReasonCode = "LOCAL-REASON-THREAT"
TOGETHER = {ELDER: {YOUNGER}, YOUNGER: {ELDER}}


def on(day: float) -> datetime:
    return BEGIN + timedelta(days=day)


def note(
    ident: str, day: float, *reasons: ReasonCode, case: UUID = ELDER, source: str = "school",
    **more: Any,
) -> Noted:  # fmt: skip
    told = Told(on(day), CodedFacts(reasons=reasons), source)
    return Noted(**{"id": ident, "case": case, "told": told, "corrects": None,
                    "replaced_by": None, "counts": True, **more})  # fmt: skip


def worlds(
    notes: list[Noted], because: set[str], answered: tuple[Answered, ...] = ()
) -> tuple[World, World]:
    """What was stated before these came, and now."""
    since = since_when(notes)
    before, after = (
        World(by_case(stated, since), {ELDER: answered}, TOGETHER, Joins({}))
        for stated in (stated_before(notes, because), stated_now(notes))
    )
    return before, after


def decided(world: World, day: float, child: UUID = ELDER) -> Past:
    """The decision of that day, as it is kept."""
    known = world.known(child, on(day))
    decision = RULES.at(on(0)).decide(known, "7-12", "not_urgent")[0]
    return Past(
        child, 1, on(day), decision.facts, decision.urgent_flags, decision.level,
        decision.destinations, decision.version,
    )  # fmt: skip


def looked_back(
    notes: list[Noted], because: str, day: float, child: UUID = ELDER
) -> Decision | None:
    """What the decision of that day would have been; None if it was not too light."""
    before, after = worlds(notes, {because})
    return would_have_been(decided(before, day, child), before, after, RULES.tables)


# --- lighter --------------------------------------------------------------------------------------


def proposal(
    level: Level = "erityis", flags: tuple[str, ...] = (), to: tuple[Destination, ...] = ()
) -> Decision:
    return Decision(flags, level, "duty", to, (), {}, "", "")


@pytest.mark.parametrize(
    ("lighter", "than"),
    [
        (proposal("perus"), proposal("erityis")),
        (proposal(), proposal(flags=("danger",))),
        (proposal(flags=("alone",)), proposal(flags=("danger",))),
        (proposal(to=("psychiatry",)), proposal(to=("expert_group",))),
        (proposal(to=("basic_services",)), proposal(to=("psychiatry",))),
        (proposal("vaativa"), proposal("perus", flags=("danger",))),
    ],
    ids=str,
)
def test_lighter_is_a_lower_level_or_a_flag_or_an_expert_that_falls_away(
    lighter: Decision, than: Decision
) -> None:
    assert is_lighter(lighter, than)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (proposal(), proposal()),
        (proposal("vaativa", ("danger",), ("expert_group",)), proposal("perus")),
        (proposal(), proposal(to=("basic_services",))),
        (proposal(), proposal(to=("school_health",))),
    ],
    ids=str,
)
def test_what_only_lacks_the_lightest_places_is_not_lighter(one: Decision, other: Decision) -> None:
    assert not is_lighter(one, other)


@given(*[st.builds(
    proposal, st.sampled_from(LEVELS), st.sampled_from([(), ("danger",), ("alone", "danger")]),
    st.lists(st.sampled_from(get_args(Destination)), unique=True).map(tuple),
)] * 3)  # fmt: skip
def test_nothing_is_lighter_than_itself_and_what_is_not_lighter_than_two_in_turn_is_not_than_both(
    one: Decision, two: Decision, three: Decision
) -> None:
    assert not is_lighter(one, one)
    if not is_lighter(one, two) and not is_lighter(two, three):
        assert not is_lighter(one, three)


# --- late, corrected, withdrawn -------------------------------------------------------------------


def test_what_comes_late_would_have_made_decisions_since_its_receipt_heavier() -> None:
    notes = [note("a", 0, SCHOOL), note("b", 20, SCHOOL), note("late", 10, ILLNESS)]

    would = looked_back(notes, "late", 20)

    assert would is not None
    assert ("erityis", True) == (would.level, "level/erityis-several-areas" in would.rows)
    assert looked_back(notes, "late", 5) is None, "it had not been received then"


def test_what_comes_late_and_changes_nothing_is_no_matter_for_a_supervisor() -> None:
    notes = [note("a", 0, SCHOOL, ILLNESS), note("late", -1, SCHOOL)]

    assert looked_back(notes, "late", 0) is None


def test_what_comes_late_about_one_counts_for_the_other_of_the_household() -> None:
    notes = [note("a", 0, SCHOOL), note("late", -1, EXHAUSTED, case=YOUNGER)]

    would = looked_back(notes, "late", 0)

    assert would is not None
    assert ("erityis", "yes") == (would.level, would.facts["a8"])


def test_what_comes_late_can_put_a_past_decision_on_the_radar() -> None:
    notes = [
        note("a", 0, SCHOOL), note("b", 10, SCHOOL),
        note("late", 5, SCHOOL, case=YOUNGER, source="police"),
    ]  # fmt: skip

    would = looked_back(notes, "late", 10)

    assert would is not None
    assert "level/erityis-radar" in would.rows
    assert looked_back(notes, "late", 5) is None, "they were two then"


def test_a_correction_counts_since_the_message_whose_place_it_takes() -> None:
    notes = [
        note("first", 0, SCHOOL, replaced_by="right"),
        note("right", 30, SCHOOL, THREAT, corrects="first"),
    ]

    would = looked_back(notes, "right", 3)

    assert would is not None
    assert (("safety",), "erityis") == (would.urgent_flags, would.level)


def test_a_correction_of_a_correction_counts_since_the_first_of_them() -> None:
    notes = [
        note("first", 0, SCHOOL, replaced_by="second"),
        note("second", 5, SCHOOL, corrects="first", replaced_by="third"),
        note("third", 30, THREAT, corrects="second"),
    ]

    assert on(0) == since_when(notes)["third"]
    assert looked_back(notes, "third", 1) is not None


def test_corrections_that_go_round_in_a_circle_come_to_an_end() -> None:
    notes = [note("a", 3, corrects="b"), note("b", 1, corrects="a")]

    assert {"a": on(1), "b": on(1)} == since_when(notes)


def test_a_correction_that_says_less_leaves_nothing_to_look_at() -> None:
    notes = [
        note("first", 0, SCHOOL, THREAT, replaced_by="right"),
        note("right", 30, SCHOOL, corrects="first"),
    ]

    assert looked_back(notes, "right", 3) is None


def test_what_is_withdrawn_leaves_nothing_to_look_at() -> None:
    notes = [note("a", 0, SCHOOL), note("b", 1, THREAT, replaced_by="withdrawn")]

    before, after = worlds(notes, {"withdrawn"})
    assert looked_back(notes, "withdrawn", 3) is None
    assert is_lighter(decided(after, 3), decided(before, 3))


def test_a_decision_that_knew_it_already_is_not_told_of_again() -> None:
    """An earlier task told of the first late message; the second adds nothing."""
    notes = [note("a", 0, SCHOOL), note("late", -2, ILLNESS), note("later", -1, ILLNESS)]
    (without, _), (_, after) = worlds(notes[:2], {"late"}), worlds(notes, {"later"})
    past = decided(without, 0)

    assert would_have_been(past, worlds(notes, {"later"})[0], after, RULES.tables) is None


def test_what_was_returned_to_a_school_does_not_count_then_either() -> None:
    notes = [note("a", 0, SCHOOL), note("late", -1, THREAT, counts=False)]

    assert looked_back(notes, "late", 0) is None


def test_an_answer_stands_as_it_was_given_then() -> None:
    answered = (Answered(on(2), {"a8": "yes"}),)
    notes = [note("a", 0, SCHOOL), note("late", -1, ILLNESS)]
    _, after = worlds(notes, {"late"}, answered)

    assert "unknown" == after.known(ELDER, on(1)).a8
    assert "yes" == after.known(ELDER, on(2)).a8


def test_clientship_age_and_urgency_are_as_they_were() -> None:
    _, after = worlds([note("a", 0, SCHOOL)], set())
    past = decided(after, 0)
    client = past._replace(facts={**past.facts, "existing_client": "yes", "age_band": "16-17"})

    facts = as_known_then(after, client)

    assert ("yes", "16-17") == (facts["existing_client"], facts["age_band"])
    assert "not_urgent" == facts["urgency"]


def test_what_differs_is_told_since_when() -> None:
    notes = [note("a", 0, SCHOOL), note("late", -3, THREAT, case=YOUNGER)]
    before, after = worlds(notes, {"late"})

    assert on(-3) == first_change(before, after, YOUNGER)
    assert on(-3) == first_change(before, after, ELDER), "they live together"
    assert first_change(before, after, UUID(int=103)) is None


def test_who_is_found_to_live_together_differs_since_the_first_statement_of_the_other() -> None:
    notes = [note("a", 0, SCHOOL), note("b", -3, THREAT, case=YOUNGER)]
    together, _ = worlds(notes, set())
    alone = replace(together, siblings={ELDER: (), YOUNGER: ()})

    assert on(-3) == first_change(alone, together, ELDER)
    assert on(0) == first_change(alone, together, YOUNGER)


def test_late_is_what_was_received_before_the_last_that_a_decision_knew() -> None:
    assert is_late(on(1), [None, on(2)])
    assert not is_late(on(2), [on(1), on(2), None])
    assert not is_late(on(1), [on(1) + timedelta(milliseconds=300)]), "within one second"


# --- with what the handler does -------------------------------------------------------------------

REASONS = st.lists(st.sampled_from(get_args(ReasonCode)), max_size=2).map(tuple)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 500), st.sampled_from([ELDER, YOUNGER]),
                          st.sampled_from("AB"), REASONS), min_size=1, max_size=6))  # fmt: skip
def test_every_decision_is_found_again_from_what_is_stated(messages: list[Any]) -> None:
    """What the handler decided, message after message, is what looking back makes of it."""
    siblings = Siblings(RULES)
    notes = []
    for number, (day, child, source, reasons) in enumerate(sorted(messages, key=lambda m: m[0])):
        facts = CodedFacts(reasons=reasons)
        signal = a_signal_about(child, on(day), source, number, facts=facts)
        siblings.take(signal)
        notes.append(note(signal.id, day, *reasons, case=child, source=source))
        _, world = worlds(notes, set())
        for each in siblings.kin.cases:
            row = siblings.stored(each)
            again = RULES.at(siblings.case(each).pending_since).decide(
                world.known(each, on(day)), "7-12", "open"
            )[0]
            assert siblings.decided(each).to_json() == again.to_json()
            assert row.level == again.level
