"""Counting as messages come: their numbers, and the lists that sources send.

Only messages with a number cost anything: one row for each run of a batch, locked last and in the
runs' order, so that two batches never wait for each other.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple, TypeVar

import orjson

from services.intake.domain.numbering import number_of, see
from services.intake.manifests import store
from services.intake.manifests.store import Run
from shared import events
from shared.database import Connection
from shared.errors import OUTAGES, RACES
from shared.inbox import Inbox, Incoming, Outcome, Unreadable
from shared.kinds import Manifest
from shared.logs import log
from shared.store import Outgoing

E = TypeVar("E")

UNREADABLE_NUMBER = "sequence-unreadable"


class Numbers(NamedTuple):
    """What came of a run in one batch, and when the first of it arrived."""

    numbers: set[int]
    at: datetime


def counted(inbox: Inbox[E]) -> Inbox[E]:
    """The inbox, which besides counts numbers and keeps lists, and refuses nothing for either."""

    async def arrived(tx: Connection, batch: Sequence[Incoming[E] | Unreadable]) -> None:
        if found := numbers_in(batch):
            await _count_safely(tx, found)

    async def apply(tx: Connection, batch: Sequence[Incoming[E]]) -> Sequence[Outcome]:
        outcomes = await inbox.apply(tx, batch)
        pairs = list(zip(batch, outcomes, strict=True))
        await store.add_lists(tx, [row for pair in pairs for row in _lists(*pair)])
        return [_noted(out) if number_of(item.raw) == "malformed" else out for item, out in pairs]

    return replace(inbox, apply=apply, arrived=arrived)


def numbers_in(batch: Sequence[Incoming[E] | Unreadable]) -> dict[Run, Numbers]:
    """The numbers of a batch by run, whatever becomes of their messages."""
    found: defaultdict[Run, list[tuple[int, datetime]]] = defaultdict(list)
    for item in batch:
        number = number_of(item.raw)
        if number is not None and number != "malformed" and item.source is not None:
            found[item.source, number.run].append((number.number, item.raw.appended_at))
    return {
        run: Numbers({number for number, _ in came}, min(at for _, at in came))
        for run, came in found.items()
    }


async def _count_safely(tx: Connection, found: Mapping[Run, Numbers]) -> None:
    """A fault of counting is no fault of the messages: they are taken, and named as missing."""
    try:
        async with tx.transaction():
            seen = await store.lock_runs(tx, sorted(found))
            await store.save_runs(
                tx,
                {run: see(seen[run], run[1], came.numbers, came.at) for run, came in found.items()},
            )
    except (*OUTAGES, *RACES):
        raise
    except Exception as error:  # noqa: BLE001 -- our own bug: a person is told of a gap that is none
        log.error("numbers_not_counted", error=error)


def _lists(item: Incoming[E], outcome: Outcome) -> list[store.ListRow]:
    if not isinstance(item.event, Manifest) or outcome.kind != "applied":
        return []
    (receipt,) = (a for a in outcome.answers if a.topic == events.INTAKE_RECEIPT)
    sent = item.event
    ids = sorted(set(sent.ids))
    return [
        store.ListRow(
            orjson.loads(receipt.value)["receipt_id"], item.source, sent.begins, sent.ends,
            sent.next_by, item.raw.appended_at, ids,
        )
    ]  # fmt: skip


def _noted(outcome: Outcome) -> Outcome:
    """The source is told that its number could not be counted."""
    if outcome.kind != "applied":
        return outcome
    note = " ".join(filter(None, (outcome.reason, UNREADABLE_NUMBER)))
    answers = [_noting(answer) for answer in outcome.answers]
    return outcome._replace(reason=note, answers=answers)


def _noting(answer: Outgoing) -> Outgoing:
    if answer.topic != events.INTAKE_RECEIPT:
        return answer
    value = orjson.loads(answer.value)
    value["note"] = " ".join(filter(None, (value.get("note"), UNREADABLE_NUMBER)))
    return answer._replace(value=orjson.dumps(value))
