"""A stored decision as its family may read it. Pure.

Told is the proposal, what `TOLD` lists, and what follows from that alone: whatever is withheld, the
same facts told and the same proposal give the same page, word for word (a property test). So
nothing withheld can be read off it, not even from what it leaves out. ADR 16 says it at length.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache, partial
from operator import ne
from typing import Final, Literal, NamedTuple, cast

from services.routing.domain.decision import Decision
from services.routing.domain.diagrams import Value
from services.routing.domain.facts import CAME_WITH, NOT_YET, UrgencyState
from services.routing.domain.otherwise import MAY_BECOME, Case, Free, Way, after, plainest
from services.routing.domain.questions import Questions
from services.routing.domain.tables import Row, Tables
from services.routing.domain.tables.engine import SAID
from services.routing.domain.texts import Texts
from shared.events import AgeBand, Destination, Holder, Level

TOLD: Mapping[str, str] = {
    "a1": "a1",
    "a2": "a2",
    "a3": "a3",
    "a5": "a5",
    "a10": "a10",
    "support_tried": "support_tried",
    "referral_returned": "referral_returned",
    "is_client": "existing_client",
    "urgency": "urgency",
    "age_band": "age_band",
}
"""What a family may be told (as stated), and the column it stands in. Everything else is withheld,
also what comes to be stated later:

- who notified, and what tells it: another authority's judgement, psychiatry's request, what a
  school confirms (law.md SEC-05);
- safety, danger, assault, being alone: a guardian may be suspected and the police not have heard
  (SEC-17); so what needs rare expertise (trafficking, honour);
- self-harm, own substance use and addiction by name: a minor may have told it in confidence and
  may forbid telling it (SEC-13);
- whether the family agrees to planning together: what one of them said is not for all to read;
- where a child is placed or is to be, how often it has moved, who its worker is: its client file
  tells it, and of a plan the worker does;
- A4, A8, A9 and a custody dispute: they can be about one guardian and are not for another (SEC-16);
  A8 and A9 also come from what is said of a sibling;
- how many messages, sources and siblings there are: they are other people's.
"""
TOLD_COLUMNS: Final = frozenset(
    {
        *TOLD.values(), "psych", "areas_of_concern", "areas_besides_a10", "areas_unknown",
        "several_areas", "many_areas_besides_a10", "level",
    }
)  # fmt: skip
"""What a row may look at whose text a family may read, where it follows from what is told.

"Mental health or own substance use" follows from A2, "several areas" from as many that are told:
the text says no more than they do.
"""
FEW, MOST = 5, 2  # ways that are told, and changes in one of them
_ABOUT = (  # can be unknown, and otherwise
    "a1", "a2", "a3", "a5", "a10", "support_tried", "referral_returned", "is_client",
)  # fmt: skip


class Part(NamedTuple):
    """A part of the proposal that would be another. A destination falls away.

    `becomes` is None where what it would be hangs on what is withheld.
    """

    name: Literal["level", "holder"] | Destination
    becomes: Level | Holder | None = None


class Otherwise(NamedTuple):
    """What would have changed the proposal, whatever is withheld, and which parts of it."""

    way: Way
    parts: tuple[Part, ...]


class ForFamily(NamedTuple):
    """A decision explained to a family: reasons by table, what is unknown of what is told."""

    level: Level
    holder: Holder
    destinations: tuple[Destination, ...]
    reasons: tuple[tuple[str, Texts], ...]
    unknown: tuple[str, ...]
    otherwise: tuple[Otherwise, ...]


class FamilyExplainer:
    """Explains the decisions of one version of the tables to families."""

    def __init__(self, tables: Tables, questions: Questions) -> None:
        self._reasons = tables.reasons
        self._rows = {row.ref: row for table in tables.each() for row in table.rows}
        self._questions = questions
        self._diagrams = questions.diagrams
        self._surely_other = lru_cache(maxsize=1_000)(self._find_surely_other)

    def explain(self, decision: Decision) -> ForFamily:
        """A function of the proposal and of what `TOLD` names alone."""
        told = {
            name: decision.facts[column]
            for name, column in TOLD.items()
            if column in decision.facts and name in self._diagrams.places
        }
        told |= {  # what is younger than the facts nobody has said, withheld or not
            name: "unknown" for name, column in CAME_WITH.items() if column not in decision.facts
        }
        never = NOT_YET.get(cast("AgeBand", told.get("age_band")), frozenset[str]())
        about = [n for n in _ABOUT if n in told and n not in never and _is_spoken_of(n, decision)]
        free: Free = {
            **dict.fromkeys(about, ("no", "yes")),
            "urgency": MAY_BECOME.get(cast("UrgencyState", told.get("urgency")), ()),
        }
        return ForFamily(
            decision.level,
            decision.holder,
            decision.destinations,
            tuple(self._told_reasons(decision, told)),
            tuple(name for name in about if told[name] == "unknown"),
            tuple(self._otherwise(decision, told, free)),
        )

    # --- reasons ------------------------------------------------------------------------------

    def _told_reasons(self, decision: Decision, told: Case) -> Iterator[tuple[str, Texts]]:
        for ref in decision.rows:
            row = self._rows.get(ref)
            if row is not None and self._follows(row, decision, told):
                yield ref.partition("/")[0], self._reasons[ref]

    def _follows(self, row: Row, decision: Decision, told: Case) -> bool:
        """Whether the row must have hit: what it looks at is told, and no other row spoke instead.

        That it hit must not have to be concluded from the proposal: one area that is told and the
        special level would else say that there is another area.
        """
        columns = dict(row.when)
        if not TOLD_COLUMNS.issuperset(columns):
            return False
        for column in columns.keys() - SAID.keys():
            could = self._diagrams.possible(told, self._questions.column(column))
            if not columns[column].issuperset(value for (value,) in could):
                return False
        return self._hits(row, decision, told)

    def _hits(self, row: Row, decision: Decision, told: Case) -> bool:
        """Whether it hits in whatever is told so and proposed so."""
        proposed: dict[str, Value] = {"level": decision.level, "holder": decision.holder}
        if row.ref.startswith("destinations/"):
            proposed[f"destinations/{row.then}"] = True
        roots = [self._questions.outcomes[part] for part in proposed]
        could = self._diagrams.possible(told, *roots, self._questions.rows[row.ref])
        hits = [hit for *said, hit in could if said == [*proposed.values()]]
        return bool(hits) and all(hits)

    # --- what would have changed the proposal -------------------------------------------------

    def _otherwise(self, decision: Decision, told: Case, free: Free) -> Iterator[Otherwise]:
        """The ways that surely change some part, the smallest of each; with all they change."""
        d = self._diagrams
        stands: dict[str, Value] = {"level": decision.level, "holder": decision.holder}
        stands |= dict.fromkeys((f"destinations/{each}" for each in decision.destinations), True)
        for part, says in stands.items():
            if (says,) not in d.possible(told, self._questions.outcomes[part]):
                return  # the facts are derived in another way today
        other = {part: self._surely_other(part, says) for part, says in stands.items()}
        case = {name: d.values[place][0] for name, place in d.places.items()} | dict(told)
        found: dict[Way, None] = {}
        for root in other.values():
            ways = plainest(d.nearest(root, case, free, bool), case, free)
            found.update(dict.fromkeys(way for way in ways if len(way) <= MOST))
        for way in sorted(found, key=len)[:FEW]:
            changed = [part for part, root in other.items() if d.says(root, after(case, way))]
            yield Otherwise(way, tuple(self._part(part, after(told, way)) for part in changed))

    def _part(self, part: str, told: Case) -> Part:
        name = cast("Destination", part.rpartition("/")[2])
        could = {says for (says,) in self._diagrams.possible(told, self._questions.outcomes[part])}
        sure = len(could) == 1 and part in ("level", "holder")
        return Part(name, cast("Level | Holder", could.pop()) if sure else None)

    def _find_surely_other(self, part: str, stands: Value) -> int:
        """Whether a part is another than it stands, whatever is withheld."""
        d = self._diagrams
        other = d.apply(partial(ne, stands), self._questions.outcomes[part])
        return d.whatever(other, [name for name in d.names if name not in TOLD])


def _is_spoken_of(name: str, decision: Decision) -> bool:
    return name not in CAME_WITH or CAME_WITH[name] in decision.facts
