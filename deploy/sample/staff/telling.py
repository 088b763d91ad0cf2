"""The truth about the workers, beside what the desk holds: what each of them thought and did.

One JSON object a line for each act: `worker` and `habit`; `look`, 2 for a second worker who looks
at what a first one decides; `act`, and `messages`, the sources' names of what it is about; `at`,
when it was done (`dated`: whether the desk was told so), and `since`, when it lay before them;
`said`, what `believed` (null of who did not look) and `really` (null where the county's truth does
not say). `outcome` is taken, too_late (another was faster) or agreed (a second look that changes
nothing, not sent); `recorded` is the desk's id of an act that was taken.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import orjson

from deploy.sample.staff.acting import Act, TrueName
from deploy.sample.staff.people import habit_of
from deploy.sample.truth import TrueChild, Truth

Outcome = Literal["taken", "too_late", "agreed"]


class Really(NamedTuple):
    """What is really so about one notification; `child` is None where its place says too little."""

    truth: Truth
    child: TrueChild | None


@dataclass(frozen=True)
class Known:
    """The county's truth by the desk's ids of notifications; empty where it is not at hand."""

    names: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # id -> source, its id
    truths: Mapping[tuple[str, str], Truth] = field(default_factory=dict)

    def really(self, notification: str) -> Really | None:
        """What is really so; None of what the county did not send."""
        truth = self.truths.get(self.names.get(notification, ("", "")))
        if truth is None:
            return None
        place = notification.rpartition(".")[2]
        number = int(place) if place.isdecimal() else len(truth.children)
        children = truth.children[number : number + 1]
        return Really(truth, children[0] if children else None)

    def urgent(self, notification: str) -> bool | None:
        """Whether a careful person finds it urgent."""
        found = self.really(notification)
        return found.truth.urgent if found else None

    def who(self, notifications: tuple[str, ...]) -> TrueName | None:
        """Who a child is: nobody can say of one who is not born, or where children differ."""
        found = {
            really.child for each in notifications if (really := self.really(each)) is not None
        }
        child = found.pop() if len(found) == 1 else None
        return TrueName(child.name, child.hetu) if child and not child.unborn else None

    def messages(self, notifications: tuple[str, ...]) -> list[str]:
        """What the sources call them, each once."""
        names = ("/".join(self.names[each]) for each in notifications if each in self.names)
        return list(dict.fromkeys(names))


def line(act: Act, known: Known, outcome: Outcome, recorded: str | None) -> bytes:
    """One act as JSON, with a line's end."""
    told = {
        "worker": act.worker, "habit": habit_of(act.worker), "look": act.look, "act": act.kind,
        "messages": known.messages(act.about), "at": act.done_at.isoformat(), "dated": act.dated,
        "since": act.since.isoformat(), "said": act.said, "believed": act.believed,
        "really": really(act, known), "outcome": outcome, "recorded": recorded,
    }  # fmt: skip
    return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)


def really(act: Act, known: Known) -> str | None:
    """What the county's truth says about the same question; None where it says nothing."""
    if act.kind == "check":
        urgent = known.urgent(act.about[0])
        return None if urgent is None else "urgent" if urgent else "not_urgent"
    if act.kind in ("identity", "join"):
        children = {r.child.child for each in act.about if (r := known.really(each)) and r.child}
        return " ".join(sorted(children)) or None
    return None
