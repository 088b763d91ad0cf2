"""Pausing a source, the brake, going on, and taking many again, on a real PostgreSQL."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import orjson
import pytest
from pydantic import SecretStr

from services.intake import store as intake_store
from services.intake.api import api_routes
from services.intake.domain.brake import Brake
from services.intake.handlers import messages
from services.intake.settings import IntakeSettings
from services.intake.sources import resuming
from services.intake.sources.gate import guarded
from services.intake.sources.resuming import resume_slice
from shared import events, store
from shared.database import Pool, open_pool
from shared.inbox import Inbox, Raw
from shared.migrate import head, service_url
from shared.sealing import KeyFile, Sealer
from shared.service import Process, application
from shared.store import LogRow
from tests.system import NOTIFICATION, fetch, headers, value

NOW = datetime(2026, 11, 17, 9, 0, tzinfo=UTC)
BAD = {**NOTIFICATION, "observations": ""}
DESK = {"authorization": "Bearer token-of-desk", "x-luotsi-worker": "w-1"}


@dataclass
class Intake:
    """Intake without Kafka: records are handed to its inbox, requests to its application."""

    pool: Pool
    inbox: Inbox[events.Message]
    sealer: Sealer
    http: httpx2.AsyncClient
    admin_url: str
    offset: int = 0
    left: list[Any] = field(default_factory=list)

    async def take(
        self, *messages: tuple[str, str, Any], at: datetime = NOW, partition: int = 0
    ) -> list[LogRow]:
        """One batch of (source, id, content) through the inbox, in one transaction."""
        batch = []
        for source, ident, content in messages:
            raw = Raw(
                partition, self.offset, at, b"k", headers(source, ident), orjson.dumps(content)
            )
            self.offset += 1
            batch.append(self.inbox.read(raw))
        async with self.pool.acquire() as tx, tx.transaction():
            door = await store.door(tx, "intake", "cluster", events.INTAKE_NOTIFICATION)
            return await self.inbox.take(tx, door, batch)

    async def ask(self, path: str, **body: Any) -> Any:
        answer = await self.http.post(path, headers=DESK, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def pause(self, source: str = "school-1") -> Any:
        return await self.ask("/internal/sources/pause", source=source, why="a test release")

    async def resume(self, source: str = "school-1") -> Any:
        return await self.ask("/internal/sources/resume", source=source)

    async def go_on(self) -> None:
        """Everything that goes on, to its end."""
        await self.relay()
        while await resume_slice(self.pool, self.sealer, self.inbox):
            await self.relay()

    async def relay(self) -> None:
        """What stands in the outbox leaves."""
        rows = await fetch(
            self.admin_url,
            "DELETE FROM intake.outbox RETURNING id, convert_from(value, 'UTF8') v",
        )
        self.left += [orjson.loads(row["v"]) for row in sorted(rows, key=lambda row: row["id"])]

    async def state(self, source: str = "school-1") -> Any:
        answer = await self.http.get("/internal/sources", headers=DESK)
        found = {each["source"]: each for each in answer.json()["sources"]}
        return found[source]

    async def post(self, content: Any, ident: str = "h-1", source: str = "school-1") -> Any:
        given = {"authorization": f"Bearer token-of-{source}", "ce-id": ident}
        return await self.http.post(
            "/v1/notifications", content=orjson.dumps(content), headers=given
        )

    async def outcomes(self) -> dict[str, str]:
        rows = await fetch(self.admin_url, "SELECT event_id, outcome FROM intake.event_log")
        return {row["event_id"]: row["outcome"] for row in rows}

    async def sent(self) -> list[Any]:
        """What left by the outbox, in its order."""
        await self.relay()
        return self.left

    async def unaccounted(self) -> int:
        """I1 of both doors: what was handed in minus the rows of the log."""
        rows = await value(self.admin_url, "SELECT count(*) FROM intake.event_log")
        asked = await value(self.admin_url, "SELECT count(*) FROM intake.http_request")
        return self.offset + int(asked) - int(rows)


@pytest.fixture
async def intake(database_url: str, tmp_path: Path) -> AsyncIterator[Intake]:
    KeyFile.create(tmp_path / "keys.json")
    tokens = {
        hashlib.sha256(f"token-of-{name}".encode()).hexdigest(): name
        for name in ("desk", "school-1", "police-1")
    }
    (tmp_path / "tokens.json").write_bytes(orjson.dumps(tokens))
    url = service_url(database_url, "intake", "luotsi")
    settings = IntakeSettings(
        database_url=SecretStr(url), key_file=tmp_path / "keys.json",
        tokens_file=tmp_path / "tokens.json",
    )  # fmt: skip
    sealer = Sealer(KeyFile(settings.key_file))
    inbox = guarded(messages(sealer, lambda: NOW), Brake())
    pool = await open_pool(url, "intake", size=4)
    process = Process("intake", "intake", head("intake"), settings, _pool=pool)
    app = application(process)
    api_routes(app, process, settings, sealer, inbox, lambda: NOW)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://intake") as http:
        yield Intake(pool, inbox, sealer, http, database_url)
    await pool.close()


def about(sent: list[Any], kind: str, state: str | None = None) -> list[Any]:
    return [s for s in sent if s.get("kind") == kind and s.get("state") == state]


# --- held -----------------------------------------------------------------------------------------


async def test_a_paused_source_is_held_and_told_of_and_others_go_on(intake: Intake) -> None:
    await intake.pause()
    held, other = await intake.take(
        ("school-1", "n-1", NOTIFICATION), ("police-1", "n-1", NOTIFICATION)
    )

    assert (held.outcome, held.reason, other.outcome) == ("held", "source-paused", "applied")
    assert b"Testi" not in (held.body or b"")
    (opened,) = await intake.sent()
    item = events.SetAside.model_validate_json(orjson.dumps(opened))
    assert (item.outcome, item.state, item.received_at) == ("held", "opened", NOW)
    state = await intake.state()
    assert (state["state"], state["by"], state["why"]) == ("paused", "w-1", "a test release")
    assert (state["held"], state["today"], state["last_hour"]) == (1, {"held": 1}, {"held": 1})
    assert 0 == await intake.unaccounted()


async def test_a_held_request_is_answered_as_taken_and_its_source_sees_that_it_waits(
    intake: Intake,
) -> None:
    await intake.pause()
    answer = await intake.post(NOTIFICATION)
    asked = await intake.http.get(
        "/v1/messages/school-1/h-1", headers={"authorization": "Bearer token-of-school-1"}
    )

    assert (answer.status_code, answer.json()["outcome"]) == (202, "accepted")
    assert asked.json()["state"] == "waiting"
    (opened,) = await intake.sent()
    assert opened["item"] == answer.json()["receipt_id"]
    assert 0 == await intake.unaccounted()

    await intake.resume()
    await intake.go_on()
    assert {"h-1": "applied"} == await intake.outcomes()
    assert ["accepted"] == [
        s["outcome"] for s in await intake.sent() if {"source_id", "outcome"} <= s.keys()
    ]


async def test_what_was_held_is_applied_in_its_order_with_its_first_time_of_receipt(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resuming, "SLICE", 3)
    await intake.pause()
    for number in range(8):
        at = NOW + timedelta(minutes=number)
        await intake.take(("school-1", f"n-{number}", NOTIFICATION), at=at)
    await intake.resume()
    await intake.go_on()

    sent = await intake.sent()
    signals = about(sent, "notification")
    assert [NOW + timedelta(minutes=n) for n in range(8)] == [
        datetime.fromisoformat(signal["received_at"]) for signal in signals
    ]
    receipts = [s for s in sent if s.get("outcome") == "accepted"]
    assert [f"n-{n}" for n in range(8)] == [each["source_id"] for each in receipts]
    opened, closed = about(sent, "set_aside", "opened"), about(sent, "set_aside", "closed")
    assert [each["item"] for each in opened] == [each["item"] for each in closed]
    assert {"resumed"} == {each["reason"] for each in closed}
    assert {"applied"} == set((await intake.outcomes()).values())
    assert (await intake.state())["state"] == "open"
    assert 0 == await intake.unaccounted()


async def test_while_a_source_goes_on_what_is_new_waits_behind_what_is_held(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resuming, "SLICE", 1)
    await intake.pause()
    await intake.take(("school-1", "n-1", NOTIFICATION), ("school-1", "n-2", NOTIFICATION))
    await intake.resume()
    await resume_slice(intake.pool, intake.sealer, intake.inbox)
    (new,) = await intake.take(("school-1", "n-3", NOTIFICATION))

    assert (new.outcome, new.reason) == ("held", "source-resuming")
    await intake.go_on()
    receipts = [s["source_id"] for s in await intake.sent() if s.get("outcome") == "accepted"]
    assert ["n-1", "n-2", "n-3"] == receipts
    (newer,) = await intake.take(("school-1", "n-4", NOTIFICATION))
    assert newer.outcome == "applied"


async def test_a_source_does_not_open_before_what_it_said_has_left(intake: Intake) -> None:
    """What is new is answered without the outbox, and would overtake it."""
    await intake.pause()
    await intake.take(("school-1", "n-1", NOTIFICATION))
    await intake.relay()
    await intake.resume()
    while await resume_slice(intake.pool, intake.sealer, intake.inbox):
        pass
    (new,) = await intake.take(("school-1", "n-2", NOTIFICATION))

    assert {"n-1": "applied", "n-2": "held"} == await intake.outcomes()
    assert new.reason == "source-resuming"
    await intake.go_on()
    assert (await intake.state())["state"] == "open"


async def test_a_source_does_not_open_while_a_batch_is_just_holding_something_of_it(
    intake: Intake,
) -> None:
    """The batch has not committed: nothing is held yet that another transaction could see."""
    await intake.pause()
    await intake.resume()
    async with intake.pool.acquire() as tx:
        async with tx.transaction():
            door = await store.door(tx, "intake", "cluster", events.INTAKE_NOTIFICATION)
            raw = Raw(0, 0, NOW, b"k", headers("school-1", "n-1"), orjson.dumps(NOTIFICATION))
            intake.offset = 1
            await intake.inbox.take(tx, door, [intake.inbox.read(raw)])
            opening = asyncio.create_task(resume_slice(intake.pool, intake.sealer, intake.inbox))
            await _until_somebody_waits(intake)
        await opening

    assert (await intake.state())["state"] == "resuming"
    await intake.go_on()
    assert {"n-1": "applied"} == await intake.outcomes()


async def _until_somebody_waits(intake: Intake) -> None:
    async with asyncio.timeout(20):
        while not await value(
            intake.admin_url,
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
            "AND datname = current_database()",
        ):
            await asyncio.sleep(0.02)


async def test_a_source_paused_again_while_it_goes_on_keeps_what_is_left(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resuming, "SLICE", 1)
    await intake.pause()
    await intake.take(("school-1", "n-1", NOTIFICATION), ("school-1", "n-2", NOTIFICATION))
    await intake.resume()
    await resume_slice(intake.pool, intake.sealer, intake.inbox)
    await intake.pause()
    await intake.go_on()

    assert {"n-1": "applied", "n-2": "held"} == await intake.outcomes()
    assert (await intake.state())["state"] == "paused"


async def test_a_held_message_that_cannot_be_read_is_quarantined_then_and_stops_no_other(
    intake: Intake,
) -> None:
    await intake.pause()
    rows = await intake.take(
        ("school-1", "n-1", NOTIFICATION),
        ("school-1", "n-2", BAD),
        ("school-1", "n-1", {**NOTIFICATION, "observations": "Aivan muuta."}),
        ("school-1", "n-3", NOTIFICATION),
    )
    await intake.resume()
    await intake.go_on()

    assert {"held"} == {row.outcome for row in rows}
    log = await fetch(
        intake.admin_url, 'SELECT outcome, reason FROM intake.event_log ORDER BY "offset"'
    )
    assert [tuple(row) for row in log] == [
        ("applied", "resumed"), ("quarantined", "invalid-content"),
        ("quarantined", "same-id-other-content"), ("applied", "resumed"),
    ]  # fmt: skip
    sent = await intake.sent()
    receipts = [
        (s["source_id"], s["outcome"]) for s in sent if {"source_id", "outcome"} <= s.keys()
    ]
    assert receipts == [
        ("n-1", "accepted"), ("n-2", "quarantined"), ("n-1", "quarantined"), ("n-3", "accepted"),
    ]  # fmt: skip
    opened = {each["item"] for each in about(sent, "set_aside", "opened")}
    closed = {each["item"] for each in about(sent, "set_aside", "closed")}
    left = await fetch(intake.admin_url, "SELECT id FROM intake.set_aside WHERE closed_at IS NULL")
    assert opened - closed == {str(row["id"]) for row in left}
    assert (6, 4, 2) == (len(opened), len(closed), len(left))
    (first, *_) = left
    answer = await intake.http.get(f"/internal/set-aside/{first['id']}", headers=DESK)
    assert "Testi Opettaja" in answer.json()["content"]


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


async def test_a_held_message_at_which_the_handler_fails_is_parked_and_stops_no_other(
    intake: Intake,
) -> None:
    await intake.take(("police-1", "n-0", NOTIFICATION))
    await intake.pause()
    unknown = {**NOTIFICATION, "children": [{"hetu": "020594X903P"}]}
    await intake.take(
        ("school-1", "n-1", unknown),
        ("school-1", "n-2", NOTIFICATION),
        ("school-1", "n-1", unknown),
    )
    async with broken(intake):
        await intake.resume()
        await intake.go_on()

    log = await fetch(
        intake.admin_url, 'SELECT outcome, reason FROM intake.event_log ORDER BY "offset"'
    )
    assert [tuple(row) for row in log] == [
        ("applied", None), ("parked", "handler-failed"), ("applied", "resumed"),
        ("parked", "waits-behind-parked"),
    ]  # fmt: skip
    item = await value(
        intake.admin_url, "SELECT id FROM intake.set_aside WHERE reason = 'handler-failed'"
    )
    again = await intake.http.post(f"/internal/set-aside/{item}/redrive", headers=DESK)
    assert again.json() == {"applied": 2}
    assert 0 == await intake.unaccounted()


async def test_a_person_may_take_a_held_message_that_cannot_wait(intake: Intake) -> None:
    await intake.pause()
    await intake.take(("school-1", "n-1", NOTIFICATION), ("school-1", "n-2", NOTIFICATION))
    item = await value(intake.admin_url, "SELECT id FROM intake.set_aside WHERE event_id = 'n-2'")

    not_closed = await intake.http.post(f"/internal/set-aside/{item}/close", headers=DESK)
    taken = await intake.http.post(f"/internal/set-aside/{item}/redrive", headers=DESK)

    assert not_closed.json() == {"closed": False}
    assert taken.json() == {"applied": 1}
    await intake.resume()
    await intake.go_on()
    assert {"n-1": "applied", "n-2": "applied"} == await intake.outcomes()
    assert 2 == len(about(await intake.sent(), "notification"))


async def test_who_pauses_and_resumes_is_noted_and_nobody_but_the_desk_may(
    intake: Intake,
) -> None:
    stranger = {**DESK, "authorization": "Bearer token-of-school-1"}
    body = {"source": "school-1", "why": "x"}
    refused = await intake.http.post("/internal/sources/pause", headers=stranger, json=body)
    personal = await intake.http.post(
        "/internal/sources/pause", headers=DESK, json={**body, "why": "about 010594Y9032"}
    )
    await intake.pause()
    again = await intake.pause()
    await intake.resume()

    assert [403, 422] == [refused.status_code, personal.status_code]
    assert "010594" not in personal.text
    assert again["state"] == "paused"
    audit = await fetch(intake.admin_url, "SELECT actor, act, subject FROM intake.audit")
    assert [tuple(row) for row in audit] == [
        ("w-1", "pause-source", "school-1"), ("w-1", "pause-source", "school-1"),
        ("w-1", "resume-source", "school-1"),
    ]  # fmt: skip


# --- the brake ------------------------------------------------------------------------------------


async def test_a_source_that_fails_too_often_is_braked_and_no_other(intake: Intake) -> None:
    good = [("school-1", f"g-{n}", NOTIFICATION) for n in range(9)]
    bad = [("school-1", f"b-{n}", BAD) for n in range(11)]
    await intake.take(*good, *bad[:10])
    assert (await intake.state())["state"] == "open"  # ten of nineteen

    await intake.take(bad[10])
    braked = await intake.state()
    held, other = await intake.take(
        ("school-1", "n-1", NOTIFICATION), ("police-1", "n-1", NOTIFICATION)
    )

    assert (braked["state"], braked["by"]) == ("braked", "luotsi")
    assert braked["why"] == "11 of 20 messages quarantined"
    assert (held.outcome, held.reason, other.outcome) == ("held", "source-braked", "applied")
    assert 1 == await value(
        intake.admin_url, "SELECT count(*) FROM intake.audit WHERE act = 'brake-source'"
    )


@pytest.mark.parametrize(("good", "bad"), [(51, 49), (10, 10), (0, 19)])
async def test_a_smaller_share_or_a_few_messages_do_not_brake(
    intake: Intake, good: int, bad: int
) -> None:
    await intake.take(*[("school-1", f"g-{n}", NOTIFICATION) for n in range(good)])
    for number in range(bad):
        await intake.take(("school-1", f"b-{number}", BAD))

    assert (await intake.state())["state"] == "open"


async def test_what_came_more_than_an_hour_ago_does_not_count(intake: Intake) -> None:
    await intake.take(*[("school-1", f"b-{n}", BAD) for n in range(19)])
    await fetch(
        intake.admin_url,
        "UPDATE intake.event_log SET recorded_at = recorded_at - interval '61 minutes'",
    )
    await intake.take(("school-1", "b-20", BAD))

    assert (await intake.state())["state"] == "open"


async def test_a_request_trips_the_brake_too_and_the_next_is_held(intake: Intake) -> None:
    answers = [await intake.post(BAD, f"h-{n}") for n in range(21)]

    assert [422] * 20 == [answer.status_code for answer in answers[:20]]
    assert 202 == answers[20].status_code
    assert 0 == await intake.unaccounted()


async def test_a_braked_source_that_a_person_lets_go_on_starts_anew(intake: Intake) -> None:
    await intake.take(*[("school-1", f"b-{n}", BAD) for n in range(20)])
    await intake.take(*[("school-1", f"c-{n}", BAD) for n in range(5)])
    await intake.resume()
    await intake.go_on()
    opened = await intake.state()
    await intake.take(("school-1", "d-1", BAD))

    assert (opened["state"], opened["held"]) == ("open", 0)
    assert {"quarantined": 25} == opened["today"]
    assert (await intake.state())["state"] == "open"


# --- taking many again ----------------------------------------------------------------------------


async def parked(intake: Intake, source: str, ident: str, at: datetime = NOW) -> None:
    """A message at which the handler has raised."""
    raw = Raw(0, intake.offset, at, b"k", headers(source, ident), orjson.dumps(NOTIFICATION))
    intake.offset += 1
    async with intake.pool.acquire() as tx, tx.transaction():
        door = await store.door(tx, "intake", "cluster", events.INTAKE_NOTIFICATION)
        await intake.inbox.take(tx, door, [intake.inbox.read(raw)], RuntimeError("a bug"))


async def many(intake: Intake) -> None:
    """Parked of two sources at two times, and one that cannot be read."""
    await parked(intake, "school-1", "n-1")
    await parked(intake, "school-1", "n-2", NOW + timedelta(hours=2))
    await parked(intake, "police-1", "n-3")
    await intake.take(("school-1", "n-4", BAD), at=NOW + timedelta(hours=1))


EARLY = {"until": "2026-11-17T10:00:00Z"}
LATE = {"since": "2026-11-17T10:00:00Z"}


@pytest.mark.parametrize(
    ("filters", "matched", "applied"),
    [
        ({"source": "school-1"}, {"handler-failed": 2, "invalid-content": 1}, {"n-1", "n-2"}),
        ({"source": "police-1"}, {"handler-failed": 1}, {"n-3"}),
        ({"reason": "handler-failed"}, {"handler-failed": 3}, {"n-1", "n-2", "n-3"}),
        ({"reason": "invalid-content"}, {"invalid-content": 1}, set()),
        (EARLY, {"handler-failed": 2}, {"n-1", "n-3"}),
        (LATE, {"handler-failed": 1, "invalid-content": 1}, {"n-2"}),
        (
            {"source": "school-1", "reason": "handler-failed", **LATE},
            {"handler-failed": 1},
            {"n-2"},
        ),
    ],
)
async def test_many_are_taken_again_by_source_reason_and_time(
    intake: Intake, filters: dict[str, str], matched: dict[str, int], applied: set[str]
) -> None:
    await many(intake)

    counted = await intake.ask("/internal/redrive", **filters, dry_run=True)
    nothing = {k for k, outcome in (await intake.outcomes()).items() if outcome == "applied"}
    done = await intake.ask("/internal/redrive", **filters)

    assert (counted["matched"], counted["tried"], nothing) == (matched, 0, set())
    assert (done["matched"], done["tried"]) == (matched, sum(matched.values()))
    assert applied == {k for k, o in (await intake.outcomes()).items() if o == "applied"}
    assert done["applied"] == len(applied)
    failed = {"invalid-content": 1} if "invalid-content" in matched else {}
    assert (done["failed"], done["next"]) == (failed, None)


async def test_a_dry_run_changes_nothing(intake: Intake) -> None:
    await many(intake)
    tables = ("event_log", "set_aside", "outbox", "audit", "parked_key")

    async def everything() -> list[Any]:
        return [
            [tuple(row) for row in await fetch(intake.admin_url, f"SELECT * FROM intake.{table}")]  # noqa: S608 -- names of this test
            for table in tables
        ]

    before = await everything()
    await intake.ask("/internal/redrive", reason="handler-failed", dry_run=True)

    assert before == await everything()


async def test_many_are_taken_in_calls_of_a_bounded_size_oldest_first(intake: Intake) -> None:
    await many(intake)
    calls: list[Any] = []
    after = None
    while after is not None or not calls:
        calls.append(
            await intake.ask("/internal/redrive", reason="handler-failed", limit=2, after=after)
        )
        after = calls[-1]["next"]

    assert [2, 1] == [call["tried"] for call in calls]
    receipts = [s["source_id"] for s in await intake.sent() if s.get("outcome") == "accepted"]
    assert {"n-1", "n-3"} == set(receipts[:2])
    assert "n-2" == receipts[2]
    audit = await fetch(
        intake.admin_url, "SELECT act, count(*) FROM intake.audit GROUP BY act ORDER BY act"
    )
    assert [tuple(row) for row in audit] == [("re-drive", 3), ("re-drive-many", 2)]


async def test_what_follows_another_of_its_key_is_no_failure(intake: Intake) -> None:
    await parked(intake, "school-1", "n-1")
    await parked(intake, "school-1", "n-1", NOW + timedelta(hours=1))

    done = await intake.ask("/internal/redrive", source="school-1")

    assert (done["tried"], done["applied"], done["failed"]) == (2, 2, {})


async def test_everything_at_once_is_not_taken_again_by_a_slip(intake: Intake) -> None:
    answer = await intake.http.post("/internal/redrive", headers=DESK, json={})

    assert answer.status_code == 422


async def test_the_http_doors_account_counts_what_is_held(intake: Intake) -> None:
    await intake.pause()
    await intake.post(NOTIFICATION)
    async with intake.pool.acquire() as conn:
        door = await store.door(conn, "http", "http", "/v1/notifications")
        assert 0 == await intake_store.http_unaccounted(conn, door)
        assert {"held": 1} == await store.open_counts(conn)


async def test_a_held_message_whose_key_was_destroyed_is_closed(intake: Intake) -> None:
    await intake.pause()
    await intake.take(("school-1", "n-1", NOTIFICATION), ("school-1", "n-2", NOTIFICATION))
    item: UUID = await value(
        intake.admin_url, "SELECT id FROM intake.set_aside WHERE event_id = 'n-1'"
    )
    await fetch(intake.admin_url, "DELETE FROM keys.data_key WHERE id = $1", item)
    intake.sealer = Sealer(intake.sealer.keys)
    await intake.resume()
    await intake.go_on()

    assert {"n-1": "quarantined", "n-2": "applied"} == await intake.outcomes()
    assert 0 == await value(
        intake.admin_url, "SELECT count(*) FROM intake.set_aside WHERE closed_at IS NULL"
    )
