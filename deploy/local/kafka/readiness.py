"""Is Kafka ready? Asks every partition's leader, in Kafka's own protocol.

An open port is not enough: after a kill the port is open seconds before the leaders are back
(technology.md 6.2). Two requests, whose oldest versions every Kafka understands, do not need
the event loop and the retries of a client library.
"""

import socket
import struct

METADATA, METADATA_VERSION = 3, 1
LIST_OFFSETS, LIST_OFFSETS_VERSION = 2, 1
NEWEST = -1


class Reader:
    """Reads the big-endian fields of an answer, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self, kind: str) -> int:
        """One number; `kind` as in struct."""
        (value,) = struct.unpack_from(f">{kind}", self._data, self._at)
        self._at += struct.calcsize(f">{kind}")
        return int(value)

    def text(self) -> str:
        """One string; a missing one is empty."""
        length = max(self.number("h"), 0)
        self._at += length
        return self._data[self._at - length : self._at].decode()

    def times(self) -> range:
        """The length of a list, to loop over."""
        return range(self.number("i"))


def text(value: str) -> bytes:
    """A string as Kafka writes it."""
    return struct.pack(">h", len(value.encode())) + value.encode()


def every_leader_answers(host: str, port: int) -> bool:
    """Whether the node answers for every partition of every topic, as their leader."""
    try:
        with socket.create_connection((host, port), timeout=5) as connection:
            partitions = leaders(ask(connection, METADATA, METADATA_VERSION, b"\xff\xff\xff\xff"))
            if partitions is None:
                return False
            question = offsets_question(partitions)
            return answered(ask(connection, LIST_OFFSETS, LIST_OFFSETS_VERSION, question))
    except (OSError, struct.error):
        return False


def ask(connection: socket.socket, kind: int, version: int, body: bytes) -> Reader:
    """Send one request and read its answer, without the header."""
    request = struct.pack(">hhi", kind, version, 1) + text("luotsi-readiness") + body
    connection.sendall(struct.pack(">i", len(request)) + request)
    (length,) = struct.unpack(">i", read(connection, 4))
    return Reader(read(connection, length)[4:])


def read(connection: socket.socket, length: int) -> bytes:
    """Read exactly `length` bytes; OSError where the other side ends before."""
    data = bytearray()
    while len(data) < length:
        part = connection.recv(length - len(data))
        if not part:
            raise ConnectionResetError
        data += part
    return bytes(data)


def leaders(answer: Reader) -> dict[str, list[int]] | None:
    """The partitions of each topic; None while a broker, the controller or a leader is missing."""
    brokers = answer.times()
    for _ in brokers:
        answer.number("i"), answer.text(), answer.number("i"), answer.text()
    complete = len(brokers) > 0 and answer.number("i") >= 0
    topics: dict[str, list[int]] = {}
    for _ in answer.times():
        complete &= answer.number("h") == 0
        partitions = topics.setdefault(answer.text(), [])
        answer.number("b")
        for _ in answer.times():
            complete &= answer.number("h") == 0
            partitions.append(answer.number("i"))
            complete &= answer.number("i") >= 0
            for _ in range(2):  # replicas, replicas in sync
                for _ in answer.times():
                    answer.number("i")
    return topics if complete else None


def offsets_question(topics: dict[str, list[int]]) -> bytes:
    """Ask for the newest offset of every partition."""
    body = struct.pack(">ii", -1, len(topics))
    for name, partitions in topics.items():
        body += text(name) + struct.pack(">i", len(partitions))
        body += b"".join(struct.pack(">iq", partition, NEWEST) for partition in partitions)
    return body


def answered(answer: Reader) -> bool:
    """Whether every partition gave its offset and none an error."""
    errors = set()
    for _ in answer.times():
        answer.text()
        for _ in answer.times():
            answer.number("i")
            errors.add(answer.number("h"))
            answer.number("q"), answer.number("q")
    return errors <= {0}
