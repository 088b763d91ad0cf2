"""The watch over questions: whatever falls due becomes a task, and what is settled closes it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from uuid import UUID, uuid5

from services.routing import store as routing
from services.routing.domain.clocks import ClockSettings, targets_with_answers_due
from services.routing.domain.tasks import Task
from services.routing.handlers import duty_event, open_tasks
from services.routing.joins import store as joining
from services.routing.settings import RoutingSettings
from services.routing.unanswered import store
from shared import store as plumbing
from shared.clock import Clock
from shared.database import Connection
from shared.service import Process
from shared.store import Outgoing

EVERY_SECONDS = 5.0
AT_ONCE = 500


def watch_questions(
    settings: RoutingSettings, clock: Clock
) -> Callable[[Process], Awaitable[None]]:
    """A loop of the routing process; of several processes one looks at a time."""

    async def loop(process: Process) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            if settings.timers:
                async with process.pool.acquire() as tx, tx.transaction():
                    await look(tx, settings.clock_settings, clock)

    return loop


async def look(tx: Connection, clocks: ClockSettings, clock: Clock) -> int:
    """Open tasks for what has fallen due and close what is settled; how many items changed.

    Nothing is locked but the tasks: who acts on a case at this moment is seen the next time.
    """
    if not await store.alone(tx):
        return 0
    now = clock()
    await joining.hold(tx)
    told = [*await _close(tx, now), *await _open(tx, clocks, now)]
    await plumbing.add_outbox(tx, told)
    return len(told)


async def _open(tx: Connection, clocks: ClockSettings, now: datetime) -> list[Outgoing]:
    """One task for each case that has none, about every matter of it that has fallen due."""
    target = targets_with_answers_due(now, clocks)
    due = await store.fallen_due(tx, now, target, AT_ONCE)
    if not due:
        return []
    items = await store.open_items(tx, [row["child"] for row in due])
    tasks, matters = list[Task](), list[tuple[str, UUID]]()
    for row in due:
        child, about = row["child"], row["about"]
        if child not in items:
            items[child] = uuid5(child, f"{about}/unanswered")
            tasks.append(Task(items[child], child, "unanswered-in-time"))
        matters.append((about, items[child]))
    await store.keep(tx, matters)
    return await open_tasks(tx, tasks, now, now)


async def _close(tx: Connection, now: datetime) -> list[Outgoing]:
    """Answered, nothing asked any more, the assessment begun or found unnecessary, taken back."""
    told = []
    for item in await store.settled(tx, AT_ONCE):
        seq = await routing.close_duty_item(tx, item, "settled", now)
        if seq is not None:
            told.append(duty_event(item, seq, "duty_item_closed", now))
    return told
