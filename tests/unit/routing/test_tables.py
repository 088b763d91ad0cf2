"""Rule files that must not go live are refused, and the message leads to the row."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
import yaml

from services.routing.domain.facts import Facts
from services.routing.domain.tables import Tables, TablesRefusedError, load_tables, load_version
from services.routing.domain.tables.faults import SENTENCES
from services.routing.domain.tables.files import Loader
from services.routing.domain.tables.written import newest
from shared.events import Language
from tests.earlier_rules import copy_with_numbers

RULES = Path(__file__).parents[3] / "services" / "routing" / "rules"
Change = Callable[[str], str]


def replacing(old: str, new: str) -> Change:
    def change(text: str) -> str:
        assert old in text, "the planted fault must hit the shipped file"
        return text.replace(old, new, 1)

    return change


def appending(row: str) -> Change:
    """One more row, listed in the contents."""
    listed = replacing("contents:\n", "contents:\n  - extra\n")
    inline = replacing("contents: [", "contents: [extra, ")
    return lambda text: (inline if "contents: [" in text else listed)(text) + row


def load_changed(directory: Path, table: str, change: Change) -> Tables:
    path = newest(copy_with_numbers(directory), table)  # type: ignore[arg-type]
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    return load_tables(directory)


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Tables:
    return load_tables(copy_with_numbers(tmp_path_factory.mktemp("rules")))


REASON = "reason: { fi: a, sv: b, en: c }\n    basis: own construction\n"
EXTRA_DUTY = "  - id: extra\n    when: { urgency: [open] }\n    then: duty\n    " + REASON
EXTRA_FLAG = "  - id: extra\n    when: { CASE }\n    then: extra\n    " + REASON

FAULTS: dict[str, tuple[str, Change, str]] = {
    "a misspelt column": (
        "level",
        replacing("{ psych: [yes] }", "{ pysch: [yes] }"),
        "level/2026-12.2.yaml, row erityis-psych: unknown column pysch",
    ),
    "a misspelt value": (
        "urgent",
        replacing("{ in_danger: [yes] }", "{ in_danger: [ja] }"),
        "urgent/2026-12.yaml, row danger: in_danger: unknown value ja; known: no, unknown, yes",
    ),
    "a misspelt part of a row": (
        "urgent",
        replacing("then: danger", "than: danger"),
        "urgent/2026-12.yaml, row danger: then: it is missing",
    ),
    "an unknown outcome": (
        "destinations",
        replacing("then: psychiatry", "then: clinic"),
        "row psychiatry-child: then: clinic is not one of expert_group, psychiatry, school_health",
    ),
    "a missing language": (
        "holder",
        replacing("      sv: Det har ännu inte", "      se: Det har ännu inte"),
        "holder/2026-12.yaml, row urgency-open: reason.sv: it is missing",
    ),
    "an empty text": (
        "urgent",
        replacing("fi: Lapsen turvallisuudesta on huoli.", "fi: ''"),
        "urgent/2026-12.yaml, row safety: reason.fi",
    ),
    "a row id used twice": (
        "urgent",
        replacing("id: assault", "id: danger"),
        "row danger: two rows have this id",
    ),
    "a condition written twice": (
        "destinations",
        replacing("{ psych: [yes], psychi", "{ psych: [yes], psych: [no], psychi"),
        "destinations/2026-12.2.yaml: 'psych' stands twice",
    ),
    "a row that is silent for the sake of what a county may lack": (
        "destinations",
        replacing("    unless: [school-health]", "    unless: [school-health, hospital-school]"),
        "row basic-services-after-absence: unless names row hospital-school, which proposes",
    ),
    "a child nobody holds": (
        "holder",
        replacing("existing_client: [unknown] }", "existing_client: [unknown], a7: [yes] }"),
        "no row hits a child of whom is known: problems piling up (a7): no, already a client ",
    ),
    "two holders for one answer": (
        "holder",
        replacing("existing_client: [unknown] }", "existing_client: [no] }"),
        "row client-unknown + not-a-client: both hit a child of whom is known: already a client ",
    ),
    "two holders at once": (
        "holder",
        appending(EXTRA_DUTY),
        "row extra + urgency-open: both hit a child of whom is known: urgency: not judged yet",
    ),
    "a level that is lighter once the last answer is a yes": (
        "level",
        replacing(
            "erityis-psych, erityis-safety, erityis-radar]\n    then: perus",
            "erityis-psych, erityis-safety, erityis-radar]\n    then: erityis",
        ),
        "Then, with nothing else changed: areas not known (areas_unknown): 0",
    ),
    "a level that contradicts another": (
        "level",
        replacing("unless: [vaativa-many-areas, vaativa-rare-domain]\n    ", ""),
        "level/2026-12.2.yaml, row erityis-several-areas",
    ),
    "a child without a level": (
        "level",
        replacing(
            "{ areas_unknown: { at_most: 0 } }", "{ areas_unknown: { at_most: 0 }, a7: [no] }"
        ),
        "level/2026-12.2.yaml: no row hits a child of whom is known: ",
    ),
    "an exception that names no row": (
        "level",
        replacing("unless: [vaativa-many-areas,", "unless: [vaativa,"),
        "row erityis-several-areas: unless names vaativa, which is no other row",
    ),
    "an interval without numbers": (
        "level",
        replacing("{ at_least: 3 }", "{}"),
        "level/2026-12.2.yaml, row vaativa-many-areas: when.areas_besides_a10",
    ),
    "an interval no number lies in": (
        "level",
        replacing("{ at_least: 3 }", "{ at_least: 30 }"),
        "row vaativa-many-areas: areas_besides_a10: no value lies in this interval",
    ),
    "an interval turned round": (
        "level",
        replacing("{ at_least: 3 }", "{ at_least: 3, at_most: 2 }"),
        "row vaativa-many-areas: areas_besides_a10: no value lies in this interval",
    ),
    "a number given as a list": (
        "level",
        replacing("{ at_least: 3 }", "[3]"),
        "row vaativa-many-areas: areas_besides_a10: a number is given by at_least",
    ),
    "a condition that allows nothing": (
        "urgent",
        appending(EXTRA_FLAG.replace("CASE", "psych: []")),
        "row extra: psych: no value is allowed",
    ),
    "a row that another always silences": (
        "urgent",
        appending(EXTRA_FLAG.replace("CASE }", "in_danger: [yes] }\n    unless: [danger]")),
        "urgent/2026-12.yaml, row extra: it can never hit",
    ),
    "a level that looks at itself": (
        "level",
        replacing("{ psych: [yes] }", "{ level: [vaativa] }"),
        "row erityis-psych: unknown column level",
    ),
    "a holder that may be collected": (
        "holder",
        replacing("hit: unique", "hit: collect"),
        "holder/2026-12.yaml: hit: collect does not suit this table; suits: agreeing, unique",
    ),
    "another version than the file's name": (
        "holder",
        replacing("version: 2026-12", "version: 2026-13"),
        "holder/2026-12.yaml: the file says it is holder, version 2026-13",
    ),
    "no rows": (
        "urgent",
        lambda text: text.partition("rows:")[0] + "rows: []\n",
        "urgent/2026-12.yaml: a table needs rows",
    ),
    "no YAML": ("urgent", lambda _: "rows: [", "urgent/2026-12.yaml"),
    "nothing at all": ("urgent", lambda _: "", "urgent/2026-12.yaml: content: it is empty"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_table_is_refused_by_file_and_row(fault: str, tmp_path: Path) -> None:
    table, change, message = FAULTS[fault]

    with pytest.raises(TablesRefusedError) as refused:
        load_changed(tmp_path, table, change)
    assert message in str(refused.value)
    assert str(tmp_path) not in str(refused.value)


def test_a_missing_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TablesRefusedError, match="urgent: no version"):
        load_tables(tmp_path)


def test_a_version_that_cannot_be_ordered_is_refused(tmp_path: Path) -> None:
    shutil.copytree(RULES, tmp_path, dirs_exist_ok=True)
    shutil.copy(tmp_path / "level" / "2026-11.yaml", tmp_path / "level" / "new.yaml")

    with pytest.raises(TablesRefusedError, match=r"level/new\.yaml: a version is named"):
        load_tables(tmp_path)


def test_the_newest_version_of_a_table_is_the_one_in_use(tmp_path: Path) -> None:
    shutil.copytree(RULES, tmp_path, dirs_exist_ok=True)
    text = (tmp_path / "urgent" / "2026-12.yaml").read_text(encoding="utf-8")
    for version in ("2026-12.9", "2026-12.10"):
        newer = text.replace("version: 2026-12", f"version: {version}")
        (tmp_path / "urgent" / f"{version}.yaml").write_text(newer, encoding="utf-8")

    assert load_tables(tmp_path).version.startswith("urgent@2026-12.10+level@2026-12.3+")


def test_the_hash_follows_the_content_and_not_the_order_or_the_layout(
    tmp_path: Path, shipped: Tables
) -> None:
    def turned_round(text: str) -> str:
        content = yaml.load(text, Loader)  # noqa: S506 -- a safe one
        content["rows"].reverse()
        return yaml.safe_dump(content, default_style='"')

    same = load_changed(tmp_path / "same", "level", turned_round)
    other = load_changed(
        tmp_path / "other", "level", replacing("Huolta on ainakin", "Huoli on ainakin")
    )

    assert shipped.content_hash == same.content_hash
    assert shipped.content_hash != other.content_hash
    assert len(shipped.content_hash) == 64


def test_yes_and_no_may_be_written_as_people_write_them(shipped: Tables) -> None:
    flat = {value for row in shipped.holder.rows for _, allowed in row.when for value in allowed}

    assert {"yes", "no", "unknown", "open", "urgent", "not_urgent", "not_asked"} == flat


def test_a_row_that_is_named_twice_in_unless_silences_as_if_it_were_named_once(
    tmp_path: Path, shipped: Tables
) -> None:
    once = "unless: [vaativa-many-areas, vaativa-rare-domain]"
    twice = "unless: [vaativa-many-areas, vaativa-many-areas, vaativa-rare-domain]"
    tables = load_changed(tmp_path, "level", replacing(once, twice))
    facts: Facts = {"a10": "yes", "areas_besides_a10": 3, "areas_of_concern": 4, "areas_unknown": 0}

    assert shipped.evaluate(facts).level == tables.evaluate(facts).level


def test_every_table_says_that_it_is_not_the_institutes_screen(shipped: Tables) -> None:
    for table in (shipped.urgent, shipped.level, shipped.holder, shipped.destinations):
        for text in (table.note.fi, table.note.sv, table.note.en):
            assert "THL" in text


FIRST_VERSIONS = {
    "urgent@2026-11+level@2026-11+holder@2026-11.2+destinations@2026-11.3": (
        "580642004900b7f6c3845eb468e977bb3791360c59944e0931b1f31a1aa21c14"
    ),
}


@pytest.mark.parametrize("version", FIRST_VERSIONS)
def test_versions_that_were_in_use_are_still_what_they_were(version: str) -> None:
    """Decisions were stored with these hashes, before rows had examples."""
    tables = load_version(RULES, version)

    assert (version, FIRST_VERSIONS[version]) == (tables.version, tables.content_hash)
    assert "The notification says" in tables.reasons["urgent/danger"].in_language("en")


WITH_EXAMPLES = "urgent@2026-12+level@2026-12+holder@2026-12+destinations@2026-12"


def test_the_first_versions_with_examples_differ_from_those_before_in_nothing_else() -> None:
    (before,) = FIRST_VERSIONS
    old, new = load_version(RULES, before), load_version(RULES, WITH_EXAMPLES)

    for one, other in zip(old.each(), new.each(), strict=True):
        assert one.rows == other.rows
    assert old.reasons == new.reasons


def test_a_version_that_is_gone_is_named() -> None:
    gone = "urgent@2020-01+level@2026-11+holder@2026-11.2+destinations@2026-11.3"

    with pytest.raises(TablesRefusedError, match=r"urgent/2020-01\.yaml: no version"):
        load_version(RULES, gone)


EXAMPLES: dict[str, tuple[str, Change, str]] = {
    "none at all": (
        "urgent",
        replacing(
            "    examples:\n      match:\n        - { in_danger: yes }\n"
            "      no_match:\n        - { in_danger: [no, unknown] }\n",
            "",
        ),
        "urgent/2026-12.yaml, row danger: it has no examples",
    ),
    "one the row does not hit": (
        "urgent",
        replacing("- { self_harm: yes }", "- { self_harm: [unknown, yes] }"),
        "row self-harm: the row does not hit an example that it must match: self-harm (self_harm)",
    ),
    "one the row hits and must not": (
        "urgent",
        replacing("- { self_harm: [no, unknown] }", "- { self_harm: [no, unknown, yes] }"),
        "row self-harm: the row hits an example that it must not match: self-harm (self_harm): yes",
    ),
    "none that the row hits alone": (
        "destinations",
        replacing(
            "psychiatry_clinic: child, urgency: [not_urgent, not_asked], level: erityis }",
            "psychiatry_clinic: child, urgency: not_urgent, level: erityis }",
        ),
        "row psychiatry-child: no example is hit by this row alone",
    ),
    "none inside a limit": (
        "level",
        replacing("- { areas_of_concern: 2 }", "- { areas_of_concern: 3 }"),
        "row erityis-several-areas: an example inside the limit areas_of_concern = 2 is missing",
    ),
    "none outside a limit": (
        "level",
        replacing("- { areas_of_concern: 1 }", "- { areas_of_concern: 0 }"),
        "row erityis-several-areas: an example outside the limit areas_of_concern = 1 is missing",
    ),
    "none for a silencing row": (
        "destinations",
        replacing(
            "        - { level: perus, urgency: not_asked, absence_confirmed: yes, "
            "absence_health: yes }\n",
            "",
        ),
        "row basic-services-after-absence: an example that only school-health keeps from the row",
    ),
    "a misspelt column": (
        "urgent",
        replacing("- { self_harm: yes }", "- { selfharm: yes }"),
        "row self-harm: unknown column selfharm",
    ),
}


@pytest.mark.parametrize("fault", EXAMPLES)
def test_examples_that_are_wrong_or_too_few_are_refused(fault: str, tmp_path: Path) -> None:
    table, change, message = EXAMPLES[fault]

    with pytest.raises(TablesRefusedError) as refused:
        load_changed(tmp_path, table, change)
    assert message in str(refused.value)


@pytest.mark.parametrize("language", get_args(Language))
def test_every_sentence_about_a_fault_is_there_in_every_language(language: Language) -> None:
    for kind, sentence in SENTENCES.items():
        assert sentence.in_language(language), kind
        named = set(re.findall(r"{(\w+)}", sentence.in_language(language)))
        assert named == set(re.findall(r"{(\w+)}", sentence.en)), kind
