"""What a message tells of each child: whom it is looked up by, age band, codes, person card. Pure.

What is kept apart: persons in a card of their own, the notifier, and the text, which is all else.
"""

from datetime import date, datetime
from typing import Any, NamedTuple

import orjson

from services.intake.domain.reading import kind_of
from shared.absence import SchoolAbsence
from shared.clock import HELSINKI
from shared.events import (
    AgeBand,
    CodedAbsence,
    Concern,
    Matter,
    Message,
    NotifiedChild,
    age_band_on,
    last_year_of_band,
    years_on,
)
from shared.hetu import birth_date
from shared.kinds import Anticipatory, Application, ConsultationRequest

About = Concern | SchoolAbsence  # a message about children

YOUNGEST_APPLICANT = 12  # own application (law.md SEC-11)


class AboutChild(NamedTuple):
    """One child of a message. `looked_up_by`: kind and value of its keyed hash, if it has one.

    `named` is the child as it was told of; None of one who is not born.
    """

    looked_up_by: tuple[str, str] | None
    known: bool  # who it is; an unborn child is nobody yet, though it can be looked up
    age_band: AgeBand
    facts: dict[str, Any]
    card: bytes
    named: NotifiedChild | None = None


def children_of(
    message: About, received_at: datetime, absence: CodedAbsence | None = None
) -> list[AboutChild]:
    """Each child of a message, in its order; `absence`: what is coded of a school's signal."""
    if isinstance(message, SchoolAbsence):
        pupil = _named(message, message.pupil, received_at)
        coded = absence and absence.model_dump()
        return [pupil._replace(facts={**pupil.facts, "absence": coded})]
    if isinstance(message, Matter):
        return [_named(message, child, received_at) for child in message.children]
    if isinstance(message, Anticipatory):
        return [_unborn(message)]
    raise NotImplementedError(kind_of(message).name)


def _named(
    message: Matter | SchoolAbsence, child: NotifiedChild, received_at: datetime
) -> AboutChild:
    looked_up_by = ("hetu", child.hetu) if child.hetu else None
    facts = {**coded_facts(message), "is_client": child.is_client}
    if born := _born(child):
        facts["last_year_of_band"] = last_year_of_band(born, day_of(received_at))
    return AboutChild(
        looked_up_by, looked_up_by is not None, age_band_of(child, received_at), facts,
        child.model_dump_json().encode(), child,
    )  # fmt: skip


def _unborn(message: Anticipatory) -> AboutChild:
    """The child is not there yet: its card is the expecting parent's, and so is its hash."""
    parent = message.parent
    card = {"expecting_parent": parent.model_dump(mode="json"), "due_date": message.due_date}
    looked_up_by = ("expecting", parent.hetu) if parent.hetu else None
    facts = {**coded_facts(message), "is_client": "unknown"}
    return AboutChild(
        looked_up_by, known=False, age_band="unborn", facts=facts, card=orjson.dumps(card)
    )


def coded_facts(message: About) -> dict[str, Any]:
    """What may travel in the clear, as `CodedFacts`: answers and codes, nothing about persons."""
    urgency = message.urgency
    facts: dict[str, Any] = {
        "in_danger": urgency.in_danger,
        "assault_suspected": urgency.assault_suspected,
        "alone_guardians_unreachable": urgency.alone_guardians_unreachable,
        "judged_urgent_by_authority": urgency.judged_urgent_by_authority,
        "reasons": message.reasons,
    }
    if isinstance(message, Concern):
        facts["knowledge"] = message.knowledge
        facts["said_by"] = message.notifier.kind
    if isinstance(message, ConsultationRequest):
        facts["psychiatry_asks"] = "yes"
    return facts


APART = {
    "arrived_at", "notifier", "children", "parent", "due_date", "corrects", "attachments", "pupil",
    "confirmed_by",
}  # fmt: skip
"""Fields that are no part of a message's text: persons, times, references."""


def text_of(message: Message) -> bytes:
    """All that a message says in words and answers, as JSON."""
    return message.model_dump_json(exclude=APART, exclude_none=True).encode()


def noted(message: Message, appended_at: datetime, received_at: datetime) -> str | None:
    """What is noticed about a message and does not stand in its way, in a code.

    A stated arrival ahead of the real one is ignored (design 12); a child's own application is
    never turned away for its age.
    """
    if message.arrived_at and message.arrived_at > appended_at:
        return "stated-arrival-ahead"
    if isinstance(message, Application) and message.notifier.kind == "child":
        (child,) = message.children
        born = _born(child)
        if born and years_on(born, day_of(received_at)) < YOUNGEST_APPLICANT:
            return "applicant-below-12"
    return None


def age_band_of(child: NotifiedChild, received_at: datetime) -> AgeBand:
    """The age band on the day of receipt; unknown without a birth date."""
    born = _born(child)
    return age_band_on(born, day_of(received_at)) if born else "unknown"


def _born(child: NotifiedChild) -> date | None:
    return birth_date(child.hetu) if child.hetu else child.birth_date


def day_of(moment: datetime) -> date:
    """The day in Finland."""
    return moment.astimezone(HELSINKI).date()
