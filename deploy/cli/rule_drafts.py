"""`./luotsi rules import`: a spreadsheet of rule tables as a draft, checked as `rules check` does.

A workbook with a fault of form leaves nothing. One that is in form and may not go live leaves a
draft, and every fault with its sheet and row. The rules in force are never touched. The county's
settings come along as they are, and so do the files of shares, which each name their tables; the
draft's own are measured by `rules check`, which takes longer.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from deploy.cli.drafts import NotADraftError, write_draft
from deploy.cli.rule_sheets import SHEETS, NotCarried
from deploy.cli.rules import KEPT, SHIPPED, NotLive, check_rules
from deploy.cli.workbook import read_workbook
from services.routing.domain.flow import SPACE
from services.routing.domain.form import Form, load_form
from services.routing.domain.sheets import Draft, SheetFault, SheetsRefusedError, read_sheets
from services.routing.domain.sheets.faults import Place
from services.routing.domain.sheets.layout import QUESTIONS
from services.routing.domain.sheets.locating import located, question_faults
from services.routing.domain.tables.changes import Changes, changes
from services.routing.domain.tables.faults import TablesRefusedError
from services.routing.domain.tables.loading import faults_of, form_faults
from services.routing.domain.tables.writing import yaml_of, yaml_of_form
from services.routing.domain.tables.written import (
    WrittenTable,
    is_newer,
    is_version,
    newest,
    read_table,
)
from services.routing.domain.texts import Texts
from shared.events import Language

DRAFTS = Path("rule-drafts")
"""Where a draft goes unless it is told, in a directory named as its version."""


class DraftNotLive(Exception):
    """The draft was written and may not go live as it is; says every fault."""


class _Part(NamedTuple):
    """A file of the draft, by its path under the draft's directory."""

    path: str
    content: bytes
    what: Texts
    differs: Changes | None = None

    def told(self, language: Language) -> str:
        what = self.what.in_language(language)
        more = f"; {self.differs.in_language(language)}" if self.differs else ""
        return f"  {self.path}: {what}{more}"


class Import(NamedTuple):
    """What is asked: the workbook, the draft's version and directory, and the rules it is from."""

    file: Path
    version: str
    directory: Path | None = None
    rules: Path | None = None
    replace: bool = False


def import_rules(asked: Import, language: Language) -> str:
    """Write what the workbook says as a draft, and what `rules check` says of it.

    A table that says what the version says from which it was exported is copied; the others become
    the draft's version. Raises `NotCarried`, `DraftNotLive`, and OSError for file or directory.
    """
    to, rules = asked.directory or DRAFTS / asked.version, asked.rules or SHIPPED
    try:
        draft = _read(asked.file)
        parts = [*_parts(draft, asked.version, rules)]
        files = {part.path: part.content for part in parts}
        write_draft(to, files, rules, replace=asked.replace)
    except (SheetsRefusedError, TablesRefusedError) as error:
        nothing = _NOTHING.in_language(language)
        raise NotCarried(f"{error.in_language(language)}\n\n{nothing}") from None
    except NotADraftError as error:
        raise NotCarried(f"{to}: {error.why.in_language(language)}") from None
    told = [f"{to}:", *(part.told(language) for part in parts)]
    return "\n".join([*told, "", _checked(draft, to, told, language)])


def _read(file: Path) -> Draft:
    draft = read_sheets(read_workbook(file.read_bytes(), SHEETS), SPACE)
    faults = [fault for table in draft.tables for fault in form_faults(table, SPACE)]
    told = [*(located(fault, draft) for fault in faults), *question_faults(draft)]
    if told:
        raise SheetsRefusedError(told)
    return draft


def _checked(draft: Draft, to: Path, told: list[str], language: Language) -> str:
    faults = [located(fault, draft) for fault in faults_of(draft.tables, SPACE)]
    if faults:
        lines = [fault.in_language(language) for fault in faults]
        raise DraftNotLive("\n".join([*told, "", *lines, "", KEPT.in_language(language)]))
    try:
        next_ = f"{_NEXT.in_language(language)} {to} --write-shares"
        return f"{check_rules(to, language)}\n\n{next_}"
    except NotLive as error:  # no fault of a table: of the settings that came along
        raise DraftNotLive("\n".join([*told, "", str(error)])) from None


# --- the draft's files ----------------------------------------------------------------------------

_MADE = "# A draft, imported from a spreadsheet; comments of the version before it are not in it.\n"


def _parts(draft: Draft, version: str, rules: Path) -> Iterator[_Part]:
    """Raises `SheetsRefusedError` if something changed may not be this version."""
    if not is_version(version):
        raise SheetsRefusedError([SheetFault("version-name")])
    for table in draft.tables:
        if _stands(table, rules):
            yield _Part(table.file, (rules / table.file).read_bytes(), _AS_IT_WAS)
        else:
            standing = newest(rules, table.table)
            _refuse_old(table.table, version, standing.stem)
            new = table.model_copy(update={"version": version})
            differs = changes(read_table(standing), new)
            yield _Part(new.file, (_MADE + yaml_of(new)).encode(), _CHANGED, differs)
    if draft.form is not None:
        yield _form_part(draft.form, version, rules)
    for folder in ("settings", "shares"):  # what no sheet holds
        for path in sorted((rules / folder).glob("*.yaml")):
            yield _Part(f"{folder}/{path.name}", path.read_bytes(), _AS_IT_WAS)


def _stands(table: WrittenTable, rules: Path) -> bool:
    """Whether the rules' own file says what this table says."""
    path = rules / table.file
    try:
        return is_version(table.version) and path.is_file() and read_table(path) == table
    except TablesRefusedError:
        return False


def _form_part(form: Form, version: str, rules: Path) -> _Part:
    standing = load_form(rules)
    if form == standing:
        path = f"{QUESTIONS}/{form.version}.yaml"
        return _Part(path, (rules / path).read_bytes(), _AS_IT_WAS)
    _refuse_old(QUESTIONS, version, standing.version)
    new = form.model_copy(update={"version": version})
    return _Part(f"{QUESTIONS}/{version}.yaml", (_MADE + yaml_of_form(new)).encode(), _CHANGED)


def _refuse_old(name: str, version: str, latest: str) -> None:
    """A version that stands is never edited, and an older one would never be loaded."""
    if not is_newer(version, latest):
        names = {"version": version, "latest": latest}
        raise SheetsRefusedError([SheetFault("not-newer", Place(name), names)])


_CHANGED = Texts(fi="muuttunut", sv="ändrad", en="changed")
_AS_IT_WAS = Texts(
    fi="ennallaan, kopioitu sellaisenaan", sv="oförändrad, kopierad", en="as it was, copied"
)
_NEXT = Texts(
    fi="Luonnoksesta ei ole vielä mitattu osuuksia: ./luotsi rules check",
    sv="Utkastets andelar är inte mätta än: ./luotsi rules check",
    en="The draft's shares are not measured yet: ./luotsi rules check",
)
_NOTHING = Texts(
    fi="Mitään ei kirjoitettu.", sv="Inget skrevs.", en="Nothing was written."
)  # fmt: skip
