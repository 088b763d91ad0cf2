"""A stored decision in a worker's words, made of its row and of the rule files of its day alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from services.routing.desk import store
from services.routing.desk import words as labels
from services.routing.desk.acts import Desk
from services.routing.desk.languages import N_, Words
from services.routing.domain.decision import Decision
from services.routing.domain.diagrams import Value
from services.routing.domain.explaining import Becomes, Explainer, Explanation, Matched, Otherwise
from services.routing.domain.facts import MADE, fields_of
from services.routing.domain.for_family import FamilyExplainer
from services.routing.domain.otherwise import Change, Way
from services.routing.domain.questions import Questions
from services.routing.domain.tables import Tables, TablesRefusedError, load_version
from services.routing.domain.tables.words import COLUMN_WORDS
from shared.database import Connection
from shared.logs import log

Stored = Mapping[str, Any]  # a row of `decision`


class Version(NamedTuple):
    """One version of the tables, ready to explain what it decided."""

    tables: Tables
    worker: Explainer
    family: FamilyExplainer


class Named(NamedTuple):
    """A column, or something stated, with what it is called."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class RowLine:
    """A row that hit; `reason` is empty where the rules of its day are no longer here."""

    table: str
    row: str
    reason: str
    basis: str
    facts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OtherLine:
    """Another decision, what it would have been, and the changes that each alone lead to it."""

    ways: tuple[Way, ...]
    texts: tuple[str, ...]
    more: int
    becomes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExplanationView:
    """A worker's version. `otherwise` is None where nothing can be said of other facts today."""

    child: UUID
    seq: int
    decided_at: datetime
    decision: Decision
    rows: tuple[RowLine, ...]
    unknown: tuple[Named, ...]
    besides: tuple[Named, ...]
    otherwise: tuple[OtherLine, ...] | None


async def read_standing(
    conn: Connection, desk: Desk, case: store.Row, words: Words
) -> ExplanationView | None:
    """The decision that a case stands on, explained. The reading must be noted before."""
    found = await store.decision(conn, [case["child"]], case["child"], case["decision_seq"])
    if found is None:
        return None
    row = dict(found)
    return explained(row, version_of(desk.settings.rules, row), words)


# --- the rules of its day -------------------------------------------------------------------------


def version_of(directory: Path, row: Stored) -> Version | None:
    """The rules that made a decision; None where they are no longer here as they were then."""
    version = _loaded(directory, row["rules"])
    return version if version and version.tables.content_hash == row["rules_hash"] else None


@lru_cache(maxsize=16)
def _loaded(directory: Path, version: str) -> Version | None:
    try:
        tables = load_version(directory, version)
    except (TablesRefusedError, ValueError) as error:
        log.warning("rules_not_there", error=error)
        return None
    questions = Questions(tables)
    return Version(tables, Explainer(tables, questions), FamilyExplainer(tables, questions))


def decision_of(row: Stored) -> Decision:
    """A decision as it was stored."""
    return Decision(
        tuple(row["urgent_flags"]), row["level"], row["holder"], tuple(row["destinations"]),
        tuple(row["rule_rows"]), orjson.loads(row["facts"]), row["rules"], row["rules_hash"],
    )  # fmt: skip


# --- in words -------------------------------------------------------------------------------------


def explained(row: Stored, version: Version | None, words: Words) -> ExplanationView:
    """A worker's version of a stored decision."""
    decision = decision_of(row)
    explanation = version.worker.explain(decision) if version else _without_rules(decision)
    others = explanation.otherwise
    return ExplanationView(
        row["child"], row["seq"], row["decided_at"], decision,
        tuple(_row_line(each, words) for each in explanation.matched),
        tuple(Named(name, fact_name(words, name)) for name in explanation.unknown),
        tuple(Named(name, fact_name(words, name)) for name in explanation.besides),
        None if others is None else tuple(_other_line(each, words) for each in others),
    )  # fmt: skip


def _without_rules(decision: Decision) -> Explanation:
    rows = [ref.partition("/") for ref in decision.rows]
    return Explanation(tuple(Matched(t, r, None, "") for t, _, r in rows), (), (), None)


def _row_line(matched: Matched, words: Words) -> RowLine:
    reason = matched.reason.in_language(words.language) if matched.reason else ""
    facts = tuple(fact(words, name, value) for name, value in matched.facts)
    return RowLine(matched.table, matched.row, reason, basis(words, matched.basis), facts)


def _other_line(otherwise: Otherwise, words: Words) -> OtherLine:
    return OtherLine(
        otherwise.ways,
        tuple(", ".join(changed(words, change) for change in way) for way in otherwise.ways),
        otherwise.left_off,
        tuple(_becomes(otherwise.becomes, words)),
    )


def _becomes(becomes: Becomes, words: Words) -> Iterator[str]:
    if becomes.level:
        yield words.of(labels.LEVELS, becomes.level)
    if becomes.holder:
        yield words.of(labels.HOLDERS, becomes.holder)
    for each in becomes.proposed:
        yield words.text("Proposed: %(what)s") % {"what": words.of(labels.DESTINATIONS, each)}
    for each in becomes.not_proposed:
        yield words.text("No longer proposed: %(what)s") % {
            "what": words.of(labels.DESTINATIONS, each)
        }
    if becomes.flags:
        yield words.text("A sign of urgency is added")
    if becomes.no_flags:
        yield words.text("A sign of urgency falls away")


def basis(words: Words, written: str) -> str:
    """What a row rests on: laws as they are cited, and whether it is the county's own."""
    parts = [part.strip() for part in written.split(";")]
    names = {each: words.text(_BASES[each]) for each in _BASES}
    return "; ".join(names.get(part, part) for part in parts if part)


_BASES: Mapping[str, str] = {
    "own construction": N_("own construction"),
    "LSL 25 § 3 mom (police duty)": N_("LSL 25 § 3 mom (duty to report to the police)"),
}


def changed(words: Words, change: Change) -> str:
    """What would have to have been said, and what was."""
    return words.text("%(fact)s: %(would)s (was: %(was)s)") % {
        "fact": fact_name(words, change.name),
        "would": _value(words, change.name, change.would),
        "was": _value(words, change.name, change.was),
    }


def fact(words: Words, name: str, value: Value) -> str:
    """A column, or something stated, with its value."""
    return f"{fact_name(words, name)}: {_value(words, name, value)}"


def fact_name(words: Words, name: str) -> str:
    """What a column, or something stated, is called: if need be as a column made of it alone is."""
    known = {**labels.FACTS, **labels.STATED}
    alone = (column for column in MADE if fields_of(column) == {name})
    column = name if name in COLUMN_WORDS else next(alone, None)
    if name in known or column not in COLUMN_WORDS:
        return words.of(known, name)
    text = COLUMN_WORDS[column].in_language(words.language)
    return text[0].upper() + text[1:]


def _value(words: Words, name: str, value: Value) -> str:
    by_name: dict[str, Mapping[str, str]] = {
        "urgency": labels.URGENCIES, "age_band": labels.AGE_BANDS, "level": labels.LEVELS,
        "psychiatry_clinic": labels.CLINICS,
    }  # fmt: skip
    return words.of(by_name.get(name, labels.ANSWERS), str(value)).lower()
