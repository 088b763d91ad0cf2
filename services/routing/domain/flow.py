"""How facts hang together: what each column is derived from, and what no column can contradict.

The data flow is declared here, for a person to read and for `rules check` to judge; a test perturbs
every input and sees that nothing flows elsewhere (ADR 12).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from services.routing.domain.facts import COLUMNS, MADE, Column, fields_of

IRRELEVANT = frozenset(
    "municipality name language nationality gender unit notifier address school".split()
)
"""What no rule may know (law.md RUL-03): words that no input of a column may have in its name."""


class Flow(NamedTuple):
    """From what is stated to the columns.

    `stated`: the inputs, as fields of `CodedFacts` and what the case adds; `household` is what its
    other children's messages state, `client` what the client information system does, `received_at`
    and `source` are when a message came and whether from another system than the others, whichever
    it is. `learned`: each field of `Known` and the inputs it is learned from. `derived`: each
    column and the fields or inputs it is derived from.
    """

    stated: frozenset[str]
    learned: Mapping[str, tuple[str, ...]]
    derived: Mapping[str, tuple[str, ...]]

    def inputs(self, column: str) -> frozenset[str]:
        """Everything stated that the column depends on, directly or through what was learned."""
        found: set[str] = set()
        for source in self.derived[column]:
            found.update(self.learned.get(source, (source,)))
        return frozenset(found)


class Always(NamedTuple):
    """Something that holds between columns of every child, because of how they are derived."""

    says: str
    columns: tuple[str, ...]
    holds: Callable[..., bool]


class Space(NamedTuple):
    """The columns that tables may read, with all that is declared about them."""

    columns: Mapping[str, Column]
    flow: Flow
    always: tuple[Always, ...]


_IN_ORDER = ("no", "unknown", "yes")
_AREAS = ("a1", "a2", "a3", "a4", "a5", "a6", "a8", "a9", "a10")
_UNSAFE = ("in_danger", "assault_suspected", "alone_guardians_unreachable")
_SAFETY = ("a6", *_UNSAFE)
FLOW = Flow(
    stated=frozenset(
        {
            *_UNSAFE, "judged_urgent_by_authority", "is_client", "psychiatry_asks", "reasons",
            "absence", "absence.confirmed", "absence.health", "absence.step_reached",
            "last_year_of_band",
            "age_band", "urgency", "household", "client", "received_at", "source",
        }
    ),
    learned={
        **dict.fromkeys(("a1", "a2", "a3", "a4", "a10", "support_tried"), ("reasons",)),
        **dict.fromkeys(("a8", "a9"), ("reasons", "household")),
        "a5": ("reasons", "absence.step_reached"),
        "a6": ("reasons", *_UNSAFE),
        "in_danger": ("in_danger",),
        "assault_suspected": ("assault_suspected", "reasons"),
        "alone_guardians_unreachable": ("alone_guardians_unreachable",),
        "judged_urgent_by_authority": ("judged_urgent_by_authority",),
        **dict.fromkeys(
            ("self_harm", "own_substance_use", "own_addiction", "custody_dispute"), ("reasons",)
        ),
        # Stated by a person at the desk, by no notification.
        **dict.fromkeys(("rare_domain", "referral_returned", "placement_planned", "consent"), ()),
        "is_client": ("is_client",),
        "psychiatry_asks": ("psychiatry_asks",),
        "absence_confirmed": ("absence.confirmed",),
        "absence_health": ("absence.health",),
        "absence_step": ("absence.step_reached",),
        "last_year_of_band": ("last_year_of_band",),
        **dict.fromkeys(("placed", "placed_urgently", "has_worker", "moves"), ("client",)),
        "notifications": ("absence",),
        "siblings": ("household",),
        "signals": ("received_at", "household"),
        **dict.fromkeys(("sources", "sources_3"), ("source", "received_at", "household")),
    },
    derived={name: tuple(sorted(fields_of(name))) for name in MADE},
)  # fmt: skip


def _at_least(one: str, other: str) -> Always:
    return Always(
        f"{one} is never less concerning than {other}",
        (one, other),
        lambda a, b: _IN_ORDER.index(a) >= _IN_ORDER.index(b),
    )


ALWAYS = (
    Always(
        "areas_of_concern counts a10 and the areas besides it",
        ("areas_of_concern", "areas_besides_a10", "a10"),
        lambda concern, besides, a10: concern == besides + (a10 == "yes"),
    ),
    Always(
        "an area is of concern or unknown, not both",
        ("areas_of_concern", "areas_unknown"),
        lambda concern, unknown: concern + unknown <= len(_AREAS),
    ),
    _at_least("psych", "a2"),
    _at_least("safety", "a6"),
    *(_at_least("safety", name) for name in _UNSAFE),
)
"""What the proofs may rely on: a table need not answer for a child that cannot be. A test sees that
`derive` keeps to it. Each line makes the proofs accept more, so there are few."""

SPACE = Space(COLUMNS, FLOW, ALWAYS)


def wrong_inputs(space: Space) -> Iterator[tuple[str, str, str]]:
    """Columns that depend on what they may not: the kind of fault, the column, the input."""
    for column in space.columns:
        if column not in space.flow.derived:
            yield "flow-undeclared", column, column
            continue
        for source in sorted(space.flow.inputs(column)):
            if IRRELEVANT & set(re.split(r"[._-]", source)):
                yield "flow-irrelevant", column, source
            elif source not in space.flow.stated:
                yield "flow-unknown", column, source
