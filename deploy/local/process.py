"""A program in the background that another command finds again by its pid file."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.local.errors import LocalError

POLL_S = 0.05


class BackgroundProcess:
    """One program with its log and pid file in `directory`; it outlives who started it.

    `account` is who it runs as (None: who we are). `tied` ends it together with the process that
    started it, however that one ends: what tests want.
    """

    def __init__(
        self, name: str, directory: Path, *, account: str | None = None, tied: bool = False
    ) -> None:
        self.name = name
        self.log_file = directory / f"{name}.log"
        self._pid_file = directory / f"{name}.pid"
        self._account = account
        self._tied = tied
        self._child: subprocess.Popen[bytes] | None = None

    def start(
        self,
        command: Sequence[str | Path],
        *,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
    ) -> None:
        """Start `command`; its output is appended to the log file."""
        tie = ["setpriv", "--pdeathsig", "KILL"] if self._tied and shutil.which("setpriv") else []
        with self.log_file.open("ab") as log:
            self._child = subprocess.Popen(
                [*tie, *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                cwd=directory,
                user=self._account,
                group=group_of(self._account),
                extra_groups=None if self._account is None else [],
                start_new_session=True,
            )
        pid = self._child.pid
        self._pid_file.write_text(f"{pid} {started_at(pid)}", encoding="ascii")

    @property
    def pid(self) -> int | None:
        """The process id while the program runs, else None."""
        if self._child is not None:
            return None if self._child.poll() is not None else self._child.pid
        try:
            pid, started = self._pid_file.read_text(encoding="ascii").split()
        except (FileNotFoundError, ValueError):
            return None
        # The time tells our process from another that got its number later.
        return int(pid) if started_at(int(pid)) == started else None

    def stop(self, sign: signal.Signals = signal.SIGTERM, timeout_s: float = 30) -> None:
        """Ask the program to end; kill it after `timeout_s`."""
        self._send(sign)
        if not self._wait_gone(timeout_s):
            self._send(signal.SIGKILL)
            self._wait_gone(timeout_s)
        self._forget()

    def wait(self, timeout_s: float) -> int | None:
        """The exit code once the program has ended by itself; it is killed after `timeout_s`."""
        child = self._child
        if not self._wait_gone(timeout_s):
            self.kill()
        return child.returncode if child else None

    def kill(self) -> None:
        """End the program at once."""
        self._send(signal.SIGKILL)
        self._wait_gone(30)
        self._forget()

    def last_lines(self, count: int = 5) -> str:
        """The end of the log, to show why the program is not there."""
        try:
            text = self.log_file.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""
        return " | ".join(line.strip() for line in text.splitlines()[-count:] if line.strip())

    def _send(self, sign: signal.Signals) -> None:
        pid = self.pid
        if pid is None:
            return
        try:
            os.kill(pid, sign)
        except ProcessLookupError:
            return
        except PermissionError as error:
            raise LocalError(
                f"{self.name} (process {pid}) was started by another account.",
                "Mend: run the same command as that account, or with sudo.",
            ) from error

    def _wait_gone(self, timeout_s: float) -> bool:
        deadline = time.monotonic() + timeout_s
        while self.pid is not None:
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_S)
        return True

    def _forget(self) -> None:
        if self.pid is None:
            self._child = None
            self._pid_file.unlink(missing_ok=True)


def started_at(pid: int) -> str:
    """When process `pid` started, in the kernel's ticks; empty where it has ended."""
    try:
        # The name, in brackets, may hold spaces; field 3 is the state and field 22 the start.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    state, *rest = fields.rpartition(")")[2].split()
    return "" if state in "ZX" else rest[18]


def processes_in(directory: Path) -> list[int]:
    """Who works in `directory`: a PostgreSQL server and its back ends work in their data."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "cwd").readlink() == directory:
                    found.append(int(entry.name))
            except OSError:  # ended meanwhile, or another account's
                continue
    return found


def group_of(account: str | None) -> int | None:
    """The first group of `account`."""
    return None if account is None else pwd.getpwnam(account).pw_gid
