from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.facts import (
    ANSWER_FIELDS,
    COLUMNS,
    COUNTS,
    NOTHING_KNOWN,
    REASON_STATES,
    Answered,
    Facts,
    Known,
    UrgencyState,
    derive,
    known_when,
    learn,
)
from services.routing.domain.flow import ALWAYS
from shared.events import AgeBand, Answer, CodedFacts, ReasonCode
from tests.any_known import any_known

ORDER: tuple[Answer, ...] = ("no", "unknown", "yes")  # of growing concern
ANSWERS = st.sampled_from(ORDER)
CODED: st.SearchStrategy[CodedFacts] = st.builds(
    CodedFacts,
    in_danger=ANSWERS,
    assault_suspected=ANSWERS,
    alone_guardians_unreachable=ANSWERS,
    judged_urgent_by_authority=ANSWERS,
    is_client=ANSWERS,
    reasons=st.lists(st.sampled_from(get_args(ReasonCode)), max_size=6).map(tuple),
)
KNOWN = any_known(50)


def facts_of(known: Known, urgency: UrgencyState = "open") -> Facts:
    return derive(known, age_band="7-12", urgency=urgency)


def test_of_a_child_nobody_has_written_about_nothing_is_known() -> None:
    facts = facts_of(NOTHING_KNOWN)

    answers = {name for name, column in COLUMNS.items() if "unknown" in column.values}
    answers -= {"age_band", "psychiatry_clinic"}
    assert {"unknown"} == {facts[name] for name in answers}
    assert (0, 9) == (facts["areas_of_concern"], facts["areas_unknown"])


def test_every_reason_a_notifier_can_give_has_its_meaning_written_down() -> None:
    assert set(get_args(ReasonCode)) == set(REASON_STATES)
    assert {name for names in REASON_STATES.values() for name in names} <= set(Known._fields)


@given(CODED)
def test_what_a_notification_does_not_mention_stays_unknown_and_never_becomes_no(
    coded: CodedFacts,
) -> None:
    known = learn(NOTHING_KNOWN, coded)

    stated_no = {name for name in Known._fields if getattr(coded, name, None) == "no"}
    assert {name for name, value in known._asdict().items() if value == "no"} <= stated_no


@given(KNOWN, CODED)
def test_a_yes_stands_whatever_a_later_notifier_says(known: Known, coded: CodedFacts) -> None:
    later = learn(known, coded)

    for before, after in zip(known[:-1], later[:-1], strict=True):
        assert before != "yes" or after == "yes"
        assert before == "unknown" or after != "unknown"


@given(KNOWN)
def test_a_silent_notification_teaches_nothing_but_that_it_came(known: Known) -> None:
    expected = known._replace(notifications=known.notifications + 1)

    assert expected == learn(known, CodedFacts())


@given(KNOWN, st.lists(CODED, max_size=3))
def test_the_order_in_which_notifications_come_changes_nothing(
    known: Known, coded: list[CodedFacts]
) -> None:
    results = set()
    for order in permutations(coded):
        learned = known
        for each in order:
            learned = learn(learned, each)
        results.add(learned)

    assert len(results) == 1


def test_an_explicit_answer_replaces_unknown() -> None:
    known = learn(NOTHING_KNOWN, CodedFacts(is_client="no", in_danger="no"))

    assert ("no", "no") == (known.is_client, known.in_danger)
    assert "yes" == learn(known, CodedFacts(is_client="yes")).is_client


@pytest.mark.parametrize("name", ["in_danger", "assault_suspected", "alone_guardians_unreachable"])
def test_a_child_in_danger_harmed_or_alone_is_a_concern_about_safety(name: str) -> None:
    facts = facts_of(learn(NOTHING_KNOWN, CodedFacts.model_validate({name: "yes"})))

    assert ("yes", "yes") == (facts["safety"], facts["a6"])


def test_a_reason_of_assault_is_a_suspected_assault_even_if_the_question_was_answered_no() -> None:
    coded = CodedFacts(assault_suspected="no", reasons=("LOCAL-REASON-ASSAULT",))

    assert "yes" == facts_of(learn(NOTHING_KNOWN, coded))["assault_suspected"]


def test_problems_that_pile_up_are_derived_and_never_count_themselves() -> None:
    coded = CodedFacts(
        reasons=("LOCAL-REASON-SCHOOL", "LOCAL-REASON-ILLNESS", "LOCAL-REASON-NEGLECT")
    )
    facts = facts_of(learn(NOTHING_KNOWN, coded))

    assert ("yes", 3) == (facts["a7"], facts["areas_of_concern"])


def test_three_notifications_pile_up_even_about_one_area() -> None:
    known = NOTHING_KNOWN
    for _ in range(3):
        known = learn(known, CodedFacts(reasons=("LOCAL-REASON-SCHOOL",)))

    assert ("yes", 1) == (facts_of(known)["a7"], facts_of(known)["areas_of_concern"])


def test_a_custody_dispute_with_a_threat_is_a_rare_and_demanding_matter() -> None:
    dispute = CodedFacts(reasons=("LOCAL-REASON-CUSTODY-DISPUTE",))
    threat = CodedFacts(reasons=("LOCAL-REASON-THREAT",))
    known = learn(NOTHING_KNOWN, dispute)

    assert "unknown" == facts_of(known)["rare_domain"]
    assert "yes" == facts_of(learn(known, threat))["rare_domain"]


@given(KNOWN, st.sampled_from(get_args(AgeBand)), st.sampled_from(get_args(UrgencyState)))
def test_every_derived_fact_lies_in_the_space_the_tables_are_proved_for(
    known: Known, age_band: AgeBand, urgency: UrgencyState
) -> None:
    facts = derive(known, age_band=age_band, urgency=urgency)

    assert set(COLUMNS) == set(facts)
    assert all(facts[name] in column.values for name, column in COLUMNS.items())


@given(KNOWN, st.sampled_from(ANSWER_FIELDS))
def test_more_concern_in_an_answer_is_never_less_in_a_derived_fact(known: Known, name: str) -> None:
    stated: dict[str, Any] = known._asdict()
    place = ORDER.index(stated[name])
    more = Known(**{**stated, name: ORDER[min(place + 1, 2)]})
    keeps_its_direction(facts_of(known), facts_of(more), stated=name)


@given(KNOWN, st.sampled_from(["0 1", "1 2", "2 3", "0 unknown", "unknown 3"]))
def test_one_more_move_between_placements_is_never_less_concern(known: Known, moves: str) -> None:
    fewer, more = ({"moves": each} for each in moves.split())
    one, other = (Known(**{**known._asdict(), **each}) for each in (fewer, more))

    keeps_its_direction(facts_of(one), facts_of(other), stated="moves")


@given(KNOWN, st.sampled_from(COUNTS))
def test_one_more_of_whatever_is_counted_is_never_less_concern_in_a_derived_fact(
    known: Known, name: str
) -> None:
    counted: dict[str, Any] = {name: getattr(known, name) + 1}

    keeps_its_direction(facts_of(known), facts_of(known._replace(**counted)), stated=name)


NO_CONCERN = {
    "is_client": "existing_client",
    "absence_health": "absence_health",
    "last_year_of_band": "psychiatry_clinic",
    "placed": "placed",
    "placed_urgently": "placed_urgently",
    "placement_planned": "placement_planned",
    "consent": "consent",
    "has_worker": "has_worker",
}
"""What is stated and measures no concern, and the one column that may follow it."""


def keeps_its_direction(before: Facts, after: Facts, *, stated: str) -> None:
    for name, (values, direction) in COLUMNS.items():
        place, later = values.index(before[name]), values.index(after[name])
        moves = {
            "rising": place <= later,
            "falling": place >= later,
            "fixed": place == later or name == NO_CONCERN.get(stated),
            "either": True,
        }
        assert moves[direction], name


@given(KNOWN)
def test_what_the_proofs_leave_out_is_true_of_no_child(known: Known) -> None:
    facts = facts_of(known)

    for always in ALWAYS:
        assert always.holds(*(facts[name] for name in always.columns)), always.says


@given(KNOWN)
def test_what_is_known_survives_being_stored(known: Known) -> None:
    assert known == Known.from_json(known.to_json())


def test_what_is_stored_tells_what_is_known_in_a_stable_order_and_nothing_else() -> None:
    assert "{}" == NOTHING_KNOWN.to_json()
    known = Known(notifications=2, a1="yes", moves="0", a5="no")
    assert '{"a1":"yes","a5":"no","moves":"0","notifications":2}' == known.to_json()


def test_what_was_stored_with_the_unknown_in_it_can_be_read() -> None:
    stored = orjson.dumps(Known(a1="yes")._asdict()).decode()
    assert '"a2":"unknown"' in stored
    assert Known(a1="yes") == Known.from_json(stored)


@pytest.mark.parametrize(
    "stored",
    [
        {"a7": "yes"},
        {"a1": "maybe"},
        {"a1": ["yes"]},
        {"a1": None},
        {"notifications": -1},
        {"notifications": True},
        ["yes"],
        "yes",
    ],
    ids=str,
)
def test_a_stored_form_that_is_not_understood_is_refused_and_nothing_is_dropped(
    stored: Any,
) -> None:
    with pytest.raises(ValueError, match="known facts"):
        Known.from_json(orjson.dumps(stored).decode())


def test_of_two_answers_of_one_time_the_more_concerning_stands_in_either_order() -> None:
    """Two workers give whole minutes, and both asked the family."""
    at = datetime(2026, 11, 17, 10, tzinfo=UTC)
    two = [Answered(at, {"a1": "yes", "a2": "no"}), Answered(at, {"a1": "no", "a2": "unknown"})]
    later = Answered(at + timedelta(minutes=1), {"a1": "no"})

    for answered in permutations(two):
        known = known_when([], answered)
        assert ("yes", "no") == (known.a1, known.a2)
    assert "no" == known_when([], [later, *two]).a1
