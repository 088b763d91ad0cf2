"""The inbox: what becomes of a batch inside ONE transaction.

Repeats are found, parked keys wait, the service's handler is called for the rest, what cannot be
applied is set aside in front of a person, what comes from a paused source is held, and each
message leaves exactly one row with all its answers in the event log. Kafka batches, HTTP requests
and re-drives all come through here.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, NamedTuple, TypeVar
from uuid import UUID

from shared import store
from shared.clock import Clock
from shared.database import Connection
from shared.errors import RejectedError, describe
from shared.ids import time_ordered_id
from shared.store import Known, LogRow, OutcomeKind, Outgoing

E = TypeVar("E")

Headers = Sequence[tuple[str, bytes | None]]


class Raw(NamedTuple):
    """A message as it came: place, arrival (broker's or request's), bytes.

    `door` is known of what comes in at the outer edge: partition and offset are of that door.
    """

    partition: int
    offset: int
    appended_at: datetime
    key: bytes | None
    headers: Headers
    value: bytes | None
    door: int | None = None


class Incoming(NamedTuple, Generic[E]):
    """A message that was read. `key` is what order is kept by."""

    raw: Raw
    event: E
    source: str
    id: str
    key: str
    received_at: datetime


class Unreadable(NamedTuple):
    """A message that can never be applied, with as much of its envelope as could be read."""

    raw: Raw
    reason: str
    mend: str
    source: str | None = None
    id: str | None = None
    key: str | None = None


AsideKind = Literal["quarantined", "parked", "held"]


class Aside(NamedTuple):
    """What is set aside: the item's id, why, and the message it is about."""

    item: UUID
    outcome: AsideKind
    reason: str
    mend: str
    source: str | None
    id: str | None
    key: str
    received_at: datetime
    raw: Raw


class Outcome(NamedTuple):
    """What the handler made of one message, and all it has to say about it."""

    kind: OutcomeKind
    answers: Sequence[Outgoing] = ()
    body: bytes | None = None
    reason: str | None = None
    mend: str | None = None
    received_at: datetime | None = None


class Stored(NamedTuple):
    """What to keep and say of something set aside."""

    body: bytes | None
    answers: Sequence[Outgoing] = ()


Apply = Callable[[Connection, Sequence[Incoming[E]]], Awaitable[Sequence[Outcome]]]
Repeat = Callable[[Connection, Sequence[tuple[Incoming[E], Known]]], Awaitable[Sequence[Outcome]]]
SetAside = Callable[[Connection, Sequence[Aside]], Awaitable[Sequence[Stored]]]
Hold = Callable[[Connection, Collection[str]], Awaitable[Mapping[str, str]]]
Watch = Callable[[Connection, Sequence[LogRow]], Awaitable[None]]
Arrived = Callable[[Connection, Sequence[Incoming[E] | Unreadable]], Awaitable[None]]
Apart = Callable[[Connection, Sequence[Incoming[E] | Unreadable]], Awaitable[Collection[str]]]

WAITS_BEHIND_PARKED = "waits-behind-parked"


async def ignore_repeats(
    _tx: Connection, repeats: Sequence[tuple[Incoming[E], Known]]
) -> Sequence[Outcome]:
    """The usual answer to an internal repeat: a row in the log, nothing to say."""
    return [Outcome("repeated") for _ in repeats]


@dataclass(frozen=True)
class Inbox(Generic[E]):
    """How one service takes one kind of message. The callables are the service's."""

    service: str
    read: Callable[[Raw], "Incoming[E] | Unreadable"]
    apply: Apply[E]
    set_aside: SetAside
    clock: Clock
    repeat: Repeat[E] = ignore_repeats
    quarantines: bool = False  # at the outer edge; inside, what cannot be read parks its key
    hold: Hold | None = None  # which of these sources are held now -> why
    watch: Watch | None = None  # sees the rows of every transaction, in it
    arrived: Arrived[E] | None = None  # sees what came for the first time, whatever became of it
    apart: Apart[E] | None = None  # keys that share locks with others: written after the rest

    async def take(
        self,
        tx: Connection,
        door: int,
        batch: Sequence[Incoming[E] | Unreadable],
        failure: BaseException | None = None,
    ) -> list[LogRow]:
        """Apply a batch that holds no event twice; returns its log rows in the batch's order.

        With `failure` the batch is the one message whose handler raised: it is parked.
        """
        rows: list[LogRow] = []
        aside, going = await self._without_held(tx, batch)
        aside += [(self.unreadable(bad), None) for bad in going if isinstance(bad, Unreadable)]
        good = [item for item in going if isinstance(item, Incoming)]
        if failure is not None:
            aside += [self._parked(item, _reason(failure), failure) for item in good]
            good = []
        if good:
            blocked = {} if self.quarantines else _first_unreadable(going)
            good, waiting = await self._behind_parked(tx, good, blocked)
            aside += waiting
            for item, outcome in await self._handled(tx, good):
                if outcome.kind == "quarantined":
                    aside.append((self.refused(item, outcome), None))
                elif outcome.kind == "parked":
                    aside.append(self._parked(item, outcome.reason or "parked"))
                else:
                    rows.append(_log_row(door, item, outcome))
        if aside:
            rows += await self._put_aside(tx, door, aside)
            rows = _in_order_of(batch, rows)
        await store.add_log(tx, rows)
        await self._show(tx, batch, rows)
        return rows

    async def _show(
        self, tx: Connection, batch: Sequence[Incoming[E] | Unreadable], rows: Sequence[LogRow]
    ) -> None:
        if self.watch is not None:
            await self.watch(tx, rows)
        if self.arrived is not None:
            await self.arrived(tx, batch)

    async def _without_held(
        self, tx: Connection, batch: Sequence[Incoming[E] | Unreadable]
    ) -> tuple[list["_AsideWithError"], Sequence[Incoming[E] | Unreadable]]:
        """What is held because its source is, and what goes on."""
        sources = {item.source for item in batch if item.source is not None}
        held = await self.hold(tx, sources) if self.hold is not None and sources else {}
        if not held:
            return [], batch
        aside: list[_AsideWithError] = []
        going = []
        for item in batch:
            why = held.get(item.source or "")
            if why is None:
                going.append(item)
            else:
                aside.append((self._held(item, why), None))
        return aside, going

    async def _handled(
        self, tx: Connection, good: Sequence[Incoming[E]]
    ) -> list[tuple[Incoming[E], Outcome]]:
        before = await store.applied_before(tx, [(i.source, i.id) for i in good]) if good else {}
        if not before:
            return list(zip(good, await self.apply(tx, good), strict=True)) if good else []
        fresh = [item for item in good if (item.source, item.id) not in before]
        again = [(i, before[i.source, i.id]) for i in good if (i.source, i.id) in before]
        handled = list(zip(fresh, await self.apply(tx, fresh), strict=True)) if fresh else []
        if again:
            told = await self.repeat(tx, again)
            handled += [(item, out) for (item, _), out in zip(again, told, strict=True)]
            place = {_place(item.raw): at for at, item in enumerate(good)}
            handled.sort(key=lambda each: place[_place(each[0].raw)])
        return handled

    async def _behind_parked(
        self, tx: Connection, good: Sequence[Incoming[E]], blocked: Mapping[str, int]
    ) -> tuple[list[Incoming[E]], list["_AsideWithError"]]:
        """Who may go on, and who waits: behind a parked key, or in this batch behind `blocked`."""
        parked = await store.parked_keys(tx, [item.key for item in good])
        if not parked and not blocked:
            return list(good), []
        free, waiting = [], []
        for item in good:
            if item.key in parked or blocked.get(item.key, item.raw.offset) < item.raw.offset:
                waiting.append(self._parked(item, WAITS_BEHIND_PARKED))
            else:
                free.append(item)
        return free, waiting

    async def _put_aside(
        self, tx: Connection, door: int, aside: Sequence["_AsideWithError"]
    ) -> list[LogRow]:
        """Store it in front of a person.

        What is held may go on by itself at once: it is told of by the outbox, in order, so that
        its end never overtakes its beginning.
        """
        stored = await self.set_aside(tx, [a for a, _ in aside])
        await store.add_set_aside(
            tx,
            [
                store.SetAsideRow(
                    a.item, door, a.raw.partition, a.raw.offset, a.outcome, a.source, a.id, a.key,
                    a.reason, error, a.received_at,
                )
                for a, error in aside
            ],
        )  # fmt: skip
        await store.park(tx, [a.key for a, _ in aside if a.outcome == "parked"])
        told = [s.answers for (a, _), s in zip(aside, stored, strict=True) if a.outcome == "held"]
        await store.add_outbox(tx, [answer for answers in told for answer in answers])
        return [
            LogRow(
                door, a.raw.partition, a.raw.offset, a.outcome, a.source, a.id, a.key, a.reason,
                a.received_at, s.body, () if a.outcome == "held" else s.answers,
            )
            for (a, _), s in zip(aside, stored, strict=True)
        ]  # fmt: skip

    def unreadable(self, bad: Unreadable) -> Aside:
        """What can never be read, as a new item."""
        outcome: AsideKind = "quarantined" if self.quarantines else "parked"
        item = time_ordered_id(self.clock())
        return Aside(
            item, outcome, bad.reason, bad.mend, bad.source, bad.id, bad.key or str(item),
            bad.raw.appended_at, bad.raw,
        )  # fmt: skip

    def _held(self, message: Incoming[E] | Unreadable, why: str) -> Aside:
        item = time_ordered_id(self.clock())
        received_at = message.raw.appended_at
        if isinstance(message, Incoming):
            received_at = message.received_at
        return Aside(
            item, "held", why, "", message.source, message.id, message.key or str(item),
            received_at, message.raw,
        )  # fmt: skip

    def refused(self, item: Incoming[E], outcome: Outcome) -> Aside:
        """What the handler refuses for good, as a new item."""
        return Aside(
            time_ordered_id(self.clock()), "quarantined", outcome.reason or "refused",
            outcome.mend or "", item.source, item.id, item.key, item.received_at, item.raw,
        )  # fmt: skip

    def parked(self, item: Incoming[E], reason: str) -> Aside:
        """What waits for an engineer, as a new item."""
        return Aside(
            time_ordered_id(self.clock()), "parked", reason,
            "An engineer mends the cause; then re-drive it from the desk.",
            item.source, item.id, item.key, item.received_at, item.raw,
        )  # fmt: skip

    def _parked(
        self, item: Incoming[E], reason: str, failure: BaseException | None = None
    ) -> "_AsideWithError":
        return self.parked(item, reason), None if failure is None else describe(failure)


_AsideWithError = tuple[Aside, str | None]


def _first_unreadable(batch: Sequence[Incoming[E] | Unreadable]) -> dict[str, int]:
    """Key -> offset of its first unreadable message (a key has one partition)."""
    first: dict[str, int] = {}
    for item in batch:
        if isinstance(item, Unreadable) and item.key is not None:
            first.setdefault(item.key, item.raw.offset)
    return first


def _reason(failure: BaseException) -> str:
    return failure.reason if isinstance(failure, RejectedError) else "handler-failed"


def _in_order_of(batch: Sequence[Incoming[E] | Unreadable], rows: Sequence[LogRow]) -> list[LogRow]:
    found = {(row.partition, row.offset): row for row in rows}
    return [found[_place(item.raw)] for item in batch]


def _place(raw: Raw) -> tuple[int, int]:
    return raw.partition, raw.offset


def _log_row(door: int, item: Incoming[E], outcome: Outcome) -> LogRow:
    return LogRow(
        door, item.raw.partition, item.raw.offset, outcome.kind, item.source, item.id, item.key,
        outcome.reason, outcome.received_at or item.received_at, outcome.body,
        outcome.answers,
    )  # fmt: skip
