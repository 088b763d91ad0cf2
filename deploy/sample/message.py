"""A message of the sample county, on its way to Kafka."""

from dataclasses import dataclass
from datetime import datetime

from shared.kinds import KindName


@dataclass(frozen=True, slots=True)
class Message:
    """One message as an intake system sends it to Kafka (CloudEvents 1.0, binary mode).

    A repeat has the bytes, headers and key of the first, and a later `at`. What corrects or takes
    back another has that one's key, so that Kafka keeps their order.
    """

    at: datetime
    source: str
    source_id: str
    kind: KindName
    topic: str
    key: bytes
    headers: list[tuple[str, bytes]]
    value: bytes


def headers_of(source: str, source_id: str, type_: str, arrived: str) -> list[tuple[str, bytes]]:
    """The attributes of CloudEvents, as Kafka carries them."""
    return [
        ("ce_specversion", b"1.0"),
        ("ce_id", source_id.encode()),
        ("ce_source", source.encode()),
        ("ce_type", type_.encode()),
        ("ce_time", arrived.encode()),
        ("content-type", b"application/json"),
    ]
