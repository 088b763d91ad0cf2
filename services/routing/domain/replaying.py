"""Whether a stored decision comes out again, byte for byte, of its own version (I6). Pure."""

from typing import NamedTuple

import orjson

from services.routing.domain.decision import Decision, decide
from services.routing.domain.facts import Facts
from services.routing.domain.tables import Tables


class Stored(NamedTuple):
    """A decision as its row has it; lists of codes are joined by a space."""

    facts: str
    rows: str
    urgent_flags: str
    level: str
    holder: str
    destinations: str
    rules: str
    rules_hash: str


def as_stored(decision: Decision) -> Stored:
    """What is stored of a decision."""
    return Stored(
        orjson.dumps(decision.facts).decode(), " ".join(decision.rows),
        " ".join(decision.urgent_flags), decision.level, decision.holder,
        " ".join(decision.destinations), decision.version, decision.content_hash,
    )  # fmt: skip


def unlike(stored: Stored, tables: Tables) -> tuple[str, ...]:
    """The fields that come out otherwise when its own version decides anew."""
    facts = _facts(stored.facts)
    if facts is None:
        return ("facts",)
    again = as_stored(decide(facts, tables))
    return tuple(
        name for name, was, now in zip(Stored._fields, stored, again, strict=True) if was != now
    )


def _facts(text: str) -> Facts | None:
    try:
        facts = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return facts if isinstance(facts, dict) else None
