"""The shipped rules as they were before a version: their level table counts by itself."""

import shutil
from pathlib import Path

from deploy.cli.rules import SHIPPED

NEWER = (
    "destinations/2026-12.4.yaml",
    "shares/2026-12.4.yaml",
    "level/2026-12.3.yaml",
    "destinations/2026-12.3.yaml",
    "settings/2026-08-01.2.yaml",
    "shares/2026-12.3.yaml",
)


def copy_with_numbers(directory: Path) -> Path:
    """The last rules whose rows have limits of numbers, into a directory; returns it."""
    shutil.copytree(SHIPPED, directory, dirs_exist_ok=True)
    for name in NEWER:
        (directory / name).unlink()
    return directory
