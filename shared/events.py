"""Every event: its frozen model, its topic, its key. This file is the contract.

Inbound models refuse unknown fields: a misspelt ``in_danger`` must not vanish in silence.
Models of internal topics ignore them: readers tolerate additions within a version.
What travels in the clear on internal topics is random ids, kinds, times, age band and coded
facts; persons and free text are `Sealed` (see `shared.sealing`).
"""

from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from asyncpg.pgproto import pgproto
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from shared.hetu import InvalidHetuError, parse_hetu

# --- topics ---------------------------------------------------------------------------------

INTAKE_NOTIFICATION = "luotsi.intake.notification.v1"  # key: the source's own; holds persons
INTAKE_CLIENT = "luotsi.intake.client.v1"  # key: the source's own; holds persons
INTAKE_DIRECTORY = "luotsi.intake.directory.v1"  # key: the source's own; holds staff
INTAKE_ABSENCE = "luotsi.intake.absence.v1"  # as above; what schools confirm
INTAKE_RECEIPT = "luotsi.intake.receipt.v1"  # key: the source's id of the message
SIGNAL = "luotsi.signal.v1"  # key: child id
CASE = "luotsi.case.v1"  # key: child id
NOTICE = "luotsi.notice.v1"  # key: child id, or the id of what was set aside
URGENT = "luotsi.urgent.v1"  # key: the item's own id

INBOUND_TOPICS = (INTAKE_NOTIFICATION, INTAKE_ABSENCE, INTAKE_CLIENT, INTAKE_DIRECTORY)
TOPICS = (*INBOUND_TOPICS, INTAKE_RECEIPT, SIGNAL, CASE, NOTICE, URGENT)
PARTITIONS = 12  # fixed at install: changing it moves children between partitions

# --- small types ----------------------------------------------------------------------------

Answer = Literal["yes", "no", "unknown"]
AgeBand = Literal["unborn", "0-6", "7-12", "13-15", "16-17", "adult", "unknown"]
Language = Literal["fi", "sv", "en"]
MissingCode = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Sealed = Annotated[str, StringConstraints(pattern=r"^s1\.[0-9a-f]{32}\.[A-Za-z0-9_-]+$")]
SourceId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$")]

# What the client information system says; it alone makes somebody a client (law.md CLK-14).
Clientship = Literal["none", "pending", "child_protection", "aftercare", "ended", "unknown"]
Placement = Literal["none", "open_care", "urgent", "care", "unknown"]

# No control characters in a line; a text may have line breaks and tabs. Both hold something.
Line = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=200, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]+$"
    ),
]
Text = Annotated[
    str,
    StringConstraints(
        max_length=20_000, pattern=r"^[^\x00\x0b\x0c\x7f]*[^\s\x00\x7f][^\x00\x0b\x0c\x7f]*$"
    ),
]
FIRST_YEAR, LAST_YEAR = 2000, 2199  # outside them it is a typing error, not a time


def _a_possible_time(value: datetime) -> datetime:
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"a time in the years {FIRST_YEAR} to {LAST_YEAR}")
    return value


def _in_utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


def _as_in_rows(value: UUID) -> UUID:
    return pgproto.UUID(value.bytes)  # as the driver gives the ids of rows


Moment = Annotated[AwareDatetime, AfterValidator(_a_possible_time)]
"""A moment that a source states; any offset from UTC can be taken from it."""
Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""A moment in Luotsi's own events: in Python's UTC, among which comparing and storing are quick."""
LookupId = Annotated[UUID, AfterValidator(_as_in_rows)]
"""The id of a child or its household, among which looking up and comparing are quick."""
Email = Annotated[
    str,
    StringConstraints(pattern=r"^[^@\s<>,;:\"]+@[^@\s<>,;:\"]+\.[^@\s<>,;:\"]+$", max_length=254),
]

# Bodies whose staff must notify (LSL 25 § 1 mom, law.md NOT-01); `private` and `guardian` may.
NotifierKind = Literal[
    "social_care",
    "health_care",
    "early_education",
    "education",
    "youth_work",
    "police",
    "criminal_sanctions",
    "rescue",
    "religious_community",
    "reception_centre",
    "emergency_response_centre",
    "afternoon_activity",
    "customs",
    "border_guard",
    "enforcement",
    "kela",
    "other_mandated",
    "guardian",
    "private",
    "child",
]
NOT_MANDATED: frozenset[NotifierKind] = frozenset({"guardian", "private", "child"})

# Local codes until the national code server's values are loaded (law.md COD-03, COD-05, NOT-14).
ReasonCode = Literal[
    "LOCAL-REASON-NEGLECT",
    "LOCAL-REASON-ABANDONMENT",
    "LOCAL-REASON-ASSAULT",
    "LOCAL-REASON-SEXUAL-ABUSE",
    "LOCAL-REASON-THREAT",
    "LOCAL-REASON-GUARDIAN-SUBSTANCE",
    "LOCAL-REASON-GUARDIAN-MENTAL-HEALTH",
    "LOCAL-REASON-GUARDIAN-EXHAUSTION",
    "LOCAL-REASON-CUSTODY-DISPUTE",
    "LOCAL-REASON-CHILD-SUBSTANCE",
    "LOCAL-REASON-CHILD-ADDICTION",
    "LOCAL-REASON-CHILD-MENTAL-HEALTH",
    "LOCAL-REASON-SELF-HARM",
    "LOCAL-REASON-CHILD-CRIME",
    "LOCAL-REASON-RUNAWAY",
    "LOCAL-REASON-NEUROPSYCHIATRIC",
    "LOCAL-REASON-ILLNESS",
    "LOCAL-REASON-SCHOOL",
    "LOCAL-REASON-INTERACTION",
    "LOCAL-REASON-SUPPORT-WITHOUT-EFFECT",
    "LOCAL-REASON-RESPONSIBILITY",
    "LOCAL-REASON-POOR-FINANCES",
]


class Inbound(BaseModel):
    """A part of what a source sends."""

    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False
    )


class _Internal(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True)


# --- inbound: the child-protection notification (law.md NOT-11) -------------------------------


class Guardian(Inbound):
    """A guardian (huoltaja) as the notifier knows them; a parent is not always one (NOT-04)."""

    name: Line
    phone: Line | None = None
    address: Line | None = None


class NotifiedChild(Inbound):
    """One child of a notification, as the notifier knows them."""

    name: Line | None = None
    hetu: str | None = Field(default=None, max_length=20)
    birth_date: date | None = None
    address: Line | None = None
    school: Line | None = None
    guardians: tuple[Guardian, ...] = Field(default=(), max_length=10)
    is_client: Answer = "unknown"
    own_worker: Line | None = None

    @field_validator("hetu")
    @classmethod
    def _checked_hetu(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            return parse_hetu(value).value
        except InvalidHetuError as error:
            raise ValueError(f"henkilötunnus: {error}") from None

    @model_validator(mode="after")
    def _can_be_looked_for(self) -> "NotifiedChild":
        if self.name is None and self.hetu is None:
            raise ValueError("give the child's name or henkilötunnus")
        return self


class Notifier(Inbound):
    """Who notifies. Kept apart and sealed under its own key (law.md SEC-05)."""

    kind: NotifierKind
    name: Line | None = None
    organisation: Line | None = None
    role: Line | None = None
    phone: Line | None = None
    email: Email | None = None
    language: Language = "fi"
    anonymity_reason: Line | None = None

    @model_validator(mode="after")
    def _only_the_private_stay_anonymous(self) -> "Notifier":
        if self.name is not None:
            return self
        if self.kind not in NOT_MANDATED:
            raise ValueError("a mandated notifier cannot stay anonymous (LSL 25 §): give the name")
        if self.anonymity_reason is None:
            raise ValueError("a notifier without a name needs anonymity_reason")
        return self


class Urgency(Inbound):
    """NOT-11's questions of urgency; unknown is a value and never counts as no."""

    in_danger: Answer = "unknown"
    assault_suspected: Answer = "unknown"
    alone_guardians_unreachable: Answer = "unknown"
    judged_urgent_by_authority: Answer = "unknown"


class Message(Inbound):
    """What every message of a source may say of itself."""

    arrived_at: Moment | None = None


class Concern(Message):
    """What somebody tells of a child's need, whatever the kind of message.

    `corrects` is the source's id of an earlier message whose place this one takes, with its whole
    content anew; the earlier one stays, linked.
    """

    notifier: Notifier
    observations: Text
    knowledge: Literal["first_hand", "second_hand", "unknown"] = "unknown"
    reasons: tuple[ReasonCode, ...] = Field(default=(), max_length=22)
    urgency: Urgency = Urgency()
    corrects: SourceId | None = None
    attachments: tuple[UUID, ...] = Field(
        default=(), max_length=10, description="Ids of files sent before (POST /v1/attachments)"
    )


class Matter(Concern):
    """A concern about children who can be named."""

    children: tuple[NotifiedChild, ...] = Field(min_length=1, max_length=20)


class Notification(Matter):
    """A child-protection notification (lastensuojeluilmoitus, LSL 25 §) as a source sends it."""

    right_recipient: Answer = "unknown"
    acts_done: Text | None = None
    bodies_contacted: Text | None = None
    police_report: Answer = "unknown"
    earlier_attempts: Text | None = None
    family_knows: Answer = "unknown"
    child_knows: Answer = "unknown"
    expectations: Text | None = None


# --- answers to sources ----------------------------------------------------------------------


class Receipt(_Internal):
    """What became of one message; keyed by the source's id of it, without personal data.

    `note` tells in codes what was noticed and did not stand in the way, `mend` what can be done.
    *Returned*: kept, and its clocks run, but `missing` (in codes; in words in `mend`) is still to
    be done and sent again.
    """

    source: str
    source_id: str
    outcome: Literal["accepted", "repeated", "quarantined", "returned"]
    reason: str | None = None
    mend: str | None = None
    missing: tuple[MissingCode, ...] = ()
    note: str | None = None
    receipt_id: UUID
    received_at: Instant


# --- luotsi.signal.v1 --------------------------------------------------------------------------


SignalKind = Literal[
    "notification",
    "joint_contact",
    "contact",
    "application",
    "police_report",
    "anticipatory",
    "consultation_request",
    "transfer",
    "absence",
]


class CodedAbsence(_Internal):
    """What a school's absence signal states. `confirmed`: by a person, with nothing missing."""

    confirmed: Answer = "unknown"
    health: Answer = "unknown"
    step_reached: Answer = "unknown"


class CodedFacts(_Internal):
    """What a notifier stated, in codes only; what routing screens.

    `last_year_of_band`: whether the child is in the last year of its age band, and so may soon be
    in the next; it is all that travels of a birth date besides the band.
    `knowledge` and `said_by` (the kind of notifier, never who) are shown beside what was stated; no
    rule reads them.
    """

    in_danger: Answer = "unknown"
    assault_suspected: Answer = "unknown"
    alone_guardians_unreachable: Answer = "unknown"
    judged_urgent_by_authority: Answer = "unknown"
    is_client: Answer = "unknown"
    knowledge: Literal["first_hand", "second_hand", "unknown"] = "unknown"
    reasons: tuple[ReasonCode, ...] = ()
    psychiatry_asks: Answer = "unknown"
    absence: CodedAbsence | None = None
    last_year_of_band: Answer = "unknown"
    said_by: NotifierKind | None = None


class AttachedFile(_Internal):
    """A file that a message names: its random id, its type by content, its size in bytes."""

    id: UUID
    type: str
    bytes: int


class Signal(_Internal):
    """One message about one child, matched and sealed; key: the child id.

    `id` is the receipt id and the child's place in the message, so a repeat has the same id.
    `corrects` is the id of the signal whose place this one takes. `urgent_item` is the item on
    `luotsi.urgent.v1` of a message that its sender marked. `missing` is what a school has yet to do
    about an absence signal that was returned to it. Nobody notifies where nobody confirmed.
    `household` is the same random id for children of one message who share a guardian or a home.
    """

    kind: SignalKind = "notification"
    id: str
    child: LookupId
    receipt_id: UUID
    index: int
    children: int
    received_at: Instant
    provisional: bool
    age_band: AgeBand
    facts: CodedFacts
    person: Sealed
    text: Sealed
    notifier: Sealed | None = None
    source: str = ""
    source_id: str = ""
    corrects: str | None = None
    attachments: tuple[AttachedFile, ...] = ()
    urgent_item: UUID | None = None
    missing: tuple[MissingCode, ...] = ()
    household: LookupId | None = None


class Withdrawn(_Internal):
    """A source takes back what it said about one child; key: the child id.

    The earlier signal `withdraws` stays and its clocks run on: a person decides what follows.
    `text` is why, sealed; None where a correction no longer names the child.
    """

    kind: Literal["withdrawn"] = "withdrawn"
    id: str
    child: LookupId
    withdraws: str
    received_at: Instant
    text: Sealed | None = None


class SetAside(_Internal):
    """Something arrived that could not be applied; key: the item's own id, no content.

    `missing`: something did not arrive that its source says it sent.
    `opened` starts a duty item and its clocks; `closed` says what became of it. `urgent_item` is
    the item on `luotsi.urgent.v1` of a message that its sender marked.
    """

    kind: Literal["set_aside"] = "set_aside"
    id: str
    item: UUID
    state: Literal["opened", "closed"]
    service: Literal["intake", "routing", "notifications"]
    outcome: Literal["quarantined", "parked", "held", "undeliverable", "missing"]
    reason: str
    received_at: Instant
    urgent_item: UUID | None = None


class IdentityTask(_Internal):
    """A worker has said who a child is, or that its henkilötunnus is another; key: the child id."""

    kind: Literal["identity"] = "identity"
    id: str
    child: LookupId
    state: Literal["given"]
    age_band: AgeBand
    person: Sealed
    at: Instant


class ClientSignal(_Internal):
    """What the client information system knows of a child now; key: the child id.

    Of one `source` and `reference` the highest `version` counts. `moved`: the reference is that of
    another child now, and what it said of this one no longer stands. `moves` counts those of the
    last 12 months; None is unknown, as everywhere else. `lives_here`: whether the home municipality
    is one of this county. `person` holds whatever names somebody.
    """

    kind: Literal["client"] = "client"
    id: str
    child: LookupId
    received_at: Instant
    source: str
    reference: str
    version: int
    moved: bool = False
    clientship: Clientship = "unknown"
    since: date | None = None
    worker: str | None = None
    placement: Placement = "unknown"
    moves: int | None = None
    household: LookupId | None = None
    interpreter: Answer = "unknown"
    turvakielto: Answer = "unknown"
    lives_here: Answer = "unknown"
    person: Sealed | None = None


class DirectorySignal(_Internal):
    """An entry of the directory as it is now; key: the entry's random id.

    The highest `version` counts. `card` is the entry, sealed under a key of its own: staff have
    names, and where somebody works may have to stay secret (law.md TUR-04, TUR-07).
    """

    kind: Literal["directory"] = "directory"
    id: str
    entry: UUID
    received_at: Instant
    what: Literal["staff", "unit", "rota", "group", "clinic"]
    version: int
    ended: bool = False
    card: Sealed


class Merged(_Internal):
    """A worker says that two children are one; one copy with the key of each, to be done once.

    From now on the case of `kept` takes what is about `merged`. The numbers count what was decided
    about where each of the two belongs: what is older than what a reader knows changes nothing.
    """

    kind: Literal["merged"] = "merged"
    id: str
    child: LookupId
    merged: LookupId
    kept: LookupId
    number: int
    kept_number: int
    at: Instant


class Separated(_Internal):
    """A worker says that children who were taken for one are two; a copy with the key of each.

    What arrived as `merged` is its own again. With `signals` these were never about `kept`: they
    are now those of `merged`, a child of whom nothing was known before.
    """

    kind: Literal["separated"] = "separated"
    id: str
    child: LookupId
    merged: LookupId
    kept: LookupId
    number: int
    signals: tuple[str, ...] = ()
    at: Instant


AnySignal = (
    Signal
    | Withdrawn
    | SetAside
    | IdentityTask
    | ClientSignal
    | DirectorySignal
    | Merged
    | Separated
)
SignalMessage = Annotated[AnySignal, Field(discriminator="kind")]

# --- luotsi.urgent.v1 --------------------------------------------------------------------------


class UrgentItem(_Internal):
    """A message whose sender marks immediate danger has come; key: the item's id, no content.

    It overtakes every backlog. The signals of the message name the item when its turn has come;
    `closed` is said only of one that repeats a marked message.
    """

    id: str
    item: UUID
    state: Literal["opened", "closed"]
    reason: str
    received_at: Instant


# --- luotsi.case.v1 ------------------------------------------------------------------------------

Level = Literal["perus", "erityis", "vaativa"]
Holder = Literal["duty", "own_worker", "initial_assessment", "person_decides"]
Destination = Literal[
    "expert_group",
    "psychiatry",
    "school_health",
    "hospital_school",
    "basic_services",
    "family_work",
    "school_welfare",
    "child_health_clinic",
    "family_centre",
    "systemic_team",
    "palasista_eteenpain",
    "lapsen_hyva",
    "placed_child_school_path",
    "outreach_pair",
    "family_group_conference",
    "lets_talk",
    "youth_substance_care",
    "peer_group",
    "demanding_substitute_care",
    "ot_support",
    "barnahus",
]
_DESTINATIONS: frozenset[str] = frozenset(get_args(Destination))

CaseEventKind = Literal[
    "screened",
    "absence_screened",
    "urgency_answered",
    "holder_confirmed",
    "holder_overridden",
    "destination_accepted",
    "destination_declined",
    "assessment_started",
    "manifestly_unnecessary",
    "family_told",
    "assessment_finished",
    "identity_given",
    "merged",
    "separated",
    "withdrawn",
    "client_changed",
    "household_changed",
    "household_stated",
    "wrong_county",
    "questions_answered",
    "is_matter",
    "no_matter",
    "duty_item_opened",
    "duty_item_closed",
    "clock_warned",
    "clock_late",
]


class CaseEvent(_Internal):
    """What happened to a case, without personal data; key: the child id.

    `seq` is gapless per child: a reader puts events in order by it and drops repeats.
    `client_reference` is the client information system's own id of the client, from its feed.
    `messages` are the messages it is about, each as ``source/id`` in the source's own words; of an
    act about the whole case, those that are open. `answer` is what a person answered, in a code.
    """

    id: str
    child: LookupId
    seq: int
    kind: CaseEventKind
    at: Instant
    done_at: Instant | None = None
    about: str | None = None
    level: Level | None = None
    holder: Holder | None = None
    destinations: tuple[Destination, ...] = ()
    urgent: bool = False
    rules: str | None = None
    client_reference: str | None = None
    messages: tuple[str, ...] = ()
    answer: str | None = None

    @field_validator("destinations", mode="before")
    @classmethod
    def _that_are_known(cls, value: Any) -> Any:
        """A later version proposes what this reader does not know: it goes on without it."""
        if not isinstance(value, list | tuple):
            return value
        return tuple(e for e in value if not isinstance(e, str) or e in _DESTINATIONS)


# --- luotsi.notice.v1 ----------------------------------------------------------------------------


class NoticeEvent(_Internal):
    """What became of a notice, without recipient or text; key: `about`."""

    id: str
    about: UUID
    kind: Literal["delivered", "undeliverable", "parked", "redriven"]
    purpose: Literal["receipt", "duty_alert"]
    reason: str | None = None
    received_at: Instant


def age_band_on(born: date, day: date) -> AgeBand:
    """The age band of a child born on `born`, on `day` (domain.md 10's bands)."""
    years = years_on(born, day)
    if years < 0:
        return "unborn"
    for limit, band in _BANDS:
        if years < limit:
            return band
    return "adult"


def last_year_of_band(born: date, day: date) -> Answer:
    """Whether the child is in the last year of its band; unknown before birth, and of adults."""
    years = years_on(born, day)
    if not 0 <= years < _BANDS[-1][0]:
        return "unknown"
    return "yes" if any(years + 1 == limit for limit, _ in _BANDS) else "no"


def years_on(born: date, day: date) -> int:
    """Full years of age; below zero before birth."""
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


_BANDS: tuple[tuple[int, AgeBand], ...] = ((7, "0-6"), (13, "7-12"), (16, "13-15"), (18, "16-17"))
