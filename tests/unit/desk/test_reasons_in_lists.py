"""Why a case stands in a list: by the rules of its day, and of a destination only its own."""

from functools import partial

import pytest

from services.routing.desk.languages import words
from services.routing.desk.queues import Shown, why
from services.routing.domain.cases import Rules
from services.routing.domain.clocks import ClockSettings
from services.routing.domain.tables import load_settings, load_tables, load_version
from tests.builders import NOON, RULES

TABLES = load_tables(RULES)
FIRST = "urgent@2026-11+level@2026-11+holder@2026-11+destinations@2026-11"


def shown() -> Shown:
    rules = Rules(TABLES, ClockSettings(), load_settings(RULES), partial(load_version, RULES))
    return Shown(words("en"), rules, NOON)


def test_a_case_that_earlier_rules_decided_is_told_in_their_words() -> None:
    (told,) = why(["level/vaativa-many-areas"], FIRST, shown())

    assert load_version(RULES, FIRST).reasons["level/vaativa-many-areas"].en == told


@pytest.mark.parametrize(
    "version", ["level@1999-01", FIRST.replace("level@2026-11", "level@1999-01"), "gone"]
)
def test_where_rules_are_no_longer_here_their_rows_are_named(version: str) -> None:
    assert (f"level/of-old ({version})",) == why(["level/of-old"], version, shown())
