"""What a decision may depend on is declared, and what is declared is true."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_args

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.told import children_of
from services.routing.domain.decision import decide
from services.routing.domain.facts import (
    ANSWER_FIELDS,
    COLUMNS,
    COUNTS,
    MOVES,
    NOTHING_KNOWN,
    Facts,
    Known,
    UrgencyState,
    derive,
    learn,
)
from services.routing.domain.flow import FLOW, SPACE, wrong_inputs
from services.routing.domain.tables import load_tables
from services.routing.domain.tables.words import COLUMN_WORDS
from shared.events import AgeBand, Answer, CodedAbsence, CodedFacts, Notification, ReasonCode
from tests.any_known import any_known

TABLES = load_tables(Path(__file__).parents[3] / "services" / "routing" / "rules")
ANSWERS = get_args(Answer)
RECEIVED = datetime(2026, 11, 17, 10, tzinfo=UTC)
KNOWN = any_known(4)


def facts_of(known: Known, age_band: AgeBand = "7-12", urgency: UrgencyState = "open") -> Facts:
    return derive(known, age_band=age_band, urgency=urgency)


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


# --- the declaration is true ------------------------------------------------------------------


@given(KNOWN, st.sampled_from(Known._fields), st.sampled_from(ANSWERS), st.integers(0, 4))
def test_what_is_known_flows_into_no_column_but_those_declared(
    known: Known, field: str, answer: Answer, count: int
) -> None:
    said = MOVES[count] if field == "moves" else answer
    other: dict[str, Any] = {field: count if field in COUNTS else said}

    for column in changed(facts_of(known), facts_of(known._replace(**other))):
        assert field in FLOW.derived[column]


@given(KNOWN, st.sampled_from(get_args(AgeBand)), st.sampled_from(get_args(UrgencyState)))
def test_age_and_urgency_flow_into_their_own_columns_alone(
    known: Known, age_band: AgeBand, urgency: UrgencyState
) -> None:
    of_age = {"age_band", "psychiatry_clinic"}
    assert changed(facts_of(known), facts_of(known, age_band=age_band)) <= of_age
    assert changed(facts_of(known), facts_of(known, urgency=urgency)) <= {"urgency"}


def perturbed(known: Known) -> Iterator[tuple[str, Known]]:
    """Each field with each other value."""
    for field in Known._fields:
        for value in _values(field):
            replaced: dict[str, Any] = {field: value}
            yield field, known._replace(**replaced)


def _values(field: str) -> Sequence[Any]:
    if field in COUNTS:
        return range(6)
    return MOVES if field == "moves" else ANSWERS


def test_every_declared_dependence_is_a_real_one() -> None:
    stated_no: dict[str, Any] = dict.fromkeys(ANSWER_FIELDS, "no")
    everything_no = Known(**stated_no)
    seen: set[tuple[str, str]] = set()
    starts = (
        everything_no,
        NOTHING_KNOWN,
        everything_no._replace(a1="yes", a2="yes"),
        everything_no._replace(a8="yes", a9="yes"),
        everything_no._replace(a6="yes"),
        everything_no._replace(custody_dispute="yes"),
        NOTHING_KNOWN._replace(signals=5),
        NOTHING_KNOWN._replace(sources=3),
    )
    for start in starts:
        for field, other in perturbed(start):
            seen |= {(column, field) for column in changed(facts_of(start), facts_of(other))}

    for band in get_args(AgeBand):
        of_age = changed(facts_of(NOTHING_KNOWN), facts_of(NOTHING_KNOWN, age_band=band))
        seen |= {(column, "age_band") for column in of_age}
    outside = {("urgency", "urgency")}
    declared = {(column, field) for column, fields in FLOW.derived.items() for field in fields}
    assert declared == seen | outside


def stated(field: str) -> list[CodedFacts]:
    """Messages that state something by this input and nothing by any other."""
    if field == "reasons":
        return [CodedFacts(reasons=(code,)) for code in get_args(ReasonCode)]
    if field == "absence":
        return [CodedFacts(absence=CodedAbsence())]
    if field.startswith("absence."):
        part = field.partition(".")[2]
        given_parts = [CodedAbsence.model_validate({part: answer}) for answer in ANSWERS]
        return [CodedFacts(absence=given_part) for given_part in given_parts]
    return [CodedFacts.model_validate({field: answer}) for answer in ANSWERS]


OF_NO_MESSAGE_ALONE = {"age_band", "urgency", "household", "client", "received_at", "source"}
INPUTS = sorted(FLOW.stated - OF_NO_MESSAGE_ALONE)


@pytest.mark.parametrize("field", INPUTS)
def test_what_is_stated_flows_into_what_is_declared_to_be_learned_of_it(field: str) -> None:
    empty = CodedFacts(absence=CodedAbsence()) if field.startswith("absence.") else CodedFacts()
    silent = learn(NOTHING_KNOWN, empty)._asdict()
    learned: set[str] = set()
    for coded in stated(field):
        learned |= changed(silent, learn(NOTHING_KNOWN, coded)._asdict())

    assert {name for name, inputs in FLOW.learned.items() if field in inputs} == learned


def test_every_field_of_a_message_and_of_what_is_known_is_declared() -> None:
    parts = {f"absence.{name}" for name in CodedAbsence.model_fields}
    not_read = {"knowledge", "said_by"}

    assert set(Known._fields) == set(FLOW.learned)
    assert set(COLUMNS) == set(FLOW.derived)
    assert {*CodedFacts.model_fields, *parts} - not_read == set(INPUTS)


def test_who_says_a_thing_and_how_they_know_it_changes_nothing() -> None:
    one = CodedFacts(knowledge="first_hand", said_by="police")
    other = CodedFacts(knowledge="second_hand", said_by="private")

    assert learn(NOTHING_KNOWN, one) == learn(NOTHING_KNOWN, other)


# --- and irrelevant things are irrelevant -----------------------------------------------------


def test_no_column_depends_on_what_no_rule_may_know() -> None:
    assert [] == list(wrong_inputs(SPACE))


def test_every_column_can_be_named_in_a_message_to_a_person() -> None:
    assert set(COLUMNS) <= set(COLUMN_WORDS)


NAMES = st.sampled_from(["Testi Lapsi", "Aino Esimerkki", "Oleg Provmänniska", "Ä"])
REASONS = st.lists(st.sampled_from(get_args(ReasonCode)), max_size=4)


@given(NAMES, st.sampled_from(["fi", "sv"]), st.sampled_from("ABC"), REASONS)
def test_twins_that_differ_in_name_gender_language_home_and_notifier_get_the_same_bytes(
    name: str, language: str, unit: str, reasons: list[ReasonCode]
) -> None:
    urgency = {"in_danger": "yes"} if len(reasons) % 2 else {}
    said = {"observations": "Huoli lapsesta.", "reasons": reasons, "urgency": urgency}
    one = {
        "notifier": {"kind": "education", "name": "Testi Opettaja", "email": "a@koulu.example"},
        # The code tells the gender; the other child has none.
        "children": [{"name": "Testi Lapsi", "hetu": "010515A900K"}],
    }
    other = {
        "notifier": {
            "kind": "police", "name": "Toinen Ilmoittaja", "organisation": f"Yksikkö {unit}",
            "role": "konstaapeli", "email": "b@poliisi.example", "language": language,
        },
        "children": [{
            "name": name, "birth_date": "2015-05-01", "address": f"Testikatu 1, Kunta {unit}",
            "school": f"Koulu {unit}",
        }],
    }  # fmt: skip

    assert decision_bytes({**said, **one}) == decision_bytes({**said, **other})


def decision_bytes(message: dict[str, Any]) -> bytes:
    """From a message as a source sends it to the decision in its canonical form."""
    (told,) = children_of(Notification.model_validate_json(orjson.dumps(message)), RECEIVED)
    known = learn(NOTHING_KNOWN, CodedFacts.model_validate(told.facts))
    return decide(derive(known, age_band=told.age_band, urgency="open"), TABLES).to_json()
