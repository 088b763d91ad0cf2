"""Both feeds over a real Kafka, through intake and routing as they run."""

import orjson
from aiokafka import AIOKafkaProducer

from deploy.local.system import System
from shared import events, kinds
from shared.contract import EXAMPLES
from tests import system as do

FEEDS = (("client", "clients-1"), ("directory", "directory-1"))


async def send(system: System, kind: kinds.Kind, topic: str, source: str, ident: str) -> None:
    """The example of a kind, as its source would publish it."""
    value = (EXAMPLES / f"{kind.name}.json").read_bytes()
    producer = AIOKafkaProducer(bootstrap_servers=system.bootstrap, acks="all")
    await producer.start()
    try:
        pairs = do.headers(source, ident, kind.type)
        await producer.send_and_wait(system.prefix + topic, value, key=b"k", headers=pairs)
    finally:
        await producer.stop()


async def test_a_client_and_a_worker_are_known_and_a_strangers_feed_is_not(luotsi: System) -> None:
    luotsi.prepare()
    intake = luotsi.service("intake", client_sources="clients-1", directory_sources="directory-1")
    services = [intake, luotsi.service("routing")]
    for service in services:
        service.start()
    await do.until_ready(services)

    for name, source in FEEDS:
        kind = kinds.BY_NAME[name]
        await send(luotsi, kind, kind.topic, source, f"{name}-1")
    await send(luotsi, kinds.DIRECTORY, events.INTAKE_NOTIFICATION, "directory-1", "stray-1")
    await do.publish_notification(luotsi, "n-1")

    (client,) = await do.until(
        "the client is known", lambda: do.fetch(luotsi.admin_url, "SELECT * FROM routing.client")
    )
    (worker,) = await do.until(
        "the worker is known", lambda: do.fetch(luotsi.admin_url, "SELECT * FROM routing.worker")
    )
    (case,) = await do.until(
        "the case is there", lambda: do.fetch(luotsi.admin_url, "SELECT * FROM routing.child_case")
    )
    answers = [orjson.loads(a.value) for a in await do.read_topic(luotsi, events.INTAKE_RECEIPT, 4)]

    assert case["child"] == client["child"]
    assert (worker["id"], worker["name"], worker["role"]) == (
        client["worker"], "Sosse Koe", "social_worker",
    )  # fmt: skip
    told = {answer["source_id"]: (answer["outcome"], answer.get("reason")) for answer in answers}
    assert told == {
        "client-1": ("accepted", None),
        "directory-1": ("accepted", None),
        "n-1": ("accepted", None),
        "stray-1": ("quarantined", "wrong-topic"),
    }
    for topic in (events.SIGNAL, events.CASE, events.INTAKE_RECEIPT):
        sent = b"".join(
            (r.key or b"") + (r.value or b"") for r in await do.everything(luotsi, topic)
        )
        for canary in (b"Testi", b"Sosse", b"010594", b"Esimerk", b"unit-1", b"H-881"):
            assert canary not in sent, (topic, canary)
