"""The rules as a social worker reads them: every row of every version, in three languages."""

import re
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from starlette.requests import Request

from services.routing.desk.languages import LANGUAGES, words
from services.routing.desk.rendering import Page
from services.routing.desk.rule_pages import settings_in_words
from services.routing.desk.rules import (
    HITS,
    OWNERS,
    PROVED,
    TITLES,
    VersionView,
    _read,
    changed_in_words,
    effect_view,
    listings,
    read_version,
    version_in_words,
)
from services.routing.desk.sessions import Worker
from services.routing.domain.county import Ages, Offered
from services.routing.domain.effect import Effect
from services.routing.domain.facts import COLUMNS
from services.routing.domain.tables import load_settings, load_tables
from services.routing.domain.tables.written import NAMES
from services.routing.effects.store import Kept
from shared.events import Language
from tests.unit.rescreening.test_effect import OF_MIND, OF_PSYCH, ORDINARY, counted, effect
from tests.unit.routing.test_comparing import RULES, stored_without

VERSION = load_tables(RULES).version
FIRST = "urgent@2026-11+level@2026-11+holder@2026-11+destinations@2026-11"
EVERY = [f"{path.parent.name}@{path.stem}" for name in NAMES for path in (RULES / name).glob("*")]
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
SUPERVISOR = Worker("kaisa", "Kaisa Näyte", "supervisor")
CODE = re.compile(r"\b(" + "|".join(name for name in COLUMNS if "_" in name) + r")\b")


def page(language: Language) -> Page:
    scope = {
        "type": "http", "method": "GET", "path": "/rules", "query_string": b"", "headers": [],
        "server": ("desk.test", 80), "scheme": "http",
    }  # fmt: skip
    return Page(Request(scope), words(language), demo=True, clock=lambda: NOW, worker=SUPERVISOR)


async def shown(version: str, language: Language) -> str:
    """The page of a version, as HTML."""
    view = await read_version(RULES, version, words(language))
    assert view is not None
    questions = {"version": "2026-12", "owner": "x", "each": [("Onko?", ("family",))]}
    kept = [Kept(7, "stored", version, "1" * 64, NOW, 3)]
    return bytes(
        page(language).render(
            "rules_version.html", queue="rules", live=VERSION, view=view, proved=PROVED,
            in_force=True, questions=questions, settings=(), kept=kept,
        ).body
    ).decode()  # fmt: skip


async def view_of(version: str, language: Language = "en", directory: Path = RULES) -> VersionView:
    view = await read_version(directory, version, words(language))
    assert view is not None
    return view


@pytest.mark.parametrize("version", EVERY)
async def test_owners_and_what_rows_rest_on_are_told_in_every_language(version: str) -> None:
    names = {words(language).of(OWNERS, each) for language in ("fi", "sv") for each in OWNERS}
    for language in ("fi", "sv"):
        (table,) = (await view_of(version, language)).tables
        said = [row.basis for row in table.rows]

        assert {table.owner, *(row.owner for row in table.rows)} <= names
        assert not [each for each in said if re.search(r"own construction|duty", each)]


async def test_a_row_that_keeps_another_out_is_named_by_its_reason() -> None:
    (table,) = (await view_of("level@2026-12")).tables
    row = next(row for row in table.rows if row.id == "erityis-psych")

    reasons = {each.id: each.reason for each in table.rows}

    assert row.unless
    assert dict(row.unless).items() <= reasons.items()


def test_a_version_is_named_by_its_tables_and_a_change_by_those_that_differ() -> None:
    fi = words("fi")
    new = "urgent@2026-12+level@2026-12.2+settings@2026-08-01"

    assert (
        "Kiireellisyyden merkit 2026-12, Taso 2026-12.2, Hyvinvointialueen asetukset 2026-08-01"
        == (version_in_words(new, fi))
    )
    assert ("Taso 2026-12", "Taso 2026-12.2") == changed_in_words(
        new.replace("12.2", "12"), new, fi
    )
    assert ("Taso 2026-12", "Taso 2026-12") == changed_in_words(
        "level@2026-12", "level@2026-12", fi
    )
    assert "stored" == version_in_words("stored", fi)


async def test_a_row_is_read_as_words() -> None:
    view = await view_of("level@2026-12")

    (table,) = view.tables
    row = next(row for row in table.rows if row.id == "vaativa-many-areas")
    assert "Demanding level" == row.outcome
    assert (
        "concern about how services work: yes",
        "areas of concern besides services: at least 3",
    ) == row.when
    assert "concern about how services work: no or not known" in row.fits_not[1]
    assert "own construction" == row.basis


@pytest.mark.parametrize("language", LANGUAGES)
async def test_every_shipped_version_is_readable_in_every_language(language: Language) -> None:
    for version in EVERY:
        view = await view_of(version, language)
        assert () == view.faults
        for table in view.tables:
            assert table.rows
            for row in table.rows:
                told = " ".join((row.outcome, *row.when, *row.fits, *row.fits_not))
                assert not CODE.search(told), f"{version} {row.id}: {told}"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_page_has_tables_proofs_exceptions_questions_settings_and_effect(
    language: Language,
) -> None:
    html = await shown(VERSION, language)

    for part in (*NAMES, "proofs", "exceptions", "questions", "settings", "effect"):
        assert f'id="{part}"' in html
    assert 'id="level-erityis-psych"' in html
    assert 'href="#level-vaativa-many-areas"' in html
    assert 'href="/rules/effects/7"' in html
    unsigned = {"fi": "kokeilu, allekirjoittamaton", "sv": "demo, osignerad"}
    assert unsigned.get(language, "demo, unsigned") in html
    for text in PROVED:
        assert words(language).text(text).replace("'", "&#39;") in html


async def test_what_is_proved_is_said_of_what_is_proved_alone() -> None:
    live, first, part = [await view_of(v) for v in (VERSION, FIRST, "level@2026-12")]

    assert (True, True) == (live.proved, live.is_whole)
    assert (False, True) == (first.proved, first.is_whole)
    assert (False, False) == (part.proved, part.is_whole)
    assert "proved by the rules of their day" in await shown(FIRST, "en")
    assert "Every row can fit some child" not in await shown(FIRST, "en")
    assert "Tables are proved together" in await shown("level@2026-12", "en")


@pytest.mark.parametrize(
    "name",
    [
        "", "level", "level@1999-01", "nothing@2026-11", "level@../level/2026-11", "level@2026-11+",
        "level@2026-11+level@2026-12", "../level@2026-11", "level@2026-11.yaml",
    ],
)  # fmt: skip
async def test_what_is_no_version_is_not_there(name: str) -> None:
    assert await read_version(RULES, name, words("en")) is None


async def test_a_version_that_cannot_be_read_any_more_says_why(tmp_path: Path) -> None:
    rules = Path(shutil.copytree(RULES, tmp_path / "rules"))
    path = rules / "level" / "2026-11.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("psych: [yes]", "pysch: [yes]"))

    view = await view_of("level@2026-11", directory=rules)

    assert ["unknown column pysch" in line for line in view.faults] == [True]
    _read.cache_clear()


async def test_a_version_may_name_the_settings_of_the_county(tmp_path: Path) -> None:
    rules = Path(shutil.copytree(RULES, tmp_path / "rules"))

    view = await view_of(f"{VERSION}+settings@2026-08-01", directory=rules)

    assert view.settings is not None
    assert ("2026-08-01", True, True) == (view.settings.version, view.is_whole, view.proved)
    for name in ("+settings@2026-09-01", "+settings@..", "+settings@2026-08-01+level@2026-11"):
        assert await read_version(rules, VERSION + name, words("en")) is None
    assert await read_version(rules, "settings@2026-08-01", words("en")) is None


async def test_settings_that_cannot_be_read_any_more_are_said_and_not_left_out(
    tmp_path: Path,
) -> None:
    rules = Path(shutil.copytree(RULES, tmp_path / "rules"))
    (rules / "settings" / "2026-08-01.yaml").write_text("county: 1\n")

    view = await view_of(f"{VERSION}+settings@2026-08-01", directory=rules)

    assert view.faults
    assert (None, False) == (view.settings, view.proved)


@pytest.mark.parametrize(
    ("language", "lines"),
    [
        ("fi", ("Voimassa alkaen: 1.8.2026 (2026-08-01.2)", "Sairaalakoulu: 7–17 vuotta",
                "Palasista eteenpäin: Jo ennen syntymää, enintään 17 vuotta",
                "Nuorisopsykiatria: 13–17 vuotta", "Perhekeskus: Kaikille")),
        ("sv", ("I kraft från och med: 1.8.2026 (2026-08-01.2)", "Sjukhusskola: 7–17 år",
                "Palasista eteenpäin: Redan före födseln, högst 17 år",
                "Ungdomspsykiatri: 13–17 år", "Familjecentret: För alla")),
        ("en", ("In force from: 1 Aug 2026 (2026-08-01.2)", "Hospital school: 7–17 years",
                "Palasista eteenpäin: From before birth, at most 17 years",
                "Adolescent psychiatry: 13–17 years", "Family centre: For everybody",
                "Child psychiatry: 0–12 years",
                "County: Wellbeing Services County of Example",
                "Not offered here: Outreach pair")),
    ],
)  # fmt: skip
def test_the_settings_of_the_county_are_read_as_words(
    language: Language, lines: tuple[str, ...]
) -> None:
    settings = load_settings(RULES)[-1]

    said = [f"{name}: {value}" for name, value in settings_in_words(settings, words(language))]

    assert set(lines) <= set(said)
    assert len(settings.offers) == sum(": " in each for each in said) - 12
    assert not [each for each in said if "_" in each or "%" in each]


def test_an_offer_from_some_age_on_and_one_without_settings_are_read_as_words() -> None:
    settings = load_settings(RULES)[-1]
    grown = settings.model_copy(update={"offers": {"ot_support": Offered(ages=Ages(at_least=12))}})

    said = dict(settings_in_words(grown, words("en")))

    assert "At least 12 years" == said["OT support"]
    assert said["Problems piling up"] == (
        "At least 3 areas of concern, 3 notifications or 2 children of one household"
    )
    assert () == settings_in_words(None, words("en"))


async def test_the_newest_version_stands_first(tmp_path: Path) -> None:
    for name in NAMES:
        (tmp_path / name).mkdir()
        for version in ("2026-11", "2026-11.10", "2026-12", "2026-11.2"):
            (tmp_path / name / f"{version}.yaml").touch()

    found = await listings(tmp_path, words("en"))

    assert [*TITLES] == [each.table for each in found]
    assert {("2026-12", "2026-11.10", "2026-11.2", "2026-11")} == {each.versions for each in found}


def test_each_way_of_hitting_has_words() -> None:
    assert {"collect", "unique", "agreeing"} == set(HITS)


# --- an effect ------------------------------------------------------------------------------------


def an_effect() -> Effect:
    lacking: Any = stored_without(ORDINARY, *OF_PSYCH)
    return effect(counted(ORDINARY, OF_MIND, OF_MIND, lacking), accepted=1, declined=1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_effect_is_read_with_a_link_to_each_case(language: Language) -> None:
    kept = Effect.model_validate_json(an_effect().model_dump_json())
    view = effect_view(kept, words(language))

    html = bytes(
        page(language).render("rules_effect.html", queue="rules", number=7, view=view).body
    ).decode()

    for number in (1, 2, 3):
        assert f'href="/cases/{UUID(int=number << 88)}"' in html
    assert words(language).text("Perhaps:") in html
    assert "destinations/psychiatry" in html
    assert "−0.2" in html.replace("&#8722;", "−"), "two fewer in ten weeks"
    assert "−0.1" in html, "of which every second is accepted"


def test_an_effect_without_cases_is_shown_as_such() -> None:
    nothing = effect(counted())
    view = effect_view(nothing, words("en"))

    html = bytes(page("en").render("rules_effect.html", number=1, view=view).body).decode()

    assert "No case would become lighter." in html
    assert orjson.loads(nothing.model_dump_json())["reading"] == []
