"""What stands before intake's inbox: messages of a held source wait, a failing source is braked."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from services.intake.domain.brake import Brake
from services.intake.sources import store
from services.intake.sources.store import Recent
from shared import metrics
from shared import store as plumbing
from shared.database import Connection
from shared.errors import OUTAGES, RACES
from shared.inbox import Inbox
from shared.logs import log
from shared.service import Process
from shared.store import LogRow

E = TypeVar("E")

NOBODY = "luotsi"  # who brakes, where a person would stand
FIRST_LOOKS = (timedelta(seconds=5), timedelta(minutes=1))


def guarded(inbox: Inbox[E], brake: Brake) -> Inbox[E]:
    """The inbox, with the sources' states in front of it and the brake behind it."""

    async def watch(tx: Connection, rows: Sequence[LogRow]) -> None:
        refused = {row.source for row in rows if row.outcome == "quarantined" and row.source}
        if refused:
            await _brake_safely(tx, brake, sorted(refused))

    return replace(inbox, hold=_hold, watch=watch)


async def _hold(tx: Connection, sources: Collection[str]) -> Mapping[str, str]:
    """Source -> why its messages are held: `source-paused` and so on."""
    return {name: f"source-{state}" for name, state in (await store.not_open(tx, sources)).items()}


async def _brake_safely(tx: Connection, brake: Brake, sources: Sequence[str]) -> None:
    """A fault of the brake's own is no fault of the messages: they are quarantined all the same."""
    try:
        async with tx.transaction():
            await _brake(tx, brake, sources)
    except (*OUTAGES, *RACES):
        raise
    except Exception as error:  # noqa: BLE001 -- our own bug: the next quarantined message tries again
        log.error("brake_failed", error=error)


async def _brake(tx: Connection, brake: Brake, sources: Sequence[str]) -> None:
    """Brake those of these sources that fail too often, from the next message on."""
    for recent in await store.quarantined_recently(tx, sources, brake.within):
        refused = recent.quarantined
        if not brake.may_trip(refused):
            continue
        came = await _came(tx, recent, brake.count_up_to(refused))
        why = f"{refused} of {came} messages quarantined"
        if brake.trips(came, refused) and await store.brake(tx, recent.name, NOBODY, why):
            await plumbing.add_audit(tx, [(NOBODY, "brake-source", recent.name, "intake", None)])
            log.critical("source_braked", count=refused, records=came)


async def _came(tx: Connection, recent: Recent, enough: int) -> int:
    """How many messages of a source came; counting ends where there are `enough`.

    Under load the last seconds hold enough of them, and the whole hour need not be read.
    """
    came = 0
    for step in FIRST_LOOKS:
        came = await store.came_since(tx, recent.name, max(recent.since, recent.now - step))
        if came >= enough or recent.now - step <= recent.since:
            return came
    return await store.came_since(tx, recent.name, recent.since)


async def watch_sources(process: Process) -> None:
    """Tell how many sources are held; their names are no matter of a metric."""
    while True:
        async with process.pool.acquire() as conn:
            found = await store.states(conn)
        for state in store.HELD_STATES:
            metrics.SOURCES.labels(state).set(found.get(state, 0))
        await asyncio.sleep(process.settings.account_every)
