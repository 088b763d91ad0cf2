"""A directory of drafts: written whole or not at all, and never among the rules in force."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.cli.rules import SHIPPED
from services.routing.domain.texts import Texts

_MARK = "DRAFT.txt"
_SAYS = b"""Draft rule tables, imported from a spreadsheet. Not in force.
Only a directory that holds this file is replaced by `./luotsi rules import --replace`.
"""


class NotADraftError(Exception):
    """The directory may not hold this draft; says why and the mend."""

    def __init__(self, why: Texts) -> None:
        super().__init__(why.en)
        self.why = why


def write_draft(directory: Path, files: Mapping[str, bytes], rules: Path, *, replace: bool) -> None:
    """Write the files, by their paths under the directory; `rules` are those they were made from.

    With `replace` a draft that stands there goes. Raises `NotADraftError`, and OSError.
    """
    for live in (SHIPPED.resolve(), rules.resolve()):
        _keep_out(directory.resolve(), live)
    if directory.exists() and any(directory.iterdir()):
        if not replace:
            raise NotADraftError(_THERE)
        if not (directory / _MARK).is_file():
            raise NotADraftError(_OTHER)
    directory.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=directory.parent, prefix=".draft-") as room:
        new = Path(room) / "new"
        for path, content in {**files, _MARK: _SAYS}.items():
            (new / path).parent.mkdir(parents=True, exist_ok=True)
            (new / path).write_bytes(content)
        if directory.exists():
            directory.rename(Path(room) / "old")
        new.rename(directory)


def _keep_out(to: Path, live: Path) -> None:
    if live == to or live in to.parents or to in live.parents:
        raise NotADraftError(_LIVE)


_LIVE = Texts(
    fi="voimassa olevien sääntöjen hakemistoon ei kirjoiteta luonnosta; nimeä toinen hakemisto",
    sv="i de gällande reglernas katalog skrivs inget utkast; ange en annan katalog",
    en="no draft is written among the rules in force; name another directory",
)
_THERE = Texts(
    fi="hakemisto ei ole tyhjä; nimeä toinen, tai korvaa siellä oleva luonnos: --replace",
    sv="katalogen är inte tom; ange en annan, eller ersätt utkastet där: --replace",
    en="the directory is not empty; name another, or replace the draft in it: --replace",
)
_OTHER = Texts(
    fi="hakemistossa ei ole luonnosta (DRAFT.txt puuttuu), eikä sitä korvata; nimeä toinen",
    sv="katalogen innehåller inget utkast (DRAFT.txt saknas) och ersätts inte; ange en annan",
    en="the directory holds no draft (DRAFT.txt is missing) and is not replaced; name another",
)
