"""When a source is braked, as the county has set it."""

import pytest

from services.intake.domain.brake import Brake

USUAL = Brake()


@pytest.mark.parametrize(
    ("messages", "quarantined", "braked"),
    [
        (20, 11, True),
        (20, 10, False),  # half is not more than half
        (19, 19, False),  # too few to judge
        (100, 49, False),
        (100, 50, False),
        (100, 51, True),
        (20, 20, True),
        (1_000, 0, False),
    ],
)
def test_more_than_half_of_at_least_twenty(
    messages: int, quarantined: int, *, braked: bool
) -> None:
    assert USUAL.trips(messages, quarantined) is braked


@pytest.mark.parametrize("brake", [USUAL, Brake(1, 1), Brake(7, 33), Brake(50, 90)])
def test_what_is_not_worth_counting_never_trips_and_counting_stops_where_it_cannot(
    brake: Brake,
) -> None:
    for quarantined in range(200):
        most = brake.count_up_to(quarantined)
        assert not brake.trips(most, quarantined) or most == brake.messages
        tripping = [n for n in range(quarantined, 500) if brake.trips(n, quarantined)]
        assert all(n <= most for n in tripping)
        if not brake.may_trip(quarantined):
            assert [] == tripping


def test_a_hundred_percent_never_brakes() -> None:
    assert not any(Brake(percent=100).trips(n, n) for n in range(200))
