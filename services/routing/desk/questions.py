"""The questions of a case on its page: what is asked, of whom, what each answer would change."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.routing.desk.languages import Words
from services.routing.desk.words import DESTINATIONS, HOLDERS, LEVELS
from services.routing.domain.cases import Case, InForce, Rules
from services.routing.domain.clocks import answer_by, last_day
from services.routing.domain.decision import Decision
from services.routing.domain.form import AnsweredBy, Form

AT_ONCE = 5  # questions that are shown together; the others follow when these are answered


@dataclass(frozen=True)
class AskView:
    """One question; `changes`: for "yes" and "no" what that answer alone would change, in words."""

    id: str
    text: str
    answered_by: Sequence[AnsweredBy]
    changes: Mapping[str, Sequence[str]]
    due: datetime | None = None


@dataclass(frozen=True)
class AnswersDue:
    """By when the questions of a case are to be answered: its moment, and its last day in words.

    `in_assessment`: the assessment has begun, and its own end is what they must be answered before.
    """

    at: datetime
    day: str
    late: bool
    in_assessment: bool


def answers_due(
    start: datetime | None, finish: datetime | None, rules: Rules, now: datetime, words: Words
) -> AnswersDue | None:
    """From the targets of the assessments that have not begun, or are not ready; None without."""
    target = start or finish
    if target is None:
        return None
    due = answer_by(target, rules.clocks)
    return AnswersDue(due, words.day(last_day(due)), due <= now, in_assessment=start is None)


def asks_of(
    case: Case, rules: Rules, form: Form, words: Words, due: datetime | None = None
) -> tuple[AskView, ...]:
    """Every question that matters of a case, the most decisive first."""
    questions = form.by_id()
    in_force = rules.at(case.pending_since)
    stands, _ = in_force.decide(case.stated, case.age_band, case.urgency)
    found = []
    for ask in in_force.questions.that_matter(case.stated, case.age_band, case.urgency):
        question = questions[ask.question]
        changes = {
            answer: tuple(_changes(stands, _with(case, in_force, ask.question, answer), words))
            for answer in ("yes", "no")
        }
        found.append(
            AskView(
                ask.question, question.text.in_language(words.language), question.answered_by,
                changes, due,
            )
        )  # fmt: skip
    return tuple(found)


def _with(case: Case, rules: InForce, question: str, answer: str) -> Decision:
    said: dict[str, Any] = {question: answer}
    decision, _ = rules.decide(case.stated._replace(**said), case.age_band, case.urgency)
    return decision


def _changes(stands: Decision, after: Decision, words: Words) -> Iterator[str]:
    if set(after.urgent_flags) - set(stands.urgent_flags):
        yield words.text("A sign of urgency is added")
    if after.level != stands.level:
        yield words.of(LEVELS, after.level)
    if after.holder != stands.holder:
        yield words.of(HOLDERS, after.holder)
    for each in after.destinations:
        if each not in stands.destinations:
            yield words.text("Proposed: %(what)s") % {"what": words.of(DESTINATIONS, each)}
    for each in stands.destinations:
        if each not in after.destinations:
            yield words.text("No longer proposed: %(what)s") % {
                "what": words.of(DESTINATIONS, each)
            }
