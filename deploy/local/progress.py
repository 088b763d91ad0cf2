"""Tells the person at the terminal how far it is: one line for each step."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TextIO

WIDTH = 46
SAYS_EVERY_S = 5.0


@contextmanager
def step(what: str, *, talks: bool = False) -> Iterator[None]:
    """`what ... 3 s` around something that has no number to show.

    The line stands there from the beginning, unless what is done `talks` itself.
    """
    began = time.monotonic()
    live = sys.stdout.isatty() and not talks
    if live:
        print(f"{lead(what)} ", end="", flush=True)
    try:
        yield
    except BaseException:
        print("" if live else lead(what), flush=True)
        raise
    print(f"{chr(13) if live else ''}{lead(what)} {time.monotonic() - began:.0f} s", flush=True)


class Progress:
    """`what ... 120 of 800`, on one line of a terminal, on a line now and then of a log.

    A `total` of 0 means that the total is not known; call it with the number reached. What is told
    goes to `to`, for the person at the terminal, where what is made goes to standard output.
    """

    def __init__(self, what: str, total: int, to: TextIO | None = None) -> None:
        self._what = what
        self._to = to or sys.stdout
        self.total = total
        self._reached = 0
        self._began = self._said = time.monotonic()
        self._live = self._to.isatty()

    def __call__(self, reached: int, total: int | None = None) -> None:
        """So far it is `reached`; `total` where it has become known."""
        self._reached, self.total = reached, total or self.total
        now = time.monotonic()
        if self._live:
            print(f"\r{self._line()}", end="", file=self._to, flush=True)
        elif now - self._said >= SAYS_EVERY_S:
            self._said = now
            print(self._line(), file=self._to, flush=True)

    def __enter__(self) -> Self:
        self(0)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        seconds = f", {time.monotonic() - self._began:.0f} s" if kind is None else ""
        start = chr(13) if self._live else ""
        print(f"{start}{self._line()}{seconds}", file=self._to, flush=True)

    def _line(self) -> str:
        of = f" of {self.total}" if self.total else ""
        return f"{lead(self._what)} {self._reached}{of}"


def lead(what: str) -> str:
    """The beginning of a line, with dots up to where figures stand."""
    return f"  {what} ".ljust(WIDTH, ".")
