"""The DMN model says what the tables say, and lists what it cannot say."""

import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import SpiffWorkflow.dmn.parser
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from SpiffWorkflow.dmn.parser.DMNParser import DMNParser
from SpiffWorkflow.dmn.specs.model import DecisionTable

from deploy.cli.rules import SHIPPED
from services.routing.domain.dmn import dmn_of
from services.routing.domain.dmn.elements import MODEL
from services.routing.domain.dmn.losses import LOSSES
from services.routing.domain.facts import COLUMNS, Facts
from services.routing.domain.flow import SPACE
from services.routing.domain.tables import compile_tables
from services.routing.domain.tables.engine import Table, column_of, compile_table
from services.routing.domain.tables.examples import _each, hits
from services.routing.domain.tables.loading import form_faults, read_newest, read_version
from services.routing.domain.tables.written import (
    NAMES,
    Condition,
    Example,
    Interval,
    TableName,
    WrittenRow,
    WrittenTable,
)
from tests.written_tables import UNSHRUNK

NS = {"dmn": MODEL, "dmndi": "https://www.omg.org/spec/DMN/20191111/DMNDI/"}


@pytest.fixture(scope="module")
def model() -> ET.Element:
    return ET.fromstring(dmn_of(read_newest(SHIPPED)))  # noqa: S314 -- our own


def table_of(name: str, model: ET.Element) -> ET.Element:
    found = model.find(f"dmn:decision[@name='{name}']/dmn:decisionTable", NS)
    assert found is not None
    return found


def texts(element: ET.Element, path: str) -> list[str]:
    return [each.text or "" for each in element.findall(f"{path}/dmn:text", NS)]


def test_each_table_is_a_decision_with_the_hit_policy_that_comes_closest(model: ET.Element) -> None:
    policies = {
        name: table_of(name, model).attrib["hitPolicy"]
        for name in ("urgent", "level", "holder", "destinations")
    }

    assert {
        "urgent": "COLLECT",
        "level": "ANY",
        "holder": "UNIQUE",
        "destinations": "COLLECT",
    } == policies


def test_the_graph_says_what_each_decision_needs(model: ET.Element) -> None:
    needs = {
        decision.attrib["name"]: {
            need[0].attrib["href"] for need in decision.findall("dmn:informationRequirement", NS)
        }
        for decision in model.findall("dmn:decision", NS)
    }

    assert "#decision_level" in needs["destinations"]
    assert {"#input_urgency", "#input_existing_client", "#input_absence_confirmed"} == needs[
        "holder"
    ]
    defined = {f"#{each.attrib['id']}" for each in model.iter() if "id" in each.attrib}
    assert set.union(*needs.values()) <= defined


def test_everything_in_the_graph_is_drawn_once(model: ET.Element) -> None:
    drawn = [
        each.attrib["dmnElementRef"]
        for kind in ("DMNShape", "DMNEdge")
        for each in model.iter(f"{{{NS['dmndi']}}}{kind}")
    ]
    kinds = ("inputData", "decision", "textAnnotation", "informationRequirement")
    there = [each.attrib["id"] for kind in kinds for each in model.iter(f"{{{MODEL}}}{kind}")]

    assert sorted(there) == sorted(drawn)


def test_a_row_keeps_its_reasons_its_basis_and_its_examples_as_annotations(
    model: ET.Element,
) -> None:
    table = table_of("level", model)
    names = [each.attrib["name"] for each in table.findall("dmn:annotation", NS)]
    rule = table.find("dmn:rule[@id='rule_level_erityis-psych']", NS)
    assert rule is not None
    told = dict(zip(names, texts(rule, "dmn:annotationEntry"), strict=True))

    (level,) = (each for each in read_newest(SHIPPED) if each.table == "level")
    (row,) = (each for each in level.rows if each.id == "erityis-psych")
    assert (row.id, row.reason.fi, row.reason.sv) == (
        told["row"], told["reason fi"], told["reason sv"]
    )  # fmt: skip
    assert row.basis == told["basis"]
    assert "match: { psych: yes }" in told["examples"].splitlines()


def test_unless_is_written_out_as_a_column_for_each_row_that_is_named(model: ET.Element) -> None:
    table = table_of("level", model)
    columns = {
        each.attrib["label"]: texts(each, "dmn:inputExpression")[0]
        for each in table.findall("dmn:input", NS)
    }
    rule = table.find("dmn:rule[@id='rule_level_erityis-psych']", NS)
    assert rule is not None
    entries = dict(zip(columns, texts(rule, "dmn:inputEntry"), strict=True))

    name = "unless: vaativa-many-areas"
    assert '(a10 = "yes") and (many_areas_besides_a10 = "yes")' == columns[name]
    assert "false" == entries[name]
    assert "-" == entries["unless: erityis-safety"]


def test_what_the_notation_cannot_say_is_listed_in_the_model_and_in_its_diagram(
    model: ET.Element,
) -> None:
    (described,) = model.findall("dmn:description", NS)
    (drawn,) = texts(model, "dmn:textAnnotation")

    for told in (described.text or "", drawn):
        for loss in LOSSES:
            assert all(text in told for text in (loss.fi, loss.sv, loss.en))
        assert "own construction, not THL's OT screen" in told


def test_a_character_that_xml_does_not_allow_does_not_break_the_model() -> None:
    tables = read_newest(SHIPPED)
    told = tables[0].rows[0].model_copy(update={"basis": "bell \a"})
    odd: WrittenTable = tables[0].model_copy(update={"rows": (told, *tables[0].rows[1:])})

    assert "bell \ufffd" in dmn_of([odd, *tables[1:]])


# --- by the schema of the notation, from another project ------------------------------------------


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    folder = Path(SpiffWorkflow.dmn.parser.__file__).parent / "schema"
    return etree.XMLSchema(etree.parse(folder / "DMN13.xsd"))


OLD = "urgent@2026-11+level@2026-11+holder@2026-11.2+destinations@2026-11.3"


@pytest.mark.parametrize("version", [None, OLD])
def test_the_model_keeps_to_the_schema(version: str | None, schema: etree.XMLSchema) -> None:
    tables = read_version(SHIPPED, version) if version else read_newest(SHIPPED)

    schema.assertValid(etree.fromstring(dmn_of(tables).encode()))


def test_the_schema_would_notice(schema: etree.XMLSchema) -> None:
    wrong = dmn_of(read_newest(SHIPPED)).replace('hitPolicy="ANY"', 'hitPolicy="AGREEING"')

    assert not schema.validate(etree.fromstring(wrong.encode()))


# --- by another project's reader ------------------------------------------------------------------


def read_by_another(written: Sequence[WrittenTable]) -> dict[str, DecisionTable]:
    """The decision tables as SpiffWorkflow reads them.

    It reads one decision at a time and stops at annotations of a table, which came with DMN 1.2: a
    copy of each decision without them is what it gets.
    """
    model = etree.fromstring(dmn_of(written).encode())
    found: dict[str, DecisionTable] = {}
    for decision in model.findall("dmn:decision[dmn:decisionTable]", NS):
        (table,) = decision.findall("dmn:decisionTable", NS)
        for annotation in table.findall("dmn:annotation", NS):
            table.remove(annotation)
        alone = etree.Element(f"{{{MODEL}}}definitions")
        alone.append(decision)
        reader = DMNParser(None, alone, {"dmn": MODEL})
        reader.parse()
        (found[reader.get_name()],) = reader.decision.decisionTables
    return found


READ: dict[str, tuple[WrittenTable, DecisionTable]] = {
    table.table: (table, read_by_another(read_newest(SHIPPED))[table.table])
    for table in read_newest(SHIPPED)
}


@pytest.mark.parametrize("name", NAMES)
def test_another_reader_finds_every_row_with_what_it_says(name: str) -> None:
    written, read = READ[name]

    said = {rule.id: [entry.text for entry in rule.outputEntries] for rule in read.rules}
    assert {f"rule_{name}_{row.id}": [f'"{row.then}"'] for row in written.rows} == said
    assert ["string"] == [output.typeRef for output in read.outputs]
    policies = {"collect": "COLLECT", "unique": "UNIQUE", "agreeing": "ANY"}
    assert policies[written.hit] == read.hit_policy


@pytest.mark.parametrize("name", NAMES)
def test_another_reader_finds_the_conditions_of_every_row(name: str) -> None:
    """Value by value: what a rule's entry lets pass is what the row's condition allows."""
    written, read = READ[name]
    rows = {f"rule_{name}_{row.id}": row for row in written.rows}
    asked = {each.expression for each in read.inputs if known(written.table, each.expression)}

    assert {column for row in written.rows for column in row.when} == asked
    for rule in read.rules:
        row = rows[rule.id]
        for entry in rule.inputEntries:
            column = column_of(SPACE, written.table, entry.input.expression)
            if column is None:
                other = entry.input.label.removeprefix("unless: ")
                assert ("false" if other in row.unless else "-") == entry.text
                continue
            allowed = {value for value in column.values if passes(entry.text, value)}
            assert allowed == allowed_by(row, entry.input.expression, column.values)


def allowed_by(row: WrittenRow, name: str, values: tuple[str | int, ...]) -> set[str | int]:
    condition = row.when.get(name)
    if condition is None:
        return set(values)
    return set(condition.of(values) if isinstance(condition, Interval) else condition)


@pytest.mark.parametrize("name", NAMES)
def test_what_another_reader_has_read_keeps_the_examples_of_every_row(name: str) -> None:
    written, read = READ[name]
    compiled = compile_table(written)
    rules = {rule.id: rule for rule in read.rules}
    tried = 0
    for place, row in enumerate(compiled.rows):
        examples = next(each.examples for each in written.rows if each.id == row.name)
        assert examples is not None
        rule = rules[f"rule_{name}_{row.name}"]
        for facts in patterns(compiled, [*examples.match, *examples.no_match]):
            hit = all(
                passes(entry.text, worked_out(entry.input.expression, facts))
                for entry in rule.inputEntries
            )
            assert hits(compiled, compiled.rows[place], facts) == hit
            tried += 1
    assert tried > 2 * len(compiled.rows)


def patterns(table: Table, examples: Sequence[Example]) -> Iterator[Facts]:
    for example in examples:
        yield from _each(table, example, SPACE)


# --- it decides as the tables do ------------------------------------------------------------------

LIMIT = re.compile(r"(>=|<=) (\d+)|\[(\d+)\.\.(\d+)\]")


def passes(entry: str, value: object) -> bool:
    """Whether a rule's entry lets a value pass: the little of FEEL that the model is written in."""
    if entry == "-":
        return True
    if entry == "false":
        return value is False
    if found := LIMIT.fullmatch(entry):
        sign, end, low, high = found.groups()
        assert isinstance(value, int)
        if sign:
            return value >= int(end) if sign == ">=" else value <= int(end)
        return int(low) <= value <= int(high)
    return value in [each[1:-1] for each in entry.split(", ")]


def worked_out(expression: str, facts: Facts) -> object:
    """What an input's expression gives."""
    if expression == "true":
        return True
    if " " not in expression:
        return facts[expression]
    python = re.sub(r" = ", " == ", expression)
    return eval(python, {}, dict(facts))  # noqa: S307 -- the model's own few signs


def rows_of(table: ET.Element, facts: Facts) -> set[str]:
    """The rows of a decision table that hit, by their annotation."""
    values = [worked_out(each, facts) for each in texts(table, "dmn:input/dmn:inputExpression")]
    return {
        texts(rule, "dmn:annotationEntry")[0]
        for rule in table.findall("dmn:rule", NS)
        if all(map(passes, texts(rule, "dmn:inputEntry"), values))
    }


def assert_it_decides_alike(written: list[WrittenTable], *children: Facts) -> None:
    tables = compile_tables(written)
    model = ET.fromstring(dmn_of(written))  # noqa: S314 -- our own
    for facts in children:
        said = tables.evaluate(facts)
        known = {**facts, "level": said.stands, "flagged": "yes" if said.urgent.hits else "no"}
        outcomes = (said.urgent, said.level, said.holder, said.destinations)
        for name, outcome in zip(NAMES, outcomes, strict=True):
            assert {row.name for row in outcome.hits} == rows_of(table_of(name, model), known)


def test_the_shipped_tables_decide_alike_in_the_notation() -> None:
    draw = random.Random(1)
    children = [
        {name: draw.choice(column.values) for name, column in COLUMNS.items()} for _ in range(300)
    ]

    assert_it_decides_alike(read_newest(SHIPPED), *children)


@st.composite
def in_form(draw: st.DrawFn, shipped: WrittenTable) -> WrittenTable:
    """A table in form: the shipped one's rows with other conditions and other rows that silence."""
    ids = [row.id for row in shipped.rows]
    rows = []
    for row in shipped.rows:
        names = st.sampled_from(["level", "flagged", "areas_unknown", *sorted(COLUMNS)])
        read = draw(st.lists(names, max_size=3, unique=True))
        when = {
            name: draw(condition(shipped.table, name))
            for name in read
            if known(shipped.table, name)
        }
        others = st.lists(st.sampled_from([each for each in ids if each != row.id]), max_size=2)
        rows.append(row.model_copy(update={"when": when, "unless": tuple(draw(others))}))
    return shipped.model_copy(update={"rows": tuple(rows)})


def known(table: TableName, name: str) -> bool:
    return column_of(SPACE, table, name) is not None


@st.composite
def condition(draw: st.DrawFn, table: TableName, name: str) -> Condition:
    column = column_of(SPACE, table, name)
    assert column is not None
    if isinstance(column.values[0], int):
        low, high = sorted(draw(st.tuples(*[st.sampled_from(column.values)] * 2)))
        ends = draw(st.sampled_from([(low, None), (None, high), (low, high)]))
        return Interval(at_least=ends[0], at_most=ends[1])
    values = st.lists(st.sampled_from(column.values), min_size=1, max_size=2, unique=True)
    return tuple(map(str, draw(values)))


IN_FORM = st.tuples(*(in_form(table) for table in read_newest(SHIPPED))).map(list)
ANY_FACTS = st.fixed_dictionaries({n: st.sampled_from(c.values) for n, c in COLUMNS.items()})


@settings(UNSHRUNK, max_examples=15)
@given(written=IN_FORM, children=st.lists(ANY_FACTS, min_size=5, max_size=5))
def test_any_tables_in_form_decide_alike_and_keep_to_the_schema(
    written: list[WrittenTable], children: list[Facts], schema: etree.XMLSchema
) -> None:
    assert [] == [fault for table in written for fault in form_faults(table, SPACE)]

    assert_it_decides_alike(written, *children)
    schema.assertValid(etree.fromstring(dmn_of(written).encode()))


def test_a_sign_of_urgency_is_worked_out_where_a_table_asks_for_it(schema: etree.XMLSchema) -> None:
    urgent, level, holder, destinations = read_newest(SHIPPED)
    asks = holder.rows[0].model_copy(update={"when": {"flagged": ("yes",)}})
    changed = holder.model_copy(update={"rows": (asks, *holder.rows[1:])})

    model = dmn_of([urgent, level, changed, destinations])
    schema.assertValid(etree.fromstring(model.encode()))
    assert 'if urgent = null or count(urgent) = 0 then "no" else "yes"' in model
    assert '<requiredDecision href="#decision_flagged" />' in model
