"""What leaves for a client information system: what was done about which messages, no persons."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.events import CaseEvent, Signal
from tests.builders import AChild, SetClock
from tests.deskside import Desk, a_desk
from tests.integration.test_client_feed import state

NAME = "Kanaria Ääkkönen"


@pytest.fixture
async def desk(database_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    async with a_desk(database_url, tmp_path, SetClock()) as made:
        yield made


async def left(desk: Desk) -> list[CaseEvent]:
    """What acts have put into the outbox, in order."""
    rows = await desk.rows("SELECT value FROM outbox ORDER BY id")
    return [CaseEvent.model_validate_json(row["value"]) for row in rows]


async def fed(desk: Desk, child: AChild, **said: Any) -> None:
    async with desk.pool.acquire() as tx, tx.transaction():
        await desk.cases.take(tx, [state(child, **said)])


async def answer(desk: Desk, signal: Signal) -> None:
    done = await desk.post(
        "aino", f"/checks/{signal.id}/answer", answer="not_urgent", reason=f"Ei, {NAME}."
    )
    assert done.is_success, done.text


async def test_an_act_about_a_notification_names_its_message_and_the_clients_reference(
    desk: Desk,
) -> None:
    child = AChild(name=NAME)
    await fed(desk, child, clientship="child_protection")
    signal = await desk.cases.notified(child, source_id="n-17")
    await desk.cases.notified(child, source_id="n-18")

    await answer(desk, signal)

    (event,) = await left(desk)
    assert (event.kind, event.answer) == ("urgency_answered", "not_urgent")
    assert event.messages == ("school-1/n-17",)
    assert event.client_reference == "A-2041"


async def test_a_decision_about_the_case_names_the_messages_that_are_open(desk: Desk) -> None:
    child = AChild()
    first = await desk.cases.notified(child, source_id="n-1")
    second = await desk.cases.notified(child, source_id="n-2")
    for signal in (first, second):
        await answer(desk, signal)
    for path in ("family-told", "assessment-started"):
        done = await desk.post("sosse", f"/cases/{child.id}/{path}", notifications=[first.id])
        assert done.is_success, done.text
    done = await desk.post(
        "sosse", f"/cases/{child.id}/assessment-finished", notifications=[first.id]
    )
    assert done.is_success, done.text

    case = await desk.get("sosse", f"/cases/{child.id}")
    done = await desk.post(
        "sosse", f"/cases/{child.id}/holder", holder=case["proposed_holder"],
        holder_seq=case["holder_seq"], after=case["holder_act"],
    )  # fmt: skip
    assert done.is_success, done.text

    told = {event.kind: event for event in await left(desk)}
    assert told["assessment_finished"].messages == ("school-1/n-1",)
    assert told["holder_confirmed"].messages == ("school-1/n-2",)
    assert told["holder_confirmed"].client_reference is None


async def test_nothing_that_leaves_holds_a_name_a_text_or_a_staff_id(desk: Desk) -> None:
    child = AChild(name=NAME)
    signal = await desk.cases.notified(child, source_id="n-1")
    await answer(desk, signal)

    rows = await desk.rows("SELECT key, value FROM outbox UNION ALL SELECT key::bytea, answers "
                           "FROM event_log")  # fmt: skip
    sent = b"".join(bytes(part) for row in rows for part in row if part)
    for canary in (NAME, child.hetu, "aino", "Testi"):
        assert canary.encode() not in sent
