"""A school's absence signal from its own topic to a case, and its retention there."""

from datetime import timedelta

import orjson
from aiokafka import AIOKafkaProducer
from pydantic import SecretStr

from deploy.local.system import System
from services.intake.retention import forget_once
from services.intake.settings import IntakeSettings
from shared import events
from shared.clock import utc_now
from shared.contract import EXAMPLES
from shared.kinds import BY_NAME
from tests import system as do


async def test_a_signal_on_its_own_topic_becomes_a_case_and_is_forgotten_there(
    luotsi: System,
) -> None:
    luotsi.prepare()
    services = [luotsi.service("intake"), luotsi.service("routing", timers="false")]
    for service in services:
        service.start()
    producer = AIOKafkaProducer(bootstrap_servers=luotsi.bootstrap, enable_idempotence=True)
    whole = orjson.loads((EXAMPLES / "absence.json").read_bytes())
    async with producer:
        for ident, content in (("a-1", whole), ("a-2", {**whole, "confirmed_by": None})):
            pairs = do.headers("school-1", ident, BY_NAME["absence"].type)
            topic = luotsi.prefix + events.INTAKE_ABSENCE
            await producer.send_and_wait(topic, orjson.dumps(content), b"k", headers=pairs)

    receipts = [
        orjson.loads(r.value) for r in await do.read_topic(luotsi, events.INTAKE_RECEIPT, 2)
    ]

    async def clocks() -> object:
        rows = await do.fetch(luotsi.admin_url, "SELECT kind FROM routing.clock")
        return rows if len(rows) == 6 else None

    rows = await do.until("the clocks in days run", clocks)
    assert {r["source_id"]: r["outcome"] for r in receipts} == {
        "a-1": "accepted", "a-2": "returned",
    }  # fmt: skip
    assert "urgency" not in {row["kind"] for row in rows}

    for service in services:
        service.process.stop()
    settings = IntakeSettings(
        kafka=luotsi.bootstrap, topic_prefix=luotsi.prefix, database_url=SecretStr("unused"),
        key_file=luotsi.key_file,
    )  # fmt: skip
    later = utc_now() + timedelta(days=8)
    await forget_once(settings, events.INTAKE_ABSENCE, lambda: later)
    assert await do.everything(luotsi, events.INTAKE_ABSENCE) == []
