"""A sample month of everything through a real intake and routing, and what the summary says."""

import asyncio
from datetime import UTC, date, datetime

from deploy.local import store
from deploy.local.system import System
from deploy.sample.county import month
from deploy.sample.publish import publish
from tests import history
from tests import system as do

LAST_DAY = date(2026, 11, 22)


async def test_a_month_of_every_kind_goes_through_and_nothing_of_it_is_set_aside(
    luotsi: System,
) -> None:
    await asyncio.to_thread(luotsi.prepare)
    services = [
        luotsi.service("intake", client_sources="clients-1", directory_sources="directory-1"),
        luotsi.service("routing", timers="false"),
    ]
    for service in services:
        service.start()
    await do.until_ready(services)
    messages = list(month(last_day=LAST_DAY, children=2_000, absences="stress"))
    await publish(luotsi.bootstrap, messages, topic_prefix=luotsi.prefix)

    await history.settled(luotsi)
    found = await store.counts(luotsi.admin_url, datetime(2026, 11, 23, tzinfo=UTC))

    assert found.messages.keys() <= {"applied", "repeated", "returned"}
    assert sum(found.messages.values()) == len(messages)
    assert found.messages["returned"] > 5
    assert found.kinds.keys() >= {"notification", "absence", "joint_contact"}
    assert found.feeds["clients"] > 50
    assert found.feeds["staff"] > 20
    assert found.feeds["duty shifts"] > 150
    assert found.set_aside == 0
