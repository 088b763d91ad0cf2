"""``luotsi where SOURCE-ID``: each hop of a message, with its time and state.

Intake knows a message by its source's id and gives its receipt id, by which the other services
know it. Nothing about a person is asked for or shown: the answer may go into a ticket.
"""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

from deploy.cli.settings import CommandSettings
from shared.clock import HELSINKI

Answer = dict[str, Any]


class Silent(NamedTuple):
    """A service that gave no answer, and why."""

    why: str


class Row(NamedTuple):
    """One line of the answer."""

    service: str
    what: str
    time: str
    state: str


HEADINGS = Row("SERVICE", "HOP", "TIME (Helsinki)", "STATE")


class Unknown(Exception):
    """No message with this id has reached intake."""


class Unanswered(Exception):
    """Intake did not answer, so nobody knows the message's receipt id."""


def where(settings: CommandSettings, source_id: str) -> list[Row]:
    """Every hop of the messages that a source sent under `source_id`.

    Raises `Unknown` and `Unanswered`. A later service that does not answer has a row saying so.
    """
    first = ask(settings.intake_url, source_id, settings.answer_within)
    if isinstance(first, Silent):
        raise Unanswered(f"intake at {settings.intake_url} {first.why}")
    if not first["hops"]:
        raise Unknown(f"No message with the id {source_id!r} has reached intake.")
    rows = list(_rows("intake", first))
    for receipt_id in dict.fromkeys(hop["receipt_id"] for hop in first["hops"] if _receipt(hop)):
        rows.append(Row("", f"receipt {receipt_id}", "", ""))
        for service in ("routing", "notifications"):
            url = getattr(settings, f"{service}_url")
            answer = ask(url, receipt_id, settings.answer_within)
            rows += _rows(service, answer, url)
    return rows


def ask(url: str, ident: str, seconds: float) -> Answer | Silent:
    """A service's own account of a message."""
    path = f"{url.rstrip('/')}/internal/where/{urllib.parse.quote(ident, safe='')}"
    try:
        with urllib.request.urlopen(path, timeout=seconds) as answer:  # noqa: S310 -- http only, by the settings
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        return Silent(f"answers {error.code}")
    except (OSError, ValueError):
        return Silent("does not answer")


def render(rows: Iterable[Row]) -> str:
    """The rows as a table for a terminal."""
    table = [HEADINGS, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    )


def _receipt(hop: Answer) -> bool:
    return hop.get("receipt_id") is not None


def _rows(service: str, answer: Answer | Silent, url: str = "") -> Iterator[Row]:
    if isinstance(answer, Silent):
        yield Row(service, url, "", answer.why)
        return
    if not answer["hops"]:
        yield Row(service, "", "", "has not seen it yet")
    for hop in answer["hops"]:
        yield Row(service, _place(hop), _time(hop["recorded_at"]), _outcome(hop))
    for state in answer.get("state", ()):
        yield _notice(service, state) if "purpose" in state else _case(service, state)


def _place(hop: Answer) -> str:
    return f"{hop['topic']} {hop['partition']}/{hop['offset']}"


def _outcome(hop: Answer) -> str:
    received = f"received {_time(hop['received_at'])}"
    return ", ".join(part for part in (hop["outcome"], hop["reason"], received) if part)


def _case(service: str, case: Answer) -> Row:
    told = (
        f"urgency check {case['check_state']}, level {case['level']}, holder {case['holder']}, "
        f"{case['clocks_running']} clocks run"
    )
    return Row(service, f"case {case['mark']}", "", told)


def _notice(service: str, notice: Answer) -> Row:
    told = [notice["state"], f"tried {notice['attempts']} times", notice["reason"]]
    time = notice["finished_at"] or notice["created_at"]
    return Row(service, notice["purpose"], _time(time), ", ".join(part for part in told if part))


def _time(value: str) -> str:
    return f"{datetime.fromisoformat(value).astimezone(HELSINKI):%Y-%m-%d %H:%M:%S}"
