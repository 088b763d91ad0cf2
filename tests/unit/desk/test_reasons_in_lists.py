"""Why a case stands in a list: by the rules of its day, and of a destination only its own."""

import pytest

from services.routing.desk.languages import words
from services.routing.desk.queues import Shown, why
from services.routing.domain.tables import load_version
from tests.builders import NOON, RULES, routing_rules

FIRST = "urgent@2026-11+level@2026-11+holder@2026-11+destinations@2026-11"


def shown() -> Shown:
    return Shown(words("en"), routing_rules(), NOON)


def test_a_case_that_earlier_rules_decided_is_told_in_their_words() -> None:
    (told,) = why(["level/vaativa-many-areas"], FIRST, shown())

    assert load_version(RULES, FIRST).reasons["level/vaativa-many-areas"].en == told


@pytest.mark.parametrize(
    "version", ["level@1999-01", FIRST.replace("level@2026-11", "level@1999-01"), "gone"]
)
def test_where_rules_are_no_longer_here_their_rows_are_named(version: str) -> None:
    assert (f"level/of-old ({version})",) == why(["level/of-old"], version, shown())
