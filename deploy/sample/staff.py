"""What the sample county's workers decide about a case, and when: seeded, pure, in office hours.

An act whose time has not come yet is not done: so the last days stay open as they would.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any, NamedTuple

from services.routing.domain.clocks import counts_as_working_day, is_eve
from shared.clock import HELSINKI


class SampleWorker(NamedTuple):
    """An invented member of staff."""

    id: str
    name: str
    role: str


WORKERS = (
    SampleWorker("duty-1", "Aino Esimerkki", "duty"),
    SampleWorker("duty-2", "Eero Malli", "duty"),
    SampleWorker("duty-3", "Saga Exempel", "duty"),
    SampleWorker("social-1", "Helmi Harjoitus", "social_worker"),
    SampleWorker("social-2", "Onni Kokeilu", "social_worker"),
    SampleWorker("social-3", "Linnea Provare", "social_worker"),
    SampleWorker("social-4", "Veikko Näyte", "social_worker"),
    SampleWorker("lead-1", "Kerttu Koe", "supervisor"),
)
DUTY = ("duty-1", "duty-2", "duty-3")
SOCIAL = ("social-1", "social-2", "social-3", "social-4")
LEAD = "lead-1"

URGENT_IF_FLAGGED = 0.35
URGENT_ELSE = 0.015
OVERRIDDEN = 0.05
ACCEPTED = 0.75
STARTED = 0.55
FINISHED = 0.35
OPENS, CLOSES = 8, 16


@dataclass(frozen=True)
class Notified:
    """One notification of a case: what is open of it."""

    id: str
    received_at: datetime
    open: bool
    flagged: bool
    running: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Standing:
    """A case as the desk tells of it."""

    child: str
    urgency: str
    holder: str
    holder_seq: int
    holder_chosen: bool
    proposals: Mapping[str, int] = field(default_factory=dict)  # destination -> number, open ones
    client: bool = False
    notifications: tuple[Notified, ...] = ()  # the earliest first


@dataclass(frozen=True)
class Act:
    """One act for the desk's API: its place, its body, who does it and when it was done."""

    place: str
    worker: str
    done_at: datetime
    body: Mapping[str, Any]


def answers(notifications: Iterable[Notified], now: datetime) -> list[Act]:
    """The urgency checks, answered within minutes at any hour."""
    acts = []
    for note in notifications:
        rng = Random(f"check {_name(note)}")
        urgent = rng.random() < (URGENT_IF_FLAGGED if note.flagged else URGENT_ELSE)
        at = note.received_at + timedelta(seconds=rng.randrange(150, 1500))
        worker = rng.choice(DUTY)
        reason = rng.choice(URGENT_REASONS if urgent else CALM_REASONS)
        if note.open and at <= now:
            body = {"answer": "urgent" if urgent else "not_urgent", "reason": reason}
            acts.append(Act(f"checks/{note.id}/answer", worker, at, body))
    return acts


def follow_up(case: Standing, now: datetime) -> list[Act]:
    """What is done after the urgency was judged: holder, destinations, family, assessment."""
    if case.urgency == "open" or not case.notifications:
        return []
    judged = case.notifications[-1].received_at + timedelta(minutes=30)
    rng = Random(f"case {_name(case.notifications[-1])}")
    acts = [
        *_holder(case, rng, judged),
        *_destinations(case, rng, judged),
        *_family(case, rng),
        *_assessment(case, rng),
    ]
    return sorted((act for act in acts if act.done_at <= now), key=lambda act: act.done_at)


def _holder(case: Standing, rng: Random, judged: datetime) -> Iterator[Act]:
    usual = "own_worker" if case.client else "initial_assessment"
    urgent = case.urgency == "urgent"
    at = at_work(judged, rng.randrange(1, 4) if urgent else rng.randrange(2), rng)
    overridden = rng.random() < OVERRIDDEN
    worker = rng.choice(SOCIAL)
    waits = urgent and any(note.open for note in case.notifications)  # the duty desk keeps it
    if case.holder_chosen or waits:
        return
    holder, reason = case.holder, ""
    if urgent:
        holder, reason = usual, HANDED_OVER
    elif case.holder == "person_decides":
        holder, reason = usual, "Tiedot tarkistettiin käsin."
    elif overridden:
        holder = "own_worker" if case.holder == "initial_assessment" else "initial_assessment"
        worker, reason = LEAD, rng.choice(OVERRIDE_REASONS)
    body = {"holder": holder, "holder_seq": case.holder_seq, "reason": reason}
    yield Act(f"cases/{case.child}/holder", worker, at, body)


def _destinations(case: Standing, rng: Random, judged: datetime) -> Iterator[Act]:
    for destination in ("basic_services", "expert_group", "psychiatry"):
        at = at_work(judged, rng.randrange(1, 5), rng)
        accepted, worker = rng.random() < ACCEPTED, rng.choice(SOCIAL)
        reason = rng.choice(ACCEPT_REASONS if accepted else DECLINE_REASONS)
        if number := case.proposals.get(destination):
            body = {
                "answer": "accepted" if accepted else "declined",
                "number": number,
                "reason": reason,
            }
            place = f"cases/{case.child}/destinations/{destination}"
            yield Act(place, worker, at, body)


def _family(case: Standing, rng: Random) -> Iterator[Act]:
    for covered, at in _together(case, "family_told", rng, latest=4):
        yield Act(f"cases/{case.child}/family-told", rng.choice(SOCIAL), at, _about(covered))


def _assessment(case: Standing, rng: Random) -> Iterator[Act]:
    """Begun or found unnecessary within the seven working days; some are ready already."""
    starts = case.urgency == "urgent" or rng.random() < STARTED
    ready = rng.random() < FINISHED
    weeks = timedelta(days=rng.randrange(10, 26))
    worker = rng.choice(SOCIAL)
    place = f"cases/{case.child}"
    for covered, at in _together(case, "assessment_start", rng, latest=5):
        body: dict[str, Any] = _about(covered)
        if not starts:
            ground = "recently_assessed" if case.client else "no_services_needed"
            reason = rng.choice(UNNECESSARY_REASONS)
            body |= {"ground": ground, "reason": reason}
            yield Act(f"{place}/manifestly-unnecessary", worker, at, body)
            continue
        yield Act(f"{place}/assessment-started", worker, at, body)
        if ready:
            yield Act(f"{place}/assessment-finished", worker, at_work(at + weeks, 0, rng), body)


def _together(
    case: Standing, clock: str, rng: Random, *, latest: int
) -> Iterator[tuple[list[Notified], datetime]]:
    """Notifications that one act covers, with its time: those that came before it was done."""
    at: datetime | None = None
    covered: list[Notified] = []
    for note in (note for note in case.notifications if clock in note.running):
        if at is not None and note.received_at > at:
            yield covered, at
            at, covered = None, []
        if at is None:
            at = at_work(note.received_at, rng.randrange(latest + 1), rng)
        covered.append(note)
    if at is not None:
        yield covered, at


def at_work(after: datetime, days: int, rng: Random) -> datetime:
    """A moment in office hours, `days` working days after `after`, never before it."""
    local = after.astimezone(HELSINKI)
    day, left = local.date(), days
    late = local.time() >= time(CLOSES - 1)
    while left or late or not _working(day):
        day += timedelta(days=1)
        late = False
        if left and _working(day):
            left -= 1
    start = datetime.combine(day, time(OPENS), HELSINKI)
    earliest = max(start, local + timedelta(minutes=20))
    end = datetime.combine(day, time(CLOSES), HELSINKI)
    room = max(0, int((end - earliest).total_seconds()))
    return (earliest + timedelta(seconds=int(room * rng.random()))).replace(microsecond=0)


def _working(day: date) -> bool:
    return counts_as_working_day(day) and not is_eve(day)


def _about(covered: Sequence[Notified]) -> dict[str, Any]:
    return {"notifications": [note.id for note in covered]}


def _name(note: Notified) -> str:
    """Stands for a notification in every run: ids are random, times of receipt are not."""
    place = note.id.rpartition(".")[2]
    return f"{note.received_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S} {place}"


CALM_REASONS = (
    "Lapsi on turvassa kotona, ilmoittajaan on oltu yhteydessä.",
    "Ei välitöntä vaaraa. Asia ehtii virka-aikaan.",
    "Puhuttu ilmoittajan kanssa, tilanne on rauhoittunut.",
    "Lapsi on koulussa turvassa, huoltaja tavoitettu.",
    "Tilanne on pitkittynyt mutta ei kiireellinen.",
)
URGENT_REASONS = (
    "Lapsen turvallisuudesta ei ole varmuutta, lähdetään heti selvittämään.",
    "Ilmoituksen tiedot ovat vakavia, tilanne arvioidaan paikan päällä tänään.",
    "Ilmoittajan kanssa puhuttu, tilanne vaatii välitöntä selvittämistä.",
)
HANDED_OVER = "Kiireelliset toimet on tehty päivystyksessä, asia siirtyy eteenpäin."
OVERRIDE_REASONS = (
    "Perheellä on jo nimetty työntekijä, jatketaan hänen kanssaan.",
    "Asiakkuus on päättymässä, uusi arviointi on paikallaan.",
)
ACCEPT_REASONS = ("Perhe toivoo tätä tukea.", "Sopii tilanteeseen.", "Sovittu huoltajan kanssa.")
DECLINE_REASONS = (
    "Perhe saa jo vastaavaa tukea.",
    "Huoltaja ja lapsi eivät halua tätä nyt.",
    "Arvioidaan uudelleen arvioinnin jälkeen.",
)
UNNECESSARY_REASONS = (
    "Sama tilanne on arvioitu hiljattain, uutta ei ole tullut esiin.",
    "Tilanne selvitetty huoltajan kanssa, tukea ei tarvita.",
)
