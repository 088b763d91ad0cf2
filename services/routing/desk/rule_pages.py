"""Pages of the rules: every version readable, what it was proved for, what it would change."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response

from services.routing.desk.acts import Desk
from services.routing.desk.faults import NotAllowed, NotThere
from services.routing.desk.pages import HIDDEN, opened
from services.routing.desk.rules import PROVED, effect_view, listings, read_version
from services.routing.desk.sessions import Sessions, Worker
from services.routing.effects import store as effects

LARGEST_NUMBER = 2**31 - 1


def rule_routes(app: FastAPI, desk: Desk, sessions: Sessions) -> None:
    """Add the pages. Rules are for everybody who works here; their effects name cases."""
    live = desk.rules.tables.version

    @app.get("/rules", **HIDDEN)
    async def rules_page(request: Request) -> Response:
        page, worker = await opened(desk, sessions, request)
        versions = await listings(desk.settings.rules, page.words)
        return page.render(
            "rules.html", queue="rules", live=live, listings=versions,
            kept=await _kept(desk, worker),
        )  # fmt: skip

    @app.get("/rules/effects/{number}", **HIDDEN)
    async def effect_page(request: Request, number: int) -> Response:
        page, worker = await opened(desk, sessions, request)
        _must_supervise(worker)
        async with desk.process.pool.acquire() as conn:
            effect = await effects.read(conn, number) if 0 < number <= LARGEST_NUMBER else None
        if effect is None:
            raise NotThere
        return page.render(
            "rules_effect.html", queue="rules", number=number,
            view=effect_view(effect, page.words),
        )  # fmt: skip

    @app.get("/rules/{version}", **HIDDEN)
    async def version_page(request: Request, version: str) -> Response:
        page, worker = await opened(desk, sessions, request)
        view = await read_version(desk.settings.rules, version, page.words)
        if view is None:
            raise NotThere
        shown = {f"{table.name}@{table.version}" for table in view.tables}
        kept = await _kept(desk, worker)
        return page.render(
            "rules_version.html", queue="rules", live=live, view=view, proved=PROVED,
            in_force=shown <= set(live.split("+")),
            questions=_questions(desk, page.words.language),
            settings=settings_in_words(desk, view.settings),
            kept=[each for each in kept if {*each.new.split("+")} & shown],
        )  # fmt: skip


def settings_in_words(_desk: Desk, _version: str | None) -> tuple[tuple[str, str], ...]:
    """The county's dated settings of that version (None: those in force), each with its value.

    There are none in this version of Luotsi; what reads them is to fill this in.
    """
    return ()


def _questions(desk: Desk, language: Any) -> Mapping[str, Any]:
    return {
        "version": desk.form.version,
        "owner": desk.form.owner,
        "each": [(q.text.in_language(language), q.answered_by) for q in desk.form.questions],
    }


async def _kept(desk: Desk, worker: Worker) -> list[effects.Kept]:
    """The effects that were kept; none for who may not read them."""
    if not worker.supervises:
        return []
    async with desk.process.pool.acquire() as conn:
        return await effects.latest(conn)


def _must_supervise(worker: Worker) -> None:
    if not worker.supervises:
        raise NotAllowed("role-needed")
