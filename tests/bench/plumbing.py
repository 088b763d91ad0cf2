"""The bare plumbing: the shared batch consumer with a handler that does nothing but answer.

``uvicorn --factory tests.bench.plumbing:build_app``; reads intake's topic, writes to the receipt
topic, keeps its log in the notifications schema (the tables are the same in every service).
"""

from collections.abc import Sequence

from fastapi import FastAPI

from shared import events
from shared.bus import Consumer, kafka_broker
from shared.clock import utc_now
from shared.database import Connection
from shared.inbox import Aside, Inbox, Incoming, Outcome, Raw, Stored
from shared.migrate import head
from shared.publisher import Publisher
from shared.service import Process, application
from shared.settings import ServiceSettings
from shared.store import Outgoing


def read(raw: Raw) -> Incoming[None]:
    """Take everything: the id is the key the source chose and the place."""
    ident = f"{raw.partition}-{raw.offset}"
    return Incoming(raw, None, "bench", ident, ident, raw.appended_at)


async def answer(_tx: Connection, batch: Sequence[Incoming[None]]) -> list[Outcome]:
    """One answer of the record's own bytes, as the raw loop produces it."""
    return [
        Outcome(
            "applied",
            [Outgoing(events.INTAKE_RECEIPT, item.raw.key or b"", item.id, item.raw.value or b"")],
        )
        for item in batch
    ]


async def set_aside(_tx: Connection, items: Sequence[Aside]) -> list[Stored]:
    """Nothing is unreadable here."""
    return [Stored(None) for _ in items]


def build_app() -> FastAPI:
    """Wire the process like a service's."""
    settings = ServiceSettings()
    broker = kafka_broker(settings)
    publisher = Publisher(settings.bootstrap, prefix=settings.topic_prefix, source="bench")
    inbox: Inbox[None] = Inbox("bench", read, answer, set_aside, utc_now)
    consumer = Consumer(
        broker, publisher, settings, inbox, topic=events.INTAKE_NOTIFICATION, group="plumbing",
        key_stays=True,
    )  # fmt: skip
    schema = "notifications"
    process = Process(
        "bench", schema, head(schema), settings, broker, publisher, [consumer], relays=False
    )
    return application(process)
