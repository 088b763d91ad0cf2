"""All SQL of routing's consumer: cases, notifications, decisions, clocks, duty items.

The desk reads and writes the same tables through `desk/store.py` and, for whatever changes a case,
through `lock_cases` and `save` here: rows are locked in key order before anything is written.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from uuid import UUID

import asyncpg
import orjson

from services.routing.domain import windows
from services.routing.domain.absence import as_matter
from services.routing.domain.cases import (
    Case,
    Changes,
    ClockSet,
    DecisionRow,
    NotificationRow,
    message_name,
)
from services.routing.domain.clients import ClientRow, of_client
from services.routing.domain.clocks import CALENDAR_VERSION, CITATIONS, Limits, day_clocks
from services.routing.domain.facts import Answered, Known, Told
from services.routing.domain.households import Family
from services.routing.domain.rota import OnDuty
from services.routing.domain.tasks import FOR_SUPERVISORS, Task
from services.routing.households import store as households
from shared import copying
from shared.database import Connection
from shared.directory import Clinic, Group, Shift, Staff, Unit
from shared.events import CodedFacts, DirectorySignal, SetAside, UrgentItem

CHANGED = "routing_queue"  # NOTIFY channel: something in the queues changed; no payload


async def lock_cases(conn: Connection, children: Iterable[UUID]) -> dict[UUID, Case]:
    """The cases of these children, locked in key order; children without one are left out."""
    rows = await conn.fetch(
        """
        SELECT c.* FROM unnest($1::uuid[]) AS t (child) JOIN child_case c ON c.child = t.child
        ORDER BY c.child FOR NO KEY UPDATE OF c
        """,
        list(set(children)),
    )
    cases = {row["child"]: _case(row) for row in rows}
    # Asked for once the locks are held: a join would show what was there before we waited for them.
    for child, said in (await clients(conn, cases)).items():
        cases[child].client = of_client(said.values())
    return cases


async def read_case(conn: Connection, child: UUID) -> Case | None:
    """A case as it stands, without a lock: for a page."""
    row = await conn.fetchrow("SELECT * FROM child_case WHERE child = $1", child)
    return None if row is None else _case(row)


_CLIENT = ", ".join(ClientRow._fields)
_CLIENT_VALUES = ", ".join(f"${place}" for place, _ in enumerate(ClientRow._fields, 1))
_CLIENT_CHANGES = ", ".join(f"{name} = excluded.{name}" for name in ClientRow._fields)
References = dict[tuple[str, str], ClientRow]  # by source and reference


async def clients(conn: Connection, children: Iterable[UUID]) -> dict[UUID, References]:
    """What the client feed says of these children; those it never spoke of are left out."""
    rows = await conn.fetch(
        f"SELECT {_CLIENT} FROM client WHERE child = ANY($1::uuid[])",  # noqa: S608
        list(children),
    )
    found: dict[UUID, References] = {}
    for row in rows:
        said = ClientRow(*row.values())
        found.setdefault(said.child, {})[said.source, said.reference] = said
    return found


async def _save_clients(conn: Connection, said: Sequence[ClientRow]) -> None:
    """The newest state of each reference; one that is older than what stands changes nothing."""
    await conn.executemany(
        f"INSERT INTO client AS c ({_CLIENT}) VALUES ({_CLIENT_VALUES}) "  # noqa: S608
        f"ON CONFLICT (child, source, reference) DO UPDATE SET {_CLIENT_CHANGES} "
        "WHERE c.version < excluded.version",
        said,
    )


async def save(conn: Connection, changes: Changes) -> None:
    """Write everything a transaction changed, each table with one statement."""
    await _save_cases(conn, changes)
    for table, rows, columns in (
        ("notification", changes.notifications, NotificationRow._fields),
        ("decision", changes.decisions, DecisionRow._fields),
    ):
        if rows:
            await conn.copy_records_to_table(table, records=rows, columns=list(columns))
    await _save_said(conn, changes)
    if changes.clocks:
        await add_clocks(conn, changes.clocks)
    if changes.withdrawn:
        await _withdraw(conn, changes.withdrawn)
    if changes.proposed:
        await _propose(conn, changes.proposed)
    await conn.execute(f"NOTIFY {CHANGED}")


async def _save_said(conn: Connection, changes: Changes) -> None:
    """What was taken back, what the client feed said, who lives with whom."""
    if changes.replaced:
        await _replace(conn, changes.replaced)
    if changes.clients:
        await _save_clients(conn, changes.clients)
    if changes.moved_in:
        await households.move_in(conn, changes.moved_in)


async def _save_cases(conn: Connection, changes: Changes) -> None:
    new = [case for case in changes.cases.values() if case.is_new]
    old = [c for c in changes.cases.values() if not c.is_new and c.version != c.as_read]
    if new:
        await conn.copy_records_to_table(
            "child_case", records=[_columns(case) for case in new], columns=CASE_COLUMNS
        )
    if old:
        await _update_cases(conn, old)


async def taken_back(conn: Connection, idents: Sequence[str]) -> dict[str, str]:
    """Which of these signals were taken back before they came: id -> id of what did so."""
    rows = await conn.fetch(
        "SELECT earlier, replaced_by FROM taken_back WHERE earlier = ANY($1::text[])", idents
    )
    return {row["earlier"]: row["replaced_by"] for row in rows}


async def standing(conn: Connection, children: Iterable[UUID]) -> dict[UUID, dict[str, Told]]:
    """What each notification of these locked cases states, but for those taken back.

    What was returned to a school counts once it is a matter, or where it states a concern.
    """
    found: dict[UUID, dict[str, Told]] = {child: {} for child in children}
    rows = await conn.fetch(
        "SELECT child, id, facts, returned, received_at, source FROM notification "
        "WHERE child = ANY($1::uuid[]) AND replaced_by IS NULL "
        "AND (returned IS NULL OR returned = 'matter' OR check_state <> 'not_asked') "
        "ORDER BY received_at, id",
        list(found),
    )
    for row in rows:
        facts = CodedFacts.model_validate_json(row["facts"])
        matter = row["returned"] == "matter"
        told = as_matter(facts) if matter else facts
        found[row["child"]][row["id"]] = Told(row["received_at"], told, row["source"])
    return found


async def answered(conn: Connection, children: Iterable[UUID]) -> dict[UUID, list[Answered]]:
    """What a worker was told of each of these children, in the order of its times."""
    rows = await conn.fetch(
        """
        SELECT child, at, jsonb_object_agg(question, answer)::text AS answers
        FROM answer WHERE child = ANY($1::uuid[]) GROUP BY child, act, at ORDER BY at, act
        """,
        list(children),
    )
    found: dict[UUID, list[Answered]] = {}
    for row in rows:
        found.setdefault(row["child"], []).append(Answered(row["at"], orjson.loads(row["answers"])))
    return found


async def add_answers(
    conn: Connection, act: UUID, child: UUID, answered: Answered, told_by: str, hand: str
) -> None:
    """What a worker was told in one act."""
    await conn.execute(
        """
        INSERT INTO answer (act, child, question, answer, told_by, hand, at)
        SELECT $1, $2, question, answer, $5, $6, $7
        FROM unnest($3::text[], $4::text[]) AS t (question, answer)
        """,
        act, child, list(answered.answers), list(answered.answers.values()), told_by, hand,
        answered.at,
    )  # fmt: skip


async def messages_about(
    conn: Connection, child: UUID, about: Sequence[str], *, or_open: bool = False
) -> list[str]:
    """The messages, as ``source/id``, whose notifications `about` names.

    With `or_open`, where it names none, those with a running clock; where none runs, all.
    """
    rows = await conn.fetch(
        """
        SELECT n.source, n.source_id, n.id = ANY($2::text[]) AS named, EXISTS (
                   SELECT 1 FROM clock k
                   WHERE k.child = n.child AND k.about = n.id AND k.stopped_at IS NULL) AS runs
        FROM notification n WHERE n.child = $1 AND n.source <> '' ORDER BY n.received_at, n.id
        """,
        child, about,
    )  # fmt: skip
    found = [row for row in rows if row["named"]]
    if or_open:
        found = found or [row for row in rows if row["runs"]] or rows
    return list(dict.fromkeys(message_name(row["source"], row["source_id"]) for row in found))


async def pending_receipts(conn: Connection, child: UUID) -> list[datetime]:
    """Receipts of a case whose assessment is neither ready nor found unnecessary."""
    rows = await conn.fetch(
        "SELECT started_at FROM clock WHERE child = $1 AND kind = 'assessment_finish' "
        "AND stopped_at IS NULL",
        child,
    )
    return [row["started_at"] for row in rows]


async def _replace(conn: Connection, replaced: Sequence[tuple[str, str]]) -> None:
    """Mark what is taken back; what has not come yet is kept in mind."""
    columns = list(zip(*replaced, strict=True))
    await conn.execute(
        """
        WITH wanted AS (
            SELECT * FROM unnest($1::text[], $2::text[]) AS t (earlier, replaced_by)),
        marked AS (
            UPDATE notification n SET replaced_by = w.replaced_by FROM wanted w
            WHERE n.id = w.earlier RETURNING n.id)
        INSERT INTO taken_back (earlier, replaced_by)
        SELECT earlier, replaced_by FROM wanted WHERE earlier NOT IN (SELECT id FROM marked)
        ON CONFLICT DO NOTHING
        """,
        *columns,
    )


CASE_COLUMNS = [
    "child", "mark", "seq", "version", "age_band", "provisional", "known", "urgency",
    "urgent_flags", "level", "holder", "destinations", "decision_seq", "holder_seq", "confirmed",
    "first_at", "last_at", "identified_by", "identified_band", "family", "answered_at",
    "opened_at", "pending", "recent", "known_until", "look_asked",
]  # fmt: skip


def _columns(case: Case) -> tuple[object, ...]:
    return (
        case.child, case.mark, case.seq, case.version, case.age_band, case.provisional,
        _known_json(case.known), case.urgency, " ".join(case.urgent_flags), case.level,
        case.holder, " ".join(case.destinations), case.decision_seq, case.holder_seq,
        case.confirmed, case.first_at, case.last_at, case.identified_by, case.identified_band,
        case.family.to_json(), case.answered_at, case.opened_at, case.pending,
        windows.to_json(case.recent), case.known_until, case.look_asked,
    )  # fmt: skip


def _case(row: asyncpg.Record) -> Case:
    return Case(
        child=row["child"],
        mark=row["mark"],
        seq=row["seq"],
        version=row["version"],
        age_band=row["age_band"],
        provisional=row["provisional"],
        known=_known(row["known"]),
        urgency=row["urgency"],
        urgent_flags=tuple(row["urgent_flags"].split()),
        level=row["level"],
        holder=row["holder"],
        destinations=tuple(row["destinations"].split()),
        decision_seq=row["decision_seq"],
        holder_seq=row["holder_seq"],
        confirmed=row["confirmed"],
        first_at=row["first_at"],
        last_at=row["last_at"],
        identified_by=row["identified_by"],
        identified_band=row["identified_band"],
        family=_family(row["family"]),
        answered_at=row["answered_at"],
        opened_at=row["opened_at"],
        pending=row["pending"],
        recent=windows.from_json(row["recent"]),
        known_until=row["known_until"],
        look_asked=row["look_asked"],
        as_read=row["version"],
    )


# Most children's facts are among a few thousand patterns; both directions are pure.
_known = lru_cache(maxsize=20_000)(Known.from_json)
_known_json = lru_cache(maxsize=20_000)(Known.to_json)
_family = lru_cache(maxsize=1_000)(Family.from_json)


async def _update_cases(conn: Connection, cases: Sequence[Case]) -> None:
    await conn.execute(
        """
        UPDATE child_case c SET seq = t.seq, version = t.version, age_band = t.age_band,
            provisional = t.provisional, known = t.known, urgency = t.urgency,
            urgent_flags = t.urgent_flags, level = t.level,
            holder = t.holder, destinations = t.destinations,
            decision_seq = t.decision_seq, holder_seq = t.holder_seq, confirmed = t.confirmed,
            first_at = t.first_at, last_at = t.last_at, identified_by = t.identified_by,
            identified_band = t.identified_band, family = t.family,
            answered_at = t.answered_at, opened_at = t.opened_at, pending = t.pending,
            recent = t.recent, known_until = t.known_until, look_asked = t.look_asked,
            updated_at = now()
        FROM unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::bool[], $6::text[],
                    $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::int[],
                    $13::int[], $14::text[], $15::timestamptz[], $16::timestamptz[],
                    $17::text[], $18::text[], $19::text[], $20::timestamptz[],
                    $21::timestamptz[], $22::bool[], $23::text[], $24::timestamptz[], $25::bool[])
            AS t (child, seq, version, age_band, provisional, known, urgency, urgent_flags,
                  level, holder, destinations, decision_seq, holder_seq, confirmed, first_at,
                  last_at, identified_by, identified_band, family, answered_at, opened_at,
                  pending, recent, known_until, look_asked)
        WHERE c.child = t.child
        """,
        *zip(
            *(
                (
                    c.child, c.seq, c.version, c.age_band, c.provisional, _known_json(c.known),
                    c.urgency, " ".join(c.urgent_flags), c.level, c.holder,
                    " ".join(c.destinations), c.decision_seq, c.holder_seq, c.confirmed,
                    c.first_at, c.last_at, c.identified_by, c.identified_band,
                    c.family.to_json(), c.answered_at, c.opened_at, c.pending,
                    windows.to_json(c.recent), c.known_until, c.look_asked,
                )
                for c in cases
            ),
            strict=True,
        ),
    )  # fmt: skip


async def _propose(conn: Connection, proposed: Sequence[tuple[UUID, str, datetime]]) -> None:
    """New proposals. An open one stays as it is, an accepted one stands as decided."""
    latest = {(child, destination): (child, destination, at) for child, destination, at in proposed}
    await conn.execute(
        """
        INSERT INTO proposal AS p (child, destination, number, state, proposed_at)
        SELECT child, destination, 1, 'proposed', at
        FROM unnest($1::uuid[], $2::text[], $3::timestamptz[]) AS t (child, destination, at)
        ON CONFLICT (child, destination) DO UPDATE
        SET number = p.number + 1, state = 'proposed', proposed_at = excluded.proposed_at
        WHERE p.state IN ('withdrawn', 'declined')
        """,
        *zip(*latest.values(), strict=True),
    )


async def _withdraw(conn: Connection, withdrawn: Sequence[tuple[UUID, str]]) -> None:
    """Proposals the tables no longer make, where nobody has decided yet."""
    await conn.execute(
        """
        UPDATE proposal p SET state = 'withdrawn'
        FROM unnest($1::uuid[], $2::text[]) AS t (child, destination)
        WHERE p.child = t.child AND p.destination = t.destination AND p.state = 'proposed'
        """,
        *zip(*withdrawn, strict=True),
    )


# --- duty items ---------------------------------------------------------------------------------


async def open_duty_items(conn: Connection, items: Sequence[SetAside], child: UUID | None) -> None:
    """What was set aside stands at the duty desk; an item told of twice stands once."""
    await conn.executemany(
        """
        INSERT INTO duty_item (id, service, outcome, reason, child, seq, received_at, urgent)
        VALUES ($1, $2, $3, $4, $5, 1, $6, $7) ON CONFLICT (id) DO NOTHING
        """,
        [
            (
                i.item,
                i.service,
                i.outcome,
                i.reason,
                child,
                i.received_at,
                i.urgent_item is not None,
            )
            for i in items
        ],
    )
    await conn.execute(f"NOTIFY {CHANGED}")


async def open_tasks(conn: Connection, tasks: Sequence[Task], since: datetime) -> set[UUID]:
    """Tasks stand at the duty desk; the items that had not stood there before, closed or not."""
    rows = await conn.fetch(
        """
        INSERT INTO duty_item (id, service, outcome, reason, child, seq, received_at)
        SELECT id, 'routing', outcome, reason, child, 1, $5
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[])
            AS t (id, outcome, reason, child)
        ON CONFLICT (id) DO NOTHING RETURNING id
        """,
        [t.item for t in tasks], [t.kind for t in tasks], [t.reason for t in tasks],
        [t.child for t in tasks], since,
    )  # fmt: skip
    await conn.execute(f"NOTIFY {CHANGED}")
    return {row["id"] for row in rows}


async def close_duty_item(
    conn: Connection, item: UUID, how: str, at: datetime, done_at: datetime | None = None
) -> int | None:
    """Close an item and stop its clocks; returns its next seq, None if it was not open.

    `at` is when it is recorded; the clocks stop at `done_at`, or then.
    """
    closed = await conn.fetchrow(
        "UPDATE duty_item SET closed_at = $3, closed_by = $2, seq = seq + 1 "
        "WHERE id = $1 AND closed_at IS NULL RETURNING seq, coalesce(child, id) AS child",
        item, how, at,
    )  # fmt: skip
    if closed is not None:
        await conn.execute(
            "UPDATE clock SET stopped_at = $5, stopped_by = $3, recorded_at = $4 "
            "WHERE child = $1 AND about = $2 AND stopped_at IS NULL",
            closed["child"], str(item), how, at, done_at or at,
        )  # fmt: skip
        await conn.execute(f"NOTIFY {CHANGED}")
    return closed["seq"] if closed else None


# --- messages marked urgent ---------------------------------------------------------------------


async def is_settled(conn: Connection, item: UUID) -> bool:
    """Whether what closes the item has come already; it cannot come before this transaction ends.

    Both insert the row, so that the second waits for the first and sees what it did.
    """
    settled = await conn.fetchval(
        "INSERT INTO urgent_message AS u (item) VALUES ($1) "
        "ON CONFLICT (item) DO UPDATE SET screened = u.screened RETURNING settled",
        item,
    )
    return bool(settled)


async def screened_one(conn: Connection, item: UUID, children: int) -> bool:
    """The check of one more of the message's children stands open; says whether all do."""
    settled = await conn.fetchval(
        """
        INSERT INTO urgent_message AS u (item, screened, settled) VALUES ($1, 1, $2::int <= 1)
        ON CONFLICT (item) DO UPDATE
        SET screened = u.screened + 1, settled = u.settled OR u.screened + 1 >= $2
        RETURNING settled
        """,
        item, children,
    )  # fmt: skip
    return bool(settled)


async def settle(conn: Connection, item: UUID) -> None:
    """The item stands for the message no longer."""
    await conn.execute(
        "INSERT INTO urgent_message (item, settled) VALUES ($1, true) "
        "ON CONFLICT (item) DO UPDATE SET settled = true",
        item,
    )


async def open_urgent_item(conn: Connection, item: UrgentItem) -> None:
    """A marked message stands at the duty desk before its turn has come."""
    await conn.execute(
        "INSERT INTO duty_item (id, service, outcome, reason, seq, received_at, urgent) "
        "VALUES ($1, 'intake', 'urgent', $2, 1, $3, true) ON CONFLICT (id) DO NOTHING",
        item.item, item.reason, item.received_at,
    )  # fmt: skip
    await conn.execute(f"NOTIFY {CHANGED}")


async def add_urgency_clock(
    conn: Connection, item: UUID, started_at: datetime, due: datetime
) -> None:
    """The clock of the urgency check alone: the others begin with the message itself."""
    await conn.execute(
        """
        INSERT INTO clock (child, about, kind, started_at, target, due, citation, calendar)
        VALUES ($1, $2, 'urgency', $3, $4, $4, $5, $6)
        """,
        item, str(item), started_at, due, CITATIONS["urgency"], CALENDAR_VERSION,
    )  # fmt: skip


# --- clocks -------------------------------------------------------------------------------------


async def add_clocks(conn: Connection, clocks: Sequence[ClockSet]) -> None:
    """Write the clocks of each receipt."""
    rows = []
    for each in clocks:
        own = (
            _CLOCK + copying.uuid(each.child) + copying.text(each.about)
            + copying.moment(each.started_at)
        )  # fmt: skip
        urgent_by = copying.moment(each.urgent_by)
        if each.urgency:
            rows.append(own + urgent_by + urgent_by + _URGENCY)
        if each.in_days:
            rows += [own + rest for rest in _rest_of_rows(each.limits)]
    await copying.copy(conn, "clock", CLOCK_COLUMNS, rows)


CLOCK_COLUMNS = [
    "child", "about", "started_at", "target", "due", "kind", "citation", "calendar",
]  # fmt: skip
_CLOCK = copying.columns(len(CLOCK_COLUMNS))


def _reason(kind: str, citation: str) -> bytes:
    return copying.text(kind) + copying.text(citation) + copying.text(CALENDAR_VERSION)


_URGENCY = _reason("urgency", CITATIONS["urgency"])


@lru_cache(maxsize=4096)
def _rest_of_rows(limits: Limits) -> list[bytes]:
    """What the clocks counted in days share with all others of their day."""
    return [
        copying.moment(clock.target) + copying.moment(clock.due)
        + _reason(clock.kind, clock.citation)
        for clock in day_clocks(limits)
    ]  # fmt: skip


# --- timers -------------------------------------------------------------------------------------


async def lead_timers(conn: Connection) -> bool:
    """Become the one process that watches clocks, for as long as the connection lives."""
    leads = await conn.fetchval(
        "SELECT pg_try_advisory_lock(hashtext(current_schema()), hashtext('timers'))"
    )
    return bool(leads)


async def clocks_to_tell(
    conn: Connection, now: datetime, ahead: timedelta, limit: int
) -> list[asyncpg.Record]:
    """Running clocks to warn of, and running clocks past their last moment not recorded as late.

    The warning falls due when the target lies within `ahead`, for urgency at half its time.
    """
    return await conn.fetch(
        """
        SELECT about, kind, child, due, due <= $1::timestamptz AS late FROM clock
        WHERE stopped_at IS NULL AND (
            (warned_at IS NULL AND CASE WHEN kind = 'urgency'
                THEN started_at + (due - started_at) / 2 <= $1 ELSE target - $2::interval <= $1 END)
            OR (late_at IS NULL AND due <= $1))
        ORDER BY child, due LIMIT $3
        """,
        now, ahead, limit,
    )  # fmt: skip


async def lock_duty_items(conn: Connection, items: Iterable[UUID]) -> set[UUID]:
    """Lock open items; one that somebody else works on just now is left out."""
    rows = await conn.fetch(
        "SELECT id FROM duty_item WHERE id = ANY($1::uuid[]) AND closed_at IS NULL "
        "FOR NO KEY UPDATE SKIP LOCKED",
        list(items),
    )
    return {row["id"] for row in rows}


async def next_item_seq(conn: Connection, item: UUID) -> int:
    """The number of the next event about a locked item."""
    seq: int = await conn.fetchval(
        "UPDATE duty_item SET seq = seq + 1 WHERE id = $1 RETURNING seq", item
    )
    return seq


async def mark_told(
    conn: Connection, now: datetime, clocks: Sequence[tuple[UUID, str, str, bool]]
) -> list[asyncpg.Record]:
    """Record the warning of (child, about, kind), and that it is late where it is.

    Returns those that still run and were not told of meanwhile, each child's and item's together.
    Their case or item must be locked: until then a person may have stopped what was read.
    """
    if not clocks:
        return []
    return await conn.fetch(
        """
        WITH told AS (
            UPDATE clock c SET warned_at = coalesce(c.warned_at, $1),
                   late_at = CASE WHEN t.late THEN $1 ELSE c.late_at END
            FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bool[])
                AS t (child, about, kind, late)
            WHERE (c.child, c.about, c.kind) = (t.child, t.about, t.kind)
              AND c.stopped_at IS NULL
              AND CASE WHEN t.late THEN c.late_at IS NULL ELSE c.warned_at IS NULL END
            RETURNING c.about, c.kind, c.child, c.due, t.late)
        SELECT * FROM told ORDER BY child, due, about, kind
        """,
        now, *zip(*clocks, strict=True),
    )  # fmt: skip


# --- what operations watch ----------------------------------------------------------------------


async def queue_state(conn: Connection) -> list[asyncpg.Record]:
    """Open items and the age of the oldest in seconds, per queue."""
    return await conn.fetch(
        """
        SELECT 'urgency_check' AS queue, count(*) AS n,
               coalesce(extract(epoch FROM now() - min(received_at)), 0)::float8 AS age
        FROM notification WHERE check_state = 'open'
        UNION ALL
        SELECT 'marked_urgent', count(*),
               coalesce(extract(epoch FROM now() - min(received_at)), 0)::float8
        FROM duty_item WHERE closed_at IS NULL AND urgent
        UNION ALL
        SELECT 'set_aside', count(*),
               coalesce(extract(epoch FROM now() - min(received_at)), 0)::float8
        FROM duty_item WHERE closed_at IS NULL AND NOT urgent AND outcome <> ALL($1::text[])
        UNION ALL
        SELECT 'supervisor', count(*),
               coalesce(extract(epoch FROM now() - min(received_at)), 0)::float8
        FROM duty_item WHERE closed_at IS NULL AND outcome = ANY($1::text[])
        UNION ALL
        SELECT 'returned', count(*),
               coalesce(extract(epoch FROM now() - min(received_at)), 0)::float8
        FROM notification n WHERE returned = 'open' AND NOT EXISTS (
            SELECT 1 FROM notification m WHERE m.id = n.replaced_by)
        UNION ALL
        SELECT 'identity', count(*), coalesce(extract(epoch FROM now() - min(last_at)), 0)::float8
        FROM child_case c WHERE provisional AND NOT EXISTS (
            SELECT 1 FROM child_join j WHERE j.child = c.child AND j.joined_to IS NOT NULL)
        UNION ALL
        SELECT 'destination_' || destination, count(*),
               coalesce(extract(epoch FROM now() - min(proposed_at)), 0)::float8
        FROM proposal WHERE state = 'proposed' GROUP BY destination
        """,
        list(FOR_SUPERVISORS),
    )


async def clock_state(conn: Connection, now: datetime) -> list[asyncpg.Record]:
    """Running clocks by kind: due soon (target within a day), late; and late without a warning."""
    return await conn.fetch(
        """
        SELECT kind,
               count(*) FILTER (WHERE due > $1 AND target <= $1 + interval '1 day') AS due_soon,
               count(*) FILTER (WHERE due <= $1) AS late,
               count(*) FILTER (WHERE due <= $1 AND (warned_at IS NULL OR warned_at > due))
                   AS unwarned
        FROM clock WHERE stopped_at IS NULL AND target <= $1 + interval '1 day' GROUP BY kind
        """,
        now,
    )


async def save_numbers(conn: Connection, cases: Sequence[Case]) -> None:
    """Keep the numbers that events have taken, where nothing else of a case changed."""
    if cases:
        await _update_cases(conn, cases)


async def states(conn: Connection, signal_ids: Sequence[str]) -> list[dict[str, object]]:
    """The state of the cases these signals belong to, in codes."""
    rows = await conn.fetch(
        """
        SELECT n.id AS signal, c.mark, n.check_state, c.urgency, c.level,
               coalesce(c.confirmed, c.holder) AS holder,
               string_to_array(c.destinations, ' ') AS destinations,
               (SELECT count(*) FROM clock k
                WHERE k.child = n.child AND k.about = n.id AND k.stopped_at IS NULL)
                   AS clocks_running
        FROM unnest($1::text[]) AS t (id) JOIN notification n ON n.id = t.id
        JOIN child_case c ON c.child = n.child
        """,
        signal_ids,
    )
    return [dict(row) for row in rows]


# --- the directory ------------------------------------------------------------------------------


async def newer_entry(conn: Connection, signal: DirectorySignal) -> bool:
    """Keep the version of an entry; False if one as new came before."""
    kept = await conn.fetchval(
        """
        INSERT INTO directory_entry AS d (entry, what, version, ended, received_at)
        VALUES ($1, $2, $3, $4, $5) ON CONFLICT (entry) DO UPDATE
        SET what = excluded.what, version = excluded.version, ended = excluded.ended,
            received_at = excluded.received_at
        WHERE d.version < excluded.version RETURNING true
        """,
        signal.entry, signal.what, signal.version, signal.ended, signal.received_at,
    )  # fmt: skip
    return bool(kept)


async def keep_staff(conn: Connection, entry: UUID, staff: Staff, role: str | None) -> None:
    """A person of the staff; an id that the entry had before is withdrawn."""
    await conn.execute(
        "UPDATE worker SET withdrawn = true WHERE entry = $1 AND id <> $2", entry, staff.staff_id
    )
    await conn.execute(
        """
        INSERT INTO worker (id, name, role, entry, active_from, active_until, unit, phone,
                            languages)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO UPDATE
        SET name = excluded.name, role = excluded.role, entry = excluded.entry, withdrawn = false,
            active_from = excluded.active_from, active_until = excluded.active_until,
            unit = excluded.unit, phone = excluded.phone, languages = excluded.languages
        """,
        staff.staff_id, staff.name, role, entry, staff.active_from, staff.active_until,
        staff.unit, staff.phone, " ".join(staff.languages),
    )  # fmt: skip


async def keep_entry(conn: Connection, entry: UUID, said: Unit | Shift | Group | Clinic) -> None:
    """A unit, a shift, a group or a clinic."""
    if isinstance(said, Shift):
        values: tuple[object, ...] = (
            said.kind, said.begins, said.ends, " ".join(said.staff), said.unit
        )  # fmt: skip
    elif isinstance(said, Unit):
        values = (said.unit_id, said.name, said.kind)
    elif isinstance(said, Group):
        values = (said.group_id, said.name, " ".join(said.members))
    else:
        values = (said.clinic_id, said.name, said.kind, said.age_min, said.age_max)
    await conn.execute(_KEEP_ENTRY[said.what], entry, *values)


async def end_entry(conn: Connection, entry: UUID, what: str) -> None:
    """An entry is no longer in use. Staff keep their name, and lose every right."""
    await conn.execute(_END_ENTRY[what], entry)


_KEEP_ENTRY = {
    "rota": "INSERT INTO duty_shift (entry, kind, begins, ends, staff, unit) "
    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (entry) DO UPDATE SET kind = excluded.kind, "
    "begins = excluded.begins, ends = excluded.ends, staff = excluded.staff, unit = excluded.unit",
    "unit": "INSERT INTO unit (entry, id, name, kind) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (entry) DO UPDATE SET id = excluded.id, name = excluded.name, "
    "kind = excluded.kind",
    "group": "INSERT INTO care_group (entry, id, name, members) VALUES ($1, $2, $3, $4) "
    "ON CONFLICT (entry) DO UPDATE SET id = excluded.id, name = excluded.name, "
    "members = excluded.members",
    "clinic": "INSERT INTO clinic (entry, id, name, kind, age_min, age_max) "
    "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (entry) DO UPDATE SET id = excluded.id, "
    "name = excluded.name, kind = excluded.kind, age_min = excluded.age_min, "
    "age_max = excluded.age_max",
}
_END_ENTRY = {
    "staff": "UPDATE worker SET withdrawn = true WHERE entry = $1",
    "rota": "DELETE FROM duty_shift WHERE entry = $1",
    "unit": "DELETE FROM unit WHERE entry = $1",
    "group": "DELETE FROM care_group WHERE entry = $1",
    "clinic": "DELETE FROM clinic WHERE entry = $1",
}


async def rota_was_told(conn: Connection) -> bool:
    """Whether the directory feed has ever told of a shift, ended or not."""
    told: bool = await conn.fetchval(
        "SELECT EXISTS (SELECT 1 FROM directory_entry WHERE what = 'rota')"
    )
    return told


async def shifts(conn: Connection, begins: datetime, ends: datetime) -> list[OnDuty]:
    """Shifts within these times that somebody has who still works here."""
    rows = await conn.fetch(
        """
        SELECT kind, begins, ends FROM duty_shift s WHERE ends > $1 AND begins < $2
        AND EXISTS (SELECT 1 FROM unnest(string_to_array(s.staff, ' ')) AS t (id)
                    WHERE t.id <> '' AND NOT EXISTS (
                        SELECT 1 FROM worker w WHERE w.id = t.id AND (w.withdrawn
                            OR w.active_until < (s.begins AT TIME ZONE 'Europe/Helsinki')::date)))
        """,
        begins, ends,
    )  # fmt: skip
    return [OnDuty(*row.values()) for row in rows]
