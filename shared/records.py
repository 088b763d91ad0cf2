"""Reading fetched records without dying of a header name that is not UTF-8.

aiokafka 0.14 decodes header names while it reads. One record whose header has a name in other
bytes (no Java client can send it, others can) makes every fetch of its partition raise, for ever,
and what the same fetch brought of other partitions is skipped. Such names are read with `?` for
what cannot be read; they are never ours, and a foreign header never spoils a readable message.
"""

import struct
from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import decode_varint

_BATCH_START = struct.Struct(">qi")  # base offset, length of what follows


class TolerantRecords:
    """A drop-in for aiokafka's `MemoryRecords`: the batches of one fetched partition."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._records = MemoryRecords(data)

    def has_next(self) -> bool:
        return self._records.has_next()

    def size_in_bytes(self) -> int:
        return self._records.size_in_bytes()

    def next_batch(self) -> Any:
        batch = self._records.next_batch()
        return None if batch is None else _TolerantBatch(batch, self._data)


class _TolerantBatch:
    """One batch; it answers as aiokafka's own, and reads slowly where that one cannot."""

    def __init__(self, batch: Any, data: bytes) -> None:
        self._batch = batch
        self._data = data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            return iter(list(self._batch))
        except UnicodeDecodeError:
            return iter(_read_slowly(self._data, self._batch.base_offset))


def _read_slowly(data: bytes, base_offset: int) -> list[Any]:
    at = 0
    while True:
        offset, length = _BATCH_START.unpack_from(data, at)
        end = at + _BATCH_START.size + length
        if offset == base_offset:
            break
        at = end
    batch = _DefaultRecordBatchPy(data[at:end])
    batch._maybe_uncompress()  # noqa: SLF001 -- the names lie in what is compressed
    _mend_names(batch._buffer, batch._pos, batch._num_records)  # noqa: SLF001 -- same
    return list(batch)


def _mend_names(buffer: bytearray, pos: int, count: int) -> None:
    """Make the header names of `count` records readable, in place and of the same length."""
    for _ in range(count):
        length, pos = decode_varint(buffer, pos)
        end = pos + length
        pos += 1  # attributes
        for _ in range(2):  # times and offsets, relative to the batch's
            _, pos = decode_varint(buffer, pos)
        for _ in range(2):  # key and value
            pos = _after(buffer, pos)
        headers, pos = decode_varint(buffer, pos)
        for _ in range(headers):
            size, start = decode_varint(buffer, pos)
            name = bytes(buffer[start : start + size])
            try:
                name.decode()
            except UnicodeDecodeError:
                buffer[start : start + size] = bytes(b if b < 128 else ord("?") for b in name)
            pos = _after(buffer, start + size)
        pos = end


def _after(buffer: bytearray, pos: int) -> int:
    """The place after a field that may be null."""
    size, pos = decode_varint(buffer, pos)
    return pos + max(size, 0)


def read_tolerantly() -> None:
    """Make every consumer of this process read so."""
    fetcher.MemoryRecords = TolerantRecords  # type: ignore[attr-defined]
