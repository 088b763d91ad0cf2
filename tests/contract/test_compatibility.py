"""Within a version only additions: the comparison itself, then the contracts by it."""

import json
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from shared.events import INBOUND_TOPICS
from shared.kinds import KINDS
from tests.contract.compatibility import Schema, changed_defaults, narrowings, removals
from tests.contract.generate import RELEASED, contracts

NOW = contracts()
FROM_OUTSIDE = {kind.name for kind in KINDS}  # read by us alone; older programs read the rest, too


class Part(BaseModel):
    model_config = ConfigDict(title="Part")
    size: int


class Before(BaseModel):
    model_config = ConfigDict(title="Event")
    id: str
    kind: Literal["a", "b"]
    note: str | None = None
    answer: Literal["yes", "no", "unknown"] = "unknown"
    line: str = Field(default="", max_length=100)
    parts: tuple[Part, ...] = ()


def schema(model: type[BaseModel]) -> Schema:
    return Schema(model.model_json_schema(mode="validation"))


def changed(**fields: Any) -> Schema:
    """`Before` with other fields; None takes one away."""
    kept = {k: (f.annotation, f) for k, f in Before.model_fields.items() if k not in fields}
    kept |= {k: v for k, v in fields.items() if v is not None}
    namespace = {
        "__annotations__": {name: kind for name, (kind, _) in kept.items()},
        "model_config": ConfigDict(title="Event"),
        **{name: default for name, (_, default) in kept.items()},
    }
    return schema(type("Event", (BaseModel,), namespace))


def both_ways(new: Schema) -> list[str]:
    """What is wrong with `new` for a topic whose readers may be older or newer."""
    old = schema(Before)
    return [
        *narrowings(old, new),
        *narrowings(new, old),
        *removals(old, new),
        *changed_defaults(old, new),
    ]


def test_a_schema_is_compatible_with_itself() -> None:
    assert [] == both_ways(schema(Before))


def test_a_new_optional_field_is_an_addition() -> None:
    assert [] == both_ways(changed(more=(str | None, None)))


def test_a_new_required_field_is_refused() -> None:
    assert [".more must be there"] == narrowings(schema(Before), changed(more=(str, ...)))


def test_making_a_field_required_is_refused() -> None:
    assert ".note must be there" in narrowings(schema(Before), changed(note=(str | None, ...)))


def test_making_a_field_optional_is_refused_where_older_programs_read() -> None:
    assert ".id must be there" in narrowings(changed(id=(str, "")), schema(Before))


def test_removing_a_field_is_refused() -> None:
    assert [".note was removed"] == removals(schema(Before), changed(note=None))


def test_removing_a_field_of_a_part_is_refused() -> None:
    class Smaller(BaseModel):
        model_config = ConfigDict(title="Part")

    new = changed(parts=(tuple[Smaller, ...], ()))

    assert [".parts[].size was removed"] == removals(schema(Before), new)


def test_narrowing_a_type_is_refused() -> None:
    assert narrowings(schema(Before), changed(note=(str, "")))
    assert narrowings(schema(Before), changed(id=(int, ...)))


def test_taking_a_value_away_is_refused() -> None:
    new = changed(kind=(Literal["a"], ...))

    assert narrowings(schema(Before), new)
    assert [] == narrowings(new, schema(Before))


def test_a_new_value_is_refused_only_where_older_programs_read() -> None:
    new = changed(kind=(Literal["a", "b", "c"], ...))

    assert [] == narrowings(schema(Before), new)
    assert narrowings(new, schema(Before))


def test_a_tighter_limit_is_refused() -> None:
    new = changed(line=(str, Field(default="", max_length=50)))

    assert narrowings(schema(Before), new)
    assert [] == narrowings(new, schema(Before))


def test_a_new_limit_is_refused() -> None:
    assert narrowings(schema(Before), changed(note=(str | None, Field(default=None, min_length=1))))


def test_another_default_is_refused() -> None:
    new = changed(answer=(Literal["yes", "no", "unknown"], "no"))

    assert [".answer has another default"] == changed_defaults(schema(Before), new)


def test_an_unknown_field_is_refused_where_the_reader_forbids_it() -> None:
    class Strict(Before):
        model_config = ConfigDict(title="Event", extra="forbid")

    assert [] == narrowings(schema(Before), schema(Strict))
    assert [".more is refused"] == narrowings(changed(more=(str | None, None)), schema(Strict))


def test_a_word_the_comparison_does_not_know_is_refused_loudly() -> None:
    with pytest.raises(NotImplementedError, match="patternProperties"):
        Schema({"type": "object", "patternProperties": {}})


# --- the contracts themselves -------------------------------------------------------------------


def released(name: str) -> Any:
    return json.loads((RELEASED / name).read_bytes())


@pytest.mark.parametrize("name", sorted(f.name for f in (RELEASED / "schemas").glob("*.json")))
def test_an_event_schema_only_grew_since_it_was_released(name: str) -> None:
    old, new = Schema(released(f"schemas/{name}")), Schema(NOW[f"schemas/{name}"])

    assert [] == narrowings(old, new), "what is under way or stored could not be read any more"
    assert [] == removals(old, new)
    assert [] == changed_defaults(old, new)
    if name.partition(".")[0] not in FROM_OUTSIDE:
        assert [] == narrowings(new, old), "a program of the release before could not read it"


@pytest.mark.parametrize("name", sorted(f.name for f in RELEASED.glob("openapi.*.json")))
def test_an_http_interface_only_grew_since_it_was_released(name: str) -> None:
    old, new = released(name), NOW[name]

    for path, operations in old["paths"].items():
        for method, before in operations.items():
            after = new["paths"][path][method]
            assert [] == _new_duties(before, after), f"{method} {path}"
            for status, kind, schemas in _bodies(before, after):
                writer, reader = (old, new) if status == "request" else (new, old)
                first, second = schemas if status == "request" else reversed(schemas)
                found = narrowings(Schema(writer, first), Schema(reader, second))
                assert [] == found, f"{method} {path}: {status} {kind}"


def _new_duties(before: Any, after: Any) -> list[str]:
    known = {p["name"]: p.get("required", False) for p in before.get("parameters", ())}
    return [
        p["name"]
        for p in after.get("parameters", ())
        if p.get("required") and not known.get(p["name"])
    ]


def _bodies(before: Any, after: Any) -> list[tuple[str, str, tuple[Any, Any]]]:
    """(request or status, content type, schemas before and after) of what both describe."""
    pairs = [("request", before.get("requestBody", {}), after.get("requestBody", {}))]
    pairs += [
        (status, answer, after["responses"][status])
        for status, answer in before["responses"].items()
        if status.startswith("2")
    ]
    return [
        (status, kind, (content["schema"], new["content"][kind]["schema"]))
        for status, old, new in pairs
        for kind, content in old.get("content", {}).items()
        if "schema" in content
    ]


def test_a_topic_stays_and_keeps_its_key_and_its_partitions() -> None:
    old, new = released("asyncapi.json"), NOW["asyncapi.json"]

    for name, channel in old["channels"].items():
        assert channel["bindings"] == new["channels"][name]["bindings"]
    for name, message in old["components"]["messages"].items():
        now = new["components"]["messages"][name]
        assert (
            message["bindings"]["kafka"]["key"]["type"] == now["bindings"]["kafka"]["key"]["type"]
        )
        # A header may be added, as long as nobody has to send it.
        assert message["headers"]["properties"].items() <= now["headers"]["properties"].items()
        assert message["headers"]["required"] == now["headers"]["required"]


def _key_type(message: Any) -> Any:
    return message["bindings"]["kafka"]["key"]["type"]


def test_what_comes_from_outside_comes_by_the_inbound_topics() -> None:
    assert {kind.topic for kind in KINDS} == set(INBOUND_TOPICS)
