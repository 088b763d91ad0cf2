"""Which of a source's numbers are missing."""

import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import orjson
import pytest

from services.intake.domain.numbering import (
    MOST_SPANS,
    Gap,
    Numbered,
    Seen,
    Span,
    gaps,
    give_up,
    named_gaps,
    number_of,
    see,
)
from shared.inbox import Raw

AT = datetime(2026, 11, 17, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
GRACE = 15 * MINUTE


def raw(*headers: tuple[str, bytes | None], value: bytes = b"{}") -> Raw:
    return Raw(0, 0, AT, None, headers, value)


def missing(seen: Seen) -> set[int]:
    return {number for gap in gaps(seen) for number in range(gap.first, gap.last + 1)}


def seen_of(*batches: list[int], run: str = "a") -> Seen:
    seen: Seen | None = None
    for place, batch in enumerate(batches):
        seen = see(seen, run, batch, AT + place * MINUTE)
    assert seen is not None
    return seen


@pytest.mark.parametrize("seed", range(30))
def test_whatever_the_order_and_however_often_what_is_missing_is_what_never_came(
    seed: int,
) -> None:
    chance = random.Random(seed)
    sent = list(range(1, chance.randrange(2, 400)))
    lost = {n for n in sent if chance.random() < 0.1} - {sent[-1]}
    came = [n for n in sent if n not in lost]
    came += chance.choices(came, k=20)
    chance.shuffle(came)
    seen: Seen | None = None
    while came:
        size = chance.randrange(1, 30)
        batch, came = came[:size], came[size:]
        seen = see(seen, "a", batch, AT)

    assert seen is not None
    assert lost == missing(seen)
    spans = seen.spans
    assert all(a.last + 1 < b.first for a, b in pairwise(spans))


def test_a_gap_is_named_when_a_later_number_has_been_there_for_the_grace() -> None:
    seen = seen_of([1, 2], [5], [9])

    assert [] == named_gaps(seen, AT)
    assert [Gap(3, 4, AT + MINUTE)] == named_gaps(seen, AT + MINUTE)
    assert [Gap(3, 4, AT + MINUTE), Gap(6, 8, AT + 2 * MINUTE)] == named_gaps(seen, AT + 2 * MINUTE)


def test_the_first_later_number_counts_even_if_lower_ones_follow_it() -> None:
    seen = seen_of([1], [9], [5])

    assert [(2, 4), (6, 8)] == [(g.first, g.last) for g in gaps(seen)]
    assert {AT + MINUTE} == {gap.since for gap in gaps(seen)}


def test_a_gap_that_is_filled_is_one_no_longer() -> None:
    assert [] == gaps(seen_of([1, 4], [3], [2]))


def test_a_named_run_begins_with_one_and_the_other_with_what_came_first() -> None:
    assert {1, 2} == missing(seen_of([3], run="2026-11"))
    assert set() == missing(seen_of([3], run=""))


def test_numbers_below_the_beginning_are_repeats() -> None:
    assert seen_of([48_123], [1], [2], run="") == seen_of([48_123], run="")


def test_a_person_gives_up_gaps_and_later_ones_are_named_again() -> None:
    seen = seen_of([1], [5])

    done = give_up(seen, gaps(seen))

    assert [] == gaps(done)
    assert {6} == missing(see(done, "a", [7], AT))


def test_a_source_that_counts_by_twos_does_not_grow_without_end() -> None:
    numbers = list(range(1, 4 * MOST_SPANS, 2))

    seen = see(None, "a", numbers, AT)

    assert MOST_SPANS == len(seen.spans)
    assert len(numbers) - 1 == len(missing(seen)) + seen.folded
    assert 0 == give_up(seen, gaps(seen)).folded


def test_one_absurd_number_is_one_gap() -> None:
    assert [Gap(2, 10**18 - 2, AT + MINUTE)] == gaps(seen_of([1], [10**18 - 1]))


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([("ce_sequence", b"17")], Numbered("", 17)),
        ([("ce_sequence", b"17"), ("ce_sequencerun", b"2026-11")], Numbered("2026-11", 17)),
        ([], None),
        ([("ce_sequence", b"0")], "malformed"),
        ([("ce_sequence", b"-1")], "malformed"),
        ([("ce_sequence", b"1.5")], "malformed"),
        ([("ce_sequence", "١٧".encode())], "malformed"),
        ([("ce_sequence", b"\xff")], "malformed"),
        ([("ce_sequence", None)], "malformed"),
        ([("ce_sequence", b"9" * 19)], "malformed"),
        ([("ce_sequence", b"1"), ("ce_sequence", b"2")], "malformed"),
        ([("ce_sequencerun", b"a")], "malformed"),
        ([("ce_sequence", b"1"), ("ce_sequencerun", b"a b")], "malformed"),
        ([("ce_sequence", b"1"), ("ce_sequencerun", b"010594Y9032")], "malformed"),
    ],
)
def test_a_number_is_plain_digits_in_the_header(
    headers: list[tuple[str, bytes | None]], found: object
) -> None:
    assert found == number_of(raw(*headers))


def test_a_number_may_stand_in_a_structured_event() -> None:
    whole = {"specversion": "1.0", "sequence": "17", "sequencerun": "r", "data": {}}

    assert Numbered("r", 17) == number_of(raw(value=orjson.dumps(whole)))
    assert "malformed" == number_of(raw(value=orjson.dumps({**whole, "sequence": 17})))
    assert None is number_of(raw(value=b'{"observations": "\\"sequence", "specversion"'))


def test_a_span_keeps_when_its_first_number_came() -> None:
    assert (Span(1, 3, AT),) == seen_of([1], [3], [2]).spans
