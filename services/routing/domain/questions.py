"""The questions that matter: exactly the unknowns whose answer could still change a decision. Pure.

What the tables say is turned, once, into decision diagrams over all that can be stated. With what
is known filled in, the diagrams ask for nothing but what matters: an unknown that is left could
change the decision in some completion, one that is not left cannot in any (design 7, ADR 13).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, NamedTuple, get_args

from services.routing.domain.county import counted_in, made_in
from services.routing.domain.diagrams import Diagrams, Value
from services.routing.domain.facts import (
    COUNTED,
    MADE,
    MOVES,
    NOT_YET,
    QUESTIONS,
    STATED_BESIDES,
    HowMany,
    Known,
    UrgencyState,
)
from services.routing.domain.tables import Row, Table, Tables
from shared.events import AgeBand, Answer

Counted = tuple[int, ...]  # the numbers of `COUNTED`, each up to where it makes no difference
URGENCIES: tuple[UrgencyState, ...] = ("not_urgent", "not_asked", "open", "urgent")
_JUDGED: Final = ("not_urgent", "urgent")  # what an open check will be answered
_GIVEN: Final = (  # never asked
    "psychiatry_asks", "absence_confirmed", "absence_health", "absence_step", "last_year_of_band",
    "placed", "placed_urgently", "has_worker", "moves", *STATED_BESIDES,
)  # fmt: skip
_ANSWERS: Final = ("no", "unknown", "yes")
_NOTHING_SAID: Final = dict.fromkeys(QUESTIONS, "unknown")
_MOST_NODES: Final = 200_000


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
        self._numbers_of: Callable[[Known], Counted] = _taking(tuple(self._counted))
        variables: dict[str, Sequence[Value]] = {  # what nobody is asked about comes first
            "urgency": URGENCIES,
            "age_band": get_args(AgeBand),
            **{name: range(most + 1) for name, most in self._counted.items()},
            **dict.fromkeys((*_GIVEN, *QUESTIONS), _ANSWERS),
            "moves": MOVES,
        }
        self.diagrams = Diagrams(variables)
        self._columns: dict[str, int] = {}
        self.rows: dict[str, int] = {}  # whether each row hits, by table/row
        self.outcomes = self._outcomes(tables)
        self._parts: dict[tuple[int, frozenset[str]], _Part] = {}
        self._together: dict[tuple[_Part, ...], _Parts] = {}
        self._filled = _Filled(self.diagrams)
        self._asked_of: dict[
            tuple[tuple[int, ...], frozenset[str]], tuple[_Part | _Parts, ...]
        ] = {}
        self._says_all: dict[tuple[int, int], bool] = {}
        self._parts_where = lru_cache(maxsize=20_000)(self._find_parts)
        self.names = lru_cache(maxsize=20_000)(self._names)

    def _names(self, known: Known, age_band: AgeBand, urgency: UrgencyState) -> tuple[str, ...]:
        """What `that_matter` asks, by name, as a stored decision has it."""
        return tuple([ask.question for ask in self.that_matter(known, age_band, urgency)])

    def that_matter(
        self, known: Known, age_band: AgeBand, urgency: UrgencyState
    ) -> tuple[Ask, ...]:
        """The unknowns that could still change the decision, the most decisive first.

        First those of which one answer alone changes it, then by weight, then in the order of the
        form. An open urgency check will be answered: what matters after either answer matters.
        """
        counted = tuple(map(min, self._numbers_of(known), self._counted.values()))
        parts = self._parts_where(urgency, age_band, counted, _given_of(known))
        return _together(tuple([part.asked(part.answers(known)) for part in parts])).asks

    # --- what asks ----------------------------------------------------------------------------

    def _find_parts(
        self, urgency: UrgencyState, age_band: AgeBand, counted: Counted, given: tuple[Answer, ...]
    ) -> "tuple[_Part | _Parts, ...]":
        """What the decision still depends on where only answers are open, each as a function.

        One that another says, too (whether the level is perus, beside the level), asks nothing that
        the other does not ask as early: it is left out.
        """
        d, roots = self.diagrams, dict[int, None]()
        for after in _JUDGED if urgency == "open" else (urgency,):
            stands = (after, age_band, *counted, *given)
            settled = zip(d.values[: -len(QUESTIONS)], stands, strict=True)
            here = [values.index(value) for values, value in settled]
            roots |= dict.fromkeys([d.where_first(r, here) for r in self.outcomes.values()])
        asking, never = tuple(roots), NOT_YET.get(age_band, frozenset())
        if (asking, never) not in self._asked_of:
            parts = [self._asking(root, never) for root in self._telling(asking)]
            self._asked_of[asking, never] = self._read_together(parts)
        return self._asked_of[asking, never]

    def _telling(self, roots: Iterable[int]) -> list[int]:
        """Those functions that no other one tells."""
        open_ = {root: self.diagrams.depends_on([root]) for root in roots}
        kept: list[int] = []
        for root in sorted((r for r in open_ if open_[r]), key=lambda each: -len(open_[each])):
            if not any(open_[root] <= open_[k] and self._says(k, root) for k in kept):
                kept.append(root)
        return kept

    def _read_together(self, parts: Iterable["_Part"]) -> "tuple[_Part | _Parts, ...]":
        """Parts that read the same answers, and those that read one each, are looked up as one."""
        alike: dict[tuple[str, ...], list[_Part]] = {}
        for part in parts:
            alike.setdefault(part.names if len(part.names) > 1 else (), []).append(part)
        found: list[_Part | _Parts] = []
        for each in alike.values():
            if len(each) == 1:
                found += each
                continue
            if (key := tuple(each)) not in self._together:
                self._together[key] = _Parts(key)
            found.append(self._together[key])
        return tuple(found)

    def _says(self, one: int, other: int) -> bool:
        """Whether what the first function says tells what the second does."""
        if (one, other) not in self._says_all:
            self._says_all[one, other] = self.diagrams.tells(one, other)
        return self._says_all[one, other]

    def _asking(self, root: int, never: frozenset[str]) -> "_Part":
        if (root, never) not in self._parts:
            self._parts[root, never] = _Part(self.diagrams, self._filled, root, never)
        return self._parts[root, never]

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


def _taking(names: Sequence[str]) -> Callable[[Known], tuple[Any, ...]]:
    """What takes these fields."""
    return _picking([Known._fields.index(name) for name in names])


def _picking(places: Sequence[int]) -> Callable[[tuple[Any, ...]], tuple[Any, ...]]:
    pick = itemgetter(*places)
    return pick if len(places) > 1 else lambda known: (pick(known),)


_given_of: Callable[[Known], tuple[Answer, ...]] = _taking(_GIVEN)


class _Asked:
    """What one part asks; equal only to itself, so that it is compared at once."""

    __slots__ = ("asks",)

    def __init__(self, asks: Iterable[Ask]) -> None:
        self.asks = tuple(asks)


class _Filled:
    """Functions with answers filled in, among diagrams of their own, forgotten when they are many.

    Most patterns of answers come to a function that another one has come to.
    """

    def __init__(self, diagrams: Diagrams) -> None:
        self._of = diagrams
        self._forget()

    def asked(self, root: int, said: Iterable[tuple[int, int]]) -> _Asked:
        """What a function asks once this is said (both by place), in the order of the form."""
        if len(self._diagrams) > _MOST_NODES:
            self._forget()
        d = self._diagrams
        node = d.taken_from(self._of, root, self._taken)
        for place, value in said:
            node = d.fixed(node, place, value)
        if node not in self._asks:
            asks, turns, weights = (
                d.depends_on([node]),
                d.turning(node, _NOTHING_SAID, self._said),
                d.weights(node),
            )
            self._asks[node] = _Asked(
                Ask(n, n in turns, weights.get(n, 0.0)) for n in QUESTIONS if n in asks
            )
        return self._asks[node]

    def _forget(self) -> None:
        self._diagrams = self._of.empty()
        self._taken: dict[int, int] = {}
        self._asks: dict[int, _Asked] = {}
        self._said: dict[int, Value] = {}  # with nothing said besides


class _Part:
    """A function of answers alone that a decision depends on.

    `never`: what cannot be so of a child of this age, and is asked of nobody.
    """

    def __init__(
        self, diagrams: Diagrams, filled: _Filled, root: int, never: frozenset[str]
    ) -> None:
        self._filled, self._root = filled, root
        self.names = tuple(sorted(diagrams.depends_on([root]), key=diagrams.places.__getitem__))
        self._open = [(diagrams.places[name], name in never) for name in self.names]
        self.answers = _taking(self.names)
        self.asked = lru_cache(maxsize=20_000)(self.ask)

    def ask(self, answers: tuple[Answer, ...]) -> _Asked:
        """What is asked where these answers are known, in the order of what it depends on."""
        return self._filled.asked(
            self._root,
            [
                (place, _ANSWERS.index(answer))
                for (place, never), answer in zip(self._open, answers, strict=True)
                if answer != "unknown" or never
            ],
        )


class _Parts:
    """Several parts, asked at once for the answers that any of them reads."""

    def __init__(self, parts: Sequence[_Part]) -> None:
        names = list(dict.fromkeys(name for part in parts for name in part.names))
        picking = [_picking([names.index(name) for name in part.names]) for part in parts]
        asks = [part.asked if len(names) > len(part.names) else part.ask for part in parts]
        self._asks = list(zip(asks, picking, strict=True))
        self.answers = _taking(names)
        self.asked = lru_cache(maxsize=20_000)(self._asked)

    def _asked(self, answers: tuple[Answer, ...]) -> _Asked:
        return _together(tuple([ask(pick(answers)) for ask, pick in self._asks]))


@lru_cache(maxsize=20_000)
def _together(parts: tuple[_Asked, ...]) -> _Asked:
    """Each question once, as the part has it to which it matters most; the most decisive first."""
    found: dict[str, Ask] = {}
    for part in parts:
        for ask in part.asks:
            other = found.setdefault(ask.question, ask)
            if ask.weight > other.weight or ask.at_once > other.at_once:
                found[ask.question] = Ask(
                    ask.question, ask.at_once or other.at_once, max(ask.weight, other.weight)
                )
    in_order = [found[name] for name in QUESTIONS if name in found]
    return _Asked(sorted(in_order, key=lambda ask: (not ask.at_once, -ask.weight)))


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
