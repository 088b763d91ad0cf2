"""What other rules would say of a stored case, and when that cannot be known."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.routing.domain.comparing import Compared, Comparison, Unsure
from services.routing.domain.decision import decide
from services.routing.domain.facts import CAME_UNSAID, COLUMNS, MADE, Facts, Known, derive
from services.routing.domain.flow import FLOW
from services.routing.domain.lighter import Fall, Stands, falls
from services.routing.domain.replaying import as_stored, unlike
from services.routing.domain.tables import Tables, load_version
from services.routing.domain.tables.engine import compile_tables
from services.routing.domain.tables.loading import read_version
from services.routing.domain.tables.written import WrittenRow, WrittenTable

RULES = Path(__file__).parents[3] / "services" / "routing" / "rules"
VERSION = "urgent@2026-12+level@2026-12+holder@2026-12+destinations@2026-12"
LIVE = load_version(RULES, VERSION)
WRITTEN = read_version(RULES, VERSION)
FIRST = "urgent@2026-11+level@2026-11+holder@2026-11+destinations@2026-11"


def of_a_child(**known: Any) -> Facts:
    return derive(Known(**known), age_band="7-12", urgency="not_urgent")


def changed(table: str, change: Callable[[WrittenRow], WrittenRow | None]) -> Tables:
    """The shipped tables with each row of one table changed, or left out."""

    def changed_table(written: WrittenTable) -> WrittenTable:
        rows = tuple(row for each in written.rows if (row := change(each)))
        return written.model_copy(update={"rows": rows})

    return compile_tables([changed_table(t) if t.table == table else t for t in WRITTEN])


def without(name: str) -> Callable[[WrittenRow], WrittenRow | None]:
    """The table without this row, as if it had never been there."""

    def change(row: WrittenRow) -> WrittenRow | None:
        unless = tuple(other for other in row.unless if other != name)
        return None if row.id == name else row.model_copy(update={"unless": unless})

    return change


@pytest.mark.parametrize(
    ("before", "after", "lighter"),
    [
        (Stands(("danger",), "perus", "duty", ()), Stands((), "perus", "duty", ()), "danger"),
        (
            Stands((), "vaativa", "duty", ()),
            Stands((), "erityis", "duty", ()),
            "vaativa",
        ),
        (
            Stands((), "perus", "duty", ("psychiatry", "basic_services")),
            Stands((), "perus", "duty", ("expert_group", "basic_services")),
            "psychiatry",
        ),
        (
            Stands((), "perus", "duty", ("basic_services", "school_health")),
            Stands((), "erityis", "own_worker", ()),
            None,
        ),
        (Stands((), "perus", "duty", ()), Stands(("alone",), "vaativa", "duty", ()), None),
    ],
    ids=["a sign falls away", "the level drops", "psychiatry falls away", "basic services", "more"],
)
def test_lighter_is_a_sign_gone_a_lower_level_or_a_lost_expert_group_or_psychiatry(
    before: Stands, after: Stands, lighter: str | None
) -> None:
    assert ([lighter] if lighter else []) == [fall.was for fall in falls(before, after)]


def test_a_case_that_moves_to_something_lighter_names_what_falls_and_the_rows_behind_it() -> None:
    new = changed("level", without("erityis-psych"))

    found = Comparison(LIVE, new).of(of_a_child(a2="yes"))

    assert isinstance(found, Compared)
    assert (Fall("level", "erityis", "perus"),) == found.falls
    assert ("level/erityis-psych",) == found.rows.gone
    assert ("level/perus-so-far", "destinations/basic-services") == found.rows.new


def test_a_row_that_says_something_else_under_the_same_name_is_named() -> None:
    def weaker(row: WrittenRow) -> WrittenRow:
        return row.model_copy(update={"then": "erityis"}) if row.then == "vaativa" else row

    found = Comparison(LIVE, changed("level", weaker)).of(
        of_a_child(a10="yes", a1="yes", a3="yes", a5="yes")
    )

    assert isinstance(found, Compared)
    assert {"vaativa", "expert_group"} == {fall.was for fall in found.falls}
    assert "level/vaativa-many-areas" in found.rows.gone
    assert "level/vaativa-many-areas" in found.rows.new


def test_the_same_tables_move_nothing() -> None:
    found = Comparison(LIVE, LIVE).of(of_a_child(a2="yes", self_harm="yes"))

    assert isinstance(found, Compared)
    assert (found.before, ()) == (found.after, found.falls)


def stored_without(facts: Facts, *names: str) -> Facts:
    return {name: value for name, value in facts.items() if name not in names}


def test_a_column_that_was_not_stored_is_derived_from_those_that_were() -> None:
    facts = of_a_child(a10="yes", a1="yes", a3="yes", a5="yes")
    new = changed("level", without("vaativa-many-areas"))

    found = Comparison(LIVE, new).of(stored_without(facts, "areas_besides_a10", "areas_of_concern"))

    assert isinstance(found, Compared)
    assert {"areas_besides_a10", "areas_of_concern"} == set(found.derived)
    whole = Comparison(LIVE, new).of(facts)
    assert whole == found._replace(derived=())


def test_what_nobody_could_state_when_the_facts_were_stored_was_unknown() -> None:
    """Else no case of before could be compared with rules that read it."""
    version = "urgent@2026-12+level@2026-12.3+holder@2026-12+destinations@2026-12."
    old, new = load_version(RULES, version + "3"), load_version(RULES, version + "4")
    facts = of_a_child(a1="yes")
    assert "placement_planned" in facts

    found = Comparison(old, new).of(stored_without(facts, "placement_planned"))

    assert isinstance(found, Compared)
    assert (("placement_planned",), ()) == (found.derived, found.whatever)
    assert Comparison(old, new).of(facts) == found._replace(derived=())


def test_a_column_came_unsaid_only_if_no_message_states_it_and_its_field_is_its_own() -> None:
    for name in CAME_UNSAID:
        assert (name,) == MADE[name].of
        assert () == FLOW.learned[name], "a message could have stated it before"


def test_a_lacking_column_whose_value_makes_no_difference_hinders_nothing() -> None:
    facts = stored_without(of_a_child(a10="no"), "rare_domain")

    found = Comparison(LIVE, LIVE).of(facts)

    assert isinstance(found, Compared)
    assert ("rare_domain",) == found.whatever


def test_a_lacking_column_is_no_less_than_what_it_is_made_of() -> None:
    """Nobody stored `psych`, but mental health was of concern, and so it was."""
    facts = stored_without(of_a_child(a2="yes"), "psych", "own_substance_use")

    found = Comparison(LIVE, changed("level", without("erityis-psych"))).of(facts)

    assert isinstance(found, Compared)
    assert (("psych",), ("erityis", "perus")) == (
        found.whatever, (found.before.level, found.after.level),
    )  # fmt: skip


def test_what_hangs_on_a_fact_that_was_not_stored_cannot_be_compared_and_says_so() -> None:
    new = changed("destinations", without("psychiatry-asks"))
    facts = stored_without(of_a_child(a5="yes"), "psychiatry_asks")

    found = Comparison(LIVE, new).of(facts)

    assert Unsure(("psychiatry_asks",), (Fall("destinations", "psychiatry"),)) == found


def test_a_value_that_no_column_knows_is_lacking_and_never_taken_for_unknown() -> None:
    facts = {**of_a_child(a5="yes"), "psych": "perhaps"}

    found = Comparison(LIVE, changed("level", without("erityis-psych"))).of(facts)

    assert isinstance(found, Unsure)
    assert ("psych",) == found.lacking
    assert found.perhaps is not None
    assert Fall("level", "erityis", "perus") in found.perhaps


def test_too_many_possibilities_are_not_tried() -> None:
    found = Comparison(LIVE, changed("level", without("erityis-psych"))).of({})

    assert isinstance(found, Unsure)
    assert found.perhaps is None


def test_every_derived_column_of_a_decision_that_lacks_it_is_as_derive_makes_it() -> None:
    """Whatever single column was not stored: what is derived is right."""
    facts = of_a_child(a10="yes", a1="yes", a4="yes", custody_dispute="yes", in_danger="yes")
    reads_all = Comparison(LIVE, LIVE)
    reads_all._read = tuple(COLUMNS)

    for name in MADE:
        completed, _ = reads_all._completed(stored_without(facts, name))
        assert completed.get(name, facts[name]) == facts[name]


# --- replay -----------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [LIVE.version, FIRST])
def test_a_stored_decision_comes_out_again_byte_for_byte(version: str) -> None:
    tables = load_version(RULES, version)
    decision = decide(of_a_child(a2="yes", in_danger="yes"), tables)

    assert () == unlike(as_stored(decision), tables)


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"level": "perus"}, ("level",)),
        ({"rows": "level/perus-so-far"}, ("rows",)),
        ({"rules_hash": "0" * 64}, ("rules_hash",)),
        ({"facts": "{"}, ("facts",)),
        ({"facts": "[]"}, ("facts",)),
    ],
)
def test_a_decision_that_was_altered_is_found_out(
    change: Mapping[str, str], fields: tuple[str, ...]
) -> None:
    stored = as_stored(decide(of_a_child(a2="yes"), LIVE))

    assert fields == unlike(stored._replace(**change), LIVE)


def test_facts_that_were_rewritten_in_another_form_are_found_out() -> None:
    stored = as_stored(decide(of_a_child(a2="yes"), LIVE))
    spaced = orjson.dumps(orjson.loads(stored.facts), option=orjson.OPT_INDENT_2).decode()

    assert ("facts",) == unlike(stored._replace(facts=spaced), LIVE)
