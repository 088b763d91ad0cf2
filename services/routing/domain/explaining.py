"""Why a stored decision is as it is, row by row, and what would have made it another. Pure.

All that is needed is stored with the decision: facts, rows that hit, what they said, and the
version of the tables (`tables.load_version`). So an explanation can be made again years later.

*The smallest change* is of what was stated, or of what a person answered about urgency. It is read
off the decision diagrams (ADR 13), so none is smaller. What the stored facts leave open (whether A2
was said besides a self-harm) is read as the most concerning: what is said to be enough is enough.
What would have followed is told as far as it also follows from the least concerning reading. Signs
of urgency are not looked for by themselves: each is one statement, which its row names.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from operator import ne
from typing import NamedTuple, cast, get_args

from services.routing.domain.county import made_in
from services.routing.domain.decision import FAULT_TEXTS, LEFT_OUT, Decision
from services.routing.domain.diagrams import Value
from services.routing.domain.facts import Known, UrgencyState
from services.routing.domain.otherwise import (
    Case,
    Free,
    Way,
    after,
    free_to_change,
    plainest,
    stated_of,
)
from services.routing.domain.questions import Questions
from services.routing.domain.tables import Tables
from services.routing.domain.texts import Texts
from shared.events import AgeBand, Destination, Holder, Level

FEW = 5  # ways to the same other decision that are told; of the others only how many there are
FEW_DECISIONS = 6  # other decisions that are told


class Matched(NamedTuple):
    """A row that hit, and the facts it looked at."""

    table: str
    row: str
    reason: Texts | None
    basis: str
    facts: tuple[tuple[str, Value], ...] = ()


class Becomes(NamedTuple):
    """What would have been proposed instead, as far as it is something else."""

    level: Level | None = None
    holder: Holder | None = None
    proposed: tuple[Destination, ...] = ()
    not_proposed: tuple[Destination, ...] = ()
    flags: bool = False  # a sign of urgency is added
    no_flags: bool = False  # one falls away


class Otherwise(NamedTuple):
    """Another decision, and the smallest changes that lead to it, each by itself.

    `left_off`: how many more of the same size there are.
    """

    ways: tuple[Way, ...]
    becomes: Becomes
    left_off: int = 0


class Explanation(NamedTuple):
    """A decision explained to a worker.

    `unknown` could still have changed it, `besides` is unknown and could not. `otherwise` is None
    where facts are derived in another way today, so that nothing can be said of other facts.
    """

    matched: tuple[Matched, ...]
    unknown: tuple[str, ...]
    besides: tuple[str, ...]
    otherwise: tuple[Otherwise, ...] | None


class Explainer:
    """Explains the decisions of one version of the tables."""

    def __init__(self, tables: Tables, questions: Questions) -> None:
        self._tables = tables
        self._rows = {row.ref: row for table in tables.each() for row in table.rows}
        self._questions = questions
        self._diagrams = questions.diagrams
        self._made = made_in(tables.settings)

    def explain(self, decision: Decision) -> Explanation:
        """What matched, what was unknown, and the smallest changes."""
        matched = tuple(self._matched(ref, decision) for ref in decision.rows)
        case = self._read(decision)
        low = stated_of(decision.facts, self._diagrams, least=True, made=self._made)
        if case is None or low is None:
            columns = {name for table in self._tables.each() for name in table.columns()}
            unknown = (n for n, v in decision.facts.items() if v == "unknown" and n in columns)
            return Explanation(matched, tuple(unknown), (), None)
        free = free_to_change(self._diagrams, case, decision.facts)
        matter = self._matter(case)
        unknown_ = [name for name in free if case[name] == "unknown"]
        return Explanation(
            matched,
            tuple(name for name in unknown_ if name in matter),
            tuple(name for name in unknown_ if name not in matter),
            tuple(self._otherwise(case, low, free)),
        )

    def _matched(self, ref: str, decision: Decision) -> Matched:
        table, _, name = ref.partition("/")
        ref = f"destinations/{name}" if table == LEFT_OUT else ref
        row = self._rows.get(ref)
        if row is None:
            return Matched(table, name, FAULT_TEXTS.get(name), "")
        flagged = "yes" if decision.urgent_flags else "no"
        said = {**decision.facts, "level": decision.level, "flagged": flagged}
        facts = tuple((column, said[column]) for column, _ in row.when if column in said)
        return Matched(table, name, self._tables.reasons[ref], self._tables.basis[ref], facts)

    def _read(self, decision: Decision) -> Case | None:
        """What must have been stated; None where it does not lead to this decision today."""
        case = stated_of(decision.facts, self._diagrams, made=self._made)
        return case if case is not None and self._says(case) == _said(decision) else None

    def _matter(self, case: Case) -> set[str]:
        stated = {name: case[name] for name in Known._fields if name in case}
        band, urgency = cast("AgeBand", case["age_band"]), cast("UrgencyState", case["urgency"])
        known = Known(**stated)  # type: ignore[arg-type]
        return {ask.question for ask in self._questions.that_matter(known, band, urgency)}

    def _otherwise(self, case: Case, low: Case, free: Free) -> Iterator[Otherwise]:
        """Other decisions, the nearest first, each with the ways to it."""
        ways = dict.fromkeys(
            way
            for part, root in self._questions.outcomes.items()
            if not part.startswith("urgent/")
            for way in self._ways(root, case, free)
        )
        before = self._says(case)
        decisions: dict[Becomes, list[Way]] = {}
        for way in sorted(ways, key=len):
            later = (self._says(after(case, way)), self._says(after(low, way)))
            decisions.setdefault(_becomes(before, *later), []).append(way)
        for becomes in _told_of(decisions):
            found = decisions[becomes]
            least = [way for way in found if len(way) == len(found[0])]
            yield Otherwise(tuple(least[:FEW]), becomes, max(0, len(least) - FEW))

    def _ways(self, root: int, case: Case, free: Free) -> list[Way]:
        """The smallest changes of one part of the decision.

        What is not proposed is told only where one change would have proposed it.
        """
        stands = self._diagrams.says(root, case)
        ways = self._diagrams.nearest(root, case, free, partial(ne, stands))
        is_far = stands is False and bool(ways) and len(ways[0]) > 1
        return [] if is_far else plainest(ways, case, free)

    def _says(self, case: Case) -> "_Said":
        says = {p: self._diagrams.says(root, case) for p, root in self._questions.outcomes.items()}
        return _Said(
            frozenset(part[7:] for part, yes in says.items() if part[:7] == "urgent/" and yes),
            cast("Level", says["level"]),
            cast("Holder", says["holder"]),
            frozenset(p[13:] for p, yes in says.items() if p[:13] == "destinations/" and yes),
        )


class _Said(NamedTuple):
    flags: frozenset[str]
    level: Level
    holder: Holder
    destinations: frozenset[str]


def _said(decision: Decision) -> _Said:
    return _Said(
        frozenset(decision.urgent_flags), decision.level, decision.holder,
        frozenset(decision.destinations),
    )  # fmt: skip


def _becomes(before: _Said, one: _Said, other: _Said) -> Becomes:
    """What is otherwise in both of two decisions."""
    level, holder = one.level, one.holder
    return Becomes(
        level if level == other.level != before.level else None,
        holder if holder == other.holder != before.holder else None,
        _in_order(one.destinations & other.destinations - before.destinations),
        _in_order(before.destinations - one.destinations - other.destinations),
        bool(one.flags & other.flags - before.flags),
        bool(before.flags - one.flags - other.flags),
    )


def _told_of(decisions: Mapping[Becomes, Sequence[Way]]) -> list[Becomes]:
    """The few that are told: the nearest, and of these one of each other level and holder first.

    Else those that differ in an offer alone would leave no place for another holder. Of one level
    and holder that to which most ways lead comes first.
    """
    met: Counter[tuple[int, Level | None, Holder | None]] = Counter()
    turn: dict[Becomes, tuple[int, int]] = {}
    for each, ways in sorted(decisions.items(), key=lambda found: -_least(found[1])):
        size = len(ways[0])
        turn[each] = size, met[size, each.level, each.holder]
        met[size, each.level, each.holder] += 1
    kept = {*sorted(decisions, key=turn.__getitem__)[:FEW_DECISIONS]}
    return [each for each in decisions if each in kept]


def _least(ways: Sequence[Way]) -> int:
    """How many ways of the smallest size, which come first, there are."""
    return sum(len(way) == len(ways[0]) for way in ways)


def _in_order(destinations: Iterable[str]) -> tuple[Destination, ...]:
    found = set(destinations)
    return tuple(each for each in get_args(Destination) if each in found)
