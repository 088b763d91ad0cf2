"""Tables ready to decide. Every row of every table is evaluated for every case, all at once.

Each column knows, for each of its values, which rows allow it: one bit a row, over all tables. What
is left after all columns is the rows that hold. No order of rows means anything.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, cast, get_args

from services.routing.domain.county import Settings
from services.routing.domain.facts import Column, Facts
from services.routing.domain.flow import SPACE, Space
from services.routing.domain.tables.written import (
    Hit,
    Interval,
    TableName,
    WrittenRow,
    WrittenTable,
    content_hash,
    sorted_rows,
)
from services.routing.domain.texts import Texts
from shared.events import AgeBand, Destination, Holder, Level

LEVELS: tuple[Level, ...] = get_args(Level)  # from the lightest to the most demanding
DESTINATIONS: tuple[Destination, ...] = get_args(Destination)
OUTCOMES: Mapping[TableName, tuple[str, ...] | None] = {
    "urgent": None,  # a new sign is a new row, nothing else
    "level": LEVELS,
    "holder": get_args(Holder),
    "destinations": DESTINATIONS,
}

# What the tables before it have said, as columns of a later table.
SAID: Mapping[str, Column] = {
    "flagged": Column(("no", "yes"), "rising"),  # whether there is any sign of urgency
    "level": Column(LEVELS, "rising"),
}
SEES: Mapping[TableName, tuple[str, ...]] = {
    "urgent": (),
    "level": ("flagged",),
    "holder": ("flagged", "level"),
    "destinations": ("flagged", "level"),
}

WrongCount = Literal["no-row", "rows-disagree"]
_MOST_SAID = 10_000


def column_of(space: Space, table: TableName, name: str) -> Column | None:
    """The column as this table may read it; None if it may not."""
    if name in SAID:
        return SAID[name] if name in SEES[table] else None
    return space.columns.get(name)


class Row(NamedTuple):
    """A compiled row; `unless` are positions in its table."""

    ref: str
    when: tuple[tuple[str, frozenset[str | int]], ...]
    unless: tuple[int, ...]
    then: str
    exception: Texts | None

    @property
    def name(self) -> str:
        return self.ref.partition("/")[2]

    def holds(self, facts: Facts) -> bool:
        """Whether its own conditions hold; rows named in `unless` may still silence it."""
        return all(facts[column] in allowed for column, allowed in self.when)


@dataclass(frozen=True, slots=True)
class Table:
    """A compiled table, its rows sorted by their id."""

    name: TableName
    version: str
    hit: Hit
    owner: str
    note: Texts
    rows: tuple[Row, ...]

    def columns(self) -> tuple[str, ...]:
        return tuple(sorted({column for row in self.rows for column, _ in row.when}))

    @property
    def file(self) -> str:
        return f"{self.name}/{self.version}.yaml"


class Outcome(NamedTuple):
    """All rows that hit, what they say (each once), and what is wrong where one was needed."""

    hits: tuple[Row, ...]
    says: tuple[str, ...]
    fault: WrongCount | None


@dataclass(frozen=True, eq=False)  # equal only to itself, so that it is found at once
class Said:
    """What the four tables say of one child; `strange`: some facts were not understood.

    `left_out`: rows of destinations that hit, and whose offer the county lacks, or has for others.
    """

    urgent: Outcome
    level: Outcome
    holder: Outcome
    destinations: Outcome
    stands: Level
    strange: bool
    left_out: tuple[Row, ...] = ()


class _Places(NamedTuple):
    """Where the rows of one table stand among the bits."""

    table: Table
    bits: int
    first: int
    silenced: tuple[tuple[int, int], ...]  # the bit of a row, the bits of those that silence it


@dataclass(frozen=True, slots=True)
class Tables:
    """The four tables, with the version and hash that every decision stores.

    `settings`: the county's, which say what there is of what the rows propose. Without any, all is.
    """

    urgent: Table
    level: Table
    holder: Table
    destinations: Table
    reasons: Mapping[str, Texts]
    basis: Mapping[str, str]  # of each row, as its owner wrote it
    version: str
    content_hash: str
    _tests: tuple[tuple[str, Mapping[str | int, int], int], ...]
    _said: Mapping[str, tuple[Mapping[str | int, int], int]]
    _places: tuple[_Places, ...]
    settings: Settings | None = None
    _lacking: Mapping[str | int, int] = field(default_factory=dict)
    # Rows that hold, whether something was strange, what is lacking -> what the tables say then:
    # some hundred of them for tens of thousands of facts.
    _said_of: dict[tuple[int, bool, int], Said] = field(default_factory=dict, compare=False)

    def in_county(self, settings: Settings) -> "Tables":
        """These rules in a county with these settings, which are part of version and hash then."""
        *_, places = self._places
        lacking: dict[str | int, int] = {}
        for band in get_args(AgeBand):
            lacking[band] = sum(
                1 << (places.first - 1 + place)
                for place, row in enumerate(places.table.rows)
                if (bands := settings.bands(row.then)) is not None and band not in bands
            )
        both = f"{self.content_hash}+{settings.content_hash}"
        return replace(
            self,
            version=f"{self.version}+settings@{settings.version}",
            content_hash=hashlib.sha256(both.encode()).hexdigest(),
            settings=settings,
            _lacking=lacking,
            _said_of={},
        )

    def each(self) -> tuple[Table, ...]:
        return (self.urgent, self.level, self.holder, self.destinations)

    def evaluate(self, facts: Facts) -> Said:
        """What every table says. What a fact's column does not know is taken as unknown."""
        holds, strange = -1, False
        try:
            for column, by_value, _ in self._tests:
                holds &= by_value[facts[column]]
        except KeyError:
            holds, strange = self._understood(facts), True
        holding = (holds, strange, self._not_there(facts.get("age_band", "unknown")))
        said = self._said_of.get(holding)
        if said is None:
            if len(self._said_of) >= _MOST_SAID:
                self._said_of.clear()
            said = self._said_of[holding] = self._says(*holding)
        return said

    def _understood(self, facts: Facts) -> int:
        """The rows that hold where some facts are not understood, or not there."""
        holds = -1
        for column, by_value, others in self._tests:
            allowed = by_value.get(facts.get(column, ""))
            holds &= by_value.get("unknown", others) if allowed is None else allowed
        return holds

    def _says(self, holds: int, strange: bool, lacking: int) -> Said:  # noqa: FBT001 -- a value
        """What the tables say where these rows hold, and these lack their offer."""
        urgent, level, holder, destinations = self._places
        flags = _outcome(urgent, holds)
        holds &= self._earlier("flagged", "yes" if flags.hits else "no")
        levels = _outcome(level, holds)
        stands = _level(levels)
        holds &= self._earlier("level", stands)
        hit = _hit(destinations, holds)
        out = hit & lacking
        return Said(
            flags, levels, _outcome(holder, holds), _said(destinations, hit ^ out), stands, strange,
            tuple(_rows(destinations, out)) if out else (),
        )  # fmt: skip

    def _not_there(self, age_band: str | int) -> int:
        """The rows whose offer the county lacks for this age; a strange age is an unknown one."""
        return self._lacking.get(age_band, self._lacking["unknown"]) if self._lacking else 0

    def _earlier(self, column: str, value: str) -> int:
        by_value, others = self._said[column]
        return by_value.get(value, others)


def _outcome(places: _Places, holds: int) -> Outcome:
    return _said(places, _hit(places, holds))


def _hit(places: _Places, holds: int) -> int:
    hit = holds & places.bits
    for bit, others in places.silenced:
        if hit & bit and holds & others:
            hit ^= bit
    return hit


def _rows(places: _Places, hit: int) -> list[Row]:
    hits = []
    while hit:
        low = hit & -hit
        hits.append(places.table.rows[low.bit_length() - places.first])
        hit ^= low
    return hits


def _said(places: _Places, hit: int) -> Outcome:
    hits = _rows(places, hit)
    says = tuple(dict.fromkeys([row.then for row in hits]))
    return Outcome(tuple(hits), says, _wrong(places.table.hit, len(hits), len(says)))


def _wrong(hit: Hit, hits: int, says: int) -> WrongCount | None:
    if hit == "collect":
        return None
    if not hits:
        return "no-row"
    return "rows-disagree" if (hits if hit == "unique" else says) > 1 else None


def _level(outcome: Outcome) -> Level:
    if not outcome.says:
        return LEVELS[-1]  # a person decides; until then nobody treats it as light
    return cast("Level", max(outcome.says, key=lambda level: LEVELS.index(cast("Level", level))))


def compile_tables(written: Sequence[WrittenTable], space: Space = SPACE) -> Tables:
    """Compile the four tables, in the order of their names, without proving them."""
    urgent, level, holder, destinations = made = [compile_table(table, space) for table in written]
    rows = [row for table in made for row in table.rows]
    facts = sorted({column for row in rows for column, _ in row.when} - set(SAID))
    return Tables(
        urgent=urgent,
        level=level,
        holder=holder,
        destinations=destinations,
        reasons={f"{table.table}/{row.id}": row.reason for table in written for row in table.rows},
        basis={f"{table.table}/{row.id}": row.basis for table in written for row in table.rows},
        version="+".join(f"{table.table}@{table.version}" for table in written),
        content_hash=content_hash(written),
        _tests=tuple((name, *_bits(rows, name, space.columns[name])) for name in facts),
        _said={name: _bits(rows, name, column) for name, column in SAID.items()},
        _places=tuple(_places(made)),
    )


def compile_table(table: WrittenTable, space: Space = SPACE) -> Table:
    """Compile one table, whose rows are in form (`row_faults`)."""
    rows = sorted_rows(table)
    places = {row.id: place for place, row in enumerate(rows)}
    made = tuple(_row(table, row, places, space) for row in rows)
    return Table(table.table, table.version, table.hit, table.owner, table.note, made)


def _row(table: WrittenTable, row: WrittenRow, places: Mapping[str, int], space: Space) -> Row:
    when = []
    for name, condition in row.when.items():
        column = column_of(space, table.table, name)
        allowed = (
            condition.of(column.values if column else ())
            if isinstance(condition, Interval)
            else frozenset[str | int](condition)
        )
        when.append((name, allowed))
    return Row(
        ref=f"{table.table}/{row.id}",
        when=tuple(when),
        unless=tuple(places[other] for other in dict.fromkeys(row.unless)),
        then=row.then,
        exception=row.exception.reason if row.exception else None,
    )


def _bits(rows: Sequence[Row], name: str, column: Column) -> tuple[Mapping[str | int, int], int]:
    """For each value the rows that allow it, and those that do not ask."""
    tests = [dict(row.when).get(name) for row in rows]
    others = sum(1 << place for place, allowed in enumerate(tests) if allowed is None)
    by_value = {
        value: others + sum(1 << place for place, a in enumerate(tests) if a and value in a)
        for value in column.values
    }
    return by_value, others


def _places(tables: Sequence[Table]) -> list[_Places]:
    made, first = [], 0
    for table in tables:
        silenced = tuple(
            (1 << (first + place), sum(1 << (first + other) for other in row.unless))
            for place, row in enumerate(table.rows)
            if row.unless
        )
        bits = ((1 << len(table.rows)) - 1) << first
        made.append(_Places(table, bits, first + 1, silenced))
        first += len(table.rows)
    return made
