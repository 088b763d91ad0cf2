"""Looking for what is missing: gaps in numbers, ids of lists, sources gone quiet.

One process looks at a time. It looks at what had arrived by a moment when everything from before
that moment has been taken in, so a backlog is neither a gap nor a silence. Each source has at most
one open alarm of a kind. A gap or a missing id is a child's matter: it also opens an item at the
duty desk, which closes by itself when everything has come.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from services.intake.domain.numbering import named_gaps
from services.intake.domain.rhythm import NOTHING_STATED, Heard, Stated, silence
from services.intake.manifests import store
from services.intake.manifests.store import AlarmKind, AlarmRow, Watch
from services.intake.settings import IntakeSettings
from shared import events, metrics
from shared import store as plumbing
from shared.bus import Consumer
from shared.clock import Clock
from shared.database import Connection
from shared.events import SetAside
from shared.ids import time_ordered_id
from shared.logs import log
from shared.service import Process
from shared.store import Outgoing

AGAIN = timedelta(minutes=20)  # what is recorded late is still noted
AWAY = timedelta(hours=1)  # after so long without a look, silence is counted anew
QUIET = timedelta(hours=2)  # a source that was heard since then need not be looked at closely
FIRST_LOOK = timedelta(weeks=17)

REASON = "messages-missing"


class Finding(NamedTuple):
    """What is wrong with a source: why it is an alarm, in a code, and since when."""

    why: str
    since: datetime


def watch_manifests(settings: IntakeSettings, clock: Clock) -> Callable[[Process], Awaitable[None]]:
    """A loop of the intake process; several may run."""

    async def loop(process: Process) -> None:
        consumers = [each for each in process.consumers if isinstance(each, Consumer)]
        grace = timedelta(minutes=settings.missing_grace_minutes)
        stated = settings.stated_sources()
        while True:
            now = clock()
            ends = [await consumer.ends() for consumer in consumers]
            await asyncio.sleep(settings.account_every)
            reached = [await each.reached(end) for each, end in zip(consumers, ends, strict=True)]
            async with process.pool.acquire() as tx, tx.transaction():
                if all(reached):
                    await look(tx, now, grace, stated)
            async with process.pool.acquire() as conn:
                await _measure(conn)

    return loop


async def look(
    tx: Connection, now: datetime, grace: timedelta, stated: Mapping[str, Stated]
) -> None:
    """Look at all that had arrived by `now`; does nothing while another process looks."""
    watch = await store.take_watch(tx)
    if watch is None:
        return
    awake_since = watch.awake_since
    if watch.looked_at is not None and now - watch.looked_at > AWAY:
        awake_since = now
    await store.hear(tx, (watch.looked_at - AGAIN) if watch.looked_at else now - FIRST_LOOK)
    await store.check_lists(tx, now - grace)
    found: dict[AlarmKind, dict[str, Finding]] = {
        "gap": await _gaps(tx, now - grace),
        "missing": {
            source: Finding("not-arrived", since)
            for source, since in (await store.missing_since(tx)).items()
        },
        "silent": await _silent(tx, watch._replace(awake_since=awake_since), now, grace, stated),
    }
    await _reconcile(tx, found, now)
    await store.forget_hours(tx, now - store.KEPT)
    await store.save_watch(tx, now, awake_since, now - grace)


async def _gaps(tx: Connection, before: datetime) -> dict[str, Finding]:
    found: dict[str, Finding] = {}
    for (source, _), seen in (await store.runs_with_gaps(tx)).items():
        since = [gap.since for gap in named_gaps(seen, before)]
        if seen.folded:
            since.append(seen.spans[0].since)
        if since:
            earliest = min([*since, *([found[source].since] if source in found else [])])
            found[source] = Finding("numbers-missing", earliest)
    return found


async def _silent(
    tx: Connection, watch: Watch, now: datetime, grace: timedelta, stated: Mapping[str, Stated]
) -> dict[str, Finding]:
    known = await store.heard(tx)
    found = {}
    for source in sorted(known.keys() | stated.keys()):
        row = known.get(source)
        first, last = (row["first"], row["last"]) if row else (watch.since, watch.since)
        next_by = row["next_by"] if row else None
        hours: list[int] = []
        if now - last > QUIET:
            hours = await store.hours_of(tx, source, last - store.LEARNT)
        heard = Heard(
            frozenset(hours), first, max(last, watch.awake_since), next_by and next_by + grace
        )
        silent = silence(heard, now, stated.get(source, NOTHING_STATED))
        if silent is not None:
            found[source] = Finding(silent.why, last)
    return found


async def _reconcile(
    tx: Connection, found: Mapping[AlarmKind, Mapping[str, Finding]], now: datetime
) -> None:
    """Open an alarm for what is new, close those of which nothing is left."""
    standing = {(each.kind, each.source): each for each in await store.open_alarms(tx)}
    wrong = {(kind, source) for kind, sources in found.items() for source in sources}
    opened = [
        AlarmRow(time_ordered_id(now), source, kind, *found[kind][source])
        for kind, source in sorted(wrong - standing.keys())
    ]
    closed = [standing[each] for each in sorted(standing.keys() - wrong)]
    await store.add_alarms(tx, opened)
    await store.close_alarms(tx, [each.id for each in closed], "arrived")
    await plumbing.add_outbox(
        tx,
        [
            *(_told(each, "opened", REASON) for each in opened if each.kind != "silent"),
            *(_told(each, "closed", "arrived") for each in closed if each.kind != "silent"),
        ],
    )
    for each in opened:
        log.warning("source_alarm_opened", kind=each.kind, reason=each.why)
    for each in closed:
        log.info("source_alarm_closed", kind=each.kind)


def _told(alarm: AlarmRow, state: str, reason: str) -> Outgoing:
    """What the duty desk hears of it: that something is missing, and nothing else."""
    event = SetAside.model_validate(
        {
            "id": f"{alarm.id}.{state}", "item": alarm.id, "state": state, "service": "intake",
            "outcome": "missing", "reason": reason, "received_at": alarm.since,
        }
    )  # fmt: skip
    key = str(alarm.id).encode()
    return Outgoing(events.SIGNAL, key, event.id, event.model_dump_json().encode())


async def _measure(conn: Connection) -> None:
    kinds = [each.kind for each in await store.open_alarms(conn)]
    for kind in store.KINDS:
        metrics.SOURCE_ALARMS.labels(kind).set(kinds.count(kind))
