"""Settings of notifications; values come from the environment (prefix LUOTSI_)."""

from typing import Literal, Self

from pydantic import AwareDatetime, Field, SecretStr, model_validator

from shared.events import Email
from shared.settings import ServiceSettings


class NotificationSettings(ServiceSettings):
    """How mail leaves, in whose name, and how long it is tried. Durations are seconds.

    `mail_sender` is a neutral address of the county: one that names child protection would tell
    that somebody is a client (MSG-02). With `send` off, notices are kept and nothing leaves.
    Notices of what was received before `not_before` are recorded and never sent.
    """

    smtp_host: str = "127.0.0.1"
    smtp_port: int = 1025
    smtp_tls: Literal["none", "starttls", "tls"] = "none"
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_timeout: float = 30.0
    mail_sender: Email
    duty_address: Email

    send: bool = True
    not_before: AwareDatetime | None = None
    send_parallel: int = Field(default=8, ge=1, le=100)
    lease_seconds: float = 120.0
    poll_seconds: float = 0.5
    max_attempts: int = Field(default=30, ge=1)
    first_retry_seconds: float = 10.0
    retry_cap_seconds: float = 3600.0
    alert_retry_cap_seconds: float = 60.0
    seq_gap_alarm_seconds: float = 60.0
    watch_every: float = 5.0

    @model_validator(mode="after")
    def _lease_outlives_the_try(self) -> Self:
        if self.lease_seconds <= self.smtp_timeout:
            raise ValueError("lease_seconds must be longer than smtp_timeout")
        return self
