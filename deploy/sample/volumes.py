"""The figures of volumes.yaml, checked: how much of everything the sample county has."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.events import NotifierKind

_SOURCE = Path(__file__).with_name("volumes.yaml")

Share = Annotated[float, Field(ge=0, le=1)]
PerThousand = Annotated[float, Field(ge=0)]
Letter = Literal["P", "S", "D", "H", "O", "V", "X"]
Grades = Literal["7-9", "1-6"]
ReasonClass = Literal["health", "behaviour", "learning_psych", "home", "unknown"]
ContactKind = Literal["joint_contact", "contact", "application"]


class _Figures(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Under18s(_Figures):
    """How many children live there."""

    county: int
    finland: int


class Yearly(_Figures):
    """A year, for each 1,000 under-18s."""

    notified: PerThousand
    contacts: PerThousand
    unborn: PerThousand
    consultations: PerThousand


class Times(_Figures):
    """How often a child is notified of; the rest, of those once and twice, is three and more."""

    once: Share
    twice: Share
    one_more: Share


class Nameless(_Figures):
    """Children without a henkilötunnus in the message, by who writes."""

    private: Share
    others: Share


class Band(_Figures):
    """An age band: its share of notified children, and who notifies of it about what."""

    share: Share
    days: tuple[int, int]  # of age, both ends included
    letters: dict[Letter, float]
    others: dict[NotifierKind, float]
    psychiatric: Share
    custody: Share


class Reach(_Figures):
    """Shares of pupils who are absent 30 hours, 50 hours and severely in a school year."""

    h30: Share
    h50: Share
    severe: Share

    @model_validator(mode="after")
    def _falls(self) -> "Reach":
        if not self.h30 > self.h50 > self.severe > 0:
            raise ValueError("reach: fewer pupils reach more hours")
        return self


class Absences(_Figures):
    """School absence."""

    pupils_per_1000: dict[Grades, PerThousand]
    reach: dict[Grades, Reach]
    severe_hours: int
    most_hours: int
    of_families: dict[Grades, Share]
    others_per_1000: dict[Grades, PerThousand]
    stress_signals_per_1000: PerThousand
    goes_on: Share
    siblings: Share
    clients: Share
    first_step_hours: int
    incomplete: Share
    completed: Share
    concern: Share
    concern_urgent: Share
    reason_classes: dict[ReasonClass, float]


class ClientsFeed(_Figures):
    """What changes about clients in a year."""

    ends: Share
    begins: Share
    worker_changes: Share
    placed: Share
    newly_placed: Share
    moves_on: Share
    consents: Share
    prohibitions: Share
    interpreter: Share
    hetu_corrected: Share
    out_of_order: Share
    sent_again: Share


class DirectoryFeed(_Figures):
    """Staff and the duty rota."""

    households_per_worker: int
    duty_workers: int
    workers_per_supervisor: int
    leave: Share
    away: Share
    swapped: Share


class Volumes(_Figures):
    """All of volumes.yaml; where a figure is from is said there."""

    under_18s: Under18s
    yearly_per_1000: Yearly
    police_reports: Share
    transfers: Share
    contact_kinds: dict[ContactKind, Share]
    contact_before: Share
    own_applications: Share
    corrected: Share
    withdrawn: Share
    repeated: Share
    times: Times
    together: tuple[Share, ...]
    same_household: Share
    clients: Share
    turvakielto: Share
    moved: Share
    moved_out: Share
    disputes: Share
    nameless: Nameless
    expecting_known: Share
    marked: Share
    urgent_if_marked: Share
    urgent_else: Share
    bands: tuple[Band, ...]
    absence: Absences
    clients_feed: ClientsFeed
    directory_feed: DirectoryFeed

    @model_validator(mode="after")
    def _shares_add_up(self) -> "Volumes":
        for name, shares in (
            ("contact_kinds", list(self.contact_kinds.values())),
            ("together", list(self.together)),
            ("bands", [band.share for band in self.bands]),
        ):
            if abs(sum(shares) - 1) > 1e-9:
                raise ValueError(f"{name}: the shares do not add up to 1")
        return self


@lru_cache(maxsize=1)
def volumes() -> Volumes:
    """Read volumes.yaml once."""
    return Volumes.model_validate(yaml.safe_load(_SOURCE.read_text(encoding="utf-8")))
