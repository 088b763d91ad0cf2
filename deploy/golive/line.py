"""One line of the file to import: an open matter and what had been done about it before."""

from typing import Any, Literal, get_args

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator, model_validator

from services.routing.desk.asks import Ground, Note
from services.routing.domain.clocks import ClockKind
from shared.events import INTAKE_NOTIFICATION, Concern, SourceId
from shared.kinds import KINDS, KindName

ActKind = Literal[
    "urgency_answered",
    "assessment_started",
    "manifestly_unnecessary",
    "family_told",
    "assessment_finished",
]
STOPS: dict[ActKind, tuple[ClockKind, ...]] = {
    "urgency_answered": ("urgency",),
    "assessment_started": ("assessment_start",),
    "manifestly_unnecessary": ("assessment_start", "assessment_finish"),
    "family_told": ("family_told",),
    "assessment_finished": ("assessment_finish",),
}
"""The clocks that each act stops, as at the desk."""
MATTERS = frozenset(
    kind.name
    for kind in KINDS
    if kind.topic == INTAKE_NOTIFICATION and issubclass(kind.model, Concern)
)
"""Kinds whose clocks all run from their receipt; a school's absence signal may have none."""


class _Line(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class DoneBefore(_Line):
    """What somebody did about the matter before Luotsi, as the desk would have recorded it."""

    kind: ActKind
    done_at: AwareDatetime = Field(description="When it was done; clocks are judged by it.")
    answer: Literal["urgent", "not_urgent"] | None = Field(
        default=None, description="With urgency_answered: how urgency was judged."
    )
    ground: Ground | None = Field(
        default=None, description="With manifestly_unnecessary: why no assessment is needed."
    )
    reason: Note = Field(
        default="",
        description="In words; kept sealed. Name who did it. Needed where an answer or ground is.",
    )
    child: int | None = Field(
        default=None,
        ge=1,
        le=20,
        description="Which child of the message it is about, from 1; without it, all of them.",
    )

    @model_validator(mode="after")
    def _complete(self) -> "DoneBefore":
        answered, unneeded = self.kind == "urgency_answered", self.kind == "manifestly_unnecessary"
        if answered != (self.answer is not None):
            raise ValueError("answer: belongs to urgency_answered, and is needed there")
        if unneeded != (self.ground is not None):
            raise ValueError("ground: belongs to manifestly_unnecessary, and is needed there")
        if (answered or unneeded) and not self.reason:
            raise ValueError("reason: say in words why it was judged so")
        return self


class Expected(_Line):
    """What the system before says, to be compared."""

    clocks_running: tuple[ClockKind, ...] = Field(
        description="The clocks that still run for one of its children at least."
    )


class OpenMatter(_Line):
    """An open matter of the system before."""

    id: SourceId = Field(description="The old system's own id; never sent for another content.")
    kind: KindName = Field(description="The kind of message it came as; one about a child.")
    message: dict[str, Any] = Field(
        description="Its content, by the schema of its kind; `arrived_at` is needed here."
    )
    acts: tuple[DoneBefore, ...] = Field(
        default=(), max_length=100, description="What had been done, in the order it was done."
    )
    expected: Expected | None = None

    @field_validator("kind")
    @classmethod
    def _about_a_child(cls, value: KindName) -> KindName:
        if value not in MATTERS:
            raise ValueError(
                "an open matter is a matter of a child: no absence signal, withdrawal or feed"
            )
        return value


FIELD_NAMES = frozenset(
    name for model in (OpenMatter, DoneBefore, Expected) for name in model.model_fields
)
CLOCK_KINDS: tuple[ClockKind, ...] = get_args(ClockKind)
