"""The desk: pages, JSON API and liveness; the second process of routing.

Run it with ``uvicorn --factory services.routing.desk.app:build_app``.
"""

from collections.abc import Callable
from pathlib import Path

from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from services.routing.desk.acts import Desk
from services.routing.desk.api import api_routes
from services.routing.desk.decisions import decision_routes
from services.routing.desk.guard import Guard, fault_routes
from services.routing.desk.intake import Intake
from services.routing.desk.live import Hub
from services.routing.desk.pages import page_routes
from services.routing.desk.rule_pages import rule_routes
from services.routing.desk.sessions import Sessions
from services.routing.domain.form import load_form
from services.routing.in_force import rules_in_force
from services.routing.settings import RoutingSettings
from shared import logs
from shared.clock import Clock, utc_now
from shared.migrate import head
from shared.publisher import Publisher
from shared.sealing import KeyFile, Sealer
from shared.service import Process, application

STATIC = Path(__file__).parent / "static"


def build_app(
    settings: RoutingSettings | None = None,
    clock: Clock = utc_now,
    intake: Callable[[RoutingSettings], Intake] = Intake,
) -> FastAPI:
    """Wire the process; tests give settings, a clock and a stand-in for intake's server."""
    settings = settings or RoutingSettings()
    logs.configure("desk", settings.log_level, settings.instance)
    hub = Hub()
    publisher = Publisher(
        settings.bootstrap, prefix=settings.topic_prefix, source="luotsi.routing",
        seconds=settings.publish_timeout,
    )  # fmt: skip
    process = Process(
        "desk", "routing", head("routing"), settings, publisher=publisher, loops=[hub.listen]
    )
    desk = Desk(
        process,
        settings,
        rules_in_force(settings.rules, settings.clock_settings),
        Sealer(KeyFile(settings.key_file)),
        intake(settings),
        clock,
        load_form(settings.rules),
    )
    sessions = Sessions(settings, clock)
    app = application(process)
    app.state.hub = hub
    page_routes(app, desk, sessions, hub)
    rule_routes(app, desk, sessions)
    decision_routes(app, desk, sessions)
    api_routes(app, desk, sessions)
    fault_routes(app, desk, sessions)
    app.mount("/static", Assets(directory=STATIC), "static")
    app.add_middleware(Guard)
    return app


class Assets(StaticFiles):
    """Our own files: a browser keeps them but asks each time whether they changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response
