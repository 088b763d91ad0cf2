"""What was set aside comes back: by a mended resend, by a re-drive, with its first arrival."""

from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import orjson
import pytest

from deploy.local.system import APPS, System
from shared import events
from shared.hetu import make_hetu
from tests import history
from tests import system as do
from tests.hostile.conftest import a_process
from tests.hostile.older import UNKNOWN_YET

AT_ONCE_S = 15.0
HETU = "010594Y9032"
OTHER = make_hetu(date(2015, 2, 3), 902).value
FAILS_FOR_ONE_CHILD = """
    CREATE FUNCTION routing.break_for_one() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.child = '{child}' THEN RAISE EXCEPTION 'a bug'; END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER break_for_one BEFORE INSERT ON routing.notification
        FOR EACH ROW EXECUTE FUNCTION routing.break_for_one();
"""
FAILS_FOR_THE_NAMELESS = """
    CREATE FUNCTION intake.break_for_nameless() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NEW.provisional THEN RAISE EXCEPTION 'a bug'; END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER break_for_nameless BEFORE INSERT ON intake.child
        FOR EACH ROW EXECUTE FUNCTION intake.break_for_nameless();
"""


async def run(system: System, statements: str) -> None:
    conn = await asyncpg.connect(system.admin_url)
    try:
        await conn.execute(statements)
    finally:
        await conn.close()


async def open_items(system: System, count: int) -> list[asyncpg.Record]:
    """So many open items at the duty desk, oldest first, each with its four clocks running."""

    async def there() -> list[asyncpg.Record] | None:
        rows = await do.fetch(
            system.admin_url,
            "SELECT d.*, (SELECT count(*) FROM routing.clock c WHERE c.about = d.id::text "
            "AND c.stopped_at IS NULL AND c.started_at = d.received_at) AS clocks "
            "FROM routing.duty_item d WHERE closed_at IS NULL ORDER BY received_at, id",
        )
        return rows if count == len(rows) and all(row["clocks"] == 4 for row in rows) else None

    found: list[asyncpg.Record] = await do.until(f"{count} items with clocks", there, AT_ONCE_S)
    return found


async def no_open_items(system: System) -> None:
    async def none_left() -> bool:
        rows = await do.fetch(
            system.admin_url,
            "SELECT 1 FROM routing.duty_item d WHERE closed_at IS NULL OR EXISTS (SELECT FROM "
            "routing.clock c WHERE c.about = d.id::text AND c.stopped_at IS NULL)",
        )
        return not rows

    await do.until("no item is open and no clock of one runs", none_left, AT_ONCE_S)


async def receipts(system: System, ident: str) -> list[events.Receipt]:
    found = [
        events.Receipt.model_validate_json(record.value or b"")
        for record in await do.everything(system, events.INTAKE_RECEIPT)
    ]
    return [receipt for receipt in found if receipt.source_id == ident]


async def post(system: System, program: str, path: str) -> httpx2.Response:
    """As the desk asks intake, or as a worker's programme asks the desk."""
    running = system.services[f"{program}-1"]
    token = system.secrets["desk"]
    headers = {
        "intake": {"Authorization": f"Bearer {token}", "X-Luotsi-Worker": "aino"},
        "desk": {"Authorization": "Worker aino"},
    }[program]
    async with httpx2.AsyncClient(base_url=running.url, trust_env=False) as client:
        return await client.post(path, headers=headers)


async def test_a_mended_resend_closes_the_item_and_keeps_the_first_arrival(two: System) -> None:
    await do.publish_notification(two, "n-1", observations=7)
    await open_items(two, 1)
    await do.publish_notification(two, "n-1", reasons=["LOCAL-REASON-UNKNOWN"])
    items = await open_items(two, 2)

    await do.publish_notification(two, "n-1")
    await no_open_items(two)
    await do.publish_notification(two, "n-1")
    await history.settled(two)
    await history.check(two)

    told = await receipts(two, "n-1")
    assert ["accepted", "quarantined", "quarantined", "repeated"] == sorted(r.outcome for r in told)
    assert {items[0]["received_at"]} == {
        r.received_at for r in told if r.outcome in ("accepted", "repeated")
    }
    assert items[0]["received_at"] == await do.value(
        two.admin_url, "SELECT received_at FROM routing.notification"
    )


async def test_what_a_newer_version_understands_is_taken_again(
    luotsi: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(APPS, "older", ("intake", "tests.hostile.older:build_app"))
    older = a_process(luotsi, "older")
    await do.until_ready([older, a_process(luotsi, "routing")])
    await do.publish_notification(luotsi, "n-1", **{UNKNOWN_YET: "Apua perheelle."})
    item = (await open_items(luotsi, 1))[0]

    older.process.stop()
    del luotsi.services["older-1"]
    await do.until_ready([a_process(luotsi, "intake")])
    answer = await post(luotsi, "intake", f"/internal/set-aside/{item['id']}/redrive")
    assert (200, {"applied": 1}) == (answer.status_code, answer.json())
    await no_open_items(luotsi)
    again = await post(luotsi, "intake", f"/internal/set-aside/{item['id']}/redrive")
    await history.settled(luotsi)
    await history.check(luotsi)

    assert 409 == again.status_code
    told = {r.outcome: r.received_at for r in await receipts(luotsi, "n-1")}
    assert {"quarantined": item["received_at"], "accepted": item["received_at"]} == told


async def test_what_intake_parked_is_taken_again_once_the_bug_is_gone(two: System) -> None:
    await run(two, FAILS_FOR_THE_NAMELESS)
    nameless = {"name": "Nimetön Testi"}
    for ident, children in (
        ("n-1", [{"hetu": HETU}]), ("n-2", [nameless]), ("n-3", [{"hetu": OTHER}]),
    ):  # fmt: skip
        await do.publish_notification(two, ident, children=children)
    item = (await open_items(two, 1))[0]
    assert ("intake", "parked") == (item["service"], item["outcome"])
    await do.until("the others go on", lambda: cases(two, 2))

    refused = await post(two, "intake", f"/internal/set-aside/{item['id']}/redrive")
    await open_items(two, 1)
    await do.fetch(two.admin_url, "DROP TRIGGER break_for_nameless ON intake.child")
    answer = await post(two, "intake", f"/internal/set-aside/{item['id']}/redrive")
    await no_open_items(two)
    await history.settled(two)
    await history.check(two)

    assert (422, "urn:luotsi:problem:handler-failed") == (
        refused.status_code, refused.json()["type"],
    )  # fmt: skip
    assert 200 == answer.status_code
    assert {item["received_at"]} == {r.received_at for r in await receipts(two, "n-2")}
    await do.until("the third case stands", lambda: cases(two, 3))


async def cases(system: System, count: int) -> bool:
    return bool(
        count == await do.value(system.admin_url, "SELECT count(*) FROM routing.child_case")
    )


async def test_a_child_whose_event_always_fails_is_before_a_person_with_all_behind_it(
    three: System,
) -> None:
    """A valid record on which the handler raises for ever, and an urgent one behind it."""
    await do.publish_notification(three, "n-1", children=[{"hetu": HETU}])
    await do.until("the case stands", lambda: cases(three, 1))
    child: UUID = await do.value(three.admin_url, "SELECT child FROM routing.child_case")
    await run(three, FAILS_FOR_ONE_CHILD.format(child=child))

    await do.publish_notification(three, "n-2", children=[{"hetu": HETU}])
    await do.publish_notification(
        three, "n-3", children=[{"hetu": HETU}], urgency={"in_danger": "yes"}
    )
    await do.publish_notification(three, "n-4", children=[{"hetu": OTHER}])
    items = await open_items(three, 2)
    await do.until("the other child goes on", lambda: cases(three, 2))
    refused = await post(three, "desk", f"/api/v1/set-aside/{items[0]['id']}/redrive")
    await open_items(three, 2)
    await do.fetch(three.admin_url, "DROP TRIGGER break_for_one ON routing.notification")
    answer = await post(three, "desk", f"/api/v1/set-aside/{items[0]['id']}/redrive")
    await no_open_items(three)
    await history.settled(three)
    await history.check(three)

    assert [child, child] == [item["child"] for item in items]
    assert {"handler-failed", "waits-behind-parked"} == {item["reason"] for item in items}
    assert 422 == refused.status_code
    assert answer.is_success, answer.text
    assert await arrivals(three, ["n-1", "n-2", "n-3"]) == await decided(three, child)
    assert "urgent" in await flags(three, child)


async def arrivals(system: System, idents: list[str]) -> list[str]:
    """The signals of these messages, in the order in which they arrived."""
    found: dict[str, Any] = {}
    for record in await do.everything(system, events.INTAKE_RECEIPT):
        receipt = orjson.loads(record.value or b"")
        found[receipt["source_id"]] = f"{receipt['receipt_id']}.0"
    return [found[ident] for ident in idents]


async def decided(system: System, child: UUID) -> list[str]:
    rows = await do.fetch(
        system.admin_url,
        "SELECT because FROM routing.decision WHERE child = $1 ORDER BY seq",
        child,
    )
    return [row["because"] for row in rows]


async def flags(system: System, child: UUID) -> str:
    row = await do.fetch(
        system.admin_url, "SELECT urgent_flags FROM routing.child_case WHERE child = $1", child
    )
    return "urgent" if row[0]["urgent_flags"] else "none"
