"""The queues as people see them: sections of a page, rows without names, reasons and clocks.

A position in a section is a list of plain values that sorts like the section itself. It travels
in links as an opaque text, and tells a live page which rows are new on it and which are gone.
"""

import base64
import binascii
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args
from uuid import UUID

import orjson

from services.routing.desk import store
from services.routing.desk.faults import NotThere
from services.routing.desk.languages import N_, Words
from services.routing.desk.words import ASIDE_REASONS, ClockWords, clock_words, missing_words
from services.routing.domain.cases import Rules
from services.routing.domain.decision import Decision, reasons
from services.routing.domain.tables import Tables
from shared.database import Connection
from shared.events import Destination

PAGE = 50
Position = list[Any]
Fetch = Callable[[Connection, Position, int], Awaitable[Sequence[store.Row]]]

_FIRST_LIMITS = ("urgency", "assessment_start")  # what matters before anything was judged
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ZERO = UUID(int=0)
_LAST_TIME, _LAST_ID = 2**52, -(2**128 - 1)  # lists that begin at the end: microseconds, id
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Item:
    """One row of a list: never a name, never a text of a person's."""

    key: str
    kind: Literal["case", "set_aside"]
    child: UUID | None
    mark: str
    since: datetime
    why: tuple[str, ...]
    clocks: tuple[ClockWords, ...]
    position: str
    age_band: str = "unknown"
    provisional: bool = False
    flagged: bool = False
    urgency: str = "open"
    level: str = ""
    holder: str = "duty"
    confirmed: bool = False
    about: str = ""
    service: str = ""
    outcome: str = ""
    reason: str = ""
    worker: str = ""
    asks: bool = False  # an answer could still change the decision
    level_judged: str = ""  # what a person judges the level to be


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a section."""

    section: "Section"
    items: tuple[Item, ...]
    after: str
    next: str | None


@dataclass(frozen=True, slots=True)
class Section:
    """A list with its order; `tables` names those whose reasons are shown.

    In the list of a `destination` those that propose another one are left out.
    """

    name: str
    title: str
    empty: str
    fetch: Fetch
    position: Callable[[store.Row], Position]
    start: Position
    tables: tuple[str, ...] = ()
    of_notification: bool = False
    destination: str = ""


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _moment(micros: Any) -> datetime:
    return _EPOCH + timedelta(microseconds=int(micros))


async def _checks(conn: Connection, after: Position, limit: int) -> Sequence[store.Row]:
    return await store.open_checks(conn, (not after[0], _moment(after[1]), str(after[2])), limit)


async def _at_duty(conn: Connection, after: Position, limit: int) -> Sequence[store.Row]:
    return await store.duty_cases(conn, _by_clock(after), limit)


async def _set_aside(conn: Connection, after: Position, limit: int) -> Sequence[store.Row]:
    return await store.set_aside_items(conn, (_moment(after[0]), UUID(after[1])), limit)


async def _for_supervisors(conn: Connection, after: Position, limit: int) -> Sequence[store.Row]:
    return await store.supervisor_tasks(conn, (_moment(after[0]), UUID(after[1])), limit)


async def _marked(conn: Connection, after: Position, limit: int) -> Sequence[store.Row]:
    return await store.marked_items(conn, (_moment(after[0]), UUID(after[1])), limit)


async def _returned(conn: Connection, after: Position, limit: int) -> Sequence[store.Row]:
    return await store.returned_signals(conn, (_moment(after[0]), str(after[1])), limit)


async def _nameless(conn: Connection, after: Position, limit: int) -> Sequence[store.Row]:
    return await store.nameless_cases(conn, (_moment(after[0]), UUID(after[1])), limit)


def _by_clock(after: Position) -> tuple[datetime, datetime, UUID]:
    return _moment(after[0]), _moment(after[1]), UUID(after[2])


def _held(holder: str) -> Fetch:
    async def fetch(conn: Connection, after: Position, limit: int) -> Sequence[store.Row]:
        return await store.held_cases(conn, holder, _by_clock(after), limit)

    return fetch


def _proposed(destination: str) -> Fetch:
    async def fetch(conn: Connection, after: Position, limit: int) -> Sequence[store.Row]:
        position = (_moment(after[0]), UUID(after[1]))
        return await store.proposed_cases(conn, destination, position, limit)

    return fetch


def _accepted(destination: str) -> Fetch:
    async def fetch(conn: Connection, after: Position, limit: int) -> Sequence[store.Row]:
        position = (_moment(-after[0]), UUID(int=-after[1]))
        return await store.accepted_cases(conn, destination, position, limit)

    return fetch


def _case_section(name: str, title: str, empty: str, fetch: Fetch, *tables: str) -> Section:
    return Section(
        name, title, empty, fetch,
        lambda row: [_micros(row["due"]), _micros(row["since"]), str(row["child"])],
        [0, 0, str(_ZERO)], tables,
    )  # fmt: skip


def _destination_sections(destination: str) -> tuple[Section, Section]:
    return (
        Section(
            "proposed", N_("Proposed"), N_("Nothing is proposed just now."),
            _proposed(destination),
            lambda row: [_micros(row["since"]), str(row["child"])], [0, str(_ZERO)],
            ("destinations",), destination=destination,
        ),
        Section(
            "accepted", N_("Accepted"), N_("Nothing has been accepted yet."),
            _accepted(destination),
            lambda row: [-_micros(row["since"]), -row["child"].int],
            [-_LAST_TIME, _LAST_ID],
            ("destinations",), destination=destination,
        ),
    )  # fmt: skip


QUEUES: Mapping[str, tuple[Section, ...]] = {
    "duty": (
        Section(
            "marked", N_("Immediate danger, marked by the sender"),
            N_("No message marked so waits."), _marked,
            lambda row: [_micros(row["since"]), str(row["id"])], [0, str(_ZERO)],
        ),
        Section(
            "checks", N_("Urgency checks"), N_("No urgency check is open."), _checks,
            lambda row: [int(not row["flagged"]), _micros(row["since"]), row["about"]],
            [0, 0, ""], ("urgent", "level"), of_notification=True,
        ),
        _case_section(
            "held", N_("Held by the duty desk"), N_("The duty desk holds no judged case."),
            _at_duty, "urgent", "level",
        ),
        _case_section(
            "person_decides", N_("Holder to be chosen by a person"),
            N_("No case waits for a person to choose its holder."),
            _held("person_decides"), "holder", "level", "facts",
        ),
        Section(
            "returned", N_("Absence signals returned to the school"),
            N_("No absence signal is returned to a school."), _returned,
            lambda row: [_micros(row["since"]), row["about"]], [0, ""], of_notification=True,
        ),
        Section(
            "set_aside", N_("Messages set aside"), N_("No message is set aside."), _set_aside,
            lambda row: [_micros(row["since"]), str(row["id"])], [0, str(_ZERO)],
        ),
        Section(
            "supervisor", N_("For a supervisor"), N_("Nothing waits for a supervisor."),
            _for_supervisors,
            lambda row: [_micros(row["since"]), str(row["id"])], [0, str(_ZERO)],
        ),
        Section(
            "identity", N_("Who is this child?"), N_("Every child is known."), _nameless,
            lambda row: [_micros(row["since"]), str(row["child"])], [0, str(_ZERO)],
            ("urgent", "level"),
        ),
    ),
    "own_worker": (
        _case_section(
            "own_worker", N_("Cases of children who are clients already"),
            N_("No case is with the children's own workers."),
            _held("own_worker"), "holder", "level",
        ),
    ),
    "initial_assessment": (
        _case_section(
            "initial_assessment", N_("Cases for initial assessment"),
            N_("No case is with the initial assessment."),
            _held("initial_assessment"), "holder", "level",
        ),
    ),
    **{destination: _destination_sections(destination) for destination in get_args(Destination)},
}  # fmt: skip
"""Every queue's page and its sections, in the order in which they are worked."""


ALWAYS_SHOWN: tuple[str, ...] = (
    "duty", "own_worker", "initial_assessment", "expert_group", "psychiatry", "school_health",
    "hospital_school", "basic_services",
)  # fmt: skip
"""Queues that every page names; the others where something is proposed in them."""

_EARLIER_NAMES = {"urgent": "held"}  # the API's version 1 promised it


def sections_of(queue: str, worker: str) -> tuple[Section, ...]:
    """A queue's page for a worker: the own cases come before those of other workers.

    Raises `NotThere`.
    """
    if queue == "own_worker":
        return _by_worker(worker)
    if queue not in QUEUES:
        raise NotThere
    return QUEUES[queue]


def _by_worker(worker: str) -> tuple[Section, Section]:
    async def own(conn: Connection, after: Position, limit: int) -> Sequence[store.Row]:
        return await store.own_cases(conn, worker, _by_clock(after), limit)

    async def others(conn: Connection, after: Position, limit: int) -> Sequence[store.Row]:
        return await store.others_cases(conn, worker, _by_clock(after), limit)

    return (
        _case_section(
            "mine", N_("Your own cases"),
            N_("No case is about a child whose responsible worker you are."),
            own, "holder", "level",
        ),
        _case_section(
            "own_worker", N_("Cases of other workers"), N_("No case is with other workers."),
            others, "holder", "level",
        ),
    )  # fmt: skip


def section_of(queue: str, name: str, worker: str = "") -> Section:
    """A section of a queue, as the worker sees it where one is named; raises `NotThere`."""
    for section in sections_of(queue, worker) if worker else QUEUES.get(queue, ()):
        if section.name == _EARLIER_NAMES.get(name, name):
            return section
    raise NotThere


async def listed(
    conn: Connection,
    section: Section,
    show: "Shown",
    after: str = "",
    limit: int = PAGE,
) -> Listed:
    """One page of a section behind a position, with reasons and clocks in words."""
    start = decode(after, section)
    rows = list(await section.fetch(conn, start, limit + 1))
    more = len(rows) > limit
    rows = rows[:limit]
    items = await _items(conn, section, rows, show)
    return Listed(section, items, after, items[-1].position if more and items else None)


@dataclass(frozen=True, slots=True)
class Shown:
    """For whom, when and by which rules a list is put into words."""

    words: Words
    rules: Rules
    now: datetime

    def tables_of(self, version: str) -> Tables:
        """The tables of a stored decision; today's, where those can no longer be read."""
        try:
            return self.rules.of_version(version)
        except ValueError:  # no name of a version
            return self.rules.tables


async def _items(
    conn: Connection, section: Section, rows: Sequence[store.Row], show: Shown
) -> tuple[Item, ...]:
    running = await store.running_clocks(conn, [row["child"] or row["id"] for row in rows])
    workers = {}
    if section.name in ("own_worker", "mine"):
        workers = await store.own_workers(conn, [row["child"] for row in rows])
    judged = await store.levels_judged(conn, [row["child"] for row in rows if row["child"]])
    levels = {child: row["answer"] for child, row in judged.items()}
    return tuple(
        replace(
            _case_item(section, row, running, show),
            worker=workers.get(row["child"], ""),
            level_judged=levels.get(row["child"], ""),
        )
        if "mark" in row
        else _aside_item(section, row, running, show)
        for row in rows
    )


def _case_item(section: Section, row: store.Row, running: Sequence[store.Row], show: Shown) -> Item:
    about = row.get("about", "")
    clocks = [c for c in running if c["child"] == row["child"]]
    if section.of_notification:
        clocks = [c for c in clocks if c["about"] == about and c["kind"] in _FIRST_LIMITS]
    else:
        clocks = [c for c in clocks if c["kind"] != "urgency"]
    return Item(
        key=about if section.of_notification else str(row["child"]),
        kind="case",
        child=row["child"],
        mark=row["mark"],
        since=row["since"],
        why=_reasons(section, row, show),
        clocks=_first_of_each_kind(clocks, show),
        position=encode(section.position(row)),
        age_band=row["age_band"],
        provisional=row["provisional"],
        flagged=bool(row["urgent_flags"]),
        urgency=row["urgency"],
        level=row["level"],
        holder=row["holder"],
        confirmed=row["confirmed"] is not None,
        about=about,
        asks=row["asks"],
    )


def _reasons(section: Section, row: store.Row, show: Shown) -> tuple[str, ...]:
    """Why a case stands in a list: what a school has yet to do, the task, or the rules' reasons."""
    if "missing" in row:
        return missing_words(show.words, row["missing"].split())
    if "task" in row:
        return (show.words.of(ASIDE_REASONS, row["task"]),)
    rows = row["rule_rows"]
    if section.destination:
        table = show.tables_of(row["rules"]).destinations
        others = {each.ref for each in table.rows if each.then != section.destination}
        rows = [each for each in rows if each not in others]
    return why(rows, row["rules"], show, section.tables)


def _aside_item(
    section: Section, row: store.Row, running: Sequence[store.Row], show: Shown
) -> Item:
    clocks = [c for c in running if c["about"] == str(row["id"]) and c["kind"] in _FIRST_LIMITS]
    return Item(
        key=str(row["id"]),
        kind="set_aside",
        child=row["child"],
        mark="",
        since=row["since"],
        why=(),
        clocks=_first_of_each_kind(clocks, show),
        position=encode(section.position(row)),
        service=row["service"],
        outcome=row["outcome"],
        reason=row["reason"],
    )


def _first_of_each_kind(clocks: Sequence[store.Row], show: Shown) -> tuple[ClockWords, ...]:
    """Each later notification has clocks of its own; a list shows the one that ends first."""
    first: dict[str, store.Row] = {}
    for clock in clocks:
        first.setdefault(clock["kind"], clock)
    return tuple(
        clock_words(show.words, dict(clock), show.now, show.rules.clocks)
        for clock in sorted(first.values(), key=lambda c: (c["due"], c["kind"]))
    )


def why(
    rule_rows: Sequence[str], version: str, show: Shown, tables: Sequence[str] = ()
) -> tuple[str, ...]:
    """The reasons of a stored decision in the viewer's language, by the rules of its day."""
    rows = tuple(r for r in rule_rows if not tables or r.partition("/")[0] in tables)
    stored = Decision((), "perus", "duty", (), rows, {}, version, "")
    return tuple(dict.fromkeys(reasons(stored, show.tables_of(version), show.words.language)))


# --- positions and liveness ----------------------------------------------------------------------


def encode(position: Position) -> str:
    """A position as an opaque text for links."""
    texts = [str(value) for value in position]
    return base64.urlsafe_b64encode(orjson.dumps(texts)).decode().rstrip("=")


def decode(text: str, section: Section) -> Position:
    """A position from a link, or the section's start; raises `NotThere` for anything else."""
    if not text:
        return section.start
    try:
        texts = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        position = [type(first)(value) for first, value in zip(section.start, texts, strict=True)]
        for first, value in zip(section.start, position, strict=True):
            _demand_possible(first, value)
    except (binascii.Error, orjson.JSONDecodeError, ValueError, TypeError):
        raise NotThere from None
    return position


def _demand_possible(first: Any, value: Any) -> None:
    """Raises ValueError for what no row of a section that starts with `first` can have."""
    if first == str(_ZERO):
        UUID(value)
    elif isinstance(value, str):
        if "\0" in value:
            raise ValueError("no text of the database holds this character")
    elif first == _LAST_ID:
        UUID(int=-value)
    elif abs(value) > _LAST_TIME:
        raise ValueError("a time far outside the calendar")


@dataclass(frozen=True, slots=True)
class Changed:
    """What is different from the page a person has open."""

    new: tuple[Item, ...]
    gone: tuple[str, ...]


async def changed(
    conn: Connection, section: Section, show: Shown, seen: Mapping[str, Any]
) -> Changed:
    """Compare a page as it was shown (`after`, `last`, `more`, `keys`) with what is there now.

    Rows that sort behind the end of a full page are not news for it.
    """
    keys = [str(key) for key in seen["keys"]][: PAGE * 2]
    start = decode(str(seen["after"]), section)
    limit = PAGE * 2
    rows = list(await section.fetch(conn, start, limit))
    last = decode(str(seen["last"]), section) if seen.get("more") and seen.get("last") else None
    within = [r for r in rows if last is None or section.position(r) <= last]
    there = {_key(section, row) for row in within}
    fresh = [row for row in within if _key(section, row) not in keys]
    gone = () if len(rows) == limit else tuple(key for key in keys if key not in there)
    return Changed(await _items(conn, section, fresh, show), gone)


def _key(section: Section, row: store.Row) -> str:
    if "mark" not in row:
        return str(row["id"])
    return str(row["about"]) if section.of_notification else str(row["child"])
