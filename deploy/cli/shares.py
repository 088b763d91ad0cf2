"""The shares of a version on the sample county's year, for `./luotsi rules check`."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

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
    read_shares,
    unwritten,
)
from services.routing.domain.tables import Tables
from services.routing.domain.tables.versions import Version
from shared.events import Language

SEATS: Final = 80  # a year: the sample county has two clinics, domain.md 10 has 40 slots for each


class Looked(NamedTuple):
    """What was measured, in words, and what the owner still has to write."""

    lines: list[str]
    to_do: list[str]


def shares_of(
    directory: Path, tables: Tables, rules: InForce, language: Language, *, write: bool
) -> Looked:
    """The shares of these tables, measured against the file that is about them.

    `rules`: the tables with the county's settings, by which the year is screened. With `write` a
    file that is missing is written for the owner to complete. Raises OSError for it.
    """
    every = read_shares(directory)
    found = load_shares(directory, tables.version)
    seats = next((each.shares.seats for each in every), SEATS)
    measured = measure(screened_year(), rules, found.shares.seats if found else seats)
    if found is None:
        path = _new_file(directory, tables.version)
        file = f"shares/{path.name}"
        if not write:
            lines = described(unwritten(measured), measured, language)
            return Looked(lines, [SharesFault("none", file).in_language(language)])
        path.parent.mkdir(exist_ok=True)
        with path.open("x", encoding="utf-8") as new:
            before = next(iter(every), None)
            new.write(proposal(tables.version, tables.level.owner, seats, measured, before))
        found = load_shares(directory, tables.version)
        assert found is not None  # noqa: S101 -- it was written just now
    return Looked(
        [f"{found.file}:", *described(found.shares.shares, measured, language)],
        [fault.in_language(language) for fault in faults_of(found, measured)],
    )


def _new_file(directory: Path, tables: str) -> Path:
    """Named after the table that was changed last, as far as that name is free."""
    newest = Version.read(tables).newest
    month = newest.partition(".")[0]
    names = [newest, *(f"{month}.{number}" for number in range(2, 1000))]
    paths = [directory / "shares" / f"{name}.yaml" for name in names]
    return next(path for path in paths if not path.exists())


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
