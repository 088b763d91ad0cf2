"""All SQL of kept effects."""

from datetime import datetime
from typing import NamedTuple

from services.routing.domain.effect import Effect
from shared.database import Connection

MOST = 50  # of the latest that are listed


class Kept(NamedTuple):
    """An effect by its number, without its content."""

    number: int
    old: str
    new: str
    new_hash: str
    made_at: datetime
    lighter: int


async def add(conn: Connection, effect: Effect) -> int:
    """Keep an effect; its number."""
    return int(
        await conn.fetchval(
            """
            INSERT INTO rule_effect (old_version, new_version, new_hash, made_at, lighter, effect)
            VALUES ($1, $2, $3, $4, $5, $6) RETURNING number
            """,
            effect.old.name, effect.new.name, effect.new.content_hash, effect.made_at,
            effect.lighter, effect.model_dump_json(),
        )
    )  # fmt: skip


async def latest(conn: Connection) -> list[Kept]:
    """The latest effects, the newest first."""
    rows = await conn.fetch(
        """
        SELECT number, old_version AS old, new_version AS new, new_hash, made_at, lighter
        FROM rule_effect ORDER BY number DESC LIMIT $1
        """,
        MOST,
    )
    return [Kept(**dict(row)) for row in rows]


async def read(conn: Connection, number: int) -> Effect | None:
    """One effect; None if there is none of this number."""
    text = await conn.fetchval("SELECT effect FROM rule_effect WHERE number = $1", number)
    return None if text is None else Effect.model_validate_json(text)
