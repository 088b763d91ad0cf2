"""How often the gauges of queues and clocks are counted."""

from hypothesis import given
from hypothesis import strategies as st

from services.routing.timers import until_next_look


@given(every=st.floats(0.1, 3600), took=st.floats(0, 600))
def test_watching_takes_a_fiftieth_of_the_time_until_a_minute_lies_between(
    every: float, took: float
) -> None:
    rest = until_next_look(every, took)

    assert rest >= every
    assert rest >= 60 or took <= 0.02 * rest * (1 + 1e-9)
    assert rest <= max(every, 60)
