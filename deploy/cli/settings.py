"""Where the command finds the services."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


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
