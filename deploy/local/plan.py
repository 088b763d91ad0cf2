"""What the demo remembers between two commands: its ports, its servers, how far the month is.

Everything of the demo lies in `.luotsi/demo` of the checkout.
"""

import os
from datetime import datetime
from pathlib import Path
from typing import Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.local.errors import LocalError

ROOT = Path(__file__).resolve().parent.parent.parent
DIRECTORY = ROOT / ".luotsi" / "demo"

Port = int | None
Stage = Literal["new", "published", "played"]


class Ports(BaseModel):
    """Where each part listens, on the loopback address alone."""

    model_config = ConfigDict(frozen=True)

    desk: int = 8100
    intake: int = 8101
    routing: int = 8102
    notifications: int = 8103
    mail: int = 8125
    smtp: int = 8126
    kafka: int = 9092
    kafka_controller: int = 9093
    postgres: int = 5433


USERS = {
    "desk": "the desk",
    "intake": "intake",
    "routing": "routing",
    "notifications": "notifications",
    "mail": "the mail catcher's page",
    "smtp": "the mail catcher",
    "kafka": "Kafka",
    "kafka_controller": "Kafka's controller",
    "postgres": "PostgreSQL",
}
"""Who uses a port, in words."""


class DemoSettings(BaseSettings):
    """What may be chosen: servers that exist, and ports (LUOTSI_DESK_PORT and so on)."""

    model_config = SettingsConfigDict(env_prefix="LUOTSI_", frozen=True, extra="ignore")

    kafka: str | None = None
    database_url: str | None = None
    desk_port: Port = Field(default=None, ge=1, le=65535)
    intake_port: Port = Field(default=None, ge=1, le=65535)
    routing_port: Port = Field(default=None, ge=1, le=65535)
    notifications_port: Port = Field(default=None, ge=1, le=65535)
    mail_port: Port = Field(default=None, ge=1, le=65535)
    smtp_port: Port = Field(default=None, ge=1, le=65535)
    kafka_port: Port = Field(default=None, ge=1, le=65535)
    kafka_controller_port: Port = Field(default=None, ge=1, le=65535)
    postgres_port: Port = Field(default=None, ge=1, le=65535)

    @classmethod
    def read(cls) -> Self:
        """From the environment; LocalError names the variable that holds something else."""
        try:
            return cls()
        except ValidationError as error:
            name = f"LUOTSI_{str(error.errors()[0]['loc'][0]).upper()}"
            raise LocalError(
                f"{name} is not a port number.", "Mend: give a number from 1024 to 65535."
            ) from None

    def ports(self, before: Ports) -> Ports:
        """The ports that are chosen, else those of before."""
        chosen = {name: getattr(self, f"{name}_port") for name in Ports.model_fields}
        return before.model_copy(update={name: port for name, port in chosen.items() if port})


class Plan(BaseModel):
    """What is running or to be run. `until` is where the sample month ends (UTC)."""

    ports: Ports = Ports()
    kafka: str = ""
    database_url: str = ""
    own_kafka: bool = True
    own_postgres: bool = True
    stage: Stage = "new"
    until: AwareDatetime | None = None
    opened_at: AwareDatetime | None = None

    @property
    def open(self) -> bool:
        """Whether the month is in: timers and mails are on."""
        return self.opened_at is not None

    def opens(self, at: datetime) -> None:
        """The month is in."""
        self.stage, self.opened_at = "played", at

    @classmethod
    def load(cls, directory: Path = DIRECTORY) -> "Plan":
        """The plan of before, or a new one."""
        try:
            return cls.model_validate_json((directory / "plan.json").read_bytes())
        except FileNotFoundError:
            return cls()
        except ValidationError:
            raise LocalError(
                f"{directory / 'plan.json'} was written by another version of Luotsi.",
                "Mend: `make clean` with that version, or remove the folder.",
            ) from None

    def save(self, directory: Path = DIRECTORY) -> None:
        """Keep it, readable by this account alone: it holds the database's password."""
        unfinished = directory / "plan.new"
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(self.model_dump_json(indent=2))
        unfinished.replace(directory / "plan.json")
