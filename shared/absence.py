"""The school-absence signal (domain.md 7, law.md SCH-06).

The municipality keeps the raw figures; what comes here a named employee of the school confirms.
A signal never becomes a notification by itself.
"""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from shared.events import (
    Answer,
    Email,
    Inbound,
    Language,
    Line,
    Message,
    NotifiedChild,
    Notifier,
    ReasonCode,
    SourceId,
    Text,
    Urgency,
)

Hours = Annotated[int, Field(ge=0, le=2000)]
StepNumber = Annotated[int, Field(ge=1, le=20)]


class AbsencePeriod(Inbound):
    """The days that the hours were counted over, both included."""

    begins: date
    ends: date

    @model_validator(mode="after")
    def _in_order(self) -> "AbsencePeriod":
        if self.ends < self.begins:
            raise ValueError("ends: not before begins")
        return self


class StepDone(Inbound):
    """One step of the education provider's own model, done. `actor` is a role, such as curator."""

    step: StepNumber
    done_on: date
    actor: Line


class Confirmer(Inbound):
    """The school's employee who confirms the signal and is told of its receipt."""

    name: Line
    role: Line
    phone: Line | None = None
    email: Email | None = None
    language: Language = "fi"


class SchoolAbsence(Message):
    """A school's signal that a pupil stays away, with what the school has done about it.

    `provider` is the education provider's code, whose hour steps Luotsi knows as dated data.
    Hours are lessons, each class apart; leave the school granted is `hours_authorised`. `reasons`
    and `urgency` say what concern there is besides the absence.
    """

    provider: SourceId
    school: Line
    pupil: NotifiedChild
    pupil_ref: Line | None = None
    period: AbsencePeriod
    hours_unauthorised: Hours = 0
    hours_illness: Hours = 0
    hours_authorised: Hours = 0
    hours_unclear: Hours = 0
    step_reached: StepNumber | None = None
    steps_done: tuple[StepDone, ...] = Field(default=(), max_length=40)
    reason_class: Literal["health", "behaviour", "learning_psych", "home", "unknown"] = "unknown"
    school_mar_held: date | None = None
    guardians_informed: Answer = "unknown"
    contact_made_together: Answer = "unknown"
    confirmed_by: Confirmer | None = None
    confirmed_on: date | None = None
    reasons: tuple[ReasonCode, ...] = Field(default=(), max_length=22)
    urgency: Urgency = Urgency()
    observations: Text | None = None
    corrects: SourceId | None = None

    @property
    def notifier(self) -> Notifier | None:
        """Who confirms it, as the notifier; nobody while nobody does."""
        who = self.confirmed_by
        if who is None:
            return None
        return Notifier(
            kind="education", name=who.name, organisation=self.school, role=who.role,
            phone=who.phone, email=who.email, language=who.language,
        )  # fmt: skip
