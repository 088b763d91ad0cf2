"""The rules in words, as pages of ``docs/rules``: what the desk shows of the newest version.

For those who have no desk at hand: social workers, lawyers, whoever asks how the screen decides.
"""

import asyncio
import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path

from deploy.cli.rules import SHIPPED
from services.routing.desk.languages import Words, words
from services.routing.desk.rules import PROVED, RowView, VersionView, read_version
from services.routing.desk.words import TOLD_BY
from services.routing.domain.form import load_form
from services.routing.domain.tables import load_tables
from services.routing.domain.texts import Texts
from shared.events import Language

_FOLDER = Path(__file__).resolve().parents[2] / "docs" / "rules"
PAGES: Mapping[Language, Path] = {
    "fi": _FOLDER / "taulukot.fi.md",
    "sv": _FOLDER / "tabeller.sv.md",
    "en": _FOLDER / "tables.en.md",
}
_BAR = r"\|"  # one that ends no cell
_WIDTH = 145  # of prose, as in the other documents


class NotShownError(Exception):
    """The shipped rules cannot be read, so no page can be made of them."""


def tables_page(language: Language, directory: Path = SHIPPED) -> str:
    """The newest version of the rules of a directory as a page.

    Raises `NotShownError`, and `TablesRefusedError` for rules that may not go live.
    """
    name = load_tables(directory).version
    said = words(language)
    view = asyncio.run(read_version(directory, name, said))
    if view is None or view.faults:
        raise NotShownError(name)
    return "\n".join(_page(view, directory, said)) + "\n"


def _page(view: VersionView, directory: Path, said: Words) -> Iterator[str]:
    yield from _head(view, said)
    for number, table in enumerate(view.tables, 1):
        yield from ("", f"## {number}. {table.title}", "")
        yield from (*_wrapped(table.note, table.hit), "")
        yield from _aligned(_HEADINGS, (_row(row, said) for row in table.rows), said)
    yield from ("", f"## {said.text('What is proved')}", "")
    yield from (said.text("Proved of every child that can be, not of a sample:"), "")
    for each in PROVED:
        yield from _wrapped("-", said.text(each))
    yield from ("", f"## {said.text('Exceptions')}", "")
    yield from _exceptions(view, said)
    yield from ("", f"## {said.text('Questions')}", "")
    yield from (_in(_ASKED, said), "")
    yield from _aligned(_OF_QUESTIONS, _questions(directory, said), said)


def _head(view: VersionView, said: Words) -> Iterator[str]:
    yield from (f"# {_in(_TITLE, said)}", "", _in(_MADE, said), "")
    yield from _wrapped(
        f"{_in(_VERSION, said)}: `{view.name}` ({said.text('demo, unsigned')}).",
        said.text("These rules are the county's own construction, not THL's OT-seula."),
        said.text("Nobody has signed them yet: they are shown for trying out."),
    )
    yield ""
    yield from _wrapped(_in(_READING, said))


def _wrapped(*texts: str) -> list[str]:
    return textwrap.wrap(
        " ".join(texts), _WIDTH, break_long_words=False, break_on_hyphens=False,
        subsequent_indent="  " if texts[0] == "-" else "",
    )  # fmt: skip


def _row(row: RowView, said: Words) -> tuple[str, ...]:
    when = "; ".join(row.when) or said.text("Always")
    if row.unless:
        others = ", ".join(f"`{other}`" for other, _ in row.unless)
        when += f". {said.text('But not where one of these fits')}: {others}"
    return (row.outcome, when, row.reason, row.basis, f"`{row.id}`")


def _exceptions(view: VersionView, said: Words) -> Iterator[str]:
    found = [(table, row) for table in view.tables for row in table.exceptions]
    why = said.text("Where more concern may lead to a lighter decision, the row says so and why.")
    yield from _wrapped(why, *([] if found else [said.text("None.")]))
    for table, row in found:
        yield from _wrapped("-", f"`{table.name}/{row.id}`:", row.exception or "")


def _questions(directory: Path, said: Words) -> Iterator[tuple[str, ...]]:
    for question in load_form(directory).questions:
        who = (said.of(TOLD_BY, code).lower() for code in question.answered_by)
        yield (question.text.in_language(said.language), ", ".join(who))


def _aligned(
    headings: tuple[Texts, ...], rows: Iterator[tuple[str, ...]], said: Words
) -> Iterator[str]:
    yield _line(_in(heading, said) for heading in headings)
    yield _line("---" for _ in headings)
    yield from (_line(row) for row in rows)


def _line(cells: Iterator[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cell.replace('|', _BAR) for cell in cells)} |"


def _in(texts: Texts, said: Words) -> str:
    return texts.in_language(said.language)


def _says(fi: str, sv: str, en: str) -> Texts:
    return Texts.model_construct(fi=fi, sv=sv, en=en)  # they may be longer than a row's texts


_TITLE = _says("Seulan säännöt rivi riviltä", "Sållets regler rad för rad", "The rules, row by row")
_MADE = _says(
    "Tämän sivun tekee `make contracts` sääntötiedostoista (`services/routing/rules`). Älä muuta "
    "sitä käsin.",
    "Sidan görs av `make contracts` ur regelfilerna (`services/routing/rules`). Ändra den inte för "
    "hand.",
    "Made by `make contracts` from `services/routing/rules`. Do not edit it.",
)
_VERSION = _says("Versio", "Version", "Version")
_READING = _says(
    "Rivi sopii lapseen, kun kaikki sen ehdot täyttyvät. Muilla tiedoilla ei ole siinä "
    "merkitystä. Sivu [Näin seula päättää](../nain-seula-paattaa.md) kertoo saman selkeästi. "
    "LSL on lastensuojelulaki ja SHL sosiaalihuoltolaki.",
    "En rad passar ett barn när alla dess villkor uppfylls. Andra uppgifter spelar då ingen roll. "
    "Hur sållet fungerar berättas på finska ([Näin seula päättää](../nain-seula-paattaa.md)) och "
    "på engelska ([How the screen decides](../how-the-screen-decides.md)). LSL är "
    "barnskyddslagen, SHL är socialvårdslagen.",
    "A row fits a child when all of its conditions hold. Nothing else matters to it. [How the "
    "screen decides](../how-the-screen-decides.md) says the same in plain words. LSL is the Child "
    "Welfare Act, SHL the Social Welfare Act; *mom* is a subsection.",
)
_ASKED = _says(
    "Näistä kysytään vain ne, joiden vastaus voi vielä muuttaa ehdotusta.",
    "Av dessa ställs bara de vilkas svar ännu kan ändra förslaget.",
    "Of these, only those are asked whose answer could still change the proposal.",
)
_HEADINGS = (
    _says("Mitä seuraa", "Vad som följer", "What follows"),
    _says("Kun tämä kaikki pätee", "När allt detta gäller", "When all of this holds"),
    _says("Syy", "Orsak", "Reason"),
    _says("Peruste", "Grund", "Basis"),
    _says("Rivi", "Rad", "Row"),
)
_OF_QUESTIONS = (
    _says("Kysymys", "Fråga", "Question"),
    _says("Kuka voi vastata", "Vem kan svara", "Who can answer"),
)
