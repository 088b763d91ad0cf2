"""The sender: claims notices, renders and sends them outside any transaction, records the result.

Whatever happens between sending and recording, the lease runs out and the mail goes again with the
same Message-ID.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from services.notifications import store
from services.notifications.channels import (
    EMAIL,
    Mail,
    RetryLaterError,
    Send,
    UndeliverableError,
)
from services.notifications.domain import (
    LANGUAGES,
    Field,
    MailTemplate,
    receipt_values,
    render,
    retry_after,
    undeliverable,
)
from services.notifications.settings import NotificationSettings
from services.notifications.store import DueNotice
from shared import metrics
from shared import store as plumbing
from shared.clock import Clock
from shared.database import Pool
from shared.errors import OUTAGES
from shared.events import NOTICE, Language, Notifier
from shared.logs import log
from shared.sealing import Sealer, UnreadableError, key_of
from shared.service import Process
from shared.store import Outgoing

ACTOR = "luotsi.notifications"
TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class Templates:
    """Every text that may leave; loading them proves that none tells more than it may."""

    receipt: Mapping[Language, MailTemplate]
    duty_alert: MailTemplate

    @classmethod
    def load(cls, folder: Path = TEMPLATES) -> "Templates":
        """Read the template files; raises `NotClearedError`."""
        return cls(
            {
                language: MailTemplate.parse(
                    "receipt", (folder / f"receipt.{language}.txt").read_text(encoding="utf-8")
                )
                for language in LANGUAGES
            },
            MailTemplate.parse(
                "duty_alert", (folder / "duty_alert.txt").read_text(encoding="utf-8")
            ),
        )


@dataclass(frozen=True)
class Sender:
    """Sends what is due, a handful at a time."""

    settings: NotificationSettings
    sealer: Sealer
    templates: Templates
    send: Send
    clock: Clock

    async def run(self, process: Process) -> None:
        """Send for ever; raises what an outage of PostgreSQL raises."""
        if self.settings.not_before is not None:
            async with process.pool.acquire() as conn:
                skipped = await store.skip_before(conn, self.settings.not_before)
            log.info("notices_skipped", reason="before-start", count=skipped)
        while True:
            try:
                taken = await self.turn(process.pool)
            except OUTAGES:
                raise
            except Exception as error:  # noqa: BLE001 -- our own bug must not end the loop
                log.error("sender_turn_failed", error=error)
                taken = 0
            if not taken:
                await asyncio.sleep(self.settings.poll_seconds)

    async def turn(self, pool: Pool) -> int:
        """Claim what is due and try to send it; returns how many were claimed."""
        lease = uuid4()
        async with pool.acquire() as conn:
            due = await store.claim(
                conn, lease, self.settings.lease_seconds, self.settings.send_parallel
            )
        tries = [self._try(pool, notice, lease) for notice in due]
        for outcome in await asyncio.gather(*tries, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome
        return len(due)

    async def _try(self, pool: Pool, notice: DueNotice, lease: UUID) -> None:
        try:
            mail, items = await self._render(pool, notice)
            if mail is None:
                await self._without_channel(pool, notice, lease)
                return
            await self.send(mail)
        except OUTAGES:
            raise
        except (UndeliverableError, UnreadableError) as error:
            await self._give_up(pool, notice, lease, _reason(error))
        except RetryLaterError as error:
            await self._try_later(pool, notice, lease, error.reason, ours=error.ours)
        except Exception as error:  # noqa: BLE001 -- our own bug: tried again, then a person's task
            log.error("notice_raised", notice_id=str(notice.id), error=error)
            await self._try_later(pool, notice, lease, "internal-error")
        else:
            await self._delivered(pool, notice, lease, items)

    async def _render(self, pool: Pool, notice: DueNotice) -> tuple[Mail | None, tuple[Field, ...]]:
        """The mail as it leaves, and what it tells; no mail when there is nowhere to send it."""
        if notice.attempts > self.settings.max_attempts:  # its senders died, each time
            raise UndeliverableError("attempts-exhausted")
        if notice.purpose == "duty_alert":
            to, template, values = self.settings.duty_address, self.templates.duty_alert, {}
        else:
            notifier = await self._open_notifier(pool, notice)
            if notifier.email is None:
                return None, ()
            to, template = notifier.email, self.templates.receipt[notifier.language]
            values = dict(
                receipt_values(notice.received_at, notice.reference or "", notifier.language)
            )
        words = render(template, values)
        domain = self.settings.mail_sender.rpartition("@")[2]
        mail = Mail(to, words.subject, words.body, f"<{notice.id}@{domain}>", notice.created_at)
        return mail, words.items

    async def _open_notifier(self, pool: Pool, notice: DueNotice) -> Notifier:
        """Open the notifier's seal; who reads it is on record before (I7)."""
        sealed, receipt = notice.notifier or "", str(notice.receipt)
        async with pool.acquire() as conn:
            async with conn.transaction():
                entry = (ACTOR, "open_notifier", receipt, notice.purpose, str(notice.id))
                await plumbing.add_audit(conn, [entry])
            await self.sealer.load(conn, [key_of(sealed)])
        return Notifier.model_validate_json(self.sealer.open(sealed, "notifier", receipt))

    async def _delivered(
        self, pool: Pool, notice: DueNotice, lease: UUID, items: tuple[Field, ...]
    ) -> None:
        async with pool.acquire() as conn:
            mine = await store.delivered(conn, notice.id, lease, items, EMAIL)
        _tell(notice, "delivered", mine=mine)

    async def _without_channel(self, pool: Pool, notice: DueNotice, lease: UUID) -> None:
        async with pool.acquire() as conn:
            mine = await store.without_channel(conn, notice.id, lease)
        _tell(notice, "no_channel", mine=mine)

    async def _try_later(
        self, pool: Pool, notice: DueNotice, lease: UUID, reason: str, *, ours: bool = False
    ) -> None:
        """Give a notice up after so many tries; one that our own mail server keeps waits on."""
        most = self.settings.max_attempts
        if not ours and notice.attempts >= most:
            await self._give_up(pool, notice, lease, reason)
            return
        alert = notice.purpose == "duty_alert"
        cap = self.settings.alert_retry_cap_seconds if alert else self.settings.retry_cap_seconds
        seconds = retry_after(notice.attempts, self.settings.first_retry_seconds, cap)
        async with pool.acquire() as conn:
            counted = min(notice.attempts, most // 2) if ours else notice.attempts
            mine = await store.try_later(conn, notice.id, lease, seconds, reason, counted)
        _tell(notice, "retried", reason, mine=mine)

    async def _give_up(self, pool: Pool, notice: DueNotice, lease: UUID, reason: str) -> None:
        """A failed notice is a task in front of a person, in the same transaction."""
        async with pool.acquire() as conn, conn.transaction():
            told = await store.failed(conn, notice.id, lease, reason)
            if told:
                event = undeliverable(notice.id, notice.purpose, reason, self.clock())
                key, value = str(event.about).encode(), event.model_dump_json().encode()
                await plumbing.add_outbox(conn, [Outgoing(NOTICE, key, event.id, value)])
        _tell(notice, "failed", reason, mine=told is not None)


def _reason(error: UndeliverableError | UnreadableError) -> str:
    return error.reason if isinstance(error, UndeliverableError) else "notifier-unreadable"


def _tell(notice: DueNotice, outcome: str, reason: str | None = None, *, mine: bool) -> None:
    """Count and log what became of a try; a lost lease is another sender's to record."""
    outcome = outcome if mine else "lease_lost"
    metrics.NOTICES.labels(notice.purpose, outcome).inc()
    log.info(
        "notice_tried", notice_id=str(notice.id), purpose=notice.purpose, outcome=outcome,
        reason=reason, attempt=notice.attempts,
    )  # fmt: skip
