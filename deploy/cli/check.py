"""``luotsi check-event FILE``: whether intake would take a file, by the same code, with no service.

The file holds the content alone, or a whole CloudEvent in structured mode (it has `specversion`).
Nothing is sent or stored, and nothing of the content is shown.
"""

import json
from pathlib import Path

from services.intake.domain.reading import STRUCTURED, kind_of, read_message
from services.intake.domain.refusals import REFUSALS
from shared.clock import utc_now
from shared.inbox import Raw, Unreadable
from shared.kinds import BY_NAME


class NotTaken(Exception):
    """Intake would not take the file: reason, cause and mend in words."""


def check_event(file: Path, kind: str = "notification") -> str:
    """What intake would take the file for, as a message of this kind.

    Raises `NotTaken`, and `OSError` for the file.
    """
    content = file.read_bytes()
    message = read_message(
        Raw(0, 0, utc_now(), b"check", _headers(content, BY_NAME[kind].type), content)
    )
    if isinstance(message, Unreadable):
        cause = {each.reason: each.cause for each in REFUSALS}[message.reason]
        raise NotTaken(f"{message.reason}: {cause}\n{message.mend}")
    return f"Intake would take it: {kind_of(message.event).type}."


def _headers(content: bytes, type_: str) -> list[tuple[str, bytes | None]]:
    if _is_whole_event(content):
        return [("content-type", STRUCTURED.encode())]
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"check"),
        ("ce_source", b"check"),
        ("ce_type", type_.encode()),
    ]


def _is_whole_event(content: bytes) -> bool:
    try:
        found = json.loads(content)
    except ValueError:
        return False
    return isinstance(found, dict) and "specversion" in found
