"""``luotsi sources``, ``missing``, ``pause`` and so on: asked of intake in a worker's name.

Intake checks the desk's token, writes the worker's id into its audit trail and does the work; this
only asks and shows the answer, which holds nothing about a person.
"""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from deploy.cli.settings import CommandSettings
from deploy.cli.where import Unanswered
from shared.clock import HELSINKI

Answer = dict[str, Any]

LONG_S = 120.0  # a call that takes messages again
HEADINGS = (
    "SOURCE", "STATE", "HELD", "TODAY", "LAST HOUR", "ALARMS", "SINCE (Helsinki)", "BY", "WHY",
)  # fmt: skip


class NotDone(Exception):
    """Intake refuses: title and detail of its answer."""


def sources(settings: CommandSettings, worker: str) -> str:
    """A table of every source that sent something today or was ever held."""
    return _table(_ask(settings, worker, "GET", "/internal/sources")["sources"])


def pause(settings: CommandSettings, worker: str, source: str, why: str) -> str:
    """Hold what the source sends from now on."""
    body = {"source": source, "why": why}
    return _said(_ask(settings, worker, "POST", "/internal/sources/pause", body))


def resume(settings: CommandSettings, worker: str, source: str) -> str:
    """Let the source go on, first with what is held of it."""
    return _said(_ask(settings, worker, "POST", "/internal/sources/resume", {"source": source}))


def missing(settings: CommandSettings, worker: str, source: str) -> str:
    """Every number and id that the source sent and that has not arrived, line by line."""
    path = f"/internal/sources/missing?{urllib.parse.urlencode({'source': source})}"
    found = _ask(settings, worker, "GET", path)
    lines = [
        f"number {_numbers(each)}{' of run ' + each['run'] if each['run'] else ''}, "
        f"missing since {_time(each['since'])}"
        for each in found["numbers"]
    ]
    if found["not_listed"]:
        lines.append(f"{found['not_listed']} more numbers: does the source number without gaps?")
    lines += [
        f"id {ident}, listed for {_time(each['begins'])} to {_time(each['ends'])}"
        for each in found["ids"]
        for ident in each["ids"]
    ]
    if found["silent_since"]:
        lines.append(f"silent since {_time(found['silent_since'])} ({found['why']})")
    return "\n".join(lines) or f"Nothing is known to be missing of {source}."


def redrive(
    settings: CommandSettings, worker: str, filters: Mapping[str, str | None], *, dry_run: bool
) -> str:
    """Take every matching open item again, call by call, the oldest first; or only count them."""
    wanted: Answer = {name: value for name, value in filters.items() if value is not None}
    path = "/internal/redrive"
    if dry_run:
        answer = _ask(settings, worker, "POST", path, {**wanted, "dry_run": True})
        return f"Would take again: {_counts(answer['matched']) or 'nothing'}."
    tried = applied = 0
    failed: Counter[str] = Counter()
    after = None
    while True:
        answer = _ask(settings, worker, "POST", path, {**wanted, "after": after}, LONG_S)
        tried += answer["tried"]
        applied += answer["applied"]
        failed.update(answer["failed"])
        after = answer["next"]
        if after is None:
            break
    told = f"Items taken again: {tried}, messages applied: {applied}."
    return f"{told}\nStill not applicable: {_counts(failed)}." if failed else told


def moment(text: str) -> str:
    """A time in ISO 8601 as intake takes it; without a zone it is Finland's. Raises ValueError."""
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=HELSINKI)).isoformat()


def _ask(
    settings: CommandSettings,
    worker: str,
    method: str,
    path: str,
    body: object = None,
    seconds: float | None = None,
) -> Answer:
    url = settings.intake_url.rstrip("/")
    request = urllib.request.Request(  # noqa: S310 -- http only, by the settings
        url + path,
        None if body is None else json.dumps(body).encode(),
        {
            "Authorization": f"Bearer {settings.intake_token.get_secret_value()}",
            "X-Luotsi-Worker": worker,
            "Content-Type": "application/json",
        },
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=seconds or settings.answer_within) as answer:  # noqa: S310 -- same
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        raise _refusal(error) from None
    except (OSError, ValueError):
        raise Unanswered(f"intake at {url} does not answer") from None


def _refusal(error: urllib.error.HTTPError) -> NotDone:
    try:
        told = json.load(error)
        return NotDone(f"{told['title']}. {told['detail']}".strip())
    except (ValueError, KeyError, TypeError):
        return NotDone(f"intake answers {error.code}")


def _said(found: Answer) -> str:
    told = _table([found])
    if not found["today"] and not found["held"]:
        told += "\nNothing has come from it today: is the name right?"
    return told


def _table(found: Iterable[Answer]) -> str:
    rows = [HEADINGS, *(_row(each) for each in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _row(found: Answer) -> tuple[str, ...]:
    return (
        found["source"], found["state"], str(found["held"]), _counts(found["today"]),
        _counts(found["last_hour"]), ", ".join(found["alarms"]), _time(found["since"]),
        found["by"] or "", found["why"] or "",
    )  # fmt: skip


def _numbers(gap: Answer) -> str:
    if gap["first"] == gap["last"]:
        return str(gap["first"])
    return f"{gap['first']} to {gap['last']}"


def _counts(found: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in sorted(found.items()))


def _time(value: str | None) -> str:
    if value is None:
        return ""
    return f"{datetime.fromisoformat(value).astimezone(HELSINKI):%Y-%m-%d %H:%M}"
