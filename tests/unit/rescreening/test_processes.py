"""Shares of the work in processes of their own; one that breaks off is never passed over."""

import os
from itertools import pairwise

import pytest

from deploy.rescreening.processes import BrokenOff, Told, in_processes
from deploy.rescreening.store import parts


async def square(job: int, told: Told) -> list[int]:
    told(1)
    return [job * job]


async def end_at_once(job: int, told: Told) -> list[int]:
    if job:
        os._exit(3)
    return [job]


async def lose_the_database(job: int, told: Told) -> list[int]:
    raise ConnectionRefusedError(111, "refused")


def test_each_share_is_done_once_and_told_of() -> None:
    told: list[int] = []

    assert [[9], [16]] == in_processes(square, [3, 4], told.append)
    assert [1, 2] == told


def test_a_process_that_dies_breaks_off_the_whole() -> None:
    with pytest.raises(BrokenOff, match="ended before its work was done"):
        in_processes(end_at_once, [0, 1], lambda _: None)


def test_a_database_that_is_not_there_is_said_to_be() -> None:
    with pytest.raises(BrokenOff, match="the database: ConnectionRefusedError"):
        in_processes(lose_the_database, [0], lambda _: None)


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_the_shares_leave_no_child_out_and_none_twice(count: int) -> None:
    shares = parts(count)

    assert 0 == shares[0].first.int
    assert (1 << 128) - 1 == shares[-1].last.int
    for one, other in pairwise(shares):
        assert one.last.int + 1 == other.first.int
