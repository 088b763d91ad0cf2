"""The questions that matter: exactly the unknowns whose answer could still change a decision. Pure.

What the tables say is turned, once, into decision diagrams over all that can be stated. With what
is known filled in, the diagrams ask for nothing but what matters: an unknown that is left could
change the decision in some completion, one that is not left cannot in any (design 7, ADR 13).
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple, get_args

from services.routing.domain.county import counted_in, made_in
from services.routing.domain.diagrams import Diagrams, Value
from services.routing.domain.facts import (
    COUNTED,
    MADE,
    NOT_YET,
    QUESTIONS,
    HowMany,
    Known,
    UrgencyState,
)
from services.routing.domain.tables import Row, Table, Tables
from shared.events import AgeBand

URGENCIES: tuple[UrgencyState, ...] = ("not_urgent", "not_asked", "open", "urgent")
_JUDGED: Final = ("not_urgent", "urgent")  # what an open check will be answered
_GIVEN: Final = (  # never asked
    "psychiatry_asks", "absence_confirmed", "absence_health", "last_year_of_band", "placed",
    "placed_urgently",
)  # fmt: skip
_ANSWERS: Final = ("no", "unknown", "yes")


class Ask(NamedTuple):
    """A question. `at_once`: one of its answers alone changes the decision.

    `weight`: in what share of all completions its answer makes a difference.
    """

    question: str
    at_once: bool
    weight: float


class Questions:
    """The questions of some tables; what matters is found once for each pattern of the known.

    Nothing is asked for the sake of an offer that the tables' county does not have.
    """

    def __init__(self, tables: Tables) -> None:
        self._settings = tables.settings
        self._counted = counted_in(tables.settings, COUNTED)
        self._made_here = made_in(tables.settings)
        variables: dict[str, Sequence[Value]] = {
            "urgency": URGENCIES,
            "age_band": get_args(AgeBand),
            **{name: range(most + 1) for name, most in self._counted.items()},
            **dict.fromkeys((*_GIVEN, *QUESTIONS), _ANSWERS),
        }
        self.diagrams = Diagrams(variables)
        self._columns: dict[str, int] = {}
        self.rows: dict[str, int] = {}  # whether each row hits, by table/row
        self.outcomes = self._outcomes(tables)
        self.that_matter = lru_cache(maxsize=20_000)(self._that_matter)

    def _that_matter(
        self, known: Known, age_band: AgeBand, urgency: UrgencyState
    ) -> tuple[Ask, ...]:
        """The unknowns that could still change the decision, the most decisive first.

        First those of which one answer alone changes it, then by weight, then in the order of the
        form. An open urgency check will be answered: what matters after either answer matters.
        """
        d = self.diagrams
        still = _left(known, age_band, urgency, self._counted)
        allowed = {
            d.places[name]: tuple(map(d.values[d.places[name]].index, values))
            for name, values in still.items()
        }
        left = [d.limited(root, allowed) for root in self.outcomes.values()]
        asked = d.depends_on(left) - {"urgency"}
        weights = [d.weights(root) for root in left]
        now = {name: values[0] for name, values in still.items()}
        now |= {name: "unknown" for name in QUESTIONS if getattr(known, name) == "unknown"}
        found = [
            Ask(
                name,
                any(d.turns(root, now, name) for root in left),
                max(each.get(name, 0.0) for each in weights),
            )
            for name in QUESTIONS
            if name in asked
        ]
        return tuple(sorted(found, key=lambda ask: (not ask.at_once, -ask.weight)))

    # --- what the tables say, as diagrams ---------------------------------------------------------

    def _outcomes(self, tables: Tables) -> dict[str, int]:
        """Each part of a decision: every flag, the level, the holder, every destination."""
        d, said = self.diagrams, dict[str, int]()
        flags = self._collected(tables.urgent, said)
        said["flagged"] = d.apply(_yes_if_any, *flags.values())
        said["level"] = self._one(tables.level, said)
        holder = self._one(tables.holder, said)
        destinations = self._collected(tables.destinations, said)
        return {**flags, "level": said["level"], "holder": holder, **destinations}

    def _collected(self, table: Table, said: Mapping[str, int]) -> dict[str, int]:
        """For each thing that the table can say, whether it does."""
        hits = [(says, self._offered(says, hit)) for says, hit in self._hits(table, said)]
        return {
            f"{table.name}/{says}": self.diagrams.apply(_or, *(h for s, h in hits if s == says))
            for says in sorted({says for says, _ in hits})
        }

    def _offered(self, says: str, hit: int) -> int:
        """Whether a row hits and the county has what it says, for this age."""
        bands = self._settings.bands(says) if self._settings else None
        if bands is None:
            return hit
        return self.diagrams.apply(
            _and, hit, self.diagrams.apply(bands.__contains__, self._column("age_band"))
        )

    def _one(self, table: Table, said: Mapping[str, int]) -> int:
        """The one thing that the table says; that it is one is proved when the table is loaded."""
        d = self.diagrams
        outcome = d.leaf("")
        for says, hit in self._hits(table, said):
            outcome = d.apply(lambda one, hits, says=says: says if hits else one, outcome, hit)
        return outcome

    def _hits(self, table: Table, said: Mapping[str, int]) -> list[tuple[str, int]]:
        """What each row says, and whether it hits."""
        holds = [self._holds(row, said) for row in table.rows]
        silenced = [[holds[other] for other in row.unless] for row in table.rows]
        for row, own, others in zip(table.rows, holds, silenced, strict=True):
            self.rows[row.ref] = self.diagrams.apply(_alone, own, *others)
        return [(row.then, self.rows[row.ref]) for row in table.rows]

    def _holds(self, row: Row, said: Mapping[str, int]) -> int:
        d = self.diagrams
        holds = d.leaf(says=True)
        for name, allowed in row.when:
            column = said[name] if name in said else self._column(name)
            holds = d.apply(_and, holds, d.apply(allowed.__contains__, column))
        return holds

    def column(self, name: str) -> int:
        """The function that is a column's value."""
        return self._column(name)

    def _column(self, name: str) -> int:
        if name not in self._columns:
            self._columns[name] = self._made(name)
        return self._columns[name]

    def _made(self, name: str) -> int:
        """A column from what it is made of, as `derive` makes it."""
        d, (of, by) = self.diagrams, self._made_here[name]
        parts = [self._part(name, source) for source in of]
        if isinstance(by, HowMany):  # one after the other: all at once would be all combinations
            total = d.leaf(0)
            for part in parts:
                total = d.apply(_add, total, d.apply(by, part))
            return total
        return d.apply(by, *parts)

    def _part(self, column: str, source: str) -> int:
        if source != column and source in MADE:
            return self._column(source)
        return self.diagrams.variable(source)


def _left(
    known: Known, age_band: AgeBand, urgency: UrgencyState, counted: Mapping[str, int]
) -> dict[str, Sequence[Value]]:
    """The values that each variable can still have; an unknown answer can have every one."""
    stated: dict[str, Value] = known._asdict()
    given = {*_GIVEN, *NOT_YET.get(age_band, ())}
    return {
        "urgency": _JUDGED if urgency == "open" else (urgency,),
        "age_band": (age_band,),
        **{name: (min(int(stated[name]), most),) for name, most in counted.items()},
        **{name: (stated[name],) for name in given},
        **{name: (stated[name],) for name in QUESTIONS if stated[name] != "unknown"},
    }


def _add(one: int, other: int) -> int:
    return one + other


def _and(one: bool, other: bool) -> bool:  # noqa: FBT001 -- values of diagrams
    return one and other


def _or(*each: bool) -> bool:
    return any(each)


def _alone(own: bool, *others: bool) -> bool:  # noqa: FBT001 -- values of diagrams
    return own and not any(others)


def _yes_if_any(*each: bool) -> str:
    return "yes" if any(each) else "no"
