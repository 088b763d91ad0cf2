"""Who may be told what, in which words, and case events in order."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.domain import (
    LANGUAGES,
    Field,
    MailTemplate,
    NotClearedError,
    Priority,
    Words,
    alert_for,
    before_start,
    cleared,
    put_in_order,
    receipt_values,
    reference_from,
    render,
    retry_after,
)
from services.notifications.sender import Templates
from shared.events import CaseEvent, CaseEventKind, Holder, Language

SUMMER = datetime(2026, 7, 1, 20, 5, tzinfo=UTC)  # 23.05 in Finland
CHILD, OTHER = UUID(int=1), UUID(int=2)


def a_receipt(language: Language) -> Words:
    values = receipt_values(SUMMER, "ABCDE-23456", language)
    return render(Templates.load().receipt[language], values)


def an_event(
    seq: int,
    *,
    child: UUID = CHILD,
    kind: CaseEventKind = "urgency_answered",
    holder: Holder | None = None,
    urgent: bool = False,
    about: str | None = None,
) -> CaseEvent:
    return CaseEvent(
        id=f"{child}.{seq}", child=child, seq=seq, kind=kind, at=SUMMER, holder=holder,
        urgent=urgent, about=about,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("language", "date", "danger", "again"),
    [
        ("fi", "1.7.2026 klo 23.05", "vaarassa, soita hätänumeroon 112", "tee uusi ilmoitus"),
        ("sv", "1.7.2026 kl. 23.05", "i fara, ring nödnumret 112", "gör en ny anmälan"),
        ("en", "1 July 2026 at 23:05", "number 112", "make a new notification"),
    ],
)
def test_a_receipt_tells_when_it_came_its_reference_112_and_what_to_do(
    language: Language, date: str, danger: str, again: str
) -> None:
    words = a_receipt(language)

    assert date in words.body
    assert "ABCDE-23456" in words.body
    assert danger in words.body
    assert again in words.body
    assert "$" not in words.body
    assert (Field.RECEIVED_AT, Field.REFERENCE) == words.items


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_subject_and_no_receipt_names_child_protection(language: Language) -> None:
    words = a_receipt(language)

    for revealing in ("lastensuojel", "barnskydd", "child", "lapsi", "barn", "asiakas", "klient"):
        assert revealing not in (words.subject + words.body).lower()


def test_a_time_in_winter_is_finnish_winter_time() -> None:
    values = receipt_values(datetime(2026, 12, 31, 22, 30, tzinfo=UTC), "X", "fi")

    assert "1.1.2027 klo 0.30" == values[Field.RECEIVED_AT]


def test_a_duty_alert_says_the_same_in_three_languages_and_tells_nothing() -> None:
    words = render(Templates.load().duty_alert, {})

    assert () == words.items
    assert "Kirjaudu sisään" in words.body
    assert "Logga in" in words.body
    assert "log in" in words.body


@pytest.mark.parametrize("field", sorted(set(Field) - cleared("receipt")))
def test_a_receipt_cannot_be_given_what_a_notifier_may_not_know(field: Field) -> None:
    template = Templates.load().receipt["fi"]
    values = {**receipt_values(SUMMER, "X", "fi"), field: "something"}

    with pytest.raises(NotClearedError, match=field):
        render(template, values)


@pytest.mark.parametrize("field", Field)
def test_an_alert_cannot_be_given_anything(field: Field) -> None:
    with pytest.raises(NotClearedError):
        render(Templates.load().duty_alert, {field: "something"})


def test_a_template_that_tells_too_much_is_refused_when_it_is_loaded() -> None:
    with pytest.raises(NotClearedError, match="child_name"):
        MailTemplate.parse("receipt", "Subject\n\nAbout $child_name")
    with pytest.raises(NotClearedError, match="subject"):
        MailTemplate.parse("receipt", "Received $received_at\n\nText")


def test_only_time_reference_and_language_leave_without_a_person() -> None:
    assert {Field.RECEIVED_AT, Field.REFERENCE, Field.LANGUAGE} == cleared("receipt")
    assert set() == cleared("duty_alert")


def test_a_reference_can_be_read_aloud() -> None:
    references = {reference_from(Random(n).randbytes(32)) for n in range(2000)}

    assert 2000 == len(references)
    assert all(len(reference) == 11 for reference in references)
    assert not set("01IO") & set("".join(references))


def test_waits_grow_from_seconds_to_the_cap() -> None:
    waits = [retry_after(attempt, 10, 3600) for attempt in (1, 2, 3, 4, 5, 6, 7, 1000)]

    assert [10, 30, 90, 270, 810, 2430, 3600, 3600] == waits
    assert 24 * 3600 > sum(retry_after(attempt, 10, 3600) for attempt in range(1, 25))
    assert 12 * 3600 < sum(retry_after(attempt, 10, 3600) for attempt in range(1, 30))


def test_what_came_before_the_start_is_not_told() -> None:
    assert before_start(SUMMER, SUMMER + timedelta(seconds=1))
    assert not before_start(SUMMER, SUMMER)
    assert not before_start(SUMMER, None)


@pytest.mark.parametrize(
    ("event", "alert"),
    [
        (an_event(1, kind="screened", holder="duty"), Priority.ALERT),
        (an_event(1, kind="screened", holder="duty", urgent=True), Priority.URGENT_ALERT),
        (an_event(1, kind="duty_item_opened"), Priority.ALERT),
        (an_event(1, kind="duty_item_opened", urgent=True), Priority.URGENT_ALERT),
        (an_event(1, kind="duty_item_opened", about="unanswered"), None),
        (an_event(1, kind="screened", holder="own_worker"), Priority.ALERT),
        (an_event(1, kind="screened", holder="own_worker", urgent=True), Priority.URGENT_ALERT),
        (an_event(1, kind="duty_item_closed"), None),
        (an_event(1, kind="holder_confirmed", holder="duty"), None),
        (an_event(1, kind="clock_warned", about="r.0/urgency"), Priority.URGENT_ALERT),
        (an_event(1, kind="clock_late", about="r.0/urgency"), Priority.URGENT_ALERT),
        (an_event(1, kind="clock_late", about="r.0/family_told", urgent=True), Priority.ALERT),
        (an_event(1, kind="clock_warned", about="r.0/family_told", urgent=True), None),
        (an_event(1, kind="clock_late"), Priority.ALERT),
    ],
)
def test_the_duty_team_is_alerted_of_new_tasks_and_of_limits_that_run_out_alone(
    event: CaseEvent, alert: Priority | None
) -> None:
    assert alert is alert_for(event)


def test_an_early_event_waits_until_the_gap_closes() -> None:
    early = put_in_order({CHILD: 1}, [], [an_event(3), an_event(4)])

    assert ("held", "held") == early.verdicts
    assert () == early.applied
    assert 1 == early.positions[CHILD]

    closed = put_in_order({CHILD: 1}, early.newly_held, [an_event(2)])

    assert [2, 3, 4] == [event.seq for event in closed.applied]
    assert 4 == closed.positions[CHILD]
    assert ((CHILD, 3), (CHILD, 4)) == closed.released
    assert () == closed.newly_held


def test_what_was_applied_or_waits_already_is_a_repeat() -> None:
    order = put_in_order({CHILD: 2}, [an_event(5)], [an_event(2), an_event(5)])

    assert ("repeated", "repeated") == order.verdicts
    assert () == order.applied + order.newly_held + order.released


@given(
    events=st.permutations([an_event(n, child=c) for c in (CHILD, OTHER) for n in range(1, 7)]),
    repeats=st.lists(st.integers(0, 11), max_size=5),
    cuts=st.sets(st.integers(0, 17)),
)
def test_whatever_order_events_come_in_each_is_applied_once_and_in_its_place(
    events: list[CaseEvent], repeats: list[int], cuts: set[int]
) -> None:
    positions: dict[UUID, int] = {}
    held: list[CaseEvent] = []
    applied: list[CaseEvent] = []
    arriving = events + [events[n] for n in repeats]
    edges = [0, *sorted(cuts), len(arriving)]
    for start, end in pairwise(edges):
        order = put_in_order(positions, held, arriving[start:end])
        positions = dict(order.positions)
        held = [e for e in held if (e.child, e.seq) not in order.released] + [*order.newly_held]
        applied += order.applied

    assert [] == held
    for child in (CHILD, OTHER):
        assert [1, 2, 3, 4, 5, 6] == [event.seq for event in applied if event.child == child]
