"""The first gap of the duty rota: hours, nights, weekends, overlaps, both changes of time."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.rota import AHEAD, OnDuty, ShiftKind, first_gaps, needed
from shared.clock import HELSINKI

MONDAY = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)  # 8.00 in Finland


def at(day: int, hour: int, minute: int = 0, month: int = 11) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=HELSINKI)


def office(*days: int) -> list[OnDuty]:
    return [OnDuty("office_hours", at(day, 8), at(day, 16)) for day in days]


def always(kind: ShiftKind, begins: datetime = MONDAY) -> OnDuty:
    return OnDuty(kind, begins - timedelta(days=1), begins + timedelta(days=9))


WEEK = [*office(23, 24, 25, 26, 27, 30), always("sosiaalipaivystys")]


def test_a_week_with_office_days_and_an_emergency_service_has_no_gap() -> None:
    assert first_gaps(WEEK, MONDAY) == {"office_hours": None, "sosiaalipaivystys": None}


def test_without_shifts_each_kind_is_open_from_its_first_moment() -> None:
    assert first_gaps([], MONDAY) == {
        "office_hours": at(23, 8), "sosiaalipaivystys": at(23, 16),
    }  # fmt: skip


def test_a_missing_office_day_is_a_gap_though_the_emergency_service_is_there() -> None:
    rota = [*office(23, 24, 26, 27, 30), always("sosiaalipaivystys")]

    assert first_gaps(rota, MONDAY) == {"office_hours": at(25, 8), "sosiaalipaivystys": None}


def test_a_weekend_and_a_holiday_need_the_emergency_service_all_day() -> None:
    weekend = list(needed(at(28, 0), at(30, 0)))
    independence_day = list(needed(at(6, 0, month=12), at(7, 0, month=12)))

    assert {need.kind for need in weekend + independence_day} == {"sosiaalipaivystys"}


def test_midnight_between_two_shifts_is_no_gap_and_a_minute_is() -> None:
    night = [
        OnDuty("sosiaalipaivystys", at(23, 16), at(24, 0)),
        OnDuty("sosiaalipaivystys", at(24, 0), at(24, 8)),
        OnDuty("sosiaalipaivystys", at(24, 16), at(25, 3)),
        OnDuty("sosiaalipaivystys", at(25, 3, 1), at(25, 8)),
    ]

    assert first_gaps(night, MONDAY)["sosiaalipaivystys"] == at(25, 3)


def test_overlapping_and_nested_shifts_count_once() -> None:
    rota = [
        OnDuty("office_hours", at(23, 7), at(23, 12)),
        OnDuty("office_hours", at(23, 9), at(23, 10)),
        OnDuty("office_hours", at(23, 11), at(23, 15, 30)),
    ]

    assert first_gaps(rota, MONDAY)["office_hours"] == at(23, 15, 30)


def test_a_gap_now_is_now() -> None:
    now = at(23, 20)

    assert first_gaps(office(24), now)["sosiaalipaivystys"] == now


@pytest.mark.parametrize(
    ("sunday", "hours"),
    [(datetime(2026, 10, 25, tzinfo=HELSINKI), 25), (datetime(2026, 3, 29, tzinfo=HELSINKI), 23)],
)
def test_the_day_the_clock_is_moved_is_covered_as_long_as_it_is(
    sunday: datetime, hours: int
) -> None:
    monday = datetime.combine(sunday.date() + timedelta(days=1), sunday.timetz())
    (need,) = needed(sunday, monday)
    short = OnDuty("sosiaalipaivystys", need.begins, need.ends - timedelta(hours=1))

    assert need.ends - need.begins == timedelta(hours=hours)
    assert first_gaps([short], sunday)["sosiaalipaivystys"] == short.ends


@given(st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)))  # noqa: DTZ001 -- UTC below
def test_what_is_needed_has_no_hole_and_no_overlap(moment: datetime) -> None:
    now = moment.replace(tzinfo=UTC)

    stretches = list(needed(now, now + AHEAD))

    assert (stretches[0].begins, stretches[-1].ends) == (now, now + AHEAD)
    assert all(one.ends == two.begins for one, two in pairwise(stretches))
