"""What a feed tells: who may send it, and what of it travels how. Pure."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from services.intake.domain.reading import kind_of
from services.intake.domain.refusals import NOT_YOUR_KIND, WRONG_TOPIC, Refusal
from shared.clients import ClientState
from shared.clock import HELSINKI
from shared.events import Answer, Message
from shared.kinds import FEEDS

Feeders = Mapping[str, frozenset[str]]  # kind of feed -> sources

MOVES_COUNT_FOR = timedelta(days=365)
CODED = {
    "arrived_at", "reference", "version", "clientship", "since", "responsible_worker", "placement",
    "household", "interpreter", "turvakielto", "lives_here",
}  # fmt: skip
"""Fields that need no place in the sealed card: they travel beside it."""


def not_theirs(feeders: Feeders, source: str, message: Message) -> Refusal | None:
    """Why this source may not send this message, if it may not."""
    kind = kind_of(message)
    if kind not in FEEDS or source in feeders.get(kind.name, ()):
        return None
    return NOT_YOUR_KIND


def not_here(topic: str, message: Message) -> Refusal | None:
    """Why this topic does not carry this message, if it does not.

    Who may write to a topic is Kafka's to decide; the source in the envelope is only a claim.
    """
    kind = kind_of(message)
    return WRONG_TOPIC if kind in FEEDS and kind.topic != topic else None


def protected(state: ClientState) -> Answer:
    """Whether the child's whereabouts must stay secret: a guardian's turvakielto is the child's.

    "no" only where nobody's is left unknown (law.md TUR-05).
    """
    said = [state.turvakielto, *(g.turvakielto for g in state.guardians or ())]
    if "yes" in said:
        return "yes"
    return "no" if state.guardians is not None and set(said) == {"no"} else "unknown"


def recent_moves(state: ClientState, received_at: datetime) -> int | None:
    """Moves in the twelve months before; None where the feed says nothing of moves."""
    if state.moves is None:
        return None
    today: date = received_at.astimezone(HELSINKI).date()
    return sum(today - MOVES_COUNT_FOR < move.on <= today for move in state.moves)


def card_of(state: ClientState) -> bytes:
    """Everything that names somebody or a place, as JSON."""
    return state.model_dump_json(exclude=CODED, exclude_none=True).encode()
