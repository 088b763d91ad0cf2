"""One stored decision as it is read: explained to a worker, and as a page for its family.

The audit row comes first, as everywhere.
"""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import FastAPI, Path, Request, Response

from services.routing.desk import store
from services.routing.desk.acts import Desk
from services.routing.desk.explanations import ExplanationView, Stored, explained, version_of
from services.routing.desk.family_page import FamilyPage, family_page
from services.routing.desk.faults import NotThere
from services.routing.desk.languages import Words, words
from services.routing.desk.pages import HIDDEN, opened
from services.routing.desk.reading import note_reading
from services.routing.desk.sessions import Sessions, Worker
from services.routing.domain.cases import case_mark
from services.routing.joins import store as joining
from shared.events import Language

Seq = Annotated[int, Path(ge=1, le=2**31 - 1, description="Number of a decision of the child.")]


async def read_explained(
    desk: Desk, worker: Worker, child: UUID, seq: int, words: Words
) -> ExplanationView:
    """A decision explained to a worker. Raises as `_read`."""
    row = await _read(desk, worker, child, seq, "decision-explained")
    return explained(row, version_of(desk.settings.rules, row), words)


async def read_family_page(
    desk: Desk, worker: Worker, child: UUID, seq: int, words: Words
) -> FamilyPage:
    """What its family may read of a decision.

    Raises as `_read`, and `NotThere` where the rules of its day are no longer here.
    """
    row = await _read(desk, worker, child, seq, "decision-for-family")
    version = version_of(desk.settings.rules, row)
    if version is None:
        raise NotThere
    return family_page(row, version, words)


async def _read(desk: Desk, worker: Worker, child: UUID, seq: int, act: str) -> Stored:
    """A decision of a child, whoever has its case now; it is read as one of that case.

    One that was made while the child was joined to somebody who is not with it now is partly about
    that one, and is shown to nobody. Raises `NotThere`, and `Unavailable` when the audit trail
    cannot be written.
    """
    async with desk.process.pool.acquire() as conn:
        if await store.version_of(conn, child) is None:
            raise NotThere
        holder = (await joining.joins(conn, [child])).of(child)
        await note_reading(conn, worker, act, str(holder))
        async with conn.transaction():
            await joining.hold(conn)
            joins = await joining.joins(conn, [child])
            holder = joins.of(child)
            row = await store.decision(conn, (holder, *joins.joined(holder)), child, seq)
    if row is None or row["while_joined"]:
        raise NotThere
    return dict(row)


def decision_routes(app: FastAPI, desk: Desk, sessions: Sessions) -> None:
    """Add the two pages of a decision."""

    @app.get("/decisions/{child}/{seq}", **HIDDEN)
    async def decision_page(request: Request, child: UUID, seq: Seq) -> Response:
        page, worker = await opened(desk, sessions, request)
        explanation = await read_explained(desk, worker, child, seq, page.words)
        return page.render("decision.html", explained=explanation, mark=case_mark(child))

    @app.get("/decisions/{child}/{seq}/family", **HIDDEN)
    async def family(
        request: Request, child: UUID, seq: Seq, language: Language | None = None
    ) -> Response:
        """The page in the family's own language; the worker's stays as it was chosen."""
        page, worker = await opened(desk, sessions, request)
        if language is not None:
            page = replace(page, words=words(language))
        told = await read_family_page(desk, worker, child, seq, page.words)
        return page.render("family.html", told=told, child=child, seq=seq, mark=case_mark(child))
