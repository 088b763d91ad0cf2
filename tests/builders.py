"""Things to test with: invented children, sealed signals, and cases made by routing's own handler.

Nobody here exists: personal identity codes have an individual number of 900-999.
"""

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from services.routing.domain.cases import Rules
from services.routing.domain.clocks import ClockSettings
from services.routing.handlers import signals
from services.routing.in_force import rules_in_force
from services.routing.urgent import urgent_items
from shared import events
from shared import store as plumbing
from shared.database import Connection, Pool
from shared.events import (
    AgeBand,
    AnySignal,
    AttachedFile,
    CodedFacts,
    NotifiedChild,
    SetAside,
    Signal,
    UrgentItem,
)
from shared.hetu import make_hetu
from shared.ids import time_ordered_id
from shared.inbox import Incoming, Raw
from shared.sealing import KeyFile, Sealer
from shared.store import LogRow

NOON = datetime(2026, 11, 17, 10, 0, tzinfo=UTC)  # a Tuesday, 12.00 in Finland
RULES = Path(__file__).resolve().parent.parent / "services" / "routing" / "rules"
WORDS = "Lapsi on kertonut huolestaan koulussa."


class SetClock:
    """A clock that stands until a test moves it."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> datetime:
        """Move on, by what `timedelta` takes."""
        self.now += timedelta(**by)
        return self.now


def key_file(directory: Path) -> Path:
    """A new file of key-encryption keys."""
    path = directory / "keys.json"
    if not path.exists():
        KeyFile.create(path)
    return path


def routing_rules() -> Rules:
    """The shipped tables and settings with the county's usual choices."""
    return rules_in_force(RULES, ClockSettings())


@dataclass
class AChild:
    """An invented child. `card` is what the notifier knows of them."""

    id: UUID = field(default_factory=uuid4)
    name: str = "Testi Lapsi"
    born: date = date(2014, 5, 1)
    number: int = 903
    known: bool = True
    more: Mapping[str, Any] = field(default_factory=dict)

    @property
    def hetu(self) -> str:
        return make_hetu(self.born, self.number).value

    def card(self) -> bytes:
        """The person card, as it is sealed."""
        given = {"name": self.name, "hetu": self.hetu if self.known else None, **self.more}
        return NotifiedChild.model_validate_json(json.dumps(given)).model_dump_json().encode()


def a_signal(
    sealer: Sealer,
    child: AChild,
    *,
    received_at: datetime = NOON,
    facts: CodedFacts | None = None,
    children: int = 1,
    age_band: AgeBand = "7-12",
    text: Mapping[str, Any] | None = None,
    attachments: Sequence[AttachedFile] = (),
    source_id: str = "",
    **more: Any,
) -> tuple[Signal, Any]:
    """A sealed signal, and the notifier's key that must be stored with it; `more`: its fields.

    The child's key must be there (`Sealer.new_key` or `load`).
    """
    facts = facts or CodedFacts()
    receipt = time_ordered_id(received_at)
    ident = f"{receipt}.0"
    notifier = sealer.new_key(time_ordered_id(received_at))
    content = {
        "observations": WORDS,
        "knowledge": "first_hand",
        "reasons": list(facts.reasons),
        "urgency": {"in_danger": facts.in_danger},
        **(text or {}),
    }
    card = b'{"kind": "education", "name": "Testi Ilmoittaja"}'
    signal = Signal(
        id=ident,
        child=child.id,
        receipt_id=receipt,
        index=0,
        children=children,
        received_at=received_at,
        provisional=not child.known,
        age_band=age_band if child.known else "unknown",
        facts=facts,
        person=sealer.seal(child.id, "person", ident, child.card()),
        text=sealer.seal(child.id, "text", ident, json.dumps(content).encode()),
        notifier=sealer.seal(notifier.id, "notifier", str(receipt), card),
        attachments=tuple(attachments),
        source="school-1",
        source_id=source_id or f"n-{receipt}",
        **more,
    )
    return signal, notifier


class Cases:
    """Brings signals to routing's own handler, as its consumer would, with the same effects."""

    def __init__(self, pool: Pool, sealer: Sealer, clock: SetClock) -> None:
        self.pool = pool
        self.sealer = sealer
        self.clock = clock
        self.rules = routing_rules()
        self._inbox = signals(self.rules, clock, sealer)
        self._offsets = itertools.count()
        self._keys: set[UUID] = set()

    async def notified(self, child: AChild | None = None, **about: Any) -> Signal:
        """A notification about the child has arrived and is screened."""
        signal = await self.sealed(child or AChild(), **about)
        async with self.pool.acquire() as tx, tx.transaction():
            await self.take(tx, [signal])
        return signal

    async def sealed(self, child: AChild, **about: Any) -> Signal:
        """A notification about the child that has not arrived yet; its keys are there."""
        async with self.pool.acquire() as tx, tx.transaction():
            if child.id not in self._keys:
                await plumbing.add_data_keys(tx, [self.sealer.new_key(child.id)])
                self._keys.add(child.id)
            await self.sealer.load(tx, [child.id])
            about.setdefault("received_at", self.clock())
            signal, notifier = a_signal(self.sealer, child, **about)
            await plumbing.add_data_keys(tx, [notifier])
        return signal

    async def come(self, *messages: Any) -> list[LogRow]:
        """Anything that intake tells has arrived, in one transaction; its rows in the log."""
        async with self.pool.acquire() as tx, tx.transaction():
            return await self.take(tx, messages)

    async def many(self, count: int, **about: Any) -> list[Signal]:
        """As many children, each with one notification, in one transaction."""
        made = []
        async with self.pool.acquire() as tx, tx.transaction():
            keys = []
            for place in range(count):
                child = AChild()
                keys.append(self.sealer.new_key(child.id))
                received = self.clock() + timedelta(milliseconds=place)
                signal, notifier = a_signal(
                    self.sealer, child, **{"received_at": received, **about}
                )
                keys.append(notifier)
                made.append(signal)
            await plumbing.add_data_keys(tx, keys)
            await self.take(tx, made)
        return made

    async def set_aside(self, item: UUID | None = None, **about: Any) -> UUID:
        """Something arrived at intake that could not be applied."""
        item = item or uuid4()
        given: dict[str, Any] = {
            "id": f"{item}.opened", "item": item, "state": "opened", "service": "intake",
            "outcome": "quarantined", "reason": "bad-json", "received_at": self.clock(), **about,
        }  # fmt: skip
        async with self.pool.acquire() as tx, tx.transaction():
            await self.take(tx, [SetAside(**given)])
        return item

    async def marked(self) -> UUID:
        """A message whose sender marks immediate danger waits for its turn; its item's id."""
        item = uuid4()
        event = UrgentItem(
            id=f"{item}.opened", item=item, state="opened", reason="marked-by-sender",
            received_at=self.clock(),
        )  # fmt: skip
        raw = Raw(0, next(self._offsets), self.clock(), None, (), event.model_dump_json().encode())
        inbox = urgent_items(self.rules, self.clock)
        async with self.pool.acquire() as tx, tx.transaction():
            door = await plumbing.door(tx, "routing-urgent", "test", events.URGENT)
            await inbox.take(tx, door, [inbox.read(raw)])
        return item

    async def parked(self, child: AChild) -> UUID:
        """A notification about the child that the handler could not apply; its item's id."""
        async with self.pool.acquire() as tx, tx.transaction():
            if child.id not in self._keys:
                await plumbing.add_data_keys(tx, [self.sealer.new_key(child.id)])
                self._keys.add(child.id)
            signal, notifier = a_signal(self.sealer, child, received_at=self.clock())
            await plumbing.add_data_keys(tx, [notifier])
            (row,) = await self.take(tx, [signal], RuntimeError("a bug"))
            item: UUID = await tx.fetchval(
                'SELECT id FROM set_aside WHERE door = $1 AND "offset" = $2', row.door, row.offset
            )
        return item

    async def take(
        self,
        tx: Connection,
        messages: Sequence[AnySignal],
        failure: BaseException | None = None,
    ) -> list[LogRow]:
        """Messages through the inbox in this transaction."""
        door = await plumbing.door(tx, "routing-signal", "test", events.SIGNAL)
        batch = []
        for message in messages:
            name = {"set_aside": "item", "directory": "entry"}.get(message.kind, "child")
            key = str(getattr(message, name)).encode()
            value = message.model_dump_json().encode()
            raw = Raw(0, next(self._offsets), self.clock(), key, (), value)
            read = self._inbox.read(raw)
            assert isinstance(read, Incoming)
            batch.append(read)
        return await self._inbox.take(tx, door, batch, failure)
