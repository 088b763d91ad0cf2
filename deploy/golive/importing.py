"""The run: every matter sent in the order of receipt, its acts recorded, and all compared.

It may be stopped and run again at any moment: what intake has is a repeat, what the desk has is
left alone. The acts of one child are recorded in the order in which they were done.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar
from uuid import UUID

from deploy.golive.doors import AT_ONCE, Doors, Refused, Standing
from deploy.golive.line import STOPS
from deploy.golive.plan import Act, Child, Figures, Matter

Told = Callable[[str], None]
T = TypeVar("T")

HARMLESS_NOTES = ("applicant-below-12",)  # for the worker who reads it; not about the import
AGAIN_S = 0.3


class Difference(NamedTuple):
    """Where plan and county differ; nothing of a person."""

    line: int
    what: str


class Notified(NamedTuple):
    """One child of a sent matter: its notification's id, and what is planned for it."""

    line: int
    id: str
    child: Child


class There(NamedTuple):
    """What is there after the run."""

    messages: Counter[str]
    acts: Counter[str]
    figures: Figures
    differences: list[Difference]


async def import_matters(doors: Doors, matters: Sequence[Matter], wait: float, told: Told) -> There:
    """Send, wait until all stand at the desk, record, compare. Raises `Refused` at the start."""
    await doors.check()
    differences: list[Difference] = []
    messages: Counter[str] = Counter()
    notified: list[Notified] = []
    for number, matter in enumerate(matters, 1):
        notified += await _send(doors, matter, messages, differences)
        _tell_tenths(told, "sent", number, len(matters))
    standing = await _all_stand(doors, notified, wait, told)
    differences += [
        Difference(each.line, "is not at the desk yet; run again, or see `luotsi where`")
        for each in notified
        if each.id not in standing
    ]
    acts: Counter[str] = Counter()
    differences += await _record_all(doors, notified, standing, acts, told)
    last = await _ask_all(doors, [each.id for each in notified if each.id in standing])
    for each in notified:
        if each.id in last:
            differences += _compared(each, last[each.id])
    return There(messages, acts, _figures(last.values()), sorted(differences))


async def _send(
    doors: Doors, matter: Matter, messages: Counter[str], differences: list[Difference]
) -> list[Notified]:
    try:
        receipt = await doors.send(matter)
    except Refused as refused:
        messages["refused"] += 1
        differences.append(Difference(matter.line, f"is refused by intake: {refused}"))
        return []
    messages[receipt.outcome] += 1
    if receipt.received_at != matter.received_at:
        differences.append(Difference(matter.line, "has another time of receipt at intake"))
    if receipt.note is not None and receipt.note not in HARMLESS_NOTES:
        differences.append(Difference(matter.line, f"was taken with a note: {receipt.note}"))
    return [
        Notified(matter.line, f"{receipt.receipt_id}.{index}", child)
        for index, child in enumerate(matter.children)
    ]


async def _all_stand(
    doors: Doors, notified: Sequence[Notified], wait: float, told: Told
) -> dict[str, Standing]:
    """Every notification that stands at the desk; gives up where none has come for `wait` s."""
    found: dict[str, Standing] = {}
    missing = [each.id for each in notified]
    moved = time.monotonic()
    while missing and time.monotonic() - moved < wait:
        came = await _ask_all(doors, missing)
        if came:
            moved = time.monotonic()
            found |= came
            missing = [ident for ident in missing if ident not in came]
            told(f"at the desk: {len(found)} of {len(notified)}")
        if missing:
            await asyncio.sleep(AGAIN_S)
    return found


async def _ask_all(doors: Doors, idents: Iterable[str]) -> dict[str, Standing]:
    found: dict[str, Standing] = {}

    async def ask(ident: str) -> None:
        stands = await doors.standing(ident)
        if stands is not None:
            found[ident] = stands

    await _side_by_side(idents, ask)
    return found


async def _record_all(
    doors: Doors,
    notified: Sequence[Notified],
    standing: dict[str, Standing],
    acts: Counter[str],
    told: Told,
) -> list[Difference]:
    by_child: dict[UUID, list[tuple[Notified, Act]]] = {}
    for each in notified:
        if each.id in standing:
            planned = [(each, act) for act in each.child.acts]
            by_child.setdefault(standing[each.id].child, []).extend(planned)
    differences: list[Difference] = []
    done = 0

    async def record(planned: list[tuple[Notified, Act]]) -> None:
        nonlocal done
        for each, act in sorted(planned, key=lambda pair: pair[1].done_at):
            try:
                acts[await _record(doors, act, standing[each.id])] += 1
            except Refused as refused:
                acts["refused"] += 1
                differences.append(Difference(each.line, f"{act.kind} is refused: {refused}"))
        done += 1
        _tell_tenths(told, "children whose acts are recorded", done, len(by_child))

    await _side_by_side(by_child.values(), record)
    return differences


async def _record(doors: Doors, act: Act, stands: Standing) -> str:
    if stands.stopped(STOPS[act.kind][0]) is not None:
        return "already there"
    return "recorded" if await doors.record(act, stands) else "already there"


async def _side_by_side(work: Iterable[T], do: Callable[[T], Awaitable[None]]) -> None:
    """Do it all, a handful at a time; the first failure ends it."""
    waiting = iter(work)

    async def take() -> None:
        for each in waiting:
            await do(each)

    async with asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(take())


def _compared(each: Notified, there: Standing) -> Iterator[Difference]:
    """Where one notification stands otherwise than planned."""
    if there.check_state != each.child.check_state:
        yield Difference(
            each.line, f"urgency: planned {each.child.check_state}, there {there.check_state}"
        )
    clocks = {clock.kind: clock for clock in there.clocks}
    if clocks.keys() != each.child.clocks.keys():
        yield Difference(each.line, "has other clocks: is routing set as this command is?")
        return
    for kind, planned in each.child.clocks.items():
        clock = clocks[kind]
        if clock.due != planned.due:
            yield Difference(each.line, f"{kind}: ends {clock.due}, planned {planned.due}")
        if clock.stopped_at != planned.stopped_at:
            yield Difference(
                each.line,
                f"{kind}: stopped {clock.stopped_at or 'not'}, "
                f"planned {planned.stopped_at or 'not'}",
            )


def _figures(standing: Iterable[Standing]) -> Figures:
    count = 0
    running: Counter[str] = Counter()
    due: Counter[str] = Counter()
    stopped: Counter[str] = Counter()
    for each in standing:
        count += 1
        for clock in each.clocks:
            if clock.stopped_at is None:
                running[clock.kind] += 1
                due[clock.kind] += int(clock.due.timestamp())
            else:
                stopped[clock.kind] += 1
    return Figures(count, stopped, running, due)


def _tell_tenths(told: Told, what: str, done: int, whole: int) -> None:
    if done == whole or done * 10 // whole > (done - 1) * 10 // whole:
        told(f"{what}: {done} of {whole}")
