"""Every kind of message a source may send: its model, CloudEvents type, topic and HTTP path.

`KINDS` is the list; `luotsi check-event`, both doors, the schemas and the documents read it. The
notification itself is in `shared.events`, a school's signal in `shared.absence`.
"""

from datetime import date, timedelta
from typing import Literal, NamedTuple

from pydantic import Field, field_validator, model_validator

from shared import events
from shared.absence import SchoolAbsence
from shared.clients import ClientState
from shared.directory import DirectoryEntry
from shared.events import (
    NOT_MANDATED,
    Answer,
    Concern,
    Inbound,
    Line,
    Matter,
    Message,
    Moment,
    Notification,
    SourceId,
    Text,
)
from shared.hetu import InvalidHetuError, contains_hetu, parse_hetu


class JointContact(Matter):
    """A contact made together with the child or a guardian (yhteydenotto, LSL 25 a §, SHL 35 §).

    Made without delay and with grounds it replaces a notification (law.md NOT-03).
    """

    made_with: tuple[Literal["guardian", "child"], ...] = Field(min_length=1, max_length=2)
    grounds: Text
    support_wished: Text | None = None
    earlier_attempts: Text | None = None

    @model_validator(mode="after")
    def _by_the_mandated(self) -> "JointContact":
        if self.notifier.kind in NOT_MANDATED:
            raise ValueError(
                "notifier.kind: a joint contact replaces the notification of somebody who must "
                "notify (LSL 25 a §); send what a family asks for itself as an application"
            )
        return self


class Contact(Matter):
    """A contact without the family (SHL 35 §)."""

    consent: Answer
    ground_without_consent: Text | None = None
    support_wished: Text | None = None

    @model_validator(mode="after")
    def _consent_or_ground(self) -> "Contact":
        if self.consent != "yes" and self.ground_without_consent is None:
            raise ValueError(
                "ground_without_consent: say why the child's interest requires the contact "
                "without consent (SHL 35 §)"
            )
        return self


class Application(Matter):
    """An application for services by a guardian or the child (law.md SEC-11, domain.md 9).

    `notifier` is who applies. A child below 12 is not turned away: that is noted for the worker.
    """

    services_wished: Text | None = None
    hearing_wished: Answer = "unknown"

    @model_validator(mode="after")
    def _by_the_family(self) -> "Application":
        if self.notifier.kind not in ("guardian", "child"):
            raise ValueError(
                "notifier.kind: guardian or child; send what another person tells as a contact"
            )
        if self.notifier.kind == "child" and len(self.children) != 1:
            raise ValueError("children: a child applies for itself alone")
        return self


class PoliceReport(Matter):
    """A copy of a police report about a child (domain.md 9)."""

    report_number: Line
    role: Literal["victim", "suspect", "present", "unknown"] = "unknown"
    heard_by_police: Answer = "unknown"

    @model_validator(mode="after")
    def _by_the_police(self) -> "PoliceReport":
        if self.notifier.kind != "police":
            raise ValueError("notifier.kind: police; others send a notification")
        return self


class ExpectingParent(Inbound):
    """The person who expects the child, as the notifier knows them."""

    name: Line | None = None
    hetu: str | None = Field(default=None, max_length=20)
    birth_date: date | None = None
    address: Line | None = None
    phone: Line | None = None
    is_client: Answer = "unknown"

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
    def _can_be_looked_for(self) -> "ExpectingParent":
        if self.name is None and self.hetu is None:
            raise ValueError("give the expecting parent's name or henkilötunnus")
        return self


class Anticipatory(Concern):
    """An anticipatory notification (ennakollinen lastensuojeluilmoitus, LSL 25 c §).

    The child has neither name nor henkilötunnus yet: it is kept by the expecting parent, and a
    person links it at birth (law.md NOT-06).
    """

    parent: ExpectingParent
    due_date: date | None = None
    support_after_birth: Text
    family_knows: Answer = "unknown"
    expectations: Text | None = None


class ConsultationRequest(Matter):
    """Psychiatry asks child protection to consult together (domain.md 6)."""

    question: Text
    clinic: Line | None = None
    consent: Answer = "unknown"

    @model_validator(mode="after")
    def _by_health_care(self) -> "ConsultationRequest":
        if self.notifier.kind != "health_care":
            raise ValueError("notifier.kind: health_care; others send a contact")
        return self


class Transfer(Matter):
    """A matter handed over by another county, or sent to the wrong one (law.md NOT-07, NOT-08).

    `first_received_at` is when it arrived there; the clocks here run from its receipt here.
    """

    from_county: Line
    first_received_at: Moment | None = None
    assessment_started: Answer = "unknown"
    acts_done: Text | None = None


class Withdrawal(Message):
    """A source takes an earlier message back. It stays, linked; a person decides what follows."""

    withdraws: SourceId
    reason: Text


LONGEST_LIST = timedelta(days=31)


class Manifest(Message):
    """The ids of what a source sent in a time; an empty list is a sign of life.

    What has not arrived is named. `next_by` says when the next list has come; without it nobody
    waits for one.
    """

    begins: Moment
    ends: Moment
    ids: tuple[SourceId, ...] = Field(default=(), max_length=50_000)
    next_by: Moment | None = None

    @field_validator("ids")
    @classmethod
    def _about_nobody(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if contains_hetu(" ".join(value)):
            raise ValueError("an id holds a henkilötunnus")
        return value

    @model_validator(mode="after")
    def _in_order(self) -> "Manifest":
        if not timedelta() < self.ends - self.begins <= LONGEST_LIST:
            raise ValueError("ends: after begins, and at most 31 days after it")
        if self.next_by and not timedelta() < self.next_by - self.ends <= LONGEST_LIST:
            raise ValueError("next_by: after ends, and at most 31 days after it")
        return self


KindName = Literal[
    "notification",
    "joint_contact",
    "contact",
    "application",
    "police_report",
    "anticipatory",
    "consultation_request",
    "transfer",
    "absence",
    "withdrawal",
    "manifest",
    "client",
    "directory",
]


class Kind(NamedTuple):
    """One kind of message. `name` is that of its schema, example and signal."""

    name: KindName
    model: type[Message]
    type: str
    topic: str
    path: str
    title: str


def _kind(
    name: KindName, area: str, path: str, model: type[Message], title: str,
    topic: str = events.INTAKE_NOTIFICATION,
) -> Kind:  # fmt: skip
    type_ = f"fi.luotsi.{area}.{name.replace('_', '-')}.v1"
    return Kind(name, model, type_, topic, f"/v1/{path}", title)


CLIENT = Kind(
    "client", ClientState, "fi.luotsi.client.state.v1", events.INTAKE_CLIENT, "/v1/clients",
    "what the client information system knows of a client now",
)  # fmt: skip
DIRECTORY = Kind(
    "directory", DirectoryEntry, "fi.luotsi.directory.entry.v1", events.INTAKE_DIRECTORY,
    "/v1/directory", "staff, a unit, a shift of the duty rota, a group or a clinic",
)  # fmt: skip
FEEDS: tuple[Kind, ...] = (CLIENT, DIRECTORY)
"""Kinds that tell Luotsi facts it believes: only from sources that the county names for them."""
FEED_TOPICS = frozenset(kind.topic for kind in FEEDS)


NOTIFICATION = _kind(
    "notification", "childprotection", "notifications", Notification,
    "a child-protection notification (LSL 25 §)",
)  # fmt: skip
WITHDRAWAL = _kind(
    "withdrawal", "message", "withdrawals", Withdrawal, "that an earlier message is taken back"
)
MANIFEST = _kind("manifest", "source", "manifests", Manifest, "the ids of what was sent in a time")
KINDS: tuple[Kind, ...] = (
    NOTIFICATION,
    _kind(
        "joint_contact", "childprotection", "joint-contacts", JointContact,
        "a contact made together with the family (LSL 25 a §)",
    ),
    _kind(
        "contact", "socialwelfare", "contacts", Contact,
        "a contact without the family (SHL 35 §)",
    ),
    _kind(
        "application", "socialwelfare", "applications", Application,
        "an application by a guardian or a child",
    ),
    _kind("police_report", "police", "police-reports", PoliceReport, "a copy of a police report"),
    _kind(
        "anticipatory", "childprotection", "anticipatory-notifications", Anticipatory,
        "an anticipatory notification about a child not born yet (LSL 25 c §)",
    ),
    _kind(
        "consultation_request", "psychiatry", "consultation-requests", ConsultationRequest,
        "psychiatry's request for a consultation",
    ),
    _kind(
        "transfer", "childprotection", "transfers", Transfer, "a matter from another county"
    ),
    _kind(
        "absence", "school", "absence-signals", SchoolAbsence,
        "a school's absence signal", events.INTAKE_ABSENCE,
    ),
    WITHDRAWAL,
    MANIFEST,
    *FEEDS,
)  # fmt: skip
BY_TYPE = {kind.type: kind for kind in KINDS}
BY_NAME: dict[str, Kind] = {kind.name: kind for kind in KINDS}


def kinds_of(topic: str) -> tuple[Kind, ...]:
    """What a source is told to send to a topic; intake takes any kind on either."""
    return tuple(kind for kind in KINDS if kind.topic == topic)
