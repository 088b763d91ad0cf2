"""A source that sends what it likes: any bytes, to a partition of its choice."""

import struct
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.record.util import calc_crc32c

from deploy.local.system import System
from shared.kinds import BY_NAME
from tests import history
from tests.hostile.inputs import Hostile

CRC_AT = 17  # where a record batch holds the checksum of what follows it
NO_NAME = b"\xff\xfe\x80_"


class Sender:
    """Producers without and with compression; answers with the place of what was sent."""

    def __init__(self, system: System, producers: Mapping[str | None, AIOKafkaProducer]) -> None:
        self._prefix = system.prefix
        self._producers = producers

    async def send(self, message: Hostile, partition: int) -> history.Place:
        """One record in a batch of its own, to its kind's topic; its place once acknowledged."""
        topic = BY_NAME[message.kind].topic
        producer = self._producers[message.codec]
        batch = producer.create_batch()
        taken = batch.append(
            timestamp=None, key=message.key, value=message.value, headers=message.headers
        )
        assert taken is not None
        batch.close()
        if message.raw_name:
            _rename(batch)
        acknowledged = await producer.send_batch(batch, self._prefix + topic, partition=partition)
        return topic, partition, (await acknowledged).offset


def _rename(batch: Any) -> None:
    """Give the header `raw_` a name that is not UTF-8: the client would refuse to."""
    data = bytearray(batch._build())
    at = data.index(b"raw_")
    data[at : at + 4] = NO_NAME
    struct.pack_into(">I", data, CRC_AT, calc_crc32c(bytes(data[CRC_AT + 4 :])))
    batch._buffer = data


@asynccontextmanager
async def a_sender(system: System) -> AsyncIterator[Sender]:
    """A started sender."""
    producers = {
        codec: AIOKafkaProducer(
            bootstrap_servers=system.bootstrap,
            acks="all",
            compression_type=codec,
            max_request_size=20_000_000,
            max_batch_size=20_000_000,
        )
        for codec in (None, "gzip")
    }
    for producer in producers.values():
        await producer.start()
    try:
        yield Sender(system, producers)
    finally:
        for producer in producers.values():
            await producer.stop()
