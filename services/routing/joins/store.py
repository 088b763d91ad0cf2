"""SQL of joins: who is joined to whom, and what moves between cases.

A change of joins runs alone (`hold` with `alone`), everything else that touches a case beside it
holds the same lock shared, before any row: so who has a case stays true until the commit, also for
a case that is not there yet.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import asyncpg

from services.routing import store as routing
from services.routing.domain.cases import Case
from services.routing.domain.clients import of_client
from services.routing.domain.joins import Joins, Note
from shared.database import Connection


class Belongs(NamedTuple):
    """In whose case a notification stands, and why."""

    child: UUID
    arrived_as: UUID
    belongs_to: UUID | None


async def hold(conn: Connection, *, alone: bool = False) -> None:
    """Keep joins as they are until the commit; `alone` to change them."""
    shared = "" if alone else "_shared"
    await conn.execute(
        f"SELECT pg_advisory_xact_lock{shared}(hashtext(current_schema()), hashtext('joins'))"
    )


async def joins(conn: Connection, children: Iterable[UUID]) -> Joins:
    """The joins of these children and of everybody who shares a case with one of them."""
    rows = await conn.fetch(
        """
        WITH asked AS (SELECT unnest($1::uuid[]) AS child),
        holders AS (
            SELECT child FROM asked
            UNION SELECT j.holder FROM child_join j JOIN asked a ON a.child = j.child)
        SELECT j.child, j.holder FROM child_join j JOIN holders h ON h.child = j.holder
        WHERE j.child <> j.holder
        """,
        list(set(children)),
    )
    return Joins({row["child"]: row["holder"] for row in rows})


async def change(
    conn: Connection, decided: Sequence[tuple[UUID, UUID | None, int]], now: datetime
) -> bool:
    """Write (child, joined to, number); whether anything was news."""
    children, joined_to, numbers = zip(*decided, strict=True)
    news = await conn.fetch(
        """
        INSERT INTO child_join AS j (child, joined_to, holder, number, since)
        SELECT child, joined_to, child, number, $4
        FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS t (child, joined_to, number)
        ON CONFLICT (child) DO UPDATE SET joined_to = excluded.joined_to,
            number = excluded.number, since = excluded.since
        WHERE j.number < excluded.number RETURNING 1
        """,
        children, joined_to, numbers, now,
    )  # fmt: skip
    return bool(news)


async def find_holders(conn: Connection, children: Iterable[UUID]) -> None:
    """After a change: whose case has the notifications of these children now."""
    await conn.execute(
        """
        WITH RECURSIVE up AS (
            SELECT child, child AS place FROM child_join WHERE child = ANY($1::uuid[])
            UNION
            SELECT up.child, j.joined_to FROM up JOIN child_join j ON j.child = up.place
            WHERE j.joined_to IS NOT NULL)
        UPDATE child_join j SET holder = up.place FROM up
        WHERE j.child = up.child AND j.holder <> up.place AND NOT EXISTS (
            SELECT 1 FROM child_join p WHERE p.child = up.place AND p.joined_to IS NOT NULL)
        """,
        list(children),
    )


async def belongings(conn: Connection, idents: Sequence[str]) -> dict[str, Belongs]:
    """Where these notifications stand; those that have not come yet are left out."""
    rows = await conn.fetch(
        "SELECT id, child, arrived_as, belongs_to FROM notification WHERE id = ANY($1::text[])",
        idents,
    )
    return {row["id"]: Belongs(row["child"], row["arrived_as"], row["belongs_to"]) for row in rows}


async def split_off(conn: Connection, idents: Sequence[str], to: UUID) -> bool:
    """These notifications were always about another child; whether anybody had acted on them."""
    await conn.execute(
        """
        UPDATE decision d SET joined = concat_ws(' ', d.joined, $2::uuid::text)
        FROM (SELECT e.child, min(e.seq) AS seq FROM decision e
              JOIN notification n ON n.child = e.child AND n.id = e.because
              WHERE n.id = ANY($1::text[]) GROUP BY e.child) s
        WHERE d.child = s.child AND d.seq >= s.seq
        """,
        idents, to,
    )  # fmt: skip
    acts = await conn.fetch(
        """
        SELECT DISTINCT a.id FROM notification n JOIN act a ON a.child = n.child
        WHERE n.id = ANY($1::text[]) AND string_to_array(a.about, ' ') && $1::text[]
        """,
        idents,
    )
    await conn.execute(
        "UPDATE notification SET belongs_to = $2 WHERE id = ANY($1::text[])", idents, to
    )
    await conn.execute(
        "DELETE FROM joined_act WHERE act = ANY($1::uuid[])", [row["id"] for row in acts]
    )
    for row in acts:
        await share_act(conn, row["id"], [])
    return bool(acts)


async def move(conn: Connection, before: Sequence[UUID], holders: Mapping[UUID, UUID]) -> None:
    """Bring notifications and their clocks from the cases `before` to those who have them now."""
    await conn.execute(
        """
        WITH moved AS (
            UPDATE notification n SET child = t.holder
            FROM unnest($1::uuid[], $2::uuid[]) AS t (child, holder)
            WHERE n.child = ANY($3::uuid[]) AND n.child <> t.holder
              AND coalesce(n.belongs_to, n.arrived_as) = t.child
            RETURNING n.id, n.child)
        UPDATE clock c SET child = m.child FROM moved m
        WHERE c.child = ANY($3::uuid[]) AND c.about = m.id
        """,
        list(holders), list(holders.values()), before,
    )  # fmt: skip


async def notes(conn: Connection, children: Sequence[UUID]) -> dict[UUID, list[Note]]:
    """The notifications of these cases, as far as a case is made of them."""
    found: dict[UUID, list[Note]] = {child: [] for child in children}
    stands = await routing.standing(conn, children)
    rows = await conn.fetch(
        """
        SELECT n.*, EXISTS (
            SELECT 1 FROM clock k WHERE k.child = n.child AND k.about = n.id
              AND k.kind = 'assessment_start' AND k.stopped_at IS NULL) AS waits,
               EXISTS (
            SELECT 1 FROM clock k WHERE k.child = n.child AND k.about = n.id
              AND k.kind = 'assessment_finish' AND k.stopped_at IS NULL) AS pending
        FROM notification n WHERE n.child = ANY($1::uuid[]) ORDER BY n.received_at, n.id
        """,
        children,
    )
    for row in rows:
        taken_off = row["belongs_to"] is not None
        found[row["child"]].append(
            Note(
                id=row["id"],
                received_at=row["received_at"],
                check_state=row["check_state"],
                waits=row["waits"],
                age_band="unknown" if taken_off else row["age_band"],  # it told of another child
                provisional=taken_off or row["provisional"],
                waits_at_duty="open" in (row["check_state"], row["returned"]),
                told=stands[row["child"]].get(row["id"]),
                pending=row["pending"],
            )
        )
    return found


async def last_answered(conn: Connection, child: UUID, joined: Sequence[UUID]) -> str | None:
    """The notification of this case, with those joined to it, whose urgency was judged last."""
    ident: str | None = await conn.fetchval(
        """
        WITH theirs AS (
            SELECT id FROM act WHERE child = ANY($2::uuid[])
            UNION SELECT act FROM joined_act WHERE child = ANY($2::uuid[]))
        SELECT a.about FROM theirs t JOIN act a ON a.id = t.id
        JOIN notification n ON n.id = a.about AND n.child = $1
        WHERE a.kind = 'urgency_answered'
        ORDER BY a.recorded_at DESC, a.id DESC LIMIT 1
        """,
        child, [child, *joined],
    )  # fmt: skip
    return ident


# --- proposals ------------------------------------------------------------------------------------


async def withdraw_open(conn: Connection, child: UUID) -> set[str]:
    """What was proposed for a child who is joined now is proposed for whoever has its case."""
    rows = await conn.fetch(
        "UPDATE proposal SET state = 'withdrawn' WHERE child = $1 AND state = 'proposed' "
        "RETURNING destination",
        child,
    )
    return {row["destination"] for row in rows}


async def give_back(conn: Connection, children: Sequence[UUID]) -> list[asyncpg.Record]:
    """Take away what was carried over from another child: (child, destination)."""
    return await conn.fetch(
        "UPDATE proposal SET state = 'withdrawn', decided_by = NULL, carried_from = NULL "
        "WHERE child = ANY($1::uuid[]) AND carried_from IS NOT NULL RETURNING child, destination",
        children,
    )


async def carry_accepted(conn: Connection, child: UUID, joined: Sequence[UUID]) -> None:
    """What was accepted for a joined child stands for the case it is in, where nobody declined."""
    await conn.execute(
        """
        INSERT INTO proposal AS p
            (child, destination, number, state, proposed_at, decided_by, carried_from)
        SELECT DISTINCT ON (destination) $1, destination, 1, 'accepted', proposed_at, decided_by,
               child
        FROM proposal WHERE child = ANY($2::uuid[]) AND state = 'accepted'
        ORDER BY destination, proposed_at, child
        ON CONFLICT (child, destination) DO UPDATE SET state = 'accepted', number = p.number + 1,
            decided_by = excluded.decided_by, carried_from = excluded.carried_from
        WHERE p.state IN ('proposed', 'withdrawn')
        """,
        child, joined,
    )  # fmt: skip


# --- acts -----------------------------------------------------------------------------------------


async def share_act(conn: Connection, act: UUID, otherwise: Sequence[UUID]) -> None:
    """Note which children an act is about: those of the notifications it names, or `otherwise`."""
    await conn.execute(
        """
        WITH named AS (
            SELECT DISTINCT coalesce(n.belongs_to, n.arrived_as) AS child FROM act a
            JOIN notification n ON n.id = ANY(string_to_array(a.about, ' ')) WHERE a.id = $1)
        INSERT INTO joined_act (act, child)
        SELECT $1, child FROM named
        UNION SELECT $1, unnest($2::uuid[]) WHERE NOT EXISTS (SELECT 1 FROM named)
        ON CONFLICT DO NOTHING
        """,
        act, otherwise,
    )  # fmt: skip


async def acted_while_joined(conn: Connection, child: UUID, children: Sequence[UUID]) -> bool:
    """Whether anybody acted on a case of `children` since this child came to it."""
    acted: bool = await conn.fetchval(
        """
        SELECT EXISTS (
            SELECT 1 FROM joined_act s JOIN act a ON a.id = s.act
            WHERE s.child = ANY($2::uuid[]) AND a.kind NOT IN ('merged', 'separated')
              AND a.recorded_at >= (SELECT since FROM child_join WHERE child = $1))
        """,
        child, children,
    )  # fmt: skip
    return acted


async def share(conn: Connection, case: Case, joins: Joins) -> None:
    """Let a locked case know who is joined to it, and what the client feed says of all of them."""
    case.joined = joins.joined(case.child)
    said = await routing.clients(conn, [case.child, *case.joined])
    case.client = of_client(row for rows in said.values() for row in rows.values())
