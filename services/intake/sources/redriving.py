"""Taking many set-aside messages again: by source, reason and time, oldest first.

Each is taken as a worker would take it alone, in its own transaction and with its own audit row.
One call takes a bounded number and says where the next one goes on.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.intake.internal import take_again
from services.intake.problems import Problem
from services.intake.sources import store
from services.intake.sources.store import Wanted
from shared import events
from shared import store as plumbing
from shared.events import Message
from shared.inbox import Inbox
from shared.sealing import Sealer
from shared.service import Process

Reason = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,60}$")]


class Place(BaseModel):
    """Behind which item a call goes on."""

    model_config = ConfigDict(extra="forbid")

    received_at: AwareDatetime
    item: UUID


class RedriveMany(BaseModel):
    """Which open items are meant: all filters that are given, at least one; until is exclusive."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    source: events.SourceId | None = None
    reason: Reason | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    dry_run: bool = False
    after: Place | None = None
    limit: int = Field(default=50, ge=1, le=200)

    def wanted(self) -> Wanted:
        """The filters; raises `Problem` when there is none."""
        found = Wanted(self.source, self.reason, self.since, self.until)
        if found == (None, None, None, None):
            raise Problem(422, "no-filter", "Not done", "Give a source, a reason or a time.")
        return found


class RedrivenMany(BaseModel):
    """What became of a call. `matched`: open items by reason, before the call.

    `tried` items gave `applied` messages (what waited behind one follows it); `failed`: by reason,
    they stay as they are. `next`: where to go on; none when all were tried.
    """

    matched: dict[str, int]
    tried: int = 0
    applied: int = 0
    failed: dict[str, int] = {}
    next: Place | None = None


async def redrive_many(
    process: Process, sealer: Sealer, inbox: Inbox[Message], ask: RedriveMany, who: str
) -> RedrivenMany:
    """Take the next matching items again; with `dry_run` only count them."""
    wanted = ask.wanted()
    async with process.pool.acquire() as conn, conn.transaction():
        matched = await store.matching_counts(conn, wanted)
        if ask.dry_run:
            return RedrivenMany(matched=matched)
        about = ask.source or "any-source"
        await plumbing.add_audit(conn, [(who, "re-drive-many", about, "set-aside", ask.reason)])
        after = (ask.after.received_at, ask.after.item) if ask.after else None
        rows = await store.matching(conn, wanted, after, ask.limit)
    applied, failed = await _each(process, sealer, inbox, [row["id"] for row in rows], who)
    last: tuple[UUID, datetime] | None = None
    if len(rows) == ask.limit:
        last = rows[-1]["id"], rows[-1]["received_at"]
    return RedrivenMany(
        matched=matched,
        tried=len(rows),
        applied=applied,
        failed=dict(failed),
        next=Place(item=last[0], received_at=last[1]) if last else None,
    )


async def _each(
    process: Process, sealer: Sealer, inbox: Inbox[Message], items: Sequence[UUID], who: str
) -> tuple[int, Counter[str]]:
    applied, failed = 0, Counter[str]()
    for item in items:
        try:
            applied += await take_again(process, sealer, inbox, item, who)
        except Problem as problem:
            if problem.status == 503:
                raise
            if problem.status != 409:  # closed meanwhile: it followed another, or a person did it
                failed[str(problem)] += 1
    return applied, failed
