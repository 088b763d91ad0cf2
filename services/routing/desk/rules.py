"""The rules as people read them: a version's tables in words, what is proved, what it changes."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from services.routing.desk.explanations import basis
from services.routing.desk.languages import N_, Words
from services.routing.desk.words import ANSWERS, DESTINATIONS, HOLDERS, LEVELS
from services.routing.domain.county import Settings
from services.routing.domain.effect import Cell, Effect, Queue, Reading
from services.routing.domain.flow import SPACE
from services.routing.domain.lighter import Fall
from services.routing.domain.tables import TableName, TablesRefusedError
from services.routing.domain.tables.loading import faults_of, form_faults
from services.routing.domain.tables.settings import read_settings
from services.routing.domain.tables.versions import Version, VersionNameError
from services.routing.domain.tables.words import column_name, condition_in_words
from services.routing.domain.tables.written import (
    NAMES,
    Example,
    Hit,
    WrittenRow,
    WrittenTable,
    in_order,
    read_table,
)
from shared.events import Language

TITLES: Mapping[TableName, str] = {
    "urgent": N_("Signs of urgency"),
    "level": N_("Level"),
    "holder": N_("Who holds the case"),
    "destinations": N_("Where the case could go besides"),
}
HITS: Mapping[Hit, str] = {
    "collect": N_("Every row that fits adds what it says."),
    "unique": N_("For each child exactly one row fits."),
    "agreeing": N_("For each child at least one row fits; all that fit say the same."),
}
PROVED: tuple[str, ...] = (
    N_("Every child gets one level and one holder: no child is left out, no two rows disagree."),
    N_("Every row can fit some child."),
    N_(
        "More concern never gives a lighter decision: no sign of urgency falls away, the level "
        "does not drop, the expert group and child psychiatry do not fall away, except where an "
        "exception stands below."
    ),
    N_(
        "No row depends on municipality, name, language, nationality, gender or the notifier's "
        "unit."
    ),
    N_("Every row keeps its own examples, on both sides of each of its limits."),
    N_(
        "The questions of a case are exactly the unknown answers that could still change its "
        "decision."
    ),
)


OWNERS: Mapping[str, str] = {
    "The county's responsible official for child protection": N_(
        "The county's responsible official for child protection"
    ),
    "The county's responsible official for child-protection duty": N_(
        "The county's responsible official for child-protection duty"
    ),
}
"""Who answers for a table, as the shipped files write it; another name is shown as it is written.
"""


def version_in_words(version: str, words: Words) -> str:
    """A version's name, such as `level@2026-12+settings@2026-08-01`, as people read it."""
    names: dict[str, str] = {str(table): title for table, title in TITLES.items()}
    names["settings"] = N_("Settings of the county")
    parts = (part.partition("@") for part in version.split("+"))
    return ", ".join(f"{words.of(names, name)} {number}".strip() for name, _, number in parts)


def changed_in_words(old: str, new: str, words: Words) -> tuple[str, str]:
    """Of two versions the parts that differ, as people read them; all of it where nothing does."""
    one, other = old.split("+"), new.split("+")
    gone = [part for part in one if part not in other]
    come = [part for part in other if part not in one]
    return (
        version_in_words("+".join(gone) or old, words),
        version_in_words("+".join(come) or new, words),
    )


class Listing(NamedTuple):
    """The versions of one table, the newest first."""

    table: TableName
    title: str
    versions: tuple[str, ...]


class RowView(NamedTuple):
    """A row in words. `unless`: rows that keep it from fitting, each with its reason."""

    id: str
    outcome: str
    reason: str
    when: tuple[str, ...]
    unless: tuple[tuple[str, str], ...]
    basis: str
    owner: str
    exception: str | None
    fits: tuple[str, ...]
    fits_not: tuple[str, ...]


class TableView(NamedTuple):
    """A table in words."""

    name: TableName
    title: str
    version: str
    owner: str
    note: str
    hit: str
    rows: tuple[RowView, ...]

    @property
    def exceptions(self) -> tuple[RowView, ...]:
        """The rows that may make a decision lighter though concern grows."""
        return tuple(row for row in self.rows if row.exception)


@dataclass(frozen=True, slots=True)
class VersionView:
    """One version, or a part of one. `proved`: by the proofs of today; `faults` if unreadable.

    `settings`: those of the county, if it names any.
    """

    name: str
    tables: tuple[TableView, ...] = ()
    proved: bool = False
    is_whole: bool = False
    faults: tuple[str, ...] = ()
    settings: Settings | None = None


class _Read(NamedTuple):
    written: tuple[WrittenTable, ...]
    proved: bool
    refused: TablesRefusedError | None = None
    settings: Settings | None = None


async def read_version(directory: Path, name: str, words: Words) -> VersionView | None:
    """A version such as `level@2026-12` or all four tables; None if there is none of that name."""
    found = await asyncio.to_thread(_read, directory, name)
    if found is None:
        return None
    return VersionView(
        name=name,
        tables=tuple(_table(table, words) for table in found.written),
        proved=found.proved,
        is_whole=len(found.written) == len(NAMES),
        faults=_lines(found.refused, words.language),
        settings=found.settings,
    )


async def listings(directory: Path, words: Words) -> list[Listing]:
    """Every version of every table."""
    found = await asyncio.to_thread(_found, directory)
    return [Listing(name, words.text(TITLES[name]), found[name]) for name in NAMES]


def _found(directory: Path) -> dict[TableName, tuple[str, ...]]:
    return {
        name: tuple(
            path.stem
            for path in sorted((directory / name).glob("*.yaml"), key=in_order, reverse=True)
        )
        for name in NAMES
    }


@lru_cache(maxsize=64)
def _read(directory: Path, name: str) -> _Read | None:
    """The files of a version; they are never edited, so they are read and proved once."""
    try:
        version = Version.read(name)
    except VersionNameError:
        return None
    paths = {table: version.file(table, directory) for table in version.tables}
    own = version.settings_file(directory)
    if not all(path.is_file() for path in [*paths.values(), *([own] if own else [])]):
        return None
    try:
        written = tuple(read_table(paths[table]) for table in NAMES if table in paths)
        settled = read_settings(own) if own else None
    except TablesRefusedError as error:
        return _Read((), proved=False, refused=error)
    faults = [fault for table in written for fault in form_faults(table, SPACE)]
    if faults:
        return _Read((), proved=False, refused=TablesRefusedError(faults))
    return _Read(
        written,
        proved=version.is_whole and not faults_of(written),
        settings=settled,
    )


def _lines(refused: TablesRefusedError | None, language: Language) -> tuple[str, ...]:
    return tuple(refused.in_language(language).splitlines()) if refused else ()


# --- in words -----------------------------------------------------------------------------------


def _table(table: WrittenTable, words: Words) -> TableView:
    return TableView(
        table.table, words.text(TITLES[table.table]), table.version, words.of(OWNERS, table.owner),
        table.note.in_language(words.language), words.text(HITS[table.hit]),
        tuple(_row(table, row, words) for row in table.rows),
    )  # fmt: skip


def _row(table: WrittenTable, row: WrittenRow, words: Words) -> RowView:
    language = words.language
    examples = row.examples
    return RowView(
        id=row.id,
        outcome=outcome_in_words(table.table, row.then, words),
        reason=row.reason.in_language(language),
        when=tuple(condition_in_words(c, allowed, language) for c, allowed in row.when.items()),
        unless=tuple(
            (each.id, each.reason.in_language(language))
            for each in table.rows
            if each.id in row.unless
        ),
        basis=basis(words, row.basis),
        owner=words.of(OWNERS, row.owner or table.owner),
        exception=row.exception.reason.in_language(language) if row.exception else None,
        fits=_examples(examples.match if examples else (), language),
        fits_not=_examples(examples.no_match if examples else (), language),
    )


def _examples(examples: Sequence[Example], language: Language) -> tuple[str, ...]:
    return tuple(
        ", ".join(
            condition_in_words(column, (said,) if isinstance(said, str) else said, language)
            for column, said in example.items()
        )
        for example in examples
    )


def outcome_in_words(table: TableName, says: str, words: Words) -> str:
    """What a row of this table says."""
    if table == "level":
        return words.of(LEVELS, says)
    if table == "holder":
        return words.of(HOLDERS, says)
    if table == "destinations":
        return words.text("Proposed: %(what)s") % {"what": words.of(DESTINATIONS, says)}
    return words.text("Sign of urgency")  # which one, its reason says


# --- an effect in words ---------------------------------------------------------------------------

_CODES: Mapping[str, str] = {**LEVELS, **HOLDERS, **DESTINATIONS, **ANSWERS}


class Matrix(NamedTuple):
    """From what the old rules say, line by line, to what the new ones say."""

    title: str
    after: tuple[str, ...]
    lines: tuple[tuple[str, tuple[int, ...]], ...]


class QueueView(NamedTuple):
    """A queue, with what changes in a week; seats where people have decided so far."""

    name: str
    queue: Queue
    week: str
    seats: str


class ReadingView(NamedTuple):
    """Cases to read, with what became lighter, or perhaps did, and what was lacking."""

    reading: Reading
    falls: tuple[str, ...]
    lacking: tuple[str, ...]


class EffectView(NamedTuple):
    """An effect in words."""

    effect: Effect
    matrices: tuple[Matrix, ...]
    queues: tuple[QueueView, ...]
    readings: tuple[ReadingView, ...]
    derived: tuple[tuple[str, int], ...]
    whatever: tuple[tuple[str, int], ...]


def effect_view(effect: Effect, words: Words) -> EffectView:
    """An effect as it is shown."""
    language = words.language
    queues = (*effect.holders, *effect.destinations)
    return EffectView(
        effect,
        (
            _matrix(words.text("Level"), effect.level, words),
            _matrix(words.text("Who holds the case"), effect.holder, words),
            _matrix(words.text("Signs of urgency"), effect.urgent, words),
        ),
        tuple(_queue(queue, effect.weeks, words) for queue in queues),
        tuple(_reading(reading, words) for reading in effect.reading),
        tuple((column_name(c, language), cases) for c, cases in effect.derived.items()),
        tuple((column_name(c, language), cases) for c, cases in effect.whatever.items()),
    )


def _matrix(title: str, cells: Sequence[Cell], words: Words) -> Matrix:
    count = {(cell.before, cell.after): cell.cases for cell in cells}
    before, after = (
        (dict.fromkeys(codes) for codes in zip(*count, strict=True)) if count else ({}, {})
    )
    return Matrix(
        title,
        tuple(words.of(_CODES, code) for code in after),
        tuple(
            (words.of(_CODES, code), tuple(count.get((code, each), 0) for each in after))
            for code in before
        ),
    )


def _queue(queue: Queue, weeks: float, words: Words) -> QueueView:
    seats = "" if queue.seats is None else _change(queue.seats / weeks)
    return QueueView(words.of(_CODES, queue.name), queue, _change(queue.more / weeks), seats)


def _change(number: float) -> str:
    return f"{number:+.1f}".replace("-", "−") if number else "0"


def _reading(reading: Reading, words: Words) -> ReadingView:
    lacking = reading.lacking
    if reading.why == "unsure":
        lacking = tuple(column_name(column, words.language) for column in lacking)
    falls = tuple(fall_in_words(fall, words) for fall in reading.falls or ())
    return ReadingView(reading, falls, lacking)


def fall_in_words(fall: Fall, words: Words) -> str:
    """What became lighter."""
    if fall.table == "level":
        return words.text("The level drops: %(was)s → %(now)s") % {
            "was": words.of(LEVELS, fall.was),
            "now": words.of(LEVELS, fall.now),
        }
    if fall.table == "urgent":
        return words.text("The sign of urgency falls away: %(sign)s") % {"sign": fall.was}
    return words.text("No longer proposed: %(what)s") % {"what": words.of(DESTINATIONS, fall.was)}
