"""Who may be the same child, asked by the desk in a worker's name; answers ids and codes alone."""

from collections.abc import Callable, Collection
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict

from services.intake.alike import store
from services.intake.domain.alike import Alike, Person, Suggestion, suggested
from services.intake.domain.traits import WITH_BIRTH, TraitKind
from services.intake.problems import Problem
from shared import store as plumbing
from shared.database import Connection
from shared.service import Process


class AskedAlike(BaseModel):
    """A child of whom a worker asks who else may be the same person."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    child: UUID


def suggestion_route(app: FastAPI, process: Process, worker: Callable[..., str]) -> None:
    """Add what the desk asks in a worker's name; noted in the audit trail before it is looked."""

    @app.post("/internal/suggestions", include_in_schema=False)
    async def suggestions(body: AskedAlike, who: Annotated[str, Depends(worker)]) -> dict[str, Any]:
        async with process.pool.acquire() as conn:
            async with conn.transaction():
                await plumbing.add_audit(
                    conn, [(who, "suggestions", str(body.child), "identity-task", None)]
                )
            found = await alike(conn, body.child)
        return {
            "suggestions": [
                {"child": str(each.child), "reasons": list(each.reasons)} for each in found
            ]
        }


async def alike(conn: Connection, child: UUID) -> tuple[Suggestion, ...]:
    """Who may be one person with a child and everybody joined to it; raises `Problem`."""
    own = (await _people(conn, [child])).values()
    if not own:
        raise Problem(404, "unknown-child", "There is no such child")
    (person,) = own
    shared: dict[UUID, dict[TraitKind, int]] = {}
    for row in await store.sharing(conn, person.everybody):
        shared.setdefault(row["child"], {})[TraitKind(row["kind"])] = row["number"]
    if not shared:
        return ()
    others = await _people(conn, [*shared])
    return suggested(
        person,
        [Alike(other, _together(shared, other)) for other in others.values()],
        await store.apart_from(conn, person.everybody),
    )


def _together(shared: dict[UUID, dict[TraitKind, int]], person: Person) -> dict[TraitKind, int]:
    """What everybody who is this person shares."""
    together: dict[TraitKind, int] = {}
    for child in person.everybody & shared.keys():
        for kind, number in shared[child].items():
            together[kind] = together.get(kind, 0) + number
    return together


async def _people(conn: Connection, children: Collection[UUID]) -> dict[UUID, Person]:
    """These children with everybody who is joined to them, by who has the case.

    Of whom a henkilötunnus is known, the date of birth is known, too.
    """
    rows = await store.everybody(conn, children)
    dated = {row["child"] for row in rows if not row["provisional"]}
    unsure = [row["child"] for row in rows if row["child"] not in dated]
    dated |= await store.with_kinds(conn, unsure, WITH_BIRTH) if unsure else set()
    groups: dict[UUID, set[UUID]] = {}
    for row in rows:
        groups.setdefault(row["root"], set()).add(row["child"])
    return {
        root: Person(root, frozenset(group), dated=not group.isdisjoint(dated))
        for root, group in groups.items()
    }
