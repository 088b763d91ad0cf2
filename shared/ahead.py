"""A reader that runs ahead of a consumer's backlog and looks at headers only.

It consumes nothing: whatever it finds, the consumer behind it takes and accounts for. So it leaves
no rows in the event log, and to see a record twice does no harm: what is kept of one is kept once,
by its place. Kept first, then published, the Kafka offset last, as everywhere.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiokafka import ConsumerRecord
from faststream.kafka import KafkaBroker

from shared import metrics, store
from shared.bus import Consumer, Subscription, raw_of
from shared.database import Connection
from shared.errors import OUTAGES, RACES
from shared.inbox import Headers, Raw
from shared.logs import log
from shared.publisher import Publisher
from shared.settings import ServiceSettings
from shared.store import Outgoing
from shared.turns import Turns

AT_ONCE = 4000
MANY = 500  # so many at once are a backlog, such as an outage leaves
NEXT_S = 1.0  # within it another batch follows where there is more
FIRST_S = (
    10.0  # for so long the consumer lets this reader go first, and then has as long for itself
)
PARTITION_BYTES = 1024 * 1024

Keep = Callable[[Connection, Sequence[Raw]], Awaitable[Sequence[Outgoing]]]


class Ahead(Subscription):
    """Finds the `wanted` records of a topic before the consumer `ahead_of` comes to them."""

    def __init__(
        self,
        broker: KafkaBroker,
        publisher: Publisher,
        settings: ServiceSettings,
        ahead_of: Consumer[Any],
        *,
        group: str,
        wanted: Callable[[Headers], bool],
        keep: Keep,
    ) -> None:
        """`keep` stores records, once however often it is called, and gives what to publish."""
        super().__init__(
            broker,
            settings,
            service=group,
            topic=ahead_of.topic,
            group=group,
            max_records=AT_ONCE,
            partition_bytes=PARTITION_BYTES,
        )
        self._publisher = publisher
        self._ahead_of = ahead_of.group
        self._wanted = wanted
        self._keep = keep
        self._door: int | None = None
        self._catching_up_until = self._first_until = 0.0
        self._begun = False
        ahead_of.gives_way = self.gone_ahead

    async def gone_ahead(self) -> None:
        """Wait while this reader catches up: both share one process, and this is the short work."""
        if not self._begun:
            self._begun = True
            self._catching_up_until = time.monotonic() + NEXT_S
        while time.monotonic() < self._catching_up_until:
            await asyncio.sleep(0.02)

    def _note_backlog(self, count: int) -> None:
        now = time.monotonic()
        self._begun = True
        if count < MANY:
            self._catching_up_until = 0.0
            return
        if now > self._first_until + FIRST_S:
            self._first_until = now + FIRST_S
        self._catching_up_until = min(now + NEXT_S, self._first_until)

    async def _work(self, records: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        self._note_backlog(len(records))
        found = []
        turns = Turns()
        for record in records:
            if self._wanted(record.headers):
                found.append(record)
            if turns.over():
                await turns.next()
        if found:
            await self._publisher.send(await self._keep_waiting(found))

    async def _keep_waiting(
        self, found: Sequence[ConsumerRecord[bytes, bytes]]
    ) -> Sequence[Outgoing]:
        """Keep those that the consumer has not passed yet."""
        assert self.pool is not None  # noqa: S101 -- the app set it before the broker started
        async with self.pool.acquire() as conn:
            if self._door is None:
                cluster = await self._cluster()
                self._door = await store.door(conn, self._ahead_of, cluster, self.topic)
            passed = await store.positions(conn, self._door, [r.partition for r in found])
        return await self._keep_each(
            [
                raw_of(record, self._door)
                for record in found
                if record.partition not in passed
                or record.offset >= passed[record.partition].next_off
            ]
        )

    async def _keep_each(self, raws: Sequence[Raw]) -> list[Outgoing]:
        """Keep all, or those that can be: one that cannot does not hold up the others.

        The consumer behind takes it all the same.
        """
        if not raws:
            return []
        try:
            assert self.pool is not None  # noqa: S101 -- the app set it before the broker started
            async with self.pool.acquire() as tx, tx.transaction():
                return list(await self._keep(tx, raws))
        except (*OUTAGES, *RACES):
            raise
        except Exception as error:  # noqa: BLE001 -- our own bug: find the one, go on
            if len(raws) > 1:
                middle = len(raws) // 2
                return await self._keep_each(raws[:middle]) + await self._keep_each(raws[middle:])
            log.critical(
                "not_kept_ahead", topic=self.topic, partition=raws[0].partition,
                offset=raws[0].offset, error=error,
            )  # fmt: skip
            metrics.BATCH_FAILURES.labels(**self._labels, kind=type(error).__name__).inc()
            return []

    async def account(self) -> int | None:
        """How far this reader is behind what has arrived."""
        known = await self._committed()
        if known is None:
            return None
        lag, behind = await self._lag(known)
        metrics.AHEAD_LAG.labels(self.topic).set(lag)
        metrics.AHEAD_LAG_SECONDS.labels(self.topic).set(behind)
        return lag

    def account_unknown(self) -> None:
        """Kafka does not answer: no figure is better than yesterday's."""
        for gauge in (metrics.AHEAD_LAG, metrics.AHEAD_LAG_SECONDS):
            with contextlib.suppress(KeyError):
                gauge.remove(self.topic)
