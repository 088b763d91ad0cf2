"""The rules of an installation, as its processes decide by them."""

from functools import cache, partial
from pathlib import Path

from services.routing.domain.cases import Rules
from services.routing.domain.clocks import ClockSettings
from services.routing.domain.tables import load_settings, load_tables, load_version


@cache
def rules_in_force(directory: Path, clocks: ClockSettings) -> Rules:
    """The newest tables and all settings of a folder, read and proved once in a process.

    What changes in the folder later is not seen: a process decides by what it began with. Raises
    what `load_tables` and `load_settings` raise.
    """
    tables = load_tables(directory)
    county = load_settings(directory, tables.destinations)
    return Rules(tables, clocks, county, partial(load_version, directory))
