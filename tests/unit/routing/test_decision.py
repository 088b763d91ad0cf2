"""What the shipped rules propose, and that they can be trusted on every pattern of facts."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.decision import Decision, decide, reasons
from services.routing.domain.facts import (
    ANSWER_FIELDS,
    COLUMNS,
    NOTHING_KNOWN,
    Facts,
    Known,
    UrgencyState,
    derive,
    learn,
)
from services.routing.domain.tables import (
    LEVELS,
    TableName,
    Tables,
    WrittenTable,
    compile_tables,
    load_tables,
)
from services.routing.domain.tables.examples import hits
from services.routing.domain.tables.files import Loader
from services.routing.domain.tables.proofs import NOT_TO_FALL_AWAY
from services.routing.domain.tables.written import newest
from shared.events import Answer, CodedFacts, Language, ReasonCode
from tests.any_known import any_known

RULES = Path(__file__).parents[3] / "services" / "routing" / "rules"
TABLES = load_tables(RULES)
LOADED_AGAIN = load_tables(RULES)
ANSWERS = st.sampled_from(get_args(Answer))
KNOWN = any_known()
STATES = st.sampled_from(get_args(UrgencyState))


def decided(
    *areas: str, urgency: UrgencyState = "not_urgent", tables: Tables = TABLES, **stated: Any
) -> Decision:
    codes: tuple[Any, ...] = tuple(f"LOCAL-REASON-{area}" for area in areas)
    known = learn(NOTHING_KNOWN, CodedFacts(reasons=codes, **stated))
    return decide(derive(known, age_band="7-12", urgency=urgency), tables)


# --- examples ---------------------------------------------------------------------------------


def test_a_new_notification_stands_at_duty_whatever_it_says() -> None:
    for decision in (
        decided(urgency="open"),
        decided("SCHOOL", urgency="open", is_client="yes"),
        decided("SELF-HARM", "SUPPORT-WITHOUT-EFFECT", urgency="open"),
    ):
        assert ("duty", ()) == (decision.holder, decision.destinations)
        assert "holder/urgency-open" in decision.rows


def test_an_urgent_case_stays_at_duty_and_is_parked_nowhere() -> None:
    decision = decided("SELF-HARM", "SUPPORT-WITHOUT-EFFECT", "SCHOOL", "NEGLECT", urgency="urgent")

    assert ("vaativa", "duty", ()) == (decision.level, decision.holder, decision.destinations)


@pytest.mark.parametrize(
    ("is_client", "holder", "row"),
    [
        ("yes", "own_worker", "own-worker"),
        ("no", "initial_assessment", "not-a-client"),
        ("unknown", "initial_assessment", "client-unknown"),
    ],
)
def test_what_is_not_urgent_goes_to_the_own_worker_of_a_client_else_to_assessment(
    is_client: str, holder: str, row: str
) -> None:
    decision = decided("SCHOOL", is_client=is_client)

    assert holder == decision.holder
    assert f"holder/{row}" in decision.rows


@pytest.mark.parametrize(
    ("stated", "flags"),
    [
        ({"in_danger": "yes"}, ("danger", "safety")),
        ({"assault_suspected": "yes"}, ("assault", "safety")),
        ({"alone_guardians_unreachable": "yes"}, ("alone", "safety")),
        ({"judged_urgent_by_authority": "yes"}, ("authority",)),
        ({}, ()),
    ],
    ids=str,
)
def test_each_question_of_urgency_answered_yes_raises_its_flag(
    stated: dict[str, Any], flags: tuple[str, ...]
) -> None:
    assert flags == decided(urgency="open", **stated).urgent_flags


def test_reasons_raise_flags_too() -> None:
    assert ("self_harm",) == decided("SELF-HARM").urgent_flags
    assert ("assault", "safety") == decided("SEXUAL-ABUSE").urgent_flags
    assert () == decided("SCHOOL", "NEGLECT").urgent_flags


CALM = ("basic_services",)
DEMANDING = ("expert_group", "ot_support")


@pytest.mark.parametrize(
    ("areas", "level", "destinations"),
    [
        ((), "perus", ("basic_services",)),
        (("SCHOOL",), "perus", ("school_welfare",)),
        (("NEGLECT",), "perus", ("family_work",)),
        (("RESPONSIBILITY", "NEGLECT"), "perus", ("family_work",)),
        (("CUSTODY-DISPUTE",), "perus", (*CALM, "family_centre", "lapsen_hyva", "peer_group")),
        (("POOR-FINANCES",), "perus", ("basic_services",)),
        (("SUPPORT-WITHOUT-EFFECT",), "perus", ("basic_services",)),
        (("SCHOOL", "NEGLECT"), "erityis", ("systemic_team", "lets_talk")),
        (("THREAT",), "erityis", ("systemic_team",)),
        (("ASSAULT",), "erityis", ("systemic_team", "barnahus")),
        (("CHILD-MENTAL-HEALTH",), "erityis", ("school_welfare", "systemic_team")),
        (
            ("CHILD-MENTAL-HEALTH", "SUPPORT-WITHOUT-EFFECT"),
            "erityis",
            ("psychiatry", "systemic_team"),
        ),
        (
            ("CHILD-SUBSTANCE",),
            "erityis",
            ("school_welfare", "systemic_team", "palasista_eteenpain", "youth_substance_care"),
        ),
        (("CHILD-ADDICTION",), "perus", (*CALM, "palasista_eteenpain")),
        (
            ("SCHOOL", "ILLNESS", "GUARDIAN-SUBSTANCE"),
            "erityis",
            ("systemic_team", "lets_talk"),
        ),
        (
            ("SUPPORT-WITHOUT-EFFECT", "SCHOOL", "NEGLECT"),
            "erityis",
            ("systemic_team", "lets_talk"),
        ),
        (("SUPPORT-WITHOUT-EFFECT", "SCHOOL", "NEGLECT", "ILLNESS"), "vaativa", DEMANDING),
        (
            ("SUPPORT-WITHOUT-EFFECT", "CUSTODY-DISPUTE", "THREAT"),
            "vaativa",
            ("expert_group", "peer_group", "ot_support"),
        ),
        (
            ("SUPPORT-WITHOUT-EFFECT", "SCHOOL", "NEGLECT", "SELF-HARM"),
            "vaativa",
            ("expert_group", "psychiatry", "ot_support"),
        ),
    ],
    ids=str,
)
def test_the_level_and_the_proposals_follow_the_areas_of_concern(
    areas: tuple[str, ...], level: str, destinations: tuple[str, ...]
) -> None:
    decision = decided(*areas)

    assert (level, destinations) == (decision.level, decision.destinations)


def test_every_ground_for_a_level_is_among_the_reasons() -> None:
    rows = decided("CHILD-MENTAL-HEALTH", "THREAT").rows

    assert {"level/erityis-several-areas", "level/erityis-psych", "level/erityis-safety"} <= {*rows}


def test_a_light_level_says_that_not_everything_is_known() -> None:
    all_known: dict[str, Any] = dict.fromkeys(ANSWER_FIELDS, "no")

    looked_at = decide(derive(Known(**all_known), age_band="0-6", urgency="open"), TABLES)

    assert "level/perus-so-far" in decided().rows
    assert "level/perus-all-known" in looked_at.rows


@pytest.mark.parametrize("language", get_args(Language))
def test_every_row_that_hit_is_explained_in_every_language(language: Language) -> None:
    decision = decided("CHILD-MENTAL-HEALTH", "THREAT", urgency="open", in_danger="yes")
    texts = reasons(decision, TABLES, language)

    assert len(decision.rows) == len(set(decision.rows)) == len(texts)
    assert all(text.endswith(".") for text in texts)


def test_a_row_of_an_older_version_is_named_rather_than_explained_wrongly() -> None:
    rows = ("holder/gone", "level/erityis-several-areas", "urgent/danger", "level/no-row")
    versions = "urgent@2026-12+level@2025-01+holder@2026-12"
    old = Decision((), "perus", "duty", (), rows, {}, versions, "")

    gone, changed, same, fault = reasons(old, TABLES, "en")

    assert f"holder/gone ({versions})" == gone
    assert f"level/erityis-several-areas ({versions})" == changed
    assert TABLES.reasons["urgent/danger"].in_language("en") == same
    assert fault.startswith("No rule fitted")


def test_a_decision_carries_what_is_needed_to_replay_it() -> None:
    first = decided("SCHOOL", "NEGLECT", urgency="open")

    assert first == decide(first.facts, TABLES)
    assert (TABLES.version, TABLES.content_hash) == (first.version, first.content_hash)
    assert "urgent@2026-12+level@2026-12.3+holder@2026-12+destinations@2026-12.4" == first.version


# --- every pattern ------------------------------------------------------------------------------


@given(KNOWN, STATES)
def test_every_child_gets_one_level_and_one_holder_without_a_fault(
    known: Known, urgency: UrgencyState
) -> None:
    decision = decide(derive(known, age_band="13-15", urgency=urgency), TABLES)

    assert decision.holder != "person_decides"
    assert all(row in TABLES.reasons for row in decision.rows)
    assert len([row for row in decision.rows if row.startswith("holder/")]) == 1


def not_lighter(before: Decision, after: Decision) -> bool:
    """No flag, level, expert group or psychiatry is lost as concern grows (design 6)."""
    return (
        set(before.urgent_flags) <= set(after.urgent_flags)
        and LEVELS.index(before.level) <= LEVELS.index(after.level)
        and {*before.destinations} & {*NOT_TO_FALL_AWAY} <= {*after.destinations}
    )


@given(KNOWN, st.sampled_from(ANSWER_FIELDS), STATES)
def test_more_concern_about_a_child_never_gives_a_lighter_decision(
    known: Known, name: str, urgency: UrgencyState
) -> None:
    order = COLUMNS["a1"].values
    stated: dict[str, Any] = known._asdict()
    more = Known(**{**stated, name: order[min(order.index(stated[name]) + 1, 2)]})
    before = decide(derive(known, age_band="7-12", urgency=urgency), TABLES)
    after = decide(derive(more, age_band="7-12", urgency=urgency), TABLES)

    assert not_lighter(before, after)


@given(KNOWN, st.sampled_from(get_args(ReasonCode)), STATES)
def test_one_more_reason_never_gives_a_lighter_decision(
    known: Known, reason: ReasonCode, urgency: UrgencyState
) -> None:
    more = learn(known, CodedFacts(reasons=(reason,)))
    before = decide(derive(known, age_band="7-12", urgency=urgency), TABLES)
    after = decide(derive(more, age_band="7-12", urgency=urgency), TABLES)

    assert not_lighter(before, after)


def level_space() -> Iterator[dict[str, str | int]]:
    """Every pattern the level and the destinations can see, urgency answered."""
    answers = COLUMNS["a10"].values
    base = derive(NOTHING_KNOWN, age_band="unknown", urgency="not_urgent")
    for a10, rare, psych, safety in product(answers, repeat=4):
        for besides, unknown in product(range(9), (0, 5)):
            yield {
                **base,
                "a10": a10,
                "rare_domain": rare,
                "psych": psych,
                "safety": safety,
                "areas_besides_a10": besides,
                "areas_of_concern": besides + (a10 == "yes"),
                "areas_unknown": unknown,
            }


def with_more_concern(facts: Facts) -> Iterator[dict[str, str | int]]:
    for name in ("a10", "rare_domain", "psych", "safety", "areas_besides_a10"):
        values = COLUMNS[name].values
        place = values.index(facts[name])
        if place + 1 < len(values):
            more = {**facts, name: values[place + 1]}
            besides, a10 = more["areas_besides_a10"], more["a10"]
            assert isinstance(besides, int)
            yield {**more, "areas_of_concern": besides + (a10 == "yes")}


def test_on_the_whole_space_more_concern_never_gives_a_lighter_decision() -> None:
    decisions = {tuple(facts.items()): decide(facts, TABLES) for facts in level_space()}

    assert len(decisions) == 3**4 * 9 * 2
    for pattern, before in decisions.items():
        for more in with_more_concern(dict(pattern)):
            assert not_lighter(before, decisions[tuple(more.items())]), pattern


@given(KNOWN, STATES)
def test_the_same_facts_always_give_the_same_decision(known: Known, urgency: UrgencyState) -> None:
    facts = derive(known, age_band="0-6", urgency=urgency)
    other_order = dict(reversed(list(facts.items())))

    assert decide(facts, TABLES) == decide(other_order, LOADED_AGAIN)
    assert decide(facts, TABLES).to_json() == decide(other_order, LOADED_AGAIN).to_json()


@given(KNOWN, STATES, st.randoms(use_true_random=False))
def test_the_order_of_rows_in_a_file_means_nothing(
    known: Known, urgency: UrgencyState, random: Any
) -> None:
    shuffled = [
        table.model_copy(update={"rows": tuple(random.sample(table.rows, len(table.rows)))})
        for table in WRITTEN
    ]
    facts = derive(known, age_band="0-6", urgency=urgency)

    assert decide(facts, TABLES).to_json() == decide(facts, compile_tables(shuffled)).to_json()


@given(KNOWN, STATES)
def test_the_rows_that_hit_are_those_whose_conditions_hold_read_one_by_one(
    known: Known, urgency: UrgencyState
) -> None:
    decision = decide(derive(known, age_band="0-6", urgency=urgency), TABLES)

    flagged = "yes" if decision.urgent_flags else "no"
    seen = {**decision.facts, "flagged": flagged, "level": decision.level}
    expected = [row.ref for t in TABLES.each() for row in t.rows if hits(t, row, seen)]
    assert tuple(expected) == decision.rows


def test_the_canonical_form_of_a_decision_holds_all_of_it() -> None:
    decision = decided("SCHOOL", "NEGLECT")
    told = orjson.loads(decision.to_json())

    assert sorted(told["facts"]) == list(told["facts"])
    assert (decision.level, list(decision.rows)) == (told["level"], told["rows"])
    assert (dict(decision.facts), decision.content_hash) == (told["facts"], told["content_hash"])


# --- what the rules cannot decide -------------------------------------------------------------


def read(name: TableName) -> WrittenTable:
    text = newest(RULES, name).read_text(encoding="utf-8")
    return WrittenTable.model_validate(yaml.load(text, Loader))  # noqa: S506


WRITTEN = [read(name) for name in get_args(TableName)]


def unproved(table: str, *, without: str = "", twice: str = "") -> Tables:
    """Tables as the loader would never let them through."""
    changed = []
    for each in WRITTEN:
        rows = [row for row in each.rows if each.table != table or row.id != without]
        if each.table == table and twice:
            (row,) = (row for row in rows if row.id == twice)
            heavier = "vaativa" if table == "level" else "duty"
            rows.append(row.model_copy(update={"id": "again", "then": heavier}))
        changed.append(each.model_copy(update={"rows": tuple(rows)}))
    return compile_tables(changed)


def test_a_case_no_holder_fits_is_given_to_a_person() -> None:
    tables = unproved("holder", without="client-unknown")
    decision = decided("SCHOOL", tables=tables)

    assert "person_decides" == decision.holder
    assert "holder/no-row" in decision.rows
    assert "No rule fitted. A person decides." in reasons(decision, tables, "en")


def test_a_case_two_holders_fit_is_given_to_a_person_and_never_to_the_first() -> None:
    tables = unproved("holder", twice="client-unknown")
    decision = decided("SCHOOL", tables=tables)

    assert "person_decides" == decision.holder
    assert {"holder/again", "holder/client-unknown", "holder/rows-disagree"} <= {*decision.rows}


def test_a_case_without_a_level_is_given_to_a_person_and_not_treated_as_light() -> None:
    decision = decided(tables=unproved("level", without="perus-so-far"))

    assert ("vaativa", "person_decides") == (decision.level, decision.holder)
    assert "level/no-row" in decision.rows


def test_a_case_with_two_levels_is_given_to_a_person_and_the_heavier_stands() -> None:
    decision = decided(tables=unproved("level", twice="perus-so-far"))

    assert ("vaativa", "person_decides") == (decision.level, decision.holder)
    assert "level/rows-disagree" in decision.rows


def test_an_open_urgency_check_stays_at_duty_even_if_the_level_rules_fail() -> None:
    decision = decided(urgency="open", tables=unproved("level", without="perus-so-far"))

    assert "duty" == decision.holder
    assert "level/no-row" in decision.rows


def test_an_open_urgency_check_stays_at_duty_even_if_two_rows_say_so() -> None:
    decision = decided(urgency="open", tables=unproved("holder", twice="urgency-open"))

    assert "duty" == decision.holder
    assert "holder/rows-disagree" in decision.rows


@pytest.mark.parametrize("facts", [{}, {"urgency": "later"}, {"in_danger": "maybe"}, {"a10": 7}])
def test_facts_that_are_missing_or_strange_are_unknown_and_go_to_a_person(facts: Facts) -> None:
    base = derive(NOTHING_KNOWN, age_band="7-12", urgency="not_urgent")
    decision = decide({**base, **facts} if facts else {}, TABLES)

    assert "person_decides" == decision.holder
    assert "facts/not-understood" in decision.rows
    assert () == decision.urgent_flags
