"""Who works there, and how."""

from typing import Literal, NamedTuple

Habit = Literal["careful", "rubber_stamper"]


class SampleWorker(NamedTuple):
    """An invented member of staff."""

    id: str
    name: str
    role: str


WORKERS = (
    SampleWorker("duty-1", "Aino Esimerkki", "duty"),
    SampleWorker("duty-2", "Eero Malli", "duty"),
    SampleWorker("duty-3", "Saga Exempel", "duty"),
    SampleWorker("duty-4", "Tauno Leima", "duty"),
    SampleWorker("duty-5", "Kielo Luonnos", "duty"),
    SampleWorker("social-1", "Helmi Harjoitus", "social_worker"),
    SampleWorker("social-2", "Onni Kokeilu", "social_worker"),
    SampleWorker("social-3", "Linnea Provare", "social_worker"),
    SampleWorker("social-4", "Veikko Näyte", "social_worker"),
    SampleWorker("social-5", "Sirkku Otos", "social_worker"),
    SampleWorker("social-6", "Petter Modell", "social_worker"),
    SampleWorker("lead-1", "Kerttu Koe", "supervisor"),
    SampleWorker("lead-2", "Rauha Kaava", "supervisor"),
)
DUTY = tuple(worker.id for worker in WORKERS if worker.role == "duty")
SOCIAL = tuple(worker.id for worker in WORKERS if worker.role == "social_worker")
LEADS = tuple(worker.id for worker in WORKERS if worker.role == "supervisor")
LEAD = LEADS[0]

RUBBER_STAMPERS = frozenset({"duty-4", "social-4", "social-6"})
"""They accept whatever is proposed, within a minute, and never choose otherwise (law.md AUT-06)."""

PART_TIME = {"duty-2": 2, "social-3": 4}
"""Who works four days a week -> the weekday that is free, Monday is 0."""


def habit_of(worker: str) -> Habit:
    """How a worker decides."""
    return "rubber_stamper" if worker in RUBBER_STAMPERS else "careful"


def careful(workers: tuple[str, ...]) -> tuple[str, ...]:
    """Those of them who look before they decide."""
    return tuple(worker for worker in workers if worker not in RUBBER_STAMPERS)
