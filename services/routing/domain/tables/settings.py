"""A county's settings from their files, `settings/<valid from>.yaml`, or every fault of them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

from pydantic import ValidationError

from services.routing.domain.county import Offer, Settings, UnfitError
from services.routing.domain.tables.engine import Table
from services.routing.domain.tables.faults import Fault, TablesRefusedError
from services.routing.domain.tables.files import content_of, faults_of_form
from services.routing.domain.tables.versions import OF_SETTINGS


def load_settings(directory: Path, destinations: Table | None = None) -> tuple[Settings, ...]:
    """All settings that are or were in force, the earliest first; of one day the last number.

    With the table of destinations: the newest settings may list no offer that no row proposes.
    Raises `TablesRefusedError` with every fault found; nothing is loaded in part.
    """
    found: list[Settings] = []
    faults: list[Fault] = []
    for path in sorted((directory / "settings").glob("*.yaml")):
        try:
            found.append(read_settings(path))
        except TablesRefusedError as error:
            faults += error.faults
    if not found and not faults:
        faults = [Fault("no-settings", "settings")]
    found.sort(key=lambda each: (each.valid_from, each.number))
    faults = faults or [*_of_two_counties(found), *_without_row(found[-1], destinations)]
    if faults:
        raise TablesRefusedError(faults)
    return tuple({each.valid_from: each for each in found}.values())


def read_settings(path: Path) -> Settings:
    """One file of settings. Raises `TablesRefusedError` with every fault of form."""
    file = f"settings/{path.name}"
    if not OF_SETTINGS.fullmatch(path.stem):
        raise TablesRefusedError([Fault("settings-name", file)])
    content = content_of(path, file)
    try:
        settings = Settings.model_validate(content)
    except ValidationError as error:
        raise TablesRefusedError(_faults(error, content, file)) from None
    if settings.version != path.stem:
        said = {"table": "settings", "version": settings.version}
        raise TablesRefusedError([Fault("not-this-file", file, names=said)])
    return settings


def _faults(error: ValidationError, content: object, file: str) -> Iterator[Fault]:
    """Those that only settings have, and those that any file can have."""
    own: dict[str, Fault] = {}
    for problem in error.errors(include_url=False):
        place, offer = ".".join(map(str, problem["loc"])), _offer(problem["loc"])
        unfit = problem.get("ctx", {}).get("error")
        if offer:
            names = {"offer": offer, "known": ", ".join(get_args(Offer))}
            own[place] = Fault("settings-offer", file, names=names)
        elif isinstance(unfit, UnfitError):
            own[place] = Fault(unfit.kind, file, names={"place": place, **unfit.names})
    yield from own.values()
    yield from (f for f in faults_of_form(error, content, file) if f.names["place"] not in own)


def _offer(place: Sequence[object]) -> str:
    """The name of an offer that is none, where pydantic complains of a key."""
    return str(place[1]) if place[:1] == ("offers",) and place[2:] == ("[key]",) else ""


def _of_two_counties(found: Sequence[Settings]) -> Iterator[Fault]:
    for each in found:
        if each.county != found[0].county:
            names = {"county": each.county, "other": found[0].county}
            yield Fault("settings-two-counties", each.file, names=names)


def _without_row(newest: Settings, destinations: Table | None) -> Iterator[Fault]:
    proposed = {row.then for row in destinations.rows} if destinations else set(newest.offers)
    for offer in newest.offers:
        if offer not in proposed:
            yield Fault("settings-without-row", newest.file, names={"offer": offer})
