"""Explanations of stored decisions: complete, true, smallest, and made of what is stored alone."""

from dataclasses import replace
from itertools import combinations, product
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.domain import explaining
from services.routing.domain.county import derive_in
from services.routing.domain.decision import Decision, decide
from services.routing.domain.explaining import Becomes, Explainer, Explanation, Otherwise
from services.routing.domain.facts import (
    COUNTED,
    NOT_YET,
    NOTHING_KNOWN,
    Known,
    UrgencyState,
    derive,
    learn,
)
from services.routing.domain.otherwise import Way, free_to_change, stated_of
from services.routing.domain.questions import Questions
from services.routing.domain.tables import (
    compile_tables,
    load_settings,
    load_tables,
    load_version,
)
from services.routing.domain.tables.loading import read_newest
from shared.events import AgeBand, CodedFacts
from tests.any_known import any_known

RULES = Path(__file__).parents[3] / "services" / "routing" / "rules"
TABLES = load_tables(RULES)
QUESTIONS = Questions(TABLES)
EXPLAINER = Explainer(TABLES, QUESTIONS)
KNOWN = any_known()
BANDS = st.sampled_from(get_args(AgeBand))
URGENCIES = st.sampled_from(get_args(UrgencyState))


def decided(known: Known, band: AgeBand = "7-12", urgency: UrgencyState = "not_urgent") -> Decision:
    return decide(derive(known, age_band=band, urgency=urgency), TABLES)


def after_reasons(*areas: str, urgency: UrgencyState = "not_urgent", **stated: Any) -> Decision:
    codes: tuple[Any, ...] = tuple(f"LOCAL-REASON-{area}" for area in areas)
    known = learn(NOTHING_KNOWN, CodedFacts(reasons=codes, **stated))
    return decided(known, urgency=urgency)


def changed(
    known: Known, band: AgeBand, urgency: UrgencyState, changes: dict[str, Any]
) -> Decision:
    """What would have been decided by the engine if this had been stated instead."""
    after = changes.pop("urgency", urgency)
    return decided(known._replace(**changes), band, after)


def told(explanation: Explanation) -> list[tuple[Way, Becomes]]:
    assert explanation.otherwise is not None
    return [(way, each.becomes) for each in explanation.otherwise for way in each.ways]


def differs(before: Decision, after: Decision) -> Becomes:
    return Becomes(
        after.level if after.level != before.level else None,
        after.holder if after.holder != before.holder else None,
        tuple(each for each in after.destinations if each not in before.destinations),
        tuple(each for each in before.destinations if each not in after.destinations),
        bool(set(after.urgent_flags) - set(before.urgent_flags)),
        bool(set(before.urgent_flags) - set(after.urgent_flags)),
    )


# --- what matched -----------------------------------------------------------------------------


@given(KNOWN, BANDS, URGENCIES)
def test_every_row_that_hit_is_told_with_its_reason_its_basis_and_the_facts_it_looked_at(
    known: Known, band: AgeBand, urgency: UrgencyState
) -> None:
    decision = decided(known, band, urgency)

    matched = EXPLAINER.explain(decision).matched

    assert decision.rows == tuple(f"{each.table}/{each.row}" for each in matched)
    for each in matched:
        assert each.reason == TABLES.reasons[f"{each.table}/{each.row}"]
        assert each.basis
        assert each.facts
        for column, value in each.facts:
            said = {"level": decision.level, "flagged": "yes" if decision.urgent_flags else "no"}
            assert value == {**decision.facts, **said}[column]


def test_a_decision_on_which_the_rules_failed_says_so_and_guesses_nothing() -> None:
    decision = replace(after_reasons("SCHOOL"), rows=("level/no-row", "holder/gone"))

    explanation = EXPLAINER.explain(replace(decision, level="vaativa"))

    no_row, gone = explanation.matched
    assert no_row.reason is not None
    assert "No rule fitted. A person decides." == no_row.reason.en
    assert (None, "gone") == (gone.reason, gone.row)
    assert explanation.otherwise is None
    assert {"a1", "in_danger"} & {*explanation.unknown}


# --- what was unknown -------------------------------------------------------------------------


@given(KNOWN, BANDS, URGENCIES)
def test_everything_unknown_is_told_apart_by_whether_it_could_have_changed_the_decision(
    known: Known, band: AgeBand, urgency: UrgencyState
) -> None:
    decision = decided(known, band, urgency)
    explanation = EXPLAINER.explain(decision)
    case = stated_of(decision.facts, QUESTIONS.diagrams)
    assert case is not None
    read: Any = {name: case[name] for name in Known._fields}

    matter = {a.question for a in QUESTIONS.that_matter(Known(**read), band, urgency)}

    assert matter == {*explanation.unknown}
    rest = {name for name, value in case.items() if value == "unknown" and name not in matter}
    assert rest - NOT_YET.get(band, frozenset()) - {"age_band"} == {*explanation.besides}


# --- the smallest change ----------------------------------------------------------------------


@given(KNOWN, BANDS, URGENCIES)
def test_what_is_told_to_have_changed_the_decision_would_have_whatever_the_facts_leave_open(
    known: Known, band: AgeBand, urgency: UrgencyState
) -> None:
    """The explainer sees columns alone; that it is right is seen from what was really stated."""
    decision = decided(known, band, urgency)

    for way, becomes in told(EXPLAINER.explain(decision)):
        after = changed(known, band, urgency, {c.name: c.would for c in way})
        really = differs(decision, after)
        assert parts(becomes), way
        assert becomes.level in (None, really.level), way
        assert becomes.holder in (None, really.holder), way
        assert {*becomes.proposed} <= {*really.proposed}, way
        assert {*becomes.not_proposed} <= {*really.not_proposed}, way
        assert becomes.flags <= really.flags, way
        assert becomes.no_flags <= really.no_flags, way


@settings(max_examples=15, deadline=None)
@given(KNOWN, BANDS, URGENCIES)
def test_nothing_smaller_than_what_is_told_changes_that_part_of_the_decision(
    known: Known, band: AgeBand, urgency: UrgencyState
) -> None:
    """Every change of one or two things is tried with the engine, on what the facts say."""
    decision = decided(known, band, urgency)
    case = stated_of(decision.facts, QUESTIONS.diagrams)
    assert case is not None
    read: Any = {name: case[name] for name in Known._fields}
    free = free_to_change(QUESTIONS.diagrams, case, decision.facts)
    smallest: dict[str, int] = {}
    for names in (*combinations(free, 1), *combinations(free, 2)):
        for values in product(*(free[name] for name in names)):
            changes = dict(zip(names, values, strict=True))
            for part in parts(differs(decision, changed(Known(**read), band, urgency, changes))):
                smallest.setdefault(part, len(names))

    said: dict[str, int] = {}
    for way, _ in told(in_full(decision)):
        changes = {c.name: c.would for c in way}
        for part in parts(differs(decision, changed(Known(**read), band, urgency, changes))):
            said[part] = min(len(way), said.get(part, 99))

    kept = {"level", "holder", *decision.destinations}
    assert {p: n for p, n in smallest.items() if n == 1 or p in kept} == {
        p: n for p, n in said.items() if n == 1 or (n == 2 and p in kept)
    }


def parts(becomes: Becomes) -> set[str]:
    """The parts of a decision that are otherwise; signs of urgency are none."""
    found = {*becomes.proposed, *becomes.not_proposed}
    return found | {name for name in ("level", "holder") if getattr(becomes, name) is not None}


def in_full(decision: Decision) -> Explanation:
    """An explanation in which nothing is left off."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(explaining, "FEW", 10_000)
        patch.setattr(explaining, "FEW_DECISIONS", 10_000)
        return EXPLAINER.explain(decision)


@settings(max_examples=25, deadline=None)
@given(KNOWN, BANDS, URGENCIES)
def test_every_single_change_that_alters_the_decision_is_told(
    known: Known, band: AgeBand, urgency: UrgencyState
) -> None:
    decision = decided(known, band, urgency)
    case = stated_of(decision.facts, QUESTIONS.diagrams)
    assert case is not None
    read: Any = {name: case[name] for name in Known._fields}
    alone = {
        name
        for name, values in free_to_change(QUESTIONS.diagrams, case, decision.facts).items()
        for value in values
        if parts(differs(decision, changed(Known(**read), band, urgency, {name: value})))
    }

    assert alone == {way[0].name for way, _ in told(in_full(decision)) if len(way) == 1}


def test_one_fact_away_from_another_level_is_told_with_all_that_would_have_followed() -> None:
    decision = after_reasons("SCHOOL", "CHILD-MENTAL-HEALTH")

    found = {
        tuple((c.name, c.was, c.would) for c in way): becomes
        for way, becomes in told(EXPLAINER.explain(decision))
    }

    assert Becomes("perus", None, (), ("systemic_team",)) == found[(("a2", "yes", "no"),)]
    assert Becomes(holder="own_worker") == found[(("is_client", "unknown", "yes"),)]
    assert (
        Becomes(holder="duty", not_proposed=("school_welfare", "systemic_team"))
        == found[(("urgency", "not_urgent", "urgent"),)]
    )


def test_where_no_single_fact_would_do_the_smallest_set_is_told() -> None:
    decision = after_reasons("SELF-HARM", urgency="urgent")

    levels = [
        sorted(c.name for c in way)
        for way, becomes in told(EXPLAINER.explain(decision))
        if becomes.level
    ]

    assert [
        ["a2", "self_harm"], ["a10", "rare_domain"], ["rare_domain", "support_tried"],
        ["rare_domain", "referral_returned"],
    ] == levels  # fmt: skip


def test_of_many_ways_to_the_same_other_decision_a_few_are_told_and_the_rest_counted() -> None:
    decision = after_reasons("SCHOOL", urgency="not_asked")
    (most, *_) = sorted(EXPLAINER.explain(decision).otherwise or (), key=lambda o: -o.left_off)
    (same,) = [each for each in in_full(decision).otherwise or () if each.becomes == most.becomes]

    assert isinstance(most, Otherwise)
    assert (explaining.FEW, 8) == (len(most.ways), most.left_off)
    assert same.ways[: explaining.FEW] == most.ways


def test_of_many_other_decisions_each_other_level_and_holder_is_told_before_other_offers() -> None:
    decision = after_reasons("SCHOOL")

    everything, few = in_full(decision).otherwise or (), EXPLAINER.explain(decision).otherwise or ()

    assert len(everything) > len(few) == explaining.FEW_DECISIONS
    assert {(each.becomes.level, each.becomes.holder) for each in everything} == {
        (each.becomes.level, each.becomes.holder) for each in few
    }


def test_a_decision_in_a_county_is_explained_with_what_the_county_has() -> None:
    """What it lacks would not have been proposed, whatever had been stated."""
    county = load_settings(RULES)[-1]
    tables = TABLES.in_county(county)
    known = Known(a5="yes", a2="yes")
    facts = derive_in(county, known, age_band="13-15", urgency="not_urgent")

    explanation = Explainer(tables, Questions(tables)).explain(decide(facts, tables))

    proposed = {each for _, becomes in told(explanation) for each in becomes.proposed}
    assert proposed
    assert "outreach_pair" not in {*county.offers} | proposed
    assert all(each.reason and each.basis for each in explanation.matched)


def test_of_an_unborn_child_nothing_is_told_that_it_cannot_do() -> None:
    explanation = EXPLAINER.explain(decided(NOTHING_KNOWN, "unborn"))
    names = {change.name for way, _ in told(explanation) for change in way}

    assert not NOT_YET["unborn"] & (names | {*explanation.unknown, *explanation.besides})


def test_a_judged_urgency_could_have_been_judged_otherwise_and_never_be_open_again() -> None:
    for urgency, otherwise in (
        ("open", {"urgent", "not_urgent"}), ("urgent", {"not_urgent"}), ("not_urgent", {"urgent"}),
    ):  # fmt: skip
        found = told(in_full(after_reasons("SCHOOL", urgency=urgency)))  # type: ignore[arg-type]
        assert {c.would for way, _ in found for c in way if c.name == "urgency"} <= otherwise


# --- made of what is stored -------------------------------------------------------------------


def stored(decision: Decision) -> dict[str, Any]:
    """A decision as its row in the database has it: facts as JSON, codes joined by a space."""
    return {
        "facts": orjson.dumps(decision.facts).decode(),
        "rows": " ".join(decision.rows),
        "flags": " ".join(decision.urgent_flags),
        "level": decision.level,
        "holder": decision.holder,
        "destinations": " ".join(decision.destinations),
        "rules": decision.version,
    }


@settings(max_examples=25, deadline=None)
@given(KNOWN, BANDS, URGENCIES)
def test_what_is_stored_with_a_decision_is_enough_to_explain_it_again(
    known: Known, band: AgeBand, urgency: UrgencyState
) -> None:
    decision = decided(known, band, urgency)
    row = stored(decision)

    again = Decision(
        tuple(row["flags"].split()), row["level"], row["holder"],
        tuple(row["destinations"].split()), tuple(row["rows"].split()), orjson.loads(row["facts"]),
        row["rules"], "",
    )  # fmt: skip
    tables = load_version(RULES, again.version)

    assert EXPLAINER.explain(decision) == Explainer(tables, QUESTIONS).explain(again)


@pytest.mark.parametrize(
    "version",
    [
        "urgent@2026-11+level@2026-11+holder@2026-11+destinations@2026-11",
        "urgent@2026-11+level@2026-11+holder@2026-11.2+destinations@2026-11.3",
        "urgent@2026-12+level@2026-12+holder@2026-12+destinations@2026-12",
        "urgent@2026-12+level@2026-12.2+holder@2026-12+destinations@2026-12.2",
    ],
)
def test_a_decision_of_an_older_version_is_explained_with_the_texts_of_its_day(
    version: str,
) -> None:
    """Facts that were no column then are not stored with it."""
    tables = load_version(RULES, version)
    known = learn(NOTHING_KNOWN, CodedFacts(reasons=("LOCAL-REASON-CHILD-MENTAL-HEALTH",)))
    read = {column for table in tables.each() for column in table.columns()}
    facts = derive(known, age_band="7-12", urgency="not_urgent")
    then = {n: v for n, v in facts.items() if n in read or n in ("a2", "age_band", "urgency")}
    decision = decide(then, tables)

    explanation = Explainer(tables, Questions(tables)).explain(decision)

    assert version == decision.version
    assert all(each.reason and each.basis for each in explanation.matched)
    away = [way for way, becomes in told(explanation) if becomes.level == "perus"]
    assert [("a2", "yes", "no")] == [tuple(change) for way in away for change in way]


def test_the_order_of_rows_in_a_file_changes_no_explanation() -> None:
    turned = [
        table.model_copy(update={"rows": tuple(reversed(table.rows))})
        for table in read_newest(RULES)
    ]
    tables = compile_tables(turned)
    other = Explainer(tables, Questions(tables))

    for decision in (after_reasons("SCHOOL"), after_reasons("SELF-HARM", urgency="open")):
        assert EXPLAINER.explain(decision) == other.explain(decision)


def test_facts_that_are_derived_in_another_way_today_are_not_speculated_about() -> None:
    decision = after_reasons("SCHOOL", "NEGLECT")
    facts = {**decision.facts, "areas_of_concern": 5}

    explanation = EXPLAINER.explain(replace(decision, facts=facts))

    assert explanation.otherwise is None
    assert ("several_areas", "yes") in explanation.matched[0].facts


@given(KNOWN, BANDS, URGENCIES)
def test_what_is_read_back_from_stored_facts_makes_the_same_facts(
    known: Known, band: AgeBand, urgency: UrgencyState
) -> None:
    facts = derive(known, age_band=band, urgency=urgency)

    case = stated_of(facts, QUESTIONS.diagrams)

    assert case is not None
    read: Any = {name: case[name] for name in Known._fields}
    assert facts == derive(Known(**read), age_band=band, urgency=urgency)
    assert all(read[name] <= most for name, most in COUNTED.items())
