"""Receipt time on real topics: Friday's message starts Friday's clocks, whenever it is read."""

from datetime import UTC, datetime, timedelta

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pydantic import SecretStr

from deploy.local.system import System
from services.intake.retention import forget_once
from services.intake.settings import IntakeSettings
from services.routing.domain.clocks import clocks_for
from shared import events
from shared.clock import utc_now
from tests import system as do

FRIDAY = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)


async def send_at(system: System, ident: str, at: datetime) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=system.bootstrap, acks="all")
    await producer.start()
    await producer.send_and_wait(
        system.prefix + events.INTAKE_NOTIFICATION, orjson.dumps(do.NOTIFICATION),
        key=ident.encode(), headers=do.headers("school-1", ident),
        timestamp_ms=int(at.timestamp() * 1000),
    )  # fmt: skip
    await producer.stop()


async def test_intake_stopped_over_the_weekend_starts_the_clocks_on_friday(luotsi: System) -> None:
    """On a test topic with CreateTime the record's time is Friday's; intake starts later."""
    admin = AIOKafkaAdminClient(bootstrap_servers=luotsi.bootstrap)
    await admin.start()
    topic = NewTopic(
        luotsi.prefix + events.INTAKE_NOTIFICATION, events.PARTITIONS, 1,
        topic_configs={"message.timestamp.type": "CreateTime"},
    )  # fmt: skip
    await admin.create_topics([topic])
    await admin.close()
    luotsi.prepare()
    await send_at(luotsi, "n-friday", FRIDAY)

    services = [luotsi.service("intake"), luotsi.service("routing", timers="false")]
    for service in services:
        service.start()

    async def four_clocks() -> object:
        rows = await do.fetch(luotsi.admin_url, "SELECT kind, started_at, due FROM routing.clock")
        return rows if len(rows) == 4 else None

    rows = await do.until("the clocks run", four_clocks)
    assert {row["started_at"] for row in rows} == {FRIDAY}
    expected = {clock.kind: clock.due for clock in clocks_for(FRIDAY)}
    assert {row["kind"]: row["due"] for row in rows} == expected


async def test_the_real_topics_stamp_the_brokers_time(luotsi: System) -> None:
    luotsi.prepare()
    before = utc_now()
    await send_at(luotsi, "n-old", FRIDAY - timedelta(days=400))

    record = (await do.read_topic(luotsi, events.INTAKE_NOTIFICATION, 1))[0]

    assert record.timestamp_type == 1  # LogAppendTime
    assert record.timestamp >= int(before.timestamp() * 1000) - 1000


async def test_only_what_is_old_and_taken_in_is_deleted(luotsi: System) -> None:
    luotsi.prepare()
    intake = luotsi.service("intake")
    intake.start()
    await do.publish_notification(luotsi, "n-taken")
    await do.read_topic(luotsi, events.INTAKE_RECEIPT, 1)
    intake.process.stop()
    await do.publish_notification(luotsi, "n-waiting")
    settings = IntakeSettings(
        kafka=luotsi.bootstrap, topic_prefix=luotsi.prefix, database_url=SecretStr("unused"),
        key_file=luotsi.key_file,
    )  # fmt: skip

    topic = events.INTAKE_NOTIFICATION
    later = utc_now() + timedelta(days=8)

    kept_young = await forget_once(settings, topic, utc_now)
    deleted = await forget_once(settings, topic, lambda: later)
    left = await do.everything(luotsi, events.INTAKE_NOTIFICATION)

    assert kept_young == {}
    assert len(deleted) == 1
    assert [record.key for record in left] == [b"n-waiting"]
