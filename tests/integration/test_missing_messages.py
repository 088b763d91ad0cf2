"""A number that never came, from Kafka to the duty desk and back, in running services."""

import asyncio

import orjson
import pytest

from deploy.cli.__main__ import main
from deploy.local.system import System
from tests import system as do


async def publish(system: System, number: int) -> None:
    pairs = [*do.headers("school-1", f"n-{number}"), ("ce_sequence", str(number).encode())]
    value = orjson.dumps(do.NOTIFICATION)
    await do.publish(system, [(str(number).encode(), value, [*pairs, ("ce_sequencerun", b"r")])])


async def test_a_message_that_was_lost_stands_at_the_duty_desk_until_it_comes(
    luotsi: System, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await asyncio.to_thread(luotsi.prepare)
    services = [
        luotsi.service("intake", account_every="0.3", missing_grace_minutes="0.001"),
        luotsi.service("routing", account_every="1", timers="false"),
    ]
    for service in services:
        service.start()
    await do.until_ready(services)
    monkeypatch.setenv("LUOTSI_INTAKE_URL", services[0].url)
    monkeypatch.setenv("LUOTSI_INTAKE_TOKEN", luotsi.secrets["desk"])

    async def luotsi_says(*words: str) -> str:
        code = await asyncio.to_thread(main, [*words, "--worker", "w-1"])
        told = capsys.readouterr()
        assert 0 == code, told.err
        return told.out

    async def items(state: str) -> bool:
        found = await do.fetch(
            luotsi.admin_url,
            "SELECT CASE WHEN closed_at IS NULL THEN 'open' ELSE closed_by END AS state "
            "FROM routing.duty_item WHERE outcome = 'missing' AND reason = 'messages-missing'",
        )
        return [row["state"] for row in found] == [state]

    for number in (1, 2, 5):
        await publish(luotsi, number)
    await do.until("the item stands at the duty desk", lambda: items("open"))
    named = await luotsi_says("missing", "school-1")
    listed = await luotsi_says("sources")
    for number in (4, 3):
        await publish(luotsi, number)
    await do.until("the item has closed by itself", lambda: items("arrived"))

    assert named.startswith("number 3 to 4 of run r, missing since ")
    assert listed.splitlines()[1].endswith("  gap")
    assert "Nothing is known to be missing of school-1.\n" == await luotsi_says(
        "missing", "school-1"
    )
    assert 5 == await do.value(luotsi.admin_url, "SELECT count(*) FROM routing.notification")
