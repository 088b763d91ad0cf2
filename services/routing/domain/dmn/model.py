"""Each table is a decision, each column an input or an earlier decision.

A row named in `unless` is written out as a column of its own, which says whether the conditions of
that row hold: in DMN a row cannot name another.
"""

from collections.abc import Mapping, Sequence
from typing import Final, get_args
from xml.etree import ElementTree as ET

from services.routing.domain.dmn.diagram import draw
from services.routing.domain.dmn.elements import NAMESPACES, part, text, written
from services.routing.domain.dmn.feel import entry_of, holds, text_of
from services.routing.domain.dmn.losses import about
from services.routing.domain.facts import Column
from services.routing.domain.flow import SPACE, Space
from services.routing.domain.tables.engine import OUTCOMES, SAID, SEES, column_of
from services.routing.domain.tables.proposals import written_example
from services.routing.domain.tables.words import COLUMN_WORDS
from services.routing.domain.tables.written import (
    Examples,
    Hit,
    TableName,
    WrittenRow,
    WrittenTable,
    sorted_rows,
)
from services.routing.domain.texts import Texts
from shared.events import Language

HIT_POLICIES: Final[Mapping[Hit, str]] = {
    "collect": "COLLECT",
    "unique": "UNIQUE",
    "agreeing": "ANY",
}
_LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)
_ANNOTATIONS: Final = (
    "row", *(f"reason {language}" for language in _LANGUAGES),
    "basis", "owner", "exception", "examples",
)  # fmt: skip


def dmn_of(tables: Sequence[WrittenTable], space: Space = SPACE) -> str:
    """The model as XML. The tables are in form (`loading.form_faults`)."""
    version = "+".join(f"{table.table}@{table.version}" for table in tables)
    named = {"id": "luotsi_rules", "name": version, "namespace": f"urn:luotsi:rules:{version}"}
    root = ET.Element("definitions", {**NAMESPACES, **named, "exporter": "Luotsi"})
    text(root, "description", about())
    columns = _columns(tables, space)
    for name, column in columns.items():
        _item(root, name, column)
    inputs = [name for name in columns if name not in SAID]
    for name in inputs:
        _input(root, name)
    for table in tables:
        _decision(root, table)
        if table.table == "urgent" and "flagged" in columns:
            _flagged(root)
    text(part(root, "textAnnotation", {"id": "losses"}), "text", about())
    draw(root, inputs)
    return written(root)


def _columns(tables: Sequence[WrittenTable], space: Space) -> dict[str, Column]:
    """All that the tables read, sorted by name."""
    found = {}
    for table in tables:
        for name in _read_by(table):
            column = column_of(space, table.table, name)
            if column is not None:
                found[name] = column
    return dict(sorted(found.items()))


def _read_by(table: WrittenTable) -> list[str]:
    return sorted({name for row in table.rows for name in row.when})


# --- facts ----------------------------------------------------------------------------------------


def _item(root: ET.Element, name: str, column: Column) -> None:
    """The values that a fact can have."""
    number = isinstance(column.values[0], int)
    item = part(root, "itemDefinition", {"id": f"type_{name}", "name": f"type_{name}"})
    text(item, "typeRef", "number" if number else "string")
    values = (
        f"[{column.values[0]}..{column.values[-1]}]"
        if number
        else ", ".join(text_of(str(value)) for value in column.values)
    )
    text(part(item, "allowedValues", {"id": f"values_{name}"}), "text", values)


def _input(root: ET.Element, name: str) -> None:
    data = part(root, "inputData", {"id": f"input_{name}", "name": name, "label": _words(name)})
    part(data, "variable", {"id": f"fact_{name}", "name": name, "typeRef": f"type_{name}"})


def _words(name: str) -> str:
    words = COLUMN_WORDS.get(name)
    return _together(words) if words else name


def _together(texts: Texts) -> str:
    return " / ".join(texts.in_language(language) for language in _LANGUAGES)


# --- decisions ------------------------------------------------------------------------------------


def _decision(root: ET.Element, table: WrittenTable) -> None:
    name = table.table
    decision = part(root, "decision", {"id": f"decision_{name}", "name": name})
    told = [table.note.in_language(language) for language in _LANGUAGES]
    text(decision, "description", "\n".join([*told, table.owner, table.file]))
    kind = {} if table.hit == "collect" else {"typeRef": "string"}
    part(decision, "variable", {"id": f"said_{name}", "name": name, **kind})
    for fact in _read_by(table):
        if fact in SEES[name]:
            _required(decision, name, fact, ("Decision", f"decision_{fact}"))
        else:
            _required(decision, name, fact, ("Input", f"input_{fact}"))
    _table(decision, table)


def _flagged(root: ET.Element) -> None:
    """Whether there is any sign of urgency, as later tables ask for it."""
    decision = part(root, "decision", {"id": "decision_flagged", "name": "flagged"})
    part(decision, "variable", {"id": "said_flagged", "name": "flagged", "typeRef": "type_flagged"})
    _required(decision, "flagged", "urgent", ("Decision", "decision_urgent"))
    expression = part(decision, "literalExpression", {"id": "expression_flagged"})
    text(expression, "text", 'if urgent = null or count(urgent) = 0 then "no" else "yes"')


def _required(decision: ET.Element, by: str, name: str, what: tuple[str, str]) -> None:
    need = part(decision, "informationRequirement", {"id": f"need_{by}_{name}"})
    part(need, f"required{what[0]}", {"href": f"#{what[1]}"})


def _table(decision: ET.Element, table: WrittenTable) -> None:
    name, rows, facts = table.table, sorted_rows(table), _read_by(table)
    policy = {"id": f"table_{name}", "hitPolicy": HIT_POLICIES[table.hit]}
    element = part(decision, "decisionTable", policy)
    for fact in facts:
        clause = part(element, "input", {"id": f"clause_{name}_{fact}", "label": _words(fact)})
        _expression(clause, f"{name}_{fact}", fact, f"type_{fact}")
    silencing = _silencing(rows)
    for other in silencing:
        ident, label = f"unless_{name}_{other.id}", f"unless: {other.id}"
        clause = part(element, "input", {"id": ident, "label": label})
        _expression(clause, ident, holds(other), "boolean")
    _output(element, name)
    for annotation in _ANNOTATIONS:
        part(element, "annotation", {"name": annotation})
    for row in rows:
        _rule(element, name, row, facts, silencing)


def _expression(clause: ET.Element, ident: str, content: str, kind: str) -> None:
    attributes = {"id": f"expression_{ident}", "typeRef": kind}
    text(part(clause, "inputExpression", attributes), "text", content)


def _output(element: ET.Element, name: TableName) -> None:
    attributes = {"id": f"output_{name}", "label": name, "typeRef": "string"}
    output = part(element, "output", attributes)
    if known := OUTCOMES[name]:
        values = part(output, "outputValues", {"id": f"outcomes_{name}"})
        text(values, "text", ", ".join(map(text_of, known)))


def _silencing(rows: Sequence[WrittenRow]) -> list[WrittenRow]:
    """The rows that some row names in `unless`."""
    named = {other for row in rows for other in row.unless}
    return [row for row in rows if row.id in named]


def _rule(
    element: ET.Element,
    table: TableName,
    row: WrittenRow,
    facts: Sequence[str],
    silencing: Sequence[WrittenRow],
) -> None:
    ident = f"{table}_{row.id}"
    rule = part(element, "rule", {"id": f"rule_{ident}"})
    tests = [entry_of(row.when[fact]) if fact in row.when else "-" for fact in facts]
    tests += ["false" if other.id in row.unless else "-" for other in silencing]
    for place, test in enumerate(tests):
        text(part(rule, "inputEntry", {"id": f"test_{ident}_{place}"}), "text", test)
    text(part(rule, "outputEntry", {"id": f"then_{ident}"}), "text", text_of(row.then))
    for annotation in _annotations(row):
        text(part(rule, "annotationEntry"), "text", annotation)


def _annotations(row: WrittenRow) -> tuple[str, ...]:
    """In the order of `_ANNOTATIONS`."""
    return (
        row.id,
        *(row.reason.in_language(language) for language in _LANGUAGES),
        row.basis,
        row.owner or "",
        _together(row.exception.reason) if row.exception else "",
        _examples(row.examples) if row.examples else "",
    )


def _examples(examples: Examples) -> str:
    return "\n".join(
        f"{kind}: {written_example({name: _as_written(value) for name, value in each.items()})}"
        for kind, given in (("match", examples.match), ("no_match", examples.no_match))
        for each in given
    )


def _as_written(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else f"[{', '.join(value)}]"
