"""Stored decisions that do not come out again are named, each of them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import get_args
from uuid import UUID

import pytest

from deploy.rescreening.diffing import readable
from deploy.rescreening.replaying import Replayed, Replaying, _together
from deploy.rescreening.report import MOST_UNLIKE, replayed_lines, write_unlike
from services.routing.domain.cases import case_mark
from services.routing.domain.decision import decide
from services.routing.domain.facts import Known, derive
from services.routing.domain.replaying import as_stored
from services.routing.domain.tables import load_version
from shared.events import Language

RULES = Path(__file__).parents[3] / "services" / "routing" / "rules"
FIRST = "urgent@2026-11+level@2026-11+holder@2026-11+destinations@2026-11"
SECOND = FIRST.replace("level@2026-11", "level@2026-12")
GONE = FIRST.replace("level@2026-11", "level@1999-01")
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
CHILD = UUID(int=7 << 88)
TABLES = readable([FIRST, SECOND, GONE, "not a version"], RULES)
FACTS = derive(Known(a2="yes"), age_band="7-12", urgency="not_urgent")


def replayed(*changes: dict[str, str], version: str = FIRST) -> Replayed:
    """Decisions of one version, each with something altered after it was made, or nothing."""
    replaying = Replaying(TABLES)
    stored = as_stored(decide(FACTS, load_version(RULES, FIRST)))._replace(rules=version)
    for seq, change in enumerate(changes):
        replaying.add(CHILD, seq, NOW, stored._replace(**change))
    return Replayed(replaying.alike, tuple(replaying.unlike), replaying.unread)


def test_what_comes_out_the_same_is_whole() -> None:
    found = replayed({}, {})

    assert (2, True) == (found.alike, found.is_whole)


def test_each_altered_decision_is_named_with_what_differs() -> None:
    found = replayed({}, {"level": "perus"}, {}, {"level": "perus"})

    assert [(1, ("level",)), (3, ("level",))] == [(u.seq, u.fields) for u in found.unlike]
    assert {case_mark(CHILD)} == {each.mark for each in found.unlike}
    assert not found.is_whole


def test_a_decision_that_names_another_version_than_made_it_is_found_out() -> None:
    found = replayed({}, version=SECOND)

    assert [("rules_hash",)] == [each.fields for each in found.unlike]


def test_a_version_that_cannot_be_read_is_counted_and_never_passed_over() -> None:
    found = replayed({}, {}, version=GONE)

    assert {GONE: 2} == found.unread
    assert not found.is_whole


def test_shares_add_up_in_order() -> None:
    together = _together([replayed({"level": "perus"}), replayed({}, version=GONE), replayed({})])

    assert (1, 1, {GONE: 1}) == (together.alike, len(together.unlike), together.unread)


@pytest.mark.parametrize("language", get_args(Language))
def test_it_is_told_in_every_language_and_the_file_has_every_one(
    language: Language, tmp_path: Path
) -> None:
    found = replayed(*[{"level": "perus"}] * (MOST_UNLIKE + 3))

    told = list(replayed_lines(found, language))
    write_unlike(tmp_path / "unlike.csv", found)

    assert any(case_mark(CHILD) in line and "level" in line for line in told)
    assert "3" in told[-1]
    assert MOST_UNLIKE + 3 == len((tmp_path / "unlike.csv").read_text().splitlines()) - 1
