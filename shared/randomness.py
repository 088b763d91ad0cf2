"""Random bytes from the system's generator, fetched a page at a time.

A notification needs about ten small draws (keys, nonces, ids); each system call costs 2 µs.
Every byte is handed out once. A process that forks must not share the page: ours do not fork. Nor
is it for worker threads: what they need is drawn for them in the event loop's thread.
"""

import os

_PAGE = 8192


class _Page:
    data = b""
    at = _PAGE


def random_bytes(count: int) -> bytes:
    """`count` (at most 64) bytes that nobody else has or will get."""
    start = _Page.at
    if start + count > len(_Page.data):
        _Page.data, start = os.urandom(_PAGE), 0
    _Page.at = start + count
    return _Page.data[start : start + count]
