"""A county's own settings: which offers exist, for what ages, and from how many on things pile up.

They are dated data (`rules/settings/<valid from>.yaml`), written by people and in force until the
next ones. A matter is screened with those of the day on which it became pending, whatever the
county has changed since.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Literal, Self, get_args

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.routing.domain.ages import UNBORN, YEARS, Clinics, Years
from services.routing.domain.facts import (
    MADE,
    Facts,
    Known,
    Made,
    PilesUp,
    UrgencyState,
    derive,
)
from services.routing.domain.texts import Texts, Words
from shared.events import AgeBand, Destination

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

    def bands(self, destination: str) -> frozenset[AgeBand] | None:
        """For whom the county has a destination: nobody where it lacks it; None is everybody."""
        if destination not in OFFERS:
            return None
        return next((o.bands() for name, o in self.offers.items() if name == destination), _NOBODY)


def made_in(settings: Settings | None) -> Mapping[str, Made]:
    """Where each column comes from in this county. No column is made of those that differ."""
    if settings is None:
        return MADE
    piles = settings.piling_up
    return {
        **MADE,
        "a7": MADE["a7"]._replace(by=PilesUp(piles.areas, piles.notifications, piles.children)),
        "psychiatry_clinic": MADE["psychiatry_clinic"]._replace(by=settings.psychiatry.clinics),
    }


OF_THE_COUNTY = ("a7", "psychiatry_clinic")
"""The columns that `made_in` makes otherwise."""


def derive_in(
    settings: Settings | None, known: Known, *, age_band: AgeBand, urgency: UrgencyState
) -> Facts:
    """Every column for this child, as the county's settings make them."""
    facts = dict(derive(known, age_band=age_band, urgency=urgency))
    if settings is None:
        return facts
    made = made_in(settings)
    for name in OF_THE_COUNTY:
        of, by = made[name]
        facts[name] = by(*(facts[each] if each in facts else getattr(known, each) for each in of))
    return facts


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
