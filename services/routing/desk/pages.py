"""The pages: plain HTML that works without script; only liveness needs it."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData

from services.routing.desk import acts, asks, reading, store
from services.routing.desk.acts import Desk, Done, must_close
from services.routing.desk.alike import alike_if_there
from services.routing.desk.attachments import download
from services.routing.desk.faults import (
    TEXTS,
    Conflict,
    Fault,
    NotAllowed,
    NotThere,
    Refused,
    Unavailable,
)
from services.routing.desk.hindsight import differences
from services.routing.desk.live import Hub
from services.routing.desk.queues import Item, Shown, changed, listed, section_of, sections_of
from services.routing.desk.rendering import Page, Rota, language_of
from services.routing.desk.sessions import COOKIE, Sessions, Worker
from services.routing.desk.words import clock_words
from services.routing.directory import in_need, rota_gaps
from services.routing.domain.cases import case_mark
from shared.clock import HELSINKI
from shared.database import Connection
from shared.events import Destination

HIDDEN: Mapping[str, Any] = {"include_in_schema": False}
_SHOWN = frozenset({"reason", "done_at", "token"})


def page_routes(app: FastAPI, desk: Desk, sessions: Sessions, hub: Hub) -> None:
    """Add every page, and what an open page asks for by itself."""
    _login_routes(app, desk, sessions)
    _queue_routes(app, desk, sessions)
    _live_routes(app, desk, sessions, hub)
    _case_routes(app, desk, sessions)
    _act_routes(app, desk, sessions)
    _item_routes(app, desk, sessions)


async def opened(desk: Desk, sessions: Sessions, request: Request) -> tuple[Page, Worker]:
    """The page of somebody who is logged in; raises `NotLoggedIn`."""
    async with desk.process.pool.acquire() as conn:
        worker = await sessions.worker(conn, request)
        counts = await store.counts(conn)
        rota = await _rota(desk, conn) if worker.supervises else None
    page = Page(
        request, language_of(request), desk.settings.demo, desk.clock, worker,
        sessions.form_token(request), counts, rota,
    )  # fmt: skip
    return page, worker


async def _rota(desk: Desk, conn: Connection) -> Rota:
    """What a supervisor is told of the duty rota on every page."""
    gaps = await rota_gaps(conn, desk.clock(), desk.settings.office_hours)
    return Rota(known=gaps is not None, gaps=tuple(in_need(gaps)))


# --- login --------------------------------------------------------------------------------------


def _login_routes(app: FastAPI, desk: Desk, sessions: Sessions) -> None:
    @app.get("/login", **HIDDEN)
    async def login_page(request: Request, next: str = "/") -> Response:  # noqa: A002 -- in the URL
        if not desk.settings.demo:
            raise NotAllowed("demo-only")
        async with desk.process.pool.acquire() as conn:
            workers = await store.workers(conn, _today(desk))
        page = Page(request, language_of(request), desk.settings.demo, desk.clock)
        return page.render("login.html", workers=workers, next=_own_path(next))

    @app.post("/login", **HIDDEN)
    async def login(request: Request) -> Response:
        if not desk.settings.demo:
            raise NotAllowed("demo-only")
        form = await request.form()
        async with desk.process.pool.acquire() as conn:
            row = await store.worker(conn, str(form.get("worker", "")), _today(desk))
        if row is None:
            raise NotThere
        response = RedirectResponse(_own_path(str(form.get("next", "/"))), 303)
        sessions.start(response, row["id"], secure=request.url.scheme == "https")
        return response

    _logout_route(app, sessions)


def _today(desk: Desk) -> date:
    return desk.clock().astimezone(HELSINKI).date()


def _logout_route(app: FastAPI, sessions: Sessions) -> None:
    @app.post("/logout", **HIDDEN)
    async def logout(request: Request) -> Response:
        form = await request.form()
        if not sessions.is_own_form(request, form.get("token")):
            raise NotAllowed("foreign-form")
        response = RedirectResponse("/login", 303)
        response.delete_cookie(COOKIE, path="/")
        return response


def _own_path(path: str) -> str:
    """A path of this desk; anything that could lead elsewhere becomes the start page."""
    plain = path.startswith("/") and not path.startswith("//") and "\\" not in path
    return path if plain and path.isprintable() else "/"


# --- queues -------------------------------------------------------------------------------------


def _queue_routes(app: FastAPI, desk: Desk, sessions: Sessions) -> None:
    @app.get("/", **HIDDEN)
    async def start() -> Response:
        return RedirectResponse("/queues/duty", 303)

    async def render(request: Request, queue: str, name: str | None, after: str) -> Response:
        page, worker = await opened(desk, sessions, request)
        sections = (
            sections_of(queue, worker.id) if name is None else (section_of(queue, name, worker.id),)
        )
        show = Shown(page.words, desk.rules, desk.clock())
        async with desk.process.pool.acquire() as conn:
            pages = [await listed(conn, section, show, after) for section in sections]
        here = request.url.path + (f"?after={after}" if after else "")
        return page.render("queue.html", queue=queue, pages=pages, new=(), here_with_position=here)

    @app.get("/queues/{queue}", **HIDDEN)
    async def queue_page(request: Request, queue: str) -> Response:
        return await render(request, queue, None, "")

    @app.get("/queues/{queue}/{section}", **HIDDEN)
    async def section_page(request: Request, queue: str, section: str, after: str = "") -> Response:
        return await render(request, queue, section, after)


def _live_routes(app: FastAPI, desk: Desk, sessions: Sessions, hub: Hub) -> None:
    @app.get("/events", **HIDDEN)
    async def events(request: Request) -> Response:
        async with desk.process.pool.acquire() as conn:
            await sessions.worker(conn, request)
        if hub.is_full:
            raise Unavailable("not-ready")
        return StreamingResponse(hub.changes(), media_type="text/event-stream")

    @app.post("/live/queues/{queue}", **HIDDEN)
    async def live_queue(request: Request, queue: str) -> Response:
        page, worker = await opened(desk, sessions, request)
        form = await request.form()
        if not sessions.is_own_form(request, form.get("token")):
            raise NotAllowed("foreign-form")
        show = Shown(page.words, desk.rules, desk.clock())
        new: list[Item] = []
        gone: list[str] = []
        async with desk.process.pool.acquire() as conn:
            for state in form.getlist("seen"):
                seen = _seen(str(state))
                section = section_of(queue, str(seen["section"]), worker.id)
                difference = await changed(conn, section, show, seen)
                new += difference.new
                gone += difference.gone
        here = _own_path(str(form.get("here", "/")))
        return page.render("live_queue.html", new=new, gone=gone, here_with_position=here)

    @app.get("/live/cases/{child}", **HIDDEN)
    async def live_case(request: Request, child: UUID, version: int) -> Response:
        page, _ = await opened(desk, sessions, request)
        async with desk.process.pool.acquire() as conn:
            now = await store.version_of(conn, child)
        return page.render("live_case.html", child=child, changed=now != version)


def _seen(state: str) -> Mapping[str, Any]:
    try:
        seen = orjson.loads(state)
        return {**seen, "section": seen["section"], "after": seen["after"], "keys": seen["keys"]}
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise Refused("not-valid") from None


# --- cases --------------------------------------------------------------------------------------


def _case_routes(app: FastAPI, desk: Desk, sessions: Sessions) -> None:
    @app.get("/cases/{child}", **HIDDEN)
    async def case_page(
        request: Request,
        child: UUID,
        said: str = "",
        joined: UUID | None = None,
        alike: bool = False,  # noqa: FBT001, FBT002 -- in the URL
    ) -> Response:
        page, worker = await opened(desk, sessions, request)
        try:
            case = await reading.read_case(desk, worker, child, page.words)
        except Conflict as fault:  # joined to another: that case has everything now
            return RedirectResponse(f"/cases/{fault.other}?joined={child}&said={_plain(said)}", 303)
        asked = alike or case.row["provisional"]
        return page.render(
            "case.html", case=case, said=said, led_from=joined and case_mark(joined),
            asked=asked, alike=await alike_if_there(desk, worker, child) if asked else None,
        )  # fmt: skip

    @app.get("/cases/{child}/join", **HIDDEN)
    async def join_page(
        request: Request, child: UUID, other: UUID | None = None, mark: str = ""
    ) -> Response:
        page, worker = await opened(desk, sessions, request)
        worker.must_assess()
        async with desk.process.pool.acquire() as conn:
            two = await acts.two_to_join(conn, child, other or mark)
        return page.render("join.html", one=two[0], other=two[1])

    @app.get("/cases/{child}/notifications/{notification}/attachments/{number}", **HIDDEN)
    async def attachment(request: Request, child: UUID, notification: str, number: int) -> Response:
        _, worker = await opened(desk, sessions, request)
        return await download(desk, worker, child, notification, number)


def _plain(said: str) -> str:
    return said if said.isidentifier() else ""


CaseAct = Callable[[Desk, Worker, UUID, Any], Awaitable[Done]]

CASE_ACTS: Mapping[str, tuple[type[BaseModel], CaseAct]] = {
    "holder": (asks.ChooseHolder, acts.choose_holder),
    "level": (asks.JudgeLevel, acts.judge_level),
    "assessment-started": (asks.StartAssessment, acts.start_assessment),
    "manifestly-unnecessary": (asks.NotNeeded, acts.find_unnecessary),
    "family-told": (asks.TellFamily, acts.tell_family),
    "assessment-finished": (asks.FinishAssessment, acts.finish_assessment),
    "identity": (asks.GiveIdentity, acts.give_identity),
    "join": (asks.JoinChildren, acts.join_children),
    "separate": (asks.SeparateChild, acts.separate_child),
    "split": (asks.SplitCase, acts.split_case),
    "answers": (asks.AnswerQuestions, acts.answer_questions),
    "household": (asks.SayHousehold, acts.say_household),
    "wrong-county": (asks.WrongCounty, acts.belongs_elsewhere),
}


Perform = Callable[[Worker, Any], Awaitable[Done]]
FormAct = Callable[[Request, type[BaseModel], str, Perform], Awaitable[Response]]

RETURNED_ACTS = {"matter": acts.treat_as_matter, "no-matter": acts.find_no_matter}


def _returned_routes(app: FastAPI, desk: Desk, act: FormAct) -> None:
    @app.post("/absence-signals/{notification}/{name}", **HIDDEN)
    async def settle(request: Request, notification: str, name: str) -> Response:
        async with desk.process.pool.acquire() as conn:
            row = await store.notification(conn, notification)
        if row is None or name not in RETURNED_ACTS:
            raise NotThere

        async def perform(worker: Worker, ask: asks.SettleReturned) -> Done:
            return await RETURNED_ACTS[name](desk, worker, notification, ask)

        return await act(request, asks.SettleReturned, f"/cases/{row['child']}", perform)


def _act_routes(app: FastAPI, desk: Desk, sessions: Sessions) -> None:
    act = _form_acts(desk, sessions)
    _returned_routes(app, desk, act)

    @app.post("/checks/{notification}/answer", **HIDDEN)
    async def answer_check(request: Request, notification: str) -> Response:
        async with desk.process.pool.acquire() as conn:
            row = await store.notification(conn, notification)
        if row is None:
            raise NotThere

        async def perform(worker: Worker, ask: asks.AnswerCheck) -> Done:
            return await acts.answer_check(desk, worker, notification, ask)

        return await act(request, asks.AnswerCheck, f"/cases/{row['child']}", perform)

    @app.post("/cases/{child}/destinations/{destination}", **HIDDEN)
    async def destination(request: Request, child: UUID, destination: Destination) -> Response:
        async def perform(worker: Worker, ask: asks.AnswerDestination) -> Done:
            return await acts.answer_destination(desk, worker, child, destination, ask)

        return await act(request, asks.AnswerDestination, f"/cases/{child}", perform)

    @app.post("/cases/{child}/{name}", **HIDDEN)
    async def case_act(request: Request, child: UUID, name: str) -> Response:
        if name not in CASE_ACTS:
            raise NotThere
        model, perform = CASE_ACTS[name]
        return await act(
            request, model, f"/cases/{child}", lambda worker, ask: perform(desk, worker, child, ask)
        )


def _form_acts(desk: Desk, sessions: Sessions) -> FormAct:
    """How a form becomes an act, and how it is told when it does not."""

    async def act(
        request: Request, model: type[BaseModel], back: str, perform: Perform
    ) -> Response:
        page, worker = await opened(desk, sessions, request)
        form = await request.form()
        if not sessions.is_own_form(request, form.get("token")):
            raise NotAllowed("foreign-form")
        try:
            ask = model.model_validate(_fields(form))
            done = await perform(worker, ask)
        except ValidationError:
            return await _told(desk, page, worker, form, Refused("not-valid"), back)
        except (Conflict, Refused, NotAllowed, Unavailable) as fault:
            return await _told(desk, page, worker, form, fault, back)
        return RedirectResponse(f"{back}?said={done.kind}#recorded", 303)

    return act


async def _told(
    desk: Desk, page: Page, worker: Worker, form: FormData, fault: Fault, back: str
) -> Response:
    """What stood in the way, what another person did, and the worker's own text, kept."""
    theirs = None
    if isinstance(fault, Conflict) and fault.act is not None:
        theirs = await reading.read_act(desk, worker, fault.act)
    entered = {
        "reason": str(form.get("reason", "")),
        "done_at": str(form.get("done_at", "")),
        "answer": next(
            (str(form[name]) for name in ("answer", "holder", "level", "ground") if name in form),
            "",
        ),
    }
    again = isinstance(fault, Refused | Unavailable) and "hetu" not in form
    other = fault.other if isinstance(fault, Conflict) else None
    return page.render(
        "fault.html",
        fault.status,
        headline=headline(page, fault),
        text=page.words.text(TEXTS[fault.code]),
        theirs=theirs,
        entered=entered if any(entered.values()) else None,
        retry=page.request.url.path if again else None,
        kept=[(name, value) for name, value in form.multi_items() if name not in _SHOWN],
        back=f"/cases/{other}" if other and fault.code == "joined" else back,
        one_person=(
            (f"{back}/join?other={other}", case_mark(other))
            if other and fault.code == "known-identity" and worker.assesses
            else None
        ),
    )


def headline(page: Page, fault: Fault) -> str:
    """What an answer of this status is about, in a few words."""
    words = page.words
    if isinstance(fault, Conflict) and fault.other is not None:
        return words.text("Another case")
    by_status = {
        401: words.text("Log in"),
        403: words.text("Not allowed"),
        404: words.text("Not found"),
        409: words.text("Somebody else was faster"),
        410: words.text("Erased"),
        422: words.text("Not recorded"),
        503: words.text("Not available just now"),
    }
    return by_status.get(fault.status, words.text("Something went wrong"))


ANSWER = "answer-"  # what the names of questions begin with in a form


def _fields(form: FormData) -> dict[str, Any]:
    """A form's fields as an act takes them: empty ones left out, times as times of Finland."""
    fields: dict[str, Any] = {
        name: value
        for name, value in form.multi_items()
        if isinstance(value, str) and value.strip() and name not in ("token", "notifications")
    }
    if "done_at" in fields:
        fields["done_at"] = _local(fields["done_at"])
    if answers := {n[len(ANSWER) :]: fields.pop(n) for n in [*fields] if n.startswith(ANSWER)}:
        fields["answers"] = answers
    if "notifications" in form or "covers" in form:
        fields.pop("covers", None)
        fields["notifications"] = tuple(str(each) for each in form.getlist("notifications"))
    return fields


def _local(text: str) -> datetime | str:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=HELSINKI)
    except ValueError:
        return text


# --- what was set aside -------------------------------------------------------------------------


def _may_close(worker: Worker, outcome: str) -> bool:
    try:
        must_close(worker, outcome)
    except NotAllowed:
        return False
    return True


def _item_routes(app: FastAPI, desk: Desk, sessions: Sessions) -> None:
    async def render(
        request: Request, item: UUID, original: reading.ItemContent | None, said: str
    ) -> Response:
        page, worker = await opened(desk, sessions, request)
        async with desk.process.pool.acquire() as conn:
            row = await store.duty_item(conn, item)
            if row is None:
                raise NotThere
            running = await store.running_clocks(conn, [row["child"] or item])
            now = desk.clock()
            compared = await differences(conn, [item], Shown(page.words, desk.rules, now))
        clocks = [
            clock_words(page.words, dict(c), now, desk.rules.clocks)
            for c in running
            if c["about"] == str(item)
        ]
        return page.render(
            "item.html", item=row, clocks=clocks, original=original, said=said, compared=compared,
            may_close=_may_close(worker, row["outcome"]),
            mark=case_mark(row["child"]) if row["child"] else "",
        )  # fmt: skip

    @app.get("/items/{item}", **HIDDEN)
    async def item_page(request: Request, item: UUID, said: str = "") -> Response:
        return await render(request, item, None, said)

    @app.get("/items/{item}/original", **HIDDEN)
    async def original_page(request: Request, item: UUID) -> Response:
        _, worker = await opened(desk, sessions, request)
        return await render(request, item, await reading.read_item(desk, worker, item), "")

    _item_acts(app, desk, sessions)


def _item_acts(app: FastAPI, desk: Desk, sessions: Sessions) -> None:
    act = _form_acts(desk, sessions)

    @app.post("/items/{item}/close", **HIDDEN)
    async def close(request: Request, item: UUID) -> Response:
        async def perform(worker: Worker, ask: asks.CloseItem) -> Done:
            return await acts.close_item(desk, worker, item, ask)

        return await act(request, asks.CloseItem, f"/items/{item}", perform)

    @app.post("/items/{item}/redrive", **HIDDEN)
    async def redrive(request: Request, item: UUID) -> Response:
        async def perform(worker: Worker, _: asks.Nothing) -> Done:
            return await acts.redrive(desk, worker, item)

        return await act(request, asks.Nothing, f"/items/{item}", perform)
