"""Whatever may be known of a child, for tests that try anything."""

from typing import get_args

from hypothesis import strategies as st

from services.routing.domain.facts import COUNTS, Known
from shared.events import Answer

STATED = tuple(name for name in Known._fields if name not in COUNTS)
"""The fields that are answers."""


def any_known(most: int = 5) -> st.SearchStrategy[Known]:
    """Any answers, and numbers up to `most`."""
    answers = st.sampled_from(get_args(Answer))
    return st.builds(
        Known,
        **{
            **dict.fromkeys(STATED, answers),
            **dict.fromkeys(COUNTS, st.integers(0, most)),
        },
    )
