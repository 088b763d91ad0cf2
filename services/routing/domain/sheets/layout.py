"""Which sheets and columns there are.

Their names are the same in every language and are read; the second row of a sheet, which begins
with `#`, says in three languages what a column holds.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple

from services.routing.domain.flow import Space
from services.routing.domain.tables.engine import column_of
from services.routing.domain.tables.written import TableName
from services.routing.domain.texts import Texts
from shared.events import Language

Strange = Literal["formula", "date", "truth", "error", "decimal", "merged"]
"""What a cell holds that is no text and no whole number."""


class Cell(NamedTuple):
    """A cell as it was found: its text without spaces around it, or what it holds instead."""

    text: str = ""
    strange: Strange | None = None

    @property
    def empty(self) -> bool:
        return not self.text and self.strange is None


Book = Mapping[str, Sequence[Sequence[Cell]]]
"""The sheets of a workbook by their name, each with its rows from the first on."""

Sheets = Mapping[str, Sequence[Sequence[str]]]
"""The sheets of a workbook that is to be written, as texts."""

LANGUAGES: Final[tuple[Language, ...]] = ("fi", "sv", "en")
TABLES: Final = "tables"
QUESTIONS: Final = "questions"
FACTS: Final = "facts"
NOTE: Final = "#"
"""A row that begins so is for readers and is not read."""
WHEN: Final = "when "
"""A condition's column is named by this and by the fact that it asks for."""

OF_TABLES: Final = (
    "table", "version", "hit", "owner", *(f"note {each}" for each in LANGUAGES), "contents",
)  # fmt: skip
BEFORE_CONDITIONS: Final = ("id",)
AFTER_CONDITIONS: Final = (
    "unless",
    "then",
    *(f"reason {each}" for each in LANGUAGES),
    "basis",
    "owner",
    *(f"exception {each}" for each in LANGUAGES),
    "examples match",
    "examples no_match",
)
OF_ROWS: Final = (*BEFORE_CONDITIONS, *AFTER_CONDITIONS)
OF_QUESTIONS: Final = ("id", *(f"text {each}" for each in LANGUAGES), "answered_by")
OF_FACTS: Final = ("fact", *LANGUAGES, "direction", "tables", "values")
MAY_BE_LEFT_OUT: Final = frozenset(
    {
        "unless",
        "owner",
        "contents",
        "examples match",
        "examples no_match",
        *(f"exception {each}" for each in LANGUAGES),
    }
)


def is_number(space: Space, table: TableName, name: str) -> bool:
    """Whether a condition on this fact is given by limits."""
    column = column_of(space, table, name)
    return column is not None and isinstance(column.values[0], int)


LABELS: Final[Mapping[str, Texts]] = {
    "table": Texts(fi="taulukko", sv="tabell", en="table"),
    "version": Texts(
        fi="versio, josta tämä on viety", sv="version som detta exporterats ur", en="exported from"
    ),
    "hit": Texts(
        fi="moniko rivi saa osua", sv="hur många rader som får träffa", en="how many rows may hit"
    ),
    "owner": Texts(
        fi="omistaja (rivillä vain, jos eri kuin taulukon)",
        sv="ägare (på en rad bara om en annan än tabellens)",
        en="owner (of a row only if not the table's)",
    ),
    "note": Texts(fi="huomautus", sv="anmärkning", en="note"),
    "contents": Texts(
        fi="kaikkien rivien tunnukset", sv="alla raders namn", en="the ids of all rows"
    ),
    "id": Texts(fi="tunnus", sv="namn", en="id"),
    "unless": Texts(
        fi="ei osu, jos jonkin näiden rivien ehdot täyttyvät",
        sv="träffar inte om villkoren för någon av dessa rader uppfylls",
        en="does not hit where the conditions of one of these rows hold",
    ),
    "then": Texts(fi="mitä rivi sanoo", sv="vad raden säger", en="what the row says"),
    "reason": Texts(fi="perustelu", sv="motivering", en="reason"),
    "basis": Texts(
        fi="peruste: säädös tai own construction",
        sv="grund: en bestämmelse eller own construction",
        en="basis: a citation or own construction",
    ),
    "exception": Texts(
        fi="miksi päätös saa keventyä, vaikka huoli kasvaa",
        sv="varför beslutet får bli lättare fast oron växer",
        en="why more concern may give a lighter decision",
    ),
    "examples match": Texts(
        fi="esimerkkejä, joihin rivi osuu; yksi rivillä",
        sv="exempel som raden träffar; ett per rad",
        en="examples that the row hits; one a line",
    ),
    "examples no_match": Texts(
        fi="esimerkkejä, joihin rivi ei osu; yksi rivillä",
        sv="exempel som raden inte träffar; ett per rad",
        en="examples that the row does not hit; one a line",
    ),
    "text": Texts(fi="kysymys", sv="fråga", en="question"),
    "answered_by": Texts(fi="kuka voi vastata", sv="vem som kan svara", en="who can answer"),
    "fact": Texts(fi="tieto", sv="uppgift", en="fact"),
    "direction": Texts(
        fi="mihin arvo liikkuu, kun huoli kasvaa",
        sv="hur värdet rör sig när oron växer",
        en="how the value moves as concern grows",
    ),
    "tables": Texts(
        fi="taulukot, jotka saavat kysyä sitä",
        sv="tabeller som får fråga efter den",
        en="tables that may ask for it",
    ),
    "values": Texts(
        fi="sallitut ehdot", sv="tillåtna villkor", en="conditions to choose from"
    ),
}  # fmt: skip
