"""What a change of rules does to many cases, as it is counted and as a person reads it."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import orjson
import pytest

from deploy.rescreening.diffing import Counting, weeks
from deploy.rescreening.report import Report, write_list
from services.routing.domain.cases import case_mark
from services.routing.domain.effect import MOST_MARKS, About, Effect, Tally, Version, effect_of
from services.routing.domain.facts import Known, derive
from services.routing.domain.tables import Tables, load_version
from services.routing.domain.tables.engine import compile_tables
from services.routing.domain.tables.loading import read_version
from shared.events import Language
from tests.unit.routing.test_comparing import RULES, VERSION, stored_without

WRITTEN = read_version(RULES, VERSION)
LIVE = load_version(RULES, VERSION)
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def facts(**known: Any) -> dict[str, str | int]:
    return dict(derive(Known(**known), age_band="7-12", urgency="not_urgent"))


ORDINARY = facts(a5="yes", is_client="no")
OF_PSYCH = ("psych", "own_substance_use")  # of which the first cannot be derived any more
OF_MIND = facts(a2="yes", is_client="no")


def without_psychiatry() -> Tables:
    """The shipped tables, with psychiatry proposed to nobody but whom it has asked for."""
    tables = []
    for table in WRITTEN:
        rows = tuple(row for row in table.rows if row.id != "psychiatry")
        tables.append(table.model_copy(update={"rows": rows}))
    return compile_tables(tables)


def counted(*cases: dict[str, str | int], old: Any = LIVE, rules: str = VERSION) -> Tally:
    counting = Counting(old, without_psychiatry())
    for number, case in enumerate(cases):
        child = UUID(int=number << 88)
        counting.add(rules, orjson.dumps(case).decode(), case_mark(child), child)
    return counting.tally


def effect(tally: Tally, **proposals: int) -> Effect:
    states = {("psychiatry", state): n for state, n in proposals.items()}
    stored = sum(group.cases for group in tally.groups.values())
    about = About(
        Version(name=LIVE.version, content_hash=LIVE.content_hash),
        Version(name="urgent@2027-01", content_hash="1" * 64), NOW, stored, 2, 10.0, states,
    )  # fmt: skip
    return effect_of(tally, about)


def test_cases_that_move_alike_are_one_group_with_every_mark() -> None:
    found = effect(counted(ORDINARY, OF_MIND, OF_MIND, ORDINARY))

    (reading,) = found.reading
    assert ("lighter", 2) == (reading.why, reading.cases)
    assert [case_mark(UUID(int=1 << 88)), case_mark(UUID(int=2 << 88))] == [
        each.mark for each in reading.marks
    ]
    assert ("destinations/psychiatry",) == reading.gone
    assert (4, 4, 2, 0) == (found.stored, found.compared, found.lighter, found.without_decision)


def test_the_matrix_counts_every_case_once() -> None:
    found = effect(counted(ORDINARY, OF_MIND, OF_MIND))

    assert {("perus", "perus"): 1, ("erityis", "erityis"): 2} == {
        (cell.before, cell.after): cell.cases for cell in found.level
    }
    for matrix in (found.level, found.holder, found.urgent):
        assert 3 == sum(cell.cases for cell in matrix)


def test_a_queue_tells_how_many_fewer_and_how_many_seats_that_is_as_people_have_accepted() -> None:
    found = effect(counted(*[OF_MIND] * 8, ORDINARY), proposed=5, accepted=3, declined=1)

    psychiatry = next(each for each in found.destinations if each.name == "psychiatry")
    assert (8, 0, 8, 0, 5) == (
        psychiatry.before, psychiatry.after, psychiatry.gone, psychiatry.new, psychiatry.waiting,
    )  # fmt: skip
    assert -6.0 == psychiatry.seats
    never_decided = next(each for each in found.destinations if each.name == "expert_group")
    assert never_decided.seats is None


def test_two_shares_add_up_to_the_whole() -> None:
    whole, one, other = counted(OF_MIND, ORDINARY, OF_MIND), Tally(), counted(OF_MIND)
    one.join(counted(ORDINARY, OF_MIND))
    one.join(other)

    assert effect(whole).level == effect(one).level
    assert effect(whole).lighter == effect(one).lighter


def test_what_cannot_be_compared_is_counted_and_listed_and_never_left_out() -> None:
    lacking = stored_without(ORDINARY, *OF_PSYCH)
    counting = Counting({VERSION: LIVE}, without_psychiatry())
    for number, (rules, text) in enumerate(
        [
            (VERSION, orjson.dumps(lacking).decode()),
            ("urgent@1999-01", orjson.dumps(ORDINARY).decode()),
            (VERSION, "{ not JSON"),
            (VERSION, "[]"),
        ]
    ):
        counting.add(rules, text, f"K-{number}", UUID(int=number))

    found = effect(counting.tally)

    assert {"unsure": 1, "unread": 1, "undecided": 2} == {r.why: r.cases for r in found.reading}
    assert (0, 0) == (found.compared, found.without_decision)
    told = "\n".join(Report(found, "en").lines())
    assert "Lacking in what was stored: mental health or own substance use (psych)" in told
    assert "Their version cannot be read: urgent@1999-01" in told
    assert "K-0" in told
    assert "K-3" in told


def test_what_is_kept_of_a_large_group_says_how_large_it_is() -> None:
    found = effect(counted(*[OF_MIND] * (MOST_MARKS + 5)))

    assert MOST_MARKS + 5 == found.reading[0].cases
    assert MOST_MARKS == len(found.reading[0].marks)
    assert f"and {MOST_MARKS + 5 - 60} more" in "\n".join(Report(found, "en").lines())


def test_the_file_has_every_case_to_read(tmp_path: Path) -> None:
    tally = counted(*[OF_MIND] * (MOST_MARKS + 5), ORDINARY)

    assert MOST_MARKS + 5 == write_list(tmp_path / "cases.csv", tally)

    with (tmp_path / "cases.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert MOST_MARKS + 5 == len({row["child"] for row in rows})
    assert {"destinations:psychiatry"} == {row["lighter"] for row in rows}
    assert {"destinations/psychiatry"} == {row["rows_gone"] for row in rows}


@pytest.mark.parametrize("language", get_args(Language))
def test_the_effect_is_told_in_every_language_and_comes_back_as_it_was_kept(
    language: Language,
) -> None:
    found = effect(counted(ORDINARY, OF_MIND, stored_without(ORDINARY, *OF_PSYCH)))  # type: ignore[arg-type]

    assert found == Effect.model_validate_json(found.model_dump_json())
    told = "\n".join(Report(found, language).lines())
    assert case_mark(UUID(int=1 << 88)) in told
    assert {"fi": "Lastenpsykiatria", "sv": "Barnpsykiatri", "en": "Child psychiatry"}[
        language
    ] in told


def test_less_than_a_week_says_nothing_of_a_week() -> None:
    assert 1.0 == weeks(None, None)
    assert 1.0 == weeks(NOW, NOW)
    assert 2.0 == weeks(datetime(2026, 11, 15, 12, tzinfo=UTC), NOW)
