"""What a worker does to sources, asked with the desk's token in the worker's name, audited here."""

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict, field_validator

from services.intake.manifests.store import open_alarms
from services.intake.sources import store
from services.intake.sources.redriving import RedriveMany, RedrivenMany, redrive_many
from services.intake.sources.store import State
from shared import events
from shared import store as plumbing
from shared.database import Connection
from shared.events import Message
from shared.hetu import contains_hetu
from shared.inbox import Inbox
from shared.sealing import Sealer
from shared.service import Process


class OneSource(BaseModel):
    """Which source."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    source: events.SourceId


class PauseSource(OneSource):
    """Which source, and why: a code or plain words, nothing about a person."""

    why: events.Line

    @field_validator("why")
    @classmethod
    def _about_nobody(cls, value: str) -> str:
        if contains_hetu(value):
            raise ValueError("nothing about a person")
        return value


class SourceState(BaseModel):
    """A source as it stands. `today` (in Finland) and `last_hour`: messages by outcome.

    `alarms`: `gap` in its numbers, `missing` of its lists, `silent`.
    """

    source: str
    state: State = "open"
    since: datetime | None = None
    by: str | None = None
    why: str | None = None
    held: int = 0
    oldest_held: datetime | None = None
    today: dict[str, int] = {}
    last_hour: dict[str, int] = {}
    alarms: list[str] = []


class Sources(BaseModel):
    """Every source that sent something today, is held or ever was, or has an open alarm."""

    sources: list[SourceState]


def source_routes(
    app: FastAPI,
    process: Process,
    sealer: Sealer,
    inbox: Inbox[Message],
    worker: Callable[..., str],
) -> None:
    """Add the routes; `worker` says in whose name the desk's token asks."""

    @app.get("/internal/sources", include_in_schema=False)
    async def sources(who: Annotated[str, Depends(worker)]) -> Sources:  # noqa: ARG001 -- only checked
        async with process.pool.acquire() as conn, conn.transaction():
            return Sources(sources=await listed(conn))

    @app.post("/internal/sources/pause", include_in_schema=False)
    async def pause(body: PauseSource, who: Annotated[str, Depends(worker)]) -> SourceState:
        async with process.pool.acquire() as tx, tx.transaction():
            await plumbing.add_audit(tx, [(who, "pause-source", body.source, "intake", body.why)])
            await store.pause(tx, body.source, who, body.why)
            return await _one(tx, body.source)

    @app.post("/internal/sources/resume", include_in_schema=False)
    async def resume(body: OneSource, who: Annotated[str, Depends(worker)]) -> SourceState:
        async with process.pool.acquire() as tx, tx.transaction():
            await plumbing.add_audit(tx, [(who, "resume-source", body.source, "intake", None)])
            await store.resume(tx, body.source, who)
            return await _one(tx, body.source)

    @app.post("/internal/redrive", include_in_schema=False)
    async def redrive(body: RedriveMany, who: Annotated[str, Depends(worker)]) -> RedrivenMany:
        return await redrive_many(process, sealer, inbox, body, who)


async def _one(conn: Connection, name: str) -> SourceState:
    """One source; with nothing but its name where it has sent nothing and was never held."""
    found = {each.source: each for each in await listed(conn)}
    return found.get(name, SourceState(source=name))


async def listed(conn: Connection) -> list[SourceState]:
    """Every source of `Sources`, by name."""
    found: defaultdict[str, dict[str, object]] = defaultdict(dict)
    for row in await store.known(conn):
        found[row["name"]].update({key: row[key] for key in ("state", "since", "by", "why")})
    for row in await store.held(conn):
        found[row["source"]].update(held=row["n"], oldest_held=row["oldest"])
    alarms: defaultdict[str, list[str]] = defaultdict(list)
    for alarm in await open_alarms(conn):
        found[alarm.source].setdefault("state", "open")
        alarms[alarm.source].append(alarm.kind)
    today: defaultdict[str, dict[str, int]] = defaultdict(dict)
    hour: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for row in await store.came_today(conn):
        found[row["source"]].setdefault("state", "open")
        for counts, column in ((today, "today"), (hour, "hour")):
            if row[column]:
                counts[row["source"]][row["outcome"]] = row[column]
    return [
        SourceState.model_validate(
            {
                **about,
                "source": name,
                "today": today[name],
                "last_hour": hour[name],
                "alarms": alarms[name],
            }
        )
        for name, about in sorted(found.items())
    ]
