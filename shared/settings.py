"""Settings every service has; values come from the environment (prefix LUOTSI_)."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """Where the servers are and how the plumbing behaves. Durations are seconds unless named."""

    model_config = SettingsConfigDict(env_prefix="LUOTSI_", frozen=True, extra="ignore")

    kafka: str = "127.0.0.1:9092"
    database_url: SecretStr
    topic_prefix: str = Field(default="", pattern=r"^[a-z0-9.]{0,40}$")
    key_file: Path
    instance: str | None = None
    pool_size: int = 12  # three lanes a subscription, the relay, a leader, and what asks over HTTP
    batch_records: int = 1000
    session_timeout_ms: int = Field(default=10_000, ge=6_000)
    publish_timeout: float = 30.0
    backoff_max: float = 10.0
    brake_after: int = 10
    account_every: float = 15.0
    log_level: str = "INFO"

    @property
    def bootstrap(self) -> list[str]:
        """A list: FastStream takes a comma-separated string for one host."""
        return [host.strip() for host in self.kafka.split(",")]


class MigrationSettings(BaseSettings):
    """What `python -m shared.migrate` needs: an account that may create schemas and roles.

    `role_password` is the services' own. Roles that exist keep theirs where none is given.
    """

    model_config = SettingsConfigDict(env_prefix="LUOTSI_", frozen=True, extra="ignore")

    database_url: SecretStr
    role_password: SecretStr | None = None


class TopicSettings(BaseSettings):
    """What `python -m shared.topics` needs."""

    model_config = SettingsConfigDict(env_prefix="LUOTSI_", frozen=True, extra="ignore")

    kafka: str = "127.0.0.1:9092"
    topic_prefix: str = ""
    replication: int = 1
