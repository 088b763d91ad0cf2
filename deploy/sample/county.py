"""The sample county: a year of child-protection notifications about invented children.

The year that ends with `last_day` is planned whole and cheaply (who is notified, when, by whom);
a message is written only when it is asked for, from its own seed. So the same arguments give the
same bytes, a month is the end of its year, and a larger county begins with the smaller one.
Shares and volumes: domain.md section 10. Notifications are counted per child, as the national
statistics do; a message that names three siblings counts three.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from deploy.sample.rhythm import DAYS
from deploy.sample.writing import Message, write
from deploy.sample.year import Plan
from shared.clock import HELSINKI

__all__ = ["CHILDREN", "FINLAND", "YEARLY_PER_CHILD", "Message", "messages", "month"]

CHILDREN = 49_000  # under-18s of the average of the 22 counties
FINLAND = 1_075_000
YEARLY_PER_CHILD = 230_000 / FINLAND  # 2024


def month(
    *,
    last_day: date,
    days: int = 30,
    seed: int = 1,
    children: int = CHILDREN,
    yearly_per_child: float = YEARLY_PER_CHILD,
) -> Iterator[Message]:
    """The messages of the `days` (1 to 365) that end with `last_day`, in time order.

    `children` is the number of under-18s in the county, `yearly_per_child` how many
    notifications there are a year for each (0.214). Raises `ValueError` for other days, or for
    more children than there are test codes (about 8 million under-18s).
    """
    if not 1 <= days <= DAYS:
        raise ValueError(f"days must be 1 to {DAYS}")
    plan = Plan(seed, last_day)
    while plan.notified < round(children * yearly_per_child):
        plan.add_group()
    first = last_day - timedelta(days=days - 1)
    start = int(datetime(first.year, first.month, first.day, tzinfo=HELSINKI).timestamp())
    for visit in sorted(plan.visits):
        if visit.at >= start:
            yield write(plan, visit)


def messages(count: int, *, seed: int = 1, last_day: date) -> list[Message]:
    """Exactly `count` messages of the same mix, spread over the year, in time order."""
    plan = Plan(seed, last_day)
    while len(plan.visits) < count:
        plan.add_group()
    return [write(plan, visit) for visit in sorted(plan.visits[:count])]
