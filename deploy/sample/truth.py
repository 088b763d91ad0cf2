"""What is really so, beside what the messages say: for tests, and for those who compare.

Nothing of it stands in a message. One JSON object a line; `children` are in the message's order.
"""

from datetime import date
from typing import NamedTuple

import orjson

from deploy.sample.families import Household, hetu_of, household_on, local, name_of
from deploy.sample.volumes import volumes
from deploy.sample.writing import id_of, source_of
from deploy.sample.year import Group, Person, Plan, Visit, mixed, seeded
from shared.kinds import KindName


class TrueChild(NamedTuple):
    """Who a child is, also where the message does not say. Of one not born: the parent's code."""

    child: str
    name: str
    hetu: str
    unborn: bool


class Truth(NamedTuple):
    """The truth about one message. `siblings` are children who are notified of together.

    `urgent` is what a careful person finds, `marked` what the notifier says. `about` is the
    source's id of the message that is corrected or taken back. `dispute`: the guardians notify of
    each other. `moved` is a move within the county, `moved_out` to another one. `client`: whether
    the family is a client when the message is written.

    Of an absence signal: `hours` the pupil was absent in the school year until then, leave that the
    school granted not among them; `complete`, whether the school has done its part; `resent`, that
    this is a returned one, sent whole. Of the feeds: `entry` is the client's reference or the entry
    of the directory, `version` its version, `late` that a newer one was sent before; `complete` is
    false of a shift that nobody has.
    """

    source: str
    source_id: str
    at: str
    kind: KindName
    children: tuple[TrueChild, ...]
    household: str
    siblings: str
    urgent: bool
    marked: bool
    repeat: bool
    about: str | None
    dispute: bool
    turvakielto: bool
    moved: date | None
    moved_out: date | None
    client: bool | None = None
    hours: int | None = None
    complete: bool | None = None
    resent: bool = False
    entry: str | None = None
    version: int | None = None
    late: bool = False

    def line(self) -> bytes:
        """As JSON, with a line's end."""
        children = [child._asdict() for child in self.children]
        told = self._asdict() | {"children": children}
        return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)


def truth_of(plan: Plan, visit: Visit) -> Truth:
    """The truth about a planned message; the same whenever it is asked for."""
    group, first = plan.group(visit.group), plan.first_of(visit)
    day = local(first.at)
    household = household_on(plan, group, day.date())
    source = source_of(first, household)
    return Truth(
        source, id_of(plan, source, day, visit), local(visit.sent).isoformat(), visit.kind,
        children=tuple(
            true_child(each, group, household) for each in group.people
        ),
        household=f"household-{group.household}",
        siblings=f"group-{group.number}",
        urgent=_urgent(plan, first),
        marked=visit.urgent,
        repeat=visit.repeats,
        about=None if visit is first else id_of(plan, source, day, first),
        dispute=group.dispute,
        turvakielto=household.turvakielto,
        moved=household.moved,
        moved_out=local(group.left).date() if group.left else None,
        client=household.client,
    )  # fmt: skip


def true_child(person: Person, group: Group, household: Household) -> TrueChild:
    """Who a child is."""
    name = household.guardians[0]["name"] if group.unborn else name_of(person, household)
    return TrueChild(f"child-{person.number}", name, hetu_of(person), group.unborn)


def _urgent(plan: Plan, visit: Visit) -> bool:
    """A correction is as urgent as what it corrects."""
    figures = volumes()
    chance = figures.urgent_if_marked if visit.urgent else figures.urgent_else
    return seeded(mixed(plan.base, 5, visit.number)).random() < chance
