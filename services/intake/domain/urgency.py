"""How a sender marks immediate danger, and the item that stands for a marked message. Pure."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid5

import orjson

from shared.inbox import Raw

MARK = "ce_urgent"
_ITEMS = UUID("6f1f2f4e-0c3b-4c57-9a53-5d1f6a0e7b21")


def is_marked(headers: Iterable[tuple[str, bytes | None]]) -> bool:
    """Whether the attribute `urgent` is there and does not say false.

    A misspelt, doubled or unreadable mark counts: a person looks once too often.
    """
    return any(name == MARK and not _says_false(value) for name, value in headers)


def _says_false(value: bytes | None) -> bool:
    return value is not None and value.strip().lower() == b"false"


def says_danger(value: bytes) -> bool:
    """Whether content marks danger: `urgent` of a structured event, or `urgency.in_danger` yes.

    Read from the plain JSON, so that a fault elsewhere in the message does not hide it.
    """
    try:
        whole = orjson.loads(value)
    except orjson.JSONDecodeError:
        return False
    if not isinstance(whole, dict):
        return False
    marked = whole.get("urgent", False)
    if marked is not False and not (isinstance(marked, str) and _says_false(marked.encode())):
        return True
    return _in_danger(whole) or _in_danger(whole.get("data"))


def _in_danger(content: Any) -> bool:
    urgency = content.get("urgency") if isinstance(content, dict) else None
    return isinstance(urgency, dict) and urgency.get("in_danger") == "yes"


def item_of(raw: Raw) -> UUID:
    """The item of a marked message: the same for all who read it, by its place.

    Raises LookupError for a message whose door is not known: two doors have the same offsets.
    """
    if raw.door is None:
        raise LookupError("a marked message without the door it came in by")
    return uuid5(_ITEMS, f"{raw.door}/{raw.partition}/{raw.offset}")
