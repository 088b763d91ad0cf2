"""A row as the county takes it along: sealed parts opened, bytes as text.

A sealed text tells its key; its field is the name it stands under, and it is about an id that
stands beside it. So columns that later migrations add are opened, too. What no longer has a key
has been erased and says so; what has one and does not open is counted, and no export is complete
with it.
"""

import base64
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from deploy.leaving.store import Table
from shared import events
from shared import store as plumbing
from shared.database import Connection
from shared.sealing import Sealer, UnreadableError, key_of
from shared.store import Outgoing

ERASED = {"erased": True}
JSON_TEXT = frozenset({"known", "facts"})  # columns whose text is JSON
LONGEST_ID = 200
APART = {
    ("intake", "attachment"): "sealed",
    ("intake", "event_log"): "body",
    ("intake", "urgent_message"): "body",
}
"""Columns of sealed bytes: the key's id is not in them, but in the row."""

Row = asyncpg.Record


class Opener:
    """Opens rows; counts what was `erased` and what could not be opened (`unopened`)."""

    def __init__(self, sealer: Sealer) -> None:
        self._sealer = sealer
        self.erased = 0
        self.unopened = 0

    async def open(
        self, conn: Connection, table: Table, rows: Sequence[Row]
    ) -> list[dict[str, Any]]:
        """The rows with all that was sealed in them; raises `UnreadableError` for a wrong key file.

        A file's content is in `content`, as bytes; None when it has been erased.
        """
        plain = [_plain(table, row) for row in rows]
        wanted = {key for row in plain for key in _keys(row)}
        wanted |= {key for row in rows for key, _, _ in _whole(table, row)}
        await self._sealer.load(conn, sorted(wanted))
        return [
            self._opened(found) | self._sealed_bytes(table, row)
            for found, row in zip(plain, rows, strict=True)
        ]

    def _opened(self, found: Any, field: str = "", beside: Sequence[str] = ()) -> Any:
        if isinstance(found, dict):
            near = [v for v in found.values() if isinstance(v, str) and len(v) <= LONGEST_ID]
            return {name: self._opened(value, name, near) for name, value in found.items()}
        if isinstance(found, list):
            return [self._opened(value, field, beside) for value in found]
        if not _is_sealed(found):
            return found
        if not self._sealer.holds(key_of(found)):
            self.erased += 1
            return ERASED
        for about in beside:
            try:
                return _content(self._sealer.open(found, field, about))
            except UnreadableError:
                continue
        self.unopened += 1
        return found

    def _sealed_bytes(self, table: Table, row: Row) -> dict[str, Any]:
        """What a row has sealed as a whole, under the name it is exported by."""
        column = APART.get((table.schema, table.name))
        if column is None or row[column] is None:
            return {}
        ways, body = _whole(table, row), row[column]
        name = "content" if column == "sealed" else "original"
        if ways and not any(self._sealer.holds(key) for key, _, _ in ways):
            self.erased += 1
            return {name: None, **ERASED} if name == "content" else {name: ERASED}
        for key, field, about in ways:
            try:
                plain = self._sealer.open_bytes(key, field, about, body)
            except UnreadableError:
                continue
            if name == "content":
                return {name: plain}
            return _as_it_came(plain) if field == "set_aside" else {name: _text(plain)}
        self.unopened += 1
        return {name: None} if name == "content" else {name: {"base64": _base64(body)}}


def _whole(table: Table, row: Row) -> list[tuple[UUID, str, str]]:
    """Key, field and subject by which a row's sealed bytes may open, the likely first."""
    column = APART.get((table.schema, table.name))
    if column is None or row[column] is None:
        return []
    if table.name == "attachment":
        return [(_uuid(row["id"]), "attachment", str(row["id"]))]
    if table.name == "urgent_message":
        return [(_uuid(row["item"]), "set_aside", str(row["item"]))]
    receipts = [
        UUID(orjson.loads(answer.value)["receipt_id"])
        for answer in plumbing.unpack(row["answers"])
        if answer.topic == events.INTAKE_RECEIPT
    ]
    named = {row["key"], f"{row['source']}/{row['event_id']}"} - {None}
    ways = [(key, "original", about) for key in receipts for about in sorted(named)]
    items = [*receipts, *([_uuid(row["item"])] if row["item"] else [])]
    return ways + [(item, "set_aside", str(item)) for item in items]


def _as_it_came(plain: bytes) -> dict[str, Any]:
    """A message that was kept whole, with its record's key and headers."""
    kept = orjson.loads(plain)

    def part(value: str | None) -> Any:
        return None if value is None else _text(bytes.fromhex(value))

    headers = [[name, part(value)] for name, value in kept["headers"]]
    return {"original": part(kept["value"]), "record_key": part(kept["key"]), "headers": headers}


def _plain(table: Table, row: Row) -> dict[str, Any]:
    """The row in what JSON has; whole sealed bytes are left out, they are opened apart."""
    left = APART.get((table.schema, table.name))
    return {name: _value(name, value) for name, value in row.items() if name != left}


def _value(name: str, value: Any) -> Any:
    if isinstance(value, bytes):
        return [_answer(each) for each in plumbing.unpack(value)] if name == "answers" else (
            _content(value)
        )  # fmt: skip
    if isinstance(value, str) and name in JSON_TEXT:
        return _content(value.encode())
    if isinstance(value, list):
        return [_value(name, each) for each in value]
    if value is None or isinstance(value, str | int | float | bool | datetime | date):
        return value
    return str(value)  # ids; asyncpg has a UUID class of its own


def _answer(answer: Outgoing) -> dict[str, Any]:
    """What was said; a signal stands whole in routing's own log."""
    told = {"topic": answer.topic, "id": answer.id}
    return told if answer.topic == events.SIGNAL else told | {"value": _content(answer.value)}


def _keys(found: Any) -> Iterator[UUID]:
    if isinstance(found, dict | list):
        for value in found.values() if isinstance(found, dict) else found:
            yield from _keys(value)
    elif _is_sealed(found):
        yield key_of(found)


def _is_sealed(found: Any) -> bool:
    if not isinstance(found, str) or not found.startswith("s1.") or found.count(".") != 2:
        return False
    try:
        key_of(found)
    except ValueError:
        return False
    return True


def _content(value: bytes) -> Any:
    """An object or a list of JSON as such; anything else as text."""
    if value[:1] in (b"{", b"["):
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            pass
    return _text(value)


def _text(value: bytes) -> Any:
    """Text, byte by byte the same in UTF-8; what is not, in base64."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return {"base64": _base64(value)}


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _uuid(value: Any) -> UUID:
    return UUID(str(value))
