"""The same queues and acts as JSON under /api/v1.

Described at /openapi.json and, in plain HTML without anything to try out, at /interface.
"""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Path, Query, Request, Response
from pydantic import BaseModel, Field

from services.routing.desk import acts, asks, reading
from services.routing.desk.acts import Desk, Done
from services.routing.desk.alike import alike
from services.routing.desk.attachments import download
from services.routing.desk.clients import ClientView
from services.routing.desk.decisions import Seq, read_explained, read_family_page
from services.routing.desk.explanations import ExplanationView, OtherLine
from services.routing.desk.family_page import FamilyPage
from services.routing.desk.hindsight import Difference, Said
from services.routing.desk.languages import Words
from services.routing.desk.pages import opened
from services.routing.desk.queues import PAGE, Item, Shown, listed, section_of
from services.routing.desk.reading import CaseView, Happened, LevelView, NotificationView
from services.routing.desk.rendering import language_of
from services.routing.desk.sessions import Sessions, Worker
from services.routing.desk.statements import AreaView, SaidView
from services.routing.desk.words import ALIKE
from shared.events import Destination

QueueName = Literal["duty", "own_worker", "initial_assessment", Destination]
Child = Annotated[UUID, Path(description="The random id of the child.")]
Notification = Annotated[asks.SignalId, Path(description="Id of the notification.")]


class Clock(BaseModel):
    """A time limit in words; `tone` is calm, soon, late or done."""

    kind: str
    about: str
    text: str
    tone: str
    running: bool


class QueueItem(BaseModel):
    """One row of a list, without a name or a text of a person's."""

    key: str
    kind: Literal["case", "set_aside"]
    child: UUID | None
    mark: str
    since: datetime
    why: tuple[str, ...]
    clocks: list[Clock]
    age_band: str
    provisional: bool
    flagged: bool
    urgency: str
    level: str
    holder: str
    confirmed: bool
    service: str
    outcome: str
    reason: str
    worker: str = ""
    asks: bool = Field(default=False, description="An answer could still change the decision")
    level_judged: str = Field(default="", description="What a person judges the level to be")


class QueuePage(BaseModel):
    """One page of a list; `next` is the position to ask behind for the next one."""

    items: list[QueueItem]
    next: str | None


class Proposal(BaseModel):
    """A destination; an answer names its `number`."""

    destination: str
    number: int
    state: str
    proposed_at: datetime


class AttachmentInfo(BaseModel):
    """A file beside a notification: its place from 1, its type by content, its size in bytes."""

    number: int
    type: str
    bytes: int


class NotificationInfo(BaseModel):
    """A notification. `text`, `person` and files are there only where content was asked for.

    Of an absence signal returned to its school, `missing` is what the school has yet to do, and
    `returned` is open, matter or no_matter.
    """

    id: str
    received_at: datetime
    check_state: str
    flagged: bool
    siblings: int
    clocks: list[Clock]
    kind: str = "notification"
    missing: tuple[str, ...] = ()
    returned: str | None = None
    text: dict[str, Any] | None = None
    person: dict[str, Any] | None = None
    attachments: list[AttachmentInfo] = []


class ClientInfo(BaseModel):
    """What the client information system says now; whatever it has not said is unknown or null.

    `person` is there only where content was asked for.
    """

    source: str
    reference: str
    version: int
    received_at: datetime
    clientship: str
    since: date | None
    worker: str | None
    worker_name: str | None
    placement: str
    moves: int | None
    interpreter: str
    turvakielto: str
    lives_here: str = "unknown"
    person: dict[str, Any] | None = None


class QuestionInfo(BaseModel):
    """A question that matters; `changes`: what "yes" or "no" alone would change, in words."""

    question: str
    text: str
    answered_by: tuple[str, ...]
    changes: dict[str, tuple[str, ...]]
    due: datetime | None = Field(
        default=None,
        description="In time is before it; not answered then, a supervisor is asked to look. Null "
        "where no assessment is to begin or under way.",
    )


class SaidInfo(BaseModel):
    """One statement. `by`: a kind of notifier, or who told a worker; `id`: notification or act.

    What the household adds and the client information system says has no time.
    """

    answer: str
    by: str
    by_text: str
    knowledge: str
    counts: bool
    kind: str
    worker: str
    at: datetime | None
    id: str


class StatementInfo(BaseModel):
    """All that was said of one thing, the latest first; `disputed`: not all said the same."""

    field: str
    text: str
    answer: str
    disputed: bool
    said: list[SaidInfo]


class AreaInfo(BaseModel):
    """One of the ten areas, or `others`; `answer` is what stands of it, `a7` is derived."""

    area: str
    text: str
    answer: str
    statements: list[StatementInfo]


class MatchedRow(BaseModel):
    """A row that hit: its reason and its basis, and what it looked at, in words."""

    table: str
    row: str
    reason: str
    basis: str
    facts: tuple[str, ...]


class FactInfo(BaseModel):
    """Something that can be stated, or that rows look at, and what it is called."""

    fact: str
    text: str


class ChangeInfo(BaseModel):
    """Something stated that could have been otherwise."""

    fact: str
    was: str | int
    would: str | int


class OtherwiseInfo(BaseModel):
    """Another decision. Each of `ways` alone leads to it, and nothing smaller does.

    `more`: how many further ways there are that are as small. `becomes`: what would have been
    otherwise, in words.
    """

    ways: list[list[ChangeInfo]]
    texts: tuple[str, ...]
    more: int
    becomes: tuple[str, ...]


class ExplanationInfo(BaseModel):
    """A stored decision, explained from what was stored with it.

    `unknown` could have changed it, `besides` was unknown and could not. `otherwise` is null where
    nothing can be said of other facts today.
    """

    child: UUID
    seq: int
    decided_at: datetime
    rules: str
    level: str
    holder: str
    destinations: tuple[str, ...]
    urgent_flags: tuple[str, ...]
    rows: list[MatchedRow]
    unknown: list[FactInfo]
    besides: list[FactInfo]
    otherwise: list[OtherwiseInfo] | None
    note: str = Field(description="That the rules are the county's own construction")


class FamilySection(BaseModel):
    """A part of a family's page: `points` are listed between `texts` and `after`."""

    heading: str
    texts: tuple[str, ...]
    points: tuple[str, ...]
    after: tuple[str, ...]


class FamilyPageInfo(BaseModel):
    """A decision in plain words. Luotsi sends it to nobody: a person hands it over."""

    language: str
    title: str
    texts: tuple[str, ...]
    sections: list[FamilySection]


class HistoryLine(BaseModel):
    """A screening by the rules or a person's act."""

    at: datetime
    kind: str
    worker: str
    done_at: datetime | None
    answer: str
    about: str
    reason: str | None
    level: str
    holder: str
    destinations: tuple[str, ...]
    rules: str
    while_joined: bool = Field(
        default=False, description="It came about while this child was joined to another"
    )
    decision_of: UUID | None = Field(
        default=None, description="Of a screening: the child and the number of its decision"
    )
    decision_seq: int | None = None
    ask: tuple[str, ...] = Field(
        default=(), description="Of a screening: the questions that could still change it, in order"
    )


class ProposedInfo(BaseModel):
    """A decision as far as it can be lighter than another; `flagged`: it has a sign of urgency."""

    level: str
    flagged: bool
    destinations: tuple[str, ...]


class TooLightInfo(BaseModel):
    """A past decision that would have been heavier with what was not known then.

    `item` is the supervisor's open task about it, `child` and `seq` name the decision, `reasons`
    are those it lacks.
    """

    item: UUID
    child: UUID
    seq: int
    decided_at: datetime
    said: ProposedInfo
    would_have_said: ProposedInfo
    reasons: tuple[str, ...]


class LevelInfo(BaseModel):
    """What a person judges the level to be, and of which decision; `level` of the case stays.

    `reasons_changed`: since then the rules have other reasons for the level they propose.
    """

    act: UUID
    level: str
    confirms: bool
    worker: str
    at: datetime
    done_at: datetime
    decision_seq: int
    reasons_changed: bool


class ClockTimes(BaseModel):
    """A time limit in moments: in time is before `due`; `stopped_at` is when it was done."""

    kind: str
    started_at: datetime
    target: datetime
    due: datetime
    stopped_at: datetime | None


class Standing(BaseModel):
    """How a notification stands, without a name or a text of a person's."""

    id: str
    child: UUID
    received_at: datetime
    check_state: str
    clocks: list[ClockTimes]


class CaseInfo(BaseModel):
    """A case, with what an act about it must name."""

    child: UUID
    mark: str
    version: int
    age_band: str
    provisional: bool
    urgency: str
    level: str
    holder: str
    proposed_holder: str
    confirmed_holder: str | None
    holder_seq: int
    holder_act: UUID | None
    why: tuple[str, ...]
    unknown: tuple[str, ...]
    rules: str
    proposals: list[Proposal]
    notifications: list[NotificationInfo]
    history: list[HistoryLine]
    clients: list[ClientInfo] = []
    household: list[UUID] = []
    ask: list[QuestionInfo] = Field(
        default=[], description="Exactly the unknowns that could change the decision, in order"
    )
    turvakielto: str = "unknown"
    decision_seq: int = Field(default=0, description="Number of the decision that stands")
    areas: list[AreaInfo] = Field(
        default=[], description="Who said what; there only where content was asked for"
    )
    joined: list[UUID] = Field(
        default=[], description="Children who are joined to this one and can be separated again"
    )
    level_judged: LevelInfo | None = Field(
        default=None, description="A person's word on the level that the rules propose, if any"
    )
    too_light: list[TooLightInfo] = Field(
        default=[], description="Past decisions that a supervisor is asked to look at"
    )


class SuggestedCase(BaseModel):
    """A case whose child may be the same person; `why` is `reasons` in words.

    `age_band` is empty where the first message about that child is still under way.
    """

    child: UUID
    mark: str
    age_band: str
    reasons: tuple[str, ...] = Field(description="birth-date, names, name, home")
    why: tuple[str, ...]


class SuggestedCases(BaseModel):
    """Cases that may be about the same child, the likeliest first."""

    suggestions: list[SuggestedCase]


class Recorded(BaseModel):
    """The act as it was recorded."""

    act: UUID
    kind: str
    child: UUID | None
    done_at: datetime
    recorded_at: datetime


class Problem(BaseModel):
    """Problem details (RFC 9457). With 409: what the other person did, and what you sent."""

    type: str
    title: str
    status: int
    detail: str
    theirs: dict[str, Any] | None = None
    yours: dict[str, Any] | None = None
    other: UUID | None = Field(
        default=None, description="The child in whose case it goes on: joined, or known already."
    )


class Original(BaseModel):
    """A message as it came; of what waits in routing, the person and text that it carries."""

    item: UUID
    content: str
    person: dict[str, Any] | None = None
    text: dict[str, Any] | None = None


# By its name: as a model it would be made into a validator for each answer of each route.
_A_PROBLEM = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
ANSWERS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": _A_PROBLEM}
    for status, text in (
        (401, "Nobody is logged in"),
        (403, "The worker's role does not cover it"),
        (404, "No such case, check or item"),
        (409, "Another person was faster: what they did, beside what you sent"),
        (422, "Not possible as asked"),
        (503, "Something needed does not answer; nothing was changed"),
    )
}


def api_routes(app: FastAPI, desk: Desk, sessions: Sessions) -> None:
    """Add the JSON API and its plain description."""

    async def current(request: Request) -> Worker:
        async with desk.process.pool.acquire() as conn:
            return await sessions.worker(conn, request)

    router = APIRouter(prefix="/api/v1", responses=ANSWERS)
    _read_routes(router, desk, current)
    _decision_routes(router, desk, current)
    _case_routes(router, desk, current)
    _question_routes(router, desk, current)
    _join_routes(router, desk, current)
    _assessment_routes(router, desk, current)
    _item_routes(router, desk, current)
    app.router.routes += router.routes  # include_router makes each route anew at the first request

    @app.get("/interface", include_in_schema=False)
    async def docs(request: Request) -> Response:
        page, _ = await opened(desk, sessions, request)
        return page.render("docs.html", paths=_described(app.openapi()))


Current = Callable[[Request], Awaitable[Worker]]


def _read_routes(router: APIRouter, desk: Desk, current: Current) -> None:
    logged_in = [Depends(current)]

    @router.get(
        "/queues/{queue}/{section}", summary="One page of a list, without names",
        dependencies=logged_in, responses={401: {**ANSWERS[401], "model": Problem}},
    )  # fmt: skip
    async def queue(
        request: Request,
        queue: QueueName,
        section: Annotated[
            str,
            Path(
                description="duty: marked, checks, urgent, person_decides, returned, set_aside, "
                "identity; "
                "own_worker and initial_assessment: their own name; destinations: proposed, "
                "accepted"
            ),
        ],
        after: str = "",
        limit: Annotated[int, Query(ge=1, le=500)] = PAGE,
    ) -> QueuePage:
        show = Shown(language_of(request), desk.rules, desk.clock())
        async with desk.process.pool.acquire() as conn:
            page = await listed(conn, section_of(queue, section), show, after, limit)
        return QueuePage(items=[_item(each) for each in page.items], next=page.next)

    @router.get(
        "/cases/{child}", summary="A case without its person and texts", dependencies=logged_in
    )
    async def outline(request: Request, child: Child) -> CaseInfo:
        return _case(await reading.outline(desk, child, language_of(request)))

    @router.get(
        "/notifications/{notification}", summary="How a notification stands, by its id",
        description="For programmes: its child, and its clocks in moments. 404 until it is there.",
        dependencies=logged_in,
    )  # fmt: skip
    async def standing(notification: Notification) -> Standing:
        row, clocks = await reading.standing(desk, notification)
        names = ClockTimes.model_fields
        return Standing(
            **dict(row),
            clocks=[ClockTimes(**{name: each[name] for name in names}) for each in clocks],
        )

    @router.get(
        "/cases/{child}/content", summary="A case with its person and texts",
        description="Noted in the audit trail before anything is opened; refused while it cannot.",
    )  # fmt: skip
    async def content(
        request: Request, worker: Annotated[Worker, Depends(current)], child: Child
    ) -> CaseInfo:
        return _case(await reading.read_case(desk, worker, child, language_of(request)))

    @router.get(
        "/cases/{child}/notifications/{notification}/attachments/{number}",
        summary="A file beside a notification, as a download",
        description="Noted in the audit trail before it is opened; 410 once it has been erased.",
        response_class=Response,
        responses={200: {"content": {"application/octet-stream": {}}}, 410: {"model": Problem}},
    )
    async def attachment(
        worker: Annotated[Worker, Depends(current)],
        child: Child,
        notification: Notification,
        number: int,
    ) -> Response:
        return await download(desk, worker, child, notification, number)


def _decision_routes(router: APIRouter, desk: Desk, current: Current) -> None:
    @router.get(
        "/decisions/{child}/{seq}", summary="A decision of the rules, explained",
        description="From what was stored with it, in whatever language is asked for. Noted in the "
        "audit trail first; refused while it cannot.",
    )  # fmt: skip
    async def explained(
        request: Request, worker: Annotated[Worker, Depends(current)], child: Child, seq: Seq
    ) -> ExplanationInfo:
        words = language_of(request)
        return _explanation(await read_explained(desk, worker, child, seq, words), words)

    @router.get(
        "/decisions/{child}/{seq}/family", summary="The same in plain words for the family",
        description="Tells neither who notified nor anything of other persons. Noted in the audit "
        "trail first. Nothing is sent: a person decides whom to give it to.",
    )  # fmt: skip
    async def for_family(
        request: Request, worker: Annotated[Worker, Depends(current)], child: Child, seq: Seq
    ) -> FamilyPageInfo:
        words = language_of(request)
        return _family_page(await read_family_page(desk, worker, child, seq, words))


def _case_routes(router: APIRouter, desk: Desk, current: Current) -> None:
    @router.post("/checks/{notification}/answer", summary="Judge whether it is urgent")
    async def answer_check(
        worker: Annotated[Worker, Depends(current)],
        notification: Notification,
        ask: asks.AnswerCheck,
    ) -> Recorded:
        return _done(await acts.answer_check(desk, worker, notification, ask))

    _returned_routes(router, desk, current)

    @router.post("/cases/{child}/holder", summary="Confirm the holder or choose another")
    async def holder(
        worker: Annotated[Worker, Depends(current)], child: Child, ask: asks.ChooseHolder
    ) -> Recorded:
        return _done(await acts.choose_holder(desk, worker, child, ask))

    @router.post(
        "/cases/{child}/level", summary="Confirm the level or judge it to be another",
        description="A person's word on the level that the rules propose; no proposal changes by "
        "it, and no event tells of it. 409 where the rules propose another level by now.",
    )  # fmt: skip
    async def level(
        worker: Annotated[Worker, Depends(current)], child: Child, ask: asks.JudgeLevel
    ) -> Recorded:
        return _done(await acts.judge_level(desk, worker, child, ask))

    @router.post(
        "/cases/{child}/destinations/{destination}", summary="Accept or decline a destination"
    )
    async def destination(
        worker: Annotated[Worker, Depends(current)],
        child: Child,
        destination: Destination,
        ask: asks.AnswerDestination,
    ) -> Recorded:
        return _done(await acts.answer_destination(desk, worker, child, destination, ask))

    @router.post(
        "/cases/{child}/identity", summary="Say who a child is whom nobody knew",
        description="The case changes when the reception of messages has told of it.",
    )  # fmt: skip
    async def identity(
        worker: Annotated[Worker, Depends(current)], child: Child, ask: asks.GiveIdentity
    ) -> Recorded:
        return _done(await acts.give_identity(desk, worker, child, ask))

    @router.post(
        "/cases/{child}/wrong-county", summary="Say that a child belongs to another county",
        description="Opens a task, `about` of the act in the history. No clock stops, and nothing "
        "is sent: a person brings the matter to the other county and closes the task.",
    )  # fmt: skip
    async def wrong_county(
        worker: Annotated[Worker, Depends(current)], child: Child, ask: asks.WrongCounty
    ) -> Recorded:
        return _done(await acts.belongs_elsewhere(desk, worker, child, ask))


def _returned_routes(router: APIRouter, desk: Desk, current: Current) -> None:
    @router.post(
        "/absence-signals/{notification}/matter",
        summary="A signal returned to the school is a matter",
    )
    async def matter(
        worker: Annotated[Worker, Depends(current)],
        notification: Notification,
        ask: asks.SettleReturned,
    ) -> Recorded:
        return _done(await acts.treat_as_matter(desk, worker, notification, ask))

    @router.post(
        "/absence-signals/{notification}/no-matter",
        summary="A signal returned to the school is no matter; its clocks stop",
    )
    async def no_matter(
        worker: Annotated[Worker, Depends(current)],
        notification: Notification,
        ask: asks.SettleReturned,
    ) -> Recorded:
        return _done(await acts.find_no_matter(desk, worker, notification, ask))


def _question_routes(router: APIRouter, desk: Desk, current: Current) -> None:
    @router.post(
        "/cases/{child}/answers", summary="Record what was answered to questions of the screen",
        description="The case is screened with the answers at once. A later notification that says "
        '"yes" stands against an earlier answer "no".',
    )  # fmt: skip
    async def answers(
        worker: Annotated[Worker, Depends(current)], child: Child, ask: asks.AnswerQuestions
    ) -> Recorded:
        return _done(await acts.answer_questions(desk, worker, child, ask))


def _join_routes(router: APIRouter, desk: Desk, current: Current) -> None:
    @router.get(
        "/cases/{child}/suggestions", summary="Other cases that may be about the same child",
        description="Names, dates of birth and homes are compared; nothing is opened, and nothing "
        "is joined by it. Whoever was joined to the child or found to be another is left out.",
    )  # fmt: skip
    async def suggestions(
        request: Request, worker: Annotated[Worker, Depends(current)], child: Child
    ) -> SuggestedCases:
        words = language_of(request)
        found = [
            SuggestedCase(
                child=each.child, mark=each.mark, age_band=each.age_band, reasons=each.reasons,
                why=tuple(words.of(ALIKE, code) for code in each.reasons),
            )
            for each in await alike(desk, worker, child)
        ]  # fmt: skip
        return SuggestedCases(suggestions=found)

    @router.post(
        "/cases/{child}/join", summary="Say that two children are one person",
        description="Whoever is known keeps the case, else whoever came first. Both cases change "
        "when the reception of messages has told of it; `child` of the answer has the case then.",
    )  # fmt: skip
    async def join(
        worker: Annotated[Worker, Depends(current)], child: Child, ask: asks.JoinChildren
    ) -> Recorded:
        return _done(await acts.join_children(desk, worker, child, ask))

    @router.post(
        "/cases/{child}/separate", summary="Undo a join: what arrived as this child is its own",
        description="`child` is the one who was joined (`joined` of the case).",
    )  # fmt: skip
    async def separate(
        worker: Annotated[Worker, Depends(current)], child: Child, ask: asks.SeparateChild
    ) -> Recorded:
        return _done(await acts.separate_child(desk, worker, child, ask))

    @router.post(
        "/cases/{child}/split", summary="Say that some notifications are about somebody else",
        description="They become the case of a new child whom nobody knows yet.",
    )  # fmt: skip
    async def split(
        worker: Annotated[Worker, Depends(current)], child: Child, ask: asks.SplitCase
    ) -> Recorded:
        return _done(await acts.split_case(desk, worker, child, ask))

    @router.post(
        "/cases/{child}/household", summary="Say whether another child is of the same household",
        description="What comes about one counts for the others of a household. A worker's word "
        "stands against what messages and the client feed say.",
    )  # fmt: skip
    async def household(
        worker: Annotated[Worker, Depends(current)], child: Child, ask: asks.SayHousehold
    ) -> Recorded:
        return _done(await acts.say_household(desk, worker, child, ask))


def _assessment_routes(router: APIRouter, desk: Desk, current: Current) -> None:
    @router.post("/cases/{child}/assessment-started", summary="The assessment has begun")
    async def started(
        worker: Annotated[Worker, Depends(current)], child: Child, ask: asks.StartAssessment
    ) -> Recorded:
        return _done(await acts.start_assessment(desk, worker, child, ask))

    @router.post(
        "/cases/{child}/manifestly-unnecessary", summary="No assessment, with ground and reason"
    )
    async def unnecessary(
        worker: Annotated[Worker, Depends(current)], child: Child, ask: asks.NotNeeded
    ) -> Recorded:
        return _done(await acts.find_unnecessary(desk, worker, child, ask))

    @router.post("/cases/{child}/family-told", summary="Child and guardian have been told")
    async def told(
        worker: Annotated[Worker, Depends(current)], child: Child, ask: asks.TellFamily
    ) -> Recorded:
        return _done(await acts.tell_family(desk, worker, child, ask))

    @router.post("/cases/{child}/assessment-finished", summary="The assessment is ready")
    async def finished(
        worker: Annotated[Worker, Depends(current)], child: Child, ask: asks.FinishAssessment
    ) -> Recorded:
        return _done(await acts.finish_assessment(desk, worker, child, ask))


def _item_routes(router: APIRouter, desk: Desk, current: Current) -> None:
    @router.get(
        "/set-aside/{item}/original", summary="A set-aside message as it came",
        description="Noted in the audit trail before it is opened.",
    )  # fmt: skip
    async def original(worker: Annotated[Worker, Depends(current)], item: UUID) -> Original:
        found = await reading.read_item(desk, worker, item)
        return Original(
            item=item,
            content=found.content,
            person=dict(found.person) if found.person else None,
            text=dict(found.text) if found.text else None,
        )

    @router.post("/set-aside/{item}/close", summary="Close what was set aside")
    async def close(
        worker: Annotated[Worker, Depends(current)], item: UUID, ask: asks.CloseItem
    ) -> Recorded:
        return _done(await acts.close_item(desk, worker, item, ask))

    @router.post("/set-aside/{item}/redrive", summary="Take what was set aside again")
    async def redrive(worker: Annotated[Worker, Depends(current)], item: UUID) -> Recorded:
        return _done(await acts.redrive(desk, worker, item))


# --- shapes -------------------------------------------------------------------------------------


def _clocks(each: Item | NotificationView) -> list[Clock]:
    words = each.clocks if isinstance(each, Item) else [line.words for line in each.clocks]
    return [
        Clock(kind=c.kind, about=c.about, text=c.text, tone=c.tone, running=c.tone != "done")
        for c in words
    ]


def _item(item: Item) -> QueueItem:
    return QueueItem(
        key=item.key, kind=item.kind, child=item.child, mark=item.mark, since=item.since,
        why=item.why, clocks=_clocks(item), age_band=item.age_band, provisional=item.provisional,
        flagged=item.flagged, urgency=item.urgency, level=item.level, holder=item.holder,
        confirmed=item.confirmed, service=item.service, outcome=item.outcome, reason=item.reason,
        worker=item.worker, asks=item.asks, level_judged=item.level_judged,
    )  # fmt: skip


def _case(case: CaseView) -> CaseInfo:
    row = case.row
    return CaseInfo(
        child=row["child"], mark=row["mark"], version=row["version"], age_band=row["age_band"],
        provisional=row["provisional"], urgency=row["urgency"], level=row["level"],
        holder=row["holder"], proposed_holder=row["proposed_holder"],
        confirmed_holder=row["confirmed"], holder_seq=row["holder_seq"],
        holder_act=case.holder_act, why=case.why, unknown=case.unknown, rules=row["rules"],
        proposals=[
            Proposal(
                destination=p["destination"], number=p["number"], state=p["state"],
                proposed_at=p["proposed_at"],
            )
            for p in case.proposals
        ],
        notifications=[_notification(each) for each in case.notifications],
        history=[_history(line) for line in case.history],
        clients=[_client(client) for client in case.clients],
        ask=[
            QuestionInfo(
                question=each.id, text=each.text, answered_by=tuple(each.answered_by),
                changes={answer: tuple(said) for answer, said in each.changes.items()},
                due=each.due,
            )
            for each in case.asks
        ],
        household=[row["child"] for row in case.household], turvakielto=case.turvakielto,
        joined=[row["child"] for row in case.joined],
        decision_seq=row["decision_seq"], areas=[_area(each) for each in case.areas],
        too_light=[_too_light(each) for each in case.too_light],
        level_judged=_level(case.level_judged) if case.level_judged else None,
    )  # fmt: skip


def _level(judged: LevelView) -> LevelInfo:
    return LevelInfo(**{name: getattr(judged, name) for name in LevelInfo.model_fields})


def _too_light(each: Difference) -> TooLightInfo:
    return TooLightInfo(
        item=each.item, child=each.child, seq=each.seq, decided_at=each.decided_at,
        said=_proposed(each.said), would_have_said=_proposed(each.would), reasons=each.reasons,
    )  # fmt: skip


def _proposed(said: Said) -> ProposedInfo:
    return ProposedInfo(
        level=said.level, flagged=said.flagged, destinations=tuple(said.destinations)
    )


def _area(area: AreaView) -> AreaInfo:
    return AreaInfo(
        area=area.area, text=area.name, answer=area.code,
        statements=[
            StatementInfo(
                field=each.field, text=each.name or area.name, answer=each.code,
                disputed=each.disputed, said=[_said(said) for said in each.said],
            )
            for each in area.statements
        ],
    )  # fmt: skip


def _said(view: SaidView) -> SaidInfo:
    said = view.said
    return SaidInfo(
        answer=said.answer, by=said.by, by_text=view.by, knowledge=said.hand, counts=view.counts,
        kind=said.kind, worker=said.worker, at=said.at, id=said.id,
    )  # fmt: skip


def _explanation(view: ExplanationView, words: Words) -> ExplanationInfo:
    decision = view.decision
    return ExplanationInfo(
        child=view.child, seq=view.seq, decided_at=view.decided_at, rules=decision.version,
        level=decision.level, holder=decision.holder, destinations=decision.destinations,
        urgent_flags=decision.urgent_flags,
        rows=[
            MatchedRow(
                table=row.table, row=row.row, reason=row.reason, basis=row.basis, facts=row.facts
            )
            for row in view.rows
        ],
        unknown=[FactInfo(fact=each.name, text=each.text) for each in view.unknown],
        besides=[FactInfo(fact=each.name, text=each.text) for each in view.besides],
        otherwise=None if view.otherwise is None else [_otherwise(each) for each in view.otherwise],
        note=words.text(
            "These rules are the county's own construction, not THL's OT-seula."
        ),
    )  # fmt: skip


def _otherwise(line: OtherLine) -> OtherwiseInfo:
    return OtherwiseInfo(
        ways=[
            [ChangeInfo(fact=c.name, was=c.was, would=c.would) for c in way] for way in line.ways
        ],
        texts=line.texts, more=line.more, becomes=line.becomes,
    )  # fmt: skip


def _family_page(page: FamilyPage) -> FamilyPageInfo:
    return FamilyPageInfo(
        language=page.language, title=page.title, texts=page.texts,
        sections=[
            FamilySection(
                heading=each.heading, texts=each.texts, points=each.points, after=each.after
            )
            for each in page.sections
        ],
    )  # fmt: skip


def _client(client: ClientView) -> ClientInfo:
    names = ClientInfo.model_fields.keys() - {"person"}
    said = {name: client.row[name] for name in names}
    return ClientInfo(**said, person=dict(client.card) if client.card else None)


def _notification(note: NotificationView) -> NotificationInfo:
    return NotificationInfo(
        id=note.id, received_at=note.received_at, check_state=note.check_state,
        flagged=note.flagged, siblings=note.siblings, clocks=_clocks(note), kind=note.kind,
        missing=note.missing, returned=note.returned,
        text=dict(note.text) if note.text else None,
        person=dict(note.person) if note.person else None,
        attachments=[
            AttachmentInfo(number=number, type=file.type, bytes=file.bytes)
            for number, file in enumerate(note.attachments, 1)
        ],
    )  # fmt: skip


def _history(line: Happened) -> HistoryLine:
    return HistoryLine(
        at=line.at, kind=line.kind, worker=line.worker, done_at=line.done_at, answer=line.answer,
        about=line.about, reason=line.reason, level=line.level, holder=line.holder,
        destinations=line.destinations, rules=line.rules, while_joined=line.while_joined,
        decision_of=line.of, decision_seq=line.seq,
        ask=line.ask,
    )  # fmt: skip


def _done(done: Done) -> Recorded:
    return Recorded(
        act=done.act, kind=done.kind, child=done.child, done_at=done.done_at,
        recorded_at=done.recorded_at,
    )  # fmt: skip


# --- the plain description ------------------------------------------------------------------------


def _described(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The OpenAPI document as a list of operations with the fields of their bodies."""
    schemas = document.get("components", {}).get("schemas", {})
    return {
        path: {
            method: {
                "summary": operation.get("summary", ""),
                "description": operation.get("description", ""),
                "fields": _fields(operation, schemas),
            }
            for method, operation in methods.items()
        }
        for path, methods in document["paths"].items()
    }


def _fields(operation: dict[str, Any], schemas: dict[str, Any]) -> list[dict[str, Any]]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = schemas.get(content.get("schema", {}).get("$ref", "").rpartition("/")[2], {})
    required = schema.get("required", ())
    return [
        {
            "name": name,
            "required": name in required,
            "type": _type(field),
            "text": field.get("description", ""),
        }
        for name, field in schema.get("properties", {}).items()
    ]


def _type(field: dict[str, Any]) -> str:
    if "anyOf" in field:
        return " | ".join(_type(each) for each in field["anyOf"])
    if "enum" in field:
        return " | ".join(field["enum"])
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}))}"
    return str(field.get("format") or field.get("type", ""))
