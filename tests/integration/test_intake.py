"""Intake's two doors on a real PostgreSQL: what is kept, matched, answered and set aside."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest

from shared import events, kinds, store
from shared.bus import split_repeats
from shared.inbox import Raw
from shared.sealing import Sealer
from shared.store import LogRow
from tests.intakeside import DESK, NOW, Intake, bearer, intake, told
from tests.system import NOTIFICATION, fetch, headers, value

__all__ = ["intake"]


async def test_the_same_person_is_the_same_child_and_siblings_have_signals_of_their_own(
    intake: Intake,
) -> None:
    one = await intake.take(NOTIFICATION, "n-1")
    both = await intake.take(
        {
            **NOTIFICATION,
            "children": [{"hetu": "010594Y9032"}, {"hetu": "020594X903P", "name": "Testi Sisko"}],
        },
        "n-2",
        "police-1",
    )

    first, (again, sibling) = told(one, events.SIGNAL)[0], told(both, events.SIGNAL)
    assert first["child"] == again["child"] != sibling["child"]
    assert (again["receipt_id"], again["index"]) == (sibling["receipt_id"], 0)
    assert sibling["index"] == 1
    assert len(told(both, events.INTAKE_RECEIPT)) == 1


async def test_a_child_without_a_code_is_provisional_each_time(intake: Intake) -> None:
    nameless = {**NOTIFICATION, "children": [{"name": "Testi Lapsi"}]}

    signals = [
        told(await intake.take(nameless, ident), events.SIGNAL)[0] for ident in ("n-1", "n-2")
    ]

    assert signals[0]["child"] != signals[1]["child"]
    assert all(signal["provisional"] for signal in signals)


async def test_nothing_of_a_person_is_in_the_clear_and_everything_can_be_opened(
    intake: Intake,
) -> None:
    row = await intake.take(NOTIFICATION)

    signal = events.Signal.model_validate_json(row.answers[0].value)
    clear = b"".join(a.topic.encode() + a.key + a.id.encode() + a.value for a in row.answers)
    for secret in (b"Testi", b"010594", b"huolestaan", b"opettaja"):
        assert secret not in clear + (row.body or b"")
    async with intake.pool.acquire() as conn:
        fresh = Sealer(intake.sealer.keys)
        await fresh.load(conn, [signal.child])
    person = orjson.loads(fresh.open(signal.person, "person", signal.id))
    assert person["hetu"] == "010594Y9032"


async def test_the_same_message_again_is_a_repeat_with_the_first_receipt(intake: Intake) -> None:
    first = await intake.take(NOTIFICATION)
    again = await intake.take(NOTIFICATION, at=NOW + timedelta(days=2))

    assert again.outcome == "repeated"
    answer, before = told(again, events.INTAKE_RECEIPT)[0], told(first, events.INTAKE_RECEIPT)[0]
    assert answer["outcome"] == "repeated"
    assert answer["receipt_id"] == before["receipt_id"]
    assert answer["received_at"] == before["received_at"]
    assert told(again, events.SIGNAL) == []


async def test_other_content_under_a_used_id_is_kept_and_shown(intake: Intake) -> None:
    await intake.take(NOTIFICATION)
    other = await intake.take({**NOTIFICATION, "observations": "Aivan muuta."})

    assert other.outcome == "quarantined"
    assert told(other, events.INTAKE_RECEIPT)[0]["reason"] == "same-id-other-content"
    assert told(other, events.SIGNAL)[0]["kind"] == "set_aside"


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("2026-11-16T20:00:00Z", datetime(2026, 11, 16, 20, tzinfo=UTC)),
        ("2026-11-20T20:00:00Z", NOW),
        (None, NOW),
    ],
)
async def test_receipt_time_is_the_earlier_one_and_a_stated_future_is_ignored(
    intake: Intake, stated: str | None, expected: datetime
) -> None:
    row = await intake.take({**NOTIFICATION, "arrived_at": stated})

    assert row.received_at == expected
    assert datetime.fromisoformat(told(row, events.SIGNAL)[0]["received_at"]) == expected


async def test_a_mended_resend_is_accepted_closes_the_item_and_keeps_the_first_time(
    intake: Intake,
) -> None:
    bad = await intake.take({**NOTIFICATION, "observations": ""}, "n-9")
    good = await intake.take(NOTIFICATION, "n-9", at=NOW + timedelta(days=3))

    item = told(bad, events.SIGNAL)[0]["item"]
    kinds = [(a["kind"], a.get("state")) for a in told(good, events.SIGNAL)]
    assert good.outcome == "applied"
    assert good.received_at == NOW
    assert kinds == [("notification", None), ("set_aside", "closed")]
    assert told(good, events.SIGNAL)[1]["item"] == item
    assert await value(
        intake.admin_url, "SELECT closed_how FROM intake.set_aside WHERE id = $1", UUID(item)
    ) == "resent"  # fmt: skip


async def test_a_resend_keeps_the_first_time_even_after_a_person_closed_the_item(
    intake: Intake,
) -> None:
    bad = await intake.take({**NOTIFICATION, "observations": ""}, "n-9")
    item = told(bad, events.SIGNAL)[0]["item"]
    await intake.http.post(f"/internal/set-aside/{item}/close", headers=DESK)

    good = await intake.take(NOTIFICATION, "n-9", at=NOW + timedelta(days=3))

    assert (good.outcome, good.received_at) == ("applied", NOW)
    assert [a["kind"] for a in told(good, events.SIGNAL)] == ["notification"]


async def test_a_resend_right_behind_what_it_mends_keeps_the_first_time(intake: Intake) -> None:
    bad = Raw(0, 0, NOW, b"k", headers("school-1", "n-9"), b"{")
    later = NOW + timedelta(seconds=4)
    good = Raw(0, 1, later, b"k", headers("school-1", "n-9"), orjson.dumps(NOTIFICATION))
    rows = []
    async with intake.pool.acquire() as tx, tx.transaction():
        door = await store.door(tx, "intake", "cluster", events.INTAKE_NOTIFICATION)
        for part in split_repeats([intake.inbox.read(bad), intake.inbox.read(good)]):
            rows += await intake.inbox.take(tx, door, part)

    assert [(row.outcome, row.received_at) for row in rows] == [
        ("quarantined", NOW), ("applied", NOW),
    ]  # fmt: skip
    assert await value(intake.admin_url, "SELECT closed_how FROM intake.set_aside") == "resent"


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("ce_type", b"fi.luotsi.child-protection-notification.v9"),
        ("ce_specversion", b"0.3"),
        ("ce_specversion", b"\xff"),
    ],
)
async def test_a_source_is_answered_under_its_own_id_when_another_attribute_is_wrong(
    intake: Intake, name: str, wrong: bytes
) -> None:
    pairs = [(n, wrong if n == name else v) for n, v in headers("school-1", "n-9")]
    bad = await intake.take(NOTIFICATION, pairs=pairs)
    good = await intake.take(NOTIFICATION, "n-9", at=NOW + timedelta(days=3))

    (answer,) = told(bad, events.INTAKE_RECEIPT)
    assert (answer["outcome"], answer["source"], answer["source_id"]) == (
        "quarantined", "school-1", "n-9",
    )  # fmt: skip
    assert good.received_at == NOW


async def test_a_quarantined_message_says_what_is_wrong_without_repeating_it(
    intake: Intake,
) -> None:
    row = await intake.take(
        {**NOTIFICATION, "children": [{"hetu": "010594Y9033"}], "salainen_kenttä": "Testi"}
    )

    answer = told(row, events.INTAKE_RECEIPT)[0]
    assert answer["reason"] == "invalid-content"
    assert "children.0.hetu" in answer["mend"]
    assert "check character" in answer["mend"]
    assert "at least 1 item" not in answer["mend"], "the child is there, with a wrong code"
    assert "010594" not in answer["mend"]
    assert "salainen" not in answer["mend"]


async def test_a_request_is_answered_after_it_is_stored_and_a_repeat_says_so(
    intake: Intake,
) -> None:
    first = await intake.post(NOTIFICATION)
    again = await intake.post(NOTIFICATION)

    assert (first.status_code, first.json()["outcome"]) == (202, "accepted")
    assert (again.status_code, again.json()["outcome"]) == (202, "repeated")
    assert again.json()["receipt_id"] == first.json()["receipt_id"]
    assert await value(intake.admin_url, "SELECT count(*) FROM intake.outbox") == 3
    rows = await fetch(intake.admin_url, "SELECT outcome FROM intake.event_log")
    assert [row["outcome"] for row in rows] == ["applied", "repeated"]


async def test_an_invalid_request_is_refused_with_the_mend_and_still_kept(intake: Intake) -> None:
    answer = await intake.post(b'{"notifier": 1')

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]
    rows = await fetch(intake.admin_url, "SELECT outcome, body FROM intake.event_log")
    assert [(row["outcome"], bool(row["body"])) for row in rows] == [("quarantined", True)]


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"authorization": "Bearer wrong", "ce-id": "n-1"}, 401),
        ({"ce-id": "n-1"}, 401),
        (bearer("school-1"), 400),
        ({**bearer("school-1"), "ce-id": "010594Y9032"}, 400),
    ],
)
async def test_a_request_without_right_is_refused_and_one_without_an_id_is_kept(
    intake: Intake, given: dict[str, str], status: int
) -> None:
    answer = await intake.http.post("/v1/notifications", content=b"{}", headers=given)

    assert answer.status_code == status
    assert "010594" not in answer.text
    rows = await fetch(intake.admin_url, "SELECT outcome FROM intake.event_log")
    assert [row["outcome"] for row in rows] == (["quarantined"] if status == 400 else [])


async def test_a_source_cannot_speak_for_another(intake: Intake) -> None:
    event = {
        "specversion": "1.0", "id": "n-1", "source": "police-1",
        "type": kinds.NOTIFICATION.type, "data": NOTIFICATION,
    }  # fmt: skip
    answer = await intake.http.post(
        "/v1/notifications", content=orjson.dumps(event),
        headers={**bearer("school-1"), "content-type": "application/cloudevents+json"},
    )  # fmt: skip

    assert answer.status_code == 202
    assert answer.json()["source"] == "school-1"


async def test_of_too_large_a_request_the_beginning_is_kept_for_a_person(intake: Intake) -> None:
    answer = await intake.post(b"x" * 3_000_000)

    assert answer.status_code == 413
    who = DESK
    item = await intake.http.get(f"/internal/set-aside/{answer.json()['receipt_id']}", headers=who)
    assert item.json()["reason"] == "too-large"
    assert item.json()["content"] == "x" * 200_000
    size = await value(intake.admin_url, "SELECT length(body) FROM intake.event_log")
    assert size < 2_100_000


async def test_checking_stores_nothing(intake: Intake) -> None:
    good = await intake.post(NOTIFICATION, path="/v1/check")
    bad = await intake.post({**NOTIFICATION, "observations": 5}, path="/v1/check")

    assert (good.status_code, bad.status_code) == (200, 422)
    assert "observations" in bad.json()["detail"]
    assert await value(intake.admin_url, "SELECT count(*) FROM intake.event_log") == 0


async def test_giving_an_identity_luotsi_does_not_know_ends_the_task(intake: Intake) -> None:
    row = await intake.take({**NOTIFICATION, "children": [{"name": "Testi Lapsi"}]})
    child = told(row, events.SIGNAL)[0]["child"]
    who = DESK

    given = await intake.http.post(
        "/internal/identity", headers=who, json={"child": child, "hetu": "020594X903P"}
    )
    known = await intake.take({**NOTIFICATION, "children": [{"hetu": "020594X903P"}]}, "n-2")
    twice = await intake.http.post(
        "/internal/identity", headers=who, json={"child": child, "hetu": "020594X902N"}
    )

    assert (given.status_code, twice.status_code) == (200, 409)
    assert told(known, events.SIGNAL)[0]["child"] == child
    left = await fetch(intake.admin_url, "SELECT convert_from(value, 'UTF8') v FROM intake.outbox")
    assert orjson.loads(left[0]["v"])["kind"] == "identity"
    assert "020594" not in left[0]["v"]
    audit = await fetch(intake.admin_url, "SELECT actor, act FROM intake.audit")
    assert [tuple(row) for row in audit] == [("w-1", "give-identity")]


async def test_an_identity_luotsi_knows_is_refused_and_changes_nothing(intake: Intake) -> None:
    await intake.take(NOTIFICATION)
    row = await intake.take({**NOTIFICATION, "children": [{"name": "Testi Lapsi"}]}, "n-2")

    answer = await intake.http.post(
        "/internal/identity",
        headers=DESK,
        json={"child": told(row, events.SIGNAL)[0]["child"], "hetu": "010594Y9032"},
    )

    assert answer.status_code == 409
    assert answer.json()["type"].endswith("known-identity")
    assert await value(intake.admin_url, "SELECT count(*) FROM intake.outbox") == 0


async def test_an_original_is_opened_by_a_worker_only_after_the_audit_row(intake: Intake) -> None:
    row = await intake.take(b'{"observations": "Testi Lapsi')
    item = told(row, events.SIGNAL)[0]["item"]

    forbidden = await intake.http.get(
        f"/internal/set-aside/{item}", headers={**bearer("school-1"), "x-luotsi-worker": "w-1"}
    )
    opened = await intake.http.get(f"/internal/set-aside/{item}", headers=DESK)

    assert forbidden.status_code == 403
    assert "Testi Lapsi" in opened.json()["content"]
    audit = await fetch(intake.admin_url, "SELECT actor, act, subject FROM intake.audit")
    assert [tuple(row) for row in audit] == [("w-1", "open-original", item)]


async def test_what_a_person_has_dealt_with_is_closed_once(intake: Intake) -> None:
    row = await intake.take({**NOTIFICATION, "observations": ""})
    item = told(row, events.SIGNAL)[0]["item"]
    who = DESK

    answers = [
        await intake.http.post(f"/internal/set-aside/{item}/close", headers=who) for _ in range(2)
    ]

    assert [answer.json() for answer in answers] == [{"closed": True}] * 2
    rows = await fetch(intake.admin_url, "SELECT closed_how FROM intake.set_aside")
    assert [tuple(row) for row in rows] == [("closed-by-a-person",)]


async def test_a_redrive_of_what_is_still_wrong_changes_nothing_and_is_counted(
    intake: Intake,
) -> None:
    row = await intake.take({**NOTIFICATION, "observations": ""})
    item = told(row, events.SIGNAL)[0]["item"]

    answer = await intake.http.post(
        f"/internal/set-aside/{item}/redrive",
        headers=DESK,
    )

    assert answer.status_code == 422
    rows = await fetch(intake.admin_url, "SELECT attempts, closed_at FROM intake.set_aside")
    assert [tuple(row) for row in rows] == [(2, None)]


@asynccontextmanager
async def broken(intake: Intake) -> AsyncIterator[None]:
    """While it lasts, the handler fails at every message about a child it does not know."""
    conn = await asyncpg.connect(intake.admin_url)
    await conn.execute(
        """
        CREATE FUNCTION intake.broken() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'a bug'; END $$;
        CREATE TRIGGER broken BEFORE INSERT ON intake.child_lookup
            FOR EACH ROW EXECUTE FUNCTION intake.broken();
        """
    )
    yield
    await conn.execute("DROP TRIGGER broken ON intake.child_lookup")
    await conn.close()


async def parked(intake: Intake, content: Any, ident: str, offset: int) -> LogRow:
    """A message at which the handler has raised."""
    raw = Raw(0, offset, NOW, b"k", headers("school-1", ident), orjson.dumps(content))
    async with intake.pool.acquire() as tx, tx.transaction():
        door = await store.door(tx, "intake", "cluster", events.INTAKE_NOTIFICATION)
        failure = RuntimeError("a bug")
        return (await intake.inbox.take(tx, door, [intake.inbox.read(raw)], failure))[0]


async def test_an_id_used_again_while_it_was_parked_does_not_hold_up_the_first(
    intake: Intake,
) -> None:
    first = await parked(intake, NOTIFICATION, "n-7", 7)
    other = {**NOTIFICATION, "observations": "Aivan muuta."}
    behind = await parked(intake, other, "n-7", 8)
    item, refused = (told(row, events.SIGNAL)[0]["item"] for row in (first, behind))

    answer = await intake.http.post(f"/internal/set-aside/{item}/redrive", headers=DESK)

    assert answer.status_code == 200
    rows = await fetch(
        intake.admin_url, 'SELECT outcome, reason FROM intake.event_log ORDER BY "offset"'
    )
    assert [tuple(row) for row in rows] == [
        ("applied", "re-driven"), ("quarantined", "same-id-other-content"),
    ]  # fmt: skip
    (still,) = await fetch(
        intake.admin_url, "SELECT id, outcome FROM intake.set_aside WHERE closed_at IS NULL"
    )
    opened = await intake.http.get(f"/internal/set-aside/{still['id']}", headers=DESK)
    assert (still["outcome"], str(still["id"]) == refused) == ("quarantined", False)
    assert "Aivan muuta." in opened.json()["content"]
    left = await fetch(
        intake.admin_url, "SELECT convert_from(value, 'UTF8') v FROM intake.outbox ORDER BY id"
    )
    sent = [orjson.loads(each["v"]) for each in left]
    assert [(s.get("kind"), s.get("state"), s.get("outcome")) for s in sent] == [
        ("notification", None, None), (None, None, "accepted"),
        ("set_aside", "closed", "quarantined"), ("set_aside", "opened", "quarantined"),
        (None, None, "quarantined"), ("set_aside", "closed", "quarantined"),
    ]  # fmt: skip


async def test_a_parked_request_stays_its_tokens_and_its_receipt_id_finds_it(
    intake: Intake,
) -> None:
    event = {
        "specversion": "1.0", "id": "n-1", "source": "police-1",
        "type": kinds.NOTIFICATION.type, "data": NOTIFICATION,
    }  # fmt: skip
    pairs = {**bearer("school-1"), "content-type": "application/cloudevents+json"}
    async with broken(intake):
        answer = await intake.http.post(
            "/v1/notifications", content=orjson.dumps(event), headers=pairs
        )
    taken = await intake.http.post(
        f"/internal/set-aside/{answer.json()['receipt_id']}/redrive", headers=DESK
    )
    again = await intake.http.post("/v1/notifications", content=orjson.dumps(event), headers=pairs)

    assert (answer.status_code, taken.status_code) == (202, 200)
    assert again.json()["outcome"] == "repeated"
    rows = await fetch(
        intake.admin_url, 'SELECT source, outcome FROM intake.event_log ORDER BY "offset"'
    )
    assert [tuple(row) for row in rows] == [("school-1", "applied"), ("school-1", "repeated")]


async def test_a_parked_message_is_redriven_with_its_first_receipt_time(intake: Intake) -> None:
    row = await parked(intake, NOTIFICATION, "n-7", 7)

    answer = await intake.http.post(
        f"/internal/set-aside/{told(row, events.SIGNAL)[0]['item']}/redrive", headers=DESK
    )

    assert (row.outcome, answer.status_code, answer.json()) == ("parked", 200, {"applied": 1})
    left = await fetch(
        intake.admin_url, "SELECT convert_from(value, 'UTF8') v FROM intake.outbox ORDER BY id"
    )
    sent = [orjson.loads(each["v"]) for each in left]
    assert sent[0]["kind"] == "notification"
    assert datetime.fromisoformat(sent[0]["received_at"]) == NOW
    assert sent[-1]["state"] == "closed"
    assert await value(intake.admin_url, "SELECT count(*) FROM intake.parked_key") == 0
    assert await value(intake.admin_url, "SELECT outcome FROM intake.event_log") == "applied"


# --- what a source asks about its messages --------------------------------------------------------


async def ask(intake: Intake, ident: str, source: str = "school-1", by: str = "school-1") -> Any:
    return await intake.http.get(f"/v1/messages/{source}/{ident}", headers=bearer(by))


async def test_a_source_sees_every_answer_to_its_message_whichever_way_it_came(
    intake: Intake,
) -> None:
    bad = await intake.take({**NOTIFICATION, "observations": ""}, "year/2026:n-9")
    refused = await ask(intake, "year/2026:n-9")
    await intake.post(NOTIFICATION, "year/2026:n-9")
    await intake.post(NOTIFICATION, "year/2026:n-9")
    mended = await ask(intake, "year/2026:n-9")

    assert refused.json()["state"] == "quarantined"
    (told_then,) = told(bad, events.INTAKE_RECEIPT)
    (answer,) = refused.json()["answers"]
    assert (answer["reason"], answer["mend"]) == (told_then["reason"], told_then["mend"])
    assert answer["receipt_id"] == told_then["receipt_id"]
    assert "observations: not in the form" in answer["mend"]
    assert mended.json()["state"] == "accepted"
    assert ["quarantined", "accepted"] == [each["outcome"] for each in mended.json()["answers"]]
    assert mended.json()["source_id"] == "year/2026:n-9"
    assert "Testi" not in mended.text


async def test_what_waits_for_an_engineer_is_told_as_waiting_until_it_is_applied(
    intake: Intake,
) -> None:
    row = await parked(intake, NOTIFICATION, "n-7", 7)
    item = told(row, events.SIGNAL)[0]["item"]
    waiting = (await ask(intake, "n-7")).json()
    await intake.http.post(f"/internal/set-aside/{item}/redrive", headers=DESK)
    applied = (await ask(intake, "n-7")).json()

    assert (waiting["state"], waiting["answers"][0]["receipt_id"]) == ("waiting", item)
    assert waiting["answers"][0]["outcome"] == "accepted"
    assert (applied["state"], len(applied["answers"])) == ("accepted", 1)


async def test_what_a_person_closed_is_told_as_closed(intake: Intake) -> None:
    bad = await intake.take(b"{", "n-1")
    item = told(bad, events.SIGNAL)[0]["item"]
    await intake.http.post(f"/internal/set-aside/{item}/close", headers=DESK)

    assert "closed" == (await ask(intake, "n-1")).json()["state"]


async def test_a_source_sees_only_its_own_messages(intake: Intake) -> None:
    await intake.take(NOTIFICATION, "n-1", "police-1")

    others = await ask(intake, "n-1", source="police-1")
    same_id = await ask(intake, "n-1")
    own = await ask(intake, "n-1", source="police-1", by="police-1")
    nobody = await intake.http.get("/v1/messages/police-1/n-1")

    assert [403, 404, 200, 401] == [each.status_code for each in (others, same_id, own, nobody)]
    assert others.headers["content-type"] == "application/problem+json"
