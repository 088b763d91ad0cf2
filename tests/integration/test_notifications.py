"""Notices on a real PostgreSQL, a real SMTP conversation and a real Kafka."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx2
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.kafka import ExistingKafka, KafkaNode
from deploy.local.machine import free_port
from deploy.local.mailcatcher import Box, Caught, build_app, listen
from deploy.local.process import BackgroundProcess
from services.notifications.channels import smtp
from services.notifications.handlers import case_events, signals
from services.notifications.redrive import NotParkedError, redrive
from services.notifications.sender import Sender, Templates
from services.notifications.settings import NotificationSettings
from services.notifications.watch import measure
from shared import metrics, store
from shared.bus import split_repeats
from shared.clock import utc_now
from shared.database import Pool, open_pool
from shared.events import (
    CASE,
    NOTICE,
    SIGNAL,
    CaseEvent,
    CaseEventKind,
    CodedFacts,
    Holder,
    Language,
    NoticeEvent,
    Notifier,
    Signal,
)
from shared.inbox import Inbox, Raw
from shared.migrate import service_url
from shared.sealing import KeyFile, Sealer
from shared.topics import create_topics

ROOT = Path(__file__).resolve().parents[2]
AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
CANARIES = ("Kanarianlintu", "Äänekosken", "kanariasähköposti", "0401239876")


# --- what comes in --------------------------------------------------------------------------------


@dataclass
class County:
    """A service's database with its keys, a mail server, and what a sender needs."""

    pool: Pool
    owner: asyncpg.Connection
    keys: KeyFile
    box: Box
    settings: NotificationSettings
    offsets: dict[str, int] = field(default_factory=dict)

    def sender(self, **changes: Any) -> Sender:
        settings = self.settings.model_copy(update=changes)
        return Sender(settings, Sealer(self.keys), Templates.load(), smtp(settings), utc_now)

    async def take_signals(
        self, arriving: Sequence[Signal], not_before: datetime | None = None
    ) -> list[str]:
        inbox = signals(self.keys, utc_now, not_before)
        return await self._take(inbox, SIGNAL, [s.model_dump_json() for s in arriving])

    async def take_case_events(
        self, arriving: Sequence[CaseEvent], not_before: datetime | None = None
    ) -> list[str]:
        inbox = case_events(utc_now, not_before)
        return await self._take(inbox, CASE, [e.model_dump_json() for e in arriving])

    async def _take(self, inbox: Inbox[Any], topic: str, values: Sequence[str]) -> list[str]:
        first = self.offsets.get(topic, 0)
        self.offsets[topic] = first + len(values)
        records = [
            inbox.read(Raw(0, offset, AT, b"k", [], value.encode()))
            for offset, value in enumerate(values, first)
        ]
        outcomes: list[str] = []
        async with self.pool.acquire() as conn:
            door = await store.door(conn, "test", "cluster", topic)
            for part in split_repeats(records):
                async with conn.transaction():
                    outcomes += [row.outcome for row in await inbox.take(conn, door, part)]
        return outcomes

    async def sealed_notifier(self, receipt: UUID, notifier: Notifier) -> str:
        sealer = Sealer(self.keys)
        key = sealer.new_key(uuid4())
        async with self.pool.acquire() as conn:
            await store.add_data_keys(conn, [key])
        return sealer.seal(key.id, "notifier", str(receipt), notifier.model_dump_json().encode())

    async def a_message(
        self, children: int = 1, notifier: Notifier | None = None, received_at: datetime = AT
    ) -> list[Signal]:
        receipt = uuid4()
        sealed = await self.sealed_notifier(receipt, notifier or a_notifier())
        return [
            Signal(
                id=f"{receipt}.{index}",
                child=uuid4(),
                receipt_id=receipt,
                index=index,
                children=children,
                received_at=received_at,
                provisional=False,
                age_band="7-12",
                facts=CodedFacts(),
                person=sealed,
                text=sealed,
                notifier=sealed,
            )
            for index in range(children)
        ]

    def mails(self) -> list[Caught]:
        return list(self.box.newest())

    async def notices(self) -> list[asyncpg.Record]:
        return await self.owner.fetch(
            "SELECT * FROM notifications.notice ORDER BY created_at, priority"
        )

    async def states(self) -> list[str]:
        return [row["state"] for row in await self.notices()]

    async def outbox(self) -> list[NoticeEvent]:
        rows = await self.owner.fetch("SELECT value FROM notifications.outbox ORDER BY id")
        return [NoticeEvent.model_validate_json(row["value"]) for row in rows]

    async def make_due(self) -> None:
        await self.owner.execute("UPDATE notifications.notice SET next_try_at = now()")


def a_notifier(email: str | None = "opettaja@koulu.example", language: Language = "fi") -> Notifier:
    return Notifier(kind="education", name="Testi Opettaja", email=email, language=language)


def a_case_event(
    seq: int,
    child: UUID,
    kind: CaseEventKind = "screened",
    holder: Holder | None = "duty",
    *,
    urgent: bool = False,
    at: datetime = AT,
) -> CaseEvent:
    return CaseEvent(
        id=f"{child}.{seq}", child=child, seq=seq, kind=kind, at=at, holder=holder, urgent=urgent
    )


class Moody(Box):
    """A mail server that refuses by what stands before the @, and says what it is told to."""

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: object
    ) -> str:
        if address.startswith("nobody"):
            return "550 5.1.1 no such user"
        if address.startswith("busy"):
            return "450 4.2.1 try later"
        envelope.rcpt_tos.append(address)
        return "250 OK"


@pytest.fixture
async def county(database_url: str, tmp_path: Path) -> AsyncIterator[County]:
    KeyFile.create(tmp_path / "keys.json")
    box = Moody(tmp_path / "mail")
    port = free_port()
    server = await listen(box, port)
    url = service_url(database_url, "notifications", "luotsi")
    settings = NotificationSettings(
        database_url=url,  # type: ignore[arg-type]
        key_file=tmp_path / "keys.json",
        smtp_port=port,
        mail_sender="posti@maakunta.example",
        duty_address="vuoro@maakunta.example",
        max_attempts=3,
    )
    pool = await open_pool(url, "notifications")
    owner = await asyncpg.connect(database_url)
    yield County(pool, owner, KeyFile(tmp_path / "keys.json"), box, settings)
    await owner.close()
    await pool.close()
    server.close()
    await server.wait_closed()


# --- receipts -------------------------------------------------------------------------------------


async def test_a_message_about_three_children_gets_one_receipt(county: County) -> None:
    outcomes = await county.take_signals(await county.a_message(children=3))
    sent = await county.sender().turn(county.pool)

    assert ["applied"] * 3 == outcomes
    assert 1 == sent
    [mail] = county.mails()
    [notice] = await county.notices()
    assert "opettaja@koulu.example" == mail.to
    assert "posti@maakunta.example" == mail.sender
    assert "22.11.2026 klo 12.00" in mail.text
    assert notice["reference"] in mail.text
    assert f"<{notice['id']}@maakunta.example>" == mail.message_id
    assert "delivered" == notice["state"]
    assert ["received_at", "reference"] == notice["items"]
    assert ("notifier", "SEC-01", "policy", "email") == (
        notice["recipient"], notice["basis"], notice["released_by"], notice["channel"],
    )  # fmt: skip


async def test_where_nobody_has_confirmed_nobody_is_told(county: County) -> None:
    (signal,) = await county.a_message()
    nobody = signal.model_copy(update={"kind": "absence", "notifier": None, "missing": ("step",)})

    assert ["applied"] == await county.take_signals([nobody])
    assert [] == await county.notices()


async def test_a_receipt_holds_no_id_of_child_case_or_message(county: County) -> None:
    [signal] = await county.a_message()
    await county.take_signals([signal])
    await county.sender().turn(county.pool)

    raw = next(county.box.directory.glob("*.eml")).read_text(encoding="utf-8").lower()
    for ident in (signal.child, signal.receipt_id):
        assert str(ident) not in raw
        assert ident.hex not in raw


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("fi", "Viestisi on vastaanotettu"),
        ("sv", "Vi har tagit emot ditt meddelande"),
        ("en", "We have received your message"),
    ],
)
async def test_a_receipt_speaks_the_notifiers_language(
    county: County, language: Language, subject: str
) -> None:
    await county.take_signals(await county.a_message(notifier=a_notifier(language=language)))
    await county.sender().turn(county.pool)

    assert [subject] == [mail.subject for mail in county.mails()]


async def test_a_signal_that_comes_again_sends_nothing_again(county: County) -> None:
    [signal] = await county.a_message()
    await county.take_signals([signal])
    await county.sender().turn(county.pool)

    again = await county.take_signals([signal, signal])
    replayed = signal.model_copy(update={"id": "the-same-message-under-another-id"})
    replay = await county.take_signals([replayed])
    sent = await county.sender().turn(county.pool)

    assert (["repeated", "repeated"], ["applied"], 0) == (again, replay, sent)
    assert 1 == len(county.mails())


async def test_who_reads_the_notifier_is_on_record_and_without_a_record_nobody_reads(
    county: County,
) -> None:
    [signal] = await county.a_message()
    await county.take_signals([signal])
    await county.owner.execute("REVOKE INSERT ON notifications.audit FROM luotsi_notifications")
    await county.sender().turn(county.pool)
    assert [] == county.mails()

    await county.owner.execute("GRANT INSERT ON notifications.audit TO luotsi_notifications")
    await county.make_due()
    await county.sender().turn(county.pool)

    [entry] = await county.owner.fetch("SELECT * FROM notifications.audit")
    assert 1 == len(county.mails())
    assert ("luotsi.notifications", "open_notifier", str(signal.receipt_id), "receipt") == (
        entry["actor"], entry["act"], entry["subject"], entry["purpose"],
    )  # fmt: skip


async def test_a_notifier_without_an_address_ends_as_no_channel(county: County) -> None:
    await county.take_signals(await county.a_message(notifier=a_notifier(email=None)))
    await county.sender().turn(county.pool)

    assert ["no_channel"] == await county.states()
    assert [] == county.mails()
    assert [] == await county.outbox()


async def test_nothing_of_the_notifier_is_in_any_column_in_the_clear(county: County) -> None:
    notifier = Notifier(
        kind="education",
        name="Testi Kanarianlintu",
        organisation="Äänekosken testikoulu",
        phone="0401239876",
        email="kanariasähköposti@koulu.example",
    )
    bad = notifier.model_copy(update={"email": "nobody.kanariasähköposti@koulu.example"})
    await county.take_signals(await county.a_message(notifier=notifier))
    await county.take_signals(await county.a_message(notifier=bad))
    await county.sender().turn(county.pool)

    stored = await everything_stored(county.owner)
    caught = county.mails()
    assert ["failed", "delivered"] == sorted(await county.states(), reverse=True)
    assert "kanariasähköposti@koulu.example" == caught[0].to  # so the canaries are found
    for canary in CANARIES:
        assert canary.encode() not in stored
        assert canary.encode("unicode_escape") not in stored


async def everything_stored(owner: asyncpg.Connection) -> bytes:
    """Every value of every column of the service's schema and of the keys."""
    tables = await owner.fetch(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables "
        "WHERE schemaname IN ('notifications', 'keys')"
    )
    found = []
    for table in tables:
        for row in await owner.fetch(f"SELECT * FROM {table['name']}"):  # noqa: S608
            found += [v if isinstance(v, bytes) else str(v).encode() for v in row.values()]
    assert len(found) > 50
    return b"\n".join(found)


async def test_an_erased_notifier_is_told_nothing_and_a_person_is(county: County) -> None:
    await county.take_signals(await county.a_message())
    await county.owner.execute("DELETE FROM keys.data_key")
    await county.sender().turn(county.pool)

    [event] = await county.outbox()
    assert [] == county.mails()
    assert ("undeliverable", "notifier-unreadable") == (event.kind, event.reason)


async def test_what_was_received_before_the_start_is_recorded_and_never_sent(
    county: County,
) -> None:
    start = AT + timedelta(hours=1)
    await county.take_signals(await county.a_message(), not_before=start)
    await county.take_signals(await county.a_message(received_at=start), not_before=start)
    await county.take_case_events([a_case_event(1, uuid4())], not_before=start)
    await county.sender().turn(county.pool)

    assert ["delivered", "skipped_before_start"] == sorted(await county.states())
    assert 1 == len(county.mails())


async def test_what_waited_while_sending_was_off_is_skipped_when_it_starts_later(
    county: County,
) -> None:
    await county.take_signals(await county.a_message())
    await county.take_case_events([a_case_event(1, uuid4())])
    sender = county.sender(not_before=AT + timedelta(hours=1), poll_seconds=0.01)

    loop = asyncio.create_task(sender.run(county))  # type: ignore[arg-type]
    await until(lambda: all_are(county, "skipped_before_start"))
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)

    assert [] == county.mails()


async def all_are(county: County, state: str) -> bool:
    return {state} == set(await county.states())


# --- leases, tries, failures ----------------------------------------------------------------------


async def test_two_senders_never_hold_the_same_notice(county: County) -> None:
    messages = [await county.a_message() for _ in range(40)]
    await county.take_signals([signal for message in messages for signal in message])

    senders = [county.sender(send_parallel=5) for _ in range(2)]
    while sum(await asyncio.gather(*(s.turn(county.pool) for s in senders))):
        pass

    assert 40 == len(county.mails())
    assert 40 == len({mail.message_id for mail in county.mails()})
    assert {"delivered"} == set(await county.states())


async def test_a_lease_runs_out_and_the_late_sender_changes_nothing(county: County) -> None:
    await county.take_signals(await county.a_message())
    taken, go_on = asyncio.Event(), asyncio.Event()
    slow = county.sender()

    async def stuck(mail: Any) -> None:
        taken.set()
        await go_on.wait()
        await smtp(county.settings)(mail)

    object.__setattr__(slow, "send", stuck)
    turn = asyncio.create_task(slow.turn(county.pool))
    await taken.wait()
    assert 0 == await county.sender().turn(county.pool)  # held

    await county.owner.execute("UPDATE notifications.notice SET lease_until = now()")
    assert 1 == await county.sender().turn(county.pool)
    before = await county.notices()
    go_on.set()
    await turn

    assert ["delivered"] == await county.states()
    assert before == await county.notices()
    assert 1 == len({mail.message_id for mail in county.mails()})


async def test_a_refused_address_becomes_a_task_for_a_person_at_once(county: County) -> None:
    notifier = a_notifier("nobody@koulu.example")
    [signal] = await county.a_message(notifier=notifier)
    await county.take_signals([signal])
    await county.sender().turn(county.pool)

    [notice] = await county.notices()
    [event] = await county.outbox()
    key = await county.owner.fetchval("SELECT key FROM notifications.outbox")
    assert ("failed", "smtp-550") == (notice["state"], notice["reason"])
    assert ("undeliverable", "receipt", notice["id"], "smtp-550") == (
        event.kind, event.purpose, event.about, event.reason,
    )  # fmt: skip
    assert str(event.about).encode() == key


async def test_a_busy_server_is_tried_again_later_and_at_last_a_person_is_told(
    county: County,
) -> None:
    await county.take_signals(await county.a_message(notifier=a_notifier("busy@koulu.example")))
    sender = county.sender()
    waits = []
    for _ in range(county.settings.max_attempts):
        assert 1 == await sender.turn(county.pool)
        assert 0 == await sender.turn(county.pool)  # not before its time
        waits.append(
            await county.owner.fetchval(
                "SELECT round(extract(epoch FROM next_try_at - now()))::int "
                "FROM notifications.notice"
            )
        )
        await county.make_due()

    assert [10, 30] == waits[:2]
    assert ["failed"] == await county.states()
    assert ["undeliverable"] == [event.kind for event in await county.outbox()]


async def test_a_mail_server_that_is_away_costs_no_notice_however_long(county: County) -> None:
    await county.take_signals(await county.a_message())
    nowhere = county.sender(smtp_port=free_port())
    for _ in range(county.settings.max_attempts + 2):
        assert 1 == await nowhere.turn(county.pool)
        await county.make_due()
    [waiting] = await county.notices()
    await county.sender().turn(county.pool)

    assert ("created", "not-reachable") == (waiting["state"], waiting["reason"])
    assert ["delivered"] == await county.states()
    assert 1 == len(county.mails())


async def test_a_notice_whose_senders_keep_dying_ends_with_a_person(county: County) -> None:
    await county.take_signals(await county.a_message())
    await county.owner.execute("UPDATE notifications.notice SET attempts = 3, lease_until = now()")
    await county.sender().turn(county.pool)

    assert ["attempts-exhausted"] == [event.reason for event in await county.outbox()]


# --- alerts ---------------------------------------------------------------------------------------


async def test_many_new_tasks_are_one_mail_that_says_nothing(county: County) -> None:
    child = uuid4()
    await county.take_case_events([a_case_event(1, uuid4()) for _ in range(5)])
    await county.take_case_events([a_case_event(1, child, kind="duty_item_opened")])
    await county.take_case_events([a_case_event(2, child, holder="initial_assessment")])
    sent = await county.sender().turn(county.pool)

    [mail] = county.mails()
    assert 1 == sent
    assert "vuoro@maakunta.example" == mail.to
    assert "Uusi tehtävä / Ny uppgift / New task" == mail.subject
    assert str(child) not in mail.text
    assert [[]] == [notice["items"] for notice in await county.notices()]


async def test_a_task_after_the_mail_left_is_told_anew(county: County) -> None:
    for _ in range(2):
        await county.take_case_events([a_case_event(1, uuid4())])
        await county.sender().turn(county.pool)

    assert 2 == len(county.mails())


async def test_an_urgent_task_is_told_at_once_and_before_everything_else(county: County) -> None:
    for _ in range(3):
        await county.take_signals(await county.a_message())
    await county.take_case_events([a_case_event(1, uuid4())])
    await county.take_case_events([a_case_event(1, uuid4(), urgent=True) for _ in range(3)])
    await county.take_case_events([a_case_event(1, uuid4())])

    assert [0, 1, 2, 2, 2] == sorted(n["priority"] for n in await county.notices())
    await county.sender(send_parallel=1).turn(county.pool)
    done = [n["priority"] for n in await county.notices() if n["state"] == "delivered"]
    assert [0] == done


async def test_alerts_that_cannot_be_delivered_make_one_task_not_a_circle(county: County) -> None:
    broken = county.sender(duty_address="nobody@maakunta.example")
    for _ in range(3):  # each failure opens a duty item, which wants an alert again
        await county.take_case_events([a_case_event(1, uuid4(), kind="duty_item_opened")])
        await broken.turn(county.pool)
    told_while_broken = len(await county.outbox())
    await county.take_case_events([a_case_event(1, uuid4())])
    await county.sender().turn(county.pool)
    await county.take_case_events([a_case_event(1, uuid4())])
    await broken.turn(county.pool)

    assert 1 == told_while_broken
    assert 2 == len(await county.outbox())
    assert 1 == len(county.mails())


async def test_alerts_wait_in_one_row_while_the_mail_server_is_away(county: County) -> None:
    away = county.sender(smtp_port=free_port())
    for _ in range(5):
        await county.take_case_events([a_case_event(1, uuid4())])
        await away.turn(county.pool)

    assert 1 == len(await county.notices())


async def test_an_early_case_event_waits_for_the_gap_and_none_is_lost(county: County) -> None:
    child = uuid4()
    early = await county.take_case_events([a_case_event(3, child), a_case_event(2, child)])
    again = await county.take_case_events([a_case_event(3, child)])
    alerts_before = len(await county.notices())
    gap = await measure(county.pool)
    held = await county.owner.fetchval("SELECT count(*) FROM notifications.held_case_event")

    closing = await county.take_case_events([a_case_event(1, child, kind="identity_given")])
    late = a_case_event(2, child).model_copy(update={"id": "another-id"})
    stale = await county.take_case_events([late])

    assert (["applied", "applied"], ["repeated"]) == (early, again)
    assert (0, 2) == (alerts_before, held)
    assert 0 < gap
    assert (["applied"], ["repeated"]) == (closing, stale)
    assert 1 == len(await county.notices())
    assert 3 == await county.owner.fetchval("SELECT seq FROM notifications.case_position")
    assert 0 == await county.owner.fetchval("SELECT count(*) FROM notifications.held_case_event")
    assert 5 == await county.owner.fetchval("SELECT count(*) FROM notifications.event_log")
    assert 0 == await measure(county.pool)


async def test_what_was_parked_is_taken_again_by_a_person_and_routing_is_told(
    county: County,
) -> None:
    signal = (await county.a_message())[0]
    inbox = signals(county.keys, utc_now, None)
    raw = Raw(0, 0, AT, b"k", [], signal.model_dump_json().encode())
    async with county.pool.acquire() as tx, tx.transaction():
        door = await store.door(tx, "test", "cluster", SIGNAL)
        await inbox.take(tx, door, [inbox.read(raw)], RuntimeError("a bug"))
    item = await county.owner.fetchval("SELECT id FROM notifications.set_aside")

    applied = await redrive(county.pool, county.settings, item, "kaisa", utc_now)

    assert applied == 1
    assert await county.states() == ["created"]
    assert [(told.kind, told.about) for told in await county.outbox()] == [("redriven", item)]
    audit = await county.owner.fetch("SELECT actor, act FROM notifications.audit")
    assert [tuple(row) for row in audit] == [("kaisa", "re-drive")]
    with pytest.raises(NotParkedError):
        await redrive(county.pool, county.settings, item, "kaisa", utc_now)


async def test_waiting_notices_are_measured(county: County) -> None:
    await county.take_signals(await county.a_message())
    await measure(county.pool)
    waiting = metrics.NOTICES_WAITING.labels("receipt")._value.get()
    await county.sender().turn(county.pool)
    await measure(county.pool)

    assert 1 == waiting
    assert 0 == metrics.NOTICES_WAITING.labels("receipt")._value.get()


# --- the catcher ----------------------------------------------------------------------------------


async def test_the_catcher_shows_what_it_caught_and_nothing_of_a_mail_is_markup(
    county: County,
) -> None:
    await county.take_case_events([a_case_event(1, uuid4())])
    await county.sender().turn(county.pool)
    [mail] = county.mails()
    (county.box.directory / "1.eml").write_text("Subject: <b>bold</b>\n\n<script>x</script>")
    transport = httpx2.ASGITransport(app=build_app(county.box))
    async with httpx2.AsyncClient(transport=transport, base_url="http://catcher") as client:
        page, one = await client.get("/"), await client.get(f"/mail/{mail.name}")
        odd = await client.get("/mail/1")
        missing = [await client.get(f"/mail/{name}") for name in ("2", "..%2fkeys", "x")]
        listed = await client.get("/mails")

    assert "Uusi tehtävä" in page.text
    assert "Kirjaudu sisään" in one.text
    assert "<b>bold" not in page.text + odd.text
    assert "<script>" not in odd.text
    assert [404, 404, 404] == [answer.status_code for answer in missing]
    assert [mail.message_id, ""] == [entry["message_id"] for entry in listed.json()]


# --- the whole service ----------------------------------------------------------------------------


@dataclass
class Running:
    """The service as a process of its own, on Kafka."""

    process: BackgroundProcess
    port: int
    environment: dict[str, str]
    bootstrap: str
    prefix: str

    def start(self) -> None:
        self.process.start(
            [
                *(sys.executable, "-m", "uvicorn", "--factory"),
                *("services.notifications.app:build_app", "--no-access-log"),
                *("--host", "127.0.0.1", "--port", str(self.port)),
            ],
            environment=self.environment,
            directory=ROOT,
        )

    async def get(self, path: str) -> Any:
        async with httpx2.AsyncClient() as client:
            return (await client.get(f"http://127.0.0.1:{self.port}{path}")).json()

    async def ready(self) -> bool:
        try:
            async with httpx2.AsyncClient() as client:
                answer = await client.get(f"http://127.0.0.1:{self.port}/ready", timeout=5)
        except httpx2.TransportError:
            return False
        return bool(answer.status_code == 200)

    async def publish(self, topic: str, key: str, value: bytes) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all")
        await producer.start()
        try:
            await producer.send_and_wait(self.prefix + topic, value, key=key.encode())
        finally:
            await producer.stop()

    async def told(self, count: int) -> list[tuple[str, NoticeEvent]]:
        """The first records of the notice topic, with their keys."""
        consumer = AIOKafkaConsumer(
            self.prefix + NOTICE, bootstrap_servers=self.bootstrap, auto_offset_reset="earliest"
        )
        await consumer.start()
        found: list[tuple[str, NoticeEvent]] = []
        try:
            async with asyncio.timeout(60):
                while len(found) < count:
                    record = await consumer.getone()
                    event = NoticeEvent.model_validate_json(record.value or b"")
                    found.append(((record.key or b"").decode(), event))
        finally:
            await consumer.stop()
        return found


@pytest.fixture
async def running(
    county: County, kafka: KafkaNode | ExistingKafka, topic_prefix: str, tmp_path: Path
) -> AsyncIterator[Running]:
    await create_topics(kafka.bootstrap, topic_prefix)
    settings = county.settings
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LUOTSI_")} | {
        "LUOTSI_KAFKA": kafka.bootstrap,
        "LUOTSI_DATABASE_URL": settings.database_url.get_secret_value(),
        "LUOTSI_TOPIC_PREFIX": topic_prefix,
        "LUOTSI_KEY_FILE": str(settings.key_file),
        "LUOTSI_SMTP_PORT": str(settings.smtp_port),
        "LUOTSI_SMTP_TIMEOUT": "2",
        "LUOTSI_LEASE_SECONDS": "3",
        "LUOTSI_MAIL_SENDER": settings.mail_sender,
        "LUOTSI_DUTY_ADDRESS": settings.duty_address,
        "LUOTSI_POLL_SECONDS": "0.05",
        "LUOTSI_SESSION_TIMEOUT_MS": "6000",
    }
    process = BackgroundProcess("notifications", tmp_path, tied=True)
    service = Running(process, free_port(), environment, kafka.bootstrap, topic_prefix)
    service.start()
    try:
        await until(service.ready)
        yield service
    finally:
        process.stop()


async def test_from_kafka_to_the_mailbox_and_failures_back_to_kafka(
    county: County, running: Running
) -> None:
    message = await county.a_message(children=3)
    [lost] = await county.a_message(notifier=a_notifier("nobody@koulu.example"))
    for sent in (*message, *message, lost):
        await running.publish(SIGNAL, str(sent.child), sent.model_dump_json().encode())
    event = a_case_event(1, uuid4())
    await running.publish(CASE, str(event.child), event.model_dump_json().encode())
    await running.publish(SIGNAL, "a-key", b"junk")

    told = {event.kind: (key, event) for key, event in await running.told(2)}
    await until(lambda: settled(county))
    where = await running.get(f"/internal/where/{message[0].receipt_id}")

    assert {"opettaja@koulu.example", "vuoro@maakunta.example"} == {m.to for m in county.mails()}
    assert 2 == len(county.mails())
    assert {"undeliverable", "parked"} == set(told)
    assert all(key == str(event.about) for key, event in told.values())
    assert "unreadable-signal" == told["parked"][1].reason
    assert ["delivered"] == [notice["state"] for notice in where["state"]]
    assert 6 == len([hop for hop in where["hops"] if hop["topic"] == SIGNAL])
    for canary in ("opettaja", "Testi"):
        assert canary not in str(where)
        assert canary not in running.process.log_file.read_text(encoding="utf-8")


async def settled(county: County) -> bool:
    rows = await county.owner.fetchval("SELECT count(*) FROM notifications.event_log")
    return rows == 9 and "created" not in await county.states()


async def test_a_sender_killed_after_the_server_took_the_mail_sends_it_again_under_the_same_id(
    county: County, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = Moody.handle_DATA
    killed: list[int | None] = []

    async def keep_and_kill(box: Moody, *conversation: Any) -> str:
        answer = await keep(box, *conversation)
        if not killed:
            killed.append(running.process.pid)
            os.kill(running.process.pid or 0, signal.SIGKILL)
        return answer

    monkeypatch.setattr(Moody, "handle_DATA", keep_and_kill)
    [sent] = await county.a_message()
    await running.publish(SIGNAL, str(sent.child), sent.model_dump_json().encode())
    await until(lambda: async_value(lambda: running.process.pid is None and bool(killed)))
    assert ["created"] == await county.states()

    running.start()
    await until(lambda: all_are(county, "delivered"))

    assert 2 == len(county.mails())
    assert 1 == len({mail.message_id for mail in county.mails()})
    raw = [file.read_bytes() for file in sorted(county.box.directory.glob("*.eml"))]
    assert raw[0] == raw[1]


async def async_value(value: Callable[[], bool]) -> bool:
    return value()


async def until(fact: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    """Wait until a fact holds; fails when it does not in time."""
    deadline = time.monotonic() + seconds
    while not await fact():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)
