"""Intake answers: did it arrive, when, from whom, about which child."""

import asyncio

from fastapi import FastAPI

from services.intake import store
from services.intake.api import api_routes
from services.intake.feeds import at_topic
from services.intake.groups import in_turn
from services.intake.handlers import messages
from services.intake.manifests.watching import watch_manifests
from services.intake.provider_files import load_providers
from services.intake.retention import forget_old_messages, forget_unnamed_files
from services.intake.settings import IntakeSettings
from services.intake.sources.gate import guarded, watch_sources
from services.intake.sources.resuming import resume_sources
from services.intake.urgent import lane
from shared import events, logs, metrics
from shared import store as plumbing
from shared.bus import Consumer, kafka_broker
from shared.clock import utc_now
from shared.contract import asyncapi
from shared.docs_pages import docs_routes
from shared.kinds import FEED_TOPICS, KINDS
from shared.migrate import head
from shared.publisher import Publisher
from shared.sealing import KeyFile, Sealer
from shared.service import Process, application


def build_app() -> FastAPI:
    """Wire the process; run it with ``uvicorn --factory services.intake.app:build_app``."""
    settings = IntakeSettings()
    logs.configure("intake", settings.log_level, settings.instance)
    sealer = Sealer(KeyFile(settings.key_file))
    broker = kafka_broker(settings)
    publisher = Publisher(
        settings.bootstrap, prefix=settings.topic_prefix, source="luotsi.intake",
        seconds=settings.publish_timeout,
    )  # fmt: skip
    taken = messages(sealer, utc_now, settings.feeders, load_providers(settings.providers))
    inbox = guarded(taken, settings.source_brake)
    consumers = {
        topic: Consumer(
            broker, publisher, settings, at_topic(inbox, topic), topic=topic, group=in_turn(topic)
        )
        for topic in events.INBOUND_TOPICS
    }
    marked = [consumers[topic] for topic in consumers if topic not in FEED_TOPICS]
    process = Process(
        "intake",
        "intake",
        head("intake"),
        settings,
        broker,
        publisher,
        consumers=[
            *consumers.values(),
            *(lane(broker, publisher, settings, sealer, ahead_of) for ahead_of in marked),
        ],
        loops=[
            watch_http_door,
            watch_sources,
            watch_manifests(settings, utc_now),
            resume_sources(sealer, inbox),
            forget_old_messages(settings, utc_now),
            forget_unnamed_files(utc_now),
        ],
    )
    app = application(process, openapi_url="/openapi.json")
    api_routes(app, process, settings, sealer, inbox, utc_now)
    docs_routes(app, asyncapi(), bodies=[kind.model for kind in KINDS])
    return app


async def watch_http_door(process: Process) -> None:
    """Keep I1 of the HTTP door: requests taken in against rows in the event log."""
    while True:
        async with process.pool.acquire() as conn:
            door = await plumbing.door(
                conn, store.HTTP_GROUP, store.HTTP_GROUP, "/v1/notifications"
            )
            difference = await store.http_unaccounted(conn, door)
        metrics.UNACCOUNTED.labels("intake", "http").set(difference)
        await asyncio.sleep(process.settings.account_every)
