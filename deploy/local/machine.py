"""Ports and disk of this machine."""

import random
import shutil
import socket
from pathlib import Path

from deploy.local.errors import LocalError

HOST = "127.0.0.1"
# Below the range that the kernel hands out to clients: a client that waits for a server to come
# back would otherwise sometimes get the server's own port.
TEST_PORTS = range(20_000, 32_000)


def port_is_free(port: int) -> bool:
    """Whether a server could listen on `port` of the loopback address now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def port_answers(port: int, host: str = HOST) -> bool:
    """Whether something accepts connections on `port`."""
    try:
        with socket.create_connection((host, port), timeout=2):
            return True
    except OSError:
        return False


def free_port() -> int:
    """Pick a port nobody listens on; for tests, where several runs share a machine."""
    for port in random.SystemRandom().sample(TEST_PORTS, 200):
        if port_is_free(port):
            return port
    raise LocalError("No free port was found.", "Mend: end some of the servers on this machine.")


def demand_free(port: int, what: str, setting: str) -> None:
    """Raise LocalError, naming the port and its setting, where `port` is taken."""
    if not port_is_free(port):
        raise LocalError(
            f"Port {port}, which {what} would use, is taken by another program.",
            f"Mend: stop that program, or choose another port with {setting}.",
        )


def demand_space(directory: Path, megabytes: int) -> None:
    """Raise LocalError where the disk of `directory` has less than `megabytes` left."""
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    left = shutil.disk_usage(existing).free // 1_000_000
    if left < megabytes:
        raise LocalError(
            f"{existing} has {left} MB left; {megabytes} MB are needed.",
            "Mend: make room on that disk, or move the checkout to another.",
        )
