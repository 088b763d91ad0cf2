"""Who said what of a child: the statements of each area, which one counts, who disagrees. Pure.

Which statement counts is what `facts.known_when` takes (a property test compares them): the latest,
but that a notifier's "no" takes back no "yes" of another notifier. The others are shown beside it.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from services.routing.domain.facts import (
    ANSWER_FIELDS,
    NOTHING_KNOWN,
    Answered,
    Told,
    fields_of,
    learn,
)
from services.routing.domain.households import ALONE, Family
from shared.events import Answer

Hand = Literal["first_hand", "second_hand", "unknown"]
AREAS = ("a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "a10")
OTHERS = "others"  # statements that belong to no area
HOUSEHOLD, CLIENT_SYSTEM = "household", "client_system"  # who says it, where no message does


class Written(NamedTuple):
    """What a notification that counts states: its id, its kind, its coded facts."""

    id: str
    kind: str
    told: Told


class Noted(NamedTuple):
    """What a worker was told in one act, by whom, and how that one knows."""

    id: str
    answered: Answered
    told_by: str
    hand: Hand
    worker: str


class Said(NamedTuple):
    """One statement. `by` is a kind of notifier, or who told a worker; empty if it is not known.

    `kind` is the message's, `worker` who was told; `id` that of the notification or the act. What
    the household adds and the client information system says has neither time nor id.
    """

    answer: Answer
    by: str
    at: datetime | None = None
    hand: Hand = "unknown"
    kind: str = ""
    worker: str = ""
    id: str = ""


class Statement(NamedTuple):
    """All that was said of one thing (a field of `Known`), the latest first."""

    name: str
    said: tuple[Said, ...]
    counts: Said | None

    @property
    def answer(self) -> Answer:
        """What stands."""
        return self.counts.answer if self.counts else "unknown"

    @property
    def is_disputed(self) -> bool:
        """Whether somebody has said the contrary of what stands."""
        return len({each.answer for each in self.said} - {"unknown"}) > 1


def statements_of(
    written: Iterable[Written],
    noted: Iterable[Noted],
    family: Family = ALONE,
    client: Answer = "unknown",
) -> dict[str, Statement]:
    """Everything that somebody has said of the child; what nobody spoke of is left out.

    `client`: whether the child is one, as the client information system says.
    """
    found: dict[str, list[Said]] = {}
    for each in written:
        for name, said in _written(each):
            found.setdefault(name, []).append(said)
    for answers in noted:
        for name, said in _noted(answers):
            found.setdefault(name, []).append(said)
    beside = {"a8": (family.a8, HOUSEHOLD), "a9": (family.a9, HOUSEHOLD)}
    beside["is_client"] = (client, CLIENT_SYSTEM)
    besides = {name: Said(a, by) for name, (a, by) in beside.items() if a != "unknown"}
    names = [name for name in ANSWER_FIELDS if name in found or name in besides]
    return {name: _statement(name, found.get(name, ()), besides.get(name)) for name in names}


def by_area(statements: Mapping[str, Statement]) -> dict[str, tuple[Statement, ...]]:
    """The statements of each of the ten areas, and after them those of none.

    A7 has none of its own: it is derived.
    """
    of = {area: {area} | fields_of(area) & {*ANSWER_FIELDS} for area in AREAS if area != "a7"}
    areas = {area: _these(statements, of.get(area, ())) for area in AREAS}
    placed = set().union(*of.values())
    return {**areas, OTHERS: _these(statements, statements.keys() - placed)}


def _these(statements: Mapping[str, Statement], names: Collection[str]) -> tuple[Statement, ...]:
    return tuple(each for name, each in statements.items() if name in names)


def _written(each: Written) -> Iterable[tuple[str, Said]]:
    at, facts = each.told.at, each.told.facts
    states = learn(NOTHING_KNOWN, facts)._asdict()
    by = facts.said_by or ""
    for name in ANSWER_FIELDS:
        if states[name] != "unknown":
            yield name, Said(states[name], by, at, facts.knowledge, each.kind, id=each.id)


def _noted(each: Noted) -> Iterable[tuple[str, Said]]:
    for name, answer in each.answered.answers.items():
        at = each.answered.at
        yield name, Said(answer, each.told_by, at, each.hand, worker=each.worker, id=each.id)


def _statement(name: str, said: Sequence[Said], beside: Said | None) -> Statement:
    """Of one time an answer is before a message, and "yes" after "no": as `known_when` has them."""
    in_time = sorted(said, key=_in_time)
    counts: Said | None = None
    for each in in_time:
        if _takes_the_place(each, counts):
            counts = each
    if beside is not None and (
        beside.by == CLIENT_SYSTEM
        or counts is None
        or (counts.answer == "no" and beside.answer == "yes")
    ):
        counts = beside
    rest = (beside,) if beside else ()
    return Statement(name, (*rest, *reversed(in_time)), counts)


def _takes_the_place(said: Said, of: Said | None) -> bool:
    if said.answer == "unknown":
        return False
    return bool(said.worker) or of is None or said.answer == "yes" or of.answer == "no"


def _in_time(said: Said) -> tuple[datetime | None, bool, bool, str]:
    return said.at, not said.worker, said.answer == "yes", said.id
