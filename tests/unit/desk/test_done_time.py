"""When an act may have been done, and where a login may lead."""

from datetime import UTC, datetime, timedelta

import pytest

from services.routing.desk.acts import done_time
from services.routing.desk.faults import Refused
from services.routing.desk.pages import _own_path

NOW = datetime(2026, 11, 17, 10, 30, 40, tzinfo=UTC)
RECEIVED = datetime(2026, 11, 17, 10, 15, 40, tzinfo=UTC)


def test_without_a_time_it_was_done_just_now() -> None:
    assert NOW == done_time(None, NOW, RECEIVED, any_day=False)


def test_the_minute_of_the_receipt_counts_as_after_it() -> None:
    minute = RECEIVED.replace(second=0)

    assert RECEIVED == done_time(minute, NOW, RECEIVED, any_day=False)


@pytest.mark.parametrize("any_day", [True, False])
@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (NOW + timedelta(seconds=1), "done-in-future"),
        (RECEIVED - timedelta(minutes=1), "done-before-receipt"),
    ],
)
def test_neither_the_future_nor_the_time_before_the_receipt_is_taken(
    asked: datetime,
    code: str,
    any_day: bool,  # noqa: FBT001 -- a case of the test
) -> None:
    with pytest.raises(Refused, match=code):
        done_time(asked, NOW, RECEIVED, any_day=any_day)


def test_what_lies_far_back_is_recorded_only_where_any_day_may_be() -> None:
    received, asked = NOW - timedelta(days=50), NOW - timedelta(days=40)

    assert asked == done_time(asked, NOW, received, any_day=True)
    with pytest.raises(Refused, match="done-too-long-ago"):
        done_time(asked, NOW, received, any_day=False)


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/cases/1", "/cases/1"),
        ("//elsewhere.example", "/"),
        ("https://elsewhere.example", "/"),
        ("/\\elsewhere.example", "/"),
        ("/a\r\nSet-Cookie: x", "/"),
        ("", "/"),
    ],
)
def test_a_login_never_leads_to_another_site(path: str, target: str) -> None:
    assert target == _own_path(path)
