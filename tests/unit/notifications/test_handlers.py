"""What is read from the topics, and what becomes of what cannot be read."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.notifications.domain import Priority
from services.notifications.handlers import alerts, park, read_case_event, read_signal
from shared.events import NOTICE, CaseEvent, NoticeEvent
from shared.inbox import Aside, Incoming, Raw, Unreadable

AT = datetime(2026, 11, 22, 10, tzinfo=UTC)
ITEM = UUID(int=7)


def raw(value: bytes | None, key: bytes | None = b"k") -> Raw:
    return Raw(0, 0, AT, key, [], value)


@pytest.mark.parametrize("value", [None, b"", b"{}", b"\xff", b'{"kind": "weather"}', b"[[["])
def test_what_is_no_signal_and_no_case_event_is_unreadable_under_its_key(
    value: bytes | None,
) -> None:
    for read in (read_signal, read_case_event):
        found = read(raw(value))

        assert isinstance(found, Unreadable)
        assert "k" == found.key


def test_a_key_that_is_no_text_does_not_stop_the_reading() -> None:
    found = read_signal(raw(b"junk", key=b"\xff\xfe"))

    assert isinstance(found, Unreadable)
    assert found.key is None


def test_an_item_set_aside_is_read_whatever_its_record_key() -> None:
    value = (
        f'{{"kind": "set_aside", "id": "{ITEM}.opened", "item": "{ITEM}", "state": "opened",'
        '"service": "intake", "outcome": "quarantined", "reason": "bad-json",'
        '"received_at": "2026-11-22T10:00:00Z", "later_addition": 1}'
    )
    found = read_signal(raw(value.encode(), key=None))

    assert isinstance(found, Incoming)
    assert (str(ITEM), AT) == (found.key, found.received_at)


async def test_what_is_parked_is_told_by_its_item_id_alone() -> None:
    aside = Aside(
        ITEM, "parked", "handler-failed", "", "s", "id", "a-child", AT, raw(b"sealed things")
    )

    [stored] = await park("receipt")(None, [aside])  # type: ignore[arg-type]

    [answer] = stored.answers
    assert b"sealed things" == stored.body
    assert (NOTICE, str(ITEM).encode()) == (answer.topic, answer.key)
    assert NoticeEvent(
        id=f"{ITEM}.parked", about=ITEM, kind="parked", purpose="receipt",
        reason="handler-failed", received_at=AT,
    ) == NoticeEvent.model_validate_json(answer.value)  # fmt: skip


def test_a_batch_asks_for_one_alert_of_each_kind_and_none_from_before_the_start() -> None:
    def screened(second: int, *, urgent: bool) -> CaseEvent:
        return CaseEvent(
            id=f"{second}", child=ITEM, seq=second, kind="screened", holder="duty", urgent=urgent,
            at=AT.replace(second=second),
        )  # fmt: skip

    batch = [screened(n, urgent=n == 9) for n in range(4, 12)]

    assert [
        (Priority.URGENT_ALERT, AT.replace(second=9)),
        (Priority.ALERT, AT.replace(second=6)),
    ] == alerts(batch, AT.replace(second=6))


def test_a_case_event_with_a_destination_of_a_later_version_is_read_without_it() -> None:
    value = (
        f'{{"id": "{ITEM}.1", "child": "{ITEM}", "seq": 1, "kind": "screened",'
        '"at": "2026-11-22T10:00:00Z", "destinations": ["psychiatry", "moon_clinic"]}'
    )

    found = read_case_event(raw(value.encode()))
    strange = read_case_event(raw(value.replace('"moon_clinic"', "7").encode()))

    assert isinstance(found, Incoming)
    assert ("psychiatry",) == found.event.destinations
    assert isinstance(strange, Unreadable)
