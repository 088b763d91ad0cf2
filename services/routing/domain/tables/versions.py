"""What a decision was made with, by name: `urgent@2026-12+level@2026-12.2+…+settings@2026-08-01`.

A part names a table and its version, the last one the county's settings, if there are any.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from services.routing.domain.tables.written import NAMES, TableName, is_version, order_of

OF_SETTINGS: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(\.([2-9]|[1-9][0-9]))?")
"""How the county's settings are named: the day, and the number of a mend of the same day."""
_SETTINGS: Final = "settings"


class VersionNameError(ValueError):
    """This part of a version's name is none."""

    def __init__(self, part: str) -> None:
        super().__init__(part)
        self.part = part


@dataclass(frozen=True, slots=True)
class Version:
    """Versions of tables that belong together, and of the county's settings."""

    tables: Mapping[TableName, str]
    settings: str | None = None

    @classmethod
    def read(cls, name: str) -> "Version":
        """The version of this name, of all tables or of some. Raises `VersionNameError`."""
        tables: dict[TableName, str] = {}
        *parts, last = name.split("+")
        kind, _, settings = last.partition("@")
        if kind != _SETTINGS:
            parts.append(last)
        elif not OF_SETTINGS.fullmatch(settings) or not parts:
            raise VersionNameError(last)
        for part in parts:
            table, _, version = part.partition("@")
            if table not in NAMES or table in tables or not is_version(version):
                raise VersionNameError(part)
            tables[table] = version
        return cls(tables, settings if kind == _SETTINGS else None)

    def __str__(self) -> str:
        parts = [f"{table}@{version}" for table, version in self.tables.items()]
        return "+".join([*parts, *([f"{_SETTINGS}@{self.settings}"] if self.settings else [])])

    @property
    def is_whole(self) -> bool:
        """Whether every table is named."""
        return len(self.tables) == len(NAMES)

    @property
    def newest(self) -> str:
        """The version of the table that was changed last."""
        return max(self.tables.values(), key=order_of)

    def file(self, table: TableName, directory: Path) -> Path:
        """Where a table that is named is written."""
        return directory / table / f"{self.tables[table]}.yaml"

    def settings_file(self, directory: Path) -> Path | None:
        """Where the county's settings are written, if they are named."""
        return directory / _SETTINGS / f"{self.settings}.yaml" if self.settings else None


def settings_named(name: str) -> str | None:
    """The version of the county's settings that a decision's version names, if it names any."""
    try:
        return Version.read(name).settings
    except VersionNameError:
        return None
