"""A child of another county: a person is asked to tell that one, once; Luotsi tells nobody."""

from collections.abc import AsyncIterator
from itertools import permutations
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from shared import events
from shared.events import CodedFacts, Merged, Separated
from tests.builders import NOON, AChild, SetClock
from tests.deskside import Desk, a_desk
from tests.integration.test_client_feed import sealed_state, state
from tests.integration.test_mixups import take
from tests.integration.test_routing import Routing, routing

__all__ = ["routing"]

ITEMS = "SELECT * FROM routing.duty_item ORDER BY opened_at, id"
CLOCKS = "SELECT * FROM routing.clock ORDER BY child, about, kind"


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with a_desk(database_url, tmp_path, SetClock()) as running:
        yield running


def join(merged: AChild, kept: AChild, number: int = 1) -> list[Merged]:
    """The two copies of what intake says when a worker joins two children."""
    ident = uuid4()
    return [
        Merged(
            id=f"{ident}.{place}", child=key, merged=merged.id, kept=kept.id, number=number,
            kept_number=0, at=NOON,
        )
        for place, key in enumerate((merged.id, kept.id))
    ]  # fmt: skip


def separate(merged: AChild, kept: AChild, number: int = 2) -> Separated:
    return Separated(
        id=f"{uuid4()}.0", child=merged.id, merged=merged.id, kept=kept.id, number=number, at=NOON
    )


async def tasks(routing: Routing) -> list[tuple[UUID, str, str]]:
    """The items at the duty desk as (child, outcome, reason), the first opened first."""
    rows = await routing.owner.fetch(ITEMS)
    return [(row["child"], row["outcome"], row["reason"]) for row in rows]


def moved_out(*children: AChild) -> list[tuple[UUID, str, str]]:
    return [(child.id, "transfer", "moved-out") for child in children]


# --- the client feed says that a child lives elsewhere ------------------------------------------


async def test_who_lives_elsewhere_now_is_a_task_at_once_and_all_clocks_run_on(
    routing: Routing,
) -> None:
    child = AChild()
    await routing.cases.notified(child)
    await routing.take(state(child, 1, lives_here="yes"))
    before = await routing.owner.fetch(CLOCKS)

    told = await routing.take(state(child, 2, lives_here="no"))

    (item,) = await routing.owner.fetch(ITEMS)
    assert await tasks(routing) == moved_out(child)
    assert (item["service"], item["urgent"], item["closed_at"]) == ("routing", False, None)
    assert [(e.kind, e.child, e.seq, e.holder) for e in told] == [
        ("duty_item_opened", item["id"], 1, "duty")
    ]
    assert await routing.owner.fetch(CLOCKS) == before


async def test_what_is_not_known_or_here_is_no_task(routing: Routing) -> None:
    child = AChild()
    await routing.cases.notified(child)

    await routing.take(state(child, 1))
    await routing.take(state(child, 2, lives_here="yes"))
    await routing.take(state(child, 3, lives_here="unknown"))

    assert await tasks(routing) == []


async def test_a_repeat_or_an_older_state_opens_no_second_task_even_after_it_was_closed(
    routing: Routing,
) -> None:
    child = AChild()
    await routing.cases.notified(child)
    gone = state(child, 5, lives_here="no")
    await routing.take(gone)

    for again in (gone, state(child, 6, lives_here="no"), state(child, 3, lives_here="no")):
        assert await routing.take(again) == []
    await routing.owner.execute("UPDATE routing.duty_item SET closed_at = now(), closed_by = 'x'")
    assert await routing.take(state(child, 7, lives_here="no", interpreter="yes")) == []
    await routing.cases.notified(child)

    assert await tasks(routing) == moved_out(child)


async def test_who_came_back_and_leaves_again_is_another_task(routing: Routing) -> None:
    child = AChild()
    await routing.cases.notified(child)

    for version, lives_here in enumerate(("no", "yes", "no"), 1):
        await routing.take(state(child, version, lives_here=lives_here))

    assert await tasks(routing) == moved_out(child, child)


async def test_whichever_comes_first_of_feed_and_notifications_there_is_one_task(
    routing: Routing,
) -> None:
    children = []
    for order in permutations(range(3)):
        child = AChild()
        children.append(child)
        come = [
            await routing.cases.sealed(child),
            await routing.cases.sealed(child, facts=CodedFacts(is_client="yes")),
            state(child, lives_here="no"),
        ]
        told = [each for place in order for each in await routing.take(come[place])]
        assert ["duty_item_opened"] == [e.kind for e in told if e.kind == "duty_item_opened"]
    together = AChild()
    children.append(together)
    batch = [state(together, lives_here="no"), await routing.cases.sealed(together)]
    await take(routing, batch)  # type: ignore[arg-type]

    assert await tasks(routing) == moved_out(*children)


async def test_who_is_back_before_there_is_a_case_is_no_task(routing: Routing) -> None:
    child = AChild()
    await routing.take(state(child, 1, lives_here="no"))
    assert await tasks(routing) == []
    await routing.take(state(child, 2, lives_here="yes"))

    await routing.cases.notified(child)

    assert await tasks(routing) == []


async def test_a_reference_that_means_another_child_now_asks_nothing_of_the_first(
    routing: Routing,
) -> None:
    child = AChild()
    await routing.take(state(child, 1, lives_here="no"))
    await routing.take(state(child, 2, moved=True))

    await routing.cases.notified(child)

    assert await tasks(routing) == []


# --- children who are joined --------------------------------------------------------------------


@pytest.mark.parametrize("kept_is_known", [True, False])
async def test_a_child_of_the_feed_who_is_joined_to_one_with_a_case_is_a_task_of_that_case(
    routing: Routing,
    kept_is_known: bool,  # noqa: FBT001 -- a parameter of the test
) -> None:
    nameless, known = AChild(known=False), AChild()
    await routing.cases.notified(nameless)
    await routing.take(state(known, lives_here="no"))
    assert await tasks(routing) == []
    first, second = join(nameless, known) if kept_is_known else join(known, nameless)

    told = [*await routing.take(first), *await routing.take(second)]

    assert await tasks(routing) == moved_out(known)
    assert 1 == len([e for e in told if e.kind == "duty_item_opened"])


async def test_a_task_is_about_the_child_that_moved_and_goes_with_it_when_it_is_separated(
    desk: Desk,
) -> None:
    child, other = AChild(number=903), AChild(number=904)
    await desk.cases.notified(child)
    await desk.cases.notified(other)
    await desk.cases.come(*join(child, other))

    await desk.cases.come(state(child, lives_here="no"))

    (item,) = await desk.rows("SELECT id, child FROM duty_item")
    assert item["child"] == child.id
    async with desk.browser("aino") as aino:
        joined = (await aino.client.get(f"/cases/{child.id}", follow_redirects=True)).text
        await desk.cases.come(separate(child, other))
        its_own = (await aino.open(f"/cases/{child.id}")).text
        others = (await aino.open(f"/cases/{other.id}")).text
    link = f"/items/{item['id']}"
    assert (link in joined, link in its_own, link in others) == (True, True, False)


# --- a worker says that it belongs elsewhere ----------------------------------------------------


async def act(desk: Desk, child: AChild, worker: str = "aino", **more: Any) -> Any:
    said = {"reason": "Lapsi asuu toisaalla.", **more}
    return await desk.post(worker, f"/cases/{child.id}/wrong-county", **said)


@pytest.mark.parametrize("worker", ["aino", "sosse", "kaisa"])
async def test_a_worker_of_any_role_opens_the_task_and_a_person_closes_it(
    desk: Desk, worker: str
) -> None:
    child = AChild()
    await desk.cases.notified(child)
    before = await desk.rows("SELECT * FROM clock ORDER BY about, kind")
    desk.clock.forward(minutes=10)

    done = await act(desk, child, worker)

    assert (200, "wrong_county") == (done.status_code, done.json()["kind"])
    (listed,) = (await desk.get("aino", "/queues/duty/set_aside"))["items"]
    assert (listed["outcome"], listed["reason"], listed["child"], listed["clocks"]) == (
        "transfer", "wrong-county", str(child.id), [],
    )  # fmt: skip
    desk.clock.forward(hours=1)
    closed = await desk.post(
        "eero", f"/set-aside/{listed['key']}/close", reason="Siirretty puhelimitse."
    )
    assert 200 == closed.status_code, closed.text
    assert [] == (await desk.get("aino", "/queues/duty/set_aside"))["items"]
    assert before == await desk.rows("SELECT * FROM clock ORDER BY about, kind")
    left = [orjson.loads(r["value"]) for r in await desk.rows("SELECT * FROM outbox ORDER BY id")]
    assert [(e["kind"], e["child"], e["seq"]) for e in left] == [
        ("wrong_county", str(child.id), 2), ("duty_item_opened", listed["key"], 1),
        ("duty_item_closed", listed["key"], 2),
    ]  # fmt: skip
    topics = await desk.rows("SELECT DISTINCT topic FROM outbox")
    assert [events.CASE] == [row["topic"] for row in topics], "nothing goes to anybody outside"


async def test_two_who_say_it_open_one_task_and_it_can_be_opened_again_when_closed(
    desk: Desk,
) -> None:
    child = AChild()
    await desk.cases.notified(child)
    await act(desk, child)

    second = await act(desk, child, "eero", reason="Minäkin huomasin.")

    assert 409 == second.status_code
    assert "Lapsi asuu toisaalla." == second.json()["theirs"]["reason"]
    (item,) = await desk.rows("SELECT id FROM duty_item")
    await desk.post("aino", f"/set-aside/{item['id']}/close", reason="Ei kuulunutkaan.")
    assert 200 == (await act(desk, child, "eero")).status_code
    assert 2 == len(await desk.rows("SELECT 1 FROM duty_item"))


async def test_a_task_without_a_reason_or_about_nobodys_case_is_refused(desk: Desk) -> None:
    child = AChild()
    nobody = await act(desk, child)
    await desk.cases.notified(child)

    assert (404, 422) == (nobody.status_code, (await act(desk, child, reason=" ")).status_code)
    assert [] == await desk.rows("SELECT 1 FROM duty_item")


async def test_the_joined_childs_task_stands_for_the_case_and_is_not_opened_twice(
    desk: Desk,
) -> None:
    child, other = AChild(number=903), AChild(number=904)
    await desk.cases.notified(child)
    await desk.cases.notified(other)
    await act(desk, child)

    await desk.cases.come(*join(child, other))

    second = await act(desk, other, "eero")
    assert (409, "Lapsi asuu toisaalla.") == (
        second.status_code, second.json()["theirs"]["reason"],
    )  # fmt: skip


async def test_a_task_is_no_message_that_could_be_opened_or_taken_again(desk: Desk) -> None:
    child = AChild()
    await desk.cases.notified(child)
    await act(desk, child)
    (item,) = await desk.rows("SELECT id FROM duty_item")
    async with desk.browser("aino") as aino:
        page = (await aino.open(f"/items/{item['id']}")).text

    again = await desk.post("aino", f"/set-aside/{item['id']}/redrive")

    assert (422, "urn:luotsi:problem:a-task") == (again.status_code, again.json()["type"])
    assert "Open the message" not in page
    assert "Take it again" not in page
    assert "112" in page
    assert "What became of it" in page


# --- as people read it --------------------------------------------------------------------------

READ = {
    "fi": ("Kotikunta tällä hyvinvointialueella", "Lapsen asiasta on kerrottava", "25 d §"),
    "sv": ("Hemkommun i detta välfärdsområde", "Ett annat välfärdsområde ska", "25 d §"),
    "en": ("Lives in this county", "Another county must be told", "section 25 d"),
}


@pytest.mark.parametrize("language", READ)
async def test_case_and_task_are_read_in_every_language(desk: Desk, language: str) -> None:
    child = AChild()
    await desk.cases.notified(child)
    said = await sealed_state(desk.cases, child, lives_here="no", clientship="child_protection")
    await desk.cases.come(said)
    (item,) = await desk.rows("SELECT id FROM duty_item")
    async with desk.browser("sosse", language) as sosse:
        case = (await sosse.open(f"/cases/{child.id}")).text
        task = (await sosse.open(f"/items/{item['id']}")).text

    here, asked, ground = READ[language]
    assert here in case
    assert asked in case
    assert (asked in task, ground in task) == (True, True)
    assert "no" == (await desk.get("sosse", f"/cases/{child.id}"))["clients"][0]["lives_here"]


async def test_a_worker_opens_and_closes_it_on_the_pages_without_script(desk: Desk) -> None:
    child = AChild()
    await desk.cases.notified(child)
    async with desk.browser("aino") as aino:
        path = f"/cases/{child.id}/wrong-county"
        page = await aino.open(f"/cases/{child.id}")
        done = await aino.send(page, path, {"reason": "Asuu muualla."})
        case = await aino.open(done.headers["location"])
        (item,) = await desk.rows("SELECT id FROM duty_item")
        task = await aino.open(f"/items/{item['id']}")
        closed = await aino.send(task, f"/items/{item['id']}/close", {"reason": "Kerrottu sinne."})

    assert (303, 303) == (done.status_code, closed.status_code)
    for text in (f"/items/{item['id']}", "Belongs to another county", "Asuu muualla."):
        assert text in case.text, text
    assert path not in case.text, "while the task stands nobody opens another"


async def test_what_the_version_before_still_writes_is_not_known_and_no_task(
    routing: Routing,
) -> None:
    child = AChild()
    await routing.pool.execute(
        "INSERT INTO client (child, source, reference, version, moved, clientship, placement, "
        "interpreter, turvakielto, received_at, signal) VALUES ($1, 'cis-1', 'A-2041', 1, false, "
        "'none', 'none', 'no', 'no', $2, 's-1.0')",
        child.id, NOON,
    )  # fmt: skip

    await routing.cases.notified(child)

    assert await tasks(routing) == []
    assert "unknown" == await routing.owner.fetchval("SELECT lives_here FROM routing.client")
    await routing.take(state(child, 2, lives_here="no"))
    assert await tasks(routing) == moved_out(child)
