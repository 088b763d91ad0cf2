"""The image's entry point: secrets from files into the environment, then the program itself.

Every file ``/run/secrets/LUOTSI_…`` becomes the variable of its name. A variable that is set
already stays as it is. Replaces itself by the program, so that signals reach it.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

SECRETS = Path("/run/secrets")


def environment(given: Mapping[str, str], secrets: Path) -> dict[str, str]:
    """`given` and the content of the files in `secrets` that are named like variables of ours."""
    files = sorted(secrets.glob("LUOTSI_*")) if secrets.is_dir() else []
    return {file.name: file.read_text(encoding="utf-8").strip() for file in files} | dict(given)


def main() -> None:
    """Become the program that the arguments name."""
    program = sys.argv[1:]
    if not program:
        sys.exit("luotsi: say which program to run")
    given = os.environ  # noqa: TID251 -- hands it on, with the secrets
    os.execvpe(program[0], program, environment(given, SECRETS))  # noqa: S606 -- that is its task


if __name__ == "__main__":
    main()
