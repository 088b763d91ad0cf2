"""What a source says it sent and what did not arrive, on a real PostgreSQL, by both doors."""

import asyncio
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import orjson
import pytest

from services.intake.domain.rhythm import By, Stated
from services.intake.manifests import store
from services.intake.manifests.watching import look
from services.intake.sources.store import pause
from shared import events
from shared.clock import HELSINKI
from shared.kinds import MANIFEST, WITHDRAWAL
from tests.intakeside import DESK, NOW, Intake, bearer, intake, told
from tests.system import NOTIFICATION, fetch, headers

__all__ = ["intake"]

MINUTE = timedelta(minutes=1)
GRACE = 15 * MINUTE
LIST = {"begins": "2026-11-17T07:00:00Z", "ends": "2026-11-17T08:00:00Z", "ids": ["n-1", "n-2"]}


def numbered(
    number: object, ident: str, run: str = "", source: str = "school-1"
) -> list[tuple[str, bytes]]:
    pairs = [*headers(source, ident), ("ce_sequence", str(number).encode())]
    return [*pairs, ("ce_sequencerun", run.encode())] if run else pairs


async def send(intake: Intake, number: object, at: datetime = NOW, run: str = "r") -> Any:
    ident = f"n-{run}-{number}"
    return await intake.take(NOTIFICATION, ident, at=at, pairs=numbered(number, ident, run))


async def post(intake: Intake, number: object, run: str = "r") -> Any:
    sent = {**bearer("school-1"), "ce-id": f"h-{run}-{number}", "ce-sequence": str(number)}
    return await intake.http.post(
        "/v1/notifications", content=orjson.dumps(NOTIFICATION),
        headers={**sent, "ce-sequencerun": run},
    )  # fmt: skip


async def look_at(intake: Intake, now: datetime, **stated: Stated) -> None:
    async with intake.pool.acquire() as tx, tx.transaction():
        await look(tx, now, GRACE, {name.replace("_", "-"): each for name, each in stated.items()})


async def missing(intake: Intake, source: str = "school-1") -> Any:
    answer = await intake.http.get(f"/v1/manifests/{source}", headers=bearer(source))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def numbers_missing(intake: Intake) -> list[tuple[int, int]]:
    return [(each["first"], each["last"]) for each in (await missing(intake))["numbers"]]


async def items(intake: Intake) -> list[dict[str, Any]]:
    """What the duty desk was told of missing messages, in its order."""
    async with intake.pool.acquire() as conn:
        rows = await conn.fetch("SELECT topic, value FROM outbox ORDER BY id")
    read = [orjson.loads(row["value"]) for row in rows if row["topic"] == events.SIGNAL]
    return [each for each in read if each.get("outcome") == "missing"]


async def alarms(intake: Intake) -> list[tuple[str, str, str]]:
    async with intake.pool.acquire() as conn:
        return [(each.source, each.kind, each.why) for each in await store.open_alarms(conn)]


# --- numbers --------------------------------------------------------------------------------------


async def test_a_number_that_does_not_come_is_named_and_stands_at_the_duty_desk_once(
    intake: Intake,
) -> None:
    await send(intake, 1)
    await send(intake, 4, NOW + MINUTE)

    await look_at(intake, NOW + GRACE)
    before = await numbers_missing(intake)
    await look_at(intake, NOW + MINUTE + GRACE)
    await look_at(intake, NOW + 2 * GRACE)

    assert [] == before
    assert [(2, 3)] == await numbers_missing(intake)
    assert [("school-1", "gap", "numbers-missing")] == await alarms(intake)
    (item,) = await items(intake)
    assert ("opened", "messages-missing") == (item["state"], item["reason"])
    assert "school" not in orjson.dumps(item).decode()
    events.SetAside.model_validate(item, strict=False)


async def test_when_it_has_come_by_either_door_the_alarm_and_the_item_close(
    intake: Intake,
) -> None:
    await send(intake, 1)
    await send(intake, 4)
    await look_at(intake, NOW + GRACE)

    await send(intake, 3, NOW + GRACE)
    assert (await post(intake, 2)).status_code == 202
    await look_at(intake, NOW + 2 * GRACE)

    assert [] == await alarms(intake)
    assert [] == await numbers_missing(intake)
    opened, closed = await items(intake)
    assert opened["item"] == closed["item"]
    assert ("closed", "arrived") == (closed["state"], closed["reason"])


async def test_a_message_has_arrived_whatever_became_of_it(intake: Intake) -> None:
    await send(intake, 1)
    bad = {**NOTIFICATION, "observations": ""}
    quarantined = await intake.take(bad, "n-2", pairs=numbered(2, "n-2", "r"))
    unreadable = await intake.take(b"{", "n-3", pairs=numbered(3, "n-3", "r"))
    repeated = await intake.take(NOTIFICATION, "n-r-1", pairs=numbered(1, "n-r-1", "r"))
    await send(intake, 4)
    await look_at(intake, NOW + GRACE)

    assert ["quarantined", "quarantined", "repeated"] == [
        row.outcome for row in (quarantined, unreadable, repeated)
    ]
    assert [] == await alarms(intake)


async def test_each_run_is_counted_by_itself(intake: Intake) -> None:
    for number in (1, 2, 3):
        await send(intake, number, run="2026-10")
    await send(intake, 2, run="2026-11")
    await look_at(intake, NOW + GRACE)

    (gap,) = (await missing(intake))["numbers"]
    assert ("2026-11", 1, 1) == (gap["run"], gap["first"], gap["last"])


@pytest.mark.parametrize("number", ["0", "x", "-1", ""])
async def test_a_number_that_cannot_be_read_refuses_no_child_s_matter(
    intake: Intake, number: str
) -> None:
    over_kafka = await send(intake, number, run="")
    over_http = await intake.http.post(
        "/v1/notifications", content=orjson.dumps(NOTIFICATION),
        headers={**bearer("school-1"), "ce-id": "h-1", "ce-sequence": number},
    )  # fmt: skip

    assert "applied" == over_kafka.outcome
    assert "sequence-unreadable" == told(over_kafka, events.INTAKE_RECEIPT)[0]["note"]
    assert (202, "sequence-unreadable") == (over_http.status_code, over_http.json()["note"])


async def test_a_doubled_number_refuses_nothing_either(intake: Intake) -> None:
    row = await intake.take(NOTIFICATION, pairs=[*numbered(1, "n-1"), ("ce_sequence", b"2")])

    assert ("applied", "sequence-unreadable") == (row.outcome, row.reason)


async def test_a_fault_of_counting_is_no_fault_of_the_message(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise LookupError("a bug")

    monkeypatch.setattr(store, "save_runs", broken)

    assert "applied" == (await send(intake, 1)).outcome


async def test_batches_that_count_at_the_same_time_lose_no_number(intake: Intake) -> None:
    async def batch(first: int) -> None:
        read = [
            intake.read(
                NOTIFICATION, f"n-{n}-{source}", source,
                pairs=numbered(n, f"n-{n}-{source}", "r", source),
            )
            for n in range(first, first + 5)
            for source in ("school-1", "police-1", "a", "b")
        ]  # fmt: skip
        random.Random(first).shuffle(read)
        await intake.take_all(read)

    await asyncio.gather(*(batch(1 + 5 * n) for n in range(4)))

    async with intake.pool.acquire() as conn:
        assert {} == await store.runs_with_gaps(conn)
        seen = await store.lock_runs(conn, [("a", "r"), ("school-1", "r")])
    assert [(1, 20)] * 2 == [
        (s.first, s.last) for each in seen.values() if each for s in each.spans
    ]


async def test_a_person_who_has_found_out_closes_the_item_and_later_gaps_are_new(
    intake: Intake,
) -> None:
    await send(intake, 1)
    await send(intake, 3)
    await look_at(intake, NOW + GRACE)
    item = (await items(intake))[0]["item"]

    opened = await intake.http.get(f"/internal/set-aside/{item}", headers=DESK)
    closed = await intake.http.post(f"/internal/set-aside/{item}/close", headers=DESK)
    await look_at(intake, NOW + 2 * GRACE)
    assert [] == await alarms(intake)
    await send(intake, 5, NOW + 2 * GRACE)
    await look_at(intake, NOW + 3 * GRACE)

    assert "number 2 of run r" in opened.json()["content"]
    assert {"closed": True} == closed.json()
    assert [(4, 4)] == await numbers_missing(intake)
    assert item != (await items(intake))[-1]["item"]


async def test_a_source_asks_for_itself_alone(intake: Intake) -> None:
    answer = await intake.http.get("/v1/manifests/police-1", headers=bearer("school-1"))

    assert (403, {"detail": "", "title": "Your token is that of another source"}) == (
        answer.status_code, {k: answer.json()[k] for k in ("detail", "title")},
    )  # fmt: skip


# --- lists ----------------------------------------------------------------------------------------


async def send_list(intake: Intake, **change: Any) -> Any:
    return await intake.take({**LIST, **change}, "list-1", kind="manifest")


async def test_a_listed_id_that_did_not_arrive_is_named_until_it_comes(intake: Intake) -> None:
    await intake.take(NOTIFICATION, "n-1")
    row = await send_list(intake)
    await look_at(intake, NOW + GRACE - MINUTE)
    before = (await missing(intake))["ids"]
    await look_at(intake, NOW + GRACE)

    assert "applied" == row.outcome
    assert "accepted" == told(row, events.INTAKE_RECEIPT)[0]["outcome"]
    assert [] == told(row, events.SIGNAL)
    assert [] == before
    assert [["n-2"]] == [each["ids"] for each in (await missing(intake))["ids"]]
    assert [("school-1", "missing", "not-arrived")] == await alarms(intake)

    await intake.take(NOTIFICATION, "n-2")
    await look_at(intake, NOW + 2 * GRACE)

    assert [] == (await missing(intake))["ids"]
    assert ["opened", "closed"] == [each["state"] for each in await items(intake)]


async def test_what_is_quarantined_held_or_parked_has_arrived(intake: Intake) -> None:
    await intake.take({**NOTIFICATION, "observations": ""}, "n-1")
    async with intake.pool.acquire() as tx, tx.transaction():
        door = await fetch(intake.admin_url, "SELECT id FROM intake.door")
        held = intake.inbox.read(intake.read(NOTIFICATION, "n-2").raw)
        await intake.inbox.take(tx, door[0]["id"], [held], LookupError("a bug of ours"))
    await send_list(intake)
    await look_at(intake, NOW + GRACE)

    assert [] == await alarms(intake)


async def test_an_id_of_another_source_does_not_count(intake: Intake) -> None:
    await intake.take(NOTIFICATION, "n-1")
    await intake.take(NOTIFICATION, "n-2", "police-1")
    await send_list(intake)
    await look_at(intake, NOW + GRACE)

    assert [["n-2"]] == [each["ids"] for each in (await missing(intake))["ids"]]


async def test_a_list_over_http_that_comes_again_is_a_repeat(intake: Intake) -> None:
    answers = [await intake.post(LIST, "list-1", MANIFEST.path) for _ in range(2)]

    assert [(202, "accepted"), (202, "repeated")] == [
        (each.status_code, each.json()["outcome"]) for each in answers
    ]
    assert 1 == len(await fetch(intake.admin_url, "SELECT 1 FROM intake.source_list"))


@pytest.mark.parametrize(
    ("change", "mend"),
    [
        ({"ends": "2026-11-17T07:00:00Z"}, "after begins"),
        ({"ends": "2027-11-17T07:00:00Z"}, "31 days"),
        ({"next_by": "2026-11-17T07:30:00Z"}, "next_by"),
        ({"ids": ["010594Y9032"]}, "henkilötunnus"),
        ({"begins": "2026-11-17T07:00:00"}, "begins"),
    ],
)
async def test_a_list_that_makes_no_sense_is_told_so(
    intake: Intake, change: dict[str, Any], mend: str
) -> None:
    row = await send_list(intake, **change)

    assert "quarantined" == row.outcome
    assert mend in told(row, events.INTAKE_RECEIPT)[0]["mend"]


async def test_a_list_of_50_000_ids_is_compared_in_seconds(intake: Intake) -> None:
    await intake.take(NOTIFICATION, "n-49999")
    row = await send_list(intake, ids=[f"n-{n}" for n in range(50_000)])
    assert "applied" == row.outcome

    async with asyncio.timeout(10):
        await look_at(intake, NOW + GRACE)

    (found,) = (await missing(intake))["ids"]
    assert 49_999 == len(found["ids"])


async def test_a_person_closes_what_is_missing_of_a_list(intake: Intake) -> None:
    await send_list(intake)
    await look_at(intake, NOW + GRACE)
    item = (await items(intake))[0]["item"]

    opened = await intake.http.get(f"/internal/set-aside/{item}", headers=DESK)
    await intake.http.post(f"/internal/set-aside/{item}/close", headers=DESK)
    await look_at(intake, NOW + 2 * GRACE)

    assert "id n-2" in opened.json()["content"]
    assert [] == await alarms(intake)
    assert ["opened"] == [each["state"] for each in await items(intake)]


# --- silence --------------------------------------------------------------------------------------


async def recorded(intake: Intake, source: str, times: Sequence[datetime]) -> None:
    """As if so many messages had come at these times."""
    conn = await asyncpg.connect(intake.admin_url)
    await conn.execute(
        'INSERT INTO intake.event_log (door, partition, "offset", outcome, source, received_at, '
        "recorded_at) SELECT $1, 9, (SELECT count(*) FROM intake.event_log) + n, 'repeated', $2, "
        "t, t FROM unnest($3::timestamptz[]) WITH ORDINALITY AS u (t, n)",
        (await conn.fetchval("SELECT id FROM intake.door")), source, times,
    )  # fmt: skip
    await conn.close()


async def awake(intake: Intake, since: datetime) -> None:
    """As if the watch had run since then."""
    conn = await asyncpg.connect(intake.admin_url)
    await conn.execute("UPDATE intake.source_watch SET since = $1, awake_since = $1", since)
    await conn.close()


async def test_the_police_of_monday_morning_are_missed_by_their_own_rhythm_and_heard_again(
    intake: Intake,
) -> None:
    await intake.take(NOTIFICATION, "n-1")
    monday = datetime(2026, 11, 16, 8, 10, tzinfo=HELSINKI)
    await recorded(intake, "police-1", [monday - timedelta(weeks=n) for n in range(1, 10)])
    await awake(intake, monday - timedelta(weeks=10))

    await look_at(intake, monday + timedelta(minutes=45))
    before = await alarms(intake)
    for later in range(60, 200, 20):
        await look_at(intake, monday + later * MINUTE)
    after = await alarms(intake)
    told_of = await missing(intake, "police-1")
    await recorded(intake, "police-1", [monday + 190 * MINUTE])
    await look_at(intake, monday + 200 * MINUTE)

    assert [] == before
    assert [("police-1", "silent", "weekday")] == after
    assert "2026-11-09T06:10:00Z" == told_of["silent_since"]
    assert [] == await alarms(intake)
    assert [] == await items(intake), "no message is known to be missing"


async def test_a_source_that_the_county_expects_is_missed_even_if_it_never_came(
    intake: Intake,
) -> None:
    await awake(intake, datetime.fromisoformat("2026-11-12T08:00:00+02:00"))
    expected = Stated(expected=(By.model_validate({"days": ["mon"], "by": "10:00"}),))

    await look_at(intake, datetime.fromisoformat("2026-11-16T09:59:00+02:00"), police_1=expected)
    before = await alarms(intake)
    await look_at(intake, datetime.fromisoformat("2026-11-16T10:00:00+02:00"), police_1=expected)

    assert [] == before
    assert [("police-1", "silent", "stated")] == await alarms(intake)


async def test_an_empty_list_is_a_sign_of_life_and_says_when_the_next_one_comes(
    intake: Intake,
) -> None:
    await send_list(intake, ids=[], next_by="2026-11-17T09:10:00Z")
    await look_at(intake, NOW + 10 * MINUTE + GRACE - MINUTE)
    before = await alarms(intake)
    await look_at(intake, NOW + 10 * MINUTE + GRACE)

    assert [] == before
    assert [("school-1", "silent", "no-list")] == await alarms(intake)


async def test_while_luotsi_was_away_no_source_was_silent(intake: Intake) -> None:
    await intake.take(NOTIFICATION, "n-1")
    monday = datetime(2026, 11, 16, 8, 10, tzinfo=HELSINKI)
    await recorded(intake, "police-1", [monday - timedelta(weeks=n) for n in range(1, 10)])
    await awake(intake, monday - timedelta(weeks=10))
    await look_at(intake, monday - timedelta(days=2))

    await look_at(intake, monday + timedelta(hours=4))

    assert [] == await alarms(intake)


# --- all together ---------------------------------------------------------------------------------


async def test_dropped_repeated_and_reordered_by_both_doors_every_gap_is_named_and_no_other(
    intake: Intake,
) -> None:
    chance = random.Random(7)
    sent = list(range(1, 241))
    dropped = {n for n in sent if chance.random() < 0.03} - {sent[-1]}
    way = [n for n in sent if n not in dropped]
    way += chance.choices(way, k=10)
    way.sort(key=lambda n: n + chance.random() * 8)
    over_http = set(chance.sample(way, k=15))
    batch = []
    for number in way:
        if number in over_http:
            assert (await post(intake, number)).status_code == 202
        else:
            ident = f"n-{number}"
            batch.append(intake.read(NOTIFICATION, ident, pairs=numbered(number, ident, "r")))
        if len(batch) == 30 and len({item.id for item in batch}) == 30:
            await intake.take_all(batch)
            batch = []
            await look_at(intake, NOW + GRACE - MINUTE)
            assert [] == await alarms(intake)
    for item in batch:
        await intake.take_all([item])
    await look_at(intake, NOW + GRACE)

    named = {n for first, last in await numbers_missing(intake) for n in range(first, last + 1)}
    assert dropped
    assert dropped == named


async def test_a_withdrawal_and_a_held_message_are_counted_too(intake: Intake) -> None:
    await send(intake, 1)
    taken_back = {"withdraws": "n-r-1", "reason": "Väärä lapsi."}
    pairs = [*headers("school-1", "w-1", WITHDRAWAL.type), ("ce_sequence", b"2")]
    row = await intake.take(
        taken_back, "w-1", pairs=[*pairs, ("ce_sequencerun", b"r")], kind="withdrawal"
    )
    async with intake.pool.acquire() as tx, tx.transaction():
        await pause(tx, "school-1", "w-1", "a test")
    await send(intake, 3)
    await look_at(intake, NOW + GRACE)

    assert "applied" == row.outcome
    assert [] == await alarms(intake)
