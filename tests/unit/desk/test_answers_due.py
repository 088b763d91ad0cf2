"""By when the questions of a case are to be answered, as its page says it."""

from datetime import datetime, timedelta

import pytest

from services.routing.desk.languages import words
from services.routing.desk.questions import AnswersDue, answers_due
from services.routing.domain.clocks import clocks_for
from shared.events import Language
from tests.builders import NOON, routing_rules

RULES = routing_rules()
_, START, _, FINISH = (clock.target for clock in clocks_for(NOON))


def due(
    start: datetime | None, finish: datetime | None, days: float = 0, language: Language = "fi"
) -> AnswersDue | None:
    return answers_due(start, finish, RULES, NOON + timedelta(days=days), words(language))


@pytest.mark.parametrize(
    ("language", "day"), [("fi", "24.11.2026"), ("sv", "24.11.2026"), ("en", "24 Nov 2026")]
)
def test_before_the_assessment_has_begun_its_start_counts(language: Language, day: str) -> None:
    found = due(START, FINISH, language=language)

    assert found is not None
    assert (day, False, False) == (found.day, found.late, found.in_assessment)


def test_the_day_itself_is_in_time_and_the_next_is_late() -> None:
    in_time, late = due(START, FINISH, 7.4), due(START, FINISH, 7.5)

    assert (False, True) == (in_time and in_time.late, late and late.late)


def test_once_it_has_begun_its_end_counts_and_then_nothing() -> None:
    found = due(None, FINISH)

    assert found is not None
    assert ("15.2.2027", True) == (found.day, found.in_assessment)
    assert due(None, None) is None
