"""Long computations on the event loop: they let go of it every two milliseconds.

Otherwise PostgreSQL's and Kafka's answers lie unread for as long as a batch is worked on.
"""

import asyncio
import time

_TURN_S = 0.002


class Turns:
    """``if turns.over(): await turns.next()`` inside a loop over many records."""

    def __init__(self) -> None:
        self._until = time.perf_counter() + _TURN_S

    def over(self) -> bool:
        """Whether others should come to their turn."""
        return time.perf_counter() > self._until

    async def next(self) -> None:
        """Let the others go first."""
        await asyncio.sleep(0)
        self._until = time.perf_counter() + _TURN_S
