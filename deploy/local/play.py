"""Plays the sample county's workers on the desk's JSON API, each act with the time it was done.

The desk takes times in the past like anybody's late records; who acts is told by the header
`Authorization: Worker <id>`, which it knows in the demonstration alone.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

import httpx2

from deploy.local.errors import LocalError
from deploy.sample.staff import LEAD, Act, Notified, Standing, answers, follow_up

AT_ONCE = 8
PAGE = 500
CHECKS = "duty/checks"
LISTS = (
    "duty/held",
    "duty/person_decides",
    "own_worker/own_worker",
    "initial_assessment/initial_assessment",
    "expert_group/proposed",
    "psychiatry/proposed",
    "basic_services/proposed",
)
"""Where cases stand whose urgency has been judged and about which something is open."""


async def answer_checks(desk: str, now: datetime, told: Callable[[int, int], None]) -> None:
    """Answer every urgency check that would be answered by `now`; tells (done, of all).

    What is done already stays: after an interruption it goes on where it was. Raises LocalError
    where the desk refuses an act, `httpx2.HTTPError` where it does not answer.
    """
    async with api(desk) as client:
        unjudged = [item async for item in listed(client, CHECKS)]
        await side_by_side([answer(client, item, now) for item in unjudged], told)


async def work_on_cases(desk: str, now: datetime, told: Callable[[int, int], None]) -> None:
    """Work on every judged case as far as it would be by `now`; otherwise as `answer_checks`."""
    async with api(desk) as client:
        children = [item["child"] for name in LISTS async for item in listed(client, name)]
        work = [work_on(client, child, now) for child in dict.fromkeys(children)]
        await side_by_side(work, told)


def api(desk: str) -> httpx2.AsyncClient:
    """The desk's JSON API."""
    limits = httpx2.Limits(max_connections=AT_ONCE)
    return httpx2.AsyncClient(
        base_url=f"{desk}/api/v1/", timeout=60, limits=limits, trust_env=False
    )


async def side_by_side(
    work: Sequence[Coroutine[Any, Any, None]], told: Callable[[int, int], None]
) -> None:
    """Do it all, a handful at a time."""
    waiting, done = iter(work), 0

    async def take() -> None:
        nonlocal done
        for each in waiting:
            await each
            done += 1
            told(done, len(work))

    try:
        await asyncio.gather(*(take() for _ in range(AT_ONCE)))
    finally:
        for each in waiting:  # left where one of them has failed
            each.close()


async def listed(client: httpx2.AsyncClient, name: str) -> AsyncIterator[dict[str, Any]]:
    """Every row of one of the desk's lists."""
    after: str | None = ""
    while after is not None:
        page = await get(client, f"queues/{name}", after=after, limit=str(PAGE))
        for item in page["items"]:
            yield item
        after = page["next"]


async def answer(client: httpx2.AsyncClient, item: dict[str, Any], now: datetime) -> None:
    """Answer one urgency check; the row of the list tells all that is needed."""
    received = datetime.fromisoformat(item["since"])
    note = Notified(item["key"], received, open=True, flagged=item["flagged"])
    for act in answers([note], now):
        await do(client, act)


async def work_on(client: httpx2.AsyncClient, child: str, now: datetime) -> None:
    """Do what would be done about one case by `now`."""
    case = standing(await get(client, f"cases/{child}"))
    if case.urgency == "urgent":  # the tables propose the duty desk: who goes on with it is read
        case = standing(await get(client, f"cases/{child}/content"))
    for act in follow_up(case, now):
        await do(client, act)


def standing(told: dict[str, Any]) -> Standing:
    """A case as the desk's API tells of it."""
    return Standing(
        child=told["child"],
        urgency=told["urgency"],
        holder=told["proposed_holder"],
        holder_seq=told["holder_seq"],
        holder_chosen=told["holder_act"] is not None,
        proposals={
            each["destination"]: each["number"]
            for each in told["proposals"]
            if each["state"] == "proposed"
        },
        client=told["proposed_holder"] == "own_worker" or stated_client(told),
        notifications=tuple(
            Notified(
                id=note["id"],
                received_at=datetime.fromisoformat(note["received_at"]),
                open=note["check_state"] == "open",
                flagged=note["flagged"],
                running=frozenset(c["kind"] for c in note["clocks"] if c["running"]),
            )
            for note in reversed(told["notifications"])
        ),
    )


def stated_client(told: dict[str, Any]) -> bool:
    """Whether a notifier says that the child is a client, where the content was opened."""
    persons = [note["person"] or {} for note in told["notifications"]]
    return any(person.get("is_client") == "yes" for person in persons)


async def get(client: httpx2.AsyncClient, path: str, **query: str) -> dict[str, Any]:
    """Ask the desk as the supervisor."""
    answer = await client.get(path, params=query, headers=named(LEAD))
    return told_by(answer, path)


async def do(client: httpx2.AsyncClient, act: Act) -> None:
    """Do one act; that somebody else has done it meanwhile is no fault."""
    body = {**act.body, "done_at": act.done_at.isoformat()}
    answer = await client.post(act.place, json=body, headers=named(act.worker))
    if answer.status_code != HTTPStatus.CONFLICT:
        told_by(answer, act.place)


def named(worker: str) -> dict[str, str]:
    """Who asks."""
    return {"Authorization": f"Worker {worker}"}


def told_by(answer: httpx2.Response, path: str) -> dict[str, Any]:
    """The content of an answer; LocalError where the desk refused."""
    if not answer.is_success:
        what = path.split("/", maxsplit=1)[0]
        raise LocalError(
            f"The desk refused an act of a sample worker ({what}): {answer.text[:200]}",
            "Mend: `make demo` goes on from here; if it comes back, see the desk's log.",
        )
    content: dict[str, Any] = answer.json()
    return content
