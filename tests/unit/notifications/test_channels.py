"""What is said of a mail that was not taken."""

from datetime import UTC, datetime

import aiosmtplib
import pytest

from services.notifications.channels import (
    Mail,
    RetryLaterError,
    UndeliverableError,
    compose,
    judge,
)


def refused(code: int) -> aiosmtplib.SMTPRecipientsRefused:
    refusal = aiosmtplib.SMTPRecipientRefused(code, "no such user", "someone@school.example")
    return aiosmtplib.SMTPRecipientsRefused([refusal])


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (refused(450), "smtp-450"),
        (aiosmtplib.SMTPDataError(421, "busy"), "smtp-421"),
        (aiosmtplib.SMTPSenderRefused(550, "who are you", "us@county.example"), "smtp-550"),
        (aiosmtplib.SMTPAuthenticationError(535, "wrong"), "smtp-535"),
        (aiosmtplib.SMTPConnectError("refused"), "not-reachable"),
        (aiosmtplib.SMTPServerDisconnected("gone"), "not-reachable"),
        (aiosmtplib.SMTPReadTimeoutError("slow"), "timeout"),
        (TimeoutError(), "timeout"),
        (ConnectionResetError(), "not-reachable"),
    ],
)
def test_what_may_pass_by_itself_is_tried_again(error: Exception, reason: str) -> None:
    judged = judge(error)

    assert isinstance(judged, RetryLaterError)
    assert reason == judged.reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (refused(550), "smtp-550"),
        (aiosmtplib.SMTPDataError(554, "refused"), "smtp-554"),
        (aiosmtplib.SMTPNotSupported("utf-8"), "address-not-supported"),
    ],
)
def test_what_never_passes_is_a_persons_task(error: Exception, reason: str) -> None:
    judged = judge(error)

    assert isinstance(judged, UndeliverableError)
    assert reason == judged.reason


@pytest.mark.parametrize("address", ["school.example", "@school.example", "a@b\n.example", "a@"])
def test_an_address_that_is_none_is_found_before_anything_is_sent(address: str) -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC)

    with pytest.raises(UndeliverableError, match="bad-address"):
        compose(Mail(address, "s", "b", "<1@county.example>", at), "post@county.example")
