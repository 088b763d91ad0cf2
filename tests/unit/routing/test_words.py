"""Columns, values and conditions in words that a social worker reads."""

from typing import get_args

import pytest

from services.routing.domain.facts import COLUMNS
from services.routing.domain.tables.engine import SAID
from services.routing.domain.tables.words import (
    COLUMN_WORDS,
    VALUE_WORDS,
    condition_in_words,
    said_of,
    value_name,
)
from services.routing.domain.tables.written import Condition, Interval
from shared.events import Language


def test_every_column_and_every_value_that_is_no_number_has_words() -> None:
    everything = {**COLUMNS, **SAID}
    values = {v for column in everything.values() for v in column.values if isinstance(v, str)}

    assert everything.keys() <= COLUMN_WORDS.keys()
    assert values <= VALUE_WORDS.keys()


@pytest.mark.parametrize(
    ("column", "condition", "language", "words"),
    [
        ("urgency", ("not_urgent", "not_asked"), "en", "urgency: not urgent or not asked"),
        ("urgency", ("open",), "fi", "kiireellisyys: ei vielä arvioitu"),
        ("level", ("perus", "erityis"), "sv", "nivå: basnivå eller specialnivå"),
        ("existing_client", ("no", "unknown", "yes"), "fi",
         "jo asiakas: ei, ei tiedossa tai kyllä"),
        ("areas_of_concern", Interval(at_least=2), "en", "areas of concern: at least 2"),
        ("areas_of_concern", Interval(at_most=3), "fi", "huolen alueita: enintään 3"),
        ("areas_of_concern", Interval(at_least=2, at_most=3), "en", "areas of concern: 2–3"),
        ("areas_of_concern", Interval(at_least=2, at_most=2), "sv", "områden med oro: 2"),
        ("areas_unknown", Interval(at_most=0), "en", "areas not known: 0"),
        ("age_band", ("13-15",), "sv", "ålder: 13–15 år"),
    ],
)  # fmt: skip
def test_a_condition_is_read_as_words(
    column: str, condition: Condition, language: Language, words: str
) -> None:
    assert words == condition_in_words(column, condition, language)


@pytest.mark.parametrize("language", get_args(Language))
def test_what_has_no_words_is_shown_as_it_is(language: Language) -> None:
    assert "brand_new: 7" == said_of("brand_new", 7, language)
    assert "brand_new: odd" == condition_in_words("brand_new", ("odd",), language)
    assert "odd" == value_name("odd", language)
