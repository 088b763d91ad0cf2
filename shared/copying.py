"""COPY in PostgreSQL's binary format, for rows that share most of their bytes.

asyncpg encodes each value of each row anew; here a caller encodes once what many rows share. Only
for tables where that is worth it: `Connection.copy_records_to_table` is the usual way.
"""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from struct import Struct
from uuid import UUID

from shared.database import Connection

_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MOMENT = Struct(">iq").pack
_LENGTH = Struct(">i").pack
_AT_ONCE = 1 << 19  # bytes


def columns(count: int) -> bytes:
    """How a row begins: the number of its columns."""
    return count.to_bytes(2, "big")


def text(value: str) -> bytes:
    """One column of type text."""
    data = value.encode()
    return _LENGTH(len(data)) + data


def uuid(value: UUID) -> bytes:
    """One column of type uuid."""
    return b"\0\0\0\x10" + value.bytes


def moment(value: datetime) -> bytes:
    """One column of type timestamptz, from an aware time."""
    since = value - _EPOCH
    return _MOMENT(8, (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds)


async def copy(conn: Connection, table: str, names: Sequence[str], rows: Sequence[bytes]) -> None:
    """COPY rows whose columns stand in the order of `names`."""
    data = b"".join((_HEAD, *rows, _END))

    async def source() -> AsyncIterator[bytes]:
        for at in range(0, len(data), _AT_ONCE):
            yield data[at : at + _AT_ONCE]

    await conn.copy_to_table(table, source=source(), columns=list(names), format="binary")
