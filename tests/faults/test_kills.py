"""kill -9 of every service while the sample county publishes, processes joining and leaving."""

import asyncio
import logging
import time
from collections import Counter
from random import Random

import pytest

from deploy.local.system import RunningService, System
from shared.database import SESSION
from tests import history
from tests import system as do
from tests.faults.conftest import a_process
from tests.faults.load import HttpSource, Load
from tests.faults.strike import Hit, freeze_in_the_middle, kill_in_the_middle, thaw

log = logging.getLogger(__name__)

SEED = 20261122
RATE = 80.0
HTTP_RATE = 5.0
STATIC = ("intake-1", "intake-2", "routing-1", "routing-2", "notifications-1")
KILLS = ("intake-1", "intake-2", "routing-1", "routing-2") * 5 + ("notifications-1",) * 4
PARTS = 2  # the kills are dealt out to so many runs, each of which must count its share
COUNTED = 20
SESSION_S = 10.0
ASLEEP_S = 60.0


def start_two_each(system: System, timers: str = "false") -> list[RunningService]:
    running = [
        a_process(system, name.partition("-")[0], int(name[-1]), timers=timers) for name in STATIC
    ]
    for process in running:
        process.start()
    return running


@pytest.mark.faults
@pytest.mark.parametrize("part", range(PARTS))
async def test_kills_in_the_middle_lose_and_double_nothing(luotsi: System, part: int) -> None:
    """Most victims come back at once, a quarter stay away until their partitions have moved.

    Meanwhile the watch over clocks writes about the same children, by the outbox.
    """
    rng = Random(SEED + part)
    services = start_two_each(luotsi, timers="true")
    await do.until_ready(services)
    kills = list(KILLS[part::PARTS])
    rng.shuffle(kills)
    hits: Counter[str] = Counter()
    back: list[float] = []
    async with (
        Load(luotsi, RATE, most=60_000, late_share=0.2) as load,
        HttpSource(luotsi, HTTP_RATE) as http,
    ):
        await load.reach(200)
        for turn, name in enumerate(kills):
            guest = await a_guest(luotsi, turn)
            hit = await kill_in_the_middle(luotsi, luotsi.services[name], rng)
            hits[hit or "missed"] += 1
            killed = time.monotonic()
            if rng.random() < 0.25:
                await asyncio.sleep(SESSION_S + 2)  # the others take over what it had
            if hit is not None:
                luotsi.services[name].start()
            await do.until_ready([luotsi.services[name]])
            back.append(time.monotonic() - killed)
            if guest is not None:
                await asyncio.to_thread(guest.process.stop)  # leaves in good order
        await do.until_ready(services)
        published = load.acknowledged
    seconds = await history.settled(luotsi, 240)

    found = await history.check(luotsi)
    await history.nothing_unaccounted(luotsi)
    log.info("kills %s, ready again after at most %.1f s", dict(hits), max(back))
    log.info("%d over HTTP, %d of them sent again", http.accepted, http.sent_again)
    log.info("%d published, drained %.1f s after the last: %s", published, seconds, found)
    nothing_set_aside(found)
    assert COUNTED <= PARTS * (hits["transaction"] + hits["publish"]), hits
    await every_late_clock_is_told(luotsi)


async def every_late_clock_is_told(system: System) -> None:
    late = "SELECT count(*) FROM routing.clock WHERE due < now() AND late_at IS NULL"
    assert 0 == await do.value(system.admin_url, late), "clocks ran out and nobody was told"


async def a_guest(system: System, turn: int) -> RunningService | None:
    """Every third turn one more process joins the group for a while."""
    if turn % 3:
        return None
    program = ("intake", "routing")[turn // 3 % 2]
    guest = a_process(system, program, 3, static=False)
    guest.start()
    await do.until_ready([guest])
    return guest


def nothing_set_aside(found: dict[str, int]) -> None:
    """No outage is ever an event's fault."""
    assert [] == [name for name in found if name.endswith((" quarantined", " parked"))]


@pytest.mark.faults
@pytest.mark.parametrize(
    "hits", [("transaction", "publish"), ("publish", "transaction")], ids=" ".join
)
async def test_a_process_that_wakes_after_its_session_changes_nothing(
    luotsi: System, hits: tuple[Hit, Hit]
) -> None:
    """One process of intake and one of routing sleep in the middle of a batch, then go on."""
    rng = Random(SEED)
    services = start_two_each(luotsi)
    await do.until_ready(services)
    async with Load(luotsi, RATE, most=60_000) as load:
        await load.reach(200)
        asleep = [luotsi.services["intake-1"], luotsi.services["routing-1"]]
        for running, hit in zip(asleep, hits, strict=True):
            await freeze_in_the_middle(luotsi, running, rng, hit)
        await asyncio.sleep(ASLEEP_S)
        before = await history.on_the_way(luotsi)
        for running in asleep:
            thaw(running)
        await do.until_ready(services)
        await load.reach(load.acknowledged + 400)
    seconds = await history.settled(luotsi, 240)

    found = await history.check(luotsi)
    await history.nothing_unaccounted(luotsi)
    log.info("asleep in %s, on the way when they woke %s", hits, before)
    log.info("drained %.1f s after the last: %s", seconds, found)
    nothing_set_aside(found)


@pytest.mark.faults
async def test_a_process_that_slept_too_long_in_a_transaction_sets_nothing_aside(
    luotsi: System,
) -> None:
    """PostgreSQL ends the transaction of a sleeper; that is no fault of the event in it."""
    services = [a_process(luotsi, "intake", batch_records="1"), a_process(luotsi, "routing")]
    for running in services:
        running.start()
    await do.until_ready(services)
    asleep = int(SESSION["idle_in_transaction_session_timeout"].removesuffix("s")) + 2
    async with Load(luotsi, 20, most=5_000) as load:
        await load.reach(20)
        await freeze_in_the_middle(luotsi, services[0], Random(SEED), "transaction")
        await asyncio.sleep(asleep)
        thaw(services[0])
    await history.settled(luotsi, 240)

    nothing_set_aside(await history.check(luotsi))
    await history.nothing_unaccounted(luotsi)
