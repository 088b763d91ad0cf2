"""Keeps the demo's programs running: one that dies is started again, ever more slowly.

    python -m deploy.local.supervisor DIRECTORY

SIGHUP: read the plan anew and restart what has other settings in it. SIGTERM: end all and leave.
"""

import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import FrameType

from deploy.local.plan import Plan
from deploy.local.process import BackgroundProcess
from deploy.local.programs import Program, programs
from shared.clock import utc_now

LOOK_S = 0.2
FORGIVEN_AFTER_S = 120.0
LONGEST_WAIT_S = 30.0
NAME = "supervisor"


def process(directory: Path) -> BackgroundProcess:
    """The supervisor of `directory`, running or not."""
    return BackgroundProcess(NAME, directory)


def start(directory: Path) -> None:
    """Start the supervisor in the background."""
    command = [sys.executable, "-m", "deploy.local.supervisor", str(directory)]
    process(directory).start(command, directory=Path(__file__).resolve().parent.parent.parent)


def wait_before_start(deaths: int) -> float:
    """Seconds before a program is started again that died so often lately (1 or more)."""
    return min(LONGEST_WAIT_S, 0.5 * 2.0 ** min(deaths - 1, 10))


class Watched:
    """One program, how often it died lately, and when it is started again."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.deaths: list[float] = []
        self.again_at: float | None = None

    def look(self, now: float) -> None:
        """Start it again if it has died and has waited long enough. `now` is monotonic."""
        if self.program.process.pid is not None:
            return
        if self.again_at is None:
            self.deaths = [at for at in self.deaths if now - at < FORGIVEN_AFTER_S] + [now]
            wait = wait_before_start(len(self.deaths))
            self.again_at = now + wait
            say(f"{self.program.name} has ended; it is started again in {wait:g} s")
        elif now >= self.again_at:
            self.again_at = None
            self.program.start()


class Supervisor:
    """Watches the programs of the plan in `directory` until it is told to end."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._watched: dict[str, Watched] = {}
        self._ending = False
        self._reload = True

    def run(self) -> None:
        """Start all and watch."""
        signal.signal(signal.SIGTERM, self._end)
        signal.signal(signal.SIGINT, self._end)
        signal.signal(signal.SIGHUP, self._read_anew)
        while not self._ending:
            if self._reload:
                self._reload = False
                self._follow(programs(Plan.load(self._directory), self._directory, tied=True))
            for watched in self._watched.values():
                watched.look(time.monotonic())
            time.sleep(LOOK_S)
        end([watched.program for watched in self._watched.values()])

    def _follow(self, wanted: list[Program]) -> None:
        changed = [program for program in wanted if self._differs(program)]
        end([self._watched[p.name].program for p in changed if p.name in self._watched])
        for program in changed:
            if program.name not in self._watched:
                program.process.stop()  # what an earlier supervisor could not take along
            self._watched[program.name] = Watched(program)
            program.start()
            say(f"{program.name} was started")

    def _differs(self, program: Program) -> bool:
        known = self._watched.get(program.name)
        return known is None or known.program.settings != program.settings

    def _end(self, _signal: int, _frame: FrameType | None) -> None:
        self._ending = True

    def _read_anew(self, _signal: int, _frame: FrameType | None) -> None:
        self._reload = True


def end(running: list[Program]) -> None:
    """Ask all of them to finish, side by side."""
    if running:
        with ThreadPoolExecutor(len(running)) as threads:
            list(threads.map(lambda program: program.process.stop(), running))
            say(f"{', '.join(program.name for program in running)} ended")


def say(text: str) -> None:
    """A line of the supervisor's own log."""
    print(f"{utc_now():%Y-%m-%dT%H:%M:%SZ} {text}", flush=True)


if __name__ == "__main__":
    Supervisor(Path(sys.argv[1])).run()
