"""Messages that nobody should send, and what must become of each: envelope, JSON, notification.

`tests/hostile/every_kind.py` does the same to every other kind. `applied` says that the message
can be read for all its strangeness; the rest must be quarantined.
"""

import gzip
import json
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, NamedTuple

from shared import kinds

SOURCE = "hostile-1"
EXTENDED = "application/cloudevents+json"

Pairs = list[tuple[str, bytes | None]]


class Hostile(NamedTuple):
    """One message; `raw_name` is a header whose name is not UTF-8, which no client would send.

    `kind` is what it should have been, `sort` the sort of strangeness.
    """

    name: str
    key: bytes | None
    value: bytes | None
    headers: Pairs
    applied: bool | None = False
    raw_name: bool = False
    codec: str | None = None
    kind: kinds.KindName = "notification"
    sort: str = ""


def a_person(number: int = 0) -> dict[str, Any]:
    """A child without a henkilötunnus, so that no two of these messages meet in one case."""
    return {"name": f"Koe Lapsi {number}"}


def a_body(**changes: Any) -> dict[str, Any]:
    """A valid notification."""
    return {
        "notifier": {"kind": "education", "name": "Koe Opettaja"},
        "children": [a_person()],
        "observations": "Pitkä kirjoitus.",
        **changes,
    }


def an_envelope(ident: str, **changes: bytes | None) -> Pairs:
    """Binary mode; a name given None loses its header."""
    found: dict[str, bytes | None] = {
        "ce_specversion": b"1.0",
        "ce_id": ident.encode(),
        "ce_source": SOURCE.encode(),
        "ce_type": kinds.NOTIFICATION.type.encode(),
        "content-type": b"application/json",
        **changes,
    }
    return [(name, value) for name, value in found.items() if value is not None]


def thought_of() -> Iterator[Hostile]:
    """What is strange about a message of any kind, tried with notifications."""
    for family in (
        bad_headers, foreign_headers, bad_envelopes, bad_json, bad_types, bad_codes, bad_dates,
        oversized, tombstones, structured, odd_keys,
    ):  # fmt: skip
        yield from family()


def with_value(name: str, value: bytes | None, *, applied: bool | None = False) -> Hostile:
    return Hostile(name, b"k", value, an_envelope(name), applied)


def with_body(name: str, *, applied: bool | None = False, **changes: Any) -> Hostile:
    value = json.dumps(a_body(**changes), ensure_ascii=False).encode("utf-8", "surrogatepass")
    return with_value(name, value, applied=applied)


def with_headers(name: str, headers: Pairs, *, applied: bool | None = False) -> Hostile:
    return Hostile(name, b"k", json.dumps(a_body()).encode(), headers, applied)


# --- headers --------------------------------------------------------------------------------------

OURS = ("ce_specversion", "ce_id", "ce_source", "ce_type", "content-type")


def bad_headers() -> Iterator[Hostile]:
    not_utf8 = {"ff": b"\xff", "latin1": b"\xe4iti", "cut": b"ab\xc3", "overlong": b"\xc0\xaf"}
    for header in OURS:
        for kind, value in not_utf8.items():
            name = f"header-{header}-{kind}"
            yield with_headers(name, an_envelope(name, **{header: value}))
        name = f"header-{header}-null"
        pairs = [(n, None if n == header else v) for n, v in an_envelope(name)]
        yield with_headers(name, pairs)
        name = f"header-{header}-doubled"
        pairs = an_envelope(name)
        yield with_headers(name, [*pairs, next(pair for pair in pairs if pair[0] == header)])
        name = f"header-{header}-doubled-otherwise"
        yield with_headers(name, [*an_envelope(name), (header, b"1.0")])
        name = f"header-{header}-missing"
        pairs = an_envelope(name, **{header: None})
        yield with_headers(name, pairs, applied=header == "content-type")
    yield with_headers("header-none-at-all", [])


def foreign_headers() -> Iterator[Hostile]:
    """Headers that are not ours say nothing about the message: it is read."""
    more: dict[str, Pairs] = {
        "not-utf-8": [("x-trace", b"\xff\xfe\x00")],
        "null": [("x-trace", None)],
        "doubled": [("x-trace", b"1"), ("x-trace", b"2")],
        "empty-name": [("", b"1")],
        "empty-value": [("x-trace", b"")],
        "reply-to": [("reply_to", b"stolen")],
        "reply-to-case": [("reply_to", b"luotsi.case.v1")],
        "reply-to-not-utf-8": [("reply_to", b"\xff\xff")],
        "reply-to-null": [("reply_to", None)],
        "correlation-id-not-utf-8": [("correlation_id", b"\xff\xfe")],
        "message-id-null": [("message_id", None)],
        "thousand": [(f"x-{n}", b"v") for n in range(1000)],
        "large": [("x-large", b"y" * 300_000)],
        "odd-names": [("ce-id", b"other"), ("CE_ID", b"other"), ("Content-Type", b"text/html")],
        "extension": [("ce_traceparent", b"00-1-2-03"), ("ce_partitionkey", b"x")],
    }
    for kind, pairs in more.items():
        name = f"foreign-header-{kind}"
        yield with_headers(name, [*pairs, *an_envelope(name)], applied=True)
    for place in (0, 5):
        name = f"foreign-header-name-not-utf-8-{place}"
        pairs = an_envelope(name)
        pairs.insert(place, ("raw_", b"1"))
        yield with_headers(name, pairs, applied=True)._replace(raw_name=True)


def bad_envelopes() -> Iterator[Hostile]:
    wrong: dict[str, Sequence[bytes]] = {
        "ce_specversion": [b"", b"0.3", b"2.0", b"1", b" 1.0"],
        "ce_type": [
            b"", b"fi.luotsi.childprotection.notification.v2", b"fi.luotsi.other.v1", b"x" * 5000,
            kinds.NOTIFICATION.type.upper().encode(), kinds.NOTIFICATION.type.encode() + b"\x00",
        ],
        "ce_id": [
            b"", b" ", b"a b", b"a\nb", b"a\x00b", b"a" * 129, b"-begins", "äö".encode(),
            "\U0001f600".encode(), b"%s", b"a;b", b"<b>", b"../../x?", b"ilmo-010594Y9032",
            b"010594Y9032",
        ],
        "ce_source": [b"", b"a b", b"x" * 129, "kunta-ö".encode(), b"koulu-010594Y9032", b"a\tb"],
    }  # fmt: skip
    for header, values in wrong.items():
        for number, value in enumerate(values):
            name = f"envelope-{header}-{number}"
            yield with_headers(name, an_envelope(name, **{header: value}))


# --- content --------------------------------------------------------------------------------------


def bad_json() -> Iterator[Hostile]:
    good = json.dumps(a_body()).encode()
    for name, value in {
        "empty": b"", "blank": b" \n\t ", "null": b"null", "true": b"true", "number": b"17",
        "string": b'"x"', "list": b"[]", "object": b"{}", "xml": b"<a/>", "nul": b"\x00",
        "single-quotes": b"{'observations': 'x'}", "comment": b"/* x */" + good,
        "trailing": good + b"x", "twice": good + good, "comma": good[:-1] + b",}",
        "bom": b"\xef\xbb\xbf" + good, "utf-16": json.dumps(a_body()).encode("utf-16"),
        "latin-1": json.dumps(a_body(), ensure_ascii=False).encode("latin-1"),
        "invalid-utf-8": good.replace(b"Koe", b"K\xffe"),
        "overlong-utf-8": good.replace(b"Koe", b"K\xc0\xafe"),
        "surrogate-utf-8": good.replace(b"Koe", b"K\xed\xa0\x80e"),
        "raw-control": good.replace(b"Koe", b"K\x01e"),
        "raw-newline": good.replace(b"Koe", b"K\ne"),
        "gzip": gzip.compress(good, mtime=0),
        "nan": good.replace(b'"Koe Opettaja"', b"NaN"),
        "infinity": good.replace(b'"Koe Opettaja"', b"-Infinity"),
        "bad-escape": good.replace(b"Koe", b"\\x41"),
        "huge-number": good[:-1] + b', "knowledge": 1' + b"0" * 5000 + b"}",
        "huge-exponent": good[:-1] + b', "knowledge": 1e999999999}',
        "tiny-exponent": good[:-1] + b', "knowledge": 1e-999999999}',
    }.items():  # fmt: skip
        yield with_value(f"json-{name}", value)
    for part in range(1, 11):
        yield with_value(f"json-cut-{part}", good[: len(good) * part // 11])
    for name, opened, closed in (("lists", b"[", b"]"), ("objects", b'{"a":', b"}")):
        for depth in (300, 100_000):
            nested = opened * depth + b"1" + closed * depth
            yield with_value(f"json-deep-{name}-{depth}", nested)
            inside = good[:-1] + b', "knowledge": ' + nested + b"}"
            yield with_value(f"json-deep-inside-{name}-{depth}", inside)
    yield with_value("json-deep-unclosed", b"[" * 500_000)
    yield with_value("json-doubled-key-ends-well", b'{"observations": 7, ' + good[1:])
    yield with_value("json-doubled-key-ends-badly", good[:-1] + b', "observations": 7}')
    yield with_value("json-doubled-key-alike", b'{"observations": "toinen", ' + good[1:])
    yield with_value("json-doubled-key-escaped", b'{"\\u006fbservations": "x", ' + good[1:])
    yield with_value("json-blank-around", b" \n" + good + b"\n ", applied=True)
    yield with_value(
        "json-escaped-key", good.replace(b'"children"', b'"\\u0063hildren"'), applied=True
    )
    yield with_value(
        "json-many-unknown", json.dumps(a_body() | {f"f{n}": n for n in range(5000)}).encode()
    )
    for place, escape in {
        "high": "\\ud800", "low": "\\udfff", "reversed": "\\udc00\\ud800", "nul": "\\u0000",
    }.items():  # fmt: skip
        for field in ("Koe Opettaja", "Pitk\\u00e4 kirjoitus."):
            value = good.replace(field.encode(), escape.encode())
            yield with_value(f"json-escape-{place}-{field[0]}", value)


def bad_types() -> Iterator[Hostile]:
    notifier, child = a_body()["notifier"], a_person()
    by_field: dict[str, list[Any]] = {
        "observations": [None, 7, 1.5, True, [], {}, "", " ", "\x00", "x\x00y", "\x0b"],
        "children": [None, 7, "x", {}, [], [None], [[]], ["x"], [{}], [child] * 21],
        "notifier": [None, 7, "x", [], {}, {"kind": "education"}],
        "reasons": [None, "LOCAL-REASON-SCHOOL", ["x"], [7], {}, ["LOCAL-REASON-SCHOOL"] * 23],
        "knowledge": [None, "", "First_Hand", True, []],
        "urgency": [
            None, "yes", [], {"in_danger": True}, {"in_danger": "YES"}, {"in_dangr": "yes"},
        ],
        "right_recipient": [None, 1, "maybe"],
    }  # fmt: skip
    for field, values in by_field.items():
        for number, value in enumerate(values):
            yield with_body(f"type-{field}-{number}", **{field: value})
    for number, more in enumerate((
        {"kind": "Education"}, {"kind": None}, {"email": "x"}, {"email": "a@b\n.fi"},
        {"language": "de"}, {"name": "x\ny"}, {"name": "y" * 201}, {"name": ""}, {"age": 7},
        {"phone": 401234567},
    )):  # fmt: skip
        yield with_body(f"type-notifier-{number}-inside", notifier=notifier | more)
    inside: list[dict[str, Any]] = [
        {"name": "x\x1b[31m"}, {"name": None}, {"guardians": [{}]}, {"guardians": [child] * 11},
        {"is_client": False}, {"school": ["x"]}, {"nickname": "x"},
    ]  # fmt: skip
    for number, more in enumerate(inside):
        yield with_body(f"type-child-{number}-inside", children=[child | more])
    yield with_body("type-unknown-field", in_danger="yes")
    yield with_body("type-unknown-field-in-finnish", lisätieto="x")


def bad_codes() -> Iterator[Hostile]:
    for number, code in enumerate((
        "010594Y9033", "310294-9036", "000000-9000", "010594-0001", "010594Z9032",
        "010594\u20139032", "\uff10\uff11\uff10\uff15\uff19\uff14Y9032",
        "\u0660\u0661\u0660\u0665\u0669\u0664Y9032", "010594Y90321", "010594Y903", "010594Y",
        "", " ", "010594Y 9032", "010594Y9032\x00", "x" * 50, "320194-9037",
    )):  # fmt: skip
        yield with_body(f"hetu-{number}", children=[{"hetu": code}])
    for number, wrong in enumerate((10594, None, ["010594Y9032"], True)):
        child = {"hetu": wrong} | ({} if wrong is not None else {"birth_date": "2015-01-01"})
        yield with_body(f"hetu-type-{number}", children=[child])


def bad_dates() -> Iterator[Hostile]:
    for number, day in enumerate((
        "2026-02-30", "0000-00-00", "2026-13-01", "1.1.2015", 20150101, "2015-01-01T12:00:00Z", "",
        [],
    )):  # fmt: skip
        yield with_body(f"date-birth-{number}", children=[a_person() | {"birth_date": day}])
    for number, moment in enumerate((
        "2026-11-22T10:00:00", "2026-02-30T10:00:00Z", "2026-11-22T25:00:00Z",
        "0001-01-01T00:00:00Z",
        "1999-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "99999-01-01T00:00:00Z", 1_700_000_000,
        "2026-11-22T10:00:00+99:99", "now", "",
    )):  # fmt: skip
        yield with_body(f"date-arrived-{number}", arrived_at=moment)
    yield with_body("date-arrived-ahead", arrived_at="2199-01-01T00:00:00Z", applied=True)
    yield with_body("date-arrived-long-ago", arrived_at="2000-01-01T00:00:00Z", applied=True)


# --- size, emptiness, mode, key -------------------------------------------------------------------


def oversized() -> Iterator[Hostile]:
    yield with_body("size-text-of-20001", observations="x" * 20_001)
    yield with_body("size-text-of-20000", observations="x" * 20_000, applied=True)
    yield with_body("size-text-of-emoji", observations="\U0001f600" * 20_000, applied=True)
    good = json.dumps(a_body()).encode()
    yield with_value("size-padded-to-limit", good.ljust(1_000_000), applied=True)
    for size in (1_000_001, 1_500_000, 2_000_000):
        yield with_value(f"size-{size}", good.ljust(size))
    yield with_value("size-random", Random(1).randbytes(1_900_000))
    packed = with_value("size-10000000-packed", good.ljust(10_000_000))
    yield packed._replace(codec="gzip")


def tombstones() -> Iterator[Hostile]:
    yield with_value("tombstone", None)
    yield Hostile("tombstone-without-headers", b"k", None, [])
    yield Hostile("tombstone-without-key", None, None, an_envelope("tombstone-without-key"))
    yield Hostile("tombstone-bare", None, None, [])


def a_whole(ident: str, **changes: Any) -> dict[str, Any]:
    """Structured mode."""
    whole = {
        "specversion": "1.0", "id": ident, "source": SOURCE, "type": kinds.NOTIFICATION.type,
        "data": a_body(), **changes,
    }  # fmt: skip
    return {name: value for name, value in whole.items() if value is not None}


def structured() -> Iterator[Hostile]:
    def one(name: str, *, mode: str = EXTENDED, applied: bool = False, **changes: Any) -> Hostile:
        value = json.dumps(a_whole(name, **changes)).encode()
        return Hostile(name, b"k", value, [("content-type", mode.encode())], applied=applied)

    yield one("structured-valid", applied=True)
    yield one("structured-charset", mode=EXTENDED + "; charset=utf-8", applied=True)
    yield one("structured-extension", applied=True, traceparent="00-1")
    yield one("structured-batch", mode="application/cloudevents-batch+json")
    yield one("structured-as-json", mode="application/json")
    wrong: list[dict[str, Any]] = [
        {"data": None}, {"data": "x"}, {"data": []}, {"data": {}}, {"specversion": "0.3"},
        {"specversion": None}, {"specversion": 1.0}, {"id": None}, {"id": 7}, {"id": ""},
        {"id": "010594Y9032"}, {"source": None}, {"source": []}, {"source": "a b"}, {"type": None},
        {"type": "x"}, {"type": {}}, {"data": None, "data_base64": "e30="},
        {"data": a_body(observations=7)}, {"data": a_whole("inner")},
    ]  # fmt: skip
    for number, changes in enumerate(wrong):
        yield one(f"structured-wrong-{number}", **changes)
    name = "structured-with-binary-headers"
    value = json.dumps(a_whole(name)).encode()
    both = an_envelope("other", **{"content-type": EXTENDED.encode()})
    yield Hostile(name, b"k", value, both, applied=True)
    yield Hostile("structured-junk", b"k", b"\xff\x00", [("content-type", EXTENDED.encode())])
    yield Hostile("structured-list", b"k", b"[]", [("content-type", EXTENDED.encode())])


def odd_keys() -> Iterator[Hostile]:
    """The key is the source's own: whatever it is, the message is read."""
    for kind, key in {
        "missing": None, "empty": b"", "not-utf-8": b"\xff\xfe", "nul": b"\x00",
        "large": b"k" * 100_000, "hetu": b"010594Y9032",
    }.items():  # fmt: skip
        name = f"key-{kind}"
        value = json.dumps(a_body()).encode()
        yield Hostile(name, key, value, an_envelope(name), applied=True)
