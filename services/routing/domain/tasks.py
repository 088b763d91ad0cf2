"""Tasks: duty items that ask something of a person, where no message waits. Pure.

A task has no statutory clock, nothing waits behind it, and it sends nothing to anybody outside. It
stands until a person closes it, saying what became of it.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple
from uuid import UUID

TaskKind = Literal["separated", "transfer", "unanswered", "look", "too_light"]
TaskReason = Literal[
    "acted-while-joined", "wrong-county", "moved-out", "unanswered-in-time", "radar", "too-light"
]

KIND_OF: Mapping[TaskReason, TaskKind] = {
    "acted-while-joined": "separated",
    "wrong-county": "transfer",  # it was sent here and belongs to another county (NOT-07)
    "moved-out": "transfer",  # the home municipality changed: LSL 25 d § 1 mom (NOT-08)
    "unanswered-in-time": "unanswered",  # questions that matter (design 7)
    "radar": "look",
    "too-light": "too_light",
}
TASKS = frozenset(KIND_OF.values())
"""Outcomes of duty items that are tasks; all others are messages."""

CLOSED_BY_WHO_ASSESSES = frozenset[TaskKind]({"separated"})
FOR_SUPERVISORS = frozenset[TaskKind]({"unanswered", "look", "too_light"})
"""Tasks that stand in a list of their own, and that a supervisor closes."""


class Task(NamedTuple):
    """One task: the id of its duty item, the child it is about, and why."""

    item: UUID
    child: UUID
    reason: TaskReason

    @property
    def kind(self) -> TaskKind:
        """What its duty item has as its outcome."""
        return KIND_OF[self.reason]
