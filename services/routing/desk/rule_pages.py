"""Pages of the rules: every version readable, what it was proved for, what it would change."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response

from services.routing.desk import words as labels
from services.routing.desk.acts import Desk
from services.routing.desk.faults import NotAllowed, NotThere
from services.routing.desk.languages import N_, Words
from services.routing.desk.pages import HIDDEN, opened
from services.routing.desk.rules import OWNERS, PROVED, effect_view, listings, read_version
from services.routing.desk.sessions import Sessions, Worker
from services.routing.domain.ages import UNBORN, YEARS, Years
from services.routing.domain.county import OFFERS, Offered, Settings
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
        in_force = shown <= set(live.split("+"))
        settings = view.settings or (_settings_now(desk) if in_force else None)
        return page.render(
            "rules_version.html", queue="rules", live=live, view=view, proved=PROVED,
            in_force=in_force,
            questions=_questions(desk, page.words),
            settings=settings_in_words(settings, page.words),
            kept=[each for each in kept if {*each.new.split("+")} & shown],
        )  # fmt: skip


def _settings_now(desk: Desk) -> Settings | None:
    return desk.rules.at(desk.clock()).tables.settings


def settings_in_words(settings: Settings | None, words: Words) -> tuple[tuple[str, str], ...]:
    """Each of the county's settings with its value; none where there are no settings."""
    if settings is None:
        return ()
    there = settings.offers
    lacking = [each for each in labels.DESTINATIONS if each in OFFERS and each not in there]
    none = ", ".join(words.of(labels.DESTINATIONS, each) for each in lacking)
    clinics = {"child": settings.psychiatry.child, "adolescent": settings.psychiatry.adolescent}
    return (
        (words.text("County"), settings.names.in_language(words.language)),
        (words.text("In force from"), f"{words.day(settings.valid_from)} ({settings.version})"),
        (words.text("Owner"), words.of(OWNERS, settings.owner)),
        *((words.of(labels.DESTINATIONS, name), _for_whom(o, words)) for name, o in there.items()),
        *([(words.text("Not offered here"), none)] if none else []),
        *(
            (words.of(labels.CLINICS, name), _ages(Years(each.at_least, each.at_most), words))
            for name, each in clinics.items()
        ),
        (words.text("Problems piling up"), words.text(_PILES) % settings.piling_up.model_dump()),
        (
            words.text("Areas of concern"),
            words.text(_AREAS) % settings.areas_of_concern.model_dump(),
        ),
        (words.text("Radar"), words.text(_RADAR) % settings.radar.model_dump()),
        (
            words.text("Moved often between placements"),
            words.text("At least %(moves)d moves in 12 months") % {"moves": settings.moved_often},
        ),
        *(
            (words.of(labels.DESTINATIONS, name), words.of(_ROOM, room or "unknown"))
            for name, room in settings.capacity.model_dump().items()
        ),
    )


_PILES = N_(
    "At least %(areas)d areas of concern, %(notifications)d notifications or %(children)d children "
    "of one household"
)


_AREAS = N_("Several: at least %(several)d; many besides services: at least %(many)d")
_RADAR = N_("At least %(signals)d messages from at least %(sources)d sources in 12 months")
_ROOM: Mapping[str, str] = {
    "room": N_("Has room"),
    "full": N_("Full"),
    "unknown": N_("Nobody has said whether it has room"),
}


def _for_whom(offered: Offered, words: Words) -> str:
    return _ages(offered.ages.years, words) if offered.ages else words.text("For everybody")


def _ages(years: Years, words: Words) -> str:
    first, last = years.first, years.last
    if first == UNBORN:
        return words.text("From before birth, at most %(last)d years") % {"last": last}
    if last == YEARS["adult"].last:
        return words.text("At least %(first)d years") % {"first": first}
    return words.text("%(first)d–%(last)d years") % {"first": first, "last": last}


def _questions(desk: Desk, words: Words) -> Mapping[str, Any]:
    asked = desk.form.questions
    return {
        "version": desk.form.version,
        "owner": words.of(OWNERS, desk.form.owner),
        "each": [(q.text.in_language(words.language), q.answered_by) for q in asked],
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
