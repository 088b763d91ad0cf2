"""Settings of intake."""

from pathlib import Path

from shared.settings import ServiceSettings


class IntakeSettings(ServiceSettings):
    """`tokens_file`: JSON, SHA-256 of a bearer token (hex) -> the source's name.

    The name `desk` is the desk's own: it alone may use the internal routes.
    """

    tokens_file: Path | None = None
