"""Two siblings, what is said of them, and their cases in memory as routing's handler has them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid5

from services.routing.domain.absence import counts_at_once
from services.routing.domain.cases import (
    Case,
    Changes,
    DecisionRow,
    Rules,
    new_case,
    receive,
    take_back,
)
from services.routing.domain.decision import Decision
from services.routing.domain.facts import Told, UrgencyState
from services.routing.domain.households import Home, Homes
from services.routing.domain.joins import Joins
from services.routing.households.kin import Kin
from shared.events import CodedFacts, ReasonCode, Signal, Withdrawn
from tests.mixups import SEALED

BEGIN = datetime(2026, 2, 2, 9, tzinfo=UTC)
ELDER, YOUNGER, HOME = UUID(int=101), UUID(int=102), UUID(int=900)
NAMES = {"elder": ELDER, "younger": YOUNGER}
SCHOOL: ReasonCode = "LOCAL-REASON-SCHOOL"
EXHAUSTED: ReasonCode = "LOCAL-REASON-GUARDIAN-EXHAUSTION"


class Notified(NamedTuple):
    """One notification of the fixture: when, by which system it was sent, and what it says."""

    day: int  # after the first
    source: str
    about: str  # the elder or the younger
    reasons: tuple[ReasonCode, ...]


ELEVEN = (
    Notified(0, "school", "elder", (SCHOOL,)),
    Notified(20, "day-care", "younger", (EXHAUSTED,)),
    Notified(41, "school-nurse", "elder", (SCHOOL,)),
    Notified(70, "school", "elder", (SCHOOL,)),
    Notified(95, "day-care", "younger", (EXHAUSTED,)),
    Notified(120, "school", "elder", (SCHOOL,)),
    Notified(
        150, "family-work", "elder",
        ("LOCAL-REASON-SUPPORT-WITHOUT-EFFECT", "LOCAL-REASON-THREAT",
         "LOCAL-REASON-CUSTODY-DISPUTE"),
    ),
    Notified(171, "day-care", "younger", (EXHAUSTED,)),
    Notified(190, "police", "elder", ()),
    Notified(215, "school", "elder", (SCHOOL,)),
    Notified(240, "school-nurse", "younger", ()),
)  # fmt: skip
"""Eleven notifications about two siblings over eight months (issue 5, demand 8): A5 about the
elder, A8 about the younger, A5 again, repeats, support without effect with A6 and A9, repeats."""


def a_signal_about(child: UUID, at: datetime, source: str, number: int, **more: Any) -> Signal:
    """A signal from its coded facts; `number` makes its ids, so that it is the same each time."""
    receipt = uuid5(HOME, str(number))
    given: dict[str, Any] = {
        "id": f"{receipt}.0", "child": child, "receipt_id": receipt, "index": 0, "children": 1,
        "received_at": at, "provisional": False, "age_band": "7-12", "facts": CodedFacts(),
        "person": SEALED, "text": SEALED, "source": source, "source_id": str(receipt),
        "household": HOME, **more,
    }  # fmt: skip
    return Signal(**given)


def eleven() -> list[Signal]:
    """The fixture as signals."""
    return [
        a_signal_about(
            NAMES[each.about], BEGIN + timedelta(days=each.day), each.source, number,
            facts=CodedFacts(reasons=each.reasons),
        )
        for number, each in enumerate(ELEVEN, 1)
    ]  # fmt: skip


@dataclass
class Siblings:
    """The two cases in memory, and all that they were decided."""

    rules: Rules
    kin: Kin = field(
        default_factory=lambda: Kin(Homes([Home(HOME, ELDER), Home(HOME, YOUNGER)]), Joins({}))
    )
    standing: dict[UUID, dict[str, Told]] = field(default_factory=lambda: {ELDER: {}, YOUNGER: {}})
    taken_back: dict[str, str] = field(default_factory=dict)
    decisions: list[DecisionRow] = field(default_factory=list)
    looks: list[UUID] = field(default_factory=list)

    def take(self, *events: Signal | Withdrawn) -> None:
        """What routing's handler does with them, one after the other."""
        for event in events:
            changes = Changes(self.kin.cases, taken_back=self.taken_back)
            now = event.received_at
            if isinstance(event, Signal):
                self._receive(changes, event, now)
            elif event.child in self.kin.cases:
                changes.standing = self.standing
                take_back(changes, self.kin.cases[event.child], event, self.rules, now)
            else:
                self.taken_back[event.withdraws] = event.id
            self.kin.tell(changes, self.kin.siblings(event.child), event.id, self.rules, now)
            self.decisions += changes.decisions
            self.looks += [child for child, _ in changes.looks]

    def _receive(self, changes: Changes, signal: Signal, now: datetime) -> None:
        if signal.corrects is not None:
            changes.standing = self.standing
        case = self.kin.cases.get(signal.child)
        if case is None:
            case = self.kin.cases[signal.child] = new_case(signal.child, signal)
        case.family = self.kin.family(signal.child)
        receive(changes, case, signal, self.rules, now)
        if signal.corrects is None and counts_at_once(signal) and signal.id not in self.taken_back:
            told = Told(signal.received_at, signal.facts, signal.source)
            self.standing[signal.child][signal.id] = told

    def case(self, child: UUID) -> Case:
        return self.kin.cases[child]

    def decided(self, child: UUID, urgency: UrgencyState | None = None) -> Decision:
        """The decision of a case as it stands, or would with this answer to its urgency check."""
        case = self.case(child)
        return self.rules.at(case.pending_since).decide(
            case.stated, case.age_band, urgency or case.urgency
        )[0]

    def stored(self, child: UUID) -> DecisionRow:
        """The newest decision of a case that was kept."""
        return [row for row in self.decisions if row.child == child][-1]


def all_decided(rules: Rules, events: Iterable[Signal | Withdrawn]) -> list[bytes]:
    """How the two cases are decided once all these have come, in this order."""
    siblings = Siblings(rules)
    siblings.take(*events)
    return [siblings.decided(child).to_json() for child in siblings.kin.cases]
