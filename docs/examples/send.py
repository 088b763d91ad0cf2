"""Send one notification over Kafka: ``python send.py FILE SOURCE ID`` (needs aiokafka)."""

import asyncio
import os
import sys
from pathlib import Path

from aiokafka import AIOKafkaProducer

BOOTSTRAP = os.environ.get("LUOTSI_KAFKA", "127.0.0.1:9092")
TOPIC = os.environ.get("LUOTSI_TOPIC", "luotsi.intake.notification.v1")


async def send(content: bytes, source: str, ident: str) -> None:
    """Send and wait for the acknowledgement; the same id again is harmless, so retry at will."""
    producer = AIOKafkaProducer(bootstrap_servers=BOOTSTRAP, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        headers = [
            ("ce_specversion", b"1.0"),
            ("ce_id", ident.encode()),
            ("ce_source", source.encode()),
            ("ce_type", b"fi.luotsi.childprotection.notification.v1"),
            ("content-type", b"application/json"),
        ]
        await producer.send_and_wait(TOPIC, content, key=ident.encode(), headers=headers)
    finally:
        await producer.stop()


if __name__ == "__main__":
    asyncio.run(send(Path(sys.argv[1]).read_bytes(), sys.argv[2], sys.argv[3]))
