"""Children who are one for now, and what a case is when its notifications are counted anew. Pure.

A notification never loses the child it arrived as. Who was joined to whom says whose case it
stands in, so a separation needs no memory of what a join has changed: everything is counted anew
from the notifications, for each case from its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from services.routing.domain.cases import Case, case_mark, still_pending, who
from services.routing.domain.facts import Answered, Told, UrgencyState, known_when
from services.routing.domain.windows import recent_of
from shared.events import AgeBand


class Joins(NamedTuple):
    """Child -> whose case has its notifications; only children who are joined to another."""

    holders: Mapping[UUID, UUID]

    def of(self, child: UUID) -> UUID:
        """Whose case takes what is about this child."""
        return self.holders.get(child, child)

    def joined(self, child: UUID) -> tuple[UUID, ...]:
        """The children whose notifications stand in this child's case, in key order."""
        if not self.holders:
            return ()
        return tuple(sorted(each for each, holder in self.holders.items() if holder == child))


class Note(NamedTuple):
    """A notification as far as a case is made of it."""

    id: str
    received_at: datetime
    check_state: UrgencyState
    waits: bool  # its assessment has not begun
    age_band: AgeBand
    provisional: bool
    waits_at_duty: bool  # for its check, or returned to a school and not settled
    told: Told | None  # None where it does not count: taken back, or returned
    pending: bool = False  # its assessment is neither ready nor found unnecessary


def empty_case(child: UUID, at: datetime) -> Case:
    """The case of a child of whom nothing has arrived here yet."""
    return Case(
        child=child, mark=case_mark(child), age_band="unknown", provisional=True, first_at=at,
        last_at=at, is_new=True,
    )  # fmt: skip


def count_anew(
    case: Case,
    notes: Sequence[Note],
    identified: Iterable[AgeBand],
    answered: Sequence[Answered] = (),
) -> None:
    """What the notifications of a case tell together, and what a worker was told of its people.

    `identified`: bands that workers gave.
    """
    stands = {note.id: note.told for note in notes if note.told is not None}
    case.known = known_when(stands.values(), answered)
    case.recent = recent_of(stands)
    case.answered_at = max((each.at for each in answered), default=None)
    told = [(band, False) for band in identified]
    case.age_band, case.provisional = who(
        [*told, *((note.age_band, note.provisional) for note in notes)]
    )
    case.provisional = case.provisional and bool(notes)  # nobody asks who an empty case is
    received = [note.received_at for note in notes]
    case.first_at = min(received, default=case.first_at)
    case.last_at = max(received, default=case.first_at - timedelta(microseconds=1))
    case.opened_at = case.last_at if notes else None
    still_pending(case, [note.received_at for note in notes if note.pending])


def urgency_of(notes: Sequence[Note], last_answered: str | None) -> UrgencyState:
    """A case is urgent while an urgent matter's assessment has not begun, and as last answered."""
    states = {
        note.check_state
        for note in notes
        if note.check_state == "open" or note.waits or note.id == last_answered
    }
    if not states and notes and all(note.check_state == "not_asked" for note in notes):
        return "not_asked"
    return gravest(states)


def gravest(states: Iterable[UrgencyState]) -> UrgencyState:
    """The most concerning of these."""
    return max(states, key=_GRAVER.index, default="not_urgent")


_GRAVER: tuple[UrgencyState, ...] = ("not_asked", "not_urgent", "open", "urgent")
