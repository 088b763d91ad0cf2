"""``luotsi import-absences FILE --source NAME [--check]``: a file of schools' absence signals.

Every line is checked first; those that are right are sent over HTTP. Running it again does no
harm: a line keeps its id, so what has arrived is a repeat, and a mended line takes the place of the
one that was returned.
"""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

from deploy.cli.absence_file import Line, Read, read_file
from deploy.cli.settings import CommandSettings
from shared.kinds import BY_NAME

KIND = BY_NAME["absence"]
OUTCOMES = ("accepted", "returned", "repeated", "refused")


class NotSent(Exception):
    """Nobody answered, or not to this source; says what has been sent until then."""


class NotAllTaken(Exception):
    """Some lines were not right, or refused; says what there is to print."""


def import_absences(settings: CommandSettings, file: Path, source: str, *, check: bool) -> str:
    """Check a file and, without `check`, send it; what there is to print.

    Raises `NotAFile`, `NotSent`, `NotAllTaken`, and OSError for the file.
    """
    token = settings.token.get_secret_value()
    read = read_file(file.read_bytes(), f"{source} {token}".encode())
    told = [str(fault) for fault in read.faults]
    outcomes: Counter[str] = Counter()
    if check:
        told.append(f"{len(read.lines)} lines could be sent, {read.bad_lines} are not right.")
    else:
        _demand_source(settings, source)
        for line in read.lines:
            outcome, mend = _send(settings, line, outcomes)
            outcomes[outcome] += 1
            told += [f"line {line.number}: {outcome}: {mend}"] if mend else []
        told.append(_summary(read, outcomes))
    if read.faults or outcomes["refused"]:
        raise NotAllTaken("\n".join(told))
    return "\n".join(told)


def _summary(read: Read, outcomes: Counter[str]) -> str:
    counts = ", ".join(f"{outcomes[name]} {name}" for name in OUTCOMES)
    return f"{len(read.lines)} lines sent: {counts}. {read.bad_lines} lines were not right."


def _demand_source(settings: CommandSettings, source: str) -> None:
    """The token must be that of the source, before anything is sent under another name."""
    path = f"/v1/messages/{urllib.parse.quote(source)}/import-absences"
    status, answer = _ask(settings, urllib.request.Request(_url(settings, path)))  # noqa: S310
    if status not in (200, 404):
        raise NotSent(f"Nothing was sent: {answer.get('title', status)}")


def _send(settings: CommandSettings, line: Line, before: Counter[str]) -> tuple[str, str | None]:
    request = urllib.request.Request(  # noqa: S310 -- http only, by the settings
        _url(settings, KIND.path), line.content,
        {"content-type": "application/json", "ce-id": line.id},
    )  # fmt: skip
    try:
        status, answer = _ask(settings, request)
    except NotSent as error:
        done = sum(before.values())
        raise NotSent(
            f"{error} at line {line.number}, after {done} lines. Run it again: nothing is doubled"
        ) from None
    if status == 202:
        return str(answer["outcome"]), answer.get("mend")
    return "refused", str(answer.get("detail") or answer.get("title") or status)


def _ask(settings: CommandSettings, request: urllib.request.Request) -> tuple[int, dict[str, Any]]:
    request.add_header("authorization", f"Bearer {settings.token.get_secret_value()}")
    try:
        with urllib.request.urlopen(request, timeout=settings.send_within) as answer:  # noqa: S310
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code >= 500:
            raise NotSent(f"Intake at {settings.intake_url} answers {error.code}") from None
        return error.code, _body(error)
    except (OSError, ValueError):
        raise NotSent(f"Intake at {settings.intake_url} does not answer") from None


def _body(error: urllib.error.HTTPError) -> dict[str, Any]:
    try:
        return dict(json.load(error))
    except (OSError, ValueError):
        return {}


def _url(settings: CommandSettings, path: str) -> str:
    return settings.intake_url.rstrip("/") + path
