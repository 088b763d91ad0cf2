"""Whatever may be known of a child, for tests that try anything."""

from typing import get_args

from hypothesis import strategies as st

from services.routing.domain.facts import ANSWER_FIELDS, COUNTS, MOVES, Known
from shared.events import Answer


def any_known(most: int = 5) -> st.SearchStrategy[Known]:
    """Any answers, and numbers up to `most`."""
    answers = st.sampled_from(get_args(Answer))
    return st.builds(
        Known,
        **{
            **dict.fromkeys(ANSWER_FIELDS, answers),
            **dict.fromkeys(COUNTS, st.integers(0, most)),
            "moves": st.sampled_from(MOVES),
        },
    )
