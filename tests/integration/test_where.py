"""`luotsi where` asks running services about a message that went all the way."""

import asyncio

from deploy.cli.settings import CommandSettings
from deploy.cli.where import Row, Unknown, render, where
from deploy.local.system import System
from tests import system as do


async def test_a_message_is_found_in_every_service_and_nothing_about_a_person_is_shown(
    luotsi: System,
) -> None:
    await asyncio.to_thread(luotsi.prepare)
    services = [
        luotsi.service("intake"),
        luotsi.service("routing", timers="false"),
        luotsi.service(
            "notifications", mail_sender="a@b.example", duty_address="c@d.example", send="false"
        ),
    ]
    for service in services:
        service.start()
    intake, routing, notifications = services
    settings = CommandSettings(
        intake_url=intake.url, routing_url=routing.url, notifications_url=notifications.url
    )
    await do.until_ready(services)
    await do.publish_notification(luotsi, "school:2026-1")

    async def rows() -> list[Row]:
        try:
            found = await asyncio.to_thread(where, settings, "school:2026-1")
        except Unknown:
            return []
        arrived = {row.service for row in found if row.state and "not seen" not in row.state}
        return found if arrived == {"intake", "routing", "notifications"} else []

    found = await do.until("every service has seen it", rows)
    told = render(found)

    assert ["applied"] == list({r.state.split(",")[0] for r in found if "luotsi." in r.what})
    assert any(row.what.startswith("case ") for row in found)
    assert any(row.what == "receipt" and "created" in row.state for row in found)
    for personal in ("Testi", "Lapsi", "010594Y9032", "opettaja"):
        assert personal not in told
