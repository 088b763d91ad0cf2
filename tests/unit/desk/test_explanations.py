"""A stored decision in words, for a worker and for a family: from its row and the rule files alone.

The texts in `explained/` pin that the same stored decision is told in the same words. Where a word
of the desk is changed on purpose, write them anew: ``python -m tests.unit.desk.test_explanations``.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.routing.desk import explanations
from services.routing.desk.explanations import (
    Stored,
    Version,
    explained,
    fact,
    fact_name,
    version_of,
)
from services.routing.desk.family_page import FamilyPage, family_page
from services.routing.desk.languages import LANGUAGES, words
from services.routing.domain.cases import Rules
from services.routing.domain.clocks import ClockSettings
from services.routing.domain.decision import Decision, decide
from services.routing.domain.facts import (
    COLUMNS,
    NOTHING_KNOWN,
    Known,
    UrgencyState,
    derive,
    learn,
)
from services.routing.domain.tables import load_tables, load_version
from shared.events import AgeBand, CodedFacts, Language, ReasonCode
from tests.any_known import any_known

RULES_OF = Path(__file__).parents[3] / "services" / "routing" / "rules"
RULES = Rules(load_tables(RULES_OF), ClockSettings())
PINNED = Path(__file__).parent / "explained"
OF_2026 = "urgent@2026-12+level@2026-12+holder@2026-12+destinations@2026-12"
CHILD = UUID("0190b0d0-0000-7000-8000-000000000001")
LANGUAGE = st.sampled_from([*LANGUAGES])


def row_of(decision: Decision) -> Stored:
    """A decision as it comes from the database."""
    return {
        "child": CHILD, "seq": 3, "decided_at": datetime(2026, 12, 1, 22, 30, tzinfo=UTC),
        "facts": orjson.dumps(decision.facts).decode(), "rule_rows": list(decision.rows),
        "urgent_flags": list(decision.urgent_flags), "level": decision.level,
        "holder": decision.holder, "destinations": list(decision.destinations),
        "rules": decision.version, "rules_hash": decision.content_hash,
    }  # fmt: skip


def pinned_row() -> Stored:
    """What was stored of a child in 2026, written down; no rule or fact of today is in it."""
    stored: dict[str, Any] = orjson.loads((PINNED / "stored.json").read_bytes())
    return stored | {"child": CHILD, "decided_at": datetime(2026, 12, 1, 22, 30, tzinfo=UTC)}


def ready(row: Stored) -> Version:
    version = version_of(RULES_OF, row)
    assert version is not None
    return version


def decided(known: Known, band: AgeBand = "7-12", urgency: UrgencyState = "not_urgent") -> Stored:
    return row_of(decide(derive(known, age_band=band, urgency=urgency), RULES.tables))


def of(*reasons: ReasonCode, urgency: UrgencyState = "not_urgent") -> Stored:
    return decided(learn(NOTHING_KNOWN, CodedFacts(reasons=reasons)), urgency=urgency)


def lines_of(row: Stored, language: Language) -> Iterator[str]:
    """Both versions as plain text, as a page shows them."""
    said = words(language)
    view = explained(row, ready(row), said)
    for line in view.rows:
        yield f"{line.table}/{line.row}: {line.reason} [{'; '.join(line.facts)}] {line.basis}"
    yield "? " + ", ".join(each.text for each in view.unknown)
    yield "- " + ", ".join(each.text for each in view.besides)
    for other in view.otherwise or ():
        yield f"> {' | '.join(other.texts)} (+{other.more}) = {', '.join(other.becomes)}"
    yield ""
    page = family_page(row, ready(row), said)
    yield page.title
    yield from page.texts
    for section in page.sections:
        yield f"# {section.heading}"
        yield from (*section.texts, *(f"* {point}" for point in section.points), *section.after)


def text_of(row: Stored, language: Language) -> str:
    return "\n".join(lines_of(row, language)) + "\n"


@pytest.mark.parametrize("language", [*LANGUAGES])
def test_a_decision_stored_in_2026_is_told_in_the_same_words(language: Language) -> None:
    expected = (PINNED / f"{language}.txt").read_text(encoding="utf-8")

    assert expected == text_of(pinned_row(), language)


def test_what_was_stored_then_is_what_the_tables_of_its_day_decide() -> None:
    row = pinned_row()
    facts = orjson.loads(row["facts"])

    again = decide(facts, load_version(RULES_OF, OF_2026))

    assert {n: v for n, v in row_of(again).items() if n != "facts"} == {
        n: v for n, v in row.items() if n != "facts"
    }


@settings(deadline=None)
@given(
    any_known(),
    st.sampled_from(get_args(AgeBand)),
    st.sampled_from(get_args(UrgencyState)),
    LANGUAGE,
)
def test_every_decision_can_be_told_to_a_worker_and_to_a_family(
    known: Known, band: AgeBand, urgency: UrgencyState, language: Language
) -> None:
    text = text_of(decided(known, band, urgency), language)

    assert not re.search(r"%\(|\bNone\b|not_urgent|a10|is_client|existing_client", text), text


@pytest.mark.parametrize("language", [*LANGUAGES])
def test_everything_that_can_be_stated_or_looked_at_has_a_name(language: Language) -> None:
    stated = [*COLUMNS, *Known._fields, "level", "flagged"]
    names = {name: fact_name(words(language), name) for name in stated}

    assert not {name for name, said in names.items() if name == said or "_" in said}


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fi", "Psykiatrian poliklinikka iän mukaan: lähellä ikärajaa"),
        ("sv", "Psykiatrisk klinik enligt ålder: nära åldersgränsen"),
        ("en", "Psychiatric clinic by age: near the age limit"),
    ],
)
def test_whose_patient_a_child_is_is_told_in_words(language: Language, said: str) -> None:
    clinics = COLUMNS["psychiatry_clinic"].values

    told = [fact(words(language), "psychiatry_clinic", each) for each in clinics]

    assert said in told
    codes = {f"{said.partition(': ')[0]}: {code}" for code in clinics}
    assert not codes & {*told}, "never the code itself"


def test_rules_that_are_not_here_as_they_were_explain_nothing_and_the_rows_are_still_named() -> (
    None
):
    for changed in ({"rules_hash": "0" * 64}, {"rules": OF_2026.replace("12", "10")}):
        row = {**of("LOCAL-REASON-SCHOOL"), **changed}

        view = explained(row, version_of(RULES_OF, row), words("en"))

        assert version_of(RULES_OF, row) is None
        assert [""] * len(view.rows) == [line.reason for line in view.rows]
        assert "perus-so-far" in [line.row for line in view.rows]
        assert view.otherwise is None


def test_the_version_in_force_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explanations, "load_version", None)

    assert ready(of("LOCAL-REASON-SCHOOL")).tables.content_hash == RULES.tables.content_hash


# --- plain language ---------------------------------------------------------------------------


def own_sentences(page: FamilyPage) -> list[str]:
    """Sentences of the page that are not a row's text, nor a list of alternatives."""
    texts = [*page.texts]
    for section in page.sections[:-1]:
        texts += [section.heading, *section.texts, *section.after]
    texts += page.sections[-2].points
    return [each for text in texts for each in re.split(r"(?<=[.!?])\s+", text) if each]


@pytest.mark.parametrize("language", [*LANGUAGES])
@pytest.mark.parametrize("urgency", get_args(UrgencyState))
def test_a_familys_page_speaks_in_short_sentences(
    language: Language, urgency: UrgencyState
) -> None:
    """Own construction: about what a reader of lower-secondary school reads without stopping."""
    row = of("LOCAL-REASON-SCHOOL", "LOCAL-REASON-CHILD-MENTAL-HEALTH", urgency=urgency)
    sentences = own_sentences(family_page(row, ready(row), words(language)))
    lengths = [len(each.split()) for each in sentences]

    assert max(lengths) <= 15, max(sentences, key=lambda each: len(each.split()))
    assert sum(lengths) / len(lengths) <= 9


def test_a_familys_page_says_what_luotsi_is_and_that_its_rules_are_the_countys_own() -> None:
    row = of("LOCAL-REASON-SELF-HARM")
    text = text_of(row, "fi")

    assert "Työntekijä päättää aina" in text
    assert "Ne eivät ole THL:n OT-seula." in text
    family = text.partition("\n\n")[2]
    assert not re.search(
        r"itsetuho|ilmoitt|sisaru|turvallis|väkival|päivystys hoit", family, re.IGNORECASE
    )


def write() -> None:
    """Write the pinned texts anew."""
    for language in LANGUAGES:
        text = text_of(pinned_row(), language)
        (PINNED / f"{language}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
