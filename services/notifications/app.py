"""Notifications: who may be told what, in which words, and whether it got there."""

from fastapi import FastAPI

from services.notifications.channels import smtp
from services.notifications.handlers import case_events, signals
from services.notifications.sender import Sender, Templates
from services.notifications.settings import NotificationSettings
from services.notifications.watch import watch_notices
from services.notifications.where import where_routes
from shared import events, logs
from shared.bus import Consumer, kafka_broker
from shared.clock import utc_now
from shared.migrate import head
from shared.publisher import Publisher
from shared.sealing import KeyFile, Sealer
from shared.service import Process, application


def build_app() -> FastAPI:
    """Wire the process; run it with ``uvicorn --factory services.notifications.app:build_app``."""
    settings = NotificationSettings()
    logs.configure("notifications", settings.log_level, settings.instance)
    keys = KeyFile(settings.key_file)
    sender = Sender(settings, Sealer(keys), Templates.load(), smtp(settings), utc_now)
    broker = kafka_broker(settings)
    publisher = Publisher(
        settings.bootstrap, prefix=settings.topic_prefix, source="luotsi.notifications",
        seconds=settings.publish_timeout,
    )  # fmt: skip
    process = Process(
        "notifications",
        "notifications",
        head("notifications"),
        settings,
        broker,
        publisher,
        consumers=[
            Consumer(
                broker, publisher, settings, signals(keys, utc_now, settings.not_before),
                topic=events.SIGNAL, group="notifications-signal",
            ),
            Consumer(
                broker, publisher, settings, case_events(utc_now, settings.not_before),
                topic=events.CASE, group="notifications-case",
            ),
        ],
        loops=[watch_notices(settings), *([sender.run] if settings.send else [])],
    )  # fmt: skip
    app = application(process)
    where_routes(app, process)
    return app
