"""SQL of households: who shares one, and the locks that come before those of the cases."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from services.routing.domain import windows
from services.routing.domain.facts import Known
from services.routing.domain.households import Home, Member
from shared.database import Connection

# Each child is looked up by itself (OFFSET 0 keeps the planner from joining): a join makes the
# whole view for a few children, and ANY reads young tables from end to end for each.
_LIVES_IN = """
    SELECT t.child, l.household FROM unnest($1::uuid[]) AS t (child) CROSS JOIN LATERAL (
        SELECT household FROM lives_in WHERE child = t.child OFFSET 0) l
"""


async def households(conn: Connection, children: Iterable[UUID]) -> set[UUID]:
    """The households of these children."""
    return {row["household"] for row in await conn.fetch(_LIVES_IN, list(children))}


async def at_home(conn: Connection, children: Iterable[UUID]) -> set[UUID]:
    """Which of these children live in a household."""
    return {row["child"] for row in await conn.fetch(_LIVES_IN, list(children))}


async def lock(conn: Connection, wanted: Iterable[UUID]) -> None:
    """Lock these households in key order, the ones that are new among them, too.

    All rows are made before the first is locked: who waits for a row that another transaction
    makes holds only rows that come before it in key order.
    """
    ordered = sorted(wanted)
    await conn.execute(
        "INSERT INTO household (id) SELECT id FROM unnest($1::uuid[]) AS t (id) ORDER BY id "
        "ON CONFLICT DO NOTHING",
        ordered,
    )
    await conn.execute(
        "SELECT 1 FROM unnest($1::uuid[]) AS t (id) JOIN household h ON h.id = t.id "
        "ORDER BY h.id FOR UPDATE OF h",
        ordered,
    )


async def homes(conn: Connection, wanted: Iterable[UUID]) -> list[Home]:
    """Everybody whom somebody has said to be of these households, or not to be."""
    rows = await conn.fetch(
        """
        SELECT m.household, m.child, false AS fed, m.apart
        FROM unnest($1::uuid[]) AS t (id) JOIN household_member m ON m.household = t.id
        UNION
        SELECT c.household, c.child, true, false
        FROM unnest($1::uuid[]) AS t (id) JOIN client c ON c.household = t.id AND NOT c.moved
        """,
        list(wanted),
    )
    return [Home(*row.values()) for row in rows]


async def members(conn: Connection, children: Iterable[UUID]) -> dict[UUID, Member]:
    """What is known in the cases of these children, read and not locked."""
    rows = await conn.fetch(
        "SELECT c.child, c.known, c.recent FROM unnest($1::uuid[]) AS t (child) "
        "JOIN child_case c ON c.child = t.child",
        list(children),
    )
    return {
        row["child"]: Member(Known.from_json(row["known"]), windows.from_json(row["recent"]))
        for row in rows
    }


async def move_in(conn: Connection, stated: Sequence[tuple[UUID, UUID]]) -> None:
    """Children who live in households as messages say, as (household, child)."""
    await conn.execute(
        "INSERT INTO household_member (household, child, stated_by, since) "
        "SELECT household, child, 'message', now() "
        "FROM unnest($1::uuid[], $2::uuid[]) AS t (household, child) ON CONFLICT DO NOTHING",
        *zip(*stated, strict=True),
    )


async def bring_together(
    conn: Connection, household: UUID, children: Sequence[UUID], at: datetime
) -> None:
    """A worker says that these children are of one household, whatever was said before."""
    await conn.execute(
        """
        INSERT INTO household_member (household, child, stated_by, since)
        SELECT $1, child, 'person', $3 FROM unnest($2::uuid[]) AS t (child) ORDER BY child
        ON CONFLICT (child, household)
        DO UPDATE SET apart = false, stated_by = 'person', since = excluded.since
        """,
        household, children, at,
    )  # fmt: skip


async def take_out(conn: Connection, child: UUID, households: Iterable[UUID], at: datetime) -> None:
    """A worker says that this child is of none of these; no message and no feed brings it back."""
    await conn.execute(
        """
        INSERT INTO household_member (household, child, stated_by, since, apart)
        SELECT household, $1, 'person', $3, true FROM unnest($2::uuid[]) AS t (household)
        ON CONFLICT (child, household) DO UPDATE SET apart = true, stated_by = 'person', since = $3
        """,
        child, list(households), at,
    )  # fmt: skip
