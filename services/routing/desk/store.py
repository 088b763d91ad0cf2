"""All SQL of the desk. Whatever changes a case goes through `services.routing.store` besides.

Lists are read page by page behind a position (keyset), never by offset, so that page 1,000 costs
what page 1 does.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime
from typing import NamedTuple, get_args
from uuid import UUID

import asyncpg

from services.routing.domain.tasks import FOR_SUPERVISORS
from services.routing.store import CHANGED
from shared.database import Connection
from shared.events import Destination

Row = asyncpg.Record
COUNTED_TO = 1000  # a list longer than this is "1000+"
SORTABLE = 2000  # so many cases of one holder are sorted at once; more are read clock by clock

_CASE = """
    c.child, c.mark, c.age_band, c.provisional, c.urgency, c.level, c.urgent_flags,
    coalesce(c.confirmed, c.holder) AS holder, c.confirmed, c.version,
    string_to_array(d.rows, ' ') AS rule_rows, d.rules, coalesce(d.ask <> '', false) AS asks
"""
_DECISION = "JOIN decision d ON d.child = c.child AND d.seq = c.decision_seq"


# --- lists --------------------------------------------------------------------------------------


async def open_checks(conn: Connection, after: tuple[bool, datetime, str], limit: int) -> list[Row]:
    """Open urgency checks behind (flagged, received, id): flagged first, then the oldest."""
    flagged, received, ident = after
    start = datetime.fromtimestamp(0, received.tzinfo)
    return await conn.fetch(
        f"""
        WITH page AS (
            (SELECT id, child, received_at, flagged FROM notification
             WHERE check_state = 'open' AND flagged AND $1 AND (received_at, id) > ($2, $3)
             ORDER BY received_at, id LIMIT $6)
            UNION ALL
            (SELECT id, child, received_at, flagged FROM notification
             WHERE check_state = 'open' AND NOT flagged AND (received_at, id) > ($4, $5)
             ORDER BY received_at, id LIMIT $6)
        )
        SELECT p.id AS about, p.received_at AS since, p.flagged, {_CASE}
        FROM page p JOIN child_case c ON c.child = p.child {_DECISION}
        ORDER BY p.flagged DESC, p.received_at, p.id LIMIT $6
        """,  # noqa: S608 -- constants of this file
        flagged, received, ident,
        start if flagged else received, "" if flagged else ident, limit,
    )  # fmt: skip


async def duty_cases(
    conn: Connection, after: tuple[datetime, datetime, UUID], limit: int
) -> list[Row]:
    """Judged cases that the duty desk holds, urgent or not, the next limit first.

    A case with nothing but what was returned to a school stands in the list of those instead.
    """
    few = await conn.fetchval(
        "SELECT count(*) FROM (SELECT 1 FROM child_case WHERE urgency <> 'open' "
        "AND coalesce(confirmed, holder) = 'duty' LIMIT $1) AS t",
        SORTABLE,
    )
    condition = (
        "c.urgency <> 'open' AND coalesce(c.confirmed, c.holder) = $1 AND NOT ("
        "c.urgency = 'not_asked' AND c.confirmed IS NULL AND EXISTS ("
        "SELECT 1 FROM notification n WHERE n.child = c.child AND n.returned = 'open'))"
    )
    read = _by_sorting if few < SORTABLE else _by_clock
    return await read(conn, condition, ("duty", *after, limit))


async def held_cases(
    conn: Connection, holder: str, after: tuple[datetime, datetime, UUID], limit: int
) -> list[Row]:
    """Cases of a holder with a running clock, the next limit first."""
    read = await _way(conn, holder)
    return await read(conn, _HELD, (holder, *after, limit))


async def own_cases(
    conn: Connection, worker: str, after: tuple[datetime, datetime, UUID], limit: int
) -> list[Row]:
    """As `held_cases`, of the children whose responsible worker this is: they are few."""
    condition = f"{_HELD} AND c.child IN ({_RESPONSIBLE})"
    return await _by_sorting(conn, condition, ("own_worker", *after, limit, worker))


async def others_cases(
    conn: Connection, worker: str, after: tuple[datetime, datetime, UUID], limit: int
) -> list[Row]:
    """As `held_cases`, of the children who have another responsible worker, or one not known."""
    read = await _way(conn, "own_worker")
    condition = f"{_HELD} AND c.child NOT IN ({_RESPONSIBLE})"
    return await read(conn, condition, ("own_worker", *after, limit, worker))


_HELD = "coalesce(c.confirmed, c.holder) = $1"
_RESPONSIBLE = (
    "SELECT coalesce(j.holder, k.child) FROM client k LEFT JOIN child_join j ON j.child = k.child "
    "WHERE k.worker = $6 AND NOT k.moved"
)


async def _way(conn: Connection, holder: str) -> Callable[..., Awaitable[list[Row]]]:
    """How the cases of a holder are read: sorted while they are few, else along their clocks."""
    few = await conn.fetchval(
        "SELECT count(*) FROM (SELECT 1 FROM child_case c "
        "WHERE coalesce(c.confirmed, c.holder) = $1 LIMIT $2) AS t",
        holder, SORTABLE,
    )  # fmt: skip
    return _by_sorting if few < SORTABLE else _by_clock


async def _by_sorting(conn: Connection, condition: str, args: tuple[object, ...]) -> list[Row]:
    """For few cases: the next limit of each, sorted."""
    return await conn.fetch(
        f"""
        SELECT p.due, p.started_at AS since, {_CASE}
        FROM (
            SELECT k.due, k.started_at, c.child FROM child_case c
            JOIN LATERAL (
                SELECT r.due, r.started_at FROM clock r
                WHERE r.child = c.child AND r.stopped_at IS NULL AND r.kind <> 'urgency'
                ORDER BY r.due, r.started_at LIMIT 1) k ON true
            WHERE {condition} AND (k.due, k.started_at, c.child) > ($2, $3, $4)
            ORDER BY k.due, k.started_at, c.child LIMIT $5) p
        JOIN child_case c ON c.child = p.child {_DECISION}
        ORDER BY p.due, p.started_at, p.child
        """,  # noqa: S608 -- constants of this file
        *args,
    )


async def _by_clock(conn: Connection, condition: str, args: tuple[object, ...]) -> list[Row]:
    """For many cases: along the running clocks until the page is full."""
    return await conn.fetch(
        f"""
        SELECT p.due, p.started_at AS since, {_CASE}
        FROM (
            SELECT k.due, k.started_at, k.child FROM clock k
            JOIN child_case c ON c.child = k.child
            WHERE k.stopped_at IS NULL AND k.kind <> 'urgency'
              AND (k.due, k.started_at) >= ($2, $3)
              AND (k.due, k.started_at, k.child) > ($2, $3, $4)
              AND {condition}
              AND NOT EXISTS (
                SELECT 1 FROM clock e
                WHERE e.child = k.child AND e.stopped_at IS NULL AND e.kind <> 'urgency'
                  AND (e.due, e.started_at, e.kind, e.about)
                    < (k.due, k.started_at, k.kind, k.about))
            ORDER BY k.due, k.started_at, k.child LIMIT $5) p
        JOIN child_case c ON c.child = p.child {_DECISION}
        ORDER BY p.due, p.started_at, p.child
        """,  # noqa: S608 -- constants of this file
        *args,
    )


async def nameless_cases(conn: Connection, after: tuple[datetime, UUID], limit: int) -> list[Row]:
    """Cases of children nobody knows yet, the longest waiting first."""
    return await conn.fetch(
        f"""
        SELECT c.last_at AS since, {_CASE} FROM child_case c {_DECISION}
        WHERE c.provisional AND (c.last_at, c.child) > ($1, $2) AND NOT EXISTS (
            SELECT 1 FROM child_join j WHERE j.child = c.child AND j.joined_to IS NOT NULL)
        ORDER BY c.last_at, c.child LIMIT $3
        """,  # noqa: S608 -- constants of this file
        *after, limit,
    )  # fmt: skip


async def returned_signals(conn: Connection, after: tuple[datetime, str], limit: int) -> list[Row]:
    """Absence signals returned to the school about which no person has decided, the oldest first.

    One whose place a later signal has taken is not listed: that one is, or it is a case.
    """
    return await conn.fetch(
        f"""
        SELECT n.id AS about, n.received_at AS since, n.missing, {_CASE}
        FROM notification n JOIN child_case c ON c.child = n.child {_DECISION}
        WHERE n.returned = 'open' AND (n.received_at, n.id) > ($1, $2)
          AND NOT EXISTS (SELECT 1 FROM notification m WHERE m.id = n.replaced_by)
        ORDER BY n.received_at, n.id LIMIT $3
        """,  # noqa: S608 -- constants of this file
        *after, limit,
    )  # fmt: skip


async def set_aside_items(conn: Connection, after: tuple[datetime, UUID], limit: int) -> list[Row]:
    """What could not be applied and is not closed, the oldest first; not what is marked urgent."""
    return await conn.fetch(
        """
        SELECT id, service, outcome, reason, child, received_at AS since FROM duty_item
        WHERE closed_at IS NULL AND NOT urgent AND (received_at, id) > ($1, $2)
          AND outcome <> ALL($4::text[])
        ORDER BY received_at, id LIMIT $3
        """,
        *after, limit, list(FOR_SUPERVISORS),
    )  # fmt: skip


async def supervisor_tasks(conn: Connection, after: tuple[datetime, UUID], limit: int) -> list[Row]:
    """The cases about which a supervisor is asked something, the longest waiting first."""
    return await conn.fetch(
        f"""
        SELECT i.id, i.received_at AS since, i.reason AS task, {_CASE}
        FROM duty_item i LEFT JOIN LATERAL (
            SELECT n.child FROM unanswered u JOIN notification n ON n.id = u.about
            WHERE u.item = i.id ORDER BY n.child = i.child DESC, n.id LIMIT 1) m ON true
        LEFT JOIN child_join j ON j.child = i.child
        JOIN child_case c ON c.child = coalesce(m.child, j.holder, i.child) {_DECISION}
        WHERE i.closed_at IS NULL AND i.outcome = ANY($4::text[])
          AND (i.received_at, i.id) > ($1, $2)
        ORDER BY i.received_at, i.id LIMIT $3
        """,  # noqa: S608 -- constants of this file
        *after, limit, list(FOR_SUPERVISORS),
    )  # fmt: skip


async def marked_items(conn: Connection, after: tuple[datetime, UUID], limit: int) -> list[Row]:
    """Messages whose sender marks immediate danger: waiting, or set aside; the oldest first."""
    return await conn.fetch(
        """
        SELECT id, service, outcome, reason, child, received_at AS since FROM duty_item
        WHERE closed_at IS NULL AND urgent AND (received_at, id) > ($1, $2)
        ORDER BY received_at, id LIMIT $3
        """,
        *after, limit,
    )  # fmt: skip


async def proposed_cases(
    conn: Connection, destination: str, after: tuple[datetime, UUID], limit: int
) -> list[Row]:
    """Open proposals of a destination, the oldest first."""
    return await conn.fetch(
        f"""
        SELECT p.proposed_at AS since, p.destination AS about, {_CASE}
        FROM proposal p JOIN child_case c ON c.child = p.child {_DECISION}
        WHERE p.destination = $1 AND p.state = 'proposed' AND (p.proposed_at, p.child) > ($2, $3)
        ORDER BY p.proposed_at, p.child LIMIT $4
        """,  # noqa: S608 -- constants of this file
        destination, *after, limit,
    )  # fmt: skip


async def accepted_cases(
    conn: Connection, destination: str, before: tuple[datetime, UUID], limit: int
) -> list[Row]:
    """Accepted proposals of a destination, the latest first."""
    return await conn.fetch(
        f"""
        SELECT p.proposed_at AS since, p.destination AS about, {_CASE}
        FROM proposal p JOIN child_case c ON c.child = p.child {_DECISION}
        WHERE p.destination = $1 AND p.state = 'accepted' AND (p.proposed_at, p.child) < ($2, $3)
          AND NOT EXISTS (
            SELECT 1 FROM child_join j WHERE j.child = p.child AND j.joined_to IS NOT NULL)
        ORDER BY p.proposed_at DESC, p.child DESC LIMIT $4
        """,  # noqa: S608 -- constants of this file
        destination, *before, limit,
    )  # fmt: skip


async def counts(conn: Connection) -> dict[str, int]:
    """Open checks, marked messages among them, supervisors' tasks and open proposals.

    Each counted up to `COUNTED_TO`.
    """
    rows = await conn.fetch(
        """
        SELECT 'duty' AS queue, count(*) AS n FROM (
            (SELECT 1 FROM duty_item WHERE closed_at IS NULL AND urgent LIMIT $1)
            UNION ALL
            (SELECT 1 FROM notification WHERE check_state = 'open' LIMIT $1)
            LIMIT $1) AS t
        UNION ALL
        SELECT 'supervisor', count(*) FROM (
            SELECT 1 FROM duty_item WHERE closed_at IS NULL AND outcome = ANY($3::text[])
            LIMIT $1) AS s
        UNION ALL
        SELECT d, (SELECT count(*) FROM (
            SELECT 1 FROM proposal p WHERE p.destination = d AND p.state = 'proposed' LIMIT $1) t)
        FROM unnest($2::text[]) AS d
        """,
        COUNTED_TO, list(get_args(Destination)), list(FOR_SUPERVISORS),
    )  # fmt: skip
    return {row["queue"]: row["n"] for row in rows}


async def running_clocks(conn: Connection, children: Sequence[UUID]) -> list[Row]:
    """Running clocks of these children, and of these items that belong to no child."""
    return await conn.fetch(
        """
        SELECT about, kind, child, started_at, target, due FROM clock
        WHERE stopped_at IS NULL AND child = ANY($1::uuid[])
        ORDER BY due, started_at, kind
        """,
        children,
    )


# --- one case -----------------------------------------------------------------------------------


async def case_row(conn: Connection, child: UUID) -> Row | None:
    """The case without anything about the person."""
    return await conn.fetchrow(
        f"""
        SELECT {_CASE}, c.seq, c.decision_seq, c.holder AS proposed_holder, c.holder_seq,
               string_to_array(c.destinations, ' ') AS destinations,
               c.first_at, c.last_at, d.facts, d.decided_at
        FROM child_case c {_DECISION} WHERE c.child = $1
        """,  # noqa: S608 -- constants of this file
        child,
    )


async def version_of(conn: Connection, child: UUID) -> int | None:
    """Grows with every change of the case."""
    version: int | None = await conn.fetchval(
        "SELECT version FROM child_case WHERE child = $1", child
    )
    return version


async def notifications(conn: Connection, child: UUID, limit: int = 100) -> list[Row]:
    """The case's notifications, the latest first."""
    return await conn.fetch(
        "SELECT id, received_at, check_state, flagged, siblings, kind, corrects, replaced_by, "
        "string_to_array(missing, ' ') AS missing, returned, "
        "belongs_to IS NOT NULL AS taken_off FROM notification "
        "WHERE child = $1 ORDER BY received_at DESC, id DESC LIMIT $2",
        child, limit,
    )  # fmt: skip


async def signals(conn: Connection, idents: Sequence[str]) -> dict[str, bytes]:
    """The sealed signals as intake sent them, by their id."""
    rows = await conn.fetch(
        "SELECT event_id, body FROM event_log WHERE event_id = ANY($1::text[]) "
        "AND source = 'luotsi.intake' AND outcome = 'applied' AND body IS NOT NULL",
        idents,
    )
    return {row["event_id"]: row["body"] for row in rows}


async def decisions(conn: Connection, children: Sequence[UUID], limit: int = 100) -> list[Row]:
    """Screenings of the case of these children, the latest first.

    `while_joined`: made of what is known of somebody else, too, who is not among them now.
    """
    return await conn.fetch(
        """
        SELECT child, seq, because, decided_at, string_to_array(rows, ' ') AS rule_rows, level,
               holder,
               string_to_array(destinations, ' ') AS destinations, rules, rules_hash,
               string_to_array(ask, ' ') AS ask,
               NOT coalesce(string_to_array(joined, ' ')::uuid[] <@ $1::uuid[], true)
                   AS while_joined
        FROM decision WHERE child = ANY($1::uuid[]) ORDER BY decided_at DESC, seq DESC LIMIT $2
        """,
        children, limit,
    )  # fmt: skip


async def decision(conn: Connection, children: Sequence[UUID], child: UUID, seq: int) -> Row | None:
    """One screening with all that it was made of and said; `while_joined` as in `decisions`."""
    return await conn.fetchrow(
        """
        SELECT child, seq, because, decided_at, facts, string_to_array(rows, ' ') AS rule_rows,
               string_to_array(urgent_flags, ' ') AS urgent_flags, level, holder,
               string_to_array(destinations, ' ') AS destinations, rules, rules_hash,
               NOT coalesce(string_to_array(joined, ' ')::uuid[] <@ $1::uuid[], true)
                   AS while_joined
        FROM decision WHERE child = $2 AND seq = $3
        """,
        children, child, seq,
    )  # fmt: skip


async def answers(conn: Connection, children: Sequence[UUID]) -> list[Row]:
    """What workers were told of these children, each act with who told it and who wrote it down."""
    return await conn.fetch(
        """
        SELECT a.act, a.at, a.told_by, a.hand, coalesce(w.name, c.worker) AS worker,
               jsonb_object_agg(a.question, a.answer)::text AS answers
        FROM answer a JOIN act c ON c.id = a.act LEFT JOIN worker w ON w.id = c.worker
        WHERE a.child = ANY($1::uuid[])
        GROUP BY a.act, a.at, a.told_by, a.hand, w.name, c.worker ORDER BY a.at, a.act
        """,
        children,
    )


async def clocks(conn: Connection, child: UUID, about: Sequence[str]) -> list[Row]:
    """All clocks of these notifications of a case, running or stopped."""
    return await conn.fetch(
        "SELECT about, kind, started_at, target, due, citation, calendar, stopped_at, stopped_by, "
        "recorded_at FROM clock WHERE child = $1 AND about = ANY($2::text[]) "
        "ORDER BY started_at DESC, due, kind",
        child, about,
    )  # fmt: skip


async def proposals(conn: Connection, child: UUID) -> list[Row]:
    """The case's destinations."""
    return await conn.fetch(
        "SELECT destination, number, state, proposed_at, decided_by FROM proposal "
        "WHERE child = $1 ORDER BY destination",
        child,
    )


async def items_of_children(conn: Connection, children: Sequence[UUID]) -> list[Row]:
    """What waits aside for these children."""
    return await conn.fetch(
        "SELECT id, service, outcome, reason, received_at FROM duty_item "
        "WHERE closed_at IS NULL AND child = ANY($1::uuid[]) ORDER BY received_at",
        children,
    )


async def clients(conn: Connection, children: Sequence[UUID]) -> list[Row]:
    """What stands of the client feed about these children, the latest first."""
    return await conn.fetch(
        """
        SELECT c.*, w.name AS worker_name FROM client c LEFT JOIN worker w ON w.id = c.worker
        WHERE c.child = ANY($1::uuid[]) AND NOT c.moved
        ORDER BY c.received_at DESC, c.source, c.reference
        """,
        children,
    )


async def household_cases(conn: Connection, children: Sequence[UUID], limit: int = 50) -> list[Row]:
    """The marks of the cases that others in a household of these children have."""
    return await conn.fetch(
        """
        SELECT DISTINCT k.child, k.mark FROM lives_in own CROSS JOIN LATERAL (
            SELECT child FROM lives_in WHERE household = own.household OFFSET 0) other
        LEFT JOIN child_join j ON j.child = other.child
        JOIN child_case k ON k.child = coalesce(j.holder, other.child)
        WHERE own.child = ANY($1::uuid[]) AND k.child <> ALL($1::uuid[])
        ORDER BY k.mark LIMIT $2
        """,
        children, limit,
    )  # fmt: skip


async def own_workers(conn: Connection, children: Sequence[UUID]) -> dict[UUID, str]:
    """The responsible worker of each child: the name, or the staff id nobody knows a name of."""
    rows = await conn.fetch(
        """
        WITH people AS (
            SELECT child, child AS holder FROM unnest($1::uuid[]) AS t (child)
            UNION SELECT child, holder FROM child_join WHERE holder = ANY($1::uuid[]))
        SELECT DISTINCT ON (p.holder) p.holder AS child, coalesce(w.name, c.worker) AS name
        FROM people p JOIN client c ON c.child = p.child LEFT JOIN worker w ON w.id = c.worker
        WHERE NOT c.moved AND c.worker IS NOT NULL
        ORDER BY p.holder, c.received_at DESC, c.source, c.reference
        """,
        children,
    )
    return {row["child"]: row["name"] for row in rows}


async def marks(conn: Connection, children: Sequence[UUID]) -> list[Row]:
    """Mark, age band and given identity of these children's own cases."""
    return await conn.fetch(
        "SELECT child, mark, age_band, identified_by FROM child_case "
        "WHERE child = ANY($1::uuid[]) ORDER BY child",
        children,
    )


async def marked(conn: Connection, mark: str) -> list[UUID]:
    """The children whose case has this mark: usually one."""
    rows = await conn.fetch("SELECT child FROM child_case WHERE mark = $1 LIMIT 2", mark)
    return [row["child"] for row in rows]


# --- acts ---------------------------------------------------------------------------------------


class ActRow(NamedTuple):
    """What a person did, in the order of COPY's columns."""

    id: UUID
    child: UUID | None
    about: str
    kind: str
    worker: str
    done_at: datetime
    recorded_at: datetime
    answer: str | None
    reason: str | None


_ACT = """
    a.id, a.child, a.about, a.kind, a.worker, a.done_at, a.recorded_at, a.answer, a.reason,
    coalesce(w.name, a.worker) AS worker_name
"""


async def add_act(conn: Connection, act: ActRow) -> None:
    """Keep what a person did."""
    await conn.copy_records_to_table("act", records=[act], columns=list(ActRow._fields))


async def act(conn: Connection, ident: UUID) -> Row | None:
    """One act with its worker's name."""
    return await conn.fetchrow(
        f"SELECT {_ACT} FROM act a LEFT JOIN worker w ON w.id = a.worker WHERE a.id = $1",  # noqa: S608
        ident,
    )


async def acts(conn: Connection, children: Sequence[UUID], limit: int = 200) -> list[Row]:
    """What people did about a case of these children, the latest first.

    What was done while children were joined belongs to those it was about; `while_joined` says
    that one of them is not among these now.
    """
    return await conn.fetch(
        f"""
        WITH theirs AS (
            SELECT id FROM act WHERE child = ANY($1::uuid[])
            UNION SELECT act FROM joined_act WHERE child = ANY($1::uuid[]))
        SELECT {_ACT}, s.children IS NOT NULL
               AND NOT s.children || coalesce(a.child, s.children[1]) <@ $1::uuid[] AS while_joined
        FROM theirs t JOIN act a ON a.id = t.id LEFT JOIN worker w ON w.id = a.worker
        LEFT JOIN LATERAL (
            SELECT array_agg(j.child) AS children FROM joined_act j WHERE j.act = a.id) s ON true
        WHERE s.children IS NULL OR s.children && $1::uuid[]
        ORDER BY a.recorded_at DESC, a.id DESC LIMIT $2
        """,  # noqa: S608 -- constants of this file
        children, limit,
    )  # fmt: skip


async def last_act_about(
    conn: Connection, child: UUID, about: str, kinds: Sequence[str]
) -> UUID | None:
    """The latest act of these kinds that names `about`."""
    ident: UUID | None = await conn.fetchval(
        "SELECT id FROM act WHERE child = $1 AND about = $2 AND kind = ANY($3::text[]) "
        "ORDER BY recorded_at DESC, id DESC LIMIT 1",
        child, about, kinds,
    )  # fmt: skip
    return ident


LEVEL_ACTS = ("level_confirmed", "level_overridden")
LEVEL_OF = "level/"  # with the number of a decision: how acts name the level that it proposes


async def levels_judged(conn: Connection, children: Sequence[UUID]) -> dict[UUID, Row]:
    """What people judge the level of these cases to be, by the child whose case it is.

    A judgement stands until the rules propose another level, and while everybody is of the case
    whose decision it judged. `judged_rows` are the rows of that decision.
    """
    rows = await conn.fetch(
        f"""
        SELECT DISTINCT ON (a.child) {_ACT}, d.seq, d.level AS proposed,
               string_to_array(d.rows, ' ') AS judged_rows
        FROM act a JOIN decision d ON d.child = a.child AND a.about = $3 || d.seq
        LEFT JOIN worker w ON w.id = a.worker
        WHERE a.child = ANY($1::uuid[]) AND a.kind = ANY($2::text[])
          AND NOT EXISTS (
            SELECT 1 FROM decision l
            WHERE l.child = d.child AND l.seq > d.seq AND l.level <> d.level)
          AND NOT EXISTS (
            SELECT 1 FROM unnest(string_to_array(d.joined, ' ')::uuid[]) AS j (child)
            WHERE NOT EXISTS (
                SELECT 1 FROM child_join k WHERE k.child = j.child AND k.holder = a.child))
        ORDER BY a.child, a.recorded_at DESC, a.id DESC
        """,  # noqa: S608 -- constants of this file
        children, LEVEL_ACTS, LEVEL_OF,
    )  # fmt: skip
    return {row["child"]: row for row in rows}


async def notification(conn: Connection, ident: str) -> Row | None:
    """One notification; its case must be locked before anything is decided from it."""
    return await conn.fetchrow(
        "SELECT id, child, received_at, check_state, returned FROM notification WHERE id = $1",
        ident,
    )


async def settle_returned(conn: Connection, ident: str, state: str) -> None:
    """A person has decided about what was returned to a school: `matter` or `no_matter`."""
    await conn.execute("UPDATE notification SET returned = $2 WHERE id = $1", ident, state)


async def answer_check(conn: Connection, ident: str, state: str) -> None:
    """The urgency of one notification has been judged."""
    await conn.execute("UPDATE notification SET check_state = $2 WHERE id = $1", ident, state)


async def check_states(conn: Connection, child: UUID, answered: str) -> set[str]:
    """The answers that make the case's urgency now.

    Those of the notification just answered, of open checks, and of notifications whose assessment
    has not begun.
    """
    rows = await conn.fetch(
        """
        SELECT DISTINCT n.check_state FROM notification n
        WHERE n.child = $1 AND (n.id = $2 OR n.check_state = 'open' OR EXISTS (
            SELECT 1 FROM clock k
            WHERE k.child = n.child AND k.about = n.id AND k.kind = 'assessment_start'
              AND k.stopped_at IS NULL))
        """,
        child, answered,
    )  # fmt: skip
    return {row["check_state"] for row in rows}


async def has_open_check(conn: Connection, child: UUID) -> bool:
    """Whether a notification of the case waits for its urgency to be judged."""
    waits: bool = await conn.fetchval(
        "SELECT EXISTS (SELECT 1 FROM notification WHERE child = $1 AND check_state = 'open')",
        child,
    )
    return waits


async def clocks_of_kinds(conn: Connection, child: UUID, kinds: Sequence[str]) -> list[Row]:
    """The case's clocks of these kinds with their notifications' receipt."""
    return await conn.fetch(
        """
        SELECT k.about, k.kind, k.stopped_at, k.stopped_by, n.received_at
        FROM notification n
        JOIN clock k ON k.child = n.child AND k.about = n.id AND k.kind = ANY($2::text[])
        WHERE n.child = $1 ORDER BY n.received_at, n.id, k.kind
        """,
        child, kinds,
    )  # fmt: skip


async def next_targets(conn: Connection, child: UUID) -> Row:
    """The first targets of the case's running clocks: `start` and `finish` of an assessment."""
    found: Row | None = await conn.fetchrow(
        """
        SELECT min(k.target) FILTER (WHERE k.kind = 'assessment_start') AS start,
               min(k.target) FILTER (WHERE k.kind = 'assessment_finish') AS finish
        FROM notification n JOIN clock k ON k.child = n.child AND k.about = n.id
        WHERE n.child = $1 AND k.stopped_at IS NULL
        """,
        child,
    )
    assert found is not None  # noqa: S101 -- it counts
    return found


async def stop_clocks(
    conn: Connection, child: UUID, about: Sequence[str], kinds: Sequence[str],
    stopped: tuple[datetime, UUID, datetime],
) -> None:  # fmt: skip
    """Stop running clocks of a case; `stopped` is (done_at, act, recorded_at)."""
    done_at, act_id, recorded_at = stopped
    await conn.execute(
        "UPDATE clock SET stopped_at = $4, stopped_by = $5, recorded_at = $6 "
        "WHERE child = $1 AND about = ANY($2::text[]) AND kind = ANY($3::text[]) "
        "AND stopped_at IS NULL",
        child, about, kinds, done_at, str(act_id), recorded_at,
    )  # fmt: skip


async def proposal(conn: Connection, child: UUID, destination: str) -> Row | None:
    """One proposal of a locked case."""
    return await conn.fetchrow(
        "SELECT number, state, proposed_at, decided_by FROM proposal "
        "WHERE child = $1 AND destination = $2",
        child, destination,
    )  # fmt: skip


async def open_task(conn: Connection, children: Sequence[UUID], reason: str) -> Row | None:
    """The task with this reason that stands for one of these children, if one does."""
    return await conn.fetchrow(
        "SELECT id, child FROM duty_item WHERE closed_at IS NULL AND reason = $2 "
        "AND child = ANY($1::uuid[]) ORDER BY received_at, id LIMIT 1",
        children, reason,
    )  # fmt: skip


async def decide_proposal(
    conn: Connection, child: UUID, destination: str, state: str, act_id: UUID
) -> None:
    """A person has accepted or declined."""
    await conn.execute(
        "UPDATE proposal SET state = $3, decided_by = $4 WHERE child = $1 AND destination = $2",
        child, destination, state, str(act_id),
    )  # fmt: skip


async def duty_item(conn: Connection, item: UUID) -> Row | None:
    """One item."""
    return await conn.fetchrow(
        "SELECT id, service, outcome, reason, child, received_at, opened_at, closed_at, closed_by, "
        "urgent FROM duty_item WHERE id = $1",
        item,
    )


async def lock_duty_item(conn: Connection, item: UUID) -> Row | None:
    """One item, locked."""
    return await conn.fetchrow(
        "SELECT id, service, outcome, child, received_at, closed_at, closed_by FROM duty_item "
        "WHERE id = $1 FOR UPDATE",
        item,
    )


# --- people -------------------------------------------------------------------------------------


_MAY_ACT = """
    role IS NOT NULL AND NOT withdrawn AND coalesce(active_from <= $1, true)
    AND coalesce(active_until >= $1, true)
"""


async def worker(conn: Connection, ident: str, today: date) -> Row | None:
    """A worker as they are now: a withdrawn one has no rights from the next request on."""
    return await conn.fetchrow(
        f"SELECT id, name, role FROM worker WHERE id = $2 AND {_MAY_ACT}",  # noqa: S608
        today, ident,
    )  # fmt: skip


async def workers(conn: Connection, today: date) -> list[Row]:
    """Everyone who may act today."""
    return await conn.fetch(
        f"SELECT id, name, role FROM worker WHERE {_MAY_ACT} "  # noqa: S608
        "ORDER BY role, name, id LIMIT 500",
        today,
    )


# --- liveness -----------------------------------------------------------------------------------

QUEUE_CHANNEL = CHANGED


async def still_there(conn: Connection) -> None:
    """Ask over a connection that otherwise only listens; raises when it is dead."""
    await conn.execute("SELECT 1")


async def tell_queues(conn: Connection) -> None:
    """Wake every open desk page at commit."""
    await conn.execute(f"NOTIFY {QUEUE_CHANNEL}")
