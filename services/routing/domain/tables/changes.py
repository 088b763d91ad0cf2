"""What differs between two versions of a table, row by row, for those who read a change.

Examples say whom a row fits; nothing proves that what it says of them (`then`) is meant. So it is
never changed silently: both are told.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from pydantic import BaseModel

from services.routing.domain.tables.written import WrittenRow, WrittenTable
from services.routing.domain.texts import Texts
from shared.events import Language


class Changed(NamedTuple):
    """One row, or the head of the table where `row` is empty, and its parts that differ."""

    row: str
    parts: tuple[str, ...]

    def __str__(self) -> str:
        parts = ", ".join(self.parts)
        return f"{self.row} ({parts})" if self.row else parts


class Changes(NamedTuple):
    """Rows by their id, in the order of the newer version; those that went, of the older."""

    since: str
    changed: tuple[Changed, ...]
    new: tuple[str, ...]
    gone: tuple[str, ...]

    def in_language(self, language: Language) -> str:
        """In a line; that nothing differs is said, too."""
        lists = (
            (_CHANGED, ", ".join(map(str, self.changed))),
            (_NEW, ", ".join(self.new)),
            (_GONE, ", ".join(self.gone)),
        )
        told = [f"{what.in_language(language)} {rows}" for what, rows in lists if rows]
        since = _SINCE.in_language(language).format(version=self.since)
        return f"{since}: {'; '.join(told) or _NOTHING.in_language(language)}"


def changes(before: WrittenTable, after: WrittenTable) -> Changes:
    """What the second table says otherwise than the first."""
    old = {row.id: row for row in before.rows}
    new = {row.id: row for row in after.rows}
    rows = [Changed(name, tuple(_of_row(old[name], new[name]))) for name in new if name in old]
    head = Changed("", tuple(_parts(before, after, ("hit", "owner", "note"))))
    return Changes(
        before.version,
        tuple(each for each in (head, *rows) if each.parts),
        tuple(name for name in new if name not in old),
        tuple(name for name in old if name not in new),
    )


def _of_row(before: WrittenRow, after: WrittenRow) -> Iterator[str]:
    if before.then != after.then:
        yield f"then {before.then} → {after.then}"
    yield from _parts(before, after, [name for name in WrittenRow.model_fields if name != "then"])


def _parts(before: BaseModel, after: BaseModel, names: Iterable[str]) -> Iterator[str]:
    return (name for name in names if getattr(before, name) != getattr(after, name))


_SINCE = Texts(fi="versioon {version} verrattuna", sv="mot version {version}", en="since {version}")
_CHANGED = Texts(fi="muuttui", sv="ändrat", en="changed")
_NEW = Texts(fi="uutta", sv="nytt", en="new")
_GONE = Texts(fi="poistettu", sv="borttaget", en="gone")
_NOTHING = Texts(fi="riveissä ei eroja", sv="inga skillnader", en="nothing differs")
