"""The export: every table a file, every attachment a file, all sums, and the reconciliation."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import orjson

from deploy.leaving import store
from deploy.leaving.files import NewFile, make_directory
from deploy.leaving.opening import Opener
from deploy.leaving.readme import readme
from deploy.leaving.store import Table
from shared.migrate import SERVICES
from shared.sealing import Sealer

Told = Callable[[str], None]
ATTACHMENTS = "intake/attachments"


class Exported(NamedTuple):
    """One table. `rows` were counted by PostgreSQL, `lines` while they were written.

    `erased` parts say that they are; `unopened` ones have a key and did not open; `files` are the
    attachments written beside.
    """

    file: str
    schema: str
    table: str
    rows: int
    lines: int
    bytes: int
    sha256: str
    erased: int
    unopened: int
    files: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing."""
        kept = self.files + self.erased == self.rows if self.table == "attachment" else True
        return self.rows == self.lines and self.unopened == 0 and kept


async def export(
    url: str, sealer: Sealer, directory: Path, who: tuple[str, str], now: datetime, told: Told
) -> list[Exported]:
    """Write everything into a new directory; `who` is who leaves with it, and why.

    Raises FileExistsError, and what asyncpg raises. Without ``manifest.json`` it is not complete.
    """
    by, why = who
    make_directory(directory)
    for service in SERVICES:
        make_directory(directory / service)
    make_directory(directory / ATTACHMENTS)
    conn = await store.connect(url)
    try:
        await store.note(conn, by, why)
        with NewFile(directory / "SHA256SUMS") as sums:
            async with store.snapshot(conn):
                exported = []
                for table in await store.tables(conn):
                    exported.append(await _table(conn, sealer, directory, table, sums))
                    told(f"{exported[-1].file}: {exported[-1].lines} lines")
            about = {"made_at": now, "by": by, "why": why}
            _finish(directory, about, exported, sums)
    finally:
        await conn.close()
    return exported


async def _table(
    conn: asyncpg.Connection, sealer: Sealer, directory: Path, table: Table, sums: NewFile
) -> Exported:
    name = f"{table.schema}/{table.name}.jsonl"
    opener = Opener(sealer)
    files = 0
    with NewFile(directory / name) as file:
        async for rows in store.rows(conn, table):
            for row in await opener.open(conn, table, rows):
                if (table.schema, table.name) == ("intake", "attachment"):
                    files += _attachment(directory, row, sums)
                file.write_line(row)
    _sum(sums, name, file)
    return Exported(
        name, table.schema, table.name, await store.count(conn, table), file.lines, file.size,
        file.sha256, opener.erased, opener.unopened, files,
    )  # fmt: skip


def _attachment(directory: Path, row: dict[str, Any], sums: NewFile) -> bool:
    """The file itself beside its row, which names it; False if there is nothing left of it."""
    content = row.pop("content")
    if content is None:
        return False
    row["file"] = f"{ATTACHMENTS}/{row['id']}"
    with NewFile(directory / row["file"]) as file:
        file.write(content)
    _sum(sums, row["file"], file)
    row["sha256"] = file.sha256
    return True


def _finish(
    directory: Path, about: dict[str, Any], exported: list[Exported], sums: NewFile
) -> None:
    """What the files are, and at last the manifest: it says that all is there."""
    with NewFile(directory / "README.txt") as file:
        file.write(readme([each.file for each in exported]).encode())
    _sum(sums, "README.txt", file)
    whole = all(each.is_whole for each in exported)
    tables = [each._asdict() for each in exported]
    with NewFile(directory / "manifest.json") as file:
        content = {**about, "complete": whole, "tables": tables}
        file.write(orjson.dumps(content, option=orjson.OPT_INDENT_2))
    _sum(sums, "manifest.json", file)


def _sum(sums: NewFile, name: str, file: NewFile) -> None:
    sums.write(f"{file.sha256}  {name}\n".encode())
