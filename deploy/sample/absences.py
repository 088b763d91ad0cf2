"""Writes one absence signal of a school, and what is really so about it."""

from datetime import UTC, date, datetime
from random import Random
from typing import Any, Final

import orjson

from deploy.sample.families import Household, household_on, local, school_in, stated
from deploy.sample.message import Message, headers_of
from deploy.sample.scenes import book, pick
from deploy.sample.schooling import Course, Pupil, Schooling, Signal
from deploy.sample.truth import Truth, true_child
from deploy.sample.volumes import volumes
from deploy.sample.writing import colleague, mail_of
from deploy.sample.year import Plan, mixed, seeded
from services.intake.domain.absence import Step
from shared.events import Urgency
from shared.kinds import BY_NAME

ABSENCE: Final = BY_NAME["absence"]
_CONFIRMERS = ("rehtori", "apulaisrehtori", "kuraattori")


def write_signal(plan: Plan, schooling: Schooling, row: int) -> Message:
    """The message of one row; the same bytes whenever it is asked for."""
    sent, pupil, course, signal, turn = schooling.row(row)
    household = household_on(plan, pupil.group, local(signal.sent).date())
    source, source_id = _source(course), _id(plan, pupil, signal)
    arrived_at = signal.sent if turn == "again" else sent
    arrived = datetime.fromtimestamp(arrived_at, UTC).isoformat()
    body = _content(_rng(plan, pupil, signal), pupil, course, signal, household)
    body |= _concern(_rng(plan, pupil, signal, 1), course, "sv" if household.swedish else "fi")
    if turn == "whole":
        assert signal.whole is not None  # noqa: S101 -- the row is of such a one
        body["steps_done"] = _done(course, signal, signal.whole[0])
        body["school_mar_held"] = _meeting(course, signal, signal.whole[0])
        body["confirmed_on"] = _day(course, signal.whole[0])
    elif not signal.complete:
        _lack(_rng(plan, pupil, signal, 2), signal, body)
    return Message(
        at=datetime.fromtimestamp(sent, UTC), source=source, source_id=source_id, kind="absence",
        topic=ABSENCE.topic, key=source_id.encode(),
        headers=headers_of(source, source_id, ABSENCE.type, arrived),
        value=orjson.dumps({"arrived_at": arrived} | body),
    )  # fmt: skip


def truth_of_signal(plan: Plan, schooling: Schooling, row: int) -> Truth:
    """The truth about one row."""
    sent, pupil, course, signal, turn = schooling.row(row)
    household = household_on(plan, pupil.group, local(signal.sent).date())
    language = "sv" if household.swedish else "fi"
    marked = "urgency" in _concern(_rng(plan, pupil, signal, 1), course, language)
    return Truth(
        _source(course), _id(plan, pupil, signal), local(sent).isoformat(), "absence",
        children=(true_child(pupil.person, pupil.group, household),),
        household=f"household-{pupil.group.household}",
        siblings=f"group-{pupil.group.number}",
        urgent=marked,
        marked=marked,
        repeat=turn == "again",
        about=None,
        dispute=pupil.group.dispute,
        turvakielto=household.turvakielto,
        moved=household.moved,
        moved_out=local(pupil.group.left).date() if pupil.group.left else None,
        client=household.client,
        hours=course.absent(signal.place - 1),
        complete=signal.complete or turn == "whole",
        resent=turn == "whole",
    )  # fmt: skip


def _rng(plan: Plan, pupil: Pupil, signal: Signal, part: int = 0) -> Random:
    return seeded(mixed(_mark(plan, pupil, signal), 43, part))


def _mark(plan: Plan, pupil: Pupil, signal: Signal) -> int:
    """A number of the signal, whatever the county's size."""
    own = mixed(plan.base, 44, pupil.person.number)
    return mixed(own, pupil.year, signal.step + 100 * signal.term)


def _id(plan: Plan, pupil: Pupil, signal: Signal) -> str:
    return f"abs-{local(signal.sent).year}-{_mark(plan, pupil, signal):016x}"


def _source(course: Course) -> str:
    return f"school-{1 + course.municipality % 3}"


def _content(
    rng: Random, pupil: Pupil, course: Course, signal: Signal, household: Household
) -> dict[str, Any]:
    """The signal with all that the school has done, without when it arrived."""
    language = "sv" if household.swedish else "fi"
    begin, end = course.periods()[signal.term][0], signal.place - 1
    day = course.calendar.days[signal.place]
    school = school_in(pupil.person, course.municipality, day, swedish=household.swedish)
    child = stated(rng, pupil.person, household, "education", day) | {"school": school}
    role = pick(rng, _CONFIRMERS)
    name = colleague(school, role, 0)
    body: dict[str, Any] = {
        "provider": course.provider.provider,
        "school": school,
        "pupil": child,
        "period": {"begins": _day(course, begin), "ends": _day(course, end)},
        **{f"hours_{each}": hours for each, hours in course.hours(end, begin).items()},
        "steps_done": _done(course, signal, signal.place),
        "reason_class": "unknown" if signal.step == 1 and rng.random() < 0.4 else course.reason,
        "school_mar_held": _meeting(course, signal, signal.place),
        "guardians_informed": pick(rng, ("yes", "yes", "yes", "yes", "no", "unknown")),
        "contact_made_together": _together(rng, signal),
        "confirmed_by": {
            "name": name, "role": role, "email": mail_of(name, "education"), "language": language,
        },
        "confirmed_on": _day(course, signal.place),
    }  # fmt: skip
    if rng.random() < 0.9:
        body["step_reached"] = signal.step
    if rng.random() < 0.5:
        body["pupil_ref"] = f"opp-{pupil.person.number % 100_000:05d}"
    return body


def _together(rng: Random, signal: Signal) -> str:
    if signal.step < 3:
        return "no"
    return "yes" if rng.random() < 0.4 else "no"


def _concern(rng: Random, course: Course, language: str) -> dict[str, Any]:
    """The words, and what concern there is besides the absence."""
    texts = book().phrases["kinds"]["absence"]
    lines = texts["lines"][language]
    words = pick(rng, lines.get(course.reason) or lines["unknown"])
    reasons = ["LOCAL-REASON-SCHOOL"] if rng.random() < 0.7 else []
    found: dict[str, Any] = {}
    if rng.random() < volumes().absence.concern:
        urgent = rng.random() < volumes().absence.concern_urgent
        concerns = texts["urgent" if urgent else "concerns"]
        reason = pick(rng, tuple(concerns))
        reasons.append(f"LOCAL-REASON-{reason}")
        words += concerns[reason][language]
        if urgent:
            found["urgency"] = dict.fromkeys(Urgency.model_fields, "unknown") | {"in_danger": "yes"}
    return {"reasons": reasons, "observations": words} | found


def _asked(course: Course, signal: Signal) -> list[Step]:
    return [step for step in course.provider.steps if step.number <= signal.step]


def _done(course: Course, signal: Signal, place: int) -> list[dict[str, Any]]:
    """Every step so far, each done a day or two after it was reached, and before `place`."""
    actors = book().phrases["kinds"]["absence"]["actors"]
    return [
        {
            "step": step.number,
            "done_on": _day(course, min(reached + 1, place - 1)),
            "actor": actors[step.listed_acts[0]],
        }
        for step, reached in zip(_asked(course, signal), signal.reached, strict=True)
        if step.listed_acts
    ]


def _meeting(course: Course, signal: Signal, place: int) -> str | None:
    """When the school's multi-professional group met, where a step so far asks for it."""
    for step, reached in zip(_asked(course, signal), signal.reached, strict=True):
        if "school_mar" in step.must_be_done:
            return _day(course, min(reached + 2, place - 1))
    return None


def _lack(rng: Random, signal: Signal, body: dict[str, Any]) -> None:
    """Take out what the school has not done: the newest step, the meeting, or who confirms it."""
    possible = ["confirmer", "steps"]
    if body["school_mar_held"] is not None:
        possible.append("meeting")
    lacks = pick(rng, possible)
    if lacks == "confirmer":
        body["confirmed_by"] = body["confirmed_on"] = None
    elif lacks == "steps":
        body["steps_done"] = [each for each in body["steps_done"] if each["step"] < signal.step]
    else:
        body["school_mar_held"] = None


def _day(course: Course, place: int) -> str:
    day: date = course.calendar.days[place]
    return day.isoformat()
