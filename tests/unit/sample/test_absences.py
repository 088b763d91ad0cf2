"""The school year of the sample county: hours grow, steps are reached, schools do their part."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from deploy.sample import county
from deploy.sample.schooling import (
    PROVIDER_OF,
    Course,
    Schooling,
    calendar_of,
    grades_of,
    steps_on,
)
from deploy.sample.truth import Truth
from deploy.sample.volumes import Grades, volumes
from deploy.sample.year import Plan
from services.intake.domain.absence import counted_hours, missing, provider_on, step_reached
from services.intake.provider_files import load_providers, read_files
from services.routing.domain.clocks import is_holiday
from shared.absence import SchoolAbsence
from shared.clock import HELSINKI
from shared.events import Matter
from shared.hetu import parse_hetu
from tests.sample_year import LAST_DAY, Year

PROVIDERS = load_providers()
FIGURES = volumes().absence

Signals = list[tuple[date, SchoolAbsence, Truth]]


@pytest.fixture(scope="module")
def signals(year: Year) -> Signals:
    """Each signal with the day on which it is sent; no repeats."""
    return [
        (message.at.astimezone(HELSINKI).date(), event, truth)
        for message, event, truth in year
        if isinstance(event, SchoolAbsence) and not truth.repeat
    ]


def share(number: int, of: int) -> float:
    return 100 * number / of


def by_pupil(signals: Signals) -> Iterator[Signals]:
    """The signals of each pupil and period, as the hours were counted."""
    pupils: dict[tuple[str, date], Signals] = defaultdict(list)
    for each in signals:
        pupils[each[2].children[0].child, each[1].period.begins].append(each)
    for own in pupils.values():
        yield sorted(own, key=lambda each: each[1].period.ends)


def test_as_many_pupils_reach_30_and_50_hours_as_the_sources_say() -> None:
    plan = Plan(1, date(2026, 7, 31))
    plan.grow(20_000)
    schooling = Schooling(plan, 20_000)
    hours: dict[Grades, list[int]] = {"7-9": [], "1-6": []}
    last = len(calendar_of(2025).days) - 1  # the school year that lies whole in the plan's year
    for pupil in schooling.pupils():
        if pupil.year == 2025:
            course = Course(plan, pupil)
            hours[grades_of(pupil.person.born, 2025)].append(course.absent(last))
    for grades, reached in hours.items():
        pupils = 20 * FIGURES.pupils_per_1000[grades]
        reach = FIGURES.reach[grades]
        for expected, least in ((reach.h30, 30), (reach.h50, 50), (reach.severe, 100)):
            found = sum(each >= least for each in reached)
            assert found / pupils == pytest.approx(expected, rel=0.3), (grades, least)
    assert len(hours["7-9"]) > len(hours["1-6"])


def test_the_natural_volume_is_a_tenth_of_the_declared_stress_figure() -> None:
    plan = Plan(3, LAST_DAY)
    plan.grow(5_000)
    natural = Schooling(plan, 5_000)
    stress = Schooling(plan, 5_000, "stress")
    assert len(stress) == pytest.approx(500_000 * 5_000 / 1_075_000, rel=0.01)
    assert 30 < len(natural) / 5 < 60


def test_under_stress_all_other_messages_stay_as_they_are() -> None:
    def sent(absences: county.Volume) -> tuple[dict[str, bytes], int]:
        found = list(county.month(last_day=LAST_DAY, children=2_000, absences=absences))
        pupils = sum(message.kind == "absence" for message in found)
        return {m.source_id: m.value for m in found}, pupils

    natural, few = sent("natural")
    stress, many = sent("stress")
    assert many > 5 * few
    assert natural.items() <= stress.items()


def test_no_signal_comes_in_the_summer_in_holidays_or_at_the_weekend(signals: Signals) -> None:
    months = Counter(day.month for day, _, _ in signals)
    assert not months.keys() & {6, 7}
    assert months.keys() >= {1, 2, 3, 4, 5, 9, 10, 11}
    assert not [day for day, _, _ in signals if is_holiday(day)]
    assert not [day for day, _, _ in signals if day.isocalendar().week in (9, 42)]


def test_hours_never_fall_within_a_school_year_or_the_term_that_is_counted(
    signals: Signals,
) -> None:
    several = 0
    for own in by_pupil(signals):
        several += len(own) > 1
        for name in ("unauthorised", "illness", "unclear", "authorised"):
            hours = [getattr(event, f"hours_{name}") for _, event, _ in own]
            assert hours == sorted(hours)
        steps = [len(event.steps_done) for _, event, truth in own if truth.complete]
        assert steps == sorted(steps)
    assert several > 200


def test_each_signal_is_of_a_step_that_its_hours_have_reached(signals: Signals) -> None:
    for day, event, _ in signals:
        provider = provider_on(PROVIDERS, event.provider, day)
        assert provider is not None
        hours = counted_hours(event, provider)
        reached = step_reached(event.model_copy(update={"step_reached": None}), provider)
        assert event.step_reached in (None, reached)
        assert hours >= max(provider.steps[reached - 1].from_hours, FIGURES.first_step_hours)
        assert event.period.ends < day
        assert event.period.ends - event.period.begins < timedelta(days=300)
    steps = Counter((e.provider, e.step_reached) for _, e, _ in signals)
    assert steps.keys() >= {("esimerkkila", 3), ("mallikoski", 4), ("naytesaari", 1)}


def test_intake_finds_complete_what_is_and_misses_what_the_school_has_not_done(
    signals: Signals,
) -> None:
    lacks: Counter[str] = Counter()
    for day, event, truth in signals:
        found = missing(event, provider_on(PROVIDERS, event.provider, day), day)
        assert truth.complete == (not found)
        lacks.update(code.partition("-")[0] for code in found)
    assert lacks.keys() == {"confirmer", "step", "school"}


def test_most_incomplete_signals_are_sent_whole_later_under_their_id(signals: Signals) -> None:
    first = [truth for _, _, truth in signals if not truth.resent]
    incomplete = {truth.source_id for truth in first if not truth.complete}
    whole = {truth.source_id for _, _, truth in signals if truth.resent}
    assert share(len(incomplete), len(first)) == pytest.approx(100 * FIGURES.incomplete, abs=3)
    assert 60 < share(len(whole & incomplete), len(incomplete)) < 100 * FIGURES.completed
    seen: dict[str, SchoolAbsence] = {}
    for _, event, truth in signals:
        if truth.resent and (before := seen.get(truth.source_id)):
            assert before != event
            assert (before.pupil, before.period) == (event.pupil, event.period)
        seen[truth.source_id] = event


def test_the_truth_knows_the_hours_that_were_truly_missed(signals: Signals) -> None:
    for _, event, truth in signals:
        told = event.hours_unauthorised + event.hours_illness + event.hours_unclear
        assert truth.hours is not None
        assert told <= truth.hours
        assert event.provider == "naytesaari" or told == truth.hours
        assert event.pupil.hetu in (None, truth.children[0].hetu)


def test_some_pupils_are_clients_some_are_notified_of_and_some_have_absent_siblings(
    year: Year, signals: Signals
) -> None:
    notified = {c.hetu for _, e, _ in year if isinstance(e, Matter) for c in e.children if c.hetu}
    pupils = {truth.children[0].hetu for _, _, truth in signals}
    clients = {truth.children[0].hetu for _, _, truth in signals if truth.client}
    known = {truth.children[0].hetu for _, event, truth in signals
             if event.pupil.is_client == "yes"}  # fmt: skip
    assert 25 < share(len(pupils & notified), len(pupils)) < 50
    assert 12 < share(len(clients), len(pupils)) < 30
    assert known <= clients
    homes: dict[str, set[str]] = defaultdict(set)
    for _, _, truth in signals:
        homes[truth.household].add(truth.children[0].hetu)
    assert sum(len(each) > 1 for each in homes.values()) > 20


def test_some_signals_carry_another_concern_and_few_of_them_a_sign_of_urgency(
    signals: Signals,
) -> None:
    other = [event for _, event, _ in signals if set(event.reasons) - {"LOCAL-REASON-SCHOOL"}]
    urgent = [truth for _, event, truth in signals if event.urgency.in_danger == "yes"]
    assert share(len(other), len(signals)) == pytest.approx(100 * FIGURES.concern, abs=2.5)
    assert 0 < len(urgent) < len(other) / 8
    assert all(truth.marked for truth in urgent)


def test_pupils_are_of_school_age_and_their_codes_are_test_codes(signals: Signals) -> None:
    for day, _, truth in signals:
        code = parse_hetu(truth.children[0].hetu)
        assert code.is_temporary
        assert 7 <= day.year - (day.month < 8) - code.born.year <= 15


def test_only_invented_providers_are_used_and_no_example_that_must_be_checked_first() -> None:
    to_check = {each.provider for each in read_files() if each.check_before_use}
    assert set(PROVIDER_OF) <= PROVIDERS.keys()
    assert not set(PROVIDER_OF) & to_check
    assert steps_on("esimerkkila", date(2026, 5, 31)) != steps_on("esimerkkila", date(2027, 5, 31))
