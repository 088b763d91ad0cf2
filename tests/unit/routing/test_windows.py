"""What has come in the twelve months before the latest message, about a child and its household."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import permutations
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.decision import Decision, decide
from services.routing.domain.facts import (
    MOST_SIGNALS,
    MOST_SOURCES,
    NOTHING_KNOWN,
    Told,
    derive,
)
from services.routing.domain.households import ALONE, Member, family_of, with_windows
from services.routing.domain.tables import load_tables
from services.routing.domain.windows import (
    NONE_SEEN,
    Recent,
    Seen,
    a_year_before,
    counted,
    from_json,
    kept,
    recent_of,
    seen,
    three_months_before,
    to_json,
    together,
)
from shared.events import CodedFacts

TABLES = load_tables(Path(__file__).parents[3] / "services" / "routing" / "rules")
BEGIN = datetime(2026, 1, 15, 9, tzinfo=UTC)
A_DAY = 24 * 3600
SOURCES = "ABCDE"
MESSAGES = st.builds(
    Seen,
    st.integers(0, 800).map(lambda day: int(BEGIN.timestamp()) + day * A_DAY),
    st.sampled_from(SOURCES),
    st.uuids().map(str),
)
LISTS = st.lists(MESSAGES, max_size=14)


def on(day: int, source: str = "A", place: int = 0) -> Seen:
    """A message so many days after the first, about the child in that place."""
    return seen(f"receipt-{day}-{source}.{place}", source, BEGIN + timedelta(days=day))


def plainly(messages: Sequence[Seen]) -> tuple[int, int, int]:
    """The same count, over everything there is."""
    if not messages:
        return 0, 0, 0
    latest = max(each.at for each in messages)
    begins, lately = a_year_before(latest), three_months_before(latest)
    within = {each for each in messages if each.at >= begins}
    sources = {each.source for each in within}
    of_late = {each.source for each in within if each.at >= lately}
    return (
        min(len(within), MOST_SIGNALS), min(len(sources), MOST_SOURCES),
        min(len(of_late), MOST_SOURCES),
    )  # fmt: skip


@given(LISTS)
def test_what_is_kept_counts_as_everything_would(messages: list[Seen]) -> None:
    recent = kept(messages)

    assert plainly(messages) == counted(recent)
    assert len(recent) <= MOST_SIGNALS + MOST_SOURCES


@given(LISTS, LISTS, LISTS)
def test_what_siblings_keep_can_be_put_together_in_any_order(
    one: list[Seen], two: list[Seen], three: list[Seen]
) -> None:
    parts = [kept(one), kept(two), kept(three)]
    counts = {counted(reduce(together, order)) for order in permutations(parts)}

    assert {plainly([*one, *two, *three])} == counts


@given(LISTS, st.randoms(use_true_random=False))
def test_messages_may_come_one_by_one_in_any_order(messages: list[Seen], random: Random) -> None:
    recent: Recent = NONE_SEEN
    for each in random.sample(messages, len(messages)):
        recent = together(recent, (each,))

    assert plainly(messages) == counted(recent)


@given(LISTS, MESSAGES)
def test_as_of_one_moment_one_more_message_never_makes_them_fewer(
    messages: list[Seen], more: Seen
) -> None:
    latest = max([*messages, more])
    before = counted(kept([*messages, latest]))
    after = counted(kept([*messages, latest, more]))

    assert all(fewer <= more for fewer, more in zip(before, after, strict=True))


@given(LISTS, st.permutations(SOURCES))
def test_which_source_it_is_means_nothing_only_whether_it_is_another(
    messages: list[Seen], renamed: list[str]
) -> None:
    names = dict(zip(SOURCES, renamed, strict=True))
    other = [each._replace(source=names[each.source]) for each in messages]

    assert of_these(messages).to_json() == of_these(other).to_json()


def of_these(messages: Sequence[Seen]) -> Decision:
    known = with_windows(NOTHING_KNOWN, kept(messages), ALONE)
    return decide(derive(known, age_band="7-12", urgency="not_urgent"), TABLES)


def test_a_message_is_counted_for_twelve_months_to_the_moment() -> None:
    assert (2, 1, 1) == counted(kept([on(0), on(365)]))
    assert (1, 1, 1) == counted(kept([on(0), on(366)]))


def test_a_source_is_one_of_three_months_to_the_moment() -> None:
    """From 15 January to 15 April are 90 days."""
    assert (2, 2, 2) == counted(kept([on(0), on(90, source="police")]))
    assert (2, 2, 1) == counted(kept([on(0), on(91, source="police")]))


def test_three_months_before_the_31st_of_may_is_the_last_day_of_february() -> None:
    may = datetime(2027, 5, 31, 12, tzinfo=UTC)

    before = datetime.fromtimestamp(three_months_before(int(may.timestamp())), UTC)
    assert datetime(2027, 2, 28, 12, tzinfo=UTC) == before


def test_the_year_before_the_29th_of_february_begins_on_the_28th() -> None:
    leap = datetime(2028, 2, 29, 12, tzinfo=UTC)

    year_before = datetime.fromtimestamp(a_year_before(int(leap.timestamp())), UTC)
    assert datetime(2027, 2, 28, 12, tzinfo=UTC) == year_before


def test_a_message_about_two_siblings_is_one_message() -> None:
    about_both = [on(0, place=0), on(0, place=1)]

    assert (1, 1, 1) == counted(together(*((each,) for each in about_both)))


def test_two_messages_that_one_source_sends_at_one_moment_are_two() -> None:
    same = [seen("one.0", "A", BEGIN), seen("two.0", "A", BEGIN)]

    assert (2, 1, 1) == counted(kept(same))


def test_what_came_about_a_sibling_counts_with_what_came_about_the_child() -> None:
    near = family_of([Member(NOTHING_KNOWN, kept([on(20, "B"), on(30, "B")]))])
    known = with_windows(NOTHING_KNOWN, (on(10),), near)

    assert (3, 2) == (known.signals, known.sources)


@pytest.mark.parametrize(
    ("messages", "level"),
    [
        ([on(0), on(1), on(2, "B")], "erityis"),
        ([on(0), on(100), on(365, "B")], "erityis"),
        ([on(0), on(1, "B")], "perus"),
        ([on(0), on(1), on(2)], "perus"),
        ([on(0), on(1), on(400, "B")], "perus"),
    ],
    ids=["three of two", "within the year", "two", "of one source", "too long ago"],
)
def test_three_messages_in_a_year_from_two_sources_give_at_least_erityis(
    messages: list[Seen], level: str
) -> None:
    assert level == of_these(messages).level


@given(LISTS)
def test_what_is_kept_survives_being_stored(messages: list[Seen]) -> None:
    recent = kept(messages)

    assert recent == from_json(to_json(recent))


@given(LISTS)
def test_more_than_is_kept_can_be_read_and_is_kept_no_longer(messages: list[Seen]) -> None:
    """As the migration writes it: whatever came in the year before the latest."""
    begins = a_year_before(max((each.at for each in messages), default=0))
    within = tuple(sorted((each for each in messages if each.at >= begins), reverse=True))

    assert plainly(messages) == counted(from_json(to_json(within)))


def test_the_messages_of_a_case_are_named_by_its_signals() -> None:
    told = {"r1.0": Told(BEGIN, CodedFacts(), "A"), "r2.1": Told(BEGIN, CodedFacts(), "B")}
    moment = int(BEGIN.timestamp())

    assert (Seen(moment, "B", "r2"), Seen(moment, "A", "r1")) == recent_of(told)
