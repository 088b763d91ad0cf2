"""Whether a school has done its part before its absence signal goes on (domain.md 7). Pure.

The hour steps are each education provider's own, dated data; there is no national limit (law.md
SCH-02). What a school has not done yet is answered in words and never lost: its clocks run.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from shared.absence import SchoolAbsence, StepNumber
from shared.events import Answer, CodedAbsence, MissingCode, SourceId

HoursClass = Literal["unauthorised", "illness", "authorised", "unclear"]
SchoolAct = Literal[
    "contact_home",
    "talk",
    "pupil_welfare",
    "school_mar",
    "own_support",
    "consult_family_social_work",
]
Words = Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]

LONGEST = {"school_year": timedelta(days=366), "term": timedelta(days=200)}
ACTS: Mapping[SchoolAct, str] = {
    "contact_home": "contact with the home",
    "talk": "talk with the pupil and the guardians",
    "pupil_welfare": "pupil welfare",
    "school_mar": "the school's multi-professional group",
    "own_support": "the school's own support",
    "consult_family_social_work": "family social work consulted",
}


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Names(_Written):
    """The provider's name in the three languages."""

    fi: Words
    sv: Words
    en: Words


class Step(_Written):
    """From so many hours on, the school must have done this; `school_mar` asks for its date."""

    number: StepNumber
    from_hours: Annotated[int, Field(ge=0, le=2000)]
    must_be_done: tuple[SchoolAct, ...] = ()

    @property
    def listed_acts(self) -> tuple[SchoolAct, ...]:
        """What `steps_done` of a signal must name; the meeting has a field of its own."""
        return tuple(act for act in self.must_be_done if act != "school_mar")


class Provider(_Written):
    """One education provider's steps, in force from `valid_from` until its next file's.

    `counts`: the classes of hours that steps are counted by; `period`: over what. Where
    `check_before_use` is true the steps come from a public source nobody has checked with the
    provider: they are never used.
    """

    provider: SourceId
    names: Names
    valid_from: date
    counts: tuple[HoursClass, ...] = Field(min_length=1)
    period: Literal["school_year", "term"]
    steps: tuple[Step, ...] = Field(min_length=1)
    source: Words
    check_before_use: bool = False

    @model_validator(mode="after")
    def _steps_rise(self) -> Self:
        numbers = [step.number for step in self.steps]
        hours = [step.from_hours for step in self.steps]
        if numbers != list(range(1, len(numbers) + 1)) or hours != sorted(set(hours)):
            raise ValueError("steps: numbered from 1 on, each from more hours than the one before")
        if not any(step.must_be_done for step in self.steps):
            raise ValueError("steps: at least one must ask something of the school")
        return self


Providers = Mapping[str, Sequence[Provider]]
"""Code -> the provider's steps, the earliest first."""


class Judged(NamedTuple):
    """What is missing, in codes and in words; what was noticed; and the signal's coded facts."""

    missing: tuple[MissingCode, ...]
    mend: str | None
    note: str | None
    facts: CodedAbsence


def provider_on(providers: Providers, code: str, day: date) -> Provider | None:
    """The provider's steps in force on a day; None if they are not known."""
    known = [each for each in providers.get(code, ()) if each.valid_from <= day]
    return known[-1] if known else None


def counted_hours(signal: SchoolAbsence, provider: Provider) -> int:
    """The hours that this provider counts."""
    return sum(getattr(signal, f"hours_{each}") for each in provider.counts)


def step_reached(signal: SchoolAbsence, provider: Provider | None) -> int:
    """The step by the hours, or a later one that the school states; 0 for none."""
    stated = signal.step_reached or 0
    if provider is None:
        return stated
    hours = counted_hours(signal, provider)
    return max([stated, *(step.number for step in provider.steps if step.from_hours <= hours)])


def asked_steps(signal: SchoolAbsence, provider: Provider) -> tuple[Step, ...]:
    """The steps the school must have done: all that are reached, and the first in any case."""
    first = next(step.number for step in provider.steps if step.must_be_done)
    reached = max(first, step_reached(signal, provider))
    return tuple(step for step in provider.steps if step.number <= reached and step.must_be_done)


def missing(signal: SchoolAbsence, provider: Provider | None, day: date) -> tuple[MissingCode, ...]:
    """What stands out on `day`, in codes: `confirmer`, `step-2`, `school-mar`.

    Where the provider's steps are not known: `step`, if none is done. A step or a meeting that lies
    ahead is not done.
    """
    done = {each.step for each in signal.steps_done if each.done_on <= day}
    found = [] if signal.confirmed_by else ["confirmer"]
    if provider is None:
        found += [] if done else ["step"]
        needs_mar = True
    else:
        asked = asked_steps(signal, provider)
        found += [f"step-{s.number}" for s in asked if s.listed_acts and s.number not in done]
        needs_mar = any("school_mar" in step.must_be_done for step in asked)
    held = signal.school_mar_held is not None and signal.school_mar_held <= day
    return (*found, "school-mar") if needs_mar and not held else tuple(found)


def judge(signal: SchoolAbsence, providers: Providers, day: date) -> Judged:
    """Everything that is to be said of a signal received on `day`."""
    provider = provider_on(providers, signal.provider, day)
    codes = missing(signal, provider, day)
    reached = step_reached(signal, provider) > 0
    unknown: Answer = "unknown" if provider is None else "no"
    facts = CodedAbsence(
        confirmed="unknown" if codes else "yes",
        health=_is_health(signal),
        step_reached="yes" if reached else unknown,
    )
    return Judged(
        codes, in_words(codes, provider) if codes else None, _note(signal, provider), facts
    )


def in_words(codes: Sequence[MissingCode], provider: Provider | None) -> str:
    """What is missing, for the school."""
    told = "; ".join(_in_words(code, provider) for code in codes)
    return (
        f"Kept, and its time limits run until a person has decided. Missing: {told}. Do it, and "
        "send the signal again under the same id."
    )


def _in_words(code: MissingCode, provider: Provider | None) -> str:
    if code == "confirmer":
        return "the employee of the school who confirms it (confirmed_by)"
    if code == "school-mar":
        return "the day when the school's multi-professional group met (school_mar_held)"
    if code == "step" or provider is None:
        return "at least one step of the school, done (steps_done)"
    step = provider.steps[int(code.removeprefix("step-")) - 1]
    acts = ", ".join(ACTS[act] for act in step.listed_acts)
    return f"step {step.number}, from {step.from_hours} hours on, done (steps_done): {acts}"


def _note(signal: SchoolAbsence, provider: Provider | None) -> str | None:
    if provider is None:
        return "provider-unknown"
    days = signal.period.ends - signal.period.begins
    return "period-too-long" if days > LONGEST[provider.period] else None


def _is_health(signal: SchoolAbsence) -> Answer:
    if signal.reason_class == "unknown":
        return "unknown"
    return "yes" if signal.reason_class == "health" else "no"
