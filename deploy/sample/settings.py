"""Settings of the sample county; values come from the environment (prefix LUOTSI_)."""

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class SampleSettings(BaseSettings):
    """Where the sample workers go, with routing's account; nowhere unless `demo` is on."""

    model_config = SettingsConfigDict(env_prefix="LUOTSI_", frozen=True, extra="ignore")

    database_url: SecretStr
    demo: bool = False
