"""The watch over clocks: warns before one runs out, records one that did, never silently."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from services.routing import store
from services.routing.domain.cases import event
from services.routing.handlers import as_uuid, duty_event
from services.routing.joins import store as joining
from services.routing.settings import RoutingSettings
from shared import metrics
from shared import store as plumbing
from shared.clock import Clock
from shared.database import Connection
from shared.events import CaseEventKind
from shared.service import Process
from shared.store import Outgoing

EVERY_SECONDS = 2.0
AT_ONCE = 500
LONGEST_LOOK_AWAY_S = 60.0


def watch_clocks(settings: RoutingSettings, clock: Clock) -> Callable[[Process], Awaitable[None]]:
    """A loop of the routing process; one process watches, the others wait to take over."""

    async def loop(process: Process) -> None:
        async with process.pool.acquire() as leader:
            while True:
                await asyncio.sleep(EVERY_SECONDS)
                if settings.timers and await store.lead_timers(leader):
                    break
            while True:
                async with process.pool.acquire() as tx, tx.transaction():
                    told = await tell(tx, settings, clock)
                await leader.execute("SELECT 1")  # the lead is as good as this connection
                if told < AT_ONCE:
                    await asyncio.sleep(EVERY_SECONDS)

    return loop


async def tell(tx: Connection, settings: RoutingSettings, clock: Clock) -> int:
    """Warn of what runs out and record what ran out; returns how many clocks.

    Cases and items are locked before their clocks, as every act does it; what was stopped in the
    meantime is not told of.
    """
    now = clock()
    await joining.hold(tx)
    due = await store.clocks_to_tell(tx, now, settings.warn_ahead, AT_ONCE)
    item_of = {row["about"]: as_uuid(row["about"]) for row in due}
    cases = await store.lock_cases(tx, [row["child"] for row in due if not item_of[row["about"]]])
    items = await store.lock_duty_items(tx, [item for item in item_of.values() if item])
    told = await store.mark_told(
        tx, now,
        [
            (row["child"], row["about"], row["kind"], row["late"])
            for row in due
            if (item_of[row["about"]] in items if item_of[row["about"]] else row["child"] in cases)
        ],
    )  # fmt: skip
    outgoing: list[Outgoing] = []
    for row in told:
        kind: CaseEventKind = "clock_late" if row["late"] else "clock_warned"
        about = f"{row['about']}/{row['kind']}"
        if item := item_of[row["about"]]:
            seq = await store.next_item_seq(tx, item)
            outgoing.append(duty_event(item, seq, kind, now, about=about))
        else:
            outgoing.append(event(cases[row["child"]], kind, now, about=about))
    await store.save_numbers(tx, list(cases.values()))
    await plumbing.add_outbox(tx, outgoing)
    return len(told)


def watch_queues(settings: RoutingSettings, clock: Clock) -> Callable[[Process], Awaitable[None]]:
    """A loop that keeps the gauges of queues and clocks."""

    async def loop(process: Process) -> None:
        seen: set[str] = set()
        stood: set[str] = set()
        while True:
            began = time.perf_counter()
            async with process.pool.acquire() as conn:
                queues = await store.queue_state(conn)
                clocks = await store.clock_state(conn, clock())
            for queue in stood - {row["queue"] for row in queues}:
                metrics.QUEUE_OPEN.labels(queue).set(0)
                metrics.QUEUE_AGE_SECONDS.labels(queue).set(0)
            for row in queues:
                stood.add(row["queue"])
                metrics.QUEUE_OPEN.labels(row["queue"]).set(row["n"])
                metrics.QUEUE_AGE_SECONDS.labels(row["queue"]).set(row["age"])
            for kind in seen - {row["kind"] for row in clocks}:
                _show_clocks(kind, 0, 0, 0)
            for row in clocks:
                seen.add(row["kind"])
                _show_clocks(row["kind"], row["due_soon"], row["late"], row["unwarned"])
            took = time.perf_counter() - began
            await asyncio.sleep(until_next_look(settings.account_every, took))

    return loop


def until_next_look(every: float, took: float) -> float:
    """Seconds to wait after a look that took so many: watching costs a fiftieth of the time.

    Where very many clocks are late, counting them takes PostgreSQL seconds. Never less than
    `every`, and no more than a minute where `every` is not more.
    """
    return max(every, min(took / metrics.WATCHING_SHARE, LONGEST_LOOK_AWAY_S))


def _show_clocks(kind: str, due_soon: int, late: int, unwarned: int) -> None:
    metrics.CLOCKS_AT_RISK.labels(kind, "due_soon").set(due_soon)
    metrics.CLOCKS_AT_RISK.labels(kind, "late").set(late)
    metrics.CLOCKS_UNWARNED.labels(kind).set(unwarned)
