"""What a notification states is kept with it, so that it can be left out or counted again."""

from datetime import UTC, datetime
from typing import get_args
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.cases import Case, Changes, receive
from shared.events import Answer, CodedAbsence, CodedFacts, ReasonCode, Signal
from tests.builders import routing_rules

ANSWERS = st.sampled_from(get_args(Answer))
STATED = st.builds(
    CodedFacts,
    in_danger=ANSWERS,
    is_client=ANSWERS,
    psychiatry_asks=ANSWERS,
    last_year_of_band=ANSWERS,
    knowledge=st.sampled_from(("first_hand", "second_hand", "unknown")),
    reasons=st.lists(st.sampled_from(get_args(ReasonCode)), max_size=3).map(tuple),
    said_by=st.sampled_from((None, "police", "private")),
    absence=st.none()
    | st.builds(CodedAbsence, confirmed=ANSWERS, health=ANSWERS, step_reached=ANSWERS),
)
CHILD, NOON = UUID(int=7), datetime(2026, 11, 30, 10, tzinfo=UTC)
SEALED = "s1." + "0" * 32 + ".x"
RULES = routing_rules()


@given(STATED)
def test_what_is_stated_is_kept_whole_and_nothing_that_is_not(stated: CodedFacts) -> None:
    case = Case(CHILD, "K-0000-0000", "7-12", False, NOON, NOON)  # noqa: FBT003
    changes = Changes({CHILD: case})
    signal = Signal(
        id=f"{CHILD}.0", child=CHILD, receipt_id=CHILD, index=0, children=1, received_at=NOON,
        provisional=False, age_band="7-12", facts=stated, person=SEALED, text=SEALED,
    )  # fmt: skip

    receive(changes, case, signal, RULES, NOON)

    assert changes.notifications[-1].facts == stated.model_dump_json(exclude_defaults=True)
