"""Who said what: which statement counts is what decisions are made from."""

from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.facts import ANSWER_FIELDS, Answered, Known, Told, known_when
from services.routing.domain.households import ALONE, Family, with_family
from services.routing.domain.statements import (
    AREAS,
    CLIENT_SYSTEM,
    HOUSEHOLD,
    OTHERS,
    Noted,
    Statement,
    Written,
    by_area,
    statements_of,
)
from shared.events import Answer, CodedFacts, NotifierKind, ReasonCode

MORNING = datetime(2026, 11, 17, 8, 0, tzinfo=UTC)
ANSWERS = st.sampled_from(get_args(Answer))
TIMES = st.integers(0, 3).map(lambda hours: MORNING + timedelta(hours=hours))
CODED = st.builds(
    CodedFacts,
    in_danger=ANSWERS,
    assault_suspected=ANSWERS,
    is_client=ANSWERS,
    knowledge=st.sampled_from(("first_hand", "second_hand", "unknown")),
    said_by=st.sampled_from((*get_args(NotifierKind), None)),
    reasons=st.lists(st.sampled_from(get_args(ReasonCode)), max_size=3).map(tuple),
)
WRITTEN = st.lists(
    st.builds(
        Written,
        st.uuids().map(str),
        st.just("notification"),
        st.builds(Told, at=TIMES, facts=CODED),
    ),
    max_size=4,
)
NOTED = st.lists(
    st.builds(
        Noted,
        st.uuids().map(str),
        st.builds(
            Answered,
            at=TIMES,
            answers=st.dictionaries(
                st.sampled_from(ANSWER_FIELDS), ANSWERS, min_size=1, max_size=4
            ),
        ),
        st.sampled_from(("family", "school")),
        st.just("unknown"),
        st.just("Aino Esimerkki"),
    ),
    max_size=3,
)
FAMILIES = st.one_of(st.just(ALONE), st.builds(Family, st.just(1), a8=ANSWERS, a9=ANSWERS))


def message(hour: int, *areas: str, **stated: Any) -> Written:
    codes: tuple[Any, ...] = tuple(f"LOCAL-REASON-{area}" for area in areas)
    facts = CodedFacts(reasons=codes, **stated)
    return Written(f"message-{hour}", "notification", Told(MORNING + timedelta(hours=hour), facts))


def answer(hour: int, told_by: str = "family", **answers: Answer) -> Noted:
    given_ = Answered(MORNING + timedelta(hours=hour), answers)
    return Noted(f"act-{hour}", given_, told_by, "first_hand", "Aino Esimerkki")


@given(WRITTEN, NOTED, FAMILIES, ANSWERS)
def test_the_statement_that_counts_is_what_decisions_are_made_from(
    written: list[Written], noted: list[Noted], family: Family, client: Answer
) -> None:
    known = known_when([each.told for each in written], [each.answered for each in noted])
    known = with_family(known, family)
    if client != "unknown":
        known = known._replace(is_client=client)

    statements = statements_of(written, noted, family, client)

    answers = {name: getattr(known, name) for name in ANSWER_FIELDS}
    assert answers == {
        name: statements[name].answer if name in statements else "unknown" for name in answers
    }
    for statement in statements.values():
        assert statement.counts is None or statement.counts in statement.said


@given(WRITTEN, NOTED)
def test_the_order_in_which_statements_are_read_changes_nothing(
    written: list[Written], noted: list[Noted]
) -> None:
    assert statements_of(written, noted) == statements_of(written[::-1], noted[::-1])


@given(NOTED)
def test_answers_of_one_time_can_be_counted_whatever_they_are(noted: list[Noted]) -> None:
    """Two workers may write down the same minute."""
    answers = [each.answered for each in noted]

    assert known_when([], answers) == known_when([], answers[::-1])


def test_of_two_answers_of_one_time_the_more_concerning_stands() -> None:
    school, family = answer(1, "school", a5="yes"), answer(1, "family", a5="no", a8="no")

    both = known_when([], [family.answered, school.answered])

    assert ("yes", "no") == (both.a5, both.a8)
    assert "school" == counting(statements_of([], [family, school])["a5"]).by


def counting(statement: Statement) -> Any:
    assert statement.counts is not None
    return statement.counts


def test_the_latest_statement_counts_and_the_others_are_shown_beside_it() -> None:
    written = [message(0, "SCHOOL", said_by="education", knowledge="first_hand")]
    noted = [answer(1, "school", a5="no"), answer(2, "family", a5="yes")]

    statement = statements_of(written, noted)["a5"]

    assert ("family", "yes") == (counting(statement).by, statement.answer)
    assert ["family", "school", "education"] == [each.by for each in statement.said]
    assert statement.is_disputed
    told = statement.said[-1]
    assert ("first_hand", "notification", "message-0") == (told.hand, told.kind, told.id)


def test_a_notifiers_no_takes_back_no_yes_of_another_and_the_disagreement_is_shown() -> None:
    written = [
        message(0, said_by="education", in_danger="yes"),
        message(1, said_by="police", in_danger="no"),
    ]

    statement = statements_of(written, [])["in_danger"]

    assert ("yes", "education") == (statement.answer, counting(statement).by)
    assert statement.is_disputed
    after = statements_of(written, [answer(2, in_danger="no")])["in_danger"]
    assert ("no", "Aino Esimerkki") == (after.answer, counting(after).worker)


def test_of_several_who_say_the_same_the_latest_counts_and_nothing_is_disputed() -> None:
    statement = statements_of([message(0, "SCHOOL"), message(3, "SCHOOL")], [])["a5"]

    assert "message-3" == counting(statement).id
    assert not statement.is_disputed


def test_what_was_asked_and_nobody_knew_is_shown_and_does_not_count() -> None:
    statement = statements_of([message(0, "SCHOOL")], [answer(1, a5="unknown")])["a5"]

    assert ("yes", 2) == (statement.answer, len(statement.said))
    assert not statement.is_disputed


def test_what_the_household_adds_and_the_client_system_says_is_named_as_such() -> None:
    statements = statements_of(
        [message(0, is_client="no")], [answer(1, a8="no")], Family(1, a8="yes"), "yes"
    )

    assert (HOUSEHOLD, "yes") == (counting(statements["a8"]).by, statements["a8"].answer)
    assert (CLIENT_SYSTEM, "yes") == (
        counting(statements["is_client"]).by, statements["is_client"].answer,
    )  # fmt: skip
    assert statements["a8"].is_disputed


@given(WRITTEN, NOTED)
def test_every_statement_stands_in_one_area_or_besides_them(
    written: list[Written], noted: list[Noted]
) -> None:
    statements = statements_of(written, noted)

    areas = by_area(statements)

    assert [*AREAS, OTHERS] == [*areas]
    placed = [each.name for these in areas.values() for each in these]
    assert sorted(statements) == sorted(placed)
    assert () == areas["a7"], "it is derived and nobody says it"


def test_signs_stand_with_their_area() -> None:
    reasons = ("SELF-HARM", "CHILD-SUBSTANCE", "CUSTODY-DISPUTE", "ASSAULT")
    areas = by_area(statements_of([message(0, *reasons, judged_urgent_by_authority="yes")], []))

    names = {area: {each.name for each in these} for area, these in areas.items() if these}
    assert {
        "a2": {"a2", "self_harm"},
        "a4": {"a4", "own_substance_use", "own_addiction"},
        "a6": {"a6", "assault_suspected"},
        "a9": {"a9", "custody_dispute"},
        OTHERS: {"judged_urgent_by_authority"},
    } == names
    assert set(Known._fields) >= set().union(*names.values())
