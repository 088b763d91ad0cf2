"""Settings of intake."""

from datetime import timedelta
from pathlib import Path

import yaml
from pydantic import Field

from services.intake.domain.brake import Brake
from services.intake.domain.rhythm import STATED, Stated
from services.intake.provider_files import DIRECTORY
from shared.settings import ServiceSettings


class IntakeSettings(ServiceSettings):
    """`tokens_file`: JSON, SHA-256 of a bearer token (hex) -> the source's name.

    The name `desk` is the desk's own: it alone may use the internal routes.
    `source_brake_…`: a source is braked when it sent at least so many messages within so many
    minutes and more than so many percent of them were quarantined; 100 percent never brakes.
    `missing_grace_minutes`: how long a number or listed id may be late before it is named missing.
    `expected_file`: YAML, source -> when it is expected (`docs/operations.md`); read at the start.
    `client_sources`, `directory_sources`: names, with commas between, of the sources whose client
    feed and whose directory feed is believed. The directory says who may use the desk.
    `providers`: the folder of education providers' steps.
    """

    tokens_file: Path | None = None
    source_brake_messages: int = Field(default=20, ge=1)
    source_brake_minutes: int = Field(default=60, ge=1)
    source_brake_percent: int = Field(default=50, ge=1, le=100)
    client_sources: str = ""
    directory_sources: str = ""
    providers: Path = DIRECTORY
    missing_grace_minutes: float = Field(default=15, gt=0)
    expected_file: Path | None = None

    def stated_sources(self) -> dict[str, Stated]:
        """What the county states about sources; raises OSError and ValueError for its file."""
        if self.expected_file is None:
            return {}
        return STATED.validate_python(yaml.safe_load(self.expected_file.read_text("utf-8")) or {})

    @property
    def source_brake(self) -> Brake:
        """When a source is braked."""
        within = timedelta(minutes=self.source_brake_minutes)
        return Brake(self.source_brake_messages, self.source_brake_percent, within)

    @property
    def feeders(self) -> dict[str, frozenset[str]]:
        """Kind of feed -> the sources that may send it."""
        return {
            "client": _names(self.client_sources),
            "directory": _names(self.directory_sources),
        }


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())
