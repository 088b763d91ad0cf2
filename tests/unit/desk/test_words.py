"""Every text in three languages, and clocks in words."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from services.intake.domain.refusals import REFUSALS
from services.routing.desk import words as labels
from services.routing.desk.faults import TEXTS
from services.routing.desk.languages import LANGUAGES, LOCALE, choose, words
from services.routing.desk.words import clock_words
from services.routing.domain.clocks import ClockSettings, clocks_for
from services.routing.domain.facts import COLUMNS
from services.routing.domain.tasks import KIND_OF, TASKS
from shared.events import (
    AgeBand,
    CaseEventKind,
    Destination,
    Holder,
    Language,
    Level,
    NotifiedChild,
    ReasonCode,
)
from shared.inbox import WAITS_BEHIND_PARKED

DESK = LOCALE.parent
TUESDAY = datetime(2026, 11, 17, 10, 0, tzinfo=UTC)
KEYWORDS = {"_": None, "text": None, "N_": None, "n_": (1, 2), "count": (1, 2)}
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]


def test_whatever_a_source_can_be_refused_for_is_told_to_a_worker_in_words() -> None:
    assert {refusal.reason for refusal in REFUSALS} <= labels.ASIDE_REASONS.keys()
    assert {"handler-failed", WAITS_BEHIND_PARKED} <= labels.ASIDE_REASONS.keys()


def test_every_task_says_why_it_is_there_and_what_to_do() -> None:
    assert KIND_OF.keys() == labels.TASK_HINTS.keys()
    assert KIND_OF.keys() <= labels.ASIDE_REASONS.keys()
    assert TASKS <= labels.OUTCOMES.keys()


@cache
def in_source() -> set[str]:
    found = extract_from_dir(str(DESK), METHODS, keywords=KEYWORDS)
    texts = set()
    for _, _, message, _, _ in found:
        texts.add(message if isinstance(message, str) else message[0])
    return texts


def catalogue(language: str) -> Catalog:
    with Path(LOCALE / language / "LC_MESSAGES" / "desk.po").open("rb") as file:
        return read_po(file, locale=language)


def strings(text: str | Sequence[str] | None) -> Sequence[str]:
    return [text or ""] if isinstance(text, str | None) else text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_and_no_translation_is_left_over(language: str) -> None:
    translated = {
        message.id if isinstance(message.id, str) else message.id[0]: message.string
        for message in catalogue(language)
        if message.id and not message.fuzzy
    }

    assert in_source() == set(translated)
    for source, text in translated.items():
        for each in strings(text):
            assert each, f"{language}: {source}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_the_places_of_their_values(language: str) -> None:
    places = re.compile(r"%\(\w+\)[sd]")
    for message in catalogue(language):
        one = message.id if isinstance(message.id, str) else message.id[0]
        for text in strings(message.string) if message.id else ():
            assert set(places.findall(one)) == set(places.findall(text)), one


def test_every_code_of_the_contracts_has_words() -> None:
    acts = set(get_args(CaseEventKind)) - {
        "screened", "absence_screened", "duty_item_opened", "clock_warned", "clock_late",
    }  # fmt: skip
    texts = {name for name in NotifiedChild.model_fields if name != "guardians"}

    assert set(get_args(Holder)) == set(labels.HOLDERS)
    assert set(get_args(Destination)) == set(labels.DESTINATIONS)
    assert set(get_args(Level)) == set(labels.LEVELS)
    assert set(get_args(AgeBand)) == set(labels.AGE_BANDS)
    assert set(get_args(ReasonCode)) == set(labels.REASONS)
    assert acts <= set(labels.ACTS)
    assert texts == set(labels.PERSON)
    assert set(labels.FACTS) <= set(COLUMNS)
    assert set(TEXTS.values()) <= in_source()


@pytest.mark.parametrize(
    ("asked", "remembered", "accepted", "chosen"),
    [
        ("sv", "fi", "en", "sv"),
        (None, "en", "fi", "en"),
        (None, None, "de, sv-FI;q=0.8, fi;q=0.5", "sv"),
        ("klingon", None, None, "fi"),
        (None, None, "en;q=broken, ,;;", "fi"),
    ],
)
def test_the_language_is_what_the_person_asks_for_then_the_browser_then_finnish(
    asked: str | None, remembered: str | None, accepted: str | None, chosen: str
) -> None:
    assert chosen == choose(asked, remembered, accepted)


def said(
    kind: str, now: datetime, language: Language = "en", stopped: datetime | None = None
) -> str:
    clock = next(c for c in clocks_for(TUESDAY) if c.kind == kind)
    row = {**clock._asdict(), "about": "x", "stopped_at": stopped}
    return clock_words(words(language), row, now, ClockSettings()).text


@pytest.mark.parametrize(
    ("kind", "later", "text"),
    [
        ("urgency", timedelta(minutes=18), "12 minutes left"),
        ("urgency", timedelta(minutes=29, seconds=30), "1 minute left"),
        ("urgency", timedelta(minutes=30), "late since 12:30"),
        ("urgency", timedelta(days=1), "late since 17 Nov 2026, 12:30"),
        ("assessment_start", timedelta(), "7 working days left"),
        ("assessment_start", timedelta(days=7), "2 working days left"),
        ("assessment_start", timedelta(days=9), "today is the last day"),
        ("assessment_start", timedelta(days=10), "late since 27 Nov 2026"),
        ("assessment_finish", timedelta(), "until 17 Feb 2027"),
    ],
)
def test_a_running_clock_says_what_is_left_or_since_when_it_is_late(
    kind: str, later: timedelta, text: str
) -> None:
    assert text == said(kind, TUESDAY + later)


def test_a_stopped_clock_says_whether_it_was_in_time() -> None:
    early, late = TUESDAY + timedelta(minutes=5), TUESDAY + timedelta(hours=2)

    assert "tehty ajoissa, 17.11.2026 klo 12.05" == said("urgency", late, "fi", early)
    assert "gjort för sent, 17.11.2026 kl. 14.00" == said("urgency", late, "sv", late)


def test_between_target_and_last_day_both_are_told() -> None:
    received = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)  # ends on a Sunday three months later
    clock = next(c for c in clocks_for(received) if c.kind == "assessment_finish")
    row = {**clock._asdict(), "about": "x"}
    saturday = datetime(2027, 2, 20, 10, 0, tzinfo=UTC)

    told = clock_words(words("fi"), row, saturday, ClockSettings())

    assert ("tavoitepäivä on mennyt; viimeinen päivä 22.2.2027", "soon") == (told.text, told.tone)
