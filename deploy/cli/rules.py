"""`./luotsi rules check`: whether rule tables may go live, in words for those who own them."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal, ParamSpec, TypeVar

from deploy.cli.shares import shares_of
from services.routing.domain.cases import InForce
from services.routing.domain.county import Settings
from services.routing.domain.flow import SPACE
from services.routing.domain.form import Form, load_form
from services.routing.domain.shares import load_shares
from services.routing.domain.tables import (
    Fault,
    Table,
    Tables,
    TablesRefusedError,
    load_settings,
    load_tables,
)
from services.routing.domain.tables.changes import changes
from services.routing.domain.tables.written import NAMES, in_order, read_table
from services.routing.domain.texts import Texts
from shared.events import Language

P = ParamSpec("P")
T = TypeVar("T")
SHIPPED = Path(__file__).parents[2] / "services" / "routing" / "rules"


class NotLive(Exception):
    """The tables may not go live; says every fault."""


class NotReady(NotLive):
    """Nothing is wrong with the tables, and something is to be written before they go live."""


Shares = Literal["left out", "measured", "written"]
"""Whether the shares are measured, and the file about them written where there is none."""


def check_rules(directory: Path | None, language: Language, *, shares: Shares = "left out") -> str:
    """What was proved of the newest version of each table in `directory` (the shipped ones).

    The questions, the county's settings and the files of shares there are read, too. `shares`: what
    the tables make of the sample county's year, which takes some seconds.
    Raises `NotLive` with each fault, `NotReady` with what was proved and what the owner still has
    to write, and OSError if there is no such directory.
    """
    where = directory or SHIPPED
    next(where.iterdir(), None)  # it is there, and a directory
    tables, form, settings = _loaded(where, language)
    newest = tables.in_county(settings[-1])
    lines = [line for table in tables.each() for line in _described(where, table, language)]
    lines += [_asked(form, language), *(_settled(each, language) for each in settings)]
    to_do: list[str] = []
    if shares != "left out":
        measured, to_do = shares_of(
            where, tables, InForce(newest), language, write=shares == "written"
        )
        lines += ["", *measured]
    told = "\n".join([*lines, *_exceptions(tables, language), "", _proved(newest, language)])
    if to_do:
        raise NotReady("\n".join([told, "", _NOT_READY.in_language(language), *to_do]))
    return told


def _loaded(where: Path, language: Language) -> tuple[Tables, Form, tuple[Settings, ...]]:
    """All there is, or every fault. Settings are held against the tables where these are sound."""
    faults: list[Fault] = [*_not_read(where)]
    tables = _or_faults(faults, load_tables, where, SPACE)
    form = _or_faults(faults, load_form, where)
    settings = _or_faults(faults, load_settings, where, tables.destinations if tables else None)
    _or_faults(faults, load_shares, where, "")
    if tables is None or form is None or settings is None or faults:
        told = TablesRefusedError(faults).in_language(language)
        raise NotLive(f"{told}\n\n{KEPT.in_language(language)}")
    return tables, form, settings


def _or_faults(
    faults: list[Fault], load: Callable[P, T], *args: P.args, **named: P.kwargs
) -> T | None:
    """What is loaded, or None with what keeps it from being loaded."""
    try:
        return load(*args, **named)
    except TablesRefusedError as error:
        faults += error.faults
        return None


def _not_read(where: Path) -> Iterator[Fault]:
    """Files that somebody wrote for the rules and that nobody reads, for their ending."""
    for folder in (*NAMES, "questions", "settings", "shares"):
        for path in sorted((where / folder).glob("[!.]*[!~]")):
            if path.suffix != ".yaml":
                yield Fault("not-read", f"{folder}/{path.name}")


def _asked(form: Form, language: Language) -> str:
    questions = f"{len(form.questions)} {_QUESTIONS.in_language(language)}"
    return f"questions/{form.version}.yaml: {questions}, {form.owner}"


def _settled(settings: Settings, language: Language) -> str:
    offers = f"{len(settings.offers)} {_OFFERS.in_language(language)}"
    return f"{settings.file}: {settings.names.in_language(language)}, {offers}, {settings.owner}"


def _described(where: Path, table: Table, language: Language) -> list[str]:
    """The table, and what it says otherwise than the version before, if there is one to read."""
    lines = [f"{table.file}: {len(table.rows)} {_ROWS.in_language(language)}, {table.owner}"]
    files = sorted((where / table.name).glob("*.yaml"), key=in_order)[-2:]
    if len(files) > 1:
        with suppress(TablesRefusedError):  # the one before need not be readable any more
            before, now = map(read_table, files)
            lines.append(f"  {changes(before, now).in_language(language)}")
    return lines


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
_QUESTIONS = Texts(fi="kysymystä", sv="frågor", en="questions")
_OFFERS = Texts(fi="omaa palvelua", sv="egna tjänster", en="offers")
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
_NOT_READY = Texts(
    fi="Taulukoissa ei ole vikaa, mutta ne eivät ole vielä valmiita käyttöön. Voimassa oleva "
    "versio pysyy voimassa, kunnes tämä on tehty:",
    sv="Tabellerna har inget fel men är inte klara att tas i bruk. Den gällande versionen förblir "
    "i kraft tills detta är gjort:",
    en="Nothing is wrong with the tables, but they are not ready to go live. The version in force "
    "stays in force until this is done:",
)
