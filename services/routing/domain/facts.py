"""What is known of a child's situation, in codes, and the facts the rule tables read.

The areas are those of domain.md 3.4 (our own statements, not THL's OT-seula). A notifier can say
that an area is of concern; silence about an area leaves it unknown and never makes it "no".
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import attrgetter, itemgetter
from typing import Any, Literal, NamedTuple, get_args

import orjson

from services.routing.domain.ages import CLINICS, Clinics
from shared.events import AgeBand, Answer, CodedAbsence, CodedFacts, ReasonCode

Facts = Mapping[str, str | int]
UrgencyState = Literal["open", "urgent", "not_urgent", "not_asked"]
"""The check that stands; *not asked*: nobody has notified, only schools' signals have come."""
Moves = Literal["unknown", "0", "1", "2", "3"]
"""How often a child has moved between placements; *3* is three times or more. More is more concern,
and "unknown" lies between none and the most: from which number on it is often, a county says.
"""
MOVES: tuple[Moves, ...] = get_args(Moves)


class Known(NamedTuple):
    """Everything stated about one child so far. A7 is not here: it is derived."""

    a1: Answer = "unknown"  # terveys: health
    a2: Answer = "unknown"  # mielenterveys: mental health
    a3: Answer = "unknown"  # neuropsykiatriset haasteet
    a4: Answer = "unknown"  # päihteet ja riippuvuudet: substances and addictions
    a5: Answer = "unknown"  # sosiaalinen toiminta ja koulunkäynti: daily life and school
    a6: Answer = "unknown"  # turvallisuus: safety
    a8: Answer = "unknown"  # vanhemmuus: parenting
    a9: Answer = "unknown"  # asianosaisten yhteistyö: cooperation of those involved
    a10: Answer = "unknown"  # palvelujärjestelmän toiminta: services
    in_danger: Answer = "unknown"
    assault_suspected: Answer = "unknown"
    alone_guardians_unreachable: Answer = "unknown"
    judged_urgent_by_authority: Answer = "unknown"
    self_harm: Answer = "unknown"
    own_substance_use: Answer = "unknown"
    own_addiction: Answer = "unknown"
    custody_dispute: Answer = "unknown"
    rare_domain: Answer = "unknown"
    is_client: Answer = "unknown"
    psychiatry_asks: Answer = "unknown"
    absence_confirmed: Answer = "unknown"
    absence_health: Answer = "unknown"
    last_year_of_band: Answer = "unknown"  # of its age band; "no" tells more than "yes"
    placed: Answer = "unknown"  # away from home, as the client information system says
    placed_urgently: Answer = "unknown"
    placement_planned: Answer = "unknown"  # away from home, as a worker says
    support_tried: Answer = "unknown"  # without enough effect
    referral_returned: Answer = "unknown"  # by a service, or refused
    consent: Answer = "unknown"  # the family agrees to planning together with other services
    absence_step: Answer = "unknown"  # a step of the education provider's rules was reached
    has_worker: Answer = "unknown"  # a responsible worker of its own
    moves: Moves = "unknown"  # between placements in 12 months
    notifications: int = 0
    siblings: int = 0  # other children of the household somebody has notified of
    signals: int = 0  # messages about it or its household in a year (windows.counted)
    sources: int = 0  # from how many sources they came
    sources_3: int = 0  # from how many in three months

    def to_json(self) -> str:
        """What is known, and nothing of what is not: most is unknown of most children."""
        told = zip(self._fields, self, NOTHING_KNOWN, strict=True)
        return orjson.dumps({name: said for name, said, not_ in told if said != not_}).decode()

    @classmethod
    def from_json(cls, text: str) -> "Known":
        """Read what `to_json` wrote; what is not there is unknown. Once it named the unknown, too.

        Raises ValueError for a field or value this version does not know: dropping one would
        lose what somebody stated.
        """
        stored = orjson.loads(text)
        if not isinstance(stored, dict):
            raise ValueError("known facts are a JSON object")  # noqa: TRY004 -- of bad content
        for name, value in stored.items():
            count = name in COUNTS
            said = MOVES if name == "moves" else _ANSWERS
            fits = type(value) is int and value >= 0 if count else str(value) in said
            if name not in cls._fields or not fits:
                raise ValueError(f"known facts: {name} is not understood")
        return cls(**stored)


COUNTS = ("notifications", "siblings", "signals", "sources", "sources_3")
"""The fields of `Known` that are numbers."""
ANSWER_FIELDS = tuple(name for name in Known._fields if name not in (*COUNTS, "moves"))
"""Those that are answers."""
NOTHING_KNOWN = Known()
_PLACE = {name: place for place, name in enumerate(Known._fields)}
_NOTIFICATIONS = _PLACE["notifications"]

_ANSWERS = frozenset[str](get_args(Answer))
_STATED = (
    "in_danger",
    "assault_suspected",
    "alone_guardians_unreachable",
    "judged_urgent_by_authority",
    "is_client",
    "psychiatry_asks",
    "last_year_of_band",
)
_what_states = attrgetter("absence", "reasons", *_STATED)

# What each reason states (own construction; domain.md 3.4). A3 gives no psychiatric flag alone,
# its flag there is weak; a guardian's substance use is of A4 but not the child's own.
REASON_STATES: Mapping[ReasonCode, tuple[str, ...]] = {
    "LOCAL-REASON-NEGLECT": ("a8",),
    "LOCAL-REASON-ABANDONMENT": ("a6", "a8"),
    "LOCAL-REASON-ASSAULT": ("a6", "assault_suspected"),
    "LOCAL-REASON-SEXUAL-ABUSE": ("a6", "assault_suspected"),
    "LOCAL-REASON-THREAT": ("a6",),
    "LOCAL-REASON-GUARDIAN-SUBSTANCE": ("a4",),
    "LOCAL-REASON-GUARDIAN-MENTAL-HEALTH": ("a8",),
    "LOCAL-REASON-GUARDIAN-EXHAUSTION": ("a8",),
    "LOCAL-REASON-CUSTODY-DISPUTE": ("a9", "custody_dispute"),
    "LOCAL-REASON-CHILD-SUBSTANCE": ("a4", "own_substance_use", "own_addiction"),
    "LOCAL-REASON-CHILD-ADDICTION": ("a4", "own_addiction"),
    "LOCAL-REASON-CHILD-MENTAL-HEALTH": ("a2",),
    "LOCAL-REASON-SELF-HARM": ("a2", "self_harm"),
    "LOCAL-REASON-CHILD-CRIME": ("a5",),
    "LOCAL-REASON-RUNAWAY": ("a6",),
    "LOCAL-REASON-NEUROPSYCHIATRIC": ("a3",),
    "LOCAL-REASON-ILLNESS": ("a1",),
    "LOCAL-REASON-SCHOOL": ("a5",),
    "LOCAL-REASON-INTERACTION": ("a8",),
    "LOCAL-REASON-SUPPORT-WITHOUT-EFFECT": ("a10", "support_tried"),
    "LOCAL-REASON-RESPONSIBILITY": ("a8",),
    "LOCAL-REASON-POOR-FINANCES": (),  # none of the ten areas; a person reads it
}
# A "yes" to one of these is itself a concern about safety.
_UNSAFE = ("in_danger", "assault_suspected", "alone_guardians_unreachable")


def learn(known: Known, facts: CodedFacts) -> Known:
    """Add what one more notification states; a school's absence signal is none and counts as none.

    An explicit answer replaces unknown, "yes" stands whatever a later notifier says or leaves
    out, silence teaches nothing. So the order in which notifications come does not matter.
    """
    absence, reasons, *answers = _what_states(facts)
    yes, no = _states(absence, reasons, tuple(answers))
    learned: list[Any] = list(known)
    learned[_NOTIFICATIONS] += absence is None
    for place in no:
        if learned[place] == "unknown":
            learned[place] = "no"
    for place in yes:
        learned[place] = "yes"
    return Known._make(learned)


@lru_cache(maxsize=20_000)
def _states(
    absence: CodedAbsence | None, reasons: tuple[ReasonCode, ...], answers: tuple[Answer, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The places in `Known` that are "yes" once this is stated; those that are stated to be "no".

    `answers`: those of `_STATED`.
    """
    stated = list(zip(_STATED, answers, strict=True))
    if absence:
        stated += [("absence_confirmed", absence.confirmed), ("absence_health", absence.health)]
    yes = [name for name, answer in stated if answer == "yes"]
    yes += [name for reason in reasons for name in REASON_STATES[reason]]
    if not set(_UNSAFE).isdisjoint(yes):
        yes.append("a6")
    if absence and absence.step_reached == "yes":
        yes += ["a5", "absence_step"]
    no = [name for name, answer in stated if answer == "no"]
    return tuple(_PLACE[name] for name in dict.fromkeys(yes)), tuple(_PLACE[name] for name in no)


def known_of(stated: Iterable[CodedFacts]) -> Known:
    """What all these notifications state together."""
    known = NOTHING_KNOWN
    for facts in stated:
        known = learn(known, facts)
    return known


class Told(NamedTuple):
    """What a notification states, when it was received, and by which system it was sent."""

    at: datetime
    facts: CodedFacts
    source: str = ""


class Answered(NamedTuple):
    """What a worker was told in answer to questions (fields of `Known`), and when."""

    at: datetime
    answers: Mapping[str, Answer]


def known_when(told: Iterable[Told], answered: Iterable[Answered]) -> Known:
    """What notifications and answers state together, in the order of their times.

    The latest answer that a worker was given stands until a later notification says "yes"; of two
    statements of one time the more concerning stands. An answer "unknown" states nothing.

    A notifier's "no" takes back no "yes" that another notifier said: it tells what this one has not
    seen. Only a worker's answer, or the source's own correction, makes a child lighter. So it is of
    what measures no concern, too (clientship, absence for reasons of health): messages are counted
    as they come, in whatever order.
    """
    given = _at_each_time(answered)
    if not given:
        return known_of(each.facts for each in told)
    known, waiting = NOTHING_KNOWN, sorted(told, key=lambda each: each.at)
    for answer in given:
        while waiting and waiting[0].at < answer.at:
            known = learn(known, waiting.pop(0).facts)
        known = with_answers(known, answer.answers)
    for each in waiting:
        known = learn(known, each.facts)
    return known


def _at_each_time(answered: Iterable[Answered]) -> list[Answered]:
    """What was answered, by its times; "yes" before what else was answered at the same time."""
    found: dict[datetime, dict[str, Answer]] = {}
    for each in sorted(answered, key=lambda each: each.at):
        said = found.setdefault(each.at, {})
        for name, answer in each.answers.items():
            if answer == "yes" or said.get(name, "unknown") == "unknown":
                said[name] = answer
    return [Answered(at, said) for at, said in found.items()]


def with_answers(known: Known, answers: Mapping[str, Answer]) -> Known:
    """What is known once a worker has been given these answers."""
    said: dict[str, Any] = {name: a for name, a in answers.items() if a != "unknown"}
    return known._replace(**said)


Direction = Literal["rising", "falling", "fixed", "either"]
"""How a column moves as what is stated grows more concerning: never down, never up, not at all
(it is no measure of concern, nor derived from one), or either way (nothing may hang on it)."""


class Column(NamedTuple):
    """The values a fact can have, in their order, and how they move as concern grows."""

    values: tuple[str | int, ...]
    direction: Direction

    @property
    def neutral(self) -> str | int:
        """The value of an example that does not name the column: the one of least concern."""
        return self.values[-1 if self.direction == "falling" else 0]


_ANSWER = Column(("no", "unknown", "yes"), "rising")
_AREAS = ("a1", "a2", "a3", "a4", "a5", "a6", "a8", "a9", "a10")
_BESIDES_A10 = tuple(area for area in _AREAS if area != "a10")
_SEVERAL, _MANY = 2, 3  # areas; as many areas or notifications make problems pile up (A7)
_SIBLINGS = 2  # children of one household somebody has notified of, this one included, do so, too
MOST_SIGNALS, MOST_SOURCES = 5, 3  # no further is counted what came in a year (windows.py)

COLUMNS: Mapping[str, Column] = {
    **dict.fromkeys((*_AREAS, "a7"), _ANSWER),
    "areas_of_concern": Column(tuple(range(len(_AREAS) + 1)), "rising"),
    "areas_besides_a10": Column(tuple(range(len(_AREAS))), "rising"),
    # As of one moment, one more message never makes them fewer (windows.py).
    "signals_12_months": Column(tuple(range(MOST_SIGNALS + 1)), "rising"),
    "sources_12_months": Column(tuple(range(MOST_SOURCES + 1)), "rising"),
    "sources_3_months": Column(tuple(range(MOST_SOURCES + 1)), "rising"),
    "radar": Column(("no", "yes"), "rising"),
    # An answer "no" raised to unknown makes it grow, unknown raised to "yes" makes it fall.
    "areas_unknown": Column(tuple(range(len(_AREAS) + 1)), "either"),
    "unknown_besides_a10": Column(tuple(range(len(_AREAS))), "either"),
    **dict.fromkeys(
        (
            "in_danger",
            "assault_suspected",
            "alone_guardians_unreachable",
            "judged_urgent_by_authority",
            "self_harm",
            "own_substance_use",
            "psych",
            "safety",
            "addiction",
            "custody_dispute",
            "rare_domain",
            "psychiatry_asks",
            "absence_confirmed",
            "absence_step_reached",
            "support_tried",
            "referral_returned",
            "moved_between_placements",
            "several_areas",
            "many_areas_besides_a10",
        ),
        _ANSWER,
    ),
    # Which of the reasons for an absence it is, is no measure of concern.
    "absence_health": Column(("no", "unknown", "yes"), "fixed"),
    # Being a client, being placed or to be placed, one's age, what the family agrees to, what the
    # county has room for and what a person answered are no measures of concern.
    **dict.fromkeys(
        (
            "existing_client",
            "has_worker",
            "placed",
            "placed_urgently",
            "placement_planned",
            "consent",
            "expert_group_full",
            "psychiatry_full",
        ),
        Column(("no", "unknown", "yes"), "fixed"),
    ),
    "age_band": Column(get_args(AgeBand), "fixed"),
    "psychiatry_clinic": Column(CLINICS, "fixed"),
    "urgency": Column(get_args(UrgencyState), "fixed"),
}


@dataclass(frozen=True, slots=True)
class HowMany:
    """How many of some columns have this value."""

    value: Answer

    def __call__(self, *answers: Answer) -> int:
        return answers.count(self.value)


@dataclass(frozen=True, slots=True)
class UpTo:
    """A number, counted no further than to `most`."""

    most: int

    def __call__(self, number: int) -> int:
        return min(number, self.most)


@dataclass(frozen=True, slots=True)
class From:
    """Whether something is so from a number on; what is unknown could still add to the number."""

    least: int

    def __call__(self, number: int, unknown: int) -> Answer:
        if number >= self.least:
            return "yes"
        return "unknown" if number + unknown >= self.least else "no"


@dataclass(frozen=True, slots=True)
class KeepsComing:
    """So many messages from so many sources in twelve months (the radar); never unknown."""

    signals: int = 3
    sources: int = 2

    def __call__(self, signals: int, sources: int) -> Answer:
        return "yes" if signals >= self.signals and sources >= self.sources else "no"


@dataclass(frozen=True, slots=True)
class MovedOften:
    """From how many moves between placements on they are often."""

    least: int = 2

    def __call__(self, moves: Moves) -> Answer:
        if moves == "unknown":
            return "unknown"
        return "yes" if int(moves) >= self.least else "no"


@dataclass(frozen=True, slots=True)
class Stands:
    """Something that the county's settings say, whoever the child is."""

    answer: Answer = "unknown"

    def __call__(self) -> Answer:
        return self.answer


class Made(NamedTuple):
    """A column from other columns and fields of `Known`, whose own name means its field."""

    of: tuple[str, ...]
    by: Callable[..., str | int]


def _itself(said: str) -> str:
    return said


def _with_signs(area: Answer, *signs: Answer) -> Answer:
    """An area is of concern where one of its own signs is, whatever else was said of it."""
    return "yes" if "yes" in signs else area


def _any(*answers: Answer) -> Answer:
    if "yes" in answers:
        return "yes"
    return "unknown" if "unknown" in answers else "no"


def _both(one: Answer, other: Answer) -> Answer:
    if "no" in (one, other):
        return "no"
    return "unknown" if "unknown" in (one, other) else "yes"


def _rare(stated: Answer, dispute: Answer, safety: Answer) -> Answer:
    """A custody dispute with violence or a threat is one of the rare, most demanding matters."""
    return _any(stated, _both(dispute, safety))


@dataclass(frozen=True, slots=True)
class PilesUp:
    """From how many of each on problems pile up (A7); `children`: of one household, notified of."""

    areas: int = _MANY
    notifications: int = _MANY
    children: int = _SIBLINGS

    def __call__(self, areas: int, notifications: int, siblings: int) -> Answer:
        """Nobody knows of all siblings, so never "no"."""
        many = areas >= self.areas or notifications >= self.notifications
        return "yes" if many or siblings + 1 >= self.children else "unknown"


MADE: Mapping[str, Made] = {
    **{
        name: Made((name,), _itself)
        for name in (
            "a1", "a3", "a8", *_UNSAFE, "judged_urgent_by_authority", "self_harm",
            "own_substance_use", "custody_dispute", "psychiatry_asks", "absence_confirmed",
            "absence_health", "placed", "placed_urgently", "placement_planned", "support_tried",
            "referral_returned", "consent", "has_worker", "age_band", "urgency",
        )
    },
    "a2": Made(("a2", "self_harm"), _with_signs),
    "a4": Made(("a4", "own_substance_use", "own_addiction"), _with_signs),
    "a5": Made(("a5", "absence_step"), _with_signs),
    "a6": Made(("a6", *_UNSAFE), _with_signs),
    "a9": Made(("a9", "custody_dispute"), _with_signs),
    "a10": Made(("a10", "support_tried", "referral_returned"), _with_signs),
    "areas_of_concern": Made(_AREAS, HowMany("yes")),
    "areas_besides_a10": Made(_BESIDES_A10, HowMany("yes")),
    "unknown_besides_a10": Made(_BESIDES_A10, HowMany("unknown")),
    "areas_unknown": Made(_AREAS, HowMany("unknown")),
    "a7": Made(("areas_of_concern", "notifications", "siblings"), PilesUp()),
    "several_areas": Made(("areas_of_concern", "areas_unknown"), From(_SEVERAL)),
    "many_areas_besides_a10": Made(("areas_besides_a10", "unknown_besides_a10"), From(_MANY)),
    "signals_12_months": Made(("signals",), UpTo(MOST_SIGNALS)),
    "sources_12_months": Made(("sources",), UpTo(MOST_SOURCES)),
    "sources_3_months": Made(("sources_3",), UpTo(MOST_SOURCES)),
    "radar": Made(("signals_12_months", "sources_12_months"), KeepsComing()),
    "absence_step_reached": Made(("absence_step",), _itself),
    "moved_between_placements": Made(("moves",), MovedOften()),
    "expert_group_full": Made((), Stands()),
    "psychiatry_full": Made((), Stands()),
    "psych": Made(("a2", "own_substance_use"), _any),
    "safety": Made(("a6", *_UNSAFE), _any),
    "addiction": Made(("own_addiction",), _itself),
    "rare_domain": Made(("rare_domain", "custody_dispute", "safety"), _rare),
    "existing_client": Made(("is_client",), _itself),
    "psychiatry_clinic": Made(("age_band", "last_year_of_band"), Clinics()),
}  # fmt: skip
"""Where each column comes from: what `derive` computes, what `Questions` turns into diagrams, and
what the proof of irrelevance follows (`flow.py`). In an order in which each stands behind its own.
"""


CAME_WITH: Mapping[str, str] = {
    "support_tried": "support_tried",
    "referral_returned": "referral_returned",
    "absence_step": "absence_step_reached",
}
"""Signs that are younger than the area they are of, and the column that came with each: stored
facts without it could not speak of them."""

CAME_UNSAID = frozenset({"placement_planned"})
"""Columns that came with the field they are of: while facts were stored without them nobody could
state it, so that it was unknown for certain."""

_MOST_REMEMBERED = 20_000

Computed = Sequence[tuple[str, Callable[..., str | int], Callable[[Sequence[Any]], Sequence[Any]]]]
"""Columns that are no field itself, each with what takes its parts from a list (`compiled`)."""


def compiled(made: Mapping[str, Made]) -> Computed:
    """What `derive` computes. In its list the fields come first, then columns as computed."""
    places = {name: place for place, name in enumerate(_STATED_OF)}
    computed, columns = [], dict[str, int]()
    for name, (of, by) in made.items():
        if name not in _AS_STATED:
            parts = [columns[e] if e != name and e in columns else places[e] for e in of]
            remembering = lru_cache(maxsize=_MOST_REMEMBERED)(by)  # a column has few values
            computed.append((name, remembering, _taking(parts)))
            columns[name] = len(places) + len(columns)
    return computed


def _taking(places: Sequence[int]) -> Callable[[Sequence[Any]], Sequence[Any]]:
    if not places:
        return lambda _said: ()
    take = itemgetter(*places)
    return take if len(places) > 1 else lambda said: (take(said),)


_STATED_OF = (*Known._fields, "age_band", "urgency")
_AS_STATED = tuple(name for name, made in MADE.items() if made.of == (name,))
_as_stated = itemgetter(*(_STATED_OF.index(name) for name in _AS_STATED))
_COMPUTED = compiled(MADE)


def derive(
    known: Known, *, age_band: AgeBand, urgency: UrgencyState, computed: Computed = _COMPUTED
) -> Facts:
    """Every column of `COLUMNS` for this child; `urgency` is the state of the open check.

    `computed`: the columns as the county's settings make them (`county.derive_in`).
    """
    said: list[Any] = [*known, age_band, urgency]
    facts: dict[str, str | int] = dict(zip(_AS_STATED, _as_stated(said), strict=True))
    for name, by, of in computed:
        facts[name] = value = by(*of(said))
        said.append(value)
    return facts


def fields_of(column: str) -> frozenset[str]:
    """The fields of `Known`, with `age_band` and `urgency`, that a column comes from."""
    found: set[str] = set()
    for source in MADE[column].of:
        found |= fields_of(source) if source != column and source in MADE else {source}
    return frozenset(found)


QUESTIONS: tuple[str, ...] = (
    *_UNSAFE, "judged_urgent_by_authority", "self_harm", "own_substance_use", "own_addiction",
    "custody_dispute", *_AREAS, "rare_domain", "is_client", "consent",
)  # fmt: skip
"""The fields of `Known` that somebody can be asked about, in the order of the form. What else
there is, Luotsi knows by itself: whether psychiatry has asked, whether a school has confirmed.
"""
STATED_BESIDES: tuple[str, ...] = ("support_tried", "referral_returned", "placement_planned")
"""What a worker can be told, or know, though nobody is asked. The question about A10 covers the
first two: asking for each by itself took two answers more until a decision was final. That a
placement is planned, the worker who plans it knows."""
NOT_YET: Mapping[AgeBand, frozenset[str]] = {
    "unborn": frozenset(
        {
            "alone_guardians_unreachable", "self_harm", "own_substance_use", "own_addiction",
            "a2", "a3", "a5", "custody_dispute",
        }
    ),
}  # fmt: skip
"""What cannot be so of a child of that age, so that nobody is asked (own construction)."""
COUNTED: Mapping[str, int] = {
    "notifications": _MANY, "siblings": _SIBLINGS - 1,
    "signals": MOST_SIGNALS, "sources": MOST_SOURCES, "sources_3": MOST_SOURCES,
}  # fmt: skip
"""Fields that are numbers, and from which number on they make no difference."""
