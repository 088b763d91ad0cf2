"""The questions that matter: nothing unasked can change a decision, everything asked can."""

import random
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.domain.decision import Decision, decide
from services.routing.domain.facts import (
    COUNTED,
    NOT_YET,
    NOTHING_KNOWN,
    QUESTIONS,
    Known,
    UrgencyState,
    derive,
    known_of,
)
from services.routing.domain.questions import Ask, Questions
from services.routing.domain.tables import Table, load_tables
from shared.events import AgeBand, Answer, CodedFacts, ReasonCode
from tests.any_known import any_known

RULES = Path(__file__).parents[3] / "services" / "routing" / "rules"
TABLES = load_tables(RULES)
SHIPPED = Questions(TABLES)
ANSWERS = ("no", "unknown", "yes")
BANDS = st.sampled_from(get_args(AgeBand))
URGENCIES = st.sampled_from(get_args(UrgencyState))
GIVEN = ("psychiatry_asks", "absence_confirmed", "absence_health")
KNOWN = any_known()
COMPLETIONS = st.fixed_dictionaries(dict.fromkeys(QUESTIONS, st.sampled_from(ANSWERS)))


def decided(known: Known, band: AgeBand, urgency: UrgencyState) -> tuple[Any, ...]:
    """A decision by what it proposes."""
    facts = derive(known, age_band=band, urgency=urgency)
    found: Decision = decide(facts, TABLES)
    return found.urgent_flags, found.level, found.holder, found.destinations


def can_be_asked(band: AgeBand) -> set[str]:
    """What can be so of a child of that age."""
    return {*QUESTIONS} - NOT_YET.get(band, frozenset())


def judged(urgency: UrgencyState) -> tuple[UrgencyState, ...]:
    return ("urgent", "not_urgent") if urgency == "open" else (urgency,)


def asked(known: Known, band: AgeBand, urgency: UrgencyState) -> list[str]:
    return [ask.question for ask in SHIPPED.that_matter(known, band, urgency)]


@given(KNOWN, BANDS, URGENCIES, COMPLETIONS, COMPLETIONS)
def test_nothing_unasked_changes_the_decision_whatever_the_others_answer(
    known: Known, band: AgeBand, urgency: UrgencyState, one: dict[str, str], other: dict[str, str]
) -> None:
    """Two completions that differ only in what is not asked give the same decision."""
    matter = set(asked(known, band, urgency))
    unknown = {name for name in can_be_asked(band) if getattr(known, name) == "unknown"}
    first = known._replace(**{name: one[name] for name in unknown})  # type: ignore[arg-type]
    second = first._replace(**{name: other[name] for name in unknown - matter})  # type: ignore[arg-type]

    assert matter <= unknown
    for after in judged(urgency):
        assert decided(first, band, after) == decided(second, band, after)


def told(*reasons: ReasonCode, **answers: Answer) -> CodedFacts:
    return CodedFacts(reasons=reasons, **answers)  # type: ignore[arg-type]


NOTIFIED = st.builds(
    known_of,
    st.lists(
        st.builds(
            told,
            st.sampled_from(get_args(ReasonCode)),
            in_danger=st.sampled_from(ANSWERS),
            is_client=st.sampled_from(ANSWERS),
            psychiatry_asks=st.sampled_from(ANSWERS),
        ),
        min_size=1,
        max_size=4,
    ),
)
"""What is known of a child after some notifications: most of it is not known."""


@settings(max_examples=20, deadline=None)
@given(st.one_of(KNOWN, NOTIFIED), BANDS, URGENCIES)
def test_everything_asked_changes_the_decision_in_some_completion(
    known: Known, band: AgeBand, urgency: UrgencyState
) -> None:
    """Found by drawing answers to all else, until one answer to the question turns the decision."""
    for ask in SHIPPED.that_matter(known, band, urgency):
        assert can_turn(known, band, urgency, ask), ask


def can_turn(known: Known, band: AgeBand, urgency: UrgencyState, ask: Ask) -> bool:
    chance = random.Random(f"{known} {ask.question}")
    open_ = [n for n in can_be_asked(band) if getattr(known, n) == "unknown" and n != ask.question]
    drawn = ("no", "yes") if ask.weight else ANSWERS
    for _ in range(int(20 / (ask.weight or 0.01))):
        rest: dict[str, Any] = {name: chance.choice(drawn) for name in sorted(open_)}
        each: list[Any] = [known._replace(**rest | {ask.question: answer}) for answer in ANSWERS]
        for after in judged(urgency):
            if len({decided(one, band, after) for one in each}) > 1:
                return True
    return False


@settings(max_examples=25, deadline=None)
@given(st.one_of(KNOWN, NOTIFIED), BANDS)
def test_before_the_urgency_is_judged_is_asked_what_is_asked_after_either_answer(
    known: Known, band: AgeBand
) -> None:
    before = {ask.question: ask for ask in SHIPPED.that_matter(known, band, "open")}
    after = [
        {ask.question: ask for ask in SHIPPED.that_matter(known, band, each)}
        for each in judged("open")
    ]

    assert before.keys() == after[0].keys() | after[1].keys()
    for name, ask in before.items():
        either = [each[name] for each in after if name in each]
        assert ask.at_once == any(each.at_once for each in either)
        assert ask.weight == max(each.weight for each in either)


@settings(max_examples=25, deadline=None)
@given(st.one_of(KNOWN, NOTIFIED), BANDS, URGENCIES)
def test_the_order_is_that_of_every_part_of_the_decision_taken_by_itself(
    known: Known, band: AgeBand, urgency: UrgencyState
) -> None:
    """What is left out, because another part says it too, would have asked nothing earlier."""
    d, weights = SHIPPED.diagrams, dict[str, float]()
    stated = known._asdict() | {"age_band": band}
    stated |= {name: min(stated[name], most) for name, most in COUNTED.items()}
    open_ = {n for n in can_be_asked(band) if stated[n] == "unknown"}
    for after in judged(urgency):
        allowed = {
            d.places[name]: (d.values[d.places[name]].index(value),)
            for name, value in (stated | {"urgency": after}).items()
            if name in d.places and name not in open_
        }
        for root in SHIPPED.outcomes.values():
            for name, weight in d.weights(d.limited(root, allowed)).items():
                weights[name] = max(weight, weights.get(name, 0.0))

    found = SHIPPED.that_matter(known, band, urgency)

    assert weights == {ask.question: ask.weight for ask in found}
    assert sorted(found, key=lambda ask: (not ask.at_once, -ask.weight)) == list(found)
    assert SHIPPED.names(known, band, urgency) == tuple(ask.question for ask in found)


def test_however_many_children_are_asked_about_the_diagrams_stay_as_they_are() -> None:
    SHIPPED.that_matter(NOTHING_KNOWN, "7-12", "not_urgent")
    before = len(SHIPPED.diagrams)

    for each in QUESTIONS:
        answered: dict[str, Any] = {each: "no"}
        SHIPPED.that_matter(NOTHING_KNOWN._replace(**answered), "7-12", "not_urgent")

    assert before == len(SHIPPED.diagrams)


def completions(unknown: list[str]) -> list[dict[str, Any]]:
    return [dict(zip(unknown, each, strict=True)) for each in product(ANSWERS, repeat=len(unknown))]


@settings(max_examples=25, deadline=None)
@given(KNOWN, BANDS, URGENCIES, st.sets(st.sampled_from(QUESTIONS), max_size=5))
def test_asked_is_exactly_what_going_through_every_completion_finds(
    known: Known, band: AgeBand, urgency: UrgencyState, open_: set[str]
) -> None:
    stated: dict[str, Any] = {n: "no" for n in QUESTIONS if getattr(known, n) == "unknown"}
    known = known._replace(**stated | dict.fromkeys(open_, "unknown"))
    unknown = sorted(open_ & can_be_asked(band))

    matter = {
        name
        for after in judged(urgency)
        for name in unknown
        for rest in completions([each for each in unknown if each != name])
        if len(
            {decided(known._replace(**rest, **{name: answer}), band, after) for answer in ANSWERS}  # type: ignore[arg-type]
        )
        > 1
    }

    assert matter == set(asked(known, band, urgency))


@settings(max_examples=25, deadline=None)
@given(KNOWN, BANDS, URGENCIES)
def test_of_each_question_asked_first_one_answer_alone_changes_the_decision(
    known: Known, band: AgeBand, urgency: UrgencyState
) -> None:
    found = SHIPPED.that_matter(known, band, urgency)

    assert sorted(found, key=lambda ask: not ask.at_once) == list(found)
    if urgency != "open":
        stands = decided(known, band, urgency)
        for ask in found:
            answers: list[dict[str, Any]] = [{ask.question: answer} for answer in ANSWERS]
            after = [decided(known._replace(**each), band, urgency) for each in answers]
            assert ask.at_once == any(each != stands for each in after)


@given(KNOWN, BANDS, URGENCIES)
def test_the_diagrams_say_what_the_tables_decide(
    known: Known, band: AgeBand, urgency: UrgencyState
) -> None:
    case: dict[str, Any] = known._asdict() | {"age_band": band, "urgency": urgency}
    case |= {name: min(case[name], most) for name, most in COUNTED.items()}
    says = {o: SHIPPED.diagrams.says(root, case) for o, root in SHIPPED.outcomes.items()}

    flags, level, holder, destinations = decided(known, band, urgency)

    assert (level, holder) == (says["level"], says["holder"])
    assert set(flags) == {o[7:] for o, yes in says.items() if o.startswith("urgent/") and yes}
    assert set(destinations) == {
        o[13:] for o, yes in says.items() if o[:13] == "destinations/" and yes
    }


def test_of_an_unborn_child_nobody_is_asked_what_it_does() -> None:
    found = asked(NOTHING_KNOWN, "unborn", "not_urgent")

    assert {"self_harm", "own_substance_use", "a2", "a5"} & set(found) == set()
    assert {"a4", "a6", "a10", "is_client"} <= set(found)


def test_of_a_child_of_whom_everything_is_known_nothing_is_asked() -> None:
    known = NOTHING_KNOWN._replace(**dict.fromkeys(QUESTIONS, "no"))  # type: ignore[arg-type]

    assert [] == asked(known, "7-12", "open")


@pytest.mark.parametrize("urgency", get_args(UrgencyState))
def test_of_a_child_of_whom_nothing_is_known_danger_is_asked_first(urgency: UrgencyState) -> None:
    assert "in_danger" == asked(NOTHING_KNOWN, "7-12", urgency)[0]


def without(table: Table, column: str) -> Table:
    """The table without the rows that look at a column."""
    rows = [row for row in table.rows if column not in dict(row.when)]
    places = {table.rows.index(row): place for place, row in enumerate(rows)}
    kept = [r._replace(unless=tuple(places[o] for o in r.unless if o in places)) for r in rows]
    return replace(table, rows=tuple(kept))


def test_what_no_rule_looks_at_is_not_asked() -> None:
    """Without the rows that look at it, whether the child is a client makes no difference."""
    blind = replace(
        TABLES,
        holder=without(TABLES.holder, "existing_client"),
        destinations=without(TABLES.destinations, "existing_client"),
    )

    found = Questions(blind).that_matter(NOTHING_KNOWN, "7-12", "not_urgent")

    assert "is_client" in asked(NOTHING_KNOWN, "7-12", "not_urgent")
    assert "is_client" not in [ask.question for ask in found]
