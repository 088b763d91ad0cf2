"""A household that another transaction holds: who has to wait for it, and a kill meanwhile."""

from collections.abc import Iterator, Sequence
from uuid import UUID, uuid4

import asyncpg
from aiokafka import AIOKafkaProducer

from deploy.local.system import System
from shared import events
from shared.events import Signal
from shared.publisher import partition_of
from tests import history
from tests import system as do
from tests.faults.conftest import a_process
from tests.integration.test_households import about

HOME = uuid4()


def on_one_partition() -> Iterator[UUID]:
    """Children whose signals lie one behind the other."""
    while True:
        child = uuid4()
        if partition_of(str(child).encode()) == 0:
            yield child


async def send(system: System, signals: Sequence[Signal]) -> None:
    """As intake sends them."""
    producer = AIOKafkaProducer(bootstrap_servers=system.bootstrap, acks="all")
    await producer.start()
    for signal in signals:
        key, value = str(signal.child).encode(), signal.model_dump_json().encode()
        await producer.send_and_wait(system.prefix + events.SIGNAL, value, key=key)
    await producer.stop()


async def routed(system: System) -> dict[UUID, list[str]]:
    """The signals that routing has written, by child, in the order of their decisions."""
    rows = await do.fetch(
        system.admin_url, "SELECT child, because FROM routing.decision ORDER BY child, seq"
    )
    found: dict[UUID, list[str]] = {}
    for row in rows:
        found.setdefault(UUID(str(row["child"])), []).append(row["because"])
    return found


async def until_it_has(system: System, children: set[UUID]) -> None:
    async def there() -> bool:
        return set(await routed(system)) == children

    await do.until("only these children have cases", there)


async def waits(system: System) -> bool:
    """Whether a transaction of routing waits for a household."""
    return bool(
        await do.value(
            system.admin_url,
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
            "AND query LIKE '%household%' AND datname = current_database()",
        )
    )


async def test_a_child_without_siblings_does_not_wait_for_anothers_household(
    luotsi: System,
) -> None:
    """Killed while it waits, the process takes up again what it had not written, and only that."""
    children = on_one_partition()
    sibling, alone, other = next(children), next(children), next(children)
    sent = [
        about(sibling, HOME), about(alone), about(sibling, HOME), about(other), about(alone),
    ]  # fmt: skip
    routing = a_process(luotsi, "routing")
    holder = await _who_holds(luotsi, HOME)
    try:
        await send(luotsi, sent)
        routing.start()
        await until_it_has(luotsi, {alone, other})
        await do.until("the sibling's transaction waits", lambda: waits(luotsi))
        routing.process.kill()
    finally:
        await holder.close()

    routing.start()
    await until_it_has(luotsi, {sibling, alone, other})
    await history.nothing_unaccounted(luotsi)

    for child in (sibling, alone, other):
        assert [s.id for s in sent if s.child == child] == (await routed(luotsi))[child]
    log = await do.fetch(luotsi.admin_url, "SELECT outcome FROM routing.event_log")
    assert ["applied"] * len(sent) == [row["outcome"] for row in log]
    told = [events.CaseEvent.model_validate_json(record.value or b"") for record in
            await do.everything(luotsi, events.CASE)]  # fmt: skip
    assert {s.id for s in sent} == {each.about for each in told}


async def _who_holds(system: System, household: UUID) -> "asyncpg.Connection[asyncpg.Record]":
    """A transaction that has locked a household, as another lane or a worker's act would."""
    conn = await asyncpg.connect(system.admin_url)
    await conn.execute("BEGIN")
    await conn.execute("INSERT INTO routing.household (id) VALUES ($1)", household)
    return conn
