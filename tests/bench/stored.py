"""A million stored cases: `python -m tests.bench.stored`. How long diff and replay take.

Cases have decisions as routing stores them, made of facts from a seed: a few reasons each, as
notifiers give them; or, with `--patterns random`, any answer to anything, so that hardly two cases
are alike and nothing that is remembered helps. Each second case has an older decision, which a diff
must pass over. The old level and destinations are the first shipped ones, the new rules those in
force. Told are the seconds of the whole command, and of processors: its own, and PostgreSQL's.
"""

import argparse
import asyncio
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, get_args
from uuid import UUID

import asyncpg

from deploy.local.databases import create_database
from deploy.local.postgres import postgres_here
from services.routing.domain.cases import case_mark
from services.routing.domain.decision import decide
from services.routing.domain.facts import (
    NOTHING_KNOWN,
    Facts,
    derive,
    known_of,
)
from services.routing.domain.replaying import Stored, as_stored
from services.routing.domain.tables import Tables, load_tables
from shared.events import AgeBand, CodedFacts, ReasonCode
from shared.migrate import migrate_all
from tests.bench.decide import any_answers

RULES = Path(__file__).parents[2] / "services" / "routing" / "rules"
SEED, AT_ONCE = 11, 20_000
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
YEAR_S = 365 * 24 * 3600
OLD, NEW = "level@2026-11+destinations@2026-11", "live"
URGENCIES = ("not_urgent",) * 6 + ("not_asked", "open", "urgent")
REASONS = get_args(ReasonCode)
BANDS: tuple[AgeBand, ...] = ("0-6", "7-12", "7-12", "13-15", "13-15", "16-17", "unknown")


def ordinary(chance: random.Random) -> Facts:
    """What one to four notifications state of a child, each with a reason or two."""
    stated = [
        CodedFacts(
            reasons=tuple(chance.sample(REASONS, chance.choice((1, 1, 2)))),
            in_danger=chance.choice(("unknown",) * 20 + ("yes", "no")),
            is_client=chance.choice(("unknown", "no", "no", "yes")),
        )
        for _ in range(chance.choice((1, 1, 1, 2, 4)))
    ]
    return derive(
        known_of(stated),
        age_band=chance.choice(BANDS),
        urgency=chance.choice(URGENCIES),  # type: ignore[arg-type]
    )


def random_case(chance: random.Random) -> Facts:
    """Any answer to anything."""
    return derive(
        any_answers(chance, 3),
        age_band=chance.choice(BANDS),
        urgency=chance.choice(URGENCIES),  # type: ignore[arg-type]
    )


PATTERNS = {"ordinary": ordinary, "random": random_case}


class Stock:
    """The rows of many cases, from a seed."""

    def __init__(self, count: int, patterns: str, tables: Tables) -> None:
        self._count = count
        self._facts = PATTERNS[patterns]
        self._chance = random.Random(SEED)
        self._decided = lru_cache(maxsize=50_000)(
            lambda items: as_stored(decide(dict(items), tables))
        )

    def chunks(self) -> Iterator[tuple[list[Any], list[Any], list[Any]]]:
        """Cases, decisions and proposals, some thousands of cases at a time."""
        for start in range(0, self._count, AT_ONCE):
            cases: list[Any] = []
            decisions: list[Any] = []
            proposals: list[Any] = []
            for number in range(start, min(start + AT_ONCE, self._count)):
                self._add(number, cases, decisions, proposals)
            yield cases, decisions, proposals

    def _add(
        self, number: int, cases: list[Any], decisions: list[Any], proposals: list[Any]
    ) -> None:
        child = UUID(int=self._chance.getrandbits(128))
        facts = self._facts(self._chance)
        stored: Stored = self._decided(tuple(facts.items()))
        at = NOW - timedelta(seconds=self._chance.randrange(YEAR_S))
        seqs = (1, 3) if number % 2 else (1,)
        decisions += [(child, seq, f"{child}.{seq}", at, *stored) for seq in seqs]
        cases.append((
            child, case_mark(child), seqs[-1], 1, facts["age_band"], False, NOTHING_KNOWN.to_json(),
            facts["urgency"], stored.urgent_flags, stored.level, stored.holder,
            stored.destinations, seqs[-1], seqs[-1], at, at,
        ))  # fmt: skip
        proposals += [
            (child, each, 1, self._chance.choice(("proposed", "accepted", "declined")), at)
            for each in stored.destinations.split()
        ]


CASE = (
    "child", "mark", "seq", "version", "age_band", "provisional", "known", "urgency",
    "urgent_flags", "level", "holder", "destinations", "decision_seq", "holder_seq", "first_at",
    "last_at",
)  # fmt: skip
DECISION = ("child", "seq", "because", "decided_at", *Stored._fields)
PROPOSAL = ("child", "destination", "number", "state", "proposed_at")


async def fill(url: str, count: int, patterns: str) -> None:
    """Store the cases."""
    conn = await asyncpg.connect(url, timeout=10)
    try:
        for chunk in Stock(count, patterns, load_tables(RULES)).chunks():
            for table, columns, rows in zip(
                ("child_case", "decision", "proposal"), (CASE, DECISION, PROPOSAL), chunk,
                strict=True,
            ):  # fmt: skip
                await conn.copy_records_to_table(
                    table, records=rows, columns=columns, schema_name="routing"
                )
        for table in ("child_case", "decision", "proposal"):
            await conn.execute(f"VACUUM ANALYZE routing.{table}")
    finally:
        await conn.close()


class Taken(NamedTuple):
    """Seconds: of the clock, of the command's processors, of PostgreSQL's."""

    clock: float
    own: float
    postgres: float


def command(url: str, postmaster: int, *words: str) -> tuple[Taken, str]:
    """What a whole command takes, its start included, and what it told."""
    began, own, database = time.perf_counter(), _own(), _of_children(postmaster)
    ended = subprocess.run(
        [sys.executable, "-m", "deploy.cli", "rules", *words],
        env=os.environ | {"LUOTSI_DATABASE_URL": url},
        stdout=subprocess.PIPE, text=True, check=True, cwd=RULES.parents[2],
    )  # fmt: skip
    clock = time.perf_counter() - began
    time.sleep(1.0)  # until the postmaster has noticed that its backends are gone
    return Taken(clock, _own() - own, _of_children(postmaster) - database), ended.stdout


def _own() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _of_children(pid: int) -> float:
    """Processor seconds of the processes that this one has started and that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def measured(stock: "Database", words: Sequence[str]) -> str:
    """One command, in words."""
    taken, told = command(stock.url, stock.postmaster, *words)
    print(told)
    return (
        f"rules {words[0]}, {stock.cases:,} cases, {stock.patterns} patterns: {taken.clock:.1f} s; "
        f"processors: {taken.own:.1f} s of its own, {taken.postgres:.1f} s of PostgreSQL"
    )


class Database(NamedTuple):
    """A database with stored cases."""

    url: str
    postmaster: int
    cases: int
    patterns: str


async def postmaster(url: str) -> int:
    """The process that starts a backend for each connection."""
    conn = await asyncpg.connect(url, timeout=10)
    try:
        told = await conn.fetchval("SELECT pg_read_file('postmaster.pid')")
        return int(told.splitlines()[0])
    finally:
        await conn.close()


async def run(count: int, patterns: list[str], directory: Path) -> None:
    postgres = postgres_here(directory / "postgres", tied=True)
    told = []
    try:
        await asyncio.to_thread(postgres.start)
        for name in patterns:
            await create_database(postgres.admin_url, f"stored_{name}")
            url = postgres.url(f"stored_{name}")
            await migrate_all(url, "luotsi")
            began = time.perf_counter()
            await fill(url, count, name)
            print(f"stored in {time.perf_counter() - began:.0f} s", flush=True)
            stock = Database(url, await postmaster(url), count, name)
            told += [
                await asyncio.to_thread(measured, stock, words)
                for words in (["diff", OLD, NEW], ["replay"])
            ]
    finally:
        await asyncio.to_thread(postgres.remove)
    print("\n".join(told))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--patterns", choices=PATTERNS, action="append")
    arguments = parser.parse_args()
    directory = Path(tempfile.mkdtemp(prefix="luotsi-bench-"))
    try:
        asyncio.run(run(arguments.count, arguments.patterns or [*PATTERNS], directory))
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    main()
