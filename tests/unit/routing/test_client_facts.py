"""What the client information system tells of a child, as facts of the screen."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.routing.domain.clients import NOTHING_SAID, ClientRow, of_client
from services.routing.domain.facts import Moves
from shared.events import Answer, Clientship

CHILD = UUID(int=1)


def a_row(
    reference: str = "A",
    *,
    worker: str | None = None,
    moves: int | None = None,
    clientship: Clientship = "child_protection",
    moved: bool = False,
) -> ClientRow:
    return ClientRow(
        CHILD, "cis", reference, 1, moved, clientship, None, worker, "unknown", moves, None,
        "unknown", "unknown", datetime(2026, 11, 17, tzinfo=UTC), f"{reference}.1", "unknown", None,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], "unknown"),
        ([a_row(worker="sosse")], "yes"),
        ([a_row()], "unknown"),
        ([a_row(clientship="none"), a_row("B", clientship="ended")], "no"),
        ([a_row(clientship="unknown")], "unknown"),
        ([a_row(clientship="ended"), a_row("B", worker="sosse")], "yes"),
        ([a_row(worker="sosse", moved=True)], "unknown"),
    ],
    ids=str,
)
def test_a_responsible_worker_is_known_where_one_is_named(
    rows: list[ClientRow], expected: Answer
) -> None:
    assert expected == of_client(rows).has_worker


@pytest.mark.parametrize(
    ("moves", "expected"), [([None], "unknown"), ([0], "0"), ([2, 1], "2"), ([None, 7], "3")]
)
def test_of_several_references_that_counts_which_tells_of_the_most_moves(
    moves: list[int | None], expected: Moves
) -> None:
    rows = [a_row(f"{place}", moves=each) for place, each in enumerate(moves)]

    assert expected == of_client(rows).moves


def test_of_whom_no_reference_stands_nothing_is_known() -> None:
    assert NOTHING_SAID == of_client([a_row(worker="sosse", moves=3, moved=True)])
