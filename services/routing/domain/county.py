"""A county's own settings: which offers exist, for what ages, and from how many on it is many.

They are dated data (`rules/settings/<valid from>.yaml`), written by people and in force until the
next ones. A matter is screened with those of the day on which it became pending, whatever the
county has changed since.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Annotated, Literal, Self, get_args

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.routing.domain.ages import UNBORN, YEARS, Clinics, Years
from services.routing.domain.facts import (
    MADE,
    MOST_SIGNALS,
    MOST_SOURCES,
    Computed,
    Facts,
    From,
    KeepsComing,
    Known,
    Made,
    MovedOften,
    PilesUp,
    Stands,
    UrgencyState,
    compiled,
    derive,
)
from services.routing.domain.texts import Texts, Words
from shared.events import AgeBand, Answer, Destination

Offer = Literal[
    "family_centre",
    "hospital_school",
    "systemic_team",
    "palasista_eteenpain",
    "lapsen_hyva",
    "placed_child_school_path",
    "outreach_pair",
    "family_group_conference",
    "lets_talk",
    "youth_substance_care",
    "peer_group",
    "demanding_substitute_care",
    "ot_support",
    "barnahus",
]
"""Destinations that a county has or has not. Never among them: expert group and psychiatry, whose
loss is a lighter decision, and services that every county must have."""
OFFERS: frozenset[Destination] = frozenset(get_args(Offer))

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$")]
Year = Annotated[int, Field(ge=0, le=25)]
Count = Annotated[int, Field(ge=2, le=9)]
_ALL_CHILDREN = range(18)
_NOBODY: frozenset[AgeBand] = frozenset()


class UnfitError(ValueError):
    """Well formed, and makes no sense: the kind of fault (`tables.faults`), and what it names."""

    def __init__(self, kind: str, **names: str) -> None:
        super().__init__(kind)
        self.kind, self.names = kind, names


class _Written(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Ages(_Written):
    """Full years of age, both included. Without `at_least` it is for unborn children, too."""

    at_least: Year | None = None
    at_most: Year | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        nothing = self.at_least is None and self.at_most is None
        if nothing or self.years.first > self.years.last:
            raise UnfitError("settings-ages")
        return self

    @property
    def years(self) -> Years:
        return Years(
            UNBORN if self.at_least is None else self.at_least,
            YEARS["adult"].last if self.at_most is None else self.at_most,
        )


class Offered(_Written):
    """An offer that the county has; without `ages`, for everybody."""

    ages: Ages | None = None

    def bands(self) -> frozenset[AgeBand]:
        """The bands in which somebody may be of an age for it; an unknown age may always be."""
        if self.ages is None:
            return frozenset(get_args(AgeBand))
        years = self.ages.years
        return frozenset({"unknown", *(band for band, each in YEARS.items() if years.meets(each))})


class Clinic(_Written):
    """The ages of a clinic."""

    at_least: Year = 0
    at_most: Year


class Psychiatry(_Written):
    """Which clinic takes whom; together they take every child."""

    child: Clinic
    adolescent: Clinic

    @model_validator(mode="after")
    def _take_every_child(self) -> Self:
        taken = {
            year
            for clinic in (self.child, self.adolescent)
            for year in range(clinic.at_least, clinic.at_most + 1)
        }
        missed = [year for year in _ALL_CHILDREN if year not in taken]
        if missed:
            raise UnfitError("settings-clinics", year=f"{missed[0]}")
        return self

    @property
    def clinics(self) -> Clinics:
        return Clinics(self.child.at_most, self.adolescent.at_least)


class PilingUp(_Written):
    """From how many on problems pile up (A7); `children`: of one household, notified of."""

    areas: Count = PilesUp().areas
    notifications: Count = PilesUp().notifications
    children: Count = PilesUp().children


class AreasOfConcern(_Written):
    """From how many areas of concern on they are several, and many besides A10."""

    several: Count = 2
    many: Count = 3


class Radar(_Written):
    """From how many messages, from how many sources, in twelve months on the radar says yes."""

    signals: Annotated[int, Field(ge=2, le=MOST_SIGNALS)] = KeepsComing().signals
    sources: Annotated[int, Field(ge=1, le=MOST_SOURCES)] = KeepsComing().sources


Room = Literal["room", "full"]


class Capacity(_Written):
    """Whether there is room for another child now; None: nobody has said it."""

    expert_group: Room | None = None
    psychiatry: Room | None = None


class Settings(_Written):
    """One county's settings, in force from `valid_from` until those of the next file.

    `number` counts files of one day: what is in force is mended by another file, never edited.
    """

    county: Code
    names: Texts
    valid_from: date
    number: Annotated[int, Field(ge=1, le=99)] = 1
    owner: Words
    source: Words
    offers: dict[Offer, Offered]
    psychiatry: Psychiatry
    piling_up: PilingUp = PilingUp()
    areas_of_concern: AreasOfConcern = AreasOfConcern()
    radar: Radar = Radar()
    moved_often: Annotated[int, Field(ge=1, le=3)] = MovedOften().least
    capacity: Capacity = Capacity()

    @property
    def version(self) -> str:
        """The name of the file that says them, without its ending: `2026-08-01`, `2026-08-01.2`."""
        day = self.valid_from.isoformat()
        return day if self.number == 1 else f"{day}.{self.number}"

    @property
    def file(self) -> str:
        return f"settings/{self.version}.yaml"

    @property
    def content_hash(self) -> str:
        """The SHA-256 of all they say, in hexadecimal."""
        said = self.model_dump(exclude_unset=True)  # so that a part that comes later changes none
        return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()

    @cached_property
    def computed(self) -> Computed:
        """What `derive` computes in this county."""
        return compiled(made_in(self))

    def bands(self, destination: str) -> frozenset[AgeBand] | None:
        """For whom the county has a destination: nobody where it lacks it; None is everybody."""
        if destination not in OFFERS:
            return None
        return next((o.bands() for name, o in self.offers.items() if name == destination), _NOBODY)


def made_in(settings: Settings | None) -> Mapping[str, Made]:
    """Where each column comes from in this county. No column is made of those that differ."""
    if settings is None:
        return MADE
    piles, areas, radar = settings.piling_up, settings.areas_of_concern, settings.radar
    own: Mapping[OfTheCounty, Callable[..., str | int]] = {
        "a7": PilesUp(piles.areas, piles.notifications, piles.children),
        "psychiatry_clinic": settings.psychiatry.clinics,
        "several_areas": From(areas.several),
        "many_areas_besides_a10": From(areas.many),
        "radar": KeepsComing(radar.signals, radar.sources),
        "moved_between_placements": MovedOften(settings.moved_often),
        "expert_group_full": Stands(_FULL[settings.capacity.expert_group]),
        "psychiatry_full": Stands(_FULL[settings.capacity.psychiatry]),
    }
    return {**MADE, **{name: MADE[name]._replace(by=by) for name, by in own.items()}}


OfTheCounty = Literal[
    "a7", "psychiatry_clinic", "several_areas", "many_areas_besides_a10", "radar",
    "moved_between_placements", "expert_group_full", "psychiatry_full",
]  # fmt: skip
OF_THE_COUNTY: tuple[OfTheCounty, ...] = get_args(OfTheCounty)
"""The columns that `made_in` makes otherwise."""
_FULL: Mapping[Room | None, Answer] = {"room": "no", "full": "yes", None: "unknown"}


def derive_in(
    settings: Settings | None, known: Known, *, age_band: AgeBand, urgency: UrgencyState
) -> Facts:
    """Every column for this child, as the county's settings make them."""
    if settings is None:
        return derive(known, age_band=age_band, urgency=urgency)
    return derive(known, age_band=age_band, urgency=urgency, computed=settings.computed)


def counted_in(settings: Settings | None, counted: Mapping[str, int]) -> Mapping[str, int]:
    """From which number on a count makes no difference in this county."""
    if settings is None:
        return counted
    piles = settings.piling_up
    own = {"notifications": piles.notifications, "siblings": piles.children - 1}
    return {name: max(most, own.get(name, 0)) for name, most in counted.items()}


def settings_on(dated: Sequence[Settings], day: date) -> Settings | None:
    """Those in force on a day; before the first ones, the first. `dated`: the earliest first."""
    begun = [each for each in dated if each.valid_from <= day]
    return begun[-1] if begun else next(iter(dated), None)
