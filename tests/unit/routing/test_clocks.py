from bisect import bisect_right
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain import clocks
from services.routing.domain.clocks import (
    CALENDAR_VERSION,
    ClockKind,
    ClockSettings,
    answer_by,
    clocks_for,
    is_eve,
    is_holiday,
    last_day,
    last_days,
    targets_with_answers_due,
)
from shared.clock import HELSINKI

DAY = timedelta(days=1)
FIRST, LAST = date(2026, 1, 1), date(2060, 12, 31)
EVES_COUNT = ClockSettings()
EVES_DO_NOT_COUNT = ClockSettings(eves_count=False)
ALL_SETTINGS = [ClockSettings(30, *flags) for flags in product((True, False), repeat=2)]

# law.md section 1: received; 7th working day with eves counted, its target; with eves not
# counted, its target; 3 months, their target.
VECTORS = """
2026-11-17  2026-11-26 2026-11-26  2026-11-26 2026-11-26  2027-02-17 2027-02-17
2026-11-21  2026-12-01 2026-12-01  2026-12-01 2026-12-01  2027-02-22 2027-02-19
2026-11-30  2026-12-09 2026-12-09  2026-12-09 2026-12-09  2027-03-01 2027-02-26
2026-12-15  2026-12-28 2026-12-23  2026-12-28 2026-12-28  2027-03-15 2027-03-15
2026-12-18  2026-12-30 2026-12-30  2026-12-31 2026-12-31  2027-03-18 2027-03-18
2026-12-23  2027-01-05 2027-01-05  2027-01-07 2027-01-07  2027-03-23 2027-03-23
2027-03-18  2027-03-31 2027-03-31  2027-03-31 2027-03-31  2027-06-18 2027-06-18
2027-06-16  2027-06-28 2027-06-24  2027-06-28 2027-06-28  2027-09-16 2027-09-16
2027-06-18  2027-06-29 2027-06-29  2027-06-30 2027-06-30  2027-09-20 2027-09-17
"""
ROWS = [[date.fromisoformat(day) for day in line.split()] for line in VECTORS.split("\n") if line]


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 12, tzinfo=HELSINKI)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row[0]))
def test_the_vectors_of_the_law_come_out_in_both_conventions(row: list[date]) -> None:
    received, due, target, due_without, target_without, finish, finish_target = row

    assert (target, due, finish_target, finish) == last_days(received, EVES_COUNT)
    assert (target_without, due_without, finish_target, finish) == last_days(
        received, EVES_DO_NOT_COUNT
    )
    _, start, told, end = clocks_for(noon(received))
    assert (target, due) == (last_day(start.target), last_day(start.due))
    assert (target, due) == (last_day(told.target), last_day(told.due))
    assert (finish_target, finish) == (last_day(end.target), last_day(end.due))


def test_three_months_that_end_before_christmas_eve_on_a_monday_roll_over_christmas() -> None:
    assert date(2029, 12, 24).weekday() == 0

    for received in (date(2029, 9, 22), date(2029, 9, 23)):
        days = last_days(received)
        assert (date(2029, 12, 21), date(2029, 12, 27)) == (days.finish_target, days.finish_due)


def test_a_county_may_let_an_eve_be_the_last_day_but_its_own_target_lies_before() -> None:
    days = last_days(date(2026, 12, 15), ClockSettings(eves_may_be_due=True))

    assert (date(2026, 12, 23), date(2026, 12, 24)) == (days.start_target, days.start_due)


def test_there_are_always_the_four_clocks_in_their_order_each_with_its_law() -> None:
    made = clocks_for(noon(date(2026, 11, 17)))

    assert get_args(ClockKind) == tuple(clock.kind for clock in made)
    assert all(clock.citation.startswith("LSL 26 §") for clock in made)
    assert all(clock.started_at == noon(date(2026, 11, 17)) for clock in made)
    assert all(moment.tzinfo is UTC for clock in made for moment in (clock.target, clock.due))


def test_urgency_has_minutes_at_any_hour_and_no_working_days() -> None:
    christmas_night = datetime(2026, 12, 25, 2, 59, 30, tzinfo=HELSINKI)

    urgency = clocks_for(christmas_night, ClockSettings(urgency_minutes=15))[0]

    assert christmas_night + timedelta(minutes=15) == urgency.due == urgency.target


def test_minutes_are_real_minutes_when_the_clocks_go_back() -> None:
    before = datetime(2026, 10, 25, 3, 45, tzinfo=HELSINKI)

    assert datetime(2026, 10, 25, 1, 15, tzinfo=UTC) == clocks_for(before)[0].due


def test_the_day_of_receipt_is_the_day_in_finland() -> None:
    still_tuesday = datetime(2026, 11, 17, 21, 59, 59, tzinfo=UTC)
    already_wednesday = datetime(2026, 11, 17, 22, 0, tzinfo=UTC)

    assert date(2026, 11, 26) == last_day(clocks_for(still_tuesday)[1].due)
    assert date(2026, 11, 27) == last_day(clocks_for(already_wednesday)[1].due)


def test_the_last_day_ends_at_the_next_local_midnight() -> None:
    winter = clocks_for(noon(date(2026, 11, 17)))[1]
    summer = clocks_for(noon(date(2027, 6, 16)))[1]

    assert datetime(2026, 11, 26, 22, 0, tzinfo=UTC) == winter.due
    assert datetime(2027, 6, 28, 21, 0, tzinfo=UTC) == summer.due


def test_a_time_of_receipt_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        clocks_for(datetime(2026, 11, 17, 12, 0))  # noqa: DTZ001 -- the point of the test


def test_the_calendar_version_names_the_package_and_our_convention() -> None:
    assert CALENDAR_VERSION.startswith("holidays-0.")
    assert CALENDAR_VERSION.endswith("/FI/eves-by-date-1")


def test_the_domain_means_the_same_finland_as_the_one_clock() -> None:
    assert clocks._HELSINKI is HELSINKI


# --- the slow oracle: written from the statutes, shares no code with the clocks ---------------


def easter_sunday(year: int) -> date:
    """Meeus, Jones and Butcher's rule."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    j, k = divmod(c, 4)
    m = (a + 11 * h) // 319
    r = (2 * e + 2 * j - k - h + m + 32) % 7
    month = (h - m + r + 90) // 25
    return date(year, month, (h - m + r + month + 19) % 32)


@cache
def free_days(year: int) -> frozenset[date]:
    easter = easter_sunday(year)
    fixed = ((1, 1), (1, 6), (5, 1), (12, 6), (12, 25), (12, 26))
    return frozenset(date(year, *day) for day in fixed) | {
        easter - 2 * DAY,
        easter + DAY,
        easter + 39 * DAY,
    }


@cache
def eves(year: int) -> frozenset[date]:
    midsummer = next(day for n in range(20, 27) if (day := date(year, 6, n)).isoweekday() == 6)
    return frozenset({date(year, 12, 24), midsummer - DAY})


def workday(day: date) -> bool:
    return day.isoweekday() <= 5 and day not in free_days(day.year)


EVERY_DAY = [FIRST + n * DAY for n in range((LAST - FIRST).days + 400)]
WORKDAYS = {
    True: [day for day in EVERY_DAY if workday(day)],
    False: [day for day in EVERY_DAY if workday(day) and day not in eves(day.year)],
}


def expected(received: date, settings: ClockSettings) -> tuple[date, date, date, date]:
    run = WORKDAYS[settings.eves_count]
    seventh = run[bisect_right(run, received) + 6]
    year, month = received.year + (received.month > 9), (received.month + 2) % 12 + 1
    third = date(year, month, min(received.day, monthrange(year, month)[1]))
    plain, due_days = WORKDAYS[False], WORKDAYS[settings.eves_may_be_due]
    return (
        plain[bisect_right(plain, seventh) - 1],
        due_days[bisect_right(due_days, seventh - DAY)],
        plain[bisect_right(plain, third) - 1],
        due_days[bisect_right(due_days, third - DAY)],
    )


@pytest.mark.parametrize("settings", ALL_SETTINGS, ids=str)
def test_every_day_until_2060_agrees_with_a_count_made_another_way(
    settings: ClockSettings,
) -> None:
    for number in range((LAST - FIRST).days + 1):
        received = FIRST + number * DAY
        assert expected(received, settings) == tuple(last_days(received, settings)), received


def test_every_day_until_2060_is_the_holiday_or_eve_it_is_by_statute() -> None:
    for number in range((LAST - FIRST).days + 1):
        day = FIRST + number * DAY
        assert is_holiday(day) is not workday(day), day
        assert is_eve(day) is (day in eves(day.year)), day


def end_of(day: date) -> datetime:
    """The midnight in Finland that ends a day."""
    return datetime(day.year, day.month, day.day, tzinfo=HELSINKI) + DAY


def test_questions_are_to_be_answered_two_working_days_before_the_target() -> None:
    _, start, _, finish = clocks_for(noon(date(2026, 11, 17)))  # a Tuesday; target Thursday 26

    assert date(2026, 11, 24) == last_day(answer_by(start.target, EVES_COUNT))
    assert date(2027, 2, 15) == last_day(answer_by(finish.target, EVES_COUNT))


@pytest.mark.parametrize("settings", ALL_SETTINGS, ids=str)
def test_answers_are_always_due_on_a_working_day_after_the_receipt_and_before_the_target(
    settings: ClockSettings,
) -> None:
    plain, run = {*WORKDAYS[False]}, WORKDAYS[settings.eves_count]
    for number in range((LAST - FIRST).days + 1):
        received = FIRST + number * DAY
        target = last_days(received, settings).start_target
        answered = last_day(answer_by(end_of(target), settings))
        assert received < answered < target, received
        assert answered in plain, received
        left = bisect_right(run, target) - bisect_right(run, answered)
        assert left in (2, 3), received  # three where an eve stands before a day off
        days_to_answer = bisect_right(run, answered) - bisect_right(run, received)
        assert days_to_answer >= 3, received


@pytest.mark.parametrize("settings", ALL_SETTINGS, ids=str)
def test_exactly_the_targets_up_to_the_latest_have_their_answers_due(
    settings: ClockSettings,
) -> None:
    for number in range(0, 800, 3):
        now = noon(FIRST + number * DAY)
        latest = targets_with_answers_due(now, settings)
        assert answer_by(latest, settings) <= now < answer_by(latest + DAY, settings)


@pytest.mark.parametrize("settings", ALL_SETTINGS, ids=str)
def test_a_due_day_never_lies_before_its_target_and_later_receipt_is_never_due_earlier(
    settings: ClockSettings,
) -> None:
    earlier = last_days(FIRST, settings)
    for number in range(1, (LAST - FIRST).days + 1):
        received = FIRST + number * DAY
        days = last_days(received, settings)
        assert received < days.start_target <= days.start_due
        assert received < days.finish_target <= days.finish_due
        assert all(was <= now for was, now in zip(earlier, days, strict=True)), received
        earlier = days


def test_days_at_the_change_of_the_clocks_end_at_their_own_local_midnight() -> None:
    def hours_from_utc(day: date) -> int:
        spring, autumn = (
            max(date(day.year, month, n) for n in range(25, 32) if _is_sunday(day.year, month, n))
            for month in (3, 10)
        )
        return 3 if spring <= day < autumn else 2

    for number in range((LAST - FIRST).days + 1):
        for clock in clocks_for(noon(FIRST + number * DAY))[1:]:
            ends = last_day(clock.due)
            midnight = datetime(ends.year, ends.month, ends.day, tzinfo=UTC) + DAY
            assert midnight - timedelta(hours=hours_from_utc(ends)) == clock.due, ends


def _is_sunday(year: int, month: int, day: int) -> bool:
    return date(year, month, day).isoweekday() == 7


@given(
    first=st.datetimes(datetime(2026, 1, 1), datetime(2060, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    seconds=st.integers(0, 10_000_000),
    settings=st.sampled_from(ALL_SETTINGS),
)
def test_a_notification_received_later_never_has_an_earlier_clock(
    first: datetime, seconds: int, settings: ClockSettings
) -> None:
    earlier = clocks_for(first, settings)
    later = clocks_for(first + timedelta(seconds=seconds), settings)

    for was, now in zip(earlier, later, strict=True):
        assert was.started_at < was.target <= was.due
        assert (was.target, was.due) <= (now.target, now.due)


@given(st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_the_zone_a_source_writes_its_time_in_changes_nothing(received: datetime) -> None:
    assert clocks_for(received.astimezone(UTC)) == clocks_for(received)
