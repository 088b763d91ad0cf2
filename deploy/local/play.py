"""Plays the sample county's workers on the desk's JSON API, each act with the time it was done.

The desk takes times in the past like anybody's late records; who acts is told by the header
`Authorization: Worker <id>`, which it knows in the demonstration alone.

    python -m deploy.local.play --truth FILE

lets them go on with the running demo as far as they would be by now, with what the county's truth
lets them find out, and adds a line for each act to FILE (see `deploy.sample.staff.telling`).
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any, get_args

import httpx2

from deploy.local import store
from deploy.local.databases import wait_for
from deploy.local.errors import LocalError, run_command
from deploy.local.month import sample_month
from deploy.local.plan import Plan
from deploy.local.progress import Progress
from deploy.sample.staff import (
    LEAD,
    Act,
    Aside,
    Notified,
    Standing,
    answers,
    follow_up,
    identities,
    join,
    look_at,
    read_again,
    settle,
)
from deploy.sample.staff.telling import Known, Outcome, line
from shared.clock import utc_now
from shared.events import Destination

AT_ONCE = 8
PAGE = 500
CHECKS = "duty/checks"
RETURNED = "duty/returned"
NAMELESS = "duty/identity"
SET_ASIDE = "duty/set_aside"
LISTS = (
    "duty/held",
    "duty/person_decides",
    "own_worker/own_worker",
    "initial_assessment/initial_assessment",
    *(f"{destination}/proposed" for destination in get_args(Destination)),
)
"""Where cases stand whose urgency has been judged and about which something is open."""

Work = Coroutine[Any, Any, None]
Shown = Callable[[int, int], None]


@dataclass(frozen=True)
class Beside:
    """What the desk does not hold: the county's truth, and the file that tells of the workers."""

    known: Known = field(default_factory=Known)
    file: Path | None = None

    def tell(self, act: Act, outcome: Outcome, recorded: str | None = None) -> None:
        """Add a line to the file, where there is one."""
        if self.file is not None:
            with self.file.open("ab") as file:
                file.write(line(act, self.known, outcome, recorded))


NOTHING = Beside()


async def answer_checks(desk: str, now: datetime, told: Shown, beside: Beside = NOTHING) -> None:
    """Answer every urgency check that would be answered by `now`; tells (done, of all).

    What is done already stays: after an interruption it goes on where it was. Raises LocalError
    where the desk refuses an act, `httpx2.HTTPError` where it does not answer.
    """
    async with api(desk) as client:
        unjudged = [item async for item in listed(client, CHECKS)]
        await side_by_side([answer(client, item, now, beside) for item in unjudged], told)


async def work_on_cases(desk: str, now: datetime, told: Shown, beside: Beside = NOTHING) -> None:
    """Work on every judged case as far as it would be by `now`; otherwise as `answer_checks`.

    Then who is nameless gets a name, where `beside` knows it, and what was set aside is looked at.
    """
    async with api(desk) as client:
        returned = [item["child"] async for item in listed(client, RETURNED)]
        settling = [settle_returned(client, each, now, beside) for each in dict.fromkeys(returned)]
        await side_by_side(settling)
        children = [item["child"] for name in LISTS async for item in listed(client, name)]
        work = [work_on(client, child, now, beside) for child in dict.fromkeys(children)]
        await side_by_side(work, told)
        nameless = [item["child"] async for item in listed(client, NAMELESS)]
        for child in nameless:  # one after the other: a name may be that of the one before
            await identify(client, child, now, beside)
        aside = [item async for item in listed(client, SET_ASIDE)]
        await side_by_side([look(client, item, now, beside) for item in aside])


def api(desk: str) -> httpx2.AsyncClient:
    """The desk's JSON API."""
    limits = httpx2.Limits(max_connections=AT_ONCE)
    return httpx2.AsyncClient(
        base_url=f"{desk}/api/v1/", timeout=60, limits=limits, trust_env=False
    )


async def side_by_side(work: Sequence[Work], told: Shown = lambda *_: None) -> None:
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


# --- one check, one case, one message -------------------------------------------------------------


async def answer(
    client: httpx2.AsyncClient, item: dict[str, Any], now: datetime, beside: Beside = NOTHING
) -> None:
    """Answer one urgency check; the row of the list tells all that is needed."""
    received, key = datetime.fromisoformat(item["since"]), item["key"]
    urgent = beside.known.urgent(key)
    note = Notified(key, received, open=True, flagged=item["flagged"], urgent=urgent)
    for act in answers([note], now):
        await do(client, act, beside)


async def work_on(
    client: httpx2.AsyncClient, child: str, now: datetime, beside: Beside = NOTHING
) -> None:
    """Do what would be done about one case by `now`."""
    case = await read(client, child)
    if case is not None and case.urgency == "urgent":  # who goes on with it is read in the texts
        case = await read(client, child, "/content")
    for act in follow_up(case, now) if case else ():
        await do(client, act, beside)


async def settle_returned(
    client: httpx2.AsyncClient, child: str, now: datetime, beside: Beside
) -> None:
    """Say of a case's absence signals that went back to school whether they are a matter."""
    case = await read(client, child)
    for act in settle(case, now) if case else ():
        await do(client, act, beside)


async def identify(client: httpx2.AsyncClient, child: str, now: datetime, beside: Beside) -> None:
    """Say who a child is; one who is known under another case is joined to it."""
    case = await read(client, child, known=beside.known)
    for act in identities(case, now) if case else ():
        problem = await do(client, act, beside)
        joins = join(act, problem["other"], now) if problem and problem.get("other") else None
        if joins is not None:
            await do(client, joins, beside)


async def look(
    client: httpx2.AsyncClient, item: dict[str, Any], now: datetime, beside: Beside
) -> None:
    """Look at a message that was set aside."""
    aside = Aside(item["key"], datetime.fromisoformat(item["since"]), item["outcome"])
    for act in look_at(aside, now):
        await do(client, act, beside)


async def read(
    client: httpx2.AsyncClient, child: str, part: str = "", *, known: Known | None = None
) -> Standing | None:
    """A case as it stands; None once it has been joined to another."""
    path = f"cases/{child}{part}"
    answer = await client.get(path, headers=named(LEAD))
    if answer.status_code == HTTPStatus.CONFLICT:
        return None
    return standing(told_by(answer, path), known or Known())


def standing(told: dict[str, Any], known: Known = NOTHING.known) -> Standing:
    """A case as the desk's API tells of it."""
    ids = tuple(note["id"] for note in told["notifications"])
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
                returned=note["returned"] == "open",
            )
            for note in reversed(told["notifications"])
        ),
        confirmed=told["confirmed_holder"],
        holder_act=told["holder_act"],
        who=known.who(ids),
        asks=tuple(each["question"] for each in told["ask"]),
        answered=any(line["kind"] == "questions_answered" for line in told["history"]),
    )


def stated_client(told: dict[str, Any]) -> bool:
    """Whether a notifier says that the child is a client, where the content was opened."""
    persons = [note["person"] or {} for note in told["notifications"]]
    return any(person.get("is_client") == "yes" for person in persons)


async def get(client: httpx2.AsyncClient, path: str, **query: str) -> dict[str, Any]:
    """Ask the desk as the supervisor."""
    answer = await client.get(path, params=query, headers=named(LEAD))
    return told_by(answer, path)


# --- acts -----------------------------------------------------------------------------------------


async def do(
    client: httpx2.AsyncClient, act: Act, beside: Beside = NOTHING
) -> dict[str, Any] | None:
    """Do one act. Where another was faster the case is read again, and the act done anew or left.

    Returns what the desk says of who was too late, else None.
    """
    if not act.sent:
        beside.tell(act, "agreed")
        return None
    answer = await send(client, act)
    if not _was_too_late(answer, act):
        beside.tell(act, "taken", told_by(answer, act.place).get("act"))
        return None
    beside.tell(act, "too_late")
    problem: dict[str, Any] = answer.json()
    anew = await after_reading(client, act)
    if anew is not None:
        answer = await send(client, anew)
        if answer.status_code != HTTPStatus.CONFLICT:
            beside.tell(anew, "taken", told_by(answer, anew.place).get("act"))
    return problem


def _was_too_late(answer: httpx2.Response, act: Act) -> bool:
    """Something changed meanwhile; a nameless case may have been joined to another, and be gone."""
    gone = answer.status_code == HTTPStatus.NOT_FOUND and act.kind in ("identity", "join")
    return gone or answer.status_code == HTTPStatus.CONFLICT


async def after_reading(client: httpx2.AsyncClient, act: Act) -> Act | None:
    """What is left to do for who was too late; only of a holder is there anything."""
    if act.kind != "holder":
        return None
    case = await read(client, act.place.split("/")[1])
    return read_again(act, case) if case else None


async def send(client: httpx2.AsyncClient, act: Act) -> httpx2.Response:
    """Ask the desk for it, as the worker."""
    if act.kind == "original_read":
        return await client.get(act.place, headers=named(act.worker))
    body = {**act.body, "done_at": act.done_at.isoformat()} if act.dated else act.body
    return await client.post(act.place, json=body, headers=named(act.worker))


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


# --- command line ---------------------------------------------------------------------------------


def go_on(plan: Plan, truth: Path | None) -> None:
    """Let the workers of a demo go on until now; raises LocalError where none was played in."""
    if plan.stage != "played" or plan.until is None:
        raise LocalError("No month was played in here.", "Mend: `make demo` first.")
    if truth is not None:
        truth.touch()  # there also where nothing is left to do
    names = wait_for(store.message_names(plan.database_url))
    beside = Beside(Known(names, sample_month(plan.until).truths), truth)
    desk = f"http://127.0.0.1:{plan.ports.desk}"
    with Progress("urgency checks answered", 0) as shown:
        asyncio.run(answer_checks(desk, utc_now(), shown, beside))
    with Progress("cases worked on", 0) as shown:
        asyncio.run(work_on_cases(desk, utc_now(), shown, beside))


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m deploy.local.play")
    parser.add_argument("--truth", type=Path, metavar="FILE", help="add what they thought and did")
    go_on(Plan.load(), parser.parse_args().truth)


if __name__ == "__main__":
    run_command(main)
