"""Events in: signals that want a receipt, case events that want an alert. Nothing is sent here."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from services.notifications import store
from services.notifications.domain import (
    Priority,
    Purpose,
    alert_for,
    before_start,
    parked,
    put_in_order,
    reference_from,
)
from services.notifications.store import NewReceipt
from shared.clock import Clock
from shared.database import Connection
from shared.events import (
    NOTICE,
    AnySignal,
    CaseEvent,
    DirectorySignal,
    IdentityTask,
    Merged,
    Separated,
    SetAside,
    Signal,
    SignalMessage,
)
from shared.ids import time_ordered_id
from shared.inbox import Aside, Inbox, Incoming, Outcome, Raw, Stored, Unreadable
from shared.inbox import SetAside as SetAsideHook
from shared.sealing import KeyFile
from shared.store import Outgoing

INTAKE = "luotsi.intake"
ROUTING = "luotsi.routing"

_SIGNAL: TypeAdapter[AnySignal] = TypeAdapter(SignalMessage)
_MEND = "A programme of Luotsi sent what this version cannot read: upgrade, then re-drive."


# --- luotsi.signal.v1 -----------------------------------------------------------------------------


def read_signal(raw: Raw) -> Incoming[AnySignal] | Unreadable:
    """A signal from its bytes; what cannot be read parks its key."""
    try:
        signal = _SIGNAL.validate_json(raw.value or b"")
    except ValidationError:
        return Unreadable(raw, "unreadable-signal", _MEND, key=_text(raw.key))
    if isinstance(signal, DirectorySignal):
        key = signal.entry
    else:
        key = signal.item if isinstance(signal, SetAside) else signal.child
    if isinstance(signal, IdentityTask | Merged | Separated):
        received = signal.at
    else:
        received = signal.received_at
    return Incoming(raw, signal, INTAKE, signal.id, str(key), received)


def signals(keys: KeyFile, clock: Clock, not_before: datetime | None) -> Inbox[AnySignal]:
    """How notifications take `luotsi.signal.v1`: one receipt per notification.

    An item set aside wants an alert too, but not from here: routing answers it with
    `duty_item_opened` once the duty desk shows it, and calling a person earlier would show them
    an empty page.
    """

    def receipt(signal: Signal, notifier: str, now: datetime) -> NewReceipt:
        skip = before_start(signal.received_at, not_before)
        digest = keys.lookup_hash("receipt-reference", str(signal.receipt_id))
        return NewReceipt(
            time_ordered_id(now),
            "skipped_before_start" if skip else "created",
            signal.receipt_id,
            reference_from(digest),
            notifier,
            signal.received_at,
        )

    async def on_signals(tx: Connection, batch: Sequence[Incoming[AnySignal]]) -> Sequence[Outcome]:
        now = clock()
        arrived = [item.event for item in batch]
        firsts = [e for e in arrived if isinstance(e, Signal) and e.index == 0]
        told = [receipt(e, e.notifier, now) for e in firsts if e.notifier]  # else nobody to tell
        await store.add_receipts(tx, told)
        return [Outcome("applied") for _ in batch]

    return Inbox("notifications", read_signal, on_signals, park("receipt"), clock)


# --- luotsi.case.v1 -------------------------------------------------------------------------------


def read_case_event(raw: Raw) -> Incoming[CaseEvent] | Unreadable:
    """A case event from its bytes; what cannot be read parks its key."""
    try:
        event = CaseEvent.model_validate_json(raw.value or b"")
    except ValidationError:
        return Unreadable(raw, "unreadable-case-event", _MEND, key=_text(raw.key))
    return Incoming(raw, event, ROUTING, event.id, str(event.child), event.at)


def case_events(clock: Clock, not_before: datetime | None) -> Inbox[CaseEvent]:
    """How notifications take `luotsi.case.v1`: in order per child, alerts for the duty team."""

    async def on_case_events(
        tx: Connection, batch: Sequence[Incoming[CaseEvent]]
    ) -> Sequence[Outcome]:
        arrived = [item.event for item in batch]
        children = sorted({event.child for event in arrived})
        positions = await store.lock_positions(tx, children)
        order = put_in_order(positions, await store.held_events(tx, children), arrived)
        await store.save_order(tx, positions, order)
        for priority, at in alerts(order.applied, not_before):
            await store.add_alert(tx, time_ordered_id(clock()), priority, at)
        return [_OUTCOMES[verdict] for verdict in order.verdicts]

    return Inbox("notifications", read_case_event, on_case_events, park("duty_alert"), clock)


# A held event is applied as far as the log goes: this service answers for it from now on, and a
# second copy of it is a repeat. `held_case_event` knows that it still waits.
_OUTCOMES = {
    "applied": Outcome("applied"),
    "held": Outcome("applied", reason="came-before-an-earlier-one"),
    "repeated": Outcome("repeated", reason="seq-applied-before"),
}


def alerts(
    applied: Sequence[CaseEvent], not_before: datetime | None
) -> list[tuple[Priority, datetime]]:
    """The alerts of a batch, at most one of each priority, with the time of its first event."""
    first: dict[Priority, datetime] = {}
    for event in applied:
        priority = alert_for(event)
        if priority is not None and not before_start(event.at, not_before):
            first[priority] = min(event.at, first.get(priority, event.at))
    return sorted(first.items())


# --- what could not be applied --------------------------------------------------------------------


def park(purpose: Purpose) -> SetAsideHook:
    """What this service cannot apply goes to the duty desk as an event about the item."""

    async def set_aside(_tx: Connection, items: Sequence[Aside]) -> Sequence[Stored]:
        return [Stored(item.raw.value, [_parked(item, purpose)]) for item in items]

    return set_aside


def _parked(item: Aside, purpose: Purpose) -> Outgoing:
    event = parked(item.item, purpose, item.reason, item.received_at)
    return Outgoing(NOTICE, _key(item.item), event.id, event.model_dump_json().encode())


def _key(about: UUID) -> bytes:
    return str(about).encode()


def _text(key: bytes | None) -> str | None:
    try:
        return key.decode("ascii") if key else None
    except UnicodeDecodeError:
        return None
