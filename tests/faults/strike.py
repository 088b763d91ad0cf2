"""Kills that hit something: a process is stopped, looked at, and killed or let go on.

While a process is stopped nothing it does can move, so what PostgreSQL and Kafka say of it is a
fact about the moment at which it dies.
"""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Literal

from aiokafka import TopicPartition

from deploy.local.system import APPS, RunningService, System
from tests import history
from tests import system as do

Hit = Literal["transaction", "publish"]

SETTLE_S = 0.1  # until a statement that was under way has ended and shows as what it leaves
OTHERS_S = 0.4  # the other processes acknowledge what they had in hand within this


@contextmanager
def frozen(running: RunningService) -> Iterator[None]:
    """Stop a process (SIGSTOP) and let it go on, unless it was killed meanwhile."""
    pid = running.process.pid
    assert pid is not None, f"{running.process.name} does not run"
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        if running.process.pid == pid:
            os.kill(pid, signal.SIGCONT)


async def hit_of(system: System, running: RunningService) -> Hit | None:
    """What a frozen process is in the middle of: an open transaction, an open publish, or nothing.

    An open publish is told by the log and the broker: PostgreSQL has committed a batch whose
    offset the group has not committed, and nobody else moves it on.
    """
    assert running.process.pid is not None
    await asyncio.sleep(SETTLE_S)
    if await writing(system, client_ports(running.process.pid)):
        return "transaction"
    before = await unacknowledged(system, running)
    if not before:
        return None
    await asyncio.sleep(OTHERS_S)
    after = await unacknowledged(system, running)
    return "publish" if before & after else None


async def writing(system: System, ports: set[int]) -> bool:
    """Whether one of these connections has a transaction open that has written something."""
    found = await do.value(
        system.admin_url,
        "SELECT count(*) FROM pg_stat_activity WHERE client_port = ANY($1::int[]) "
        "AND backend_xid IS NOT NULL AND state = 'idle in transaction'",
        sorted(ports),
    )
    return bool(found)


async def unacknowledged(system: System, running: RunningService) -> set[tuple[str, int, int, int]]:
    """(group, partition, next, committed) where PostgreSQL is ahead of the group's offset."""
    schema = APPS[running.program][0]
    found = set()
    for group in history.GROUPS[schema]:
        done = await history.committed(system, group)
        rows = await history.of(
            system,
            schema,
            "SELECT d.grp, d.topic, s.partition, s.next_off FROM source_offset s "
            "JOIN door d ON d.id = s.door",
        )
        for row in rows:
            at = done.get(TopicPartition(system.prefix + row["topic"], row["partition"]), 0)
            if row["grp"] == system.prefix + group and row["next_off"] > at:
                found.add((group, row["partition"], row["next_off"], at))
    return found


def client_ports(pid: int) -> set[int]:
    """The local ports of a process's TCP connections."""
    return {local for local, _ in connections(pid)}


def connections(pid: int) -> list[tuple[int, int]]:
    """(local port, remote port) of a process's TCP connections."""
    inodes = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = str(entry.readlink())
        except OSError:  # closed meanwhile
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    lines = Path(f"/proc/{pid}/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    fields = [line.split() for line in lines]
    return [(_port(f[1]), _port(f[2])) for f in fields if f[9] in inodes]


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


async def kill_in_the_middle(
    system: System, running: RunningService, rng: Random, seconds: float = 40.0
) -> Hit | None:
    """SIGKILL a process at a random moment at which it has something open.

    None, and the process lives, where it was never caught in the middle of anything.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        await asyncio.sleep(rng.uniform(0.0, 0.3))
        with frozen(running):
            hit = await hit_of(system, running)
            if hit is not None:
                await asyncio.to_thread(running.process.kill)
                return hit
    return None


async def freeze_in_the_middle(
    system: System, running: RunningService, rng: Random, wanted: Hit, seconds: float = 60.0
) -> None:
    """SIGSTOP a process at a moment at which `wanted` is open, and leave it stopped."""
    deadline = time.monotonic() + seconds
    pid = running.process.pid
    assert pid is not None
    while time.monotonic() < deadline:
        await asyncio.sleep(rng.uniform(0.0, 0.3))
        os.kill(pid, signal.SIGSTOP)
        if await hit_of(system, running) == wanted:
            return
        os.kill(pid, signal.SIGCONT)
    raise AssertionError(f"{running.process.name} was never in the middle of a {wanted}")


def thaw(running: RunningService) -> None:
    """Let a frozen process go on (SIGCONT)."""
    assert running.process.pid is not None
    os.kill(running.process.pid, signal.SIGCONT)
