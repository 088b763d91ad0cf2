"""What a family reads of a decision: true, and nothing of what is withheld."""

from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.domain.decision import Decision, decide
from services.routing.domain.facts import (
    ANSWER_FIELDS,
    COLUMNS,
    NOTHING_KNOWN,
    Known,
    UrgencyState,
    derive,
    fields_of,
    learn,
)
from services.routing.domain.for_family import TOLD, TOLD_COLUMNS, FamilyExplainer, ForFamily, Part
from services.routing.domain.households import Family, with_family
from services.routing.domain.questions import Questions
from services.routing.domain.tables import compile_tables, load_tables
from services.routing.domain.tables.loading import read_newest
from shared.events import AgeBand, CodedFacts
from tests.any_known import any_known

RULES = Path(__file__).parents[3] / "services" / "routing" / "rules"
TABLES = load_tables(RULES)
EXPLAINER = FamilyExplainer(TABLES, Questions(TABLES))
KNOWN = any_known()
BANDS = st.sampled_from(get_args(AgeBand))
URGENCIES = st.sampled_from(get_args(UrgencyState))
WITHHELD = sorted({*Known._fields} - {*TOLD})


def decided(known: Known, band: AgeBand = "7-12", urgency: UrgencyState = "not_urgent") -> Decision:
    return decide(derive(known, age_band=band, urgency=urgency), TABLES)


def read(*areas: str, urgency: UrgencyState = "not_urgent", **stated: Any) -> ForFamily:
    codes: tuple[Any, ...] = tuple(f"LOCAL-REASON-{area}" for area in areas)
    known = learn(NOTHING_KNOWN, CodedFacts(reasons=codes, **stated))
    return EXPLAINER.explain(decided(known, urgency=urgency))


def reasons(page: ForFamily) -> list[str]:
    return [text.en for _, text in page.reasons]


def what_may_be_seen(decision: Decision) -> tuple[Any, ...]:
    """The proposal, and the columns that are told."""
    told = {column: decision.facts[column] for column in TOLD.values()}
    return decision.level, decision.holder, decision.destinations, told


@settings(max_examples=200)
@given(KNOWN, KNOWN, BANDS, URGENCIES, st.sets(st.sampled_from(WITHHELD)))
def test_whatever_is_withheld_a_family_reads_the_same_where_the_same_is_proposed(
    known: Known, other: Known, band: AgeBand, urgency: UrgencyState, differ: set[str]
) -> None:
    """Two children who are told the same of and proposed the same; what else is known differs."""
    changed: dict[str, Any] = {name: getattr(other, name) for name in differ}
    one = decided(known, band, urgency)
    two = decided(known._replace(**changed), band, urgency)

    if what_may_be_seen(one) == what_may_be_seen(two):
        assert EXPLAINER.explain(one) == EXPLAINER.explain(two)


@pytest.mark.parametrize("name", WITHHELD)
def test_each_thing_withheld_is_tried_on_a_page_that_has_much_to_tell(name: str) -> None:
    """So that the property above is not true for want of pairs."""
    everything: dict[str, Any] = dict.fromkeys(ANSWER_FIELDS, "yes")
    known = Known(**everything)._replace(a10="no")  # erityis, whatever else is taken away
    values: tuple[Any, ...] = ("no", "unknown") if name in ANSWER_FIELDS else (0, 9)
    pages = {EXPLAINER.explain(decided(known))}

    for value in values:
        other = decided(known._replace(**{name: value}))
        if what_may_be_seen(other) == what_may_be_seen(decided(known)):
            pages.add(EXPLAINER.explain(other))

    assert 1 == len(pages)


@given(KNOWN, st.sampled_from(("no", "unknown", "yes")), st.sampled_from(("no", "unknown", "yes")))
def test_nothing_said_of_a_sibling_can_be_read_off_the_page(known: Known, a8: Any, a9: Any) -> None:
    alone, of_many = decided(known), decided(with_family(known, Family(2, a8, a9)))

    if what_may_be_seen(alone) == what_may_be_seen(of_many):
        assert EXPLAINER.explain(alone) == EXPLAINER.explain(of_many)


def test_a_reason_that_something_withheld_can_silence_is_not_told() -> None:
    """Otherwise the page would say by its silence that there is a concern about safety."""
    urgent, level, *others = read_newest(RULES)
    silenced = tuple(
        row.model_copy(update={"unless": (*row.unless, "erityis-safety")})
        if row.id == "erityis-psych"
        else row
        for row in level.rows
    )
    tables = compile_tables([urgent, level.model_copy(update={"rows": silenced}), *others])
    explainer = FamilyExplainer(tables, Questions(tables))
    mental = Known(a2="yes", a1="yes")

    pages = [
        explainer.explain(decide(derive(known, age_band="7-12", urgency="not_urgent"), tables))
        for known in (mental, mental._replace(a6="yes"))
    ]

    assert pages[0] == pages[1]
    assert ["Several areas are of concern."] == [
        text.en for table, text in pages[0].reasons if table == "level"
    ]


def test_a_person_has_decided_of_each_thing_that_a_family_may_be_told_it() -> None:
    """Who adds one says in ADR 16 why it may be told; nothing is told by being new."""
    told = {"a1", "a2", "a3", "a5", "a10", "support_tried", "referral_returned"}
    assert told | {"is_client", "urgency", "age_band"} == {*TOLD}


def test_two_areas_of_concern_are_told_only_where_both_may_be_told() -> None:
    two = "Several areas are of concern."

    assert two in reasons(read("SCHOOL", "ILLNESS"))
    assert two not in reasons(read("SCHOOL", "NEGLECT")), "one is the parents'"
    assert two not in reasons(read("GUARDIAN-SUBSTANCE", "CUSTODY-DISPUTE"))


@pytest.mark.parametrize(
    "withheld",
    [
        ("ASSAULT",), ("THREAT", "SCHOOL"), ("GUARDIAN-SUBSTANCE", "NEGLECT"),
        ("CHILD-SUBSTANCE",), ("CUSTODY-DISPUTE", "GUARDIAN-EXHAUSTION"),
    ],
    ids=str,
)  # fmt: skip
def test_why_the_level_is_special_is_left_to_a_person_where_only_what_is_withheld_says_it(
    withheld: tuple[str, ...],
) -> None:
    page = read(*withheld)

    assert "erityis" == page.level
    assert "level" not in {table for table, _ in page.reasons}


def test_a_school_that_confirmed_an_absence_is_not_named_by_what_it_led_to() -> None:
    absence = {"confirmed": "yes", "health": "yes", "step_reached": "yes"}
    page = read(urgency="not_asked", absence=absence)

    assert "school_health" in page.destinations
    assert not any("school" in text.lower() for text in reasons(page))


@given(KNOWN, BANDS, URGENCIES)
def test_every_reason_told_is_one_of_the_decision_and_looks_at_nothing_withheld(
    known: Known, band: AgeBand, urgency: UrgencyState
) -> None:
    decision = decided(known, band, urgency)
    rows = {row.ref: row for table in TABLES.each() for row in table.rows}
    readable = {
        TABLES.reasons[ref]
        for ref in decision.rows
        if {column for column, _ in rows[ref].when} <= TOLD_COLUMNS
    }

    page = EXPLAINER.explain(decision)

    assert {text for _, text in page.reasons} <= readable
    proposal = (decision.level, decision.holder, decision.destinations)
    assert proposal == (page.level, page.holder, page.destinations)


@given(KNOWN, BANDS, URGENCIES)
def test_what_a_family_is_told_to_have_changed_it_would_have_in_truth(
    known: Known, band: AgeBand, urgency: UrgencyState
) -> None:
    before = decided(known, band, urgency)

    for each in EXPLAINER.explain(before).otherwise:
        changes: dict[str, Any] = {change.name: change.would for change in each.way}
        judged = changes.pop("urgency", urgency)
        after = decided(known._replace(**changes), band, judged)
        assert each.parts
        for part in each.parts:
            if part.name in ("level", "holder"):
                said, stood = getattr(after, part.name), getattr(before, part.name)
                assert said != stood
                assert part.becomes in (None, said)
            else:
                assert part.name in before.destinations
                assert part.name not in after.destinations


def test_a_family_is_told_what_is_not_known_and_what_would_have_changed_the_proposal() -> None:
    page = read("SCHOOL", "CHILD-MENTAL-HEALTH", "ILLNESS", "SUPPORT-WITHOUT-EFFECT")

    ways = {tuple(c.name for c in each.way): each.parts for each in page.otherwise}
    assert ("vaativa", "initial_assessment") == (page.level, page.holder)
    assert "Support has been tried without enough effect, and many other areas are of " in (
        " ".join(reasons(page))
    )
    assert ("a3", "referral_returned", "is_client") == page.unknown
    lighter = (Part("level", "erityis"), Part("expert_group"))
    assert lighter == ways["a10", "support_tried"]
    assert (Part("holder", "own_worker"),) == ways["is_client",]
    urgent = (
        Part("holder", "duty"), Part("expert_group"), Part("psychiatry"), Part("ot_support"),
    )  # fmt: skip
    assert urgent == ways["urgency",]


def test_every_column_told_is_made_of_what_is_told_or_says_no_more_than_it_does() -> None:
    """A new column is withheld until somebody says here why a family may read of it."""
    of_counts = {"areas_of_concern", "areas_besides_a10", "several_areas", "many_areas_besides_a10"}
    in_part = {"a2", "a5", "a10", "psych", "areas_unknown", "level"} | of_counts

    for column in TOLD_COLUMNS - in_part:
        assert column in COLUMNS
        assert fields_of(column) <= {*TOLD}
