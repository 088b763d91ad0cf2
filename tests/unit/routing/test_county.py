"""The county's settings: what it lacks is neither proposed nor asked for; the right date counts."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.domain.ages import Clinics
from services.routing.domain.cases import Case, Changes, InForce, Rules, receive, still_pending
from services.routing.domain.clients import OfClient
from services.routing.domain.clocks import ClockSettings
from services.routing.domain.county import (
    OF_THE_COUNTY,
    OFFERS,
    Ages,
    AreasOfConcern,
    Capacity,
    Clinic,
    Offer,
    Offered,
    PilingUp,
    Psychiatry,
    Radar,
    Settings,
    derive_in,
    made_in,
    settings_on,
)
from services.routing.domain.decision import LEFT_OUT, Decision, decide, reasons
from services.routing.domain.facts import (
    ANSWER_FIELDS,
    COLUMNS,
    MADE,
    NOTHING_KNOWN,
    QUESTIONS,
    Known,
    UrgencyState,
    derive,
    learn,
)
from services.routing.domain.joins import Note, count_anew
from services.routing.domain.questions import Questions
from services.routing.domain.tables import (
    DESTINATIONS,
    TablesRefusedError,
    load_settings,
    load_tables,
    load_version,
)
from services.routing.domain.tables.proofs import NOT_TO_FALL_AWAY
from services.routing.domain.texts import Texts
from shared.events import (
    AgeBand,
    Answer,
    CodedFacts,
    Language,
    Signal,
    age_band_on,
    last_year_of_band,
    years_on,
)
from shared.ids import time_ordered_id
from tests.any_known import any_known

RULES = Path(__file__).parents[3] / "services" / "routing" / "rules"
TABLES = load_tables(RULES)
BEFORE, NOW = load_settings(RULES, TABLES.destinations)
BANDS = st.sampled_from(get_args(AgeBand))
URGENCIES = st.sampled_from(get_args(UrgencyState))
KNOWN = any_known()


def clinics(until: int) -> Psychiatry:
    """Child psychiatry until this age, adolescent psychiatry from the next on."""
    adolescent = Clinic(at_least=until + 1, at_most=17)
    return Psychiatry(child=Clinic(at_most=until), adolescent=adolescent)


def settled(offers: dict[Any, Offered], **more: Any) -> Settings:
    """The settings of some county that has these offers."""
    given_settings: dict[str, Any] = {
        "county": "testi",
        "names": Texts(fi="Testi", sv="Test", en="Test"),
        "valid_from": date(2026, 1, 1),
        "owner": "Testi",
        "source": "Testi",
        "offers": offers,
        "psychiatry": Psychiatry(
            child=Clinic(at_most=12), adolescent=Clinic(at_least=13, at_most=17)
        ),
        **more,
    }
    return Settings(**given_settings)


EVERYTHING = {offer: Offered() for offer in get_args(Offer)}
NOTHING = settled({})
YEAR = st.integers(0, 17)
OFFERED = st.one_of(
    st.just(Offered()),
    st.builds(lambda a, b: Offered(ages=Ages(at_least=min(a, b), at_most=max(a, b))), YEAR, YEAR),
    st.builds(lambda a: Offered(ages=Ages(at_most=a)), YEAR),
)
COUNTIES = st.builds(
    settled,
    st.dictionaries(st.sampled_from(get_args(Offer)), OFFERED),
    piling_up=st.builds(
        PilingUp, areas=st.integers(2, 9), notifications=st.integers(2, 9),
        children=st.integers(2, 9),
    ),
    psychiatry=st.integers(5, 16).map(clinics),
)  # fmt: skip


def decided(
    county: Settings, known: Known, band: AgeBand = "7-12", urgency: UrgencyState = "not_urgent"
) -> Decision:
    facts = derive_in(county, known, age_band=band, urgency=urgency)
    return decide(facts, TABLES.in_county(county))


def stated(*areas: str, **said: Any) -> Known:
    codes: Any = tuple(f"LOCAL-REASON-{area}" for area in areas)
    return learn(NOTHING_KNOWN, CodedFacts(reasons=codes, **said))


# --- what there is ------------------------------------------------------------------------------


def test_an_offer_that_the_county_lacks_is_left_out_and_the_decision_says_so() -> None:
    known = stated("CHILD-ADDICTION")
    without = settled({o: f for o, f in EVERYTHING.items() if o != "palasista_eteenpain"})

    has, lacks = decided(settled(EVERYTHING), known), decided(without, known)

    assert "palasista_eteenpain" in has.destinations
    assert "destinations/palasista-eteenpain" in has.rows
    assert "palasista_eteenpain" not in lacks.destinations
    assert f"{LEFT_OUT}/palasista-eteenpain" in lacks.rows
    assert "destinations/palasista-eteenpain" not in lacks.rows


@pytest.mark.parametrize("language", get_args(Language))
def test_what_is_left_out_is_told_in_words_with_its_reason(language: Language) -> None:
    decision = decided(NOTHING, stated("CHILD-ADDICTION"))
    told = reasons(decision, TABLES, language)
    why = TABLES.reasons["destinations/palasista-eteenpain"].in_language(language)

    assert len(decision.rows) == len(told)
    (left_out,) = (text for text in told if text.endswith(why))
    assert left_out != why


@given(COUNTIES, KNOWN, BANDS, URGENCIES)
def test_a_county_takes_nothing_away_but_the_offers_it_lacks(
    county: Settings, known: Known, band: AgeBand, urgency: UrgencyState
) -> None:
    """Flags, level and holder do not ask what there is; neither do expert group and psychiatry."""
    facts = derive_in(county, known, age_band=band, urgency=urgency)
    everywhere, here = decide(facts, TABLES), decide(facts, TABLES.in_county(county))

    assert (everywhere.urgent_flags, everywhere.level, everywhere.holder) == (
        here.urgent_flags, here.level, here.holder,
    )  # fmt: skip
    gone = {*everywhere.destinations} - {*here.destinations}
    assert gone <= OFFERS
    assert all(band not in (county.bands(each) or ()) for each in gone)
    assert {*here.destinations} <= {*everywhere.destinations}
    hits = {row.partition("/")[2] for row in everywhere.rows if row.startswith("destinations/")}
    assert hits == {
        row.partition("/")[2]
        for row in here.rows
        if row.startswith(("destinations/", f"{LEFT_OUT}/"))
    }


def test_what_a_county_may_lack_is_nothing_whose_loss_is_a_lighter_decision() -> None:
    assert set() == OFFERS & {*NOT_TO_FALL_AWAY}
    assert set(DESTINATIONS) > OFFERS


def test_every_destination_is_proposed_by_some_row() -> None:
    assert set(DESTINATIONS) == {row.then for row in TABLES.destinations.rows}


@given(COUNTIES, KNOWN, st.sampled_from(ANSWER_FIELDS), BANDS, URGENCIES)
def test_more_concern_never_gives_a_lighter_decision_in_any_county(
    county: Settings, known: Known, name: str, band: AgeBand, urgency: UrgencyState
) -> None:
    order = ("no", "unknown", "yes")
    raised: dict[str, Any] = {name: order[min(order.index(getattr(known, name)) + 1, 2)]}
    before = decided(county, known, band, urgency)
    after = decided(county, known._replace(**raised), band, urgency)

    assert {*before.urgent_flags} <= {*after.urgent_flags}
    assert {*before.destinations} & {*NOT_TO_FALL_AWAY} <= {*after.destinations}


@given(COUNTIES, KNOWN, BANDS, URGENCIES)
def test_psychiatry_is_proposed_whatever_the_clinics_age_limits(
    county: Settings, known: Known, band: AgeBand, urgency: UrgencyState
) -> None:
    facts = derive_in(county, known, age_band=band, urgency=urgency)
    tried, placed = facts["a10"] == "yes", facts["placed"] == "yes"
    wanted = (facts["psych"] == "yes" and (tried or placed)) or facts["psychiatry_asks"] == "yes"

    proposed = "psychiatry" in decided(county, known, band, urgency).destinations

    assert proposed == (wanted and urgency in ("not_urgent", "not_asked"))


# --- from how many on it is much ------------------------------------------------------------------


def with_settings(**other: Any) -> Settings:
    return load_settings(RULES)[-1].model_copy(update=other)


def says(county: Settings, column: str, **known: Any) -> str | int:
    return derive_in(county, Known(**known), age_band="7-12", urgency="not_urgent")[column]


def test_a_county_says_how_many_areas_are_several_and_how_many_are_many() -> None:
    two = {"a1": "yes", "a5": "yes"}
    county = with_settings(areas_of_concern=AreasOfConcern(several=3, many=2))

    assert ("yes", "unknown") == (
        says(with_settings(), "several_areas", **two),
        says(with_settings(), "many_areas_besides_a10", **two),
    )
    assert ("unknown", "yes") == (
        says(county, "several_areas", **two), says(county, "many_areas_besides_a10", **two),
    )  # fmt: skip
    assert "perus" == decided(county, Known(**two), "7-12", "not_urgent").level  # type: ignore[arg-type]


def test_where_nothing_is_open_fewer_than_several_is_a_no() -> None:
    no = dict.fromkeys(ANSWER_FIELDS, "no")

    assert "no" == says(with_settings(), "several_areas", **{**no, "a1": "yes"})
    assert "unknown" == says(
        with_settings(), "several_areas", **{**no, "a1": "yes", "a3": "unknown"}
    )


def test_a_county_says_when_the_radar_says_yes_and_how_many_moves_are_often() -> None:
    county = with_settings(radar=Radar(signals=2, sources=1), moved_often=3)

    assert ("no", "yes") == tuple(
        says(each, "radar", signals=2, sources=1) for each in (with_settings(), county)
    )
    assert ("yes", "no") == tuple(
        says(each, "moved_between_placements", moves="2") for each in (with_settings(), county)
    )
    assert "unknown" == says(county, "moved_between_placements")


def test_where_there_is_no_room_something_that_can_begin_is_proposed_besides() -> None:
    demanding = Known(a10="yes", a1="yes", a3="yes", a8="yes", a2="yes")
    room, full = (
        decided(
            with_settings(capacity=Capacity(expert_group=each, psychiatry=each)),
            demanding, "7-12", "not_urgent",
        ).destinations
        for each in ("room", "full")
    )  # fmt: skip

    assert {"expert_group", "psychiatry"} <= {*room} & {*full}
    assert {"systemic_team", "school_welfare"} == {*full} - {*room}


@given(county=COUNTIES, known=KNOWN, urgency=URGENCIES)
def test_what_was_decided_before_of_another_age_changes_nothing(
    county: Settings, known: Known, urgency: UrgencyState
) -> None:
    kept = TABLES.in_county(county)

    for band in get_args(AgeBand):
        facts = derive_in(county, known, age_band=band, urgency=urgency)
        assert decide(facts, TABLES.in_county(county)) == decide(facts, kept)


# --- ages -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ages", "bands"),
    [
        (Ages(at_least=13, at_most=17), {"13-15", "16-17"}),
        (Ages(at_least=12, at_most=17), {"7-12", "13-15", "16-17"}),
        (Ages(at_most=6), {"unborn", "0-6"}),
        (Ages(at_least=0, at_most=0), {"0-6"}),
        (Ages(at_least=18), {"adult"}),
    ],
    ids=["13-17", "12-17", "until-6", "0", "from-18"],
)
def test_an_age_limit_counts_for_every_band_that_it_meets_and_unknown_is_never_no(
    ages: Ages, bands: set[str]
) -> None:
    assert {*bands, "unknown"} == Offered(ages=ages).bands()


def test_an_offer_is_left_out_for_an_age_that_it_is_not_for() -> None:
    known = stated("CHILD-SUBSTANCE")

    for band, offered in (("7-12", True), ("0-6", False), ("adult", False), ("unknown", True)):
        decision = decided(NOW, known, band)  # type: ignore[arg-type]
        assert offered == ("youth_substance_care" in decision.destinations), band


@pytest.mark.parametrize(
    ("clinics", "last_year", "expected"),
    [
        (Clinics(12, 13), "no", {"0-6": "child", "7-12": "child", "13-15": "adolescent"}),
        (Clinics(12, 13), "yes", {"0-6": "child", "7-12": "near_limit", "13-15": "adolescent"}),
        (Clinics(12, 13), "unknown", {"7-12": "near_limit", "16-17": "adolescent"}),
        (Clinics(13, 14), "yes", {"7-12": "child", "13-15": "near_limit", "16-17": "adolescent"}),
        (Clinics(13, 14), "no", {"7-12": "child", "13-15": "near_limit", "16-17": "adolescent"}),
        (Clinics(15, 13), "no", {"7-12": "child", "13-15": "near_limit", "16-17": "adolescent"}),
        (Clinics(), "no", {"unborn": "unknown", "adult": "unknown", "unknown": "unknown"}),
    ],
    ids=str,
)
def test_near_the_clinics_age_limit_the_birth_date_has_to_be_looked_at(
    clinics: Clinics, last_year: Answer, expected: dict[AgeBand, str]
) -> None:
    assert expected == {band: clinics(band, last_year) for band in expected}


@given(st.integers(5, 16), st.dates(date(2008, 6, 16), date(2026, 6, 15)), st.integers(0, 365))
def test_nobody_who_passes_the_limit_within_a_year_is_said_to_be_one_clinics(
    until: int, born: date, days: int
) -> None:
    """So half a year after a message came, nobody who passes it within the next half year is."""
    received = date(2026, 6, 15)
    clinics = Clinics(until, until + 1)
    said = clinics(age_band_on(born, received), last_year_of_band(born, received))

    years = {years_on(born, received), years_on(born, received + timedelta(days=days))}

    if said in ("child", "adolescent"):
        assert {said} == {"child" if year <= until else "adolescent" for year in years}


# --- how columns hang on settings ---------------------------------------------------------------


@given(COUNTIES, KNOWN, BANDS, URGENCIES)
def test_settings_change_no_column_but_their_own_and_keep_it_within_the_proofs(
    county: Settings, known: Known, band: AgeBand, urgency: UrgencyState
) -> None:
    everywhere = derive(known, age_band=band, urgency=urgency)
    here = derive_in(county, known, age_band=band, urgency=urgency)

    assert {name for name in COLUMNS if everywhere[name] != here[name]} <= {*OF_THE_COUNTY}
    assert all(here[name] in column.values for name, column in COLUMNS.items())
    assert list(everywhere) == list(here)


def test_no_column_is_made_of_one_that_settings_change() -> None:
    changed = {name for name, made in made_in(NOTHING).items() if made != MADE[name]}

    assert changed <= {*OF_THE_COUNTY}
    assert not any({*OF_THE_COUNTY} & {*made.of} for made in MADE.values())


def test_from_how_many_on_problems_pile_up_is_the_countys_own() -> None:
    known = NOTHING_KNOWN._replace(notifications=3)

    at_three = settled({}, piling_up=PilingUp(notifications=3))
    at_four = settled({}, piling_up=PilingUp(notifications=4))

    assert "yes" == decided(at_three, known).facts["a7"]
    assert "unknown" == decided(at_four, known).facts["a7"]


# --- questions ------------------------------------------------------------------------------------


def asked(county: Settings, known: Known, band: AgeBand = "7-12") -> list[str]:
    found = Questions(TABLES.in_county(county)).that_matter(known, band, "not_urgent")
    return [ask.question for ask in found]


def test_nothing_is_asked_for_the_sake_of_an_offer_that_the_county_lacks() -> None:
    """Of this child an addiction would only lead to one offer, for those under age."""
    said: dict[str, Any] = dict.fromkeys(QUESTIONS, "no")
    known = NOTHING_KNOWN._replace(**{**said, "a4": "yes", "a6": "yes", "own_addiction": "unknown"})
    palasista: dict[Any, Offered] = {"palasista_eteenpain": Offered(ages=Ages(at_most=12))}

    assert ["own_addiction"] == asked(settled(palasista), known)
    assert [] == asked(settled(palasista), known, "13-15")
    assert [] == asked(NOTHING, known)


DIAGRAMS = {id(county): Questions(TABLES.in_county(county)) for county in (BEFORE, NOW, NOTHING)}
IN_FORCE = {id(county): InForce(TABLES.in_county(county)) for county in (BEFORE, NOW, NOTHING)}
COMPLETIONS = st.fixed_dictionaries(
    dict.fromkeys(QUESTIONS, st.sampled_from(("no", "unknown", "yes")))
)


@settings(deadline=None)
@given(st.sampled_from((BEFORE, NOW, NOTHING)), KNOWN, BANDS, COMPLETIONS, COMPLETIONS)
def test_in_every_county_nothing_unasked_changes_the_decision(
    county: Settings, known: Known, band: AgeBand, one: dict[str, Any], other: dict[str, Any]
) -> None:
    found = DIAGRAMS[id(county)].that_matter(known, band, "not_urgent")
    unknown = {name for name in QUESTIONS if getattr(known, name) == "unknown"}
    unasked = unknown - {ask.question for ask in found}
    first = known._replace(**{name: one[name] for name in unknown})
    second = first._replace(**{name: other[name] for name in unasked})
    if band == "unborn":  # what cannot be so is not asked
        return

    before, after = decided(county, first, band), decided(county, second, band)

    assert (before.urgent_flags, before.level, before.holder, before.destinations) == (
        after.urgent_flags, after.level, after.holder, after.destinations,
    )  # fmt: skip


@settings(deadline=None)
@given(st.sampled_from((BEFORE, NOW)) | COUNTIES, any_known(12), BANDS, URGENCIES)
def test_what_is_left_out_before_deciding_changes_nothing_of_what_is_stored(
    county: Settings, known: Known, band: AgeBand, urgency: UrgencyState
) -> None:
    tables = TABLES.in_county(county)
    facts = derive_in(county, known, age_band=band, urgency=urgency)

    decision, stored = InForce(tables).decide(known, band, urgency)

    assert (decide(facts, tables), orjson.dumps(facts).decode()) == (decision, stored)
    assert list(facts) == list(decision.facts)


@settings(deadline=None)
@given(st.sampled_from((BEFORE, NOW, NOTHING)), any_known(12), BANDS, URGENCIES)
def test_what_is_left_out_before_asking_changes_nothing_that_is_asked(
    county: Settings, known: Known, band: AgeBand, urgency: UrgencyState
) -> None:
    in_force, questions = IN_FORCE[id(county)], DIAGRAMS[id(county)]

    assert " ".join(questions.names(known, band, urgency)) == in_force.asks(known, band, urgency)


@settings(deadline=None)
@given(st.sampled_from((BEFORE, NOW, NOTHING)), KNOWN, BANDS)
def test_in_every_county_each_question_can_change_the_decision(
    county: Settings, known: Known, band: AgeBand
) -> None:
    questions = DIAGRAMS[id(county)]
    for ask in questions.that_matter(known, band, "not_urgent"):
        if ask.at_once:
            said: list[dict[str, Any]] = [{ask.question: each} for each in ("no", "yes")]
            after = {decided(county, known._replace(**each), band).to_json() for each in said}
            assert {decided(county, known, band).to_json()} != after


# --- which settings -------------------------------------------------------------------------------


def test_the_settings_of_the_day_count_and_before_the_first_the_first() -> None:
    assert BEFORE == settings_on((BEFORE, NOW), date(2020, 1, 1))
    assert BEFORE == settings_on((BEFORE, NOW), date(2026, 7, 31))
    assert NOW == settings_on((BEFORE, NOW), date(2026, 8, 1))
    assert settings_on((), date(2026, 8, 1)) is None


RULES_HERE = Rules(TABLES, ClockSettings(), (BEFORE, NOW))
JULY, AUGUST = datetime(2026, 7, 31, 20, 59, tzinfo=UTC), datetime(2026, 7, 31, 21, tzinfo=UTC)


def version(moment: datetime) -> str:
    return RULES_HERE.at(moment).tables.version.rpartition("+")[2]


def test_settings_begin_at_midnight_in_finland() -> None:
    assert "settings@2024-01-01" == version(JULY)
    assert "settings@2026-08-01.2" == version(AUGUST)
    assert "settings@2024-01-01" == version(datetime(2001, 1, 1, tzinfo=UTC))


CHILD = UUID(int=7)


def a_case(received_at: datetime) -> Case:
    return Case(CHILD, "K-0000-0000", "7-12", False, received_at, received_at)  # noqa: FBT003


def a_signal(received_at: datetime) -> Signal:
    receipt = time_ordered_id(received_at)
    sealed = "s1." + "0" * 32 + ".x"
    return Signal(
        id=f"{receipt}.0", child=CHILD, receipt_id=receipt, index=0, children=1,
        received_at=received_at, provisional=False, age_band="7-12",
        facts=CodedFacts(), person=sealed, text=sealed,
    )  # fmt: skip


def screened_with(case: Case, received_at: datetime) -> str:
    """The settings that a notification received then is screened with."""
    changes = Changes({case.child: case})
    receive(changes, case, a_signal(received_at), RULES_HERE, received_at)
    return changes.decisions[-1].rules.rpartition("+")[2]


def test_a_matter_keeps_the_settings_of_the_receipt_that_opened_it() -> None:
    case = a_case(JULY)

    assert "settings@2024-01-01" == screened_with(case, JULY)
    assert "settings@2024-01-01" == screened_with(case, AUGUST)


def test_a_receipt_that_comes_late_and_is_older_opened_the_matter() -> None:
    case = a_case(AUGUST)

    assert "settings@2026-08-01.2" == screened_with(case, AUGUST)
    assert "settings@2024-01-01" == screened_with(case, JULY)


def test_who_is_notified_of_anew_after_the_assessment_has_a_new_matter() -> None:
    case = a_case(JULY)
    screened_with(case, JULY)
    still_pending(case, [])

    assert JULY == case.pending_since  # until then what is learned belongs to the old one
    assert "settings@2026-08-01.2" == screened_with(case, AUGUST)


def test_what_is_pending_yet_says_since_when() -> None:
    case = a_case(JULY)
    screened_with(case, JULY)
    screened_with(case, AUGUST)
    still_pending(case, [AUGUST])

    assert (AUGUST, True) == (case.pending_since, case.pending)


def test_a_stored_decision_can_be_made_again_from_its_facts_and_version() -> None:
    first = decided(NOW, stated("CHILD-SUBSTANCE", "CUSTODY-DISPUTE"), "0-6")

    again = decide(first.facts, load_version(RULES, first.version))

    assert first.to_json() == again.to_json()
    assert any(row.startswith(LEFT_OUT) for row in first.rows)


def test_settings_that_are_gone_are_named() -> None:
    gone = f"{TABLES.version}+settings@2020-01-01"

    with pytest.raises(TablesRefusedError, match=r"settings/2020-01-01\.yaml: no version"):
        load_version(RULES, gone)


# --- placement ------------------------------------------------------------------------------------


def test_a_placed_child_is_offered_its_school_path_and_who_is_not_known_to_be_is_not() -> None:
    case = a_case(AUGUST)
    case.urgency = "not_urgent"
    proposed = {}
    for placed in ("no", "unknown", "yes"):
        case.client = OfClient("yes", "c-1", placed=placed, placed_urgently="no")
        found, _ = RULES_HERE.at(AUGUST).decide(case.stated, "13-15", "not_urgent")
        proposed[placed] = "placed_child_school_path" in found.destinations

    assert {"no": False, "unknown": False, "yes": True} == proposed


# --- files ----------------------------------------------------------------------------------------

Change = Callable[[str], str]


def replacing(old: str, new: str) -> Change:
    def change(text: str) -> str:
        assert old in text
        return text.replace(old, new, 1)

    return change


FAULTS: dict[str, tuple[Change, str]] = {
    "an offer nobody knows": (
        replacing("barnahus:", "sauna:"),
        "settings/2026-08-01.yaml: offers: sauna is not one of family_centre, hospital_school",
    ),
    "a misspelt part": (
        replacing("piling_up:", "pilling_up:"),
        "settings/2026-08-01.yaml: pilling_up: no such part",
    ),
    "a missing part": (replacing("psychiatry:", "ages:"), "psychiatry: it is missing"),
    "a missing language": (replacing(" sv: Exempels", " se: Exempels"), "names.sv: it is missing"),
    "ages turned round": (
        replacing("at_least: 13, at_most: 17 } }\n  ot", "at_least: 18, at_most: 17 } }\n  ot"),
        "offers.demanding_substitute_care.ages: ages are given in years",
    ),
    "ages that say nothing": (
        replacing("{ ages: { at_most: 17 } }", "{ ages: {} }"),
        "offers.palasista_eteenpain.ages: ages are given in years",
    ),
    "children whom no clinic takes": (
        replacing("adolescent: { at_least: 13", "adolescent: { at_least: 14"),
        "psychiatry: no clinic takes 13-year-olds; move the limit of one of them",
    ),
    "a number that is none": (
        replacing("areas: 3", "areas: many"),
        "settings/2026-08-01.yaml: piling_up.areas: many is no whole number",
    ),
    "another day than the file's name": (
        replacing("valid_from: 2026-08-01", "valid_from: 2026-09-01"),
        "settings/2026-08-01.yaml: the file says it is settings, version 2026-09-01",
    ),
    "another county than before": (
        replacing("county: esimerkki", "county: toinen"),
        "settings/2026-08-01.yaml: these are settings of toinen, the others of esimerkki",
    ),
    "a key written twice": (
        replacing("  barnahus:", "  ot_support: {}\n  barnahus:"),
        "settings/2026-08-01.yaml: 'ot_support' stands twice",
    ),
    "no YAML": (lambda _: "offers: [", "settings/2026-08-01.yaml: the file cannot be read"),
    "nothing at all": (lambda _: "", "settings/2026-08-01.yaml: content"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faulty_settings_are_refused_by_file_and_place(fault: str, tmp_path: Path) -> None:
    change, message = FAULTS[fault]
    shutil.copytree(RULES / "settings", tmp_path / "settings")
    path = tmp_path / "settings" / "2026-08-01.yaml"
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")

    with pytest.raises(TablesRefusedError) as refused:
        load_settings(tmp_path, TABLES.destinations)
    assert message in str(refused.value)
    assert str(tmp_path) not in str(refused.value)


def test_a_county_without_settings_is_told_to_write_them(tmp_path: Path) -> None:
    with pytest.raises(TablesRefusedError, match="there are no settings of the county"):
        load_settings(tmp_path)


def test_a_file_without_a_day_in_its_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "settings").mkdir()
    (tmp_path / "settings" / "new.yaml").write_text("", encoding="utf-8")

    with pytest.raises(TablesRefusedError, match="is named after the day they begin"):
        load_settings(tmp_path)


def test_an_offer_that_no_row_proposes_is_named() -> None:
    rows = tuple(row for row in TABLES.destinations.rows if row.then != "barnahus")

    with pytest.raises(TablesRefusedError, match="no row proposes barnahus; add a row, or take"):
        load_settings(RULES, replace(TABLES.destinations, rows=rows))


def test_a_mend_of_the_same_day_takes_the_place_of_what_it_mends(tmp_path: Path) -> None:
    shutil.copytree(RULES / "settings", tmp_path / "settings")
    text = (tmp_path / "settings" / "2026-08-01.yaml").read_text(encoding="utf-8")
    mended = text.replace("valid_from: 2026-08-01", "valid_from: 2026-08-01\nnumber: 2")
    (tmp_path / "settings" / "2026-08-01.2.yaml").write_text(mended, encoding="utf-8")

    found = load_settings(tmp_path)

    assert ["2024-01-01", "2026-08-01.2"] == [each.version for each in found]


# --- counted anew ---------------------------------------------------------------------------------


def a_note(received_at: datetime, *, pending: bool) -> Note:
    return Note(
        id=f"{received_at}", received_at=received_at, check_state="not_urgent", waits=pending,
        age_band="7-12", provisional=False, waits_at_duty=False, told=None, pending=pending,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("pending", "expected"),
    [
        ((True, True), (JULY, True)),
        ((False, True), (AUGUST, True)),
        ((False, False), (AUGUST, False)),
    ],
    ids=str,
)
def test_a_case_counted_anew_knows_which_of_its_receipts_is_pending(
    pending: tuple[bool, bool], expected: tuple[datetime, bool]
) -> None:
    case = a_case(AUGUST)
    notes = [a_note(at, pending=each) for at, each in zip((JULY, AUGUST), pending, strict=True)]

    count_anew(case, notes, ())

    assert expected == (case.pending_since, case.pending)


def test_a_case_that_lost_all_its_notifications_begins_anew_with_the_next() -> None:
    case = a_case(JULY)
    count_anew(case, [], ())

    assert "settings@2026-08-01.2" == screened_with(case, AUGUST)
