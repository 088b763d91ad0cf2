"""`./luotsi rules diff` and `./luotsi rules replay`: what rules would say of the stored cases."""

import asyncio
import os
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import asyncpg
from pydantic import ValidationError

from deploy.cli.rules import SHIPPED
from deploy.cli.settings import RulesSettings
from deploy.local.progress import Progress
from deploy.rescreening.diffing import Between, Diff, diff, keep
from deploy.rescreening.processes import BrokenOff
from deploy.rescreening.replaying import Replayed, replay
from deploy.rescreening.report import Report, replayed_lines, write_list, write_unlike
from deploy.rescreening.versions import STORED, NotAVersion, NotLive, new_tables, old_tables
from services.routing.domain.tables import TablesRefusedError
from shared.clock import utc_now
from shared.errors import describe
from shared.events import Language

VERSIONS = (
    "OLD and NEW are versions of the rules: `live` (the newest of each table); `level@2026-11`, or "
    "several joined by +, as decisions name them (the newest of each table that is not named); a "
    "rule file such as drafts/level/2027-01.yaml; or a directory of rule files (again with the "
    "newest of each table that it lacks). OLD can also be `stored`: what each case's own decision "
    "was made with. NEW must pass its form and its proofs, as for `rules check`."
)
NEEDS = (
    "Needs LUOTSI_DATABASE_URL with an account that may read the schema routing; LUOTSI_RULES "
    "names the directory of the rules, if it is not the shipped one. Only reads"
)
MOST_PROCESSES = 8
T = TypeVar("T")


class NotDone(Exception):
    """Stored cases were not decided anew, or not all came out the same; says why."""


class Asked(NamedTuple):
    """What is compared, and how it is told; `file` gets every case that is to be read.

    `keep`: the effect is kept for the desk, with the first cases of each group.
    """

    old: str
    new: str
    language: Language
    file: Path | None
    keep: bool


def rules_diff(asked: Asked) -> str:
    """The effect in words. Raises `NotDone`, and OSError for the file."""
    settings = _settings()
    rules = settings.rules or SHIPPED
    try:
        old = None if asked.old == STORED else old_tables(asked.old, rules)
        new = new_tables(asked.new, rules)
    except (NotAVersion, NotLive, TablesRefusedError) as error:
        raise NotDone(error.in_language(asked.language)) from None
    _is_new(asked.file)
    between = Between(old, new, rules)
    with Progress("cases compared", 0, sys.stderr) as told:
        found: Diff = _run(diff(_url(settings), between, _processes(), utc_now, told))
    if asked.file is not None:
        write_list(asked.file, found.tally)
    if asked.keep:
        _run(keep(_url(settings), found.effect))
    return "\n".join(Report(found.effect, asked.language).lines())


def rules_replay(language: Language, file: Path | None) -> str:
    """That every stored decision comes out the same.

    Raises `NotDone` with those that do not, and OSError for the file.
    """
    settings = _settings()
    rules = settings.rules or SHIPPED
    _is_new(file)
    with Progress("decisions replayed", 0, sys.stderr) as told:
        found: Replayed = _run(replay(_url(settings), rules, _processes(), told))
    if file is not None:
        write_unlike(file, found)
    told_of = "\n".join(replayed_lines(found, language))
    if not found.is_whole:
        raise NotDone(told_of)
    return told_of


def _settings() -> RulesSettings:
    try:
        return RulesSettings()
    except ValidationError:
        raise NotDone("LUOTSI_DATABASE_URL is needed") from None


def _url(settings: RulesSettings) -> str:
    return settings.database_url.get_secret_value()


def _is_new(file: Path | None) -> None:
    """Nobody should wait a minute to hear that a file is in the way."""
    if file is not None and file.exists():
        raise NotDone(f"{file} is there already; name a new file")


def _processes() -> int:
    return min(os.cpu_count() or 1, MOST_PROCESSES)


def _run(work: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(work)
    except BrokenOff as error:
        raise NotDone(str(error)) from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
        raise NotDone(f"the database: {describe(error)}") from None
    except ConnectionError as error:
        raise NotDone(f"the database: {describe(error)}") from None
