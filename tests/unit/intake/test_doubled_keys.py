"""A key that an object names twice: two readers could take different values (ASVS 1.5.3)."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.doubled_keys import has_doubled_key
from services.intake.domain.reading import read_message
from shared.clock import utc_now
from shared.contract import EXAMPLES
from shared.inbox import Raw, Unreadable
from shared.kinds import KINDS, Kind

TEXTS = st.text(st.sampled_from(':"\\au003A \n\u00e4'), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def escaped(text: str, colon: str) -> str:
    """As JSON, with `colon` for any colon inside of it."""
    return json.dumps(text).replace(":", colon)


def written(value: Any, colon: str, twice: list[str]) -> str:
    """As JSON, with each key of `twice` doubled wherever it stands."""
    if isinstance(value, dict):
        pairs = [
            f"{escaped(key, colon)} :{written(each, colon, twice)}"
            for key, each in value.items()
            for _ in range(1 + (key in twice))
        ]
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written(each, colon, twice) for each in value) + "]"
    return escaped(value, colon) if isinstance(value, str) else json.dumps(value)


def keys_of(value: Any) -> set[str]:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return set(value if isinstance(value, dict) else ()).union(*map(keys_of, parts))


@given(VALUES, st.sampled_from([":", "\\u003a", "\\u003A"]), st.data())
def test_a_key_is_found_twice_exactly_where_it_is(
    value: Any, colon: str, data: st.DataObject
) -> None:
    keys = sorted(keys_of(value))
    twice = data.draw(st.lists(st.sampled_from(keys), max_size=1)) if keys else []

    assert bool(twice) == has_doubled_key(written(value, colon, twice).encode())


@pytest.mark.parametrize(
    ("value", "doubled"),
    [
        (b'{"a": 1, "a": 1}', True),
        (b'{"a": 1, "\\u0061": 1}', True),
        (b'{"a": {"b": 1}, "a": "\\u003a\\u003A"}', True),
        (b'[{"b": [{"c": 1, "c": {}}]}]', True),
        (b'{"a": "\\\\u003a", "b": ":", ":": {"a": "\\\\\\u003a"}}', False),
        (b'"a:a"', False),
    ],
)
def test_escapes_and_colons_in_texts_deceive_nobody(value: bytes, *, doubled: bool) -> None:
    assert doubled == has_doubled_key(value)


def read(kind: Kind, value: bytes, mode: bytes = b"application/json") -> Any:
    headers: list[tuple[str, bytes | None]] = [("content-type", mode)]
    if mode == b"application/json":
        headers += [
            ("ce_specversion", b"1.0"), ("ce_id", b"n-1"), ("ce_source", b"school-1"),
            ("ce_type", kind.type.encode()),
        ]  # fmt: skip
    return read_message(Raw(0, 0, utc_now(), None, headers, value))


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_a_message_of_any_kind_with_a_key_twice_is_refused_and_says_so(kind: Kind) -> None:
    """Whether the values are alike, and whether either could be taken by itself."""
    good = (EXAMPLES / f"{kind.name}.json").read_bytes().strip()
    (field, value), *_ = json.loads(good).items()
    for more in (value, 7, None):
        doubled = good[:-1] + f', "{field}": {json.dumps(more)}}}'.encode()
        found = read(kind, doubled)

        assert isinstance(found, Unreadable)
        assert ("doubled-key", "n-1") == (found.reason, found.id)
        assert "Name each field once" in found.mend
    assert not isinstance(read(kind, good), Unreadable)


def test_a_whole_event_with_an_attribute_twice_is_refused_too() -> None:
    kind = KINDS[0]
    whole = {
        "specversion": "1.0", "id": "n-1", "source": "school-1", "type": kind.type,
        "data": json.loads((EXAMPLES / f"{kind.name}.json").read_bytes()),
    }  # fmt: skip
    value = json.dumps(whole).encode()
    mode = b"application/cloudevents+json"

    assert not isinstance(read(kind, value, mode), Unreadable)
    for more in (b', "id": "n-1"}', b', "traceparent": {"a": 1, "a": 2}}'):
        assert "doubled-key" == read(kind, value[:-1] + more, mode).reason
