"""Who is who, as a worker says it: an identity, two children who are one, one who is two.

What is decided leaves as an event on the key of each child, in the transaction that decides it.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, NamedTuple
from uuid import UUID

from fastapi import Depends, FastAPI
from pydantic import BaseModel, ConfigDict, Field

from services.intake import store
from services.intake.alike.keeping import keep_traits
from services.intake.alike.store import set_apart
from services.intake.domain.traits import notified
from services.intake.problems import Problem
from shared import events
from shared import store as plumbing
from shared.clock import Clock
from shared.database import Connection
from shared.events import IdentityTask, Merged, NotifiedChild, Separated, age_band_on
from shared.hetu import Hetu, InvalidHetuError, parse_hetu
from shared.ids import random_id, time_ordered_id
from shared.sealing import Sealer
from shared.service import Process
from shared.store import Outgoing


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    child: UUID


class GivenIdentity(_Asked):
    """Who a provisional child is; with `changed`, that a known child's henkilötunnus is another."""

    hetu: str
    name: str | None = None
    changed: bool = False


class Join(_Asked):
    """Two children are one."""

    other: UUID


class Separate(_Asked):
    """A child who was joined is not that other one."""


class Split(_Asked):
    """These messages were never about this child."""

    signals: tuple[str, ...] = Field(min_length=1, max_length=200)


class _Told(NamedTuple):
    """Who did it, and when."""

    worker: str
    clock: Clock


def identity_routes(
    app: FastAPI, process: Process, sealer: Sealer, clock: Clock, worker: Callable[..., str]
) -> None:
    """Add what the desk asks in a worker's name."""

    @app.post("/internal/identity", include_in_schema=False)
    async def identity(body: GivenIdentity, who: Annotated[str, Depends(worker)]) -> dict[str, str]:
        async with process.pool.acquire() as tx, tx.transaction():
            await _identify(tx, sealer, body, _Told(who, clock))
        return {"child": str(body.child), "state": "identified"}

    @app.post("/internal/merge", include_in_schema=False)
    async def merge(body: Join, who: Annotated[str, Depends(worker)]) -> dict[str, str]:
        async with process.pool.acquire() as tx, tx.transaction():
            merged, kept = await _join(tx, body, _Told(who, clock))
        return {"merged": str(merged), "kept": str(kept)}

    @app.post("/internal/separate", include_in_schema=False)
    async def separate(body: Separate, who: Annotated[str, Depends(worker)]) -> dict[str, str]:
        async with process.pool.acquire() as tx, tx.transaction():
            kept = await _separate(tx, body.child, _Told(who, clock))
        return {"merged": str(body.child), "kept": str(kept)}

    @app.post("/internal/split", include_in_schema=False)
    async def split(body: Split, who: Annotated[str, Depends(worker)]) -> dict[str, str]:
        async with process.pool.acquire() as tx, tx.transaction():
            new = await _split(tx, sealer, body, _Told(who, clock))
        return {"merged": str(new), "kept": str(body.child)}


# --- an identity ---------------------------------------------------------------------------------


async def _identify(tx: Connection, sealer: Sealer, body: GivenIdentity, told: _Told) -> None:
    """Lead a henkilötunnus to a child; one that leads to another child already asks for a join."""
    try:
        hetu = parse_hetu(body.hetu)
    except InvalidHetuError as error:
        raise Problem(422, "invalid-hetu", "Not a henkilötunnus", str(error)) from None
    child = (await _locked(tx, [body.child]))[body.child]
    if not child["provisional"] and not body.changed:
        raise Problem(409, "already-identified", "This child has an identity already")
    digest = sealer.keys.lookup_hash("hetu", hetu.value)
    if child["provisional"] and await store.child_of(tx, digest) is None:
        await store.forget_parent(tx, body.child)
    count = await store.identify(tx, body.child, digest)
    if count is None:
        await _refuse_known(tx, body.child, digest)
    await sealer.load(tx, [body.child])
    ident = f"{body.child}.identified" + (f".{count}" if count != 1 or body.changed else "")
    given = NotifiedChild(hetu=hetu.value, name=body.name)
    await keep_traits(tx, sealer, [(body.child, notified(given))])
    task = _identity_task(sealer, given, hetu, (body.child, ident), told)
    await plumbing.add_audit(
        tx, [(told.worker, "give-identity", str(body.child), "identity-task", None)]
    )
    await plumbing.add_outbox(
        tx,
        [Outgoing(events.SIGNAL, str(body.child).encode(), ident, task.model_dump_json().encode())],
    )


def _identity_task(
    sealer: Sealer, given: NotifiedChild, hetu: Hetu, about: tuple[UUID, str], told: _Told
) -> IdentityTask:
    """`about`: the child and the event's id."""
    now = told.clock()
    child, ident = about
    return IdentityTask(
        id=ident,
        child=child,
        state="given",
        age_band=age_band_on(hetu.born, now.date()),
        person=sealer.seal(child, "person", ident, given.model_dump_json().encode()),
        at=now,
    )


async def _refuse_known(tx: Connection, child: UUID, digest: bytes) -> None:
    """Say whose henkilötunnus it is, by the random id: the worker is asked before they are one."""
    other = await store.child_of(tx, digest)
    last = other and await store.joined_to(tx, other)
    if last is None or last == child:
        raise Problem(409, "already-identified", "This child has this identity already")
    raise Problem(
        409, "known-identity", "Luotsi knows this person already",
        "Join the two if they are one person.", other=str(last),
    )  # fmt: skip


# --- one or two ----------------------------------------------------------------------------------


async def _locked(tx: Connection, children: Sequence[UUID]) -> dict[UUID, store.Row]:
    """Children who are joined to nobody, locked in key order."""
    found = await store.lock_children(tx, children)
    if len(found) < len(set(children)):
        raise Problem(404, "unknown-child", "There is no such child")
    if any(row["joined_to"] is not None for row in found.values()):
        raise Problem(409, "joined-already", "This child has been joined to another")
    return found


async def _join(tx: Connection, body: Join, told: _Told) -> tuple[UUID, UUID]:
    """Join two children: whoever is known keeps the case, else whoever came first."""
    if body.child == body.other:
        raise Problem(422, "same-child", "A child cannot be joined to itself")
    found = await _locked(tx, [body.child, body.other])
    kept, merged = sorted(
        found.values(), key=lambda c: (c["provisional"], c["created_at"], c["id"])
    )
    number = await store.join(tx, merged["id"], kept["id"])
    if merged["provisional"] and not kept["provisional"]:
        await store.retire_lookups(tx, merged["id"])
    change = time_ordered_id(told.clock())
    copies = [
        Merged(
            id=f"{change}.{place}", child=key, merged=merged["id"], kept=kept["id"],
            number=number, kept_number=kept["joins"], at=told.clock(),
        )
        for place, key in enumerate((merged["id"], kept["id"]))
    ]  # fmt: skip
    await _tell(tx, copies, "merge", told)
    return merged["id"], kept["id"]


async def _separate(tx: Connection, child: UUID, told: _Told) -> UUID:
    """Undo a join; returns whose case the child's messages stood in."""
    last = await store.joined_to(tx, child)
    if last is None:
        raise Problem(404, "unknown-child", "There is no such child")
    found = await store.lock_children(tx, [child, last])
    if found[child]["joined_to"] is None:
        raise Problem(409, "not-joined", "This child is joined to nobody")
    if await store.joined_to(tx, child) != last:
        raise Problem(503, "busy", "Not done", "Try again.")
    number = await store.join(tx, child, None)
    await store.give_back_lookups(tx, child)
    await set_apart(tx, child, {last, found[child]["joined_to"]})
    await _tell(tx, _separated(child, last, number, (), told), "separate", told)
    return last


async def _split(tx: Connection, sealer: Sealer, body: Split, told: _Told) -> UUID:
    """A new child, of whom these messages are; nobody knows yet who that is."""
    await _locked(tx, [body.child])
    new = random_id()
    await store.add_children(tx, [(new, True)])
    await plumbing.add_data_keys(tx, [sealer.new_key(new)])
    number = await store.join(tx, new, None)
    await set_apart(tx, new, {body.child})
    await _tell(tx, _separated(new, body.child, number, body.signals, told), "split", told)
    return new


def _separated(
    merged: UUID, kept: UUID, number: int, signals: tuple[str, ...], told: _Told
) -> list[Separated]:
    change, now = time_ordered_id(told.clock()), told.clock()
    return [
        Separated(
            id=f"{change}.{place}", child=key, merged=merged, kept=kept, number=number,
            signals=signals, at=now,
        )
        for place, key in enumerate((merged, kept))
    ]  # fmt: skip


async def _tell(
    tx: Connection, copies: Sequence[Merged | Separated], act: str, told: _Told
) -> None:
    """A copy with the key of each, and who did it."""
    await plumbing.add_audit(
        tx, [(told.worker, act, str(copy.child), "identity-task", copy.id) for copy in copies]
    )
    await plumbing.add_outbox(
        tx,
        [
            Outgoing(
                events.SIGNAL, str(copy.child).encode(), copy.id, copy.model_dump_json().encode()
            )
            for copy in copies
        ],
    )
