"""The routing consumer: signals in, decisions and clocks out. The desk is its second process."""

from fastapi import FastAPI

from services.routing.directory import watch_rota
from services.routing.handlers import notices, signals
from services.routing.in_force import rules_in_force
from services.routing.settings import RoutingSettings
from services.routing.timers import watch_clocks, watch_queues
from services.routing.unanswered.watching import watch_questions
from services.routing.urgent import urgent_items
from services.routing.where import where_routes
from shared import events, logs
from shared.bus import Consumer, kafka_broker
from shared.clock import utc_now
from shared.migrate import head
from shared.publisher import Publisher
from shared.sealing import KeyFile, Sealer
from shared.service import Process, application


def build_app() -> FastAPI:
    """Wire the process; run it with ``uvicorn --factory services.routing.app:build_app``."""
    settings = RoutingSettings()
    logs.configure("routing", settings.log_level, settings.instance)
    rules = rules_in_force(settings.rules, settings.clock_settings)
    rules.get_ready(utc_now())
    sealer = Sealer(KeyFile(settings.key_file))
    broker = kafka_broker(settings)
    publisher = Publisher(
        settings.bootstrap, prefix=settings.topic_prefix, source="luotsi.routing",
        seconds=settings.publish_timeout,
    )  # fmt: skip
    process = Process(
        "routing",
        "routing",
        head("routing"),
        settings,
        broker,
        publisher,
        consumers=[
            Consumer(
                broker, publisher, settings, signals(rules, utc_now, sealer),
                topic=events.SIGNAL, group="routing-signal", key_stays=True,
            ),
            Consumer(
                broker, publisher, settings, notices(rules, utc_now),
                topic=events.NOTICE, group="routing-notice",
            ),
            Consumer(
                broker, publisher, settings, urgent_items(rules, utc_now),
                topic=events.URGENT, group="routing-urgent", key_stays=True,
            ),
        ],
        loops=[
            watch_clocks(settings, utc_now),
            watch_queues(settings, utc_now),
            watch_rota(settings, utc_now),
            watch_questions(settings, utc_now),
        ],
    )  # fmt: skip
    app = application(process)
    where_routes(app, process)
    return app
