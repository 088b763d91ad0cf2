"""What an import will do, and what is wrong with the file: from its lines alone, nothing is sent.

Lines are read by intake's own reader and clocks counted by routing's own rules. What is wrong is
told by line and field, never with a value.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from pydantic import ValidationError

from deploy.golive.line import CLOCK_KINDS, FIELD_NAMES, STOPS, ActKind, DoneBefore, OpenMatter
from services.intake.domain.reading import read_message
from services.intake.domain.told import children_of
from services.routing.domain.clocks import ClockKind, ClockSettings, clocks_for
from shared.events import Concern
from shared.inbox import Raw, Unreadable
from shared.kinds import BY_NAME, Kind


class Wrong(NamedTuple):
    """What is wrong with a line, and where; nothing of its content."""

    line: int
    field: str
    mend: str


class Act(NamedTuple):
    """An act to record. `done_at` is the time that its clocks will stop at."""

    kind: ActKind
    done_at: datetime
    body: Mapping[str, Any]


class Clock(NamedTuple):
    """A clock as it must stand after the import."""

    due: datetime
    stopped_at: datetime | None


class Child(NamedTuple):
    """One child of a matter: a notification of its own at the desk."""

    acts: tuple[Act, ...]
    check_state: str
    clocks: Mapping[ClockKind, Clock]


class Matter(NamedTuple):
    """A line that can be imported. `content` is what will be sent, byte by byte."""

    line: int
    id: str
    kind: Kind
    content: bytes
    received_at: datetime
    children: tuple[Child, ...]


class Plan(NamedTuple):
    """All matters in the order of their receipt, and all that is wrong."""

    lines: int
    matters: list[Matter]
    wrong: list[Wrong]


class _Bad(Exception):
    def __init__(self, field: str, mend: str) -> None:
        super().__init__(field)
        self.field = field
        self.mend = mend


def read_plan(lines: Iterable[bytes], source: str, now: datetime, settings: ClockSettings) -> Plan:
    """Read every line. Empty ones are left out; nothing stops at the first that is wrong."""
    matters: list[Matter] = []
    wrong: list[Wrong] = []
    first_line: dict[str, int] = {}
    count = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        count += 1
        try:
            read = _read_line(line)
            _only_once(first_line.setdefault(read.id, number), number)
            matters.append(_plan(number, read, source, now, settings))
        except _Bad as bad:
            wrong.append(Wrong(number, bad.field, bad.mend))
    matters.sort(key=lambda matter: (matter.received_at, matter.line))
    wrong += _corrections(matters)
    return Plan(count, matters, sorted(wrong))


def _only_once(first: int, number: int) -> None:
    if first != number:
        raise _Bad("id", f"the same as in line {first}; every matter has its own")


def _read_line(line: bytes) -> OpenMatter:
    try:
        return OpenMatter.model_validate_json(line)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
        if problem["type"] == "json_invalid":
            raise _Bad("line", "not JSON: each line is one object, in UTF-8") from None
        place = ".".join(
            str(part) if isinstance(part, int) or part in FIELD_NAMES else "?"
            for part in problem["loc"]
        )
        mend = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            mend = "a field that a line does not have; check its spelling"
        raise _Bad(place or "line", mend) from None


def _plan(
    number: int, read: OpenMatter, source: str, now: datetime, settings: ClockSettings
) -> Matter:
    kind = BY_NAME[read.kind]
    content = orjson.dumps(read.message)
    headers: list[tuple[str, bytes | None]] = [
        ("ce_specversion", b"1.0"),
        ("ce_id", read.id.encode()),
        ("ce_source", source.encode()),
        ("ce_type", kind.type.encode()),
    ]
    message = read_message(Raw(0, 0, now, None, headers, content))
    if isinstance(message, Unreadable):
        raise _Bad("message", f"{message.reason}: {message.mend}")
    if message.event.arrived_at is None:
        raise _Bad("message.arrived_at", "needed: when the matter truly arrived")
    if message.event.arrived_at > now:
        raise _Bad("message.arrived_at", "lies in the future")
    assert isinstance(message.event, Concern)  # noqa: S101 -- a line's kind is one
    received = message.received_at
    _check_acts(read.acts, received, now)
    told = children_of(message.event, received)
    in_days = read.kind != "anticipatory" or settings.anticipatory_in_days
    children = tuple(
        _child(read.acts, index, received, settings, in_days=in_days)
        for index, _ in enumerate(told, 1)
    )
    if any(act.child is not None and act.child > len(told) for act in read.acts):
        raise _Bad("acts", "child: the message names fewer children")
    _compare(read, children)
    return Matter(number, read.id, kind, content, received, children)


def _check_acts(acts: Sequence[DoneBefore], received: datetime, now: datetime) -> None:
    """The desk's own limits: not ahead of the clock, not before the minute of the receipt."""
    last = received.replace(second=0, microsecond=0)
    for place, act in enumerate(acts):
        field = f"acts.{place}.done_at"
        if act.done_at > now:
            raise _Bad(field, "lies in the future")
        if act.done_at < received.replace(second=0, microsecond=0):
            raise _Bad(field, "lies before the receipt (message.arrived_at)")
        if act.done_at < last:
            raise _Bad(field, "lies before the act above it; list acts in the order of their times")
        last = act.done_at


def _child(
    acts: Sequence[DoneBefore], index: int, received: datetime, settings: ClockSettings,
    *, in_days: bool,
) -> Child:  # fmt: skip
    """What is recorded about one child, and how its clocks stand then."""
    stopped: dict[ClockKind, datetime] = {}
    running = {"urgency"} if not in_days else set(CLOCK_KINDS)
    planned, check_state = [], "open"
    for place, act in enumerate(acts):
        if act.child not in (None, index):
            continue
        field = f"acts.{place}"
        if act.kind == "assessment_finished" and "assessment_start" in running:
            raise _Bad(field, "an assessment is finished that has not been started above it")
        if not running.issuperset(STOPS[act.kind]):
            raise _Bad(field, "there is no clock left for it: it, or its opposite, stands above it")
        done_at = max(act.done_at, received)
        running.difference_update(STOPS[act.kind])
        stopped |= dict.fromkeys(STOPS[act.kind], done_at)
        check_state = act.answer or check_state
        planned.append(Act(act.kind, done_at, _body(act)))
    clocks = {
        clock.kind: Clock(clock.due, stopped.get(clock.kind))
        for clock in clocks_for(received, settings)
        if in_days or clock.kind == "urgency"
    }
    return Child(tuple(planned), check_state, clocks)


def _body(act: DoneBefore) -> dict[str, Any]:
    return act.model_dump(mode="json", include={"answer", "ground", "reason"}, exclude_none=True)


def running_kinds(children: Iterable[Child]) -> Iterator[ClockKind]:
    """The kind of every clock that runs, once for each child."""
    return (
        kind
        for child in children
        for kind, clock in child.clocks.items()
        if clock.stopped_at is None
    )


def _compare(read: OpenMatter, children: Sequence[Child]) -> None:
    if read.expected is None:
        return
    runs, expected = set(running_kinds(children)), set(read.expected.clocks_running)
    if runs != expected:
        told = [f"{kind} would run" for kind in sorted(runs - expected)]
        told += [f"{kind} would not run" for kind in sorted(expected - runs)]
        raise _Bad("expected.clocks_running", f"{', '.join(told)}; mend the acts or what is said")


def _corrections(matters: Sequence[Matter]) -> list[Wrong]:
    """A correction names a matter of this file that was received before it."""
    seen: set[str] = set()
    wrong = []
    for matter in matters:
        corrects = orjson.loads(matter.content).get("corrects")
        if corrects is not None and corrects not in seen:
            mend = "names no matter of this file that was received before; leave it out"
            wrong.append(Wrong(matter.line, "message.corrects", mend))
        seen.add(matter.id)
    return wrong


# --- the reconciliation -------------------------------------------------------------------------


class Figures(NamedTuple):
    """Sums to compare. `due` adds up the ends of running clocks, in seconds since 1970."""

    notifications: int
    acts: Counter[str]
    running: Counter[str]
    due: Counter[str]


def figures(matters: Iterable[Matter]) -> Figures:
    """What must be there after the import."""
    children = [child for matter in matters for child in matter.children]
    running: Counter[str] = Counter(running_kinds(children))
    due: Counter[str] = Counter()
    for child in children:
        for kind, clock in child.clocks.items():
            if clock.stopped_at is None:
                due[kind] += int(clock.due.timestamp())
    acts = Counter(act.kind for child in children for act in child.acts)
    return Figures(len(children), Counter(acts), running, due)


def late(matters: Iterable[Matter], now: datetime) -> Counter[str]:
    """Running clocks whose last moment has passed already, by kind."""
    return Counter(
        kind
        for matter in matters
        for child in matter.children
        for kind, clock in child.clocks.items()
        if clock.stopped_at is None and clock.due <= now
    )
