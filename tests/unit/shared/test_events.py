from datetime import UTC, date, datetime
from typing import Any, get_args
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter, ValidationError

from shared import events
from shared.directory import Shift
from shared.events import (
    INBOUND_TOPICS,
    NOT_MANDATED,
    TOPICS,
    AgeBand,
    Answer,
    CodedFacts,
    Guardian,
    IdentityTask,
    Notification,
    NotifiedChild,
    Notifier,
    NotifierKind,
    ReasonCode,
    SetAside,
    Signal,
    SignalMessage,
    Urgency,
    age_band_on,
)
from shared.hetu import make_hetu
from shared.kinds import Manifest, Transfer

MANDATED = sorted(set(get_args(NotifierKind)) - NOT_MANDATED)
SEALED = "s1." + "0" * 32 + ".abc_-"


def a_notification(**changes: Any) -> dict[str, Any]:
    return {
        "notifier": {"kind": "education", "name": "Taina Testi"},
        "children": [{"name": "Lapsi Esimerkki", "hetu": "010516B903X"}],
        "observations": "Lapsi on ollut poissa koulusta.",
        **changes,
    }


def read(content: Any) -> Notification:
    return Notification.model_validate_json(orjson.dumps(content))


def refused(content: Any) -> str:
    """The first problem as a path and a message; fails if the content is accepted."""
    with pytest.raises(ValidationError) as caught:
        read(content)
    problem = caught.value.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"


def test_a_plain_notification_is_accepted_and_what_it_leaves_out_is_unknown() -> None:
    notification = read(a_notification())

    assert Urgency() == notification.urgency
    assert {"unknown"} == set(notification.urgency.model_dump().values())
    assert "unknown" == notification.children[0].is_client
    assert notification.arrived_at is None


# --- who may stay anonymous (LSL 25 §) ----------------------------------------------------------


@pytest.mark.parametrize("kind", MANDATED)
def test_a_mandated_notifier_cannot_stay_anonymous_even_with_a_reason(kind: str) -> None:
    notifier = {"kind": kind, "anonymity_reason": "Pelkää seurauksia"}

    assert "cannot stay anonymous" in refused(a_notification(notifier=notifier))


@pytest.mark.parametrize("kind", sorted(NOT_MANDATED))
def test_a_private_notifier_may_stay_anonymous_with_a_reason(kind: str) -> None:
    notifier = {"kind": kind, "anonymity_reason": "Pelkää seurauksia"}

    assert read(a_notification(notifier=notifier)).notifier.name is None
    assert "needs anonymity_reason" in refused(a_notification(notifier={"kind": kind}))


def test_a_blank_name_or_reason_is_none() -> None:
    blank_name = {"kind": "police", "name": "   "}
    blank_reason = {"kind": "private", "anonymity_reason": " \t"}

    assert "notifier.name" in refused(a_notification(notifier=blank_name))
    assert "notifier.anonymity_reason" in refused(a_notification(notifier=blank_reason))


# --- what must be there, and nothing else -------------------------------------------------------


def test_a_misspelt_field_is_refused_at_every_depth() -> None:
    child = {"name": "Lapsi Esimerkki"}
    for content in (
        a_notification(observation="x"),
        a_notification(urgency={"indanger": "yes"}),
        a_notification(children=[{**child, "hetuu": "x"}]),
        a_notification(children=[{**child, "guardians": [{"name": "A", "tel": "1"}]}]),
        a_notification(notifier={"kind": "police", "name": "A", "mail": "x"}),
    ):
        assert "Extra inputs are not permitted" in refused(content)


@pytest.mark.parametrize("field", ["notifier", "children", "observations"])
def test_who_which_child_and_what_must_be_told(field: str) -> None:
    content = a_notification()
    del content[field]

    assert f"{field}: Field required" == refused(content)


def test_a_child_needs_a_name_or_a_code_to_be_looked_for() -> None:
    assert "give the child's name or henkilötunnus" in refused(a_notification(children=[{}]))
    assert "children" in refused(a_notification(children=[]))
    assert read(a_notification(children=[{"hetu": "010516b903x"}])).children[0].name is None


def test_a_personal_code_is_checked_and_kept_in_one_form() -> None:
    child = read(a_notification(children=[{"hetu": " 010516b903x "}])).children[0]

    assert "010516B903X" == child.hetu
    problem = refused(a_notification(children=[{"hetu": "010516B903A"}]))
    assert "children.0.hetu: Value error, henkilötunnus: the check character" in problem


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("in_danger", True),
        ("in_danger", "Yes"),
        ("in_danger", ""),
        ("in_danger", None),
        ("in_danger", 1),
        ("assault_suspected", ["yes"]),
    ],
)
def test_an_answer_is_yes_no_or_unknown_and_nothing_that_looks_like_it(
    field: str, value: Any
) -> None:
    assert f"urgency.{field}" in refused(a_notification(urgency={field: value}))


@pytest.mark.parametrize(
    "change",
    [
        {"observations": ""},
        {"observations": " \n "},
        {"observations": "huoli\x00"},
        {"observations": 5},
        {"observations": "x" * 20_001},
        {"children": [{"name": "A" * 201}]},
        {"children": [{"name": 5}]},
        {"children": [{"name": "A", "birth_date": "2026-02-30"}]},
        {"children": [{"name": "A", "birth_date": 20260101}]},
        {"children": [{"name": "A"}] * 21},
        {"children": {"name": "A"}},
        {"reasons": ["LOCAL-REASON-WEATHER"]},
        {"reasons": "LOCAL-REASON-SCHOOL"},
        {"arrived_at": "2026-11-17T10:00:00"},
        {"arrived_at": "2026-11-17"},
        {"arrived_at": 1_760_000_000},
        {"arrived_at": "1999-12-31T23:59:59Z"},
        {"notifier": {"kind": "neighbour", "name": "A"}},
        {"notifier": {"kind": "police", "name": "A", "email": "not an address"}},
        {"notifier": {"kind": "police", "name": "A", "email": "a@b.fi, c@d.fi"}},
        {"notifier": {"kind": "police", "name": "A", "email": "a@b.fi\r\nBcc: c@d.fi"}},
        {"notifier": {"kind": "police", "name": "A", "language": "de"}},
        {"notifier": None},
    ],
    ids=lambda change: str(change)[:60],
)
def test_what_has_the_wrong_type_or_size_is_refused(change: dict[str, Any]) -> None:
    assert refused(a_notification(**change)).startswith(next(iter(change)))


def test_a_refusal_never_repeats_what_was_sent() -> None:
    secret = "Salainen Henkilö"
    content = a_notification(
        children=[{"name": secret * 20, "hetu": "010516B903A", "birth_date": secret}],
        notifier={"kind": "police", "name": secret, "email": secret},
    )

    with pytest.raises(ValidationError) as caught:
        read(content)
    assert "Salainen" not in str(caught.value)
    assert "010516B903A" not in str(caught.value)


def test_an_accepted_notification_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        read(a_notification()).observations = "muuta"  # type: ignore[misc]


# --- round trips ----------------------------------------------------------------------------------

ANSWERS = st.sampled_from(get_args(Answer))
LINES = st.text(
    st.characters(exclude_categories=["C", "Z"], include_characters="åäöÅÄÖčđŋšŧžâʹ"),
    min_size=1,
    max_size=40,
)
HETUS = st.builds(
    lambda born, number: make_hetu(born, number).value,
    st.dates(date(1990, 1, 1), date(2026, 11, 17)),
    st.integers(900, 999),
)
CHILDREN = st.builds(
    NotifiedChild,
    name=LINES,
    hetu=st.none() | HETUS,
    birth_date=st.none() | st.dates(),
    address=st.none() | LINES,
    school=st.none() | LINES,
    guardians=st.lists(st.builds(Guardian, name=LINES), max_size=2).map(tuple),
    is_client=ANSWERS,
    own_worker=st.none() | LINES,
)
NOTIFICATIONS = st.builds(
    Notification,
    arrived_at=st.none()
    | st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    notifier=st.builds(
        Notifier,
        kind=st.sampled_from(get_args(NotifierKind)),
        name=LINES,
        organisation=st.none(),
        role=st.none() | LINES,
        phone=st.none(),
        email=st.sampled_from([None, "taina.testi@example.org"]),
        language=st.sampled_from(["fi", "sv", "en"]),
        anonymity_reason=st.none(),
    ),
    children=st.lists(CHILDREN, min_size=1, max_size=3).map(tuple),
    observations=st.text(
        st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=200
    ).map(lambda text: f"Huoli. {text}"),
    reasons=st.lists(st.sampled_from(get_args(ReasonCode)), max_size=4).map(tuple),
    urgency=st.builds(Urgency, in_danger=ANSWERS, assault_suspected=ANSWERS),
)


@given(NOTIFICATIONS)
def test_a_notification_survives_being_written_and_read(notification: Notification) -> None:
    assert notification == Notification.model_validate_json(notification.model_dump_json())


def a_signal(**changes: Any) -> Signal:
    content: dict[str, Any] = {
        "id": "r:0",
        "child": UUID(int=1),
        "receipt_id": UUID(int=2),
        "index": 0,
        "children": 1,
        "received_at": datetime(2026, 11, 17, 8, tzinfo=UTC),
        "provisional": False,
        "age_band": "7-12",
        "facts": CodedFacts(in_danger="yes", reasons=("LOCAL-REASON-SCHOOL",)),
        "person": SEALED,
        "text": SEALED,
        "notifier": SEALED,
    }
    return Signal(**{**content, **changes})


def test_each_message_of_the_signal_topic_is_read_back_as_its_own_kind() -> None:
    at = datetime(2026, 11, 17, 8, tzinfo=UTC)
    read_any: TypeAdapter[BaseModel] = TypeAdapter(SignalMessage)
    messages: list[BaseModel] = [
        a_signal(),
        SetAside(
            id="q:1",
            item=UUID(int=3),
            state="opened",
            service="intake",
            outcome="quarantined",
            reason="bad_json",
            received_at=at,
        ),
        IdentityTask(
            id="i:1", child=UUID(int=1), state="given", age_band="0-6", person=SEALED, at=at
        ),
    ]

    for message in messages:
        assert message == read_any.validate_json(message.model_dump_json())


def test_readers_of_internal_topics_tolerate_what_a_newer_writer_adds() -> None:
    content = {**orjson.loads(a_signal().model_dump_json()), "added_later": 1}

    assert a_signal() == Signal.model_validate_json(orjson.dumps(content))


@pytest.mark.parametrize("field", ["person", "text", "notifier"])
def test_a_signal_cannot_carry_a_person_or_a_text_in_the_clear(field: str) -> None:
    with pytest.raises(ValidationError, match=field):
        a_signal(**{field: "Lapsi Esimerkki"})


def test_coded_facts_hold_codes_only() -> None:
    text_fields = {
        name for name, field in CodedFacts.model_fields.items() if field.annotation in (str, Any)
    }

    assert set() == text_fields


def test_only_the_inbound_topics_are_open_to_sources() -> None:
    assert set(INBOUND_TOPICS) < set(TOPICS)
    assert len(TOPICS) == len(set(TOPICS))
    assert all(topic.startswith("luotsi.") and topic.endswith(".v1") for topic in TOPICS)


@pytest.mark.parametrize(
    ("born", "day", "band"),
    [
        (date(2026, 12, 1), date(2026, 11, 17), "unborn"),
        (date(2026, 11, 17), date(2026, 11, 17), "0-6"),
        (date(2019, 11, 18), date(2026, 11, 17), "0-6"),
        (date(2019, 11, 17), date(2026, 11, 17), "7-12"),
        (date(2013, 11, 18), date(2026, 11, 17), "7-12"),
        (date(2013, 11, 17), date(2026, 11, 17), "13-15"),
        (date(2010, 11, 17), date(2026, 11, 17), "16-17"),
        (date(2008, 11, 18), date(2026, 11, 17), "16-17"),
        (date(2008, 11, 17), date(2026, 11, 17), "adult"),
        (date(2020, 2, 29), date(2027, 2, 28), "0-6"),
        (date(2020, 2, 29), date(2027, 3, 1), "7-12"),
    ],
)
def test_the_age_band_changes_on_the_birthday(born: date, day: date, band: AgeBand) -> None:
    assert band == age_band_on(born, day)


@given(st.dates(date(1990, 1, 1), date(2030, 1, 1)), st.dates(date(2020, 1, 1), date(2040, 1, 1)))
def test_everybody_has_an_age_band(born: date, day: date) -> None:
    assert events.age_band_on(born, day) in get_args(AgeBand)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (Transfer, ["first_received_at"]),
        (Manifest, ["begins", "ends", "next_by"]),
        (Shift, ["begins", "ends"]),
        (Notification, ["arrived_at"]),
    ],
)
def test_a_moment_whose_offset_cannot_be_taken_from_it_is_refused_at_the_edge(
    model: type[BaseModel], fields: list[str], moment: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate_json(orjson.dumps(dict.fromkeys(fields, moment)))

    told = {e["loc"][0] for e in caught.value.errors() if "2000 to 2199" in e["msg"]}
    assert set(fields) == told
