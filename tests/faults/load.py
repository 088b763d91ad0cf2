"""Notifications of the sample county at a steady rate, from a source that does not give up."""

import asyncio
import contextlib
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import cycle
from typing import Any, NamedTuple, Self

import httpx2
import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from deploy.local.system import System
from deploy.sample.county import messages
from shared import events
from tests import system as do

TICK_S = 0.05
PATIENCE_S = 20.0
LAST_DAY = date(2026, 10, 31)


class Sent(NamedTuple):
    """One message of the source; a repeat is equal to the first."""

    number: int
    key: bytes
    headers: list[tuple[str, bytes]]
    body: dict[str, Any]


@lru_cache(maxsize=2)
def sample(count: int) -> tuple[Sent, ...]:
    """So many messages of the county, repeats, siblings and all; numbered, without arrival."""
    numbers: dict[str, int] = {}
    found = []
    for message in messages(count, last_day=LAST_DAY):
        number = numbers.setdefault(message.source_id, len(numbers))
        body = orjson.loads(message.value)
        body.pop("arrived_at", None)
        ident = f"n-{number}"
        headers = do.headers(message.source, ident)
        found.append(Sent(number, ident.encode(), headers, body))
    return tuple(found)


class Load:
    """Publishes until it is told to stop; what Kafka did not acknowledge is sent again.

    With `late_share` so many of the messages say that they arrived an hour ago, so that their
    first clock has run out and the timers have something to tell between the batches.
    """

    def __init__(
        self, system: System, rate: float, *, most: int = 20_000, late_share: float = 0.0
    ) -> None:
        self.acknowledged = 0
        self.sent_again = 0
        self._system = system
        self._rate = rate
        self._messages = sample(most)
        self._late = late_share
        hour_ago = datetime.now(UTC) - timedelta(hours=1)
        self._hour_ago = hour_ago.strftime("%Y-%m-%dT%H:%M:%SZ")
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._producer: AIOKafkaProducer | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping = True
        assert self._task is not None
        await self._task

    async def reach(self, count: int) -> None:
        """Wait until so many are acknowledged; raises what the source died of."""
        assert self._task is not None
        while self.acknowledged < count:
            if self._task.done():
                self._task.result()
                raise AssertionError(f"the source ended after {self.acknowledged} messages")
            await asyncio.sleep(0.05)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        begun, taken = loop.time(), 0
        try:
            while not self._stopping and taken < len(self._messages):
                due = min(len(self._messages), int((loop.time() - begun) * self._rate) + 1)
                if group := self._messages[taken : min(due, taken + 200)]:
                    await self._until_sent(group)
                    taken += len(group)
                    if due - taken > self._rate:  # Kafka was away: go on at the rate, no burst
                        begun = loop.time() - taken / self._rate
                await asyncio.sleep(TICK_S)
        finally:
            await self._drop()

    async def _until_sent(self, group: Sequence[Sent]) -> None:
        while not await self._sent(group):
            self.sent_again += len(group)
            await asyncio.sleep(0.5)
        self.acknowledged += len(group)

    async def _sent(self, group: Sequence[Sent]) -> bool:
        topic = self._system.prefix + events.INTAKE_NOTIFICATION
        try:
            async with asyncio.timeout(PATIENCE_S):
                producer = await self._ready()
                waiting = [
                    await producer.send(topic, self._value(m), key=m.key, headers=m.headers)
                    for m in group
                ]
                await asyncio.gather(*waiting)
        except (KafkaError, TimeoutError, OSError):
            await self._drop()  # an idempotent producer does not recover from a failed send
            return False
        return True

    def _value(self, message: Sent) -> bytes:
        if message.number % 100 < self._late * 100:
            return orjson.dumps(message.body | {"arrived_at": self._hour_ago})
        return orjson.dumps(message.body)

    async def _ready(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._system.bootstrap,
                acks="all",
                enable_idempotence=True,
                request_timeout_ms=15_000,
            )
            try:
                await producer.start()
            except BaseException:
                await _stopped(producer)
                raise
            self._producer = producer
        return self._producer

    async def _drop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await _stopped(producer)


class HttpSource:
    """Posts notifications to the intake processes in turn; without a 202 it sends them again."""

    def __init__(self, system: System, rate: float) -> None:
        self.accepted = 0
        self.sent_again = 0
        self._urls = cycle(r.url for r in system.services.values() if r.program == "intake")
        self._token = system.secrets["test-source"]
        self._rate = rate
        self._stopping = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping = True
        assert self._task is not None
        await self._task

    async def _run(self) -> None:
        headers = {"Authorization": f"Bearer {self._token}"}
        async with httpx2.AsyncClient(headers=headers, trust_env=False, timeout=20) as client:
            for message in sample(5_000):
                while not await self._posted(client, message):
                    self.sent_again += 1
                    await asyncio.sleep(0.2)
                self.accepted += 1
                if self._stopping:
                    return
                await asyncio.sleep(1 / self._rate)

    async def _posted(self, client: httpx2.AsyncClient, message: Sent) -> bool:
        try:
            answer = await client.post(
                f"{next(self._urls)}/v1/notifications",
                json=message.body,
                headers={"ce-id": message.key.decode()},
            )
        except httpx2.HTTPError:
            return False
        assert answer.status_code in (202, 503), answer.text
        return answer.status_code == 202


async def _stopped(producer: AIOKafkaProducer) -> None:
    """Flushed while Kafka answers; let go of in any case."""
    with contextlib.suppress(KafkaError, OSError, TimeoutError):
        async with asyncio.timeout(5):
            await producer.stop()
    await producer.client.close()
