"""The files of an export: for the owner alone, each new, each with its sum."""

import hashlib
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson


def make_directory(directory: Path) -> None:
    """A directory for this account alone; raises FileExistsError."""
    directory.mkdir(mode=0o700)


class NewFile:
    """A file that must not be there yet, counted and summed while it is written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._sum = hashlib.sha256()
        self.lines = 0
        self.size = 0

    def __enter__(self) -> Self:
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(handle, "wb")
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:  # fmt: skip
        if error is None:
            self._file.flush()
            os.fsync(self._file.fileno())
        self._file.close()

    @property
    def sha256(self) -> str:
        """Of what was written so far."""
        return self._sum.hexdigest()

    def write(self, content: bytes) -> None:
        """Bytes as they are."""
        self._file.write(content)
        self._sum.update(content)
        self.size += len(content)

    def write_line(self, value: Any) -> None:
        """One line of JSON."""
        self.write(orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE))
        self.lines += 1
