"""Messages whose sender marks immediate danger: at the duty desk before their turn has come.

`luotsi.urgent.v1` opens an item with the clock of the urgency check alone. It closes in the
transaction in which the message's own checks stand open, or in which the message stands there as
set aside. The two topics have no order, so what closes an item may come first.
"""

from collections.abc import Sequence
from datetime import datetime

from pydantic import ValidationError

from services.routing import store
from services.routing.domain.cases import Rules
from services.routing.domain.clocks import urgent_by
from services.routing.handlers import INTAKE, UNREADABLE_MEND, duty_event, park, settle, text_of
from shared.clock import Clock
from shared.database import Connection
from shared.events import UrgentItem
from shared.inbox import Inbox, Incoming, Outcome, Raw, Unreadable
from shared.store import Outgoing


def read_urgent(raw: Raw) -> Incoming[UrgentItem] | Unreadable:
    """An item from its bytes; what cannot be read parks its key."""
    try:
        item = UrgentItem.model_validate_json(raw.value or b"")
    except ValidationError:
        return Unreadable(raw, "unreadable-urgent", UNREADABLE_MEND, key=text_of(raw.key))
    return Incoming(raw, item, INTAKE, item.id, str(item.item), item.received_at)


def urgent_items(rules: Rules, clock: Clock) -> Inbox[UrgentItem]:
    """How routing takes `luotsi.urgent.v1`."""

    async def on_items(tx: Connection, batch: Sequence[Incoming[UrgentItem]]) -> list[Outcome]:
        now = clock()
        said = {}
        for item in sorted(batch, key=lambda each: each.event.item):
            said[item.id] = await _take(tx, item.event, rules, now)
        return [Outcome("applied", said[item.id], item.raw.value) for item in batch]

    return Inbox("routing", read_urgent, on_items, park(rules, clock, of_children=False), clock)


async def _take(tx: Connection, item: UrgentItem, rules: Rules, now: datetime) -> list[Outgoing]:
    if item.state == "closed":
        return await settle(tx, item.item, item.reason, now)
    if await store.is_settled(tx, item.item):
        return []
    await store.open_urgent_item(tx, item)
    due = urgent_by(item.received_at, rules.clocks)
    await store.add_urgency_clock(tx, item.item, item.received_at, due)
    return [duty_event(item.item, 1, "duty_item_opened", now, urgent=True)]
