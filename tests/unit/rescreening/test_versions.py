"""Which tables a person means, in any of the ways in which one may say it."""

import shutil
from pathlib import Path

import pytest

from deploy.rescreening.versions import NotAVersion, NotLive, new_tables, old_tables
from services.routing.domain.tables import TablesRefusedError, load_tables, load_version

RULES = Path(__file__).parents[3] / "services" / "routing" / "rules"
LIVE = load_tables(RULES)
FIRST = "urgent@2026-11+level@2026-11+holder@2026-11+destinations@2026-11"


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    """A directory with a level table of its own and no other."""
    newest = RULES / "level" / "2026-12.yaml"
    text = newest.read_text(encoding="utf-8").replace("version: 2026-12", "version: 2027-01", 1)
    (tmp_path / "level").mkdir()
    (tmp_path / "level" / "2027-01.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def test_live_is_the_newest_of_each_table() -> None:
    assert LIVE.content_hash == new_tables("live", RULES).content_hash


def test_a_whole_version_is_found_as_decisions_name_it() -> None:
    assert load_version(RULES, FIRST).content_hash == old_tables(FIRST, RULES).content_hash


@pytest.mark.parametrize("said", ["level@2026-11", "holder@2026-11+level@2026-11"])
def test_what_a_short_form_does_not_name_is_the_newest(said: str) -> None:
    found = old_tables(said, RULES).version

    for part in said.split("+"):
        assert part in found
    assert LIVE.version.split("+")[0] == found.split("+")[0]


@pytest.mark.parametrize("path", [".", "level/2027-01.yaml"])
def test_a_draft_is_a_directory_or_a_file_with_the_rest_as_it_is(draft: Path, path: str) -> None:
    found = new_tables(str(draft / path), RULES).version

    assert "level@2027-01" in found
    assert LIVE.version.split("+")[0] == found.split("+")[0]


@pytest.mark.parametrize(
    "said",
    [
        "", "lively", "level", "level@", "level@2019-01", "nothing@2026-11", "level@2026-11+",
        "level@2026-11+level@2026-12", "level@../../level/2026-11", "urgent@2026-11+x",
    ],
)  # fmt: skip
@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_what_is_no_version_is_refused_with_the_ways_to_say_one(said: str, language: str) -> None:
    with pytest.raises(NotAVersion) as refused:
        old_tables(said, RULES)

    assert "level/2027-01.yaml" in refused.value.in_language(language)  # type: ignore[arg-type]


def test_a_directory_or_file_without_tables_is_no_version(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("x", encoding="utf-8")

    for said in (tmp_path, tmp_path / "note.txt"):
        with pytest.raises(NotAVersion):
            old_tables(str(said), RULES)


def test_new_rules_that_fail_a_proof_are_refused_in_words(draft: Path) -> None:
    path = draft / "level" / "2027-01.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("then: vaativa", "then: perus", 1), encoding="utf-8")

    with pytest.raises(NotLive) as refused:
        new_tables(str(draft), RULES)

    assert "level/2027-01.yaml" in refused.value.in_language("fi")
    assert "vaikutusta ei lasketa" in refused.value.in_language("fi")


def test_old_rules_may_be_of_before_there_were_examples_but_new_ones_may_not() -> None:
    assert "level@2026-11" in old_tables("level@2026-11", RULES).version
    with pytest.raises(NotLive):
        new_tables("level@2026-11", RULES)


def test_a_draft_that_is_out_of_form_is_refused_with_file_and_row(draft: Path) -> None:
    path = draft / "level" / "2027-01.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("psych: [yes]", "pysch: [yes]", 1), encoding="utf-8")

    with pytest.raises(TablesRefusedError, match="unknown column pysch"):
        old_tables(str(draft), RULES)


def test_the_rules_of_another_directory_can_be_the_ones_in_force(tmp_path: Path) -> None:
    rules = Path(shutil.copytree(RULES, tmp_path / "rules"))

    assert LIVE.content_hash == new_tables("live", rules).content_hash
