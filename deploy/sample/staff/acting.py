"""What workers see of a case, and what an act is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

Kind = Literal[
    "check",
    "holder",
    "destination",
    "questions",
    "family_told",
    "assessment_started",
    "manifestly_unnecessary",
    "assessment_finished",
    "returned",
    "identity",
    "join",
    "original_read",
    "item_closed",
]

SECOND_LOOK = 0.12  # of what is decided: a second worker looks, independently
DISAGREES = 0.4  # of second looks


class TrueName(NamedTuple):
    """Who a child really is, as somebody finds out who asks around."""

    name: str
    hetu: str


@dataclass(frozen=True)
class Notified:
    """One notification of a case: what is open of it.

    `urgent` is what is really so, where the county's truth knows; what a careful worker finds
    follows it, mostly. `returned`: an absence signal that went back to its school and about which
    nobody has said whether it is a matter.
    """

    id: str
    received_at: datetime
    open: bool
    flagged: bool
    running: frozenset[str] = frozenset()
    urgent: bool | None = None
    returned: bool = False


@dataclass(frozen=True)
class Standing:
    """A case as the desk tells of it; `confirmed` is whom a person chose by the act `holder_act`.

    `who` is the child of a case that nobody knows, where the county's truth does.
    """

    child: str
    urgency: str
    holder: str
    holder_seq: int
    holder_chosen: bool
    proposals: Mapping[str, int] = field(default_factory=dict)  # destination -> number, open ones
    client: bool = False
    notifications: tuple[Notified, ...] = ()  # the earliest first
    confirmed: str | None = None
    holder_act: str | None = None
    who: TrueName | None = None
    asks: tuple[str, ...] = ()  # what could change its decision, the most decisive first
    answered: bool = False  # somebody has recorded answers already

    @property
    def about(self) -> tuple[str, ...]:
        """Ids of its notifications."""
        return tuple(note.id for note in self.notifications)


class Aside(NamedTuple):
    """A message that was set aside."""

    item: str
    received_at: datetime
    outcome: str


@dataclass(frozen=True)
class Act:
    """One act for the desk's API: its place, its body, who does it and when it was done.

    `about` are the notifications it is about, `since` is when it lay before the worker. `said` is
    the answer in a word, `believed` what the worker thinks: None of who did not look. A second
    worker who agrees sends nothing (`sent`); of some acts the desk takes no time (`dated`).
    """

    place: str
    worker: str
    done_at: datetime
    body: Mapping[str, Any]
    kind: Kind
    about: tuple[str, ...]
    since: datetime
    said: str
    believed: str | None
    look: Literal[1, 2] = 1
    sent: bool = True
    dated: bool = True


def name_of(note: Notified) -> str:
    """Stands for a notification in every run: ids are random, times of receipt are not."""
    place = note.id.rpartition(".")[2]
    return f"{note.received_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S} {place}"
