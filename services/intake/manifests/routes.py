"""What is missing of a source: told to the source itself, to operators, and at the duty desk."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, FastAPI
from pydantic import BaseModel, Field

from services.intake.domain.numbering import give_up, named_gaps
from services.intake.manifests import store
from services.intake.problems import Problem
from shared import events
from shared.database import Connection
from shared.service import Process


class MissingNumbers(BaseModel):
    """Numbers that have not arrived, both ends inclusive. `since`: a later one was there then."""

    run: str = Field(description="`ce_sequencerun`; empty without it")
    first: int
    last: int
    since: datetime


class MissingIds(BaseModel):
    """Ids that a list names and that have not arrived."""

    receipt_id: UUID = Field(description="That of the list")
    begins: datetime
    ends: datetime
    ids: list[str]


class Missing(BaseModel):
    """What is missing of a source.

    `not_listed`: how many more numbers are missing, of a source with hundreds of gaps.
    `silent_since`: its last message, where its silence is an alarm, and `why` it is.
    """

    source: str
    numbers: list[MissingNumbers] = []
    not_listed: int = 0
    ids: list[MissingIds] = []
    silent_since: datetime | None = None
    why: str | None = None


def manifest_routes(
    app: FastAPI,
    process: Process,
    source_of: Callable[..., str],
    worker: Callable[..., str],
    responses: dict[int | str, dict[str, object]],
) -> None:
    """Add the routes; `source_of` and `worker` say who asks."""

    @app.get(
        "/v1/manifests/{source:path}", responses=responses,
        summary="What has not arrived of what you numbered or listed",
    )  # fmt: skip
    async def missing(source: str, asking: Annotated[str, Depends(source_of)]) -> Missing:
        if source != asking:
            raise Problem(403, "other-source", "Your token is that of another source")
        async with process.pool.acquire() as conn, conn.transaction():
            return await missing_of(conn, source)

    @app.get("/internal/sources/missing", include_in_schema=False)
    async def missing_there(
        source: events.SourceId,
        who: Annotated[str, Depends(worker)],  # noqa: ARG001 -- only checked
    ) -> Missing:
        async with process.pool.acquire() as conn, conn.transaction():
            return await missing_of(conn, source)


async def missing_of(conn: Connection, source: str) -> Missing:
    """All that is known to be missing of a source now."""
    before = await store.named_before(conn)
    runs = await store.runs_with_gaps(conn, source)
    silent = [each for each in await store.open_alarms(conn, source) if each.kind == "silent"]
    return Missing(
        source=source,
        numbers=[
            MissingNumbers(run=run, first=gap.first, last=gap.last, since=gap.since)
            for (_, run), seen in runs.items()
            for gap in named_gaps(seen, before)
        ],
        not_listed=sum(seen.folded for seen in runs.values()),
        ids=[
            MissingIds(
                receipt_id=row["id"], begins=row["begins"], ends=row["ends"], ids=row["waits"]
            )
            for row in await store.missing_ids(conn, source)
        ],
        silent_since=silent[0].since if silent else None,
        why=silent[0].why if silent else None,
    )


async def content_of_alarm(conn: Connection, item: UUID) -> dict[str, object] | None:
    """What the duty desk reads of an item about missing messages; None if it is another item."""
    alarm = await store.alarm(conn, item)
    if alarm is None:
        return None
    found = await missing_of(conn, alarm["source"])
    lines = [f"{found.source}: these messages have not arrived. Ask the source to send them."]
    lines += [
        f"number {_span(each)}{f' of run {each.run}' if each.run else ''}, "
        f"missing since {each.since:%Y-%m-%d %H:%M} UTC"
        for each in found.numbers
    ]
    if found.not_listed:
        lines.append(f"{found.not_listed} more numbers")
    lines += [f"id {ident}" for each in found.ids for ident in each.ids]
    return {
        "item": str(item), "reason": "messages-missing", "received_at": alarm["since"],
        "source": found.source, "source_id": None, "content": "\n".join(lines),
    }  # fmt: skip


def _span(each: MissingNumbers) -> str:
    return str(each.first) if each.first == each.last else f"{each.first} to {each.last}"


async def deal_with_alarm(tx: Connection, item: UUID) -> bool:
    """A person has dealt with what is missing: it no longer counts; False for another item."""
    await store.wait_for_watch(tx)
    alarm = await store.alarm(tx, item)
    if alarm is None:
        return False
    if alarm["closed_at"] is None:
        await store.close_alarms(tx, [item], "closed-by-a-person")
        if alarm["kind"] == "gap":
            await _give_up_numbers(tx, alarm["source"])
        else:
            await store.give_up_ids(tx, alarm["source"])
    return True


async def _give_up_numbers(tx: Connection, source: str) -> None:
    before = await store.named_before(tx)
    runs = sorted(await store.runs_with_gaps(tx, source))
    if runs:
        locked = await store.lock_runs(tx, runs)
        await store.save_runs(
            tx,
            {
                run: give_up(seen, named_gaps(seen, before))
                for run, seen in locked.items()
                if seen is not None
            },
        )
