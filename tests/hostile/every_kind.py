"""A thousand hostile messages: every sort of strangeness in every kind of message, and more.

The generator is seeded: the same message has the same name and bytes in every run.
"""

import copy
import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from random import Random
from typing import Any

import pytest

from shared import kinds
from shared.contract import EXAMPLES
from tests.hostile.inputs import Hostile, a_person, an_envelope, thought_of

SEED = 3
COUNT = 1000
MUTATIONS = 100
WITHDRAWN = "good-0"  # an accepted message, which withdrawals take back

Path = tuple[str | int, ...]

NASTY = {
    "script": "<script>alert(1)</script>",
    "image": "<img src=x onerror=alert(1)>",
    "template": "{{7*7}} ${7*7} <%= 7 %> %(when)s {0}",
    "formula": "=cmd|' /C calc'!A0",
    "formula-plus": "+SUM(1;2)*cmd|' /C calc'!A0",
    "formula-at": "@SUM(1+1)*cmd|' /C calc'!A0",
    "sql": "'; DROP TABLE routing.child_case; --",
    "right-to-left": "\u202ereviro\u202c \u2066x\u2069 a\u0300\u0301",
    "zalgo": "a" + "\u0301" * 150,
}

TEXTS: dict[kinds.KindName, Sequence[Path]] = {
    "notification": [("observations",), ("notifier", "name"), ("children", 0, "name")],
    "joint_contact": [("observations",), ("grounds",)],
    "contact": [("observations",), ("ground_without_consent",)],
    "application": [("observations",), ("services_wished",)],
    "police_report": [("observations",), ("report_number",)],
    "anticipatory": [("observations",), ("support_after_birth",), ("parent", "name")],
    "consultation_request": [("observations",), ("question",), ("clinic",)],
    "transfer": [("observations",), ("from_county",), ("acts_done",)],
    "absence": [("observations",), ("school",), ("pupil_ref",), ("pupil", "name")],
    "withdrawal": [("reason",)],
    "client": [("person", "name"), ("guardians", 0, "name"), ("declarations", 0, "party")],
    "directory": [("entry", "name"), ("entry", "phone")],
}
"""Where a kind takes free text. A list of ids has none."""

CODES: dict[kinds.KindName, Path] = {
    **dict.fromkeys(
        ("notification", "joint_contact", "contact", "application", "police_report",
         "consultation_request", "transfer"),
        ("children", 0, "hetu"),
    ),
    "anticipatory": ("parent", "hetu"),
    "absence": ("pupil", "hetu"),
    "client": ("person", "hetu"),
}  # fmt: skip
"""Where a kind takes a henkilötunnus."""

IDS: dict[str, Path] = {
    "withdrawal": ("withdraws",), "manifest": ("ids", 0), "directory": ("entry_id",),
    "client": ("reference",), "absence": ("provider",),
}  # fmt: skip
"""Where a kind takes an id, which nobody's henkilötunnus and no markup may be."""

WRONG_CODES = ("010594Y9033", "310294-9036", "010594\u20139032", "010594Y903", "010594Y9032\x00")
WRONG_IDS = ("<script>", "=1+1", "a b", "", "x" * 129)
IMPOSSIBLE = ("2026-02-30", "0000-00-00", 20260101)
NO_MOMENTS = (
    "2026-02-30T10:00:00Z", "2026-11-22T25:00:00Z", 1, "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
)  # fmt: skip
A_SHIFT = {
    "what": "rota", "kind": "office_hours", "staff": ["sosse"],
    "begins": "2026-11-17T08:00:00+02:00", "ends": "2026-11-17T16:00:00+02:00",
}  # fmt: skip
DAYS: dict[str, Sequence[Path]] = {
    "absence": [("period", "begins"), ("confirmed_on",), ("pupil", "birth_date")],
    "anticipatory": [("due_date",), ("parent", "birth_date")],
    "client": [("since",), ("moves", 0, "on"), ("person", "birth_date")],
    "directory": [("entry", "active_from")],
}
"""Where a kind takes a day; those about children who can be named: their date of birth."""

MOMENTS: dict[str, Sequence[Path]] = {
    "manifest": [("begins",), ("next_by",)],
    "transfer": [("first_received_at",)],
    "directory": [("entry", "begins"), ("entry", "ends")],
}
"""Where a kind takes a moment, besides `arrived_at`, which all of them have."""

SORTS = (
    "wrong-types", "bad-json", "bad-utf-8", "nan", "nesting", "oversized", "unknown-version",
    "doubled-key", "doubled-header", "impossible-date", "future-date",
)  # fmt: skip
"""What every kind must bear; `hetu`, `id` and `markup` where a kind has such a field."""


@lru_cache
def hostile_messages(seed: int = SEED, count: int = COUNT) -> tuple[Hostile, ...]:
    """At least so many: all that were thought of, then mutations of valid ones of every kind."""
    found = list(thought_of())
    for kind in kinds.KINDS:
        for family in FAMILIES:
            found += family(kind)
    names = [message.name for message in found]
    assert len(names) == len(set(names)), "two messages have one name"
    rng = Random(seed)
    more = max(MUTATIONS, count - len(found))
    return (*found, *(mutation(rng, number) for number in range(more)))


def one_of_each() -> tuple[Hostile, ...]:
    """One of every sort in every kind, and all that were thought of one by one."""
    sorts = {(m.kind, m.sort): m for m in reversed(hostile_messages()) if m.sort}
    return tuple(m for m in hostile_messages() if not m.sort or sorts[m.kind, m.sort] is m)


ALL_OR_SOME = pytest.mark.parametrize(
    "messages", [one_of_each, pytest.param(hostile_messages, marks=pytest.mark.faults)]
)
"""How many a test sends: `make test-faults` all of them."""


def an_example(kind: kinds.Kind) -> dict[str, Any]:
    """The kind's example, about somebody whom no other of these messages is about."""
    body: dict[str, Any] = json.loads((EXAMPLES / f"{kind.name}.json").read_bytes())
    if "children" in body:
        body["children"] = [a_person()]
    if "parent" in body:
        body["parent"] = {"name": "Koe Odottaja"}
    if "pupil" in body:
        body["pupil"] = a_person()
    if "withdraws" in body:
        body["withdraws"] = WITHDRAWN
    return body


def of_kind(
    kind: kinds.Kind, sort: str, what: str, body: Any, *, applied: bool | None = False
) -> Hostile:
    """A message of a kind; a body in bytes is sent as it is."""
    name = f"{kind.name}-{sort}-{what}"
    if not isinstance(body, bytes):
        body = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
    headers = an_envelope(name, ce_type=kind.type.encode())
    return Hostile(name, b"k", body, headers, applied, kind=kind.name, sort=sort)


def changed(body: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """A copy with another value at a place, which need not be there yet."""
    whole = copy.deepcopy(body)
    part: Any = whole
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    return whole


# --- what every kind must bear --------------------------------------------------------------------


def wrong_types(kind: kinds.Kind) -> Iterator[Hostile]:
    """Each field: missing where it must be there, and of a wrong type."""
    body = an_example(kind)
    for field, value in body.items():
        for number, wrong in enumerate(wrong_for(value)):
            yield of_kind(kind, "wrong-types", f"{field}-{number}", body | {field: wrong})
        if kind.model.model_fields[field].is_required():
            without = {name: each for name, each in body.items() if name != field}
            yield of_kind(kind, "wrong-types", f"{field}-missing", without)
    yield of_kind(kind, "wrong-types", "unknown-field", body | {"in_danger": "yes"})
    yield of_kind(kind, "wrong-types", "as-list", [body])


def wrong_for(value: Any) -> list[Any]:
    """Values of other types."""
    if isinstance(value, str):
        return [7, {"value": value}]
    return [7, "x"] if isinstance(value, dict) else ["x", [None]]


def bad_content(kind: kinds.Kind) -> Iterator[Hostile]:
    """What is no JSON, or JSON of which readers make different things."""
    body = an_example(kind)
    good = json.dumps(body, ensure_ascii=False).encode()
    field = next(iter(body)).encode()
    for sort, what, value in (
        ("bad-json", "cut", good[: len(good) // 2]),
        ("bad-json", "comma", good[:-1] + b",}"),
        ("bad-json", "twice", good + good),
        ("bad-utf-8", "byte", good.replace(b'": "', b'": "\xff', 1)),
        ("bad-utf-8", "overlong", good.replace(b'": "', b'": "\xc0\xaf', 1)),
        ("bad-utf-8", "surrogate", good.replace(b'": "', b'": "\xed\xa0\x80', 1)),
        ("nan", "nan", good[:-1] + b', "arrived_at": NaN}'),
        ("nan", "infinity", good[:-1] + b', "arrived_at": -Infinity}'),
        ("nesting", "lists", b"[" * 100_000),
        ("nesting", "inside", good[:-1] + b', "x": ' + b"[" * 300 + b"]" * 300 + b"}"),
        ("oversized", "padded", good.ljust(1_000_001)),
        ("doubled-key", "null-first", b'{"' + field + b'": null, ' + good[1:]),
        ("doubled-key", "null-last", good[:-1] + b', "' + field + b'": null}'),
        ("doubled-key", "alike", good[:-1] + b", " + good[1:]),
    ):
        yield of_kind(kind, sort, what, value)


def bad_envelope(kind: kinds.Kind) -> Iterator[Hostile]:
    """Versions that nobody knows, and attributes that are there twice."""
    body = an_example(kind)
    for version in ("v2", "v0", "v1.1"):
        message = of_kind(kind, "unknown-version", version, body)
        type_ = kind.type.removesuffix("v1") + version
        yield message._replace(headers=an_envelope(message.name, ce_type=type_.encode()))
    for header in ("ce_id", "ce_type", "content-type"):
        message = of_kind(kind, "doubled-header", header, body)
        again = [pair for pair in message.headers if pair[0] == header]
        yield message._replace(headers=[*message.headers, *again])


def bad_times(kind: kinds.Kind) -> Iterator[Hostile]:
    """Days and moments that are none, and such as lie far ahead.

    A stated arrival ahead is noted and ignored, beyond 2199 it is none. A day ahead is taken as
    it is written: a mistyped day of birth must not keep a child's matter from its worker.
    """
    body = an_example(kind)
    born: list[Path] = [("children", 0, "birth_date")] if "children" in body else []
    for path in (*born, *DAYS.get(kind.name, ())):
        for number, day in enumerate(IMPOSSIBLE):
            what = f"{'.'.join(map(str, path))}-{number}"
            yield of_kind(kind, "impossible-date", what, changed(body, path, day))
        ahead = changed(body, path, "9999-12-31")
        applied = path != ("period", "begins")  # which has an end
        yield of_kind(kind, "future-date", ".".join(map(str, path)), ahead, applied=applied)
    for path in (("arrived_at",), *MOMENTS.get(kind.name, ())):
        name = ".".join(map(str, path))
        if path[0] == "entry":
            body = changed(body, ("entry",), A_SHIFT)
        for number, moment in enumerate(NO_MOMENTS):
            wrong = changed(body, path, moment)
            yield of_kind(kind, "impossible-date", f"{name}-{number}", wrong)
        if path == ("arrived_at",):
            far = changed(body, path, "9999-12-31T23:59:59Z")
            yield of_kind(kind, "future-date", f"{name}-far", far)
            near = changed(body, path, "2199-01-01T00:00:00Z")
            yield of_kind(kind, "future-date", f"{name}-near", near, applied=True)


def bad_codes(kind: kinds.Kind) -> Iterator[Hostile]:
    """Henkilötunnus that are none, and ids that hold one, or what no id may hold."""
    body = an_example(kind)
    if path := CODES.get(kind.name):
        for number, code in enumerate(WRONG_CODES):
            yield of_kind(kind, "hetu", str(number), changed(body, path, code))
    if path := IDS.get(kind.name):
        for number, ident in enumerate(WRONG_IDS):
            yield of_kind(kind, "id", str(number), changed(body, path, ident))
        if kind.name in ("manifest", "client", "directory"):
            yield of_kind(kind, "hetu", "in-id", changed(body, path, "x-010594Y9032"))


def markup_and_formulas(kind: kinds.Kind) -> Iterator[Hostile]:
    """Text is text, whatever it looks like: it is read, and nothing in it is ever run."""
    paths = TEXTS.get(kind.name, ())
    for number, (name, nasty) in enumerate(NASTY.items()):
        body = an_example(kind)
        for path in paths:
            body = changed(body, path, nasty)
        if kind is kinds.DIRECTORY:
            body = changed(body, ("entry_id",), f"staff-{number}")
            body = changed(body, ("entry", "staff_id"), f"staff-{number}")
        if paths:
            yield of_kind(kind, "markup", name, body, applied=True)


FAMILIES = (
    wrong_types, bad_content, bad_envelope, bad_times, bad_codes, markup_and_formulas,
)  # fmt: skip


def mutation(rng: Random, number: int) -> Hostile:
    """A valid message with a few bytes changed: it is read or refused, nobody knows before."""
    kind = kinds.KINDS[number % len(kinds.KINDS)]
    message = of_kind(kind, "mutation", str(number), an_example(kind), applied=None)
    value = bytearray(message.value or b"")
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(value))
        if rng.random() < 0.5:
            value[place] = rng.randrange(256)
        else:
            del value[place : place + rng.randint(1, 5)]
    return message._replace(value=bytes(value))
