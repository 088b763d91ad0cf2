"""What counts as a sender's mark of immediate danger."""

from datetime import UTC, datetime

import orjson
import pytest

from services.intake.domain.urgency import is_marked, item_of, says_danger
from shared.inbox import Raw
from tests.system import headers

AT = datetime(2026, 11, 17, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("value", [b"true", b"TRUE", b" True ", b"yes", b"1", b"", b"\xff", None])
def test_whatever_does_not_say_false_is_a_mark(value: bytes | None) -> None:
    assert is_marked([*headers("school-1", "n-1"), ("ce_urgent", value)])


@pytest.mark.parametrize("value", [b"false", b"False", b" FALSE "])
def test_false_is_none(value: bytes) -> None:
    assert not is_marked([("ce_urgent", value)])


@pytest.mark.parametrize(
    "pairs",
    [[], headers("school-1", "n-1"), [("urgent", b"true")], [("ce-urgent", b"true")],
     [("\ufffd\ufffd", b"true"), ("x", None)]],
)  # fmt: skip
def test_without_the_attribute_there_is_no_mark(pairs: list[tuple[str, bytes | None]]) -> None:
    assert not is_marked(pairs)


def test_of_two_marks_the_one_that_tells_of_danger_counts() -> None:
    assert is_marked([("ce_urgent", b"false"), ("ce_urgent", b"true")])
    assert is_marked([("ce_urgent", b"true"), ("ce_urgent", b"false")])


@pytest.mark.parametrize(
    "content",
    [
        {"urgency": {"in_danger": "yes"}},
        {"urgency": {"in_danger": "yes"}, "mispelt": 1},
        {"urgent": True, "data": {}},
        {"urgent": "true", "data": {}},
        {"data": {"urgency": {"in_danger": "yes"}}},
    ],
)
def test_content_that_tells_of_danger_is_a_mark_even_if_it_cannot_be_taken(content: object) -> None:
    assert says_danger(orjson.dumps(content))


@pytest.mark.parametrize(
    "value",
    [
        b"", b"\xff", b"[]", b"5", b"null", b'{"urgency": null}', b'{"urgency": ["in_danger"]}',
        b'{"urgency": {"in_danger": "unknown"}}', b'{"urgent": false}', b'{"urgent": "false"}',
        b'{"data": "in_danger"}', b'{"observations": "urgent"}',
    ],
)  # fmt: skip
def test_other_content_is_none(value: bytes) -> None:
    assert not says_danger(value)


def test_all_who_read_a_message_mean_the_same_item_and_each_place_has_its_own() -> None:
    place = Raw(3, 7, AT, None, (), b"", 1)

    assert item_of(place) == item_of(place._replace(value=None, headers=[("a", b"b")]))
    others = [place._replace(door=2), place._replace(partition=4), place._replace(offset=8)]
    assert 4 == len({item_of(place), *map(item_of, others)})


def test_a_marked_message_of_no_known_door_is_not_taken_for_another() -> None:
    with pytest.raises(LookupError):
        item_of(Raw(3, 7, AT, None, (), b""))
