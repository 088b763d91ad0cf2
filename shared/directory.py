"""The directory feed: staff, units, the duty rota, groups and clinics, one entry a message.

Each message is the whole entry anew; `ended` takes it out of use. What the feed has never told of
is unknown: a county that sends no rota has none that Luotsi could watch.
"""

from datetime import date, timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from shared.clients import LAST_VERSION, LanguageCode, OwnId
from shared.events import Inbound, Line, Message, Moment

StaffId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,64}$")]
Role = Literal["duty", "social_worker", "supervisor", "expert", "secretary", "other"]
UnitKind = Literal["duty", "assessment", "child_protection", "foster_care", "ward", "other"]
LONGEST_SHIFT = timedelta(days=31)


class Staff(Inbound):
    """A person who works for the county. Duty, social worker and supervisor may use the desk."""

    what: Literal["staff"]
    staff_id: StaffId
    name: Line
    roles: tuple[Role, ...] = Field(default=(), max_length=10)
    unit: OwnId | None = None
    active_from: date | None = None
    active_until: date | None = None
    phone: Line | None = None
    languages: tuple[LanguageCode, ...] = Field(default=(), max_length=20)


class Unit(Inbound):
    """A unit of the county."""

    what: Literal["unit"]
    unit_id: OwnId
    name: Line
    kind: Literal["duty", "assessment", "child_protection", "foster_care", "ward", "other"] = (
        "other"
    )


class Shift(Inbound):
    """One shift of the duty rota; without staff it covers nothing."""

    what: Literal["rota"]
    kind: Literal["office_hours", "sosiaalipaivystys"]
    begins: Moment
    ends: Moment
    staff: tuple[StaffId, ...] = Field(default=(), max_length=100)
    unit: OwnId | None = None

    @model_validator(mode="after")
    def _possible(self) -> "Shift":
        if not timedelta(0) < self.ends - self.begins <= LONGEST_SHIFT:
            raise ValueError("ends: after begins, and within 31 days of it")
        return self


class Group(Inbound):
    """An expert group or another group of people who are asked together."""

    what: Literal["group"]
    group_id: OwnId
    name: Line
    members: tuple[StaffId, ...] = Field(default=(), max_length=100)


class Clinic(Inbound):
    """A psychiatric clinic with the ages it takes, both included."""

    what: Literal["clinic"]
    clinic_id: OwnId
    name: Line
    kind: Literal["child", "adolescent"]
    age_min: int = Field(ge=0, le=25)
    age_max: int = Field(ge=0, le=25)

    @model_validator(mode="after")
    def _in_order(self) -> "Clinic":
        if self.age_min > self.age_max:
            raise ValueError("age_min: not above age_max")
        return self


Entry = Annotated[Staff | Unit | Shift | Group | Clinic, Field(discriminator="what")]


class DirectoryEntry(Message):
    """One entry of the directory as it is now; `version` grows with every change of it."""

    entry_id: OwnId
    version: int = Field(ge=0, le=LAST_VERSION)
    ended: bool = False
    entry: Entry
