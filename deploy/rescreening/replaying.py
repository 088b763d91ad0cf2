"""Every stored decision, decided anew by its own version: what does not come out the same (I6)."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from deploy.local.progress import Progress
from deploy.rescreening import store
from deploy.rescreening.diffing import readable
from deploy.rescreening.processes import Told, in_processes
from deploy.rescreening.store import Part
from services.routing.domain.cases import case_mark
from services.routing.domain.replaying import Stored, unlike
from services.routing.domain.tables import Tables

MOST_KNOWN = 50_000


class Job(NamedTuple):
    """One process's share, and the versions that can be read."""

    url: str
    snapshot: str
    part: Part
    tables: Mapping[str, Tables]


class Unlike(NamedTuple):
    """A decision that does not come out the same; `fields` are what differs."""

    mark: str
    seq: int
    decided_at: datetime
    rules: str
    fields: tuple[str, ...]


class Replayed(NamedTuple):
    """How many came out byte for byte, which did not, and how many of each unreadable version."""

    alike: int
    unlike: tuple[Unlike, ...]
    unread: Mapping[str, int]

    @property
    def is_whole(self) -> bool:
        """Whether every decision came out the same."""
        return not self.unlike and not self.unread


class Replaying:
    """Decisions decided anew, remembered by what was stored."""

    def __init__(self, tables: Mapping[str, Tables]) -> None:
        self.alike = 0
        self.unlike: list[Unlike] = []
        self.unread: Counter[str] = Counter()
        self._tables = tables
        self._known: dict[Stored, tuple[str, ...]] = {}

    def add(self, child: object, seq: int, decided_at: datetime, stored: Stored) -> None:
        """One decision as it is stored."""
        tables = self._tables.get(stored.rules)
        if tables is None:
            self.unread[stored.rules] += 1
            return
        fields = self._fields(stored, tables)
        if fields:
            mark = case_mark(child)  # type: ignore[arg-type]
            self.unlike.append(Unlike(mark, seq, decided_at, stored.rules, fields))
        else:
            self.alike += 1

    def _fields(self, stored: Stored, tables: Tables) -> tuple[str, ...]:
        fields = self._known.get(stored)
        if fields is None:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            fields = self._known[stored] = unlike(stored, tables)
        return fields


async def replay_part(job: Job, told: Told) -> Replayed:
    """One share of the decisions."""
    replaying = Replaying(job.tables)
    conn = await store.connect(job.url)
    try:
        async with store.same_snapshot(conn, job.snapshot):
            async for rows in store.decisions(conn, job.part):
                for child, seq, decided_at, *stored in rows:
                    replaying.add(child, seq, decided_at, Stored(*stored))
                told(len(rows))
    finally:
        await conn.close()
    return Replayed(replaying.alike, tuple(replaying.unlike), replaying.unread)


async def replay(url: str, rules: Path, processes: int, told: Progress) -> Replayed:
    """Decide every stored decision anew. Raises `BrokenOff`, and what asyncpg raises."""
    conn = await store.connect(url)
    try:
        async with store.snapshot(conn) as snapshot:
            told(0, await store.count_decisions(conn))
            tables = readable(await store.versions(conn), rules)
            jobs = [Job(url, snapshot, part, tables) for part in store.parts(processes)]
            return _together(in_processes(replay_part, jobs, told))
    finally:
        await conn.close()


def _together(shares: list[Replayed]) -> Replayed:
    unread: Counter[str] = Counter()
    for share in shares:
        unread.update(share.unread)
    found = sorted(each for share in shares for each in share.unlike)
    return Replayed(sum(share.alike for share in shares), tuple(found), unread)
