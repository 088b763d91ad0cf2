"""Who said what of a child, area by area, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import orjson

from services.routing import store as routing
from services.routing.desk import store
from services.routing.desk import words as labels
from services.routing.desk.explanations import fact_name
from services.routing.desk.languages import Words
from services.routing.domain.clients import of_client
from services.routing.domain.facts import Answered
from services.routing.domain.statements import (
    OTHERS,
    Noted,
    Said,
    Statement,
    Written,
    by_area,
    statements_of,
)
from shared.database import Connection


@dataclass(frozen=True, slots=True)
class SaidView:
    """One statement. `by` is who said it in words, `worker` who wrote it down."""

    said: Said
    answer: str
    by: str
    hand: str
    counts: bool

    @property
    def at(self) -> datetime | None:
        """When it was received, or told to a worker."""
        return self.said.at


@dataclass(frozen=True, slots=True)
class StatementView:
    """All that was said of one thing; `name` is empty where the area itself is meant."""

    field: str
    name: str
    answer: str
    code: str
    disputed: bool
    said: tuple[SaidView, ...]


@dataclass(frozen=True, slots=True)
class AreaView:
    """An area with what stands of it; statements that belong to none have no answer."""

    area: str
    name: str
    answer: str
    code: str
    statements: tuple[StatementView, ...]


async def read_areas(
    conn: Connection, children: Sequence[UUID], facts: Mapping[str, str | int], words: Words
) -> tuple[AreaView, ...]:
    """The ten areas of the case of these children, and what was stated besides.

    `facts` are those of the decision that stands. The reading must be noted before.
    """
    case = await routing.read_case(conn, children[0])
    if case is None:
        return ()
    kinds = {row["id"]: row["kind"] for row in await store.notifications(conn, children[0])}
    standing = (await routing.standing(conn, children[:1]))[children[0]]
    said = await routing.clients(conn, children)
    client = of_client(row for rows in said.values() for row in rows.values()).existing
    written = [Written(i, kinds.get(i, "notification"), told) for i, told in standing.items()]
    noted = [
        Noted(
            str(row["act"]), Answered(row["at"], orjson.loads(row["answers"])), row["told_by"],
            row["hand"], row["worker"],
        )
        for row in await store.answers(conn, children)
    ]  # fmt: skip
    areas = by_area(statements_of(written, noted, case.family, client))
    return tuple(
        _area(area, statements, str(facts.get(area, "unknown")), words)
        for area, statements in areas.items()
        if statements or area != OTHERS
    )


def _area(area: str, statements: Sequence[Statement], code: str, words: Words) -> AreaView:
    known = area != OTHERS
    return AreaView(
        area,
        fact_name(words, area) if known else words.text("Besides the areas"),
        words.of(labels.ANSWERS, code) if known else "",
        code if known else "",
        tuple(_statement(each, area, words) for each in statements),
    )


def _statement(statement: Statement, area: str, words: Words) -> StatementView:
    return StatementView(
        statement.name,
        "" if statement.name == area else fact_name(words, statement.name),
        words.of(labels.ANSWERS, statement.answer),
        statement.answer,
        statement.is_disputed,
        tuple(_said(each, each == statement.counts, words) for each in statement.said),
    )


def _said(said: Said, counts: bool, words: Words) -> SaidView:  # noqa: FBT001 -- of a view
    return SaidView(
        said, words.of(labels.ANSWERS, said.answer), _by(said, words),
        words.of(labels.ANSWERS, said.hand) if said.hand != "unknown" else "", counts,
    )  # fmt: skip


def _by(said: Said, words: Words) -> str:
    """Who said it: a kind of notifier, whoever told a worker, else the kind of message."""
    if said.by in labels.SAID_BY:
        return words.of(labels.SAID_BY, said.by)
    return words.of(labels.TOLD_BY, said.by) if said.by else words.of(labels.KINDS, said.kind)
