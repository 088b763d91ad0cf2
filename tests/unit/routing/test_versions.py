"""What a decision was made with is named in one way, and told from what is no name of it."""

from pathlib import Path

import pytest

from services.routing.domain.tables.versions import Version, VersionNameError, settings_named

WHOLE = "urgent@2026-12+level@2026-12.2+holder@2026-12+destinations@2026-12.10"
RULES = Path("rules")


@pytest.mark.parametrize(
    "name",
    [WHOLE, f"{WHOLE}+settings@2026-08-01", f"{WHOLE}+settings@2026-08-01.2", "level@2026-11"],
)
def test_a_name_is_read_and_written_alike(name: str) -> None:
    assert name == str(Version.read(name))


def test_a_version_knows_its_files_and_its_newest_table() -> None:
    version = Version.read(f"{WHOLE}+settings@2026-08-01.2")

    assert version.is_whole
    assert "2026-12.10" == version.newest
    assert RULES / "level" / "2026-12.2.yaml" == version.file("level", RULES)
    assert RULES / "settings" / "2026-08-01.2.yaml" == version.settings_file(RULES)


def test_a_part_of_the_tables_is_no_whole_version() -> None:
    version = Version.read("level@2026-11+holder@2026-11.2")

    assert not version.is_whole
    assert version.settings_file(RULES) is None


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("", ""),
        ("level", "level"),
        ("level@", "level@"),
        ("level@2026-11+", ""),
        ("score@2026-11", "score@2026-11"),
        ("level@../../level/2026-11", "level@../../level/2026-11"),
        ("level@2026-11+level@2026-12", "level@2026-12"),
        ("settings@2026-08-01", "settings@2026-08-01"),
        ("level@2026-11+settings@..", "settings@.."),
        ("level@2026-11+settings@2026-08-01.1", "settings@2026-08-01.1"),
        ("settings@2026-08-01+level@2026-11", "settings@2026-08-01"),
    ],
)
def test_what_is_no_name_is_told_by_its_part(name: str, part: str) -> None:
    with pytest.raises(VersionNameError) as refused:
        Version.read(name)
    assert part == refused.value.part


def test_the_settings_of_what_is_no_name_are_none() -> None:
    assert "2026-08-01" == settings_named(f"{WHOLE}+settings@2026-08-01")
    assert [None, None] == [settings_named(WHOLE), settings_named("settings@2026-08-01")]
