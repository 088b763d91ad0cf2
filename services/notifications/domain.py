"""Who may be told what, in which words, and which case events come in which order. Pure.

Sources: law.md section 4 (recipient matrix), SEC-01, MSG-01 to MSG-04.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from string import Template
from typing import Literal, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.events import CaseEvent, Language, NoticeEvent

HELSINKI = ZoneInfo("Europe/Helsinki")
LANGUAGES: tuple[Language, ...] = ("fi", "sv", "en")

Purpose = Literal["receipt", "duty_alert"]
Recipient = Literal["notifier", "duty_team"]


# --- who may be told what -------------------------------------------------------------------------


class Field(StrEnum):
    """What Luotsi could tell somebody; a mail holds values of these and nothing else."""

    RECEIVED_AT = "received_at"
    REFERENCE = "reference"
    LANGUAGE = "language"
    STATUS = "status"
    QUEUE = "queue"
    HOLDER = "holder"
    DESTINATION = "destination"
    EARLIER_NOTIFICATIONS = "earlier_notifications"
    CHILD_NAME = "child_name"
    CHILD_ID = "child_id"
    GUARDIAN_NAME = "guardian_name"
    NOTIFIER_NAME = "notifier_name"
    NOTIFICATION_TEXT = "notification_text"


class Permission(NamedTuple):
    """One row of the policy: this field may go to this recipient for this purpose."""

    recipient: Recipient
    purpose: Purpose
    field: Field
    release: Literal["automatic", "after_release"]
    basis: str


POLICY: tuple[Permission, ...] = (
    Permission("notifier", "receipt", Field.RECEIVED_AT, "automatic", "SEC-01"),
    Permission("notifier", "receipt", Field.REFERENCE, "automatic", "SEC-01"),
    Permission("notifier", "receipt", Field.LANGUAGE, "automatic", "SEC-01"),
)
"""What is not listed is never told. A duty alert tells nothing at all (MSG-01)."""

RECIPIENTS: Mapping[Purpose, Recipient] = {"receipt": "notifier", "duty_alert": "duty_team"}
BASIS: Mapping[Purpose, str] = {"receipt": "SEC-01", "duty_alert": "CLK-09"}


class NotClearedError(Exception):
    """A text would tell its recipient a field that the policy does not allow."""


def cleared(purpose: Purpose) -> frozenset[Field]:
    """The fields that may leave for `purpose` without a person's release."""
    recipient = RECIPIENTS[purpose]
    return frozenset(
        row.field
        for row in POLICY
        if (row.recipient, row.purpose, row.release) == (recipient, purpose, "automatic")
    )


def demand_clearance(purpose: Purpose, fields: Iterable[str]) -> None:
    """Raise `NotClearedError` unless every field may go out for `purpose`."""
    refused = sorted(set(fields) - cleared(purpose))
    if refused:
        raise NotClearedError(f"{purpose} may not tell: {', '.join(refused)}")


# --- in which words -------------------------------------------------------------------------------

Values = Mapping[Field, str]


@dataclass(frozen=True)
class MailTemplate:
    """One kind of mail in one language: a subject without any field, and a body."""

    purpose: Purpose
    subject: str
    body: str

    @classmethod
    def parse(cls, purpose: Purpose, text: str) -> "MailTemplate":
        """Read a template file: the subject, an empty line, the body.

        Raises `NotClearedError` for a field the purpose may not tell, so that a service with such
        a template does not even start.
        """
        subject, _, body = text.partition("\n\n")
        if Template(subject).get_identifiers():
            raise NotClearedError("a subject tells nothing (MSG-01)")
        demand_clearance(purpose, Template(body).get_identifiers())
        return cls(purpose, subject, body)


class Words(NamedTuple):
    """A rendered mail, and which fields it tells (MSG-03)."""

    subject: str
    body: str
    items: tuple[Field, ...]


def render(template: MailTemplate, values: Values) -> Words:
    """Put values into a template; raises `NotClearedError` for one that may not be told."""
    demand_clearance(template.purpose, values)
    told = sorted(Field(name) for name in Template(template.body).get_identifiers())
    body = Template(template.body).substitute({field.value: text for field, text in values.items()})
    return Words(template.subject, body, tuple(told))


def receipt_values(received_at: datetime, reference: str, language: Language) -> Values:
    """All that a receipt tells."""
    return {
        Field.RECEIVED_AT: local_time(received_at, language),
        Field.REFERENCE: reference,
        Field.LANGUAGE: language,
    }


MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip


def local_time(at: datetime, language: Language) -> str:
    """Day and time in Finland, as each language writes them."""
    local = at.astimezone(HELSINKI)
    if language == "fi":
        return f"{local.day}.{local.month}.{local.year} klo {local.hour}.{local.minute:02}"
    if language == "sv":
        return f"{local.day}.{local.month}.{local.year} kl. {local.hour}.{local.minute:02}"
    month = MONTHS[local.month - 1]
    return f"{local.day} {month} {local.year} at {local.hour}:{local.minute:02}"


ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32 signs, none that is read as another (0/O, 1/I)
REFERENCE_LENGTH = 10


def reference_from(digest: bytes) -> str:
    """A reference to read aloud, `XXXXX-XXXXX`: 50 bits of a keyed hash."""
    number = int.from_bytes(digest[:8], "big")
    signs = "".join(ALPHABET[number >> 5 * place & 31] for place in range(REFERENCE_LENGTH))
    return f"{signs[:5]}-{signs[5:]}"


# --- when, and what becomes of it -----------------------------------------------------------------


class Priority(IntEnum):
    """What the sender takes first."""

    URGENT_ALERT = 0
    ALERT = 1
    RECEIPT = 2


def retry_after(attempts: int, first: float, cap: float) -> float:
    """Seconds to wait after the `attempts`-th failed try: three times longer each, up to `cap`."""
    return min(cap, first * 3.0 ** min(attempts - 1, 20))


def before_start(received_at: datetime, not_before: datetime | None) -> bool:
    """Whether something arrived before this service was to tell anybody anything."""
    return not_before is not None and received_at < not_before


def undeliverable(notice: UUID, purpose: Purpose, reason: str, now: datetime) -> NoticeEvent:
    """The event that puts a failed notice in front of a person.

    It is about the notice, not the child: each failure is a task of its own, and its clocks run
    from the failure, not from a notification whose clocks run already.
    """
    return NoticeEvent(
        id=f"{notice}.undeliverable",
        about=notice,
        kind="undeliverable",
        purpose=purpose,
        reason=reason,
        received_at=now,
    )


def parked(item: UUID, purpose: Purpose, reason: str, received_at: datetime) -> NoticeEvent:
    """The event that puts something this service could not apply in front of a person."""
    return NoticeEvent(
        id=f"{item}.parked",
        about=item,
        kind="parked",
        purpose=purpose,
        reason=reason,
        received_at=received_at,
    )


def alert_for(event: CaseEvent) -> Priority | None:
    """Whether the duty team has a new task because of `event`, and how pressing it is.

    A screening comes with a new notification, and each opens an urgency check (design 9), whoever
    holds the case. A limit that has run out is the team's, whichever it is (I4); a warning is its
    own only for the urgency check, the others stand in the holders' lists. An item that says whose
    it is (`about`) is a supervisor's.
    """
    if event.kind in ("clock_late", "clock_warned"):
        of_urgency = (event.about or "").endswith("/urgency")
        if of_urgency:
            return Priority.URGENT_ALERT
        return Priority.ALERT if event.kind == "clock_late" else None
    if event.kind not in ("duty_item_opened", "screened"):
        return None
    if event.kind == "duty_item_opened" and event.about in _OF_SUPERVISORS:
        return None
    return Priority.URGENT_ALERT if event.urgent else Priority.ALERT


_OF_SUPERVISORS = frozenset({"unanswered", "look", "too_light"})  # routing's tasks, not the team's

# --- in which order -------------------------------------------------------------------------------

Place = tuple[UUID, int]  # child, seq
Verdict = Literal["applied", "held", "repeated"]


@dataclass(frozen=True)
class Order:
    """A batch of case events put in order."""

    verdicts: tuple[Verdict, ...]  # one for each event that arrived
    applied: tuple[CaseEvent, ...]  # now, in order per child; held ones whose gap closed included
    positions: Mapping[UUID, int]  # the last seq applied of each child
    newly_held: tuple[CaseEvent, ...]
    released: tuple[Place, ...]


def put_in_order(
    positions: Mapping[UUID, int], held: Collection[CaseEvent], arrived: Sequence[CaseEvent]
) -> Order:
    """Apply by `seq` from 1 without gaps: drop what was applied, hold what comes early.

    Nothing is ever discarded as stale: an early event waits until the gap before it closes.
    """
    at = dict(positions)
    waiting = {(event.child, event.seq): event for event in held}
    before = frozenset(waiting)
    applied: list[CaseEvent] = []
    verdicts: list[Verdict] = []
    for event in arrived:
        place, last = (event.child, event.seq), at.get(event.child, 0)
        if event.seq <= last or place in waiting:
            verdicts.append("repeated")
        elif event.seq > last + 1:
            waiting[place] = event
            verdicts.append("held")
        else:
            verdicts.append("applied")
            run = [event, *_following(waiting, event)]
            applied += run
            at[event.child] = run[-1].seq
    newly_held = tuple(event for place, event in waiting.items() if place not in before)
    released = tuple(sorted(before - waiting.keys()))
    return Order(tuple(verdicts), tuple(applied), at, newly_held, released)


def _following(waiting: dict[Place, CaseEvent], event: CaseEvent) -> Iterable[CaseEvent]:
    """Take out the held events that follow `event` without a gap."""
    seq = event.seq + 1
    while (event.child, seq) in waiting:
        yield waiting.pop((event.child, seq))
        seq += 1
