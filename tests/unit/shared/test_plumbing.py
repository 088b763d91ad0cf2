"""Small parts of the plumbing that need no server."""

import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from aiokafka import ConsumerRecord
from aiokafka.partitioner import murmur2 as kafkas_murmur2
from hypothesis import given
from hypothesis import strategies as st

from shared import logs
from shared.bus import LANES, split_lanes, split_repeats
from shared.errors import describe
from shared.ids import random_id, time_ordered_id
from shared.inbox import Incoming, Raw, Unreadable
from shared.publisher import murmur2
from shared.randomness import random_bytes
from shared.store import Outgoing, pack, unpack

NOW = datetime(2026, 11, 17, 9, tzinfo=UTC)


@given(st.binary(max_size=80))
def test_keys_are_hashed_as_every_kafka_client_does(key: bytes) -> None:
    assert murmur2(key) == kafkas_murmur2(key) & 0xFFFF_FFFF


@given(
    st.lists(
        st.builds(
            Outgoing,
            st.sampled_from(["luotsi.case.v1", "luotsi.signal.v1"]),
            st.binary(min_size=1, max_size=40),
            st.text(max_size=40),
            st.binary(max_size=300),
        )
    )
)
def test_answers_come_out_of_the_frame_as_they_went_in(answers: list[Outgoing]) -> None:
    assert unpack(pack(answers)) == answers


def test_ids_sort_by_their_time_and_are_never_the_same() -> None:
    ids = [time_ordered_id(NOW + timedelta(milliseconds=n)) for n in range(100)]
    same_moment = {time_ordered_id(NOW) for _ in range(1000)}

    assert ids == sorted(ids)
    assert len(same_moment) == 1000
    assert {one.version for one in ids} == {7}
    assert random_id().version == 4
    assert len({random_id() for _ in range(1000)}) == 1000


def test_no_random_byte_is_handed_out_twice() -> None:
    drawn = [random_bytes(16) for _ in range(5000)]

    assert len(set(drawn)) == 5000
    assert {len(each) for each in drawn} == {16}


def incoming(offset: int, ident: str) -> Incoming[str]:
    return Incoming(Raw(0, offset, NOW, b"k", [], b""), ident, "s", ident, "k", NOW)


@given(st.lists(st.sampled_from("abc"), max_size=20))
def test_repeats_come_after_what_they_repeat_and_nothing_is_lost(idents: list[str]) -> None:
    batch = [incoming(offset, ident) for offset, ident in enumerate(idents)]

    parts = split_repeats(batch)

    assert sorted(i.raw.offset for part in parts for i in part) == list(range(len(idents)))
    for part in parts:
        found = [item.id for item in part if isinstance(item, Incoming)]
        assert len(found) == len(set(found))
        assert [item.raw.offset for item in part] == sorted(item.raw.offset for item in part)


def record(partition: int, offset: int) -> ConsumerRecord[bytes, bytes]:
    return ConsumerRecord("t", partition, offset, 0, 0, b"k", b"v", 0, 1, 1, ())


@given(st.lists(st.integers(min_value=0, max_value=11), min_size=1, max_size=60))
def test_a_partition_stays_whole_and_in_order_in_one_lane(partitions: list[int]) -> None:
    records = [record(partition, offset) for offset, partition in enumerate(partitions)]

    lanes = split_lanes(records)

    assert sorted(r.offset for lane in lanes for r in lane) == list(range(len(records)))
    assert len(lanes) == min(LANES, len(set(partitions)))
    for partition in set(partitions):
        (lane,) = [lane for lane in lanes if any(r.partition == partition for r in lane)]
        offsets = [r.offset for r in lane if r.partition == partition]
        assert offsets == sorted(offsets)


def test_lanes_are_even() -> None:
    records = [record(p, o) for p, size in enumerate((6, 3, 2, 1)) for o in range(size)]

    assert [6, 3, 3] == sorted((len(lane) for lane in split_lanes(records)), reverse=True)


def test_an_unreadable_message_is_never_taken_for_a_repeat() -> None:
    bad = [Unreadable(Raw(0, n, NOW, None, [], None), "no-content", "") for n in range(3)]

    assert split_repeats(bad) == [bad]


def test_an_error_is_described_by_type_and_place_alone() -> None:
    with pytest.raises(ValueError, match="Testi") as caught:
        raise ValueError("Testi Lapsi 010594Y9032")
    told = describe(caught.value)

    assert told.startswith("ValueError at test_plumbing.py:")
    assert "Testi" not in told


def test_a_log_line_carries_listed_keys_only(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure("test")
    try:
        structlog.get_logger().warning("event_parked", offset=3, name="Testi Lapsi", hetu="x")
        logging.getLogger("asyncpg").error("DETAIL: (%s) Testi Lapsi", "010594Y9032")
    finally:
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
        logging.basicConfig(force=True)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert lines[0]["offset"] == 3
    assert "Testi" not in json.dumps(lines)
    assert "010594" not in json.dumps(lines)
