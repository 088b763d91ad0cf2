"""The shares of a version on the sample county's year, for `./luotsi rules check`."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from deploy.sample.screening import Heard, screened_year
from services.routing.domain.cases import InForce
from services.routing.domain.facts import UrgencyState
from services.routing.domain.shares import (
    ShareName,
    SharesFault,
    described,
    faults_of,
    load_shares,
    proposal,
    refused,
)
from services.routing.domain.tables import Tables
from shared.events import Language

SEATS: Final = 80  # a year: the sample county has two clinics, domain.md 10 has 40 slots for each


class SharesNotSane(Exception):
    """A version's shares lie outside their bands without a reason; says every fault."""


def shares_of(directory: Path, tables: Tables, rules: InForce, language: Language) -> list[str]:
    """The shares of these tables in words, a line each. Raises `SharesNotSane`.

    `rules`: the tables with the county's settings, by which the year is screened.
    """
    found = load_shares(directory, tables.version)
    seats = found.shares.seats if found else SEATS
    measured = measure(screened_year(), rules, seats)
    if found is None:
        none = SharesFault("none", "shares/<version>.yaml")
        written = proposal(tables.version, seats, measured)
        raise SharesNotSane(f"{none.in_language(language)}:\n{written}")
    if faults := list(faults_of(found, measured)):
        raise SharesNotSane(refused(faults, language))
    return [f"{found.file}:", *described(found, measured, language)]


def measure(year: Iterable[Heard], rules: InForce, seats: int) -> Mapping[ShareName, float]:
    """What share of a year each is, as `Shares` says; urgency is judged as it really is."""
    notifications = flagged = 0
    proposed: dict[str, set[str]] = {"expert_group": set(), "psychiatry": set()}
    for heard in year:
        if heard.is_notification:
            notifications += 1
            waiting, _ = rules.decide(heard.known, heard.age_band, "open")
            flagged += bool(waiting.urgent_flags)
        judged, _ = rules.decide(heard.known, heard.age_band, judged_as(heard))
        for destination, children in proposed.items():
            if destination in judged.destinations:
                children.add(heard.child)
    return {
        "urgent": 100 * flagged / notifications,
        "expert_group": 100 * len(proposed["expert_group"]) / notifications,
        "psychiatry": len(proposed["psychiatry"]) / seats,
    }


def judged_as(heard: Heard) -> UrgencyState:
    """The urgency of the case once a careful person has judged it."""
    if not heard.asked:
        return "not_asked"
    return "urgent" if heard.urgent else "not_urgent"
