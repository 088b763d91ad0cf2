"""Deleting what is old from the inbound topics: persons stand there in the clear (design.md 17).

Originals that the urgent lane kept a second time go a week after their turn came.

Only what is both older than seven days *and* below intake's committed offset goes, so a week's
outage loses nothing; the topics themselves have no time retention. Files that no accepted message
has named for 30 days go, too.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from services.intake import store
from services.intake.groups import in_turn
from services.intake.settings import IntakeSettings
from shared import events
from shared.clock import Clock
from shared.logs import log
from shared.service import Process

KEEP = timedelta(days=7)
KEEP_UNNAMED = timedelta(days=30)
EVERY_SECONDS = 3600.0


def forget_old_messages(
    settings: IntakeSettings, clock: Clock
) -> Callable[[Process], Awaitable[None]]:
    """A loop of the intake process; doing it twice at once does no harm."""

    async def loop(process: Process) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            for topic in events.INBOUND_TOPICS:
                await forget_once(settings, topic, clock)
            async with process.pool.acquire() as conn:
                await store.forget_urgent(conn, clock() - KEEP)

    return loop


async def forget_once(settings: IntakeSettings, topic: str, clock: Clock) -> dict[int, int]:
    """Delete once; returns partition -> first offset kept, where something was deleted."""
    name = settings.topic_prefix + topic
    places = [TopicPartition(name, number) for number in range(events.PARTITIONS)]
    reader = AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap,
        group_id=settings.topic_prefix + in_turn(topic),
        enable_auto_commit=False,
    )
    await reader.start()
    try:
        limit = int((clock() - KEEP).timestamp() * 1000)
        young = await reader.offsets_for_times(dict.fromkeys(places, limit))
        begin = await reader.beginning_offsets(places)
        end = await reader.end_offsets(places)
        committed = {place: await reader.committed(place) or 0 for place in places}
    finally:
        await reader.stop()
    keep_from = {
        place: min(committed[place], found.offset if (found := young[place]) else end[place])
        for place in places
    }
    old = {place: offset for place, offset in keep_from.items() if offset > begin[place]}
    if old:
        await _delete(settings, old)
        log.info("old_messages_deleted", topic=topic, count=len(old))
    return {place.partition: offset for place, offset in old.items()}


async def _delete(settings: IntakeSettings, before: dict[TopicPartition, int]) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=",".join(settings.bootstrap))
    await admin.start()
    try:
        await admin.delete_records(
            {place: RecordsToDelete(before_offset=offset) for place, offset in before.items()}
        )
    finally:
        await admin.close()


def forget_unnamed_files(clock: Clock) -> Callable[[Process], Awaitable[None]]:
    """A loop of the intake process: the rows go, the keys stay (only erasure may delete keys)."""

    async def loop(process: Process) -> None:
        while True:
            await asyncio.sleep(EVERY_SECONDS)
            await forget_unnamed(process, clock)

    return loop


async def forget_unnamed(process: Process, clock: Clock) -> int:
    """Delete once what was last sent 30 days ago and never named; returns how many."""
    async with process.pool.acquire() as conn:
        count = await store.delete_unnamed_attachments(conn, clock() - KEEP_UNNAMED)
    if count:
        log.info("unnamed_attachments_deleted", count=count)
    return count
