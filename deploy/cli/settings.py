"""Where the command finds the services."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.routing.domain.clocks import ClockSettings


class CommandSettings(BaseSettings):
    """Addresses of the services (LUOTSI_INTAKE_URL and so on); by default those of the demo.

    `intake_token` is the desk's: only what is done in a worker's name needs it. `token` is a
    source's, for what is sent in its name. Times are in seconds.
    """

    model_config = SettingsConfigDict(env_prefix="LUOTSI_", frozen=True, extra="ignore")

    intake_url: str = Field(default="http://127.0.0.1:8101", pattern=r"^https?://")
    routing_url: str = Field(default="http://127.0.0.1:8102", pattern=r"^https?://")
    notifications_url: str = Field(default="http://127.0.0.1:8103", pattern=r"^https?://")
    intake_token: SecretStr = SecretStr("")
    answer_within: float = 5.0
    send_within: float = 30.0
    token: SecretStr = SecretStr("")


class GoLiveSettings(BaseSettings):
    """What ``import-matters`` needs: the two doors, who asks, and the county's clocks.

    The choices about clocks are routing's own: give both the same. `token` is the source's
    at intake; `desk_session` a worker's session at the desk (the cookie's value). Without it the
    worker is named by header, which the desk takes in the demonstration alone. Within
    `at_desk_within` seconds of the one before, each matter must stand at the desk.
    """

    model_config = SettingsConfigDict(env_prefix="LUOTSI_", frozen=True, extra="ignore")

    intake_url: str = Field(default="http://127.0.0.1:8101", pattern=r"^https?://")
    desk_url: str = Field(default="http://127.0.0.1:8100", pattern=r"^https?://")
    token: SecretStr = SecretStr("")
    desk_session: SecretStr = SecretStr("")
    at_desk_within: float = 120.0
    urgency_minutes: int = 30
    eves_count: bool = True
    eves_may_be_due: bool = False
    anticipatory_in_days: bool = True

    @property
    def clocks(self) -> ClockSettings:
        """How clocks are counted here."""
        return ClockSettings(
            self.urgency_minutes, self.eves_count, self.eves_may_be_due, self.anticipatory_in_days
        )


class ExportSettings(BaseSettings):
    """What ``export`` needs: an account that may read every schema, and the key file."""

    model_config = SettingsConfigDict(env_prefix="LUOTSI_", frozen=True, extra="ignore")

    database_url: SecretStr
    key_file: Path


class RulesSettings(BaseSettings):
    """What deciding stored cases anew needs: an account that may read routing's, and the rules.

    Without `rules` they are the shipped ones.
    """

    model_config = SettingsConfigDict(env_prefix="LUOTSI_", frozen=True, extra="ignore")

    database_url: SecretStr
    rules: Path | None = None
