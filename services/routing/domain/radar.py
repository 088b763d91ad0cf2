"""The radar: what keeps coming about a child or its household asks a supervisor to look. Pure.

What the radar is, the tables say: a row that looks at the last twelve months and gives more than
the lightest level. The supervisor is asked whatever other rows say besides (own construction).
"""

from collections.abc import Iterable
from uuid import UUID, uuid5

from services.routing.domain.facts import Facts
from services.routing.domain.tables import LEVELS, Row, Table
from services.routing.domain.tasks import Task

WINDOWS = frozenset({"radar", "signals_12_months", "sources_12_months"})
"""The columns that look at what has come in twelve months (`windows.counted`)."""


def radar_rows(level: Table) -> tuple[Row, ...]:
    """The rows of the level table that are the radar."""
    return tuple(
        row
        for row in level.rows
        if row.then != LEVELS[0] and any(column in WINDOWS for column, _ in row.when)
    )


def says_yes(rows: Iterable[Row], facts: Facts, *, flagged: bool) -> bool:
    """Whether a row of the radar holds, also where a row that gives a higher level silences it."""
    said = "yes" if flagged else "no"
    for row in rows:
        for name, allowed in row.when:
            if (said if name == "flagged" else facts[name]) not in allowed:
                break
        else:
            return True
    return False


def look_at(child: UUID) -> Task:
    """The task of a supervisor: the same one however often it is asked for."""
    return Task(uuid5(child, "radar"), child, "radar")
