"""`./luotsi rules check`: whether rule tables may go live, in words for those who own them."""

from pathlib import Path

from services.routing.domain.flow import SPACE
from services.routing.domain.tables import Table, Tables, TablesRefusedError, load_tables
from services.routing.domain.texts import Texts
from shared.events import Language

SHIPPED = Path(__file__).parents[2] / "services" / "routing" / "rules"


class NotLive(Exception):
    """The tables may not go live; says every fault."""


def check_rules(directory: Path | None, language: Language) -> str:
    """What was proved of the newest version of each table in `directory` (the shipped ones).

    Raises `NotLive` with each fault, and OSError if there is no such directory.
    """
    where = directory or SHIPPED
    where.stat()
    try:
        tables = load_tables(where, SPACE)
    except TablesRefusedError as error:
        kept = KEPT.in_language(language)
        raise NotLive(f"{error.in_language(language)}\n\n{kept}") from None
    lines = [_described(table, language) for table in tables.each()]
    return "\n".join([*lines, *_exceptions(tables, language), "", _proved(tables, language)])


def _described(table: Table, language: Language) -> str:
    return f"{table.file}: {len(table.rows)} {_ROWS.in_language(language)}, {table.owner}"


def _exceptions(tables: Tables, language: Language) -> list[str]:
    word = _EXCEPTION.in_language(language)
    return [
        f"{word}: {table.file}, {row.name}: {row.exception.in_language(language)}"
        for table in tables.each()
        for row in table.rows
        if row.exception
    ]


def _proved(tables: Tables, language: Language) -> str:
    return f"{_PROVED.in_language(language)}\n{tables.version}\n{tables.content_hash}"


_ROWS = Texts(fi="riviä", sv="rader", en="rows")
_EXCEPTION = Texts(fi="Poikkeus", sv="Undantag", en="Exception")
_PROVED = Texts(
    fi="Todistettu: jokainen lapsi saa yhden tason ja yhden haltijan, jokainen rivi voi osua, "
    "eikä huolen kasvu koskaan kevennä päätöstä, poikkeuksia lukuun ottamatta.",
    sv="Bevisat: varje barn får en nivå och en innehavare, varje rad kan träffa, och mer oro gör "
    "aldrig beslutet lättare, utom där ett undantag står.",
    en="Proved: every child gets one level and one holder, every row can hit, and more concern "
    "never gives a lighter decision, but where an exception stands.",
)
KEPT = Texts(
    fi="Taulukoita ei oteta käyttöön; voimassa oleva versio pysyy voimassa.",
    sv="Tabellerna tas inte i bruk; den gällande versionen förblir i kraft.",
    en="These tables do not go live; the version in force stays in force.",
)
