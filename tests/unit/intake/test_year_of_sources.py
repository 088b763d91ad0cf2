"""A year in which one in 10,000 messages is dropped, repeated or delayed on its way to Luotsi.

Every gap is named, each that is named is one, and no silence is called where there is none.
"""

import random
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest

from services.intake.domain.numbering import Seen, gaps, named_gaps, see
from services.intake.domain.rhythm import Heard, hour_of, silence
from tests.year_of_sources import SOURCES, year_of

GRACE = timedelta(minutes=15)
RATE = 1 / 10_000


class Arrival(NamedTuple):
    at: datetime
    number: int


def on_the_way(sent: list[datetime], seed: int) -> tuple[list[Arrival], set[int], set[int]]:
    """What arrives and when; the numbers that were dropped, and those that were delayed."""
    chance = random.Random(seed)
    arrivals, dropped, delayed = [], set(), set()
    for number, at in enumerate(sent, 1):
        if chance.random() < RATE:
            dropped.add(number)
            continue
        if chance.random() < RATE:  # less than the grace: then it is no gap
            delayed.add(number)
            arrivals.append(Arrival(at + chance.random() * GRACE, number))
        else:
            arrivals.append(Arrival(at, number))
        if chance.random() < RATE:
            arrivals.append(Arrival(at + timedelta(days=chance.random()), number))
    return sorted(arrivals), dropped, delayed


@pytest.mark.parametrize("seed", range(3))
def test_in_a_year_every_gap_is_named_and_nothing_else(seed: int) -> None:
    lost = 0
    for place, (name, day_of) in enumerate(sorted(SOURCES.items())):
        sent = year_of(day_of, 10 * seed + place)
        arrivals, dropped, delayed = on_the_way(sent, 10 * seed + place)
        dropped.discard(len(sent))  # nobody can know of a number after the last that came
        seen: Seen | None = None
        hours: set[int] = set()
        last = arrivals[0].at
        for at, number in arrivals:
            if number in delayed and seen is not None:  # its gap is oldest now, and not yet named
                named = {
                    n for g in named_gaps(seen, at - GRACE) for n in range(g.first, g.last + 1)
                }
                assert number not in named
                assert named <= dropped
            if at - last > timedelta(hours=2):
                assert None is silence(Heard(hours, sent[0], last), at), f"{name} {at}"
            seen = see(seen, "2026", [number], at)
            hours.add(hour_of(at))
            last = at
        assert seen is not None
        found = {n for g in gaps(seen) for n in range(g.first, g.last + 1)}
        assert dropped == found
        assert gaps(seen) == named_gaps(seen, arrivals[-1].at)
        lost += len(dropped)
    assert lost >= 3, "the year was too calm to show anything"
