"""Settings of intake."""

from pathlib import Path

from shared.settings import ServiceSettings


class IntakeSettings(ServiceSettings):
    """`tokens_file`: JSON, SHA-256 of a bearer token (hex) -> the source's name.

    The name `desk` is the desk's own: it alone may use the internal routes.
    `client_sources`: names, with commas between, of the sources whose client feed is believed.
    """

    tokens_file: Path | None = None
    client_sources: str = ""

    @property
    def feeders(self) -> dict[str, frozenset[str]]:
        """Kind of feed -> the sources that may send it."""
        return {"client": _names(self.client_sources)}


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())
