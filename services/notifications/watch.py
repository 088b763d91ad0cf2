"""What operators see of the notices: how many wait, for how long, and gaps in a child's events."""

import asyncio

from services.notifications import store
from services.notifications.settings import NotificationSettings
from shared import metrics
from shared.database import Pool
from shared.logs import log
from shared.service import Loop, Process

PURPOSES = ("receipt", "duty_alert")


def watch_notices(settings: NotificationSettings) -> Loop:
    """The loop that keeps the gauges true."""

    async def watch(process: Process) -> None:
        while True:
            gap = await measure(process.pool)
            if gap > settings.seq_gap_alarm_seconds:
                log.warning("seq_gap", seconds=round(gap))
            await asyncio.sleep(settings.watch_every)

    return watch


async def measure(pool: Pool) -> float:
    """Set the gauges; returns the age of the oldest gap in seconds."""
    async with pool.acquire() as conn:
        waiting = await store.waiting(conn)
        gap = await store.gap_seconds(conn)
    for purpose in PURPOSES:
        count, age = waiting.get(purpose, (0, 0.0))
        metrics.NOTICES_WAITING.labels(purpose).set(count)
        metrics.NOTICES_OLDEST_SECONDS.labels(purpose).set(age)
    metrics.SEQ_GAP_SECONDS.labels("notifications").set(gap)
    return gap
