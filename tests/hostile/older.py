"""An intake of an earlier version, which does not know a field that sources use already."""

import orjson
from fastapi import FastAPI

from services.intake import app, handlers
from services.intake.domain.reading import read_message
from shared.events import Message
from shared.inbox import Incoming, Raw, Unreadable

UNKNOWN_YET = "expectations"


def read_as_before(raw: Raw) -> Incoming[Message] | Unreadable:
    """As today, but a message that uses the field is refused."""
    message = read_message(raw)
    if isinstance(message, Incoming) and UNKNOWN_YET in orjson.loads(raw.value or b"{}"):
        mend = "a field this version does not know; check its spelling"
        return Unreadable(raw, "invalid-content", mend, message.source, message.id)
    return message


def build_app() -> FastAPI:
    """The earlier version's process."""
    handlers.read_message = read_as_before  # type: ignore[attr-defined]
    return app.build_app()
