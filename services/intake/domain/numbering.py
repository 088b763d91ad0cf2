"""The numbers that a source gives its messages, and which of them are missing. Pure.

A source numbers its messages 1, 2, 3, … without gaps, over all its kinds and doors. A *run* is one
such numbering: a source that begins anew names another run. A named run begins with 1; the run
without a name begins with the first number that came, because nobody knows what was before.

What has been seen is kept as spans. A gap counts as missing when a later number has been seen for
longer than a grace: messages overtake each other on their way. Numbers that come again, or that
lie below the beginning, change nothing.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import orjson
from pydantic import TypeAdapter, ValidationError

from shared import events
from shared.hetu import contains_hetu
from shared.inbox import Raw

NUMBER, RUN = "ce_sequence", "ce_sequencerun"
MOST_SPANS = 500  # beyond, the lowest gaps are counted and no longer named one by one

_DIGITS = re.compile(r"[1-9][0-9]{0,17}")
_NAME: TypeAdapter[str] = TypeAdapter(events.SourceId)


class Numbered(NamedTuple):
    """A message's number in a run; the run without a name is ``""``."""

    run: str
    number: int


class Span(NamedTuple):
    """Numbers seen, both ends inclusive. `since`: when the first of them arrived."""

    first: int
    last: int
    since: datetime


class Gap(NamedTuple):
    """Numbers not seen, both ends inclusive. `since`: when the first later number arrived."""

    first: int
    last: int
    since: datetime


class Seen(NamedTuple):
    """A run as far as it has been seen: its first number, spans in order, gaps folded away."""

    base: int
    spans: tuple[Span, ...]
    folded: int = 0


def number_of(raw: Raw) -> Numbered | Literal["malformed"] | None:
    """The number of a message from its header, or inside a structured event; None without one.

    A malformed number never spoils a message: it only cannot be counted.
    """
    given = {name: value for name, value in raw.headers if name in (NUMBER, RUN)}
    found: dict[str, Any] = {
        name.removeprefix("ce_"): None if value is None else value.decode("utf-8", "replace")
        for name, value in given.items()
    }
    if not given and b'"sequence' in (raw.value or b"") and b'"specversion"' in (raw.value or b""):
        found = _in_body(raw.value or b"")
    if not found:
        return None
    number, run = found.get("sequence"), found.get("sequencerun", "")
    doubled = sum(name in (NUMBER, RUN) for name, _ in raw.headers) > len(given)
    if doubled or not isinstance(number, str) or not _DIGITS.fullmatch(number):
        return "malformed"
    return Numbered(run, int(number)) if run == "" or _is_name(run) else "malformed"


def _in_body(value: bytes) -> dict[str, Any]:
    try:
        whole = orjson.loads(value)
    except orjson.JSONDecodeError:
        return {}
    names = ("sequence", "sequencerun")
    return {n: whole[n] for n in names if n in whole} if isinstance(whole, dict) else {}


def _is_name(run: Any) -> bool:
    try:
        _NAME.validate_python(run, strict=True)
    except ValidationError:
        return False
    return not contains_hetu(run)


def see(seen: Seen | None, run: str, numbers: Iterable[int], at: datetime) -> Seen:
    """What has been seen of a run with these numbers, at least one, that arrived at this time."""
    new = sorted(set(numbers))
    if seen is None:
        seen = Seen(1 if run else new[0], ())
    return _folded(_with(seen, [Span(n, n, at) for n in new if n >= seen.base]))


def give_up(seen: Seen, gaps: Iterable[Gap]) -> Seen:
    """A person has dealt with these gaps, and with what was folded: they are no longer missing."""
    return _with(seen, [Span(*gap) for gap in gaps])._replace(folded=0)


def gaps(seen: Seen) -> list[Gap]:
    """Every gap below the highest number seen, the lowest first."""
    found = []
    since: datetime | None = None
    below = [Span(0, seen.base - 1, span.since) for span in seen.spans[:1]]
    for lower, upper in reversed(list(pairwise([*below, *seen.spans]))):
        since = upper.since if since is None else min(since, upper.since)
        if lower.last + 1 < upper.first:
            found.append(Gap(lower.last + 1, upper.first - 1, since))
    return found[::-1]


def named_gaps(seen: Seen, before: datetime) -> list[Gap]:
    """The gaps above which a number had arrived by this time."""
    return [gap for gap in gaps(seen) if gap.since <= before]


def _with(seen: Seen, new: Sequence[Span]) -> Seen:
    joined: list[Span] = []
    for span in sorted([*seen.spans, *new]):
        if joined and span.first <= joined[-1].last + 1:
            last = joined[-1]
            joined[-1] = Span(last.first, max(last.last, span.last), min(last.since, span.since))
        else:
            joined.append(span)
    return seen._replace(spans=tuple(joined))


def _folded(seen: Seen) -> Seen:
    """A source that numbers wrongly must not make its row grow without end."""
    more = len(seen.spans) - MOST_SPANS
    if more <= 0:
        return seen
    low = seen.spans[: more + 1]
    missing = sum(upper.first - lower.last - 1 for lower, upper in pairwise(low))
    one = Span(low[0].first, low[-1].last, min(span.since for span in low))
    return Seen(seen.base, (one, *seen.spans[more + 1 :]), seen.folded + missing)
