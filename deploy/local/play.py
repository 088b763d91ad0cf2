"""Plays the sample county's workers on the desk's JSON API, each act with the time it was done.

The desk takes times in the past like anybody's late records; who acts is told by the header
`Authorization: Worker <id>`, which it knows in the demonstration alone.
"""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from http import HTTPStatus
from typing import Any

import httpx2

from deploy.local.errors import LocalError
from deploy.local.progress import Progress
from deploy.sample.staff import LEAD, Act, Notified, Standing, answers, follow_up

AT_ONCE = 8
PAGE = 500
LISTS = (
    "duty/checks",
    "duty/urgent",
    "duty/person_decides",
    "own_worker/own_worker",
    "initial_assessment/initial_assessment",
    "expert_group/proposed",
    "psychiatry/proposed",
    "basic_services/proposed",
)
"""Where open cases stand."""


async def play(desk: str, now: datetime, progress: Progress) -> int:
    """Work on every open case as far as it would be at `now`; returns how many acts were done.

    What is done already stays: after an interruption it goes on where it was. Raises LocalError
    where the desk refuses an act, `httpx2.HTTPError` where it does not answer.
    """
    limits = httpx2.Limits(max_connections=AT_ONCE)
    async with httpx2.AsyncClient(
        base_url=f"{desk}/api/v1/", timeout=30, limits=limits, trust_env=False
    ) as client:
        children = [child async for child in open_cases(client)]
        progress.total = len(children)
        waiting = iter(children)
        done = 0

        async def work() -> int:
            nonlocal done
            acts = 0
            for child in waiting:
                acts += await work_on(client, child, now)
                done += 1
                progress(done)
            return acts

        return sum(await asyncio.gather(*(work() for _ in range(AT_ONCE))))


async def open_cases(client: httpx2.AsyncClient) -> AsyncIterator[str]:
    """The children of every list, each once."""
    seen: set[str] = set()
    for name in LISTS:
        after: str | None = ""
        while after is not None:
            page = await get(client, f"queues/{name}", after=after, limit=str(PAGE))
            for child in (item["child"] for item in page["items"]):
                if child not in seen:
                    seen.add(child)
                    yield child
            after = page["next"]


async def work_on(client: httpx2.AsyncClient, child: str, now: datetime) -> int:
    """Do what would be done about one case by `now`; returns how many acts that were."""
    case = standing(await get(client, f"cases/{child}"))
    checks = answers(case, now)
    for act in checks:
        await do(client, act)
    if checks:
        case = standing(await get(client, f"cases/{child}"))
    if case.urgency == "urgent":  # the tables propose the duty desk: who goes on with it is read
        case = standing(await get(client, f"cases/{child}/content"))
    acts = follow_up(case, now)
    for act in acts:
        await do(client, act)
    return len(checks) + len(acts)


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
