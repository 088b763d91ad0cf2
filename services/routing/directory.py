"""The directory feed in: the newest version of each entry.

Also the watch over the duty rota. A rota that the feed has never told of is unknown, not a gap.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from pydantic import TypeAdapter

from services.routing import store
from services.routing.domain.rota import AHEAD, SHIFT_KINDS, OfficeHours, ShiftKind, first_gaps
from services.routing.settings import RoutingSettings
from shared import metrics
from shared.clock import Clock
from shared.database import Connection
from shared.directory import Entry, Staff
from shared.events import DirectorySignal
from shared.sealing import Sealer, UnreadableError
from shared.service import Process

_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)
DESK_ROLES = ("supervisor", "social_worker", "duty")  # the first that a person has counts


async def learn(tx: Connection, sealer: Sealer, signals: Sequence[DirectorySignal]) -> None:
    """Keep what some entries say now; an older version than one that came before says nothing."""
    await sealer.load(tx, sorted({signal.entry for signal in signals}))
    for signal in signals:
        if not await store.newer_entry(tx, signal):
            continue
        try:
            card = sealer.open(signal.card, "card", signal.id)
        except UnreadableError:  # erased since it was sent
            await store.end_entry(tx, signal.entry, signal.what)
            continue
        entry = _ENTRY.validate_json(card)
        if signal.ended:
            await store.end_entry(tx, signal.entry, signal.what)
        elif isinstance(entry, Staff):
            await store.keep_staff(tx, signal.entry, entry, desk_role(entry))
        else:
            await store.keep_entry(tx, signal.entry, entry)


def desk_role(staff: Staff) -> str | None:
    """As what a person may use the desk; None: not at all."""
    return next((role for role in DESK_ROLES if role in staff.roles), None)


Gaps = dict[ShiftKind, datetime | None]


async def rota_gaps(conn: Connection, now: datetime, office: OfficeHours) -> Gaps | None:
    """The first gap of each kind of shift within a week; None: no rota was ever told of."""
    if not await store.rota_was_told(conn):
        return None
    return first_gaps(await store.shifts(conn, now, now + AHEAD), now, office)


def watch_rota(settings: RoutingSettings, clock: Clock) -> Callable[[Process], Awaitable[None]]:
    """A loop that keeps the gauge of the next gap; while no rota is known there is no gauge."""

    async def loop(process: Process) -> None:
        while True:
            now = clock()
            async with process.pool.acquire() as conn:
                gaps = await rota_gaps(conn, now, settings.office_hours)
            show(gaps, now)
            await asyncio.sleep(settings.account_every)

    return loop


def show(gaps: Gaps | None, now: datetime) -> None:
    """Put the seconds until each gap into the gauge."""
    metrics.ROTA_KNOWN.labels("routing").set(gaps is not None)
    for kind in SHIFT_KINDS:
        if gaps is None:
            continue
        gap = gaps[kind]
        metrics.ROTA_GAP_SECONDS.labels(kind).set(((gap or now + AHEAD) - now).total_seconds())


def in_need(gaps: Gaps | None) -> list[tuple[ShiftKind, datetime]]:
    """The gaps there are, the next first."""
    found = [(kind, gap) for kind, gap in (gaps or {}).items() if gap is not None]
    return sorted(found, key=lambda each: each[1])
