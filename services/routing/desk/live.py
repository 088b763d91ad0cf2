"""Liveness: one listening connection per process wakes every open page; no content travels.

A page is told only that something changed and asks for what it shows through the ordinary,
authorised routes. Wakes are coalesced: a storm of events costs each page a few requests a second.
"""

import asyncio
from collections.abc import AsyncIterator

from services.routing.desk import store
from shared.errors import OUTAGES
from shared.logs import log
from shared.service import Process

AT_MOST_EVERY = 0.3  # seconds, per client
HEARTBEAT = 15.0  # seconds
CLIENTS = 500  # open pages of one process
CHECK = 5.0  # seconds between proofs that the connection still hears


class Hub:
    """Wakes the open pages of this process."""

    def __init__(self) -> None:
        self._clients: set[asyncio.Event] = set()
        self.listening = asyncio.Event()

    async def listen(self, process: Process) -> None:
        """A loop of the process; after an outage everything counts as changed."""
        while True:
            try:
                async with process.pool.acquire() as conn:
                    await conn.add_listener(store.QUEUE_CHANNEL, self._heard)
                    self.wake()
                    self.listening.set()
                    try:
                        while True:
                            await asyncio.sleep(CHECK)
                            await store.still_there(conn)
                    finally:
                        self.listening.clear()
                        if not conn.is_closed():
                            await conn.remove_listener(store.QUEUE_CHANNEL, self._heard)
            except OUTAGES as error:
                log.warning("listening_interrupted", error=error)
                await asyncio.sleep(1)

    @property
    def is_full(self) -> bool:
        """Whether this process serves as many open pages as it may."""
        return len(self._clients) >= CLIENTS

    def wake(self) -> None:
        """Something changed: each client holds at most this one mark, however much did."""
        for client in self._clients:
            client.set()

    def _heard(self, *_: object) -> None:
        self.wake()

    async def changes(self) -> AsyncIterator[bytes]:
        """Server-sent events for one page, the first at once: it may have missed something."""
        client = asyncio.Event()
        client.set()
        self._clients.add(client)
        try:
            yield b"retry: 2000\n\n"
            while True:
                try:
                    async with asyncio.timeout(HEARTBEAT):
                        await client.wait()
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                client.clear()
                yield b"event: changed\ndata: {}\n\n"
                await asyncio.sleep(AT_MOST_EVERY)
        finally:
            self._clients.discard(client)
