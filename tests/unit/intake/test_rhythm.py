"""When a source's silence is an alarm."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from pydantic import ValidationError

from services.intake.domain.rhythm import (
    STATED,
    By,
    Heard,
    Quiet,
    Silence,
    Stated,
    hour_of,
    is_holiday,
    silence,
)
from tests.year_of_sources import BEGINS, SOURCES, at, office, year_of

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONDAY = date(2026, 11, 16)


def heard_of(sent: Sequence[datetime]) -> Heard:
    return Heard(frozenset(hour_of(moment) for moment in sent), sent[0], sent[-1])


def alarms_of(sent: Sequence[datetime], stated: Stated = Stated()) -> list[Silence]:  # noqa: B008 -- frozen
    """Every alarm of a year, asked just before each message: then a silence is longest."""
    hours: set[int] = set()
    found = []
    for last, following in pairwise(sent):
        hours.add(hour_of(last))
        if following - last > 2 * HOUR:
            silent = silence(Heard(hours, sent[0], last), following, stated)
            found += [silent] if silent else []
    return found


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("seed", range(3))
def test_no_source_that_goes_on_is_called_silent_in_a_year(name: str, seed: int) -> None:
    assert [] == alarms_of(year_of(SOURCES[name], seed))


@pytest.mark.parametrize(
    ("name", "within"),
    [
        ("hospital", timedelta(hours=14)),
        ("busy-office", timedelta(days=5, hours=6)),  # a working day, over Easter
        ("office", timedelta(days=6)),
        ("school", timedelta(days=14)),
        ("small-school", timedelta(days=28)),
        ("police", timedelta(days=15)),  # a week and some hours, over a holiday another one
        ("nightly", timedelta(days=4)),  # six hours after the night, over holidays more
    ],
)
def test_a_source_that_stops_is_found_within(name: str, within: timedelta) -> None:
    """Measured from its last message, stopping at twelve times of the year, weekends included."""
    sent = year_of(SOURCES[name], 1)
    for stop in range(12):
        begin = BEGINS + timedelta(days=100 + 17 * stop)
        until = bisect_left(sent, at(begin, 9.5))
        heard = heard_of(sent[:until])
        now = heard.last
        while silence(heard, now) is None:
            now += 2 * HOUR
            assert now - heard.last <= within


def test_the_police_of_monday_morning_are_missed_on_that_monday_before_noon() -> None:
    sent = [m for m in year_of(SOURCES["police"], 3) if m < at(MONDAY, 0)]
    heard = heard_of(sent)

    assert None is silence(heard, at(MONDAY, 8.9))
    assert Silence(sent[-1], "weekday") == silence(heard, at(MONDAY, 11))


def test_on_a_public_holiday_nobody_is_missed() -> None:
    easter_monday = date(2027, 3, 29)
    sent = [m for m in year_of(SOURCES["police"], 3) if m < at(easter_monday, 0)]

    assert is_holiday(easter_monday)
    assert None is silence(heard_of(sent), at(easter_monday, 23))


def test_a_source_of_which_little_is_known_has_no_rhythm() -> None:
    sent = [m for m in year_of(office(12), 1) if m < at(BEGINS + 35 * DAY, 0)]

    assert None is silence(heard_of(sent), sent[-1] + 60 * DAY)


def test_silence_does_not_become_the_rhythm() -> None:
    heard = heard_of([m for m in year_of(office(12), 1) if m < at(MONDAY, 0)])

    assert silence(heard, heard.last + 8 * DAY)
    assert silence(heard, heard.last + 300 * DAY)


def test_a_school_whose_summer_the_county_states_is_not_silent_and_is_missed_afterwards() -> None:
    summer = Quiet(first=date(2027, 6, 5), last=date(2027, 8, 10))
    stated = Stated(quiet=(summer,))
    sent = [m for m in year_of(office(6), 1) if m < at(summer.first, 0)]
    heard = heard_of(sent)

    assert silence(heard, at(summer.last, 12))
    assert None is silence(heard, at(summer.last, 23), stated)
    assert silence(heard, at(summer.last + 10 * DAY, 0), stated)


@pytest.mark.parametrize(
    ("last", "now", "silent"),
    [
        (at(MONDAY, 7), at(MONDAY, 12), False),
        (at(MONDAY - DAY, 23), at(MONDAY, 9.9), False),
        (at(MONDAY - DAY, 23), at(MONDAY, 10), True),
        (at(MONDAY - DAY, 23), at(MONDAY + 2 * DAY, 10), True),
        (at(MONDAY + DAY, 10), at(MONDAY + 6 * DAY, 10), False),
    ],
)
def test_what_the_county_states_is_expected_from_the_first_day(
    last: datetime,
    now: datetime,
    silent: bool,  # noqa: FBT001 -- a case of the table
) -> None:
    stated = Stated(expected=(By(days=("mon",), by=time(10)),))

    found = silence(Heard((), last, last), now, stated)

    assert (Silence(last, "stated") if silent else None) == found


def test_a_source_whose_next_list_has_not_come_is_silent() -> None:
    last = datetime(2026, 11, 16, 8, tzinfo=UTC)
    heard = Heard((), last, last, next_list=last + HOUR)

    assert None is silence(heard, last + timedelta(minutes=59))
    assert Silence(last, "no-list") == silence(heard, last + HOUR)


def test_the_file_of_the_county_is_read_and_a_time_without_quotes_refused() -> None:
    good = {"police-1": {"expected": [{"days": ["mon"], "by": "10:00"}]}}

    assert time(10) == STATED.validate_python(good)["police-1"].expected[0].by
    with pytest.raises(ValidationError, match="in quotes"):
        STATED.validate_python({"a": {"expected": [{"days": ["mon"], "by": 600}]}})
    with pytest.raises(ValidationError):
        STATED.validate_python({"a": {"expectd": []}})
