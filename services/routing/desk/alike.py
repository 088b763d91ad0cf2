"""Cases that may be about the same child, as intake suggests them: marks and reasons, no name."""

from dataclasses import dataclass
from uuid import UUID

from services.routing.desk import store
from services.routing.desk.acts import Desk
from services.routing.desk.faults import Conflict, Fault, NotThere
from services.routing.desk.sessions import Worker
from services.routing.domain.cases import case_mark
from services.routing.joins import store as joining
from shared.errors import describe
from shared.logs import log


@dataclass(frozen=True, slots=True)
class Alike:
    """A case whose child may be the same person. `reasons` are codes of `words.ALIKE`.

    `age_band` is empty where its first message is still under way.
    """

    child: UUID
    mark: str
    age_band: str
    reasons: tuple[str, ...]


async def alike(desk: Desk, worker: Worker, child: UUID) -> tuple[Alike, ...]:
    """Cases that may be about the same child, the likeliest first; intake notes who asked.

    Raises `NotThere`, `Conflict` where this child is joined to another, and `Unavailable`.
    """
    async with desk.process.pool.acquire() as conn:
        if await store.version_of(conn, child) is None:
            raise NotThere
        holder = (await joining.joins(conn, [child])).of(child)
    if holder != child:
        raise Conflict("joined", other=holder)
    suggested = await desk.intake.suggestions(worker, child)
    if not suggested:
        return ()
    async with desk.process.pool.acquire() as conn:
        joins = await joining.joins(conn, [each for each, _ in suggested])
        reasons: dict[UUID, tuple[str, ...]] = {}
        for each, why in suggested:  # a join may have been told to one of the two services alone
            reasons.setdefault(joins.of(each), why)
        reasons.pop(child, None)
        bands = {row["child"]: row["age_band"] for row in await store.marks(conn, [*reasons])}
    return tuple(
        Alike(each, case_mark(each), bands.get(each, ""), why) for each, why in reasons.items()
    )


async def alike_if_there(desk: Desk, worker: Worker, child: UUID) -> tuple[Alike, ...] | None:
    """As `alike` for a page that shows the rest without it: None while intake is away."""
    try:
        return await alike(desk, worker, child)
    except Fault as fault:
        log.warning("suggestions_away", case_id=str(child), error=describe(fault))
        return None
