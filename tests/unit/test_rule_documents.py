"""The pages about the rules say what is so: names as at the desk, links, and a change as told."""

import re
import shutil
from pathlib import Path

import pytest

from deploy.cli.rules import SHIPPED, NotLive, NotReady, check_rules
from services.routing.desk.languages import words
from services.routing.desk.words import FACTS, LEVELS
from services.routing.domain.flow import IRRELEVANT
from services.routing.domain.tables import TableName
from services.routing.domain.tables.written import newest
from shared.events import Language

DOCS = Path(__file__).resolve().parents[2] / "docs"
PLAIN: dict[Language, Path] = {
    "fi": DOCS / "nain-seula-paattaa.md",
    "en": DOCS / "how-the-screen-decides.md",
}
CHANGING: dict[Language, Path] = {
    "fi": DOCS / "saantojen-muuttaminen.md",
    "en": DOCS / "changing-the-rules.md",
}
PAGES = [*PLAIN.values(), *CHANGING.values(), *sorted((DOCS / "rules").glob("*.md"))]
AREAS = ("a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "a10")
AS_AT_THE_DESK = ("Why it is proposed so", "What has happened", "Rules")
NOT_TO_KNOW: dict[Language, str] = {
    "fi": "## Mitä seula ei saa tietää",
    "en": "## What the screen may not know",
}
NAMED: dict[Language, set[str]] = {
    "fi": {
        "kunnasta", "nimestä", "kielestä", "kansalaisuudesta", "sukupuolesta", "osoitteesta",
        "koulusta", "yksikössä", "ilmoittaja",
    },
    "en": {
        "municipality", "name", "language", "nationality", "gender", "address", "school", "unit",
        "notifier",
    },
}  # fmt: skip


@pytest.mark.parametrize("language", PLAIN)
def test_areas_and_levels_are_named_as_at_the_desk(language: Language) -> None:
    text, said = PLAIN[language].read_text("utf-8"), words(language)
    told = re.findall(r"^\| (A\d+) \| ([^|]+) \|", text, re.MULTILINE)

    assert [(name.upper(), said.of(FACTS, name)) for name in AREAS] == told
    for level in LEVELS:
        (first, *_) = said.of(LEVELS, level).split()
        assert re.search(rf"^\| {first}\b", text, re.MULTILINE), level


@pytest.mark.parametrize("language", PLAIN)
def test_what_a_worker_is_told_to_look_for_stands_at_the_desk_in_these_words(
    language: Language,
) -> None:
    text = PLAIN[language].read_text("utf-8")

    told = re.findall(r"(?<!\*)\*([^*\n]+)\*(?!\*)", text)
    assert [words(language).text(each) for each in AS_AT_THE_DESK] == told


@pytest.mark.parametrize("language", PLAIN)
def test_all_that_no_rule_may_know_is_listed(language: Language) -> None:
    assert len(IRRELEVANT) == len(NAMED[language])
    after = PLAIN[language].read_text("utf-8").partition(NOT_TO_KNOW[language])[2]
    section = after.partition("\n## ")[0]

    assert [] == sorted(each for each in NAMED[language] if each not in section)


def test_both_languages_have_the_same_parts() -> None:
    fi, en = (
        re.findall(r"^(#+|-|\|) ", page.read_text("utf-8"), re.MULTILINE) for page in PLAIN.values()
    )

    assert fi == en


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8").replace("\n", " "))

    assert links
    assert [] == [link for link in links if not (page.parent / link).is_file()]


# --- the change that is told step by step ---------------------------------------------------------


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    return Path(shutil.copytree(SHIPPED, tmp_path / "my-rules"))


def copied(draft: Path, table: TableName, *changes: tuple[str, str]) -> None:
    """The newest version of a table as 2027-01, changed."""
    path = newest(draft, table)
    text = re.sub(r"(?m)^version: .*$", "version: 2027-01", path.read_text("utf-8"))
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    (draft / table / "2027-01.yaml").write_text(text, "utf-8")


PLACED_NOW = (
    "when: { moved_between_placements: [yes] }",
    "when: { moved_between_placements: [yes], placed: [yes] }",
)
MOVED, NOT_MOVED = "moved_between_placements: yes", "moved_between_placements: [no, unknown]"
EXAMPLES = (
    (f"- {{ {MOVED} }}", f"- {{ {MOVED}, placed: yes }}"),
    (f"{MOVED}, a10", f"{MOVED}, placed: yes, a10"),
    (f"areas_unknown: 8, {MOVED}", f"areas_unknown: 8, {MOVED}, placed: yes"),
    (
        f"- {{ {NOT_MOVED} }}",
        f"- {{ {NOT_MOVED}, placed: yes }}\n        - {{ {MOVED}, placed: [no, unknown] }}",
    ),
)


@pytest.mark.parametrize("language", CHANGING)
def test_a_changed_row_with_forgotten_examples_is_refused_in_the_words_that_are_told(
    language: Language, draft: Path
) -> None:
    copied(draft, "level", PLACED_NOW)

    with pytest.raises(NotLive) as refused:
        check_rules(draft, language)
    told = {line.strip() for line in CHANGING[language].read_text("utf-8").splitlines()}
    assert [] == [line for line in str(refused.value).splitlines() if line not in told]


@pytest.mark.parametrize("language", CHANGING)
def test_with_its_examples_the_change_is_proved(language: Language, draft: Path) -> None:
    copied(draft, "level", PLACED_NOW, *EXAMPLES)

    told = check_rules(draft, language)
    assert "+level@2027-01+" in told
    *_, proved, _, _ = told.splitlines()
    assert f"    {proved}\n" in CHANGING[language].read_text("utf-8")


@pytest.mark.parametrize("language", CHANGING)
def test_what_is_left_to_do_is_told_in_the_words_that_are_printed(
    language: Language, draft: Path
) -> None:
    copied(draft, "level", PLACED_NOW, *EXAMPLES)

    with pytest.raises(NotReady) as unready:
        check_rules(draft, language, shares="measured")
    *_, until, missing = str(unready.value).splitlines()
    assert f"    {until}\n    {missing}\n" in CHANGING[language].read_text("utf-8")


LIGHTER: dict[Language, tuple[str, str]] = {
    "fi": ("rivi expert-group: enemmän huolta, kevyempi päätös", " Ensin: "),
    "en": ("row expert-group: more concern, a lighter decision", " First: "),
}


@pytest.mark.parametrize("language", CHANGING)
def test_a_lighter_decision_is_refused_as_it_is_told(language: Language, draft: Path) -> None:
    sentence, first = LIGHTER[language]
    with_worker = "when: { level: [vaativa], has_worker: [yes], urgency"
    narrower = with_worker.replace("urg", "custody_dispute: [no], urg")
    copied(draft, "destinations", (with_worker, narrower))

    with pytest.raises(NotLive) as refused:
        check_rules(draft, language)
    (lighter,) = [line for line in str(refused.value).splitlines() if sentence in line]
    page = CHANGING[language].read_text("utf-8")
    (told,) = [line.strip() for line in page.splitlines() if sentence in line]
    assert lighter.partition(first)[0] == told.partition(first)[0]
    assert lighter.rpartition(". ")[2] == told.rpartition(". ")[2]  # what changes, nothing else


@pytest.mark.parametrize("language", CHANGING)
def test_a_file_without_an_owner_is_refused_in_the_words_that_are_told(
    language: Language, draft: Path
) -> None:
    copied(draft, "level", ("owner: The county's responsible official for child protection\n", ""))

    with pytest.raises(NotLive) as refused:
        check_rules(draft, language)
    told, *_ = str(refused.value).splitlines()
    assert told.startswith("level/2027-01.yaml: owner: ")
    assert f"    {told}\n" in CHANGING[language].read_text("utf-8")
