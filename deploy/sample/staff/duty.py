"""What the duty desk does: urgency, returned absence signals, names, what was set aside."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Literal

from deploy.sample.staff import reasons
from deploy.sample.staff.acting import (
    DISAGREES,
    SECOND_LOOK,
    Act,
    Aside,
    Notified,
    Standing,
    name_of,
)
from deploy.sample.staff.hours import at_work, on_duty
from deploy.sample.staff.people import habit_of

URGENT_IF_FLAGGED = 0.35
URGENT_ELSE = 0.015
SEEN_IF_URGENT = 0.9  # where it is known what is really so
SEEN_ELSE = 0.01
MATTERS = 0.3  # of absence signals that were returned
IDENTIFIED = 0.6  # of children whom nobody knows, and about whom somebody could be asked
CLOSED = 0.4  # of messages that nobody could read


def answers(notifications: Iterable[Notified], now: datetime) -> list[Act]:
    """The urgency checks, answered within minutes at any hour; the fastest answer first."""
    acts = [act for note in notifications if note.open for act in check(note)]
    return sorted((act for act in acts if act.done_at <= now), key=lambda act: act.done_at)


def check(note: Notified) -> Iterator[Act]:
    """Is it urgent? By who was on duty when it came; now and then two of them look.

    A rubber-stamper follows the flag. Of two the slower one is too late, whatever they found.
    """
    rng = Random(f"check {name_of(note)}")
    finds = rng.random() < _chance(note)
    there = on_duty(note.received_at)
    worker = rng.choice(there)
    if habit_of(worker) == "rubber_stamper":
        at = note.received_at + timedelta(seconds=rng.randrange(15, 58))
        yield _answer(note, worker, at, urgent=note.flagged, rng=rng, look=1)
    else:
        at = note.received_at + timedelta(seconds=rng.randrange(150, 1500))
        yield _answer(note, worker, at, urgent=finds, rng=rng, look=1)
    rng = Random(f"second check {name_of(note)}")
    looks, disagrees = rng.random() < SECOND_LOOK, rng.random() < DISAGREES
    others = [each for each in there if each != worker and habit_of(each) == "careful"]
    if others and looks:
        at = note.received_at + timedelta(seconds=rng.randrange(150, 1500))
        yield _answer(note, others[0], at, urgent=finds != disagrees, rng=rng, look=2)


def _chance(note: Notified) -> float:
    """How likely a careful worker finds it urgent."""
    if note.urgent is None:
        return URGENT_IF_FLAGGED if note.flagged else URGENT_ELSE
    return SEEN_IF_URGENT if note.urgent else SEEN_ELSE


def _answer(
    note: Notified, worker: str, at: datetime, *, urgent: bool, rng: Random, look: Literal[1, 2]
) -> Act:
    said = "urgent" if urgent else "not_urgent"
    reason = rng.choice(reasons.URGENT if urgent else reasons.CALM)
    stamped = habit_of(worker) == "rubber_stamper"
    body = {"answer": said, "reason": reasons.STAMPED if stamped else reason}
    return Act(
        f"checks/{note.id}/answer", worker, at, body, "check", (note.id,), note.received_at,
        said, None if stamped else said, look,
    )  # fmt: skip


def settle(case: Standing, now: datetime) -> list[Act]:
    """Is an absence signal that went back to its school a matter? Said within a few days."""
    acts = []
    for note in case.notifications:
        if not note.returned or note.open:  # urgency comes first
            continue
        rng = Random(f"returned {name_of(note)}")
        at = at_work(note.received_at, rng.randrange(3), rng)
        matters, worker = rng.random() < MATTERS, rng.choice(on_duty(at))
        said = "matter" if matters else "no_matter"
        place = f"absence-signals/{note.id}/{said.replace('_', '-')}"
        body = {"reason": rng.choice(reasons.MATTER if matters else reasons.NO_MATTER)}
        acts.append(
            Act(place, worker, at, body, "returned", (note.id,), note.received_at, said, said)
        )
    return [act for act in acts if act.done_at <= now]


def identities(case: Standing, now: datetime) -> list[Act]:
    """Who is this child? The desk takes no time of it: it is recorded when it is played."""
    if case.who is None or not case.notifications:
        return []
    first = case.notifications[0]
    rng = Random(f"identity {name_of(first)}")
    at = at_work(first.received_at, rng.randrange(1, 4), rng)
    found, worker = rng.random() < IDENTIFIED, rng.choice(on_duty(at))
    if not found or at > now:
        return []
    body = {"hetu": case.who.hetu, "name": case.who.name}
    return [
        Act(
            f"cases/{case.child}/identity", worker, at, body, "identity", case.about,
            first.received_at, "identified", "identified", dated=False,
        )
    ]  # fmt: skip


def look_at(aside: Aside, now: datetime) -> list[Act]:
    """What was set aside is read as it came; some of what nobody could read is settled by phone.

    What waits or is held is left alone: others wait behind it.
    """
    rng = Random(f"set aside {aside.received_at:%Y-%m-%dT%H:%M:%S}")
    read = at_work(aside.received_at, 0, rng)
    reader = rng.choice(on_duty(read))
    closed = at_work(read, rng.randrange(1, 3), rng)
    closer, closes = rng.choice(on_duty(closed)), rng.random() < CLOSED
    reason = rng.choice(reasons.CLOSED)
    place = f"set-aside/{aside.item}"
    acts = [
        Act(
            f"{place}/original", reader, read, {}, "original_read", (), aside.received_at,
            "read", None, dated=False,
        )
    ]  # fmt: skip
    if closes and aside.outcome == "quarantined":
        acts.append(
            Act(
                f"{place}/close", closer, closed, {"reason": reason}, "item_closed", (), read,
                "closed", "closed",
            )
        )  # fmt: skip
    return [act for act in acts if act.done_at <= now]
