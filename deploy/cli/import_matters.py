"""``luotsi import-matters FILE --source NAME``: what it would do; with ``--run``, doing it."""

import asyncio
import sys
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from deploy.cli.settings import GoLiveSettings
from deploy.golive import report
from deploy.golive.doors import Doors, Refused
from deploy.golive.importing import There, import_matters
from deploy.golive.plan import Plan, read_plan
from shared.clock import utc_now
from shared.events import SourceId

_SOURCE: TypeAdapter[str] = TypeAdapter(SourceId)


class NotImported(Exception):
    """Something is wrong with the file, or differs after the run; says what."""


def import_file(file: Path, source: str, worker: str | None, *, run: bool) -> str:
    """The reconciliation; raises `NotImported` with it, and `OSError` for the file."""
    settings = GoLiveSettings()
    try:
        _SOURCE.validate_python(source)
    except ValidationError:
        raise NotImported("--source: letters, digits and . _ : / - only") from None
    with file.open("rb") as lines:
        plan = read_plan(lines, source, utc_now(), settings.clocks)
    if plan.wrong or not run:
        told = report.planned(plan, utc_now())
        if plan.wrong:
            raise NotImported(told)
        return told
    if worker is None and not settings.desk_session.get_secret_value():
        raise NotImported("--worker: say who records the acts; a supervisor for old ones")
    there = _run(settings, plan, source, worker or "")
    told = report.compared(plan, there)
    if there.differences:
        raise NotImported(told)
    return told


def _run(settings: GoLiveSettings, plan: Plan, source: str, worker: str) -> There:
    async def run() -> There:
        async with Doors(settings, source, worker, _progress) as doors:
            return await import_matters(doors, plan.matters, settings.at_desk_within, _progress)

    try:
        return asyncio.run(run())
    except Refused as refused:
        raise NotImported(f"nothing was sent: {refused}") from None
    except ExceptionGroup as group:
        raise NotImported(f"stopped; run it again to go on: {group.exceptions[0]}") from None


def _progress(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
