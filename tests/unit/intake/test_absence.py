"""Each provider's steps at their boundaries, and what a school is told is missing."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.intake.domain.absence import (
    Provider,
    asked_steps,
    judge,
    missing,
    provider_on,
    step_reached,
)
from services.intake.provider_files import ProviderRefusedError, load_providers, read_files
from shared.absence import SchoolAbsence
from shared.contract import EXAMPLES

DAY = date(2026, 11, 17)
PROVIDERS = load_providers()
FILES = {(each.provider, each.valid_from): each for each in read_files()}
SHIPPED = {code: each for (code, day), each in FILES.items() if day == date(2026, 8, 1)}


def signal(**changes: Any) -> SchoolAbsence:
    whole = {**orjson.loads((EXAMPLES / "absence.json").read_bytes()), **changes}
    return SchoolAbsence.model_validate_json(orjson.dumps(whole))


def hours(count: int, **changes: Any) -> SchoolAbsence:
    """A signal with so many unauthorised hours and no word of a step."""
    none = {"hours_illness": 0, "hours_authorised": 0, "step_reached": None}
    return signal(**{**none, "hours_unauthorised": count, **changes})


def done(*steps: int, on: str = "2026-10-01") -> list[dict[str, Any]]:
    return [{"step": step, "done_on": on, "actor": "kuraattori"} for step in steps]


@pytest.mark.parametrize(
    ("code", "steps"),
    [
        ("esimerkkila", {0: 1, 29: 1, 30: 1, 31: 2, 50: 2, 51: 3}),
        ("mallikoski", {29: 0, 30: 1, 31: 1, 59: 1, 60: 2, 79: 2, 80: 3, 119: 3, 120: 4}),
        ("naytesaari", {29: 0, 49: 0, 50: 1}),
        ("turku", {0: 1, 29: 1, 30: 1, 31: 2, 50: 2, 51: 3}),
        ("tampere", {0: 1, 29: 1, 30: 1, 31: 2, 50: 2, 51: 3}),
        ("kemi", {24: 0, 25: 1, 29: 1, 30: 1, 31: 1, 50: 1, 51: 2}),
        ("vaasa", {29: 0, 30: 1, 31: 1, 60: 2, 80: 3, 119: 3, 120: 4}),
    ],
)
def test_a_step_is_reached_at_its_own_hour_and_not_before(code: str, steps: dict[int, int]) -> None:
    assert steps == {count: step_reached(hours(count), SHIPPED[code]) for count in steps}


@pytest.mark.parametrize(
    ("code", "counted"),
    [("esimerkkila", {"unauthorised", "illness", "unclear"}), ("naytesaari", {"unauthorised"})],
)
def test_only_the_classes_that_a_provider_counts_reach_a_step(code: str, counted: set[str]) -> None:
    for each in ("unauthorised", "illness", "authorised", "unclear"):
        one = hours(0, **{f"hours_{each}": 60})

        assert (step_reached(one, SHIPPED[code]) > 1 - (code == "naytesaari")) == (each in counted)


def test_documented_examples_are_never_used_before_somebody_has_checked_them() -> None:
    flagged = {each.provider for each in read_files() if each.check_before_use}

    assert {"turku", "tampere", "kemi", "vaasa"} == flagged
    assert flagged.isdisjoint(PROVIDERS)
    assert all(each.source.startswith("https://") for each in read_files() if each.check_before_use)


def test_steps_are_those_in_force_on_the_day_of_receipt() -> None:
    def first_day(day: date) -> date | None:
        found = provider_on(PROVIDERS, "esimerkkila", day)
        return found.valid_from if found else None

    assert first_day(date(2024, 7, 31)) is None
    assert first_day(date(2026, 7, 31)) == date(2024, 8, 1)
    assert first_day(date(2026, 8, 1)) == date(2026, 8, 1)


def lacks(one: SchoolAbsence, provider: Provider | None = SHIPPED["esimerkkila"]) -> Sequence[str]:
    return missing(one, provider, DAY)


def test_nothing_is_missing_of_the_example() -> None:
    assert () == lacks(signal())


@pytest.mark.parametrize(
    ("one", "codes"),
    [
        (signal(confirmed_by=None), ("confirmer",)),
        (signal(steps_done=[]), ("step-1", "step-2")),
        (signal(steps_done=done(1)), ("step-2",)),
        (signal(steps_done=done(1, 2, on="2026-11-18")), ("step-1", "step-2")),
        (signal(school_mar_held=None), ("school-mar",)),
        (signal(school_mar_held="2026-11-18"), ("school-mar",)),
        (hours(30, steps_done=done(1), school_mar_held=None), ()),
        (hours(31, steps_done=done(1), school_mar_held=None), ("step-2", "school-mar")),
        (hours(5, step_reached=3, steps_done=done(1, 2)), ("step-3",)),
        (hours(51, steps_done=done(1, 2)), ("step-3",)),
    ],
)
def test_what_the_school_has_not_done_is_named(one: SchoolAbsence, codes: Sequence[str]) -> None:
    assert codes == lacks(one)


def test_below_the_first_step_the_first_one_is_asked_all_the_same() -> None:
    assert [1] == [step.number for step in asked_steps(hours(3), SHIPPED["mallikoski"])]
    assert ("step-1",) == lacks(hours(3, steps_done=[]), SHIPPED["mallikoski"])


def test_of_a_provider_nobody_knows_a_step_a_meeting_and_a_name_are_asked() -> None:
    bare = signal(provider="tuntematon", steps_done=[], school_mar_held=None, confirmed_by=None)

    judged = judge(bare, PROVIDERS, DAY)

    assert ("confirmer", "step", "school-mar") == judged.missing
    assert "provider-unknown" == judged.note
    assert () == judge(signal(provider="tuntematon"), PROVIDERS, DAY).missing
    assert "provider-unknown" == judge(signal(provider="turku"), PROVIDERS, DAY).note


def test_the_school_is_told_in_words_and_without_a_word_about_the_pupil() -> None:
    bare = signal(steps_done=[], school_mar_held=None, confirmed_by=None)

    mend = judge(bare, PROVIDERS, DAY).mend or ""

    for words in ("confirmed_by", "steps_done", "school_mar_held", "pupil welfare", "same id"):
        assert words in mend
    assert "Poissaolo" not in mend


def test_a_period_longer_than_hours_are_counted_over_is_noticed() -> None:
    long = {"begins": "2026-01-07", "ends": "2026-11-13"}

    assert judge(signal(period=long), PROVIDERS, DAY).note is None
    assert judge(signal(provider="naytesaari", period=long), PROVIDERS, DAY).note == (
        "period-too-long"
    )


@pytest.mark.parametrize(
    ("reason", "health"), [("health", "yes"), ("behaviour", "no"), ("unknown", "unknown")]
)
def test_coded_facts_say_whether_it_is_confirmed_and_whether_it_is_health(
    reason: str, health: str
) -> None:
    whole = judge(signal(reason_class=reason), PROVIDERS, DAY).facts
    part = judge(signal(reason_class=reason, confirmed_by=None), PROVIDERS, DAY).facts

    assert (whole.confirmed, whole.health, whole.step_reached) == ("yes", health, "yes")
    assert part.confirmed == "unknown"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("number: 2,", "number: 3,"), "steps: numbered from 1 on"),
        (("from_hours: 51", "from_hours: 31"), "each from more hours"),
        (("counts: [", "count: ["), "counts: Field required"),
        (("provider: esimerkkila", "provider: toinen"), "says it is toinen"),
        (("steps:", "steps: ["), "while parsing"),
    ],
)
def test_a_faulty_file_is_refused_by_its_name(
    change: tuple[str, str], message: str, tmp_path: Path
) -> None:
    source = next(Path("services/intake/providers/esimerkkila").glob("2026-08-01.yaml"))
    (tmp_path / "esimerkkila").mkdir()
    copy = tmp_path / "esimerkkila" / source.name
    copy.write_text(source.read_text(encoding="utf-8").replace(*change), encoding="utf-8")

    with pytest.raises(ProviderRefusedError, match=r"esimerkkila/2026-08-01\.yaml") as refused:
        load_providers(tmp_path)

    assert message in str(refused.value)
