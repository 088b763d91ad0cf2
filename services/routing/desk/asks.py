"""What a worker may ask for: the body of each act, the same for forms and for the JSON API."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)

from services.routing.domain.facts import QUESTIONS, STATED_BESIDES
from shared.events import Level


def a_question(name: str) -> str:
    """A question of the screen, or what is told besides. Raises `ValueError` for any other."""
    if name not in (*QUESTIONS, *STATED_BESIDES):
        raise ValueError("not a question of the screen")
    return name


Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=4000)]
SignalId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,80}$")]
ChosenHolder = Literal["duty", "own_worker", "initial_assessment"]
Question = Annotated[str, AfterValidator(a_question)]
ToldBy = Literal["notifier", "school", "family", "own_worker", "health_care", "other"]
Ground = Literal["recently_assessed", "no_services_needed", "other"]


class _Base(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class _Ask(_Base):
    done_at: AwareDatetime | None = Field(
        default=None,
        description="When it was done, if not just now. Never ahead of the clock and never before "
        "the notification was received; clocks are judged by it.",
    )


class AnswerCheck(_Ask):
    """Whether a notification is urgent, as a person judges it (LSL 26 § 2 mom)."""

    answer: Literal["urgent", "not_urgent"]
    reason: Reason


class ChooseHolder(_Ask):
    """Confirm the proposed holder, or choose another with a reason."""

    holder: ChosenHolder
    holder_seq: int = Field(description="The proposal that is answered: `holder_seq` of the case.")
    after: UUID | None = Field(
        default=None, description="The choice that is replaced: `holder_act` of the case, if any."
    )
    reason: Note = ""


class JudgeLevel(_Ask):
    """Confirm the level that the rules propose, or judge it to be another with a reason.

    It changes no proposal of the rules.
    """

    level: Level
    decision_seq: int = Field(
        description="The decision that is judged: `decision_seq` of the case as it was read."
    )
    after: UUID | None = Field(
        default=None,
        description="The judgement that is replaced: `act` of the case's `level_judged`, if any.",
    )
    reason: Note = ""


class AnswerDestination(_Ask):
    """Accept or decline one proposed destination."""

    answer: Literal["accepted", "declined"]
    number: int = Field(description="The proposal that is answered: its `number`.")
    reason: Reason


class _About(_Ask):
    notifications: tuple[SignalId, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="The notifications it covers; without it, all whose clock still runs.",
    )


class StartAssessment(_About):
    """The assessment of the need for services has begun (SHL 36 §)."""

    reason: Note = ""


class NotNeeded(_About):
    """An assessment is manifestly unnecessary: a ground and the reason in words."""

    ground: Ground
    reason: Reason


class TellFamily(_About):
    """The child and the guardian have been told (LSL 26 § 5 mom)."""

    reason: Note = ""


class FinishAssessment(_About):
    """The assessment is ready."""

    reason: Note = ""


class AnswerQuestions(_Ask):
    """What somebody told a worker in answer to questions of the screen."""

    answers: dict[Question, Literal["yes", "no", "unknown"]] = Field(
        min_length=1, description="Questions of the case (`ask`) and what was answered to each."
    )
    told_by: ToldBy
    knowledge: Literal["first_hand", "second_hand", "unknown"] = "unknown"
    reason: Note = ""


class SettleReturned(_Ask):
    """Say of an absence signal returned to the school that it is a matter, or none, and why."""

    reason: Reason


class Nothing(BaseModel):
    """An act that needs no more than its name."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CloseItem(_Ask):
    """Close something set aside, saying what became of it."""

    reason: Reason


class JoinChildren(_Base):
    """Two children are one person: their cases become one, and can be separated again."""

    other: UUID = Field(description="The other child.")
    reason: Reason


class SeparateChild(_Base):
    """A child who was joined to another is not that other one."""

    reason: Reason


class SplitCase(_Base):
    """Some notifications of a case were always about somebody else: a case of their own."""

    notifications: tuple[SignalId, ...] = Field(
        min_length=1, max_length=200, description="Those that are about the other child."
    )
    reason: Reason


class SayHousehold(_Base):
    """Whether another child is of the same household, so that what comes about one counts for both.

    Stands against what messages and the client feed say.
    """

    other: Annotated[str, StringConstraints(strip_whitespace=True, max_length=36)] = Field(
        description="The other child: its id, or the mark of its case."
    )
    together: bool
    reason: Reason


class WrongCounty(_Ask):
    """The child belongs to another county: a task to bring the matter there.

    It stops no clock and sends nothing.
    """

    reason: Reason


class GiveIdentity(BaseModel):
    """Who a child is, whom nobody knew so far; or the new code of a child whose code changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    hetu: Annotated[str, StringConstraints(strip_whitespace=True, min_length=11, max_length=11)]
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] = ""
    changed: bool = Field(default=False, description="The code of a known child has changed.")
