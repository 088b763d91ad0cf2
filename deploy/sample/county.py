"""The sample county: a year of messages of all kinds about invented children, and its feeds.

The year that ends with `last_day` is planned whole and cheaply (who is notified of, when, by
whom; who is absent from school; who is a client); a message is written only when it is asked for,
from its own seed. So the same arguments give the same bytes, a month is the end of its year, and a
larger county begins with the smaller one. A period begins with the feeds as they stand: staff,
rota and clients. How much of everything: volumes.yaml. What is really so stands beside, in `Truth`.
"""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from functools import partial
from heapq import merge
from typing import NamedTuple

from deploy.sample.absences import truth_of_signal, write_signal
from deploy.sample.clients import Clients, truth_of_state, write_state
from deploy.sample.directory_feed import Directory, truth_of_entry, write_entry
from deploy.sample.message import Message
from deploy.sample.rhythm import DAYS
from deploy.sample.schooling import Schooling, Volume
from deploy.sample.truth import Truth, truth_of
from deploy.sample.volumes import volumes
from deploy.sample.writing import write
from deploy.sample.year import Plan, Visit
from shared.clock import HELSINKI

__all__ = [
    "CHILDREN", "FINLAND", "Message", "Told", "Truth", "Volume", "messages", "month", "stream",
    "told", "told_of_children",
]  # fmt: skip

CHILDREN = volumes().under_18s.county
FINLAND = volumes().under_18s.finland


class Told(NamedTuple):
    """A message, and what is really so."""

    message: Message
    truth: Truth


class _Planned(NamedTuple):
    """A message that can be written, and its truth; `sent` in seconds since 1970."""

    sent: int
    write: Callable[[], Message]
    truth: Callable[[], Truth]


def stream(
    seed: int = 1, size: int = CHILDREN, *, last_day: date = date(2026, 11, 30), days: int = DAYS,
    absences: Volume = "natural", rota_gap: bool = False,
) -> Iterator[Message]:  # fmt: skip
    """The messages of a county with `size` under-18s, in time order, each to its own topic.

    Holds some 30 bytes a message and writes one at a time: `FINLAND` is no larger in memory than
    a county's database connection. Default: a whole year. `absences`: the natural volume of
    school-absence signals, or the declared stress figure of 500,000 a year in all of Finland.
    `rota_gap` leaves one evening of the duty rota, in the week after `last_day`, to nobody.
    """
    planned = _planned(last_day, days, seed, size, absences, rota_gap=rota_gap)
    return (each.write() for each in planned)


def month(
    *, last_day: date, days: int = 30, seed: int = 1, children: int = CHILDREN,
    absences: Volume = "natural", rota_gap: bool = False,
) -> Iterator[Message]:  # fmt: skip
    """The messages of the `days` (1 to 365) that end with `last_day`, in time order.

    `children` is the number of under-18s in the county. What corrects or takes back a message of
    an earlier day is left out. Raises `ValueError` for other days, or for more children than
    there are test codes (about 5 million under-18s).
    """
    return stream(
        seed, children, last_day=last_day, days=days, absences=absences, rota_gap=rota_gap
    )


def told(
    *, last_day: date, days: int = 30, seed: int = 1, children: int = CHILDREN,
    absences: Volume = "natural", rota_gap: bool = False,
) -> Iterator[Told]:  # fmt: skip
    """As `month`, each message with its truth."""
    planned = _planned(last_day, days, seed, children, absences, rota_gap=rota_gap)
    return (Told(each.write(), each.truth()) for each in planned)


def told_of_children(*, last_day: date, seed: int = 1, children: int = CHILDREN) -> Iterator[Told]:
    """As `told` for a whole year, without the feeds, which would take as long to write again."""
    plan = Plan(seed, last_day)
    plan.grow(children)
    schooling = Schooling(plan, children, "natural")
    planned = merge(
        _visits(plan, plan.begins), _signals(plan, schooling, plan.begins),
        key=lambda each: each.sent,
    )  # fmt: skip
    return (Told(each.write(), each.truth()) for each in planned)


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


def _planned(
    last_day: date, days: int, seed: int, children: int, absences: Volume, *, rota_gap: bool
) -> Iterator[_Planned]:
    """All messages in time order; of those of one moment the feeds first."""
    if not 1 <= days <= DAYS:
        raise ValueError(f"days must be 1 to {DAYS}")
    plan = Plan(seed, last_day)
    plan.grow(children)
    schooling = Schooling(plan, children, absences)
    clients = Clients(plan, schooling)
    directory = Directory(plan, max(1, round(children / CHILDREN)), gap=rota_gap)
    first = last_day - timedelta(days=days - 1)
    start = int(datetime(first.year, first.month, first.day, tzinfo=HELSINKI).timestamp())
    return merge(
        _entries(plan, directory, start),
        _states(clients, start),
        _visits(plan, start),
        _signals(plan, schooling, start),
        key=lambda planned: planned.sent,
    )


def _entries(plan: Plan, directory: Directory, start: int) -> Iterator[_Planned]:
    for each in directory.in_order(start):
        yield _Planned(
            each.at, partial(write_entry, plan, each), partial(truth_of_entry, plan, each)
        )


def _states(clients: Clients, start: int) -> Iterator[_Planned]:
    for each in clients.in_order(start):
        yield _Planned(
            each.sent, partial(write_state, clients, each), partial(truth_of_state, clients, each)
        )


def _visits(plan: Plan, start: int) -> Iterator[_Planned]:
    for each in plan.in_order(start):
        yield _Planned(each.sent, partial(write, plan, each), partial(truth_of, plan, each))


def _signals(plan: Plan, schooling: Schooling, start: int) -> Iterator[_Planned]:
    for row in schooling.in_order(start):
        yield _Planned(
            schooling.sent(row),
            partial(write_signal, plan, schooling, row),
            partial(truth_of_signal, plan, schooling, row),
        )
