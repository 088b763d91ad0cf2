"""The same work on several shares at once, each in a process of its own, and how far it is."""

import asyncio
import multiprocessing
from collections.abc import Awaitable, Callable, Sequence
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple, TypeVar

import asyncpg

from shared.errors import describe

Job = TypeVar("Job")
Made = TypeVar("Made")
Told = Callable[[int], None]
Work = Callable[[Job, Told], Awaitable[Made]]


class BrokenOff(Exception):
    """A process could not do its share; says why."""


class _Failed(NamedTuple):
    why: str


def in_processes(work: Work[Job, Made], jobs: Sequence[Job], told: Told) -> list[Made]:
    """What `work` makes of each job, each in its own process.

    Work tells what it has done besides; `told` is told of the sum. `work` must be a function of a
    module. Raises `BrokenOff`.
    """
    context = multiprocessing.get_context("spawn")
    readers: list[Connection] = []
    for job in jobs:
        reader, writer = context.Pipe(duplex=False)
        context.Process(target=_run, args=(work, job, writer), daemon=True).start()
        writer.close()  # so that a process that dies ends its pipe
        readers.append(reader)
    return _gathered(readers, told)


def _gathered(readers: list[Connection], told: Told) -> list[Any]:
    """What each process made, in their order."""
    made: dict[Connection, Any] = {}
    done = 0
    while left := [reader for reader in readers if reader not in made]:
        ready = wait(left)
        for reader in [each for each in left if each in ready]:
            found = _received(reader)
            if isinstance(found, _Failed):
                raise BrokenOff(found.why)
            if isinstance(found, int):
                done += found
                told(done)
            else:
                made[reader] = found
    return [made[reader] for reader in readers]


def _received(reader: Connection) -> Any:
    try:
        return reader.recv()
    except EOFError:
        return _Failed("a process ended before its work was done")


def _run(work: Work[Job, Made], job: Job, writer: Connection) -> None:
    async def run() -> Made:
        return await work(job, writer.send)

    try:
        writer.send(asyncio.run(run()))
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as error:
        writer.send(_Failed(f"the database: {describe(error)}"))
