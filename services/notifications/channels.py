"""Ways out. A way either hands a mail over, or says why not: later perhaps, or never."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

import aiosmtplib

from services.notifications.settings import NotificationSettings

EMAIL = "email"


class RetryLaterError(Exception):
    """Not handed over now; `reason` is a code and holds no address.

    `ours`: the fault lies with our mail server or our account there, not with this mail.
    """

    def __init__(self, reason: str, *, ours: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.ours = ours


class UndeliverableError(Exception):
    """It can never be handed over like this; `reason` is a code and holds no address."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, repr=False)
class Mail:
    """A mail about to leave. `message_id` and `at` are the same on every try of one notice."""

    to: str
    subject: str
    body: str
    message_id: str
    at: datetime


Send = Callable[[Mail], Awaitable[None]]


def smtp(settings: NotificationSettings) -> Send:
    """Mail over SMTP; raises `RetryLaterError` or `UndeliverableError`."""
    secret = settings.smtp_password

    async def send(mail: Mail) -> None:
        message = compose(mail, settings.mail_sender)
        try:
            async with asyncio.timeout(settings.smtp_timeout):
                await aiosmtplib.send(
                    message,
                    sender=settings.mail_sender,
                    recipients=[mail.to],
                    hostname=settings.smtp_host,
                    port=settings.smtp_port,
                    username=settings.smtp_user,
                    password=None if secret is None else secret.get_secret_value(),
                    local_hostname=settings.mail_sender.rpartition("@")[2],
                    timeout=settings.smtp_timeout,
                    use_tls=settings.smtp_tls == "tls",
                    start_tls=settings.smtp_tls == "starttls",
                )
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            raise judge(error) from None

    return send


def compose(mail: Mail, sender: str) -> EmailMessage:
    """The message as it travels; raises `UndeliverableError` for an address that is none."""
    message = EmailMessage(policy=SMTP)
    name, _, domain = mail.to.rpartition("@")
    if not (name and domain) or not mail.to.isprintable():
        raise UndeliverableError("bad-address")
    message["To"] = Address(username=name, domain=domain)  # by parts: names may hold å, ä and ö
    message["From"] = sender
    message["Subject"] = mail.subject
    message["Date"] = mail.at
    message["Message-ID"] = mail.message_id
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body, cte="quoted-printable")
    return message


def judge(error: Exception) -> RetryLaterError | UndeliverableError:
    """Whether another try makes sense.

    Only what the server says about this recipient or this mail for good is final; that it does not
    let us in, or refuses our own sender, is ours to mend, and the mail waits for it.
    """
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPNotSupported):
        return UndeliverableError("address-not-supported")
    if isinstance(error, aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPDataError):
        reason = f"smtp-{error.code}"
        return UndeliverableError(reason) if error.code >= 500 else RetryLaterError(reason)
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return RetryLaterError(f"smtp-{error.code}", ours=True)
    if isinstance(error, TimeoutError):
        return RetryLaterError("timeout", ours=True)
    return RetryLaterError("not-reachable", ours=True)
