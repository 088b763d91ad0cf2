"""Mix-ups of children, generated: who is who changes while messages come, in any order.

`County` makes what intake would send: signals, withdrawals, joins, separations, each change in
copies. `Model` says in a few lines where a notification belongs by what has come so far.
"""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from shared.events import AgeBand, CodedFacts, Merged, ReasonCode, Separated, Signal, Withdrawn
from shared.ids import time_ordered_id
from tests.builders import NOON

Event = Signal | Withdrawn | Merged | Separated
SEALED = "s1." + "0" * 32 + ".AA"
REASONS: tuple[ReasonCode, ...] = (
    "LOCAL-REASON-SELF-HARM", "LOCAL-REASON-SCHOOL", "LOCAL-REASON-THREAT",
    "LOCAL-REASON-CHILD-SUBSTANCE", "LOCAL-REASON-NEGLECT",
)  # fmt: skip


@dataclass
class Model:
    """What has come: the newest word on each child, and what each notification stated."""

    joined: dict[UUID, tuple[int, UUID | None]] = field(default_factory=dict)
    leaf: dict[str, UUID] = field(default_factory=dict)
    signals: dict[str, Signal] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)

    def take(self, event: Event) -> None:
        """An event has come."""
        if isinstance(event, Signal):
            self.signals[event.id] = event
            self.leaf[event.id] = event.child
        elif isinstance(event, Withdrawn):
            self.gone.add(event.withdraws)
        elif isinstance(event, Merged):
            self._decide(event.kept, None, event.kept_number)
            self._decide(event.merged, event.kept, event.number)
        elif self._decide(event.merged, None, event.number):
            self.leaf |= dict.fromkeys(event.signals, event.merged)

    def _decide(self, child: UUID, to: UUID | None, number: int) -> bool:
        news = number > self.joined.get(child, (0, None))[0]
        if news:
            self.joined[child] = (number, to)
        return news

    def holder(self, child: UUID) -> UUID:
        """Whose case has what is about a child."""
        while (to := self.joined.get(child, (0, None))[1]) is not None:
            child = to
        return child

    def case_of(self, ident: str) -> UUID:
        """Whose case a notification stands in."""
        return self.holder(self.leaf[ident])

    def standing(self, child: UUID) -> list[CodedFacts]:
        """What is stated about whoever's case this is."""
        return [
            signal.facts
            for ident, signal in self.signals.items()
            if ident not in self.gone and self.case_of(ident) == child
        ]


@dataclass
class County:
    """A few children and what happens to them."""

    random: random.Random
    children: list[UUID] = field(default_factory=list)
    truth: Model = field(default_factory=Model)
    apart: list[UUID] = field(default_factory=list)

    def grow(self, count: int) -> "County":
        """As many children; none is known yet."""
        self.children = [self.uuid() for _ in range(count)]
        return self

    def uuid(self) -> UUID:
        return UUID(int=self.random.getrandbits(128), version=4)

    def signal(self, child: UUID | None = None) -> list[Event]:
        """A message about one of the children."""
        child = child or self.random.choice(self.children)
        at = NOON + timedelta(seconds=self.random.randrange(86_400))
        receipt = time_ordered_id(at)
        known = child.int % 3 > 0
        band: AgeBand = self.random.choice(("0-6", "7-12", "13-15", "unknown"))
        facts = CodedFacts(
            in_danger=self.random.choice(("yes", "no", "unknown", "unknown")),
            is_client=self.random.choice(("yes", "no", "unknown", "unknown")),
            reasons=tuple(self.random.sample(REASONS, self.random.randrange(3))),
        )
        signal = Signal(
            id=f"{receipt}.0", child=child, receipt_id=receipt, index=0, children=1,
            received_at=at, provisional=not known, age_band=band, facts=facts, person=SEALED,
            text=SEALED, notifier=SEALED,
        )  # fmt: skip
        self.truth.take(signal)
        return [signal]

    def withdrawal(self) -> list[Event]:
        """Something that was said is taken back."""
        said = [ident for ident in self.truth.signals if ident not in self.truth.gone]
        if not said:
            return self.signal()
        signal = self.truth.signals[self.random.choice(said)]
        event = Withdrawn(
            id=f"{self.uuid()}.0", child=signal.child, withdraws=signal.id, received_at=NOON
        )
        self.truth.take(event)
        return [event]

    def merge(self, of: tuple[UUID, UUID] | None = None) -> list[Event]:
        """Two who are joined to nobody are one."""
        free = [c for c in self.children + self.apart if self.truth.holder(c) == c]
        if of is None and len(free) < 2:
            return self.signal()
        merged, kept = of or self.random.sample(free, 2)
        number, kept_number = self._number(merged), self.truth.joined.get(kept, (0, None))[0]
        ident = self.uuid()
        copies = [
            Merged(
                id=f"{ident}.{place}", child=key, merged=merged, kept=kept, number=number,
                kept_number=kept_number, at=NOON,
            )
            for place, key in enumerate((merged, kept))
        ]  # fmt: skip
        self.truth.take(copies[0])
        return list(copies)

    def separation(self, child: UUID | None = None) -> list[Event]:
        """One who was joined is another again."""
        joined = [c for c in self.children + self.apart if self.truth.holder(c) != c]
        if child is None and not joined:
            return self.signal()
        merged = child or self.random.choice(joined)
        holder = self.truth.holder(merged)
        return self._separated(merged, holder, ())

    def split(self, seen: Model) -> list[Event]:
        """Some messages of a case were always about somebody else."""
        cases = [i for i, leaf in self.truth.leaf.items() if seen.leaf.get(i) == leaf]
        if not cases:
            return self.signal()
        chosen = self.random.sample(cases, 1)
        new = self.uuid()
        self.apart.append(new)
        return self._separated(new, self.truth.case_of(chosen[0]), tuple(chosen))

    def _separated(self, merged: UUID, kept: UUID, signals: tuple[str, ...]) -> list[Event]:
        ident, number = self.uuid(), self._number(merged)
        copies = [
            Separated(
                id=f"{ident}.{place}", child=key, merged=merged, kept=kept, number=number,
                signals=signals, at=NOON,
            )
            for place, key in enumerate((merged, kept))
        ]  # fmt: skip
        self.truth.take(copies[0])
        return list(copies)

    def _number(self, child: UUID) -> int:
        return self.truth.joined.get(child, (0, None))[0] + 1


def happen(county: County, seen: Model) -> list[Event]:
    """The next thing that happens."""
    what = county.random.random()
    if what < 0.45:
        return county.signal()
    if what < 0.55:
        return county.withdrawal()
    if what < 0.75:
        return county.merge()
    if what < 0.92:
        return county.separation()
    return county.split(seen)


def deliver(dice: random.Random, waiting: dict[UUID, list[Event]], limit: int) -> Iterable[Event]:
    """Some of what waits: in order for each key, in any order between keys."""
    for _ in range(limit):
        keys = [key for key, events in waiting.items() if events]
        if not keys:
            return
        yield waiting[dice.choice(keys)].pop(0)
