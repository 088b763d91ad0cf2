"""All SQL of the demo but its sample workers: the counts that its summary shows."""

from datetime import datetime
from typing import NamedTuple

import asyncpg

from services.routing.domain.tasks import TASKS


async def routed(url: str) -> int:
    """How many notifications routing has taken."""
    conn = await asyncpg.connect(url)
    try:
        return int(await conn.fetchval("SELECT count(*) FROM routing.notification"))
    finally:
        await conn.close()


async def message_names(url: str) -> dict[str, tuple[str, str]]:
    """Notification -> its source and the source's id of the message that it came with."""
    conn = await asyncpg.connect(url)
    try:
        rows = await conn.fetch("SELECT id, source, source_id FROM routing.notification")
    finally:
        await conn.close()
    return {row["id"]: (row["source"], row["source_id"]) for row in rows}


class Counts(NamedTuple):
    """The figures of the summary."""

    messages: dict[str, int]  # by what became of them at intake
    first_at: datetime | None
    last_at: datetime | None
    notifications: int
    cases: int
    kinds: dict[str, int]  # of notifications and other matters, counted per child
    feeds: dict[str, int]  # what is known from them
    holders: dict[str, int]
    levels: dict[str, int]
    destinations: dict[tuple[str, str], int]  # (destination, state)
    judged: dict[str, int]  # urgency checks by their answer
    open_checks: int
    flagged_checks: int
    urgent_cases: int
    set_aside: int
    nameless: int
    unconfirmed: int
    clocks: dict[str, tuple[int, int]]  # kind -> (last day within three days, late)
    tasks: int = 0  # of a person, where no message waits


async def counts(url: str, now: datetime) -> Counts:
    """Count what arrived, where it went and what needs a person."""
    conn = await asyncpg.connect(url)
    try:
        one = await conn.fetchrow(
            """
            SELECT (SELECT min(received_at) FROM routing.notification) AS first_at,
                   (SELECT max(received_at) FROM routing.notification) AS last_at,
                   (SELECT count(*) FROM routing.notification) AS notifications,
                   (SELECT count(*) FROM routing.child_case) AS cases,
                   (SELECT count(*) FROM routing.notification WHERE check_state = 'open')
                       AS open_checks,
                   (SELECT count(*) FROM routing.notification
                    WHERE check_state = 'open' AND flagged) AS flagged_checks,
                   (SELECT count(*) FROM routing.child_case
                    WHERE urgency = 'urgent' AND coalesce(confirmed, holder) = 'duty')
                       AS urgent_cases,
                   (SELECT count(*) FROM routing.duty_item
                    WHERE closed_at IS NULL AND outcome <> ALL($1::text[])) AS set_aside,
                   (SELECT count(*) FROM routing.duty_item
                    WHERE closed_at IS NULL AND outcome = ANY($1::text[])) AS tasks,
                   (SELECT count(*) FROM routing.child_case c WHERE provisional AND NOT EXISTS (
                        SELECT 1 FROM routing.child_join j
                        WHERE j.child = c.child AND j.joined_to IS NOT NULL)) AS nameless,
                   (SELECT count(*) FROM routing.child_case
                    WHERE confirmed IS NULL AND urgency <> 'open') AS unconfirmed
            """,
            list(TASKS),
        )
        messages = await conn.fetch(
            """
            SELECT l.outcome, count(*) AS n FROM intake.event_log l JOIN intake.door d
            ON d.id = l.door GROUP BY l.outcome
            """
        )
        kinds = await conn.fetch("SELECT kind, count(*) AS n FROM routing.notification GROUP BY 1")
        fed = await conn.fetch(
            """
            SELECT 'clients' AS what, count(*) AS n FROM routing.client
            UNION ALL SELECT 'staff', count(*) FROM routing.worker WHERE entry IS NOT NULL
            UNION ALL SELECT 'duty shifts', count(*) FROM routing.duty_shift
            """
        )
        holders = await conn.fetch(
            "SELECT coalesce(confirmed, holder) AS holder, count(*) AS n "
            "FROM routing.child_case GROUP BY 1"
        )
        levels = await conn.fetch("SELECT level, count(*) AS n FROM routing.child_case GROUP BY 1")
        destinations = await conn.fetch(
            "SELECT destination, state, count(*) AS n FROM routing.proposal GROUP BY 1, 2"
        )
        judged = await conn.fetch(
            "SELECT check_state, count(*) AS n FROM routing.notification GROUP BY 1"
        )
        clocks = await conn.fetch(
            """
            SELECT kind, count(*) FILTER (WHERE due > $1) AS soon,
                   count(*) FILTER (WHERE due <= $1) AS late
            FROM routing.clock
            WHERE stopped_at IS NULL AND due <= $1 + interval '3 days' GROUP BY kind
            """,
            now,
        )
    finally:
        await conn.close()
    return Counts(
        messages={row["outcome"]: row["n"] for row in messages},
        kinds={row["kind"]: row["n"] for row in kinds},
        feeds={row["what"]: row["n"] for row in fed},
        holders={row["holder"]: row["n"] for row in holders},
        levels={row["level"]: row["n"] for row in levels},
        destinations={(row["destination"], row["state"]): row["n"] for row in destinations},
        judged={row["check_state"]: row["n"] for row in judged},
        clocks={row["kind"]: (row["soon"], row["late"]) for row in clocks},
        **dict(one or {}),
    )
