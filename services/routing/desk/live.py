"""Liveness: one listening connection per process wakes every open page; no content travels.

A page is told only that something changed and asks for what it shows through the ordinary,
authorised routes. Wakes are coalesced: a storm of events costs each page a few requests a second.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from types import FrameType

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
        self._ending = False
        self.listening = asyncio.Event()

    async def listen(self, process: Process) -> None:
        """A loop of the process; after an outage everything counts as changed."""
        with self._ended_by_signals():
            await self._listen(process)

    async def _listen(self, process: Process) -> None:
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

    def end(self) -> None:
        """Close every stream: a server that stops waits for its open answers."""
        self._ending = True
        self.wake()

    @contextlib.contextmanager
    def _ended_by_signals(self) -> Iterator[None]:
        """Close the streams when the web server is told to stop, before it waits for them."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

        def told(number: int, frame: FrameType | None) -> None:
            loop.call_soon_threadsafe(self.end)
            handler = before[signal.Signals(number)]
            if callable(handler):
                handler(number, frame)

        servers = [number for number, handler in before.items() if callable(handler)]
        for number in servers:
            signal.signal(number, told)
        try:
            yield
        finally:
            for number in servers:
                signal.signal(number, before[number])

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
                if self._ending:
                    return
                client.clear()
                yield b"event: changed\ndata: {}\n\n"
                await asyncio.sleep(AT_MOST_EVERY)
        finally:
            self._clients.discard(client)
