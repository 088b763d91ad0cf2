"""Ages as far as signals carry them, which is in bands: a limit in years meets a whole band. Pure.

No event tells a birth date or month in the clear (design 17), but whether a child was in the last
year of its band when a message came. So nobody is told to be twelve and a half: who is near a
limit, or may be, is said to be near it, and the child's card has to be looked at.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from shared.events import AgeBand, Answer

Clinic = Literal["child", "near_limit", "adolescent", "unknown"]
"""Whose patient somebody would be. *Near limit*: it is not told, or does not hold for long: who
passes it within half a year is booked to both clinics, so that care does not break (domain.md 6).
"""
CLINICS: tuple[Clinic, ...] = get_args(Clinic)


class Years(NamedTuple):
    """Full years of age, both included."""

    first: int
    last: int

    def meets(self, other: "Years") -> bool:
        """Whether somebody can be of an age in both."""
        return self.first <= other.last and other.first <= self.last


UNBORN = -1
YEARS: Mapping[AgeBand, Years] = {
    "unborn": Years(UNBORN, UNBORN),
    "0-6": Years(0, 6),
    "7-12": Years(7, 12),
    "13-15": Years(13, 15),
    "16-17": Years(16, 17),
    "adult": Years(18, 150),
}
"""The years of each band (`shared.events.age_band_on`); an unknown age could be any."""
BORN_CHILDREN: tuple[AgeBand, ...] = ("0-6", "7-12", "13-15", "16-17")


@dataclass(frozen=True, slots=True)
class Clinics:
    """The last year of child psychiatry and the first of adolescent psychiatry."""

    child_until: int = 12
    adolescent_from: int = 13

    def __call__(self, age_band: AgeBand, last_year: Answer) -> Clinic:
        """Whose patient somebody of this band is; `last_year`: whether it is in its last year.

        Only a "no" tells more than the band: who was in the last year once may since be in another
        band's first. A message of up to half a year ago does no harm, since a whole year counts.
        """
        if age_band not in BORN_CHILDREN:
            return "unknown"
        first, last = YEARS[age_band]
        if last_year == "no":
            last -= 1
        if first > self.child_until and first >= self.adolescent_from:
            return "adolescent"
        # The next year counts, too: who is in the last one may soon be beyond the limit.
        if last < self.child_until and last + 1 < self.adolescent_from:
            return "child"
        return "near_limit"
