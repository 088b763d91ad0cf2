"""The newest decision of each stored case, decided by the old rules and by the new."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import orjson

from deploy.local.progress import Progress
from deploy.rescreening import store
from deploy.rescreening.processes import Told, in_processes
from deploy.rescreening.store import Part
from services.routing.domain.comparing import Comparison
from services.routing.domain.county import Settings, made_in
from services.routing.domain.effect import (
    About,
    Effect,
    Group,
    Kind,
    Tally,
    Undecided,
    Unread,
    Version,
    effect_of,
)
from services.routing.domain.tables import Tables, TablesRefusedError, load_version
from services.routing.domain.tables.settings import read_settings
from services.routing.domain.tables.versions import settings_named
from services.routing.effects import store as effects
from shared.clock import Clock

MOST_PATTERNS = 50_000  # of stored facts that a process remembers, about a kilobyte each
_WEEK_S = 7 * 24 * 3600.0


class Job(NamedTuple):
    """One process's share. `old`: the tables, or those of each version that decisions name."""

    url: str
    snapshot: str
    part: Part
    old: Tables | Mapping[str, Tables]
    new: Tables
    settings: Mapping[str, Settings]


class Counting:
    """What became of each case, remembered by what its facts were.

    Both rules decide with the county's settings that the case was decided with.
    """

    def __init__(
        self, old: Tables | Mapping[str, Tables], new: Tables,
        settings: Mapping[str, Settings] = MappingProxyType({}),
    ) -> None:  # fmt: skip
        self.tally = Tally()
        self._old = old
        self._new = new
        self._settings = settings
        self._comparisons: dict[str, Comparison | None] = {}
        self._known: dict[tuple[str, str], Group] = {}

    def add(self, rules: str, facts: str, mark: str, child: object) -> None:
        """One case, its facts as they are stored."""
        key = (rules, facts)
        group = self._known.get(key)
        if group is None:
            if len(self._known) >= MOST_PATTERNS:
                self._known.clear()
            group = self._known[key] = self.tally.group(self._kind(rules, facts))
        group.add(mark, child)  # type: ignore[arg-type]

    def _kind(self, rules: str, text: str) -> Kind:
        comparison = self._comparison(rules)
        if comparison is None:
            return Unread(rules)
        try:
            facts = orjson.loads(text)
        except orjson.JSONDecodeError:
            return Undecided()
        return comparison.of(facts) if isinstance(facts, dict) else Undecided()

    def _comparison(self, rules: str) -> Comparison | None:
        """By which both are compared; None where the case's own version cannot be read."""
        if rules not in self._comparisons:
            self._comparisons[rules] = self._between(rules)
        return self._comparisons[rules]

    def _between(self, rules: str) -> Comparison | None:
        old = self._old if isinstance(self._old, Tables) else self._old.get(rules)
        named = settings_named(rules)
        if old is None or (named and named not in self._settings):
            return None
        if not named:
            return Comparison(old, self._new)
        county = self._settings[named]
        old = old.in_county(county) if old.settings is None else old
        return Comparison(old, self._new.in_county(county), made=made_in(county))


async def count_part(job: Job, told: Told) -> Tally:
    """The tally of one share of the cases."""
    counting = Counting(job.old, job.new, job.settings)
    conn = await store.connect(job.url)
    try:
        async with store.same_snapshot(conn, job.snapshot):
            async for rows in store.newest(conn, job.part):
                for mark, child, rules, facts in rows:
                    counting.add(rules, facts, mark, child)
                told(len(rows))
    finally:
        await conn.close()
    return counting.tally


class Diff(NamedTuple):
    """The effect, and the tally with every case that is to be read."""

    effect: Effect
    tally: Tally


class Between(NamedTuple):
    """What is compared; `old` is None for each decision's own version, to be found in `rules`."""

    old: Tables | None
    new: Tables
    rules: Path


async def diff(url: str, between: Between, processes: int, clock: Clock, told: Progress) -> Diff:
    """Compare all stored cases; `told` is told of how many there are and how many are done.

    Raises `BrokenOff`, and what asyncpg raises.
    """
    conn = await store.connect(url)
    try:
        async with store.snapshot(conn) as snapshot:
            counts = await store.count_cases(conn)
            versions = await store.versions(conn)
            old = between.old or readable(versions, between.rules)
            settings = readable_settings(versions, between.rules)
            proposals = await store.proposals(conn)
            told(0, counts.own)
            jobs = [
                Job(url, snapshot, p, old, between.new, settings) for p in store.parts(processes)
            ]
            tally = Tally()
            for each in in_processes(count_part, jobs, told):
                tally.join(each)
    finally:
        await conn.close()
    about = About(
        _version(between.old), _version(between.new), clock(), counts.own,
        counts.all - counts.own, weeks(counts.first_at, counts.last_at), proposals,
    )  # fmt: skip
    return Diff(effect_of(tally, about), tally)


async def keep(url: str, effect: Effect) -> None:
    """Keep the effect for the desk. Raises what asyncpg raises."""
    conn = await store.connect(url)
    try:
        await effects.add(conn, effect)
    finally:
        await conn.close()


def readable(versions: list[str], rules: Path) -> dict[str, Tables]:
    """Those of the versions that can still be read."""
    found = {}
    for version in versions:
        try:
            found[version] = load_version(rules, version)
        except (TablesRefusedError, ValueError):
            continue
    return found


def readable_settings(versions: list[str], rules: Path) -> dict[str, Settings]:
    """Those that the versions name and that can still be read."""
    found = {}
    for named in {settings_named(version) for version in versions}:
        if named is None:
            continue
        try:
            found[named] = read_settings(rules / "settings" / f"{named}.yaml")
        except (TablesRefusedError, OSError):
            continue
    return found


def weeks(first: datetime | None, last: datetime | None) -> float:
    """The time between the two, a week at least: less says nothing of a week."""
    if first is None or last is None:
        return 1.0
    return max(1.0, (last - first).total_seconds() / _WEEK_S)


def _version(tables: Tables | None) -> Version:
    if tables is None:
        return Version(name="stored", content_hash="")
    return Version(name=tables.version, content_hash=tables.content_hash)
