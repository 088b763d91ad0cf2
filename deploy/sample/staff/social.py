"""What social workers and their leads do: holder, destinations, questions, family, assessment."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, get_args

from deploy.sample.staff import reasons
from deploy.sample.staff.acting import DISAGREES, SECOND_LOOK, Act, Notified, Standing, name_of
from deploy.sample.staff.hours import Turn, turn
from deploy.sample.staff.people import LEAD, LEADS, SOCIAL, careful, habit_of
from shared.events import Destination

OVERRIDDEN = 0.05
ACCEPTED = 0.75
STARTED = 0.55
FINISHED = 0.35
JUDGED_BY = timedelta(minutes=30)
ASKED = 0.45  # of cases whose worker is careful: some of the questions are asked
AT_ONCE = 5  # as many as the form has
SAID = {"no": 0.68, "yes": 0.12, "unknown": 0.20}
TOLD_BY = ("family", "family", "school", "notifier", "health_care")
DESTINATIONS: tuple[str, ...] = get_args(Destination)


def follow_up(case: Standing, now: datetime) -> list[Act]:
    """What is done after the urgency was judged, in the order of time."""
    if case.urgency == "open" or all(note.returned for note in case.notifications):
        return []
    acts = [act for kind in KINDS for act in kind(case) if act.done_at <= now]
    return sorted(acts, key=lambda act: act.done_at)


# --- holder ---------------------------------------------------------------------------------------


def holder(case: Standing) -> Iterator[Act]:
    """Who holds it: confirmed, or chosen otherwise; now and then a second worker disagrees.

    The second one has read the case as it was before the first decided, as two people do.
    """
    if any(note.open for note in case.notifications):
        return
    first = _first_holder(case)
    if not case.holder_chosen:
        yield first
    elif case.confirmed != first.said or first.said != case.holder:
        return
    if first.said != case.holder:
        return
    rng = Random(f"second holder {name_of(case.notifications[-1])}")
    looks, disagrees = rng.random() < SECOND_LOOK, rng.random() < DISAGREES
    if looks and (disagrees or not case.holder_chosen):
        other = _other(case.holder) if disagrees else case.holder
        body = _choice(case, other, rng.choice(reasons.SECOND_OPINION))
        yield _second(first, rng, other, body, sent=disagrees)


def _first_holder(case: Standing) -> Act:
    rng = Random(f"holder {name_of(case.notifications[-1])}")
    urgent = case.urgency == "urgent"
    days = rng.randrange(1, 4) if urgent else rng.randrange(2)
    overridden = rng.random() < OVERRIDDEN
    usual = "own_worker" if case.client else "initial_assessment"
    worker, chosen, reason = _worker(case), case.holder, ""
    if urgent:
        worker, chosen, reason = _careful_worker(case), usual, reasons.HANDED_OVER
    elif case.holder == "person_decides":
        worker, chosen, reason = _careful_worker(case), usual, reasons.CHECKED_BY_HAND
    elif overridden and habit_of(worker) == "careful":
        worker, chosen, reason = LEAD, _other(case.holder), rng.choice(reasons.OVERRIDE)
    team = LEADS if worker in LEADS else SOCIAL
    when = turn(worker, team, _judged(case), days, rng, proposal=chosen == case.holder)
    body = _choice(case, chosen, reason)
    return _decides(case, when, f"cases/{case.child}/holder", body, "holder", chosen)


def _choice(case: Standing, chosen: str, reason: str) -> dict[str, Any]:
    body = {"holder": chosen, "holder_seq": case.holder_seq, "reason": reason}
    return body | ({"after": case.holder_act} if case.holder_act else {})


def _other(proposed: str) -> str:
    return "own_worker" if proposed == "initial_assessment" else "initial_assessment"


# --- destinations ---------------------------------------------------------------------------------


def destinations(case: Standing) -> Iterator[Act]:
    """Accepted or declined, each; a second worker who would have answered otherwise is too late."""
    for destination in DESTINATIONS:
        if number := case.proposals.get(destination):
            rng = Random(f"{destination} {name_of(case.notifications[-1])}")
            first = _destination(case, destination, number, rng)
            yield first
            looks, disagrees = rng.random() < SECOND_LOOK, rng.random() < DISAGREES
            if looks:
                said = _opposite(first.said) if disagrees else first.said
                body = {
                    "answer": said, "number": number,
                    "reason": rng.choice(reasons.SECOND_OPINION),
                }  # fmt: skip
                yield _second(first, rng, said, body, sent=disagrees)


def _destination(case: Standing, destination: str, number: int, rng: Random) -> Act:
    days, accepted = rng.randrange(1, 5), rng.random() < ACCEPTED
    when = turn(_worker(case), SOCIAL, _judged(case), days, rng, proposal=True)
    stamped = habit_of(when.worker) == "rubber_stamper"
    said = "accepted" if stamped or accepted else "declined"
    reason = rng.choice(reasons.ACCEPT if accepted else reasons.DECLINE)
    body = {"answer": said, "number": number, "reason": reasons.STAMPED if stamped else reason}
    place = f"cases/{case.child}/destinations/{destination}"
    return _decides(case, when, place, body, "destination", said)


def questions(case: Standing) -> Iterator[Act]:
    """What somebody told when asked; most cases' questions are never asked, some nobody answers."""
    rng = Random(f"questions {name_of(case.notifications[-1])}")
    worker = _worker(case)
    asks = rng.random() < ASKED and habit_of(worker) == "careful"
    if not asks or case.answered or not case.asks:
        return
    when = turn(worker, SOCIAL, _judged(case), rng.randrange(3, 7), rng)
    answers = {
        question: rng.choices([*SAID], [*SAID.values()])[0] for question in case.asks[:AT_ONCE]
    }
    body = {"answers": answers, "told_by": rng.choice(TOLD_BY), "knowledge": "second_hand"}
    place = f"cases/{case.child}/answers"
    yield _decides(case, when, place, body, "questions", "answered")


def _opposite(said: str) -> str:
    return "declined" if said == "accepted" else "accepted"


def _decides(
    case: Standing, when: Turn, place: str, body: dict[str, Any], kind: Any, said: str
) -> Act:
    believed = None if habit_of(when.worker) == "rubber_stamper" else said
    return Act(place, when.worker, when.at, body, kind, case.about, when.since, said, believed)


def _second(first: Act, rng: Random, said: str, body: dict[str, Any], *, sent: bool) -> Act:
    """A careful colleague's own look at the same, a little later."""
    team = [worker for worker in careful(SOCIAL) if worker != first.worker]
    when = turn(rng.choice(team), team, first.done_at, 0, rng)
    return replace(
        first, worker=when.worker, since=first.since, done_at=when.at, body=body, said=said,
        believed=said, look=2, sent=sent,
    )  # fmt: skip


# --- family and assessment ------------------------------------------------------------------------


def family(case: Standing) -> Iterator[Act]:
    """Child and guardian are told."""
    for covered, when in _together(case, "family_told", latest=4):
        yield _works(case, when, "family-told", "family_told", covered)


def assessment(case: Standing) -> Iterator[Act]:
    """Begun or found unnecessary within the seven working days; some are ready already."""
    rng = Random(f"assessment {name_of(case.notifications[-1])}")
    starts = case.urgency == "urgent" or rng.random() < STARTED
    ready = rng.random() < FINISHED
    weeks = timedelta(days=rng.randrange(10, 26))
    for covered, when in _together(case, "assessment_start", latest=5):
        if not starts:
            body = {
                "ground": "recently_assessed" if case.client else "no_services_needed",
                "reason": rng.choice(reasons.UNNECESSARY),
            }
            yield _works(
                case, when, "manifestly-unnecessary", "manifestly_unnecessary", covered, body
            )
            continue
        yield _works(case, when, "assessment-started", "assessment_started", covered)
        if ready:
            end = turn(when.worker, SOCIAL, when.at + weeks, 0, rng)
            yield _works(case, end, "assessment-finished", "assessment_finished", covered)


def _together(case: Standing, clock: str, *, latest: int) -> Iterator[tuple[tuple[str, ...], Turn]]:
    """Notifications that one act covers, with whose turn it is: those that came before it."""
    when: Turn | None = None
    covered: list[str] = []
    for note in _running(case, clock):
        if when is not None and note.received_at > when.at:
            yield tuple(covered), when
            when, covered = None, []
        if when is None:
            rng = Random(f"{clock} {name_of(note)}")
            when = turn(_worker(case), SOCIAL, note.received_at, rng.randrange(latest + 1), rng)
        covered.append(note.id)
    if when is not None:
        yield tuple(covered), when


def _running(case: Standing, clock: str) -> Sequence[Notified]:
    return [n for n in case.notifications if clock in n.running and not n.returned]


def _works(
    case: Standing, when: Turn, name: str, kind: Any, covered: tuple[str, ...],
    body: dict[str, Any] | None = None,
) -> Act:  # fmt: skip
    body = {"notifications": list(covered), **(body or {})}
    said = body.get("ground", "done")
    place = f"cases/{case.child}/{name}"
    return Act(place, when.worker, when.at, body, kind, covered, when.since, said, said)


KINDS: tuple[Callable[[Standing], Iterator[Act]], ...] = (
    holder,
    destinations,
    questions,
    family,
    assessment,
)
"""What is done about a judged case, one function for each kind of act."""


# --- another was faster ---------------------------------------------------------------------------


def read_again(act: Act, case: Standing) -> Act | None:
    """What a worker does who was too late and has read the case again; None leaves it as it is.

    Only a holder can be chosen anew over another person's choice.
    """
    if act.kind != "holder" or act.said == case.confirmed or case.urgency == "open":
        return None
    reason = act.body["reason"]
    if not reason and (case.holder_chosen or act.said != case.holder):
        return None  # who only meant to confirm goes over nobody's choice, and takes no other one
    return replace(act, body=_choice(case, act.said, reason))


def join(act: Act, other: str, now: datetime) -> Act | None:
    """Who was given an identity is known under another case: a social worker joins the two.

    `act` is the one that gave it; None while nobody has come to it.
    """
    child = act.place.split("/")[1]
    rng = Random(f"join {act.done_at:%Y-%m-%dT%H:%M:%S}")
    team = careful(SOCIAL)
    when = turn(rng.choice(team), team, act.done_at, rng.randrange(2), rng)
    if when.at > now:
        return None
    return Act(
        f"cases/{child}/join", when.worker, when.at,
        {"other": other, "reason": rng.choice(reasons.SAME_PERSON)},
        "join", act.about, act.done_at, "same", "same", dated=False,
    )  # fmt: skip


# --- whose case -----------------------------------------------------------------------------------


def _worker(case: Standing) -> str:
    """The social worker whose case it is; the same whatever arrives later."""
    return Random(f"worker {name_of(case.notifications[0])}").choice(SOCIAL)


def _careful_worker(case: Standing) -> str:
    """Who decides where there is nothing to confirm."""
    worker = _worker(case)
    if habit_of(worker) == "careful":
        return worker
    return Random(f"instead {name_of(case.notifications[0])}").choice(careful(SOCIAL))


def _judged(case: Standing) -> datetime:
    return case.notifications[-1].received_at + JUDGED_BY
