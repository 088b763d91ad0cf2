"""What the client feed changes in routing and at the desk, in whatever order things come."""

import json
from datetime import date
from itertools import permutations
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.events import ClientSignal, CodedFacts
from shared.ids import time_ordered_id
from tests.builders import NOON, AChild, Cases, SetClock
from tests.deskside import a_desk
from tests.integration.test_routing import Routing, routing

__all__ = ["routing"]

CARD: dict[str, Any] = {
    "person": {"name": "Testi Lapsi", "language": "so", "address": "Salatie 1"},
    "unit": "unit-12",
    "guardians": [
        {
            "name": "Testi Huoltaja", "custody": "sole", "language": "ar", "phone": "+358 1",
            "contact_address": "PL 1", "turvakielto": "yes",
        }
    ],
    "moves": [{"on": "2026-09-02", "to_unit": "unit-12", "kind": "ward"}],
    "declarations": [{"kind": "prohibition", "reference": "K-17", "party": "Esimerkin koulu"}],
}  # fmt: skip


def state(child: AChild, version: int = 1, **said: Any) -> ClientSignal:
    given: dict[str, Any] = {
        "id": f"{time_ordered_id(NOON)}.0", "child": child.id, "received_at": NOON,
        "source": "cis-1", "reference": "A-2041", "version": version, **said,
    }  # fmt: skip
    return ClientSignal(**given)


async def sealed_state(cases: Cases, child: AChild, **said: Any) -> ClientSignal:
    """A state with its person card, under the child's key, which must be there."""
    signal = state(child, **said)
    async with cases.pool.acquire() as conn:
        await cases.sealer.load(conn, [child.id])
    person = cases.sealer.seal(child.id, "person", signal.id, json.dumps(CARD).encode())
    return signal.model_copy(update={"person": person})


async def judge(routing: Routing, child: AChild) -> None:
    """As if the urgency of everything about the child had been answered: not urgent."""
    await routing.owner.execute(
        "UPDATE routing.child_case SET urgency = 'not_urgent' WHERE child = $1", child.id
    )


async def case_of(routing: Routing, child: AChild) -> Any:
    return await routing.owner.fetchrow(
        "SELECT c.*, d.facts, d.rows AS reasons FROM routing.child_case c JOIN routing.decision d "
        "ON d.child = c.child AND d.seq = c.decision_seq WHERE c.child = $1", child.id,
    )  # fmt: skip


async def test_a_client_of_the_feed_is_proposed_to_the_own_worker(routing: Routing) -> None:
    child = AChild()
    await routing.cases.notified(child, facts=CodedFacts(is_client="no"))
    await judge(routing, child)

    (told,) = await routing.take(state(child, clientship="child_protection"))

    case = await case_of(routing, child)
    assert (told.kind, told.holder, told.seq) == ("client_changed", "own_worker", 2)
    assert case["holder"] == "own_worker"
    assert '"is_client":"no"' in case["known"], "what the notifier said stays visible"
    assert '"existing_client":"yes"' in case["facts"]


async def test_a_feed_opens_no_check_and_starts_no_clock(routing: Routing) -> None:
    child = AChild()
    signal = await routing.cases.notified(child)
    await routing.take(state(child, clientship="aftercare"))

    assert len(await routing.clocks(signal.id)) == 4
    assert 4 == await routing.owner.fetchval("SELECT count(*) FROM routing.clock")
    assert 1 == await routing.owner.fetchval("SELECT count(*) FROM routing.notification")


async def test_a_child_without_a_case_is_stored_and_no_case_is_made(routing: Routing) -> None:
    told = await routing.take(state(AChild(), clientship="child_protection"))

    assert told == []
    assert 0 == await routing.owner.fetchval("SELECT count(*) FROM routing.child_case")
    assert 1 == await routing.owner.fetchval("SELECT count(*) FROM routing.client")


async def test_nothing_is_told_where_the_decision_stays(routing: Routing) -> None:
    child = AChild()
    await routing.take(state(child, clientship="child_protection", worker="eero"))
    await routing.cases.notified(child)

    told = await routing.take(state(child, 2, clientship="child_protection", worker="sosse"))

    assert told == []
    assert "sosse" == await routing.owner.fetchval("SELECT worker FROM routing.client")


async def test_what_the_feed_does_not_know_leaves_the_notifiers_word(routing: Routing) -> None:
    child = AChild()
    await routing.cases.notified(child, facts=CodedFacts(is_client="yes"))

    await routing.take(state(child, clientship="unknown"))

    assert '"existing_client":"yes"' in (await case_of(routing, child))["facts"]


async def test_the_order_of_feed_and_notifications_does_not_matter(routing: Routing) -> None:
    ends = set()
    for order in permutations(range(4)):
        child = AChild()
        come = [
            await routing.cases.sealed(child, facts=CodedFacts(is_client="no")),
            await routing.cases.sealed(child, facts=CodedFacts(reasons=("LOCAL-REASON-SCHOOL",))),
            state(child, 1, clientship="none", worker="eero"),
            state(child, 2, clientship="pending", worker="sosse"),
        ]
        for place in order:
            await routing.take(come[place])
        case = await case_of(routing, child)
        row = await routing.owner.fetchrow(
            "SELECT version, worker FROM routing.client WHERE child = $1", child.id
        )
        assert row is not None
        ends.add(
            (
                case["facts"], case["reasons"], case["level"], case["holder"],
                case["destinations"], tuple(row),
            )
        )  # fmt: skip

    assert len(ends) == 1
    assert '"existing_client":"yes"' in ends.pop()[0]


async def test_a_clientship_that_ended_is_no_clientship(routing: Routing) -> None:
    child = AChild()
    await routing.cases.notified(child, facts=CodedFacts(is_client="yes"))
    await judge(routing, child)

    await routing.take(state(child, 1, clientship="child_protection"))
    await routing.take(state(child, 2, clientship="ended"))

    assert (await case_of(routing, child))["holder"] == "initial_assessment"


async def test_of_two_references_a_client_of_either_is_a_client(routing: Routing) -> None:
    child = AChild()
    await routing.cases.notified(child)
    await routing.take(state(child, 9, reference="A-1", clientship="none"))
    assert '"existing_client":"no"' in (await case_of(routing, child))["facts"]

    await routing.take(state(child, 1, reference="B-1", clientship="aftercare"))
    await routing.take(state(child, 10, reference="A-1", clientship="ended"))

    assert '"existing_client":"yes"' in (await case_of(routing, child))["facts"]


async def test_a_reference_that_moved_to_another_child_leaves_nothing_and_stays_away(
    routing: Routing,
) -> None:
    child = AChild()
    await routing.cases.notified(child)
    await routing.take(state(child, 1, clientship="child_protection"))

    await routing.take(state(child, 3, moved=True))
    await routing.take(state(child, 2, clientship="child_protection"))

    assert '"existing_client":"unknown"' in (await case_of(routing, child))["facts"]


async def test_what_leaves_carries_the_other_systems_reference(routing: Routing) -> None:
    child = AChild()
    await routing.take(state(child, clientship="none"))
    (screened,) = await routing.take(await routing.cases.sealed(child))

    assert (screened.kind, screened.client_reference) == ("screened", "A-2041")


async def test_a_case_page_shows_what_the_feed_says_and_what_it_has_not_said(
    database_url: str, tmp_path: Path
) -> None:
    clock = SetClock()
    async with a_desk(database_url, tmp_path, clock) as desk:
        child = AChild()
        await desk.cases.notified(child, facts=CodedFacts(is_client="no"))
        async with desk.browser("aino") as browser:
            before = (await browser.open(f"/cases/{child.id}")).text
            household = uuid4()
            sibling = AChild(number=904)
            await desk.cases.notified(sibling)
            await take(desk.cases, state(sibling, reference="A-2", household=household))
            said = await sealed_state(
                desk.cases, child, clientship="child_protection", since=date(2025, 3, 1),
                worker="sosse", placement="care", moves=2, turvakielto="yes",
                household=household,
            )  # fmt: skip
            await take(desk.cases, said)
            after = (await browser.open(f"/cases/{child.id}")).text
            other = await desk.get("aino", f"/cases/{sibling.id}")

    assert "has said nothing of this child" in before
    for shown in (
        "Client of child protection", "Sosse Koe", "Taken into care", "Testi Huoltaja", "PL 1",
        "Esimerkin koulu", "where this child lives must stay secret", f"/cases/{sibling.id}",
        "secret: pass on to nobody",
    ):  # fmt: skip
        assert shown in after, shown
    assert str(sibling.name) in after  # the same invented name; the link shows a mark alone
    assert other["turvakielto"] == "unknown"
    assert other["clients"][0]["worker_name"] is None
    assert other["household"] == [str(child.id)]


@pytest.mark.parametrize("many", [False, True], ids=["few", "many"])
async def test_a_worker_sees_the_own_cases_before_those_of_others_and_each_once(
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    many: bool,  # noqa: FBT001 -- a case of the test
) -> None:
    if many:
        monkeypatch.setattr("services.routing.desk.store.SORTABLE", 1)
    async with a_desk(database_url, tmp_path, SetClock()) as desk:
        own, other, silent = AChild(), AChild(number=904), AChild(number=905)
        for child, worker in ((other, "eero"), (own, "sosse"), (silent, None)):
            signal = await desk.cases.notified(child)
            await take(desk.cases, state(child, clientship="child_protection", worker=worker))
            path = f"/checks/{signal.id}/answer"
            await desk.post("aino", path, answer="not_urgent", reason="Ei.")
        async with desk.browser("sosse") as sosse:
            page = (await sosse.open("/queues/own_worker")).text
            mine = (await sosse.open("/queues/own_worker/mine")).text
        async with desk.browser("aino") as aino:
            nobodys = (await aino.open("/queues/own_worker")).text

    first, second = page.split('id="own_worker"')
    assert [1, 0, 0] == [first.count(f"/cases/{each.id}") for each in (own, other, silent)]
    assert [0, 1, 1] == [second.count(f"/cases/{each.id}") for each in (own, other, silent)]
    assert [1, 0, 0] == [mine.count(f"/cases/{each.id}") for each in (own, other, silent)]
    assert "No case is about a child whose responsible worker you are." in nobodys
    assert [1, 1, 1] == [nobodys.count(f"/cases/{each.id}") for each in (own, other, silent)]


async def test_the_own_workers_queue_says_which_worker(database_url: str, tmp_path: Path) -> None:
    async with a_desk(database_url, tmp_path, SetClock()) as desk:
        known, nameless, silent = AChild(), AChild(number=904), AChild(number=905)
        for child, worker in ((known, "sosse"), (nameless, "w-77"), (silent, None)):
            await desk.cases.notified(child)
            await take(desk.cases, state(child, clientship="child_protection", worker=worker))
        for note in (await desk.get("aino", "/queues/duty/checks"))["items"]:
            done = await desk.post(
                "aino", f"/checks/{note['key']}/answer", answer="not_urgent", reason="Ei."
            )
            assert done.is_success, done.text
        listed = await desk.get("aino", "/queues/own_worker/own_worker")
        async with desk.browser("aino") as browser:
            page = (await browser.open("/queues/own_worker")).text

    workers = {UUID(item["child"]): item["worker"] for item in listed["items"]}
    assert workers == {known.id: "Sosse Koe", nameless.id: "w-77", silent.id: ""}
    assert "Own worker: Sosse Koe" in page
    assert "Own worker: Not known" in page


async def take(cases: Cases, signal: ClientSignal) -> None:
    async with cases.pool.acquire() as tx, tx.transaction():
        await cases.take(tx, [signal])
