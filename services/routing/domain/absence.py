"""A school's absence signal at routing (design 11). Pure.

It never becomes a notification by itself: the duty desk judges urgency only where another concern
is stated. What the school has yet to do is shown to a person until they say that it is a matter or
none.
"""

from shared.events import CodedAbsence, CodedFacts, Signal

ABSENCE_ITSELF = frozenset({"LOCAL-REASON-SCHOOL"})
_URGENCY = (
    "in_danger", "assault_suspected", "alone_guardians_unreachable", "judged_urgent_by_authority",
)  # fmt: skip


def states_concern(facts: CodedFacts) -> bool:
    """Whether something else than the absence is stated: a sign of urgency, another reason."""
    signs = any(getattr(facts, name) == "yes" for name in _URGENCY)
    return signs or bool(set(facts.reasons) - ABSENCE_ITSELF)


def asks_urgency(signal: Signal) -> bool:
    """Whether a person must judge at once if it is urgent: always, but for an absence alone."""
    return signal.kind != "absence" or states_concern(signal.facts)


def is_returned(signal: Signal) -> bool:
    """Whether the school has been told that something is missing."""
    return signal.kind == "absence" and bool(signal.missing)


def counts_at_once(signal: Signal) -> bool:
    """Whether what is stated is screened now; what was returned waits unless it is a concern."""
    return not is_returned(signal) or asks_urgency(signal)


def as_matter(facts: CodedFacts) -> CodedFacts:
    """What is stated once a person treats a returned signal as a matter: as if it were complete."""
    absence = (facts.absence or CodedAbsence()).model_copy(update={"confirmed": "yes"})
    return facts.model_copy(update={"absence": absence})
