"""The county's settings in real cases: those of the day when the matter became pending."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.events import ClientSignal, CodedFacts, ReasonCode
from tests.builders import AChild, SetClock
from tests.deskside import Desk, a_desk

JULY = datetime(2026, 7, 20, 9, 0, tzinfo=UTC)  # before the county has Palasista eteenpäin
ADDICTED: ReasonCode = "LOCAL-REASON-CHILD-ADDICTION"
NOT_HERE = "The county does not have this, or not for this age, so it is not proposed:"


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with a_desk(database_url, tmp_path, SetClock(JULY)) as desk:
        yield desk


async def judged(desk: Desk, child: AChild, **about: Any) -> None:
    signal = await desk.cases.notified(child, facts=CodedFacts(reasons=(ADDICTED,)), **about)
    told = await desk.post(
        "aino", f"/checks/{signal.id}/answer", answer="not_urgent", reason="Soitettu."
    )
    assert told.is_success, told.text


async def proposed(desk: Desk, child: AChild) -> set[str]:
    case = await desk.get("sosse", f"/cases/{child.id}")
    return {p["destination"] for p in case["proposals"] if p["state"] == "proposed"}


async def settings_of(desk: Desk, child: AChild) -> list[str]:
    """The settings of each of the child's decisions, in their order."""
    rows = await desk.rows("SELECT rules FROM decision WHERE child = $1 ORDER BY seq", child.id)
    return [row["rules"].rpartition("+settings@")[2] for row in rows]


async def unnecessary(desk: Desk, child: AChild) -> None:
    told = await desk.post(
        "sosse", f"/cases/{child.id}/manifestly-unnecessary",
        ground="no_services_needed", reason="Selvitetty.",
    )  # fmt: skip
    assert told.is_success, told.text


async def test_a_matter_keeps_its_settings_and_the_next_one_has_those_of_its_own_day(
    desk: Desk,
) -> None:
    child = AChild()
    await judged(desk, child)
    in_july = await proposed(desk, child)
    desk.clock.forward(days=30)

    await judged(desk, child)  # August: the matter of July is pending yet
    in_august = await settings_of(desk, child)
    await unnecessary(desk, child)
    desk.clock.forward(days=30)
    await judged(desk, child)

    assert "palasista_eteenpain" not in in_july
    assert {"2024-01-01"} == set(in_august)
    assert "2026-08-01.2" == (await settings_of(desk, child))[-1]
    assert "palasista_eteenpain" in await proposed(desk, child)
    (row,) = await desk.rows("SELECT opened_at, pending FROM child_case")
    assert (desk.clock(), True) == (row["opened_at"], row["pending"])


async def test_of_two_receipts_the_one_still_pending_says_since_when(desk: Desk) -> None:
    child = AChild()
    await judged(desk, child)
    ((first,),) = await desk.rows("SELECT id FROM notification")
    desk.clock.forward(days=30)
    await judged(desk, child)
    later = desk.clock()

    told = await desk.post(
        "sosse", f"/cases/{child.id}/manifestly-unnecessary",
        ground="no_services_needed", reason="Selvitetty.", notifications=[first],
    )  # fmt: skip
    assert told.is_success, told.text
    (row,) = await desk.rows("SELECT opened_at, pending FROM child_case")
    assert (later, True) == (row["opened_at"], row["pending"])
    await unnecessary(desk, child)

    (row,) = await desk.rows("SELECT opened_at, pending FROM child_case")
    assert (later, False) == (row["opened_at"], row["pending"])


async def test_the_case_page_says_what_the_county_does_not_have(desk: Desk) -> None:
    child = AChild()
    await judged(desk, child)

    async with desk.browser("sosse") as sosse:
        page = (await sosse.open(f"/cases/{child.id}")).text

    assert f"{NOT_HERE} The child seems addicted" in page
    assert [] == (await desk.get("sosse", "/queues/palasista_eteenpain/proposed"))["items"]


async def test_an_offer_has_its_list_and_is_named_on_every_page(desk: Desk) -> None:
    desk.clock.forward(days=60)
    child = AChild()
    async with desk.browser("sosse") as sosse:
        before = (await sosse.open("/queues/duty")).text
        await judged(desk, child)
        after = (await sosse.open("/queues/duty")).text
        listed = (await sosse.open("/queues/palasista_eteenpain")).text

    link = 'href="/queues/palasista_eteenpain"'
    assert before.index("Other destinations") < before.index(link)
    assert after.index(link) < after.index("Other destinations")
    assert "K-" in listed
    assert "The child seems addicted" in listed
    told = await desk.post(
        "sosse", f"/cases/{child.id}/destinations/palasista_eteenpain",
        answer="accepted", number=1, reason="Perhe suostui.",
    )  # fmt: skip
    assert told.is_success, told.text
    accepted = await desk.get("sosse", "/queues/palasista_eteenpain/accepted")
    assert [str(child.id)] == [item["child"] for item in accepted["items"]]


async def test_a_child_whom_the_client_feed_knows_as_placed_is_offered_its_school_path(
    desk: Desk,
) -> None:
    child = AChild()
    await judged(desk, child)
    before = await proposed(desk, child)

    await desk.cases.come(
        ClientSignal(
            id="c-1.0", child=child.id, received_at=desk.clock(), source="clients-1",
            reference="a-1", version=1, clientship="child_protection", placement="urgent",
        )
    )  # fmt: skip

    new = await proposed(desk, child) - before
    assert {"placed_child_school_path", "family_group_conference"} == new
