"""The sample county: a year of messages of all kinds about invented children.

The year that ends with `last_day` is planned whole and cheaply (who is notified of, when, by
whom); a message is written only when it is asked for, from its own seed. So the same arguments
give the same bytes, a month is the end of its year, and a larger county begins with the smaller
one. How much of everything: volumes.yaml. What is really so stands beside, in `Truth`.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple

from deploy.sample.rhythm import DAYS
from deploy.sample.truth import Truth, truth_of
from deploy.sample.volumes import volumes
from deploy.sample.writing import Message, write
from deploy.sample.year import Plan, Visit
from shared.clock import HELSINKI

__all__ = ["CHILDREN", "FINLAND", "Message", "Told", "Truth", "messages", "month", "stream", "told"]

CHILDREN = volumes().under_18s.county
FINLAND = volumes().under_18s.finland


class Told(NamedTuple):
    """A message, and what is really so."""

    message: Message
    truth: Truth


def stream(
    seed: int = 1, size: int = CHILDREN, *, last_day: date = date(2026, 11, 30), days: int = DAYS
) -> Iterator[Message]:
    """The messages of a county with `size` under-18s, in time order, each to its own topic.

    Holds some 30 bytes a message and writes one at a time: `FINLAND` is no larger in memory than
    a county's database connection. Default: a whole year.
    """
    plan, visits = _planned(last_day, days, seed, size)
    return (write(plan, visit) for visit in visits)


def month(
    *, last_day: date, days: int = 30, seed: int = 1, children: int = CHILDREN
) -> Iterator[Message]:
    """The messages of the `days` (1 to 365) that end with `last_day`, in time order.

    `children` is the number of under-18s in the county. What corrects or takes back a message of
    an earlier day is left out. Raises `ValueError` for other days, or for more children than
    there are test codes (about 8 million under-18s).
    """
    return stream(seed, children, last_day=last_day, days=days)


def told(
    *, last_day: date, days: int = 30, seed: int = 1, children: int = CHILDREN
) -> Iterator[Told]:
    """As `month`, each message with its truth."""
    plan, visits = _planned(last_day, days, seed, children)
    return (Told(write(plan, visit), truth_of(plan, visit)) for visit in visits)


def messages(count: int, *, seed: int = 1, last_day: date) -> list[Message]:
    """Exactly `count` notifications, spread over the year, in time order; no other kinds."""
    plan, found = Plan(seed, last_day), 0
    chosen: list[Visit] = []
    while len(chosen) < count:
        plan.add_families()
        new = (plan.visits[row] for row in range(found, len(plan.visits)))
        chosen += [visit for visit in new if visit.kind == "notification" and visit.about is None]
        found = len(plan.visits)
    return [write(plan, visit) for visit in sorted(chosen[:count])]


def _planned(last_day: date, days: int, seed: int, children: int) -> tuple[Plan, Iterator[Visit]]:
    if not 1 <= days <= DAYS:
        raise ValueError(f"days must be 1 to {DAYS}")
    plan = Plan(seed, last_day)
    plan.grow(children)
    first = last_day - timedelta(days=days - 1)
    start = datetime(first.year, first.month, first.day, tzinfo=HELSINKI)
    return plan, plan.in_order(int(start.timestamp()))
