"""When the client feed's word on where a child lives is a task. Pure."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.routing.domain.clients import ClientRow, county_tasks, is_newer, row_of
from services.routing.domain.tasks import (
    CLOSED_BY_WHO_ASSESSES,
    FOR_SUPERVISORS,
    KIND_OF,
    TASKS,
)
from shared.events import Answer, ClientSignal
from tests.builders import NOON

CHILD = UUID(int=7)
ANSWERS = st.sampled_from(["yes", "no", "unknown"])


def said(version: int, lives_here: Answer = "unknown", *, moved: bool = False) -> ClientSignal:
    return ClientSignal(
        id=f"s-{version}", child=CHILD, received_at=NOON, source="cis-1", reference="A-1",
        version=version, lives_here=lives_here, moved=moved,
    )  # fmt: skip


def stands(*signals: ClientSignal) -> list[ClientRow]:
    """Every row that stood, the last one last."""
    rows: list[ClientRow] = []
    for signal in signals:
        before = rows[-1] if rows else None
        row = row_of(signal, before)
        if is_newer(row, before):
            rows.append(row)
    return rows


@given(st.lists(ANSWERS, min_size=1, max_size=12))
def test_there_is_a_task_for_each_time_that_no_begins_and_only_while_it_is_said(
    answers: list[Answer],
) -> None:
    rows = stands(*(said(version, answer) for version, answer in enumerate(answers)))

    begins = sum(
        answer == "no" and before != "no"
        for before, answer in zip(["unknown", *answers], answers, strict=False)
    )
    assert begins == len({row.county_task for row in rows} - {None})
    assert all((row.county_task is not None) == (row.lives_here == "no") for row in rows)


def test_the_same_state_gives_the_same_task_whenever_it_is_applied() -> None:
    assert row_of(said(3, "no")) == row_of(said(3, "no"))
    assert row_of(said(3, "no")).county_task != row_of(said(4, "no")).county_task


def test_a_task_is_about_the_child_of_its_reference_and_says_why() -> None:
    (task,) = county_tasks(stands(said(1, "yes"), said(2, "no"))[-1:])

    assert (task.child, task.reason, task.kind) == (CHILD, "moved-out", "transfer")
    assert [] == county_tasks(stands(said(1, "no"), said(2, moved=True))[-1:])


def test_every_task_has_one_kind_and_some_are_closed_by_who_assesses_or_supervises() -> None:
    kinds = {"separated", "transfer", "unanswered", "look", "too_light"}
    assert TASKS == kinds == set(KIND_OF.values())
    assert {"separated"} == CLOSED_BY_WHO_ASSESSES
    assert {"unanswered", "look", "too_light"} == FOR_SUPERVISORS
