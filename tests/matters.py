"""Open matters of a system before, for the tests of going live and of leaving."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from tests.system import NOTIFICATION

FIRST = datetime(2026, 8, 3, 6, 30, 12, 345678, tzinfo=UTC)
STEP = timedelta(days=3, hours=5, minutes=7)
CANARY = "Kanarialintu"
SOURCE = "old-system"


def line(number: int) -> dict[str, Any]:
    """The matter of this number; every fifth is about the same child, every seventh about two."""
    arrived = FIRST + STEP * number
    children: list[dict[str, Any]] = [{"name": f"{CANARY} {number}", "birth_date": "2015-05-01"}]
    if number % 5 == 0:
        children = [{"name": f"{CANARY} Sama", "hetu": "010594Y9032"}]
    if number % 7 == 0:
        children.append({"name": f"{CANARY} Toinen {number}"})
    message = {
        **NOTIFICATION,
        "arrived_at": arrived.isoformat(),
        "children": children,
        "observations": f"{CANARY} {number}: huoli äidin jaksamisesta.",
    }
    return {"id": f"old-{number}", "kind": "notification", "message": message,
            "acts": acts(number, arrived)}  # fmt: skip


def acts(number: int, arrived: datetime) -> list[dict[str, Any]]:
    """None for every sixth matter, else the check and what followed by then."""
    if number % 6 == 5:
        return []
    day = timedelta(days=1)
    urgent = "urgent" if number % 4 == 0 else "not_urgent"
    found: list[dict[str, Any]] = [
        {"kind": "urgency_answered", "done_at": arrived + timedelta(minutes=9), "answer": urgent,
         "reason": f"{CANARY} arvioitu"},
    ]  # fmt: skip
    if number % 3 == 0:
        found.append({"kind": "manifestly_unnecessary", "done_at": arrived + day,
                      "ground": "other", "reason": f"{CANARY} tarpeeton"})  # fmt: skip
    elif number % 2 == 0:
        found.append({"kind": "assessment_started", "done_at": arrived + day})
        found.append({"kind": "family_told", "done_at": arrived + day})
    return [{**act, "done_at": act["done_at"].isoformat()} for act in found]


def written(directory: Path, count: int) -> Path:
    """A file of so many open matters."""
    file = directory / "matters.jsonl"
    lines = (json.dumps(line(number), ensure_ascii=False) for number in range(count))
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def originals(count: int) -> dict[str, bytes]:
    """What intake must keep, by the old id."""
    return {f"old-{n}": orjson.dumps(line(n)["message"]) for n in range(count)}
