"""Functions of a few variables as decision diagrams: equal functions are one node, once. Pure.

A node asks one variable and leads to another node for each of its values; a leaf is an outcome.
Variables are asked in one order, and a node whose ways all lead to one place is left out. So a
function depends on a variable exactly if a node of its diagram asks it: that is how the questions
of the screen are found.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, reduce
from itertools import islice
from math import inf
from operator import or_
from typing import Any

Value = str | int | bool
MOST_WAYS = 1000  # of the smallest changes no more than these are looked at


class Diagrams:
    """All diagrams over the same variables, each with its values, asked in this order."""

    def __init__(self, variables: Mapping[str, Sequence[Value]]) -> None:
        self.names = tuple(variables)
        self.values = [tuple(values) for values in variables.values()]
        self.places = {name: place for place, name in enumerate(self.names)}
        self._asks: list[int] = []  # of each node the place of its variable; of a leaf, the end
        self._leads: list[Any] = []  # its nodes, one for each value; of a leaf, what it says
        self._below: list[int] = []  # one bit for the place of each variable asked from it on
        self._known: dict[tuple[Any, ...], int] = {}
        self._differ: dict[tuple[int, int], float] = {}
        self._weights: dict[int, dict[str, float]] = {}
        self._fixed: dict[tuple[int, int, int], int] = {}

    def __len__(self) -> int:
        """How many nodes there are."""
        return len(self._asks)

    # --- making -----------------------------------------------------------------------------------

    def leaf(self, says: Value) -> int:
        """The function that is always the same."""
        return self._node(len(self.names), says, 0)

    def variable(self, name: str) -> int:
        """The function that is the variable's own value."""
        place = self.places[name]
        return self._ask(place, tuple(self.leaf(value) for value in self.values[place]))

    def apply(self, rule: Callable[..., Value], *of: int) -> int:
        """The function that `rule` makes of the values of others."""
        asks, leads, end = self._asks, self._leads, len(self.names)
        known: dict[tuple[int, ...], int] = {}

        def made(nodes: tuple[int, ...]) -> int:
            found = known.get(nodes)
            if found is None:
                place = min([asks[node] for node in nodes], default=end)
                if place == end:
                    found = self.leaf(rule(*[leads[node] for node in nodes]))
                else:
                    ways = len(self.values[place])
                    to = [leads[n] if asks[n] == place else (n,) * ways for n in nodes]
                    found = self._ask(place, tuple([made(each) for each in zip(*to, strict=True)]))
                known[nodes] = found
            return found

        return made(of)

    def limited(self, node: int, allowed: Mapping[int, Sequence[int]]) -> int:
        """The function where some variables (by place) have only some values left (by place)."""

        @cache
        def made(node: int) -> int:
            place = self._asks[node]
            if place == len(self.names):
                return node
            left = allowed.get(place)
            if left is None:
                return self._ask(place, tuple(map(made, self._leads[node])))
            to = {value: made(self._leads[node][value]) for value in left}
            rest = to[left[0]]
            return self._ask(
                place, tuple(to.get(value, rest) for value in range(len(self.values[place])))
            )

        return made(node)

    def fixed(self, node: int, place: int, value: int) -> int:
        """The function where one variable has one value (both by place); found once."""
        asks = self._asks[node]
        if asks >= place:
            to: int = self._leads[node][value] if asks == place else node
            return to
        key = (node, place, value)
        found = self._fixed.get(key)
        if found is None:
            leads = tuple([self.fixed(to, place, value) for to in self._leads[node]])
            found = self._fixed[key] = self._ask(asks, leads)
        return found

    def empty(self) -> "Diagrams":
        """Other diagrams over the same variables."""
        return Diagrams(dict(zip(self.names, self.values, strict=True)))

    def taken_from(self, other: "Diagrams", node: int, taken: dict[int, int]) -> int:
        """A function of other diagrams over the same variables; `taken`: those that were before."""
        found = taken.get(node)
        if found is None:
            place, leads = other._asks[node], other._leads[node]  # noqa: SLF001 -- of its own kind
            if place == len(self.names):
                found = self.leaf(leads)
            else:
                to = tuple([self.taken_from(other, each, taken) for each in leads])
                found = self._ask(place, to)
            taken[node] = found
        return found

    # --- asking -----------------------------------------------------------------------------------

    def says(self, node: int, case: Mapping[str, Value]) -> Value:
        """The function's value where every variable has one."""
        while (place := self._asks[node]) < len(self.names):
            node = self._leads[node][self.values[place].index(case[self.names[place]])]
        said: Value = self._leads[node]
        return said

    def depends_on(self, nodes: Collection[int]) -> set[str]:
        """The variables that can change one of these functions, whatever the others are."""
        below = reduce(or_, [self._below[node] for node in nodes], 0)
        return {name for place, name in enumerate(self.names) if below >> place & 1}

    def where_first(self, node: int, values: Sequence[int]) -> int:
        """The function where the first variables have these values (by place)."""
        while (place := self._asks[node]) < len(values):
            node = self._leads[node][values[place]]
        return node

    def tells(self, one: int, other: int) -> bool:
        """Whether what the first function says tells what the second does."""
        said: dict[int, int] = {}
        waiting = [(one, other)]
        looked_at = {*waiting}
        while waiting:
            first, second = waiting.pop()
            place = min(self._asks[first], self._asks[second])
            if place == len(self.names):
                if said.setdefault(first, second) != second:
                    return False
                continue
            for value in range(len(self.values[place])):
                pair = self._at(first, place, value), self._at(second, place, value)
                if pair not in looked_at:
                    looked_at.add(pair)
                    waiting.append(pair)
        return True

    def turns(self, node: int, case: Mapping[str, Value], name: str) -> bool:
        """Whether some value of a variable gives another outcome than the case's own."""
        stands = self.says(node, case)
        values = self.values[self.places[name]]
        return any(self.says(node, {**case, name: value}) != stands for value in values)

    def turning(
        self, node: int, case: Mapping[str, Value], known: dict[int, Value] | None = None
    ) -> set[str]:
        """The variables of which some value alone gives another outcome than the case's own.

        `known` keeps what functions say of the case, for the next one that is asked of it.
        """
        said = {} if known is None else known

        def says(node: int) -> Value:
            if node not in said:
                said[node] = self.says(node, case)
            return said[node]

        stands, turning = says(node), set[str]()
        while (place := self._asks[node]) < len(self.names):
            name, leads = self.names[place], self._leads[node]
            if any(says(to) != stands for to in leads):
                turning.add(name)
            node = leads[self.values[place].index(case[name])]
        return turning

    def weights(self, node: int) -> Mapping[str, float]:
        """For each variable, in what share of cases its first or last value makes the difference.

        A case gives every other variable its first or its last value, each as likely. A variable
        that is not named never does.
        """
        found = self._weights.get(node)
        if found is None:
            found = self._weights[node] = self._weights_of(node)
        return found

    def _weights_of(self, node: int) -> dict[str, float]:
        if self._asks[node] == len(self.names):
            return {}
        first, last = self._ends(node)
        found = {name: weight / 2 for name, weight in self.weights(first).items()}
        for name, weight in self.weights(last).items():
            found[name] = found.get(name, 0.0) + weight / 2
        found[self.names[self._asks[node]]] = self._difference(first, last)
        return found

    def nearest(
        self,
        node: int,
        case: Mapping[str, Value],
        free: Mapping[str, Sequence[Value]],
        wanted: Callable[[Value], bool],
    ) -> list[dict[str, Value]]:
        """The fewest changes of a case after which the function says something that is wanted.

        `free`: the values that a variable may be given instead of its own; one that is not named
        stays. Every way that is as small as the smallest, in the order of the variables, up to
        `MOST_WAYS`; none if nothing helps. A way leads through the diagram: following the case
        costs nothing, leaving it one.
        """
        here = {p: self.values[p].index(case[name]) for p, name in enumerate(self.names)}
        others = {
            self.places[name]: [self.values[self.places[name]].index(v) for v in values]
            for name, values in free.items()
        }

        @cache
        def cost(node: int) -> float:
            place = self._asks[node]
            if place == len(self.names):
                return 0 if wanted(self._leads[node]) else inf
            return min(
                cost(self._leads[node][here[place]]),
                *(1 + cost(self._leads[node][v]) for v in others.get(place, ())),
                inf,
            )

        def ways(node: int, left: float) -> Iterator[dict[str, Value]]:
            place = self._asks[node]
            if place == len(self.names):
                yield {}
                return
            leads = self._leads[node]
            if cost(leads[here[place]]) == left:
                yield from ways(leads[here[place]], left)
            for value in others.get(place, ()):
                if value != here[place] and 1 + cost(leads[value]) == left:
                    change = {self.names[place]: self.values[place][value]}
                    yield from ({**change, **rest} for rest in ways(leads[value], left - 1))

        return [] if cost(node) == inf else [*islice(ways(node, cost(node)), MOST_WAYS)]

    def possible(self, case: Mapping[str, Value], *nodes: int) -> set[tuple[Value, ...]]:
        """All that these functions can say together where some variables have these values."""
        fixed = {self.places[n]: self.values[self.places[n]].index(v) for n, v in case.items()}

        @cache
        def said(*nodes: int) -> frozenset[tuple[Value, ...]]:
            place = min(self._asks[node] for node in nodes)
            if place == len(self.names):
                return frozenset({tuple(self._leads[node] for node in nodes)})
            values = [fixed[place]] if place in fixed else range(len(self.values[place]))
            each = (said(*(self._at(node, place, value) for node in nodes)) for value in values)
            return frozenset().union(*each)

        return set(said(*nodes))

    def whatever(self, node: int, names: Iterable[str]) -> int:
        """The function that is true where this one is, whatever values these variables have."""
        for name in names:
            place = self.places[name]
            each = [self.limited(node, {place: [v]}) for v in range(len(self.values[place]))]
            node = self.apply(_all, *each)
        return node

    def _difference(self, one: int, other: int) -> float:
        """In what share of cases two functions differ."""
        if one == other:
            return 0.0
        pair = (min(one, other), max(one, other))
        if pair not in self._differ:
            self._differ[pair] = self._difference_of(*pair)
        return self._differ[pair]

    def _difference_of(self, one: int, other: int) -> float:
        place = min(self._asks[one], self._asks[other])
        if place == len(self.names):
            return 1.0
        last = len(self.values[place]) - 1
        first, second = (
            self._difference(self._at(one, place, end), self._at(other, place, end))
            for end in (0, last)
        )
        return (first + second) / 2

    def _ends(self, node: int) -> tuple[int, int]:
        leads = self._leads[node]
        return leads[0], leads[-1]

    # --- nodes ------------------------------------------------------------------------------------

    def _at(self, node: int, place: int, value: int) -> int:
        to: int = self._leads[node][value] if self._asks[node] == place else node
        return to

    def _ask(self, place: int, leads: tuple[int, ...]) -> int:
        if leads.count(leads[0]) == len(leads):
            return leads[0]
        below = reduce(or_, [self._below[to] for to in leads], 1 << place)
        return self._node(place, leads, below)

    def _node(self, place: int, leads: Any, below: int) -> int:
        key = (place, leads, type(leads))
        if key not in self._known:
            self._known[key] = len(self._asks)
            self._asks.append(place)
            self._leads.append(leads)
            self._below.append(below)
        return self._known[key]


def _all(*each: bool) -> bool:
    return all(each)
