"""``luotsi export DIRECTORY``: everything, opened, for a county that leaves."""

import asyncio
import re
import sys
from pathlib import Path

import asyncpg
from pydantic import ValidationError

from deploy.cli.settings import ExportSettings
from deploy.leaving.exporting import Exported, export
from shared.clock import utc_now
from shared.errors import describe
from shared.sealing import KeyFile, Sealer, UnreadableError

BY = re.compile(r"[A-Za-z0-9._-]{1,64}")
LONGEST_WHY = 200


class NotExported(Exception):
    """Nothing, or not everything, was exported; says why."""


def export_all(directory: Path, by: str, why: str) -> str:
    """The counts of what was written; raises `NotExported`."""
    if not BY.fullmatch(by):
        raise NotExported("--by: a worker's or operator's id, as in the audit trail")
    if not 0 < len(why.strip()) <= LONGEST_WHY:
        raise NotExported(f"--why: some words, at most {LONGEST_WHY} characters, about nobody")
    try:
        settings = ExportSettings()
    except ValidationError:
        raise NotExported("LUOTSI_DATABASE_URL and LUOTSI_KEY_FILE are needed") from None
    exported = _export(settings, directory, (by, why.strip()))
    told = _told(exported)
    if wrong := [each.file for each in exported if not each.is_whole]:
        raise NotExported(f"{told}\nNot complete: {', '.join(wrong)}. See manifest.json.")
    return f"{told}\nComplete: every row of every table is there, and nothing is left sealed."


def _export(settings: ExportSettings, directory: Path, who: tuple[str, str]) -> list[Exported]:
    sealer = Sealer(KeyFile(settings.key_file))
    url = settings.database_url.get_secret_value()
    try:
        return asyncio.run(export(url, sealer, directory, who, utc_now(), _progress))
    except FileExistsError:
        raise NotExported("the directory is there already; name a new one") from None
    except UnreadableError:
        raise NotExported(
            "the key file does not open the data keys: is it this installation's?"
        ) from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as error:
        raise NotExported(f"the database: {describe(error)}") from None


def _told(exported: list[Exported]) -> str:
    width = max(len(each.file) for each in exported)
    lines = [
        f"{each.file.ljust(width)}  {each.lines} of {each.rows}, erased {each.erased}"
        for each in exported
    ]
    return "\n".join(lines)


def _progress(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
