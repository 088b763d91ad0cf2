"""What one JSON Schema refuses that another allows: the proof that a version only grows.

`narrowings(writer, reader)` lists why a value that is valid for the writer could be refused by the
reader. For a message from outside the reader is new; between services each side may be the newer
one. Knows the words that pydantic writes and raises on any other.
"""

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

UPPER = ("maxLength", "maxItems", "maxProperties", "maximum", "exclusiveMaximum")
LOWER = ("minLength", "minItems", "minProperties", "minimum", "exclusiveMinimum")
SAME = ("pattern", "format")
SILENT = tuple(
    "$defs $schema title description example examples contentMediaType writeOnly".split()
)
SHAPE = tuple("type enum const anyOf oneOf properties required additionalProperties items".split())
KNOWN = {*UPPER, *LOWER, *SAME, *SILENT, *SHAPE, "$ref", "default", "discriminator"}


class Schema:
    """A schema within the document that its references point into."""

    def __init__(self, document: Json, node: Json | None = None) -> None:
        self.document = document
        self.node = document if node is None else node
        while "$ref" in self.node:
            found: Any = document
            for part in self.node["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            self.node = found
        if unknown := self.node.keys() - KNOWN:
            raise NotImplementedError(f"teach the comparison about {sorted(unknown)}")

    def at(self, node: Json) -> "Schema":
        """A part of the same document."""
        return Schema(self.document, node)

    def branches(self) -> list["Schema"]:
        """The alternatives, or the schema itself."""
        found = self.node.get("anyOf") or self.node.get("oneOf")
        return [self.at(each) for each in found] if found else [self]

    def property(self, name: str) -> "Schema":
        return self.at(self.node["properties"][name])


def narrowings(writer: Schema, reader: Schema, path: str = "") -> list[str]:
    """Why a value that the writer may write could be refused; empty when none could."""
    found = []
    for branch in writer.branches():
        tries = [list(_one(branch, target, path)) for target in reader.branches()]
        tries.sort(key=len)
        found += tries[0]
    return found


def removals(old: Schema, new: Schema, path: str = "") -> list[str]:
    """Fields that are no longer described."""
    found = []
    for before, after in _pairs(old, new):
        for name in before.node.get("properties", {}):
            here = f"{path}.{name}"
            if name in after.node.get("properties", {}):
                found += removals(before.property(name), after.property(name), here)
            else:
                found.append(f"{here} was removed")
        if "items" in before.node and "items" in after.node:
            items = (before.at(before.node["items"]), after.at(after.node["items"]))
            found += removals(*items, f"{path}[]")
    return found


def changed_defaults(old: Schema, new: Schema, path: str = "") -> list[str]:
    """Fields whose silence means something else now."""
    found = []
    for before, after in _pairs(old, new):
        for name, field in before.node.get("properties", {}).items():
            other = after.node.get("properties", {}).get(name)
            here = f"{path}.{name}"
            if other is None:
                continue
            if "default" in field and field["default"] != other.get("default", field["default"]):
                found.append(f"{here} has another default")
            found += changed_defaults(before.property(name), after.property(name), here)
    return found


def _pairs(old: Schema, new: Schema) -> Iterator[tuple[Schema, Schema]]:
    """Branches of both that are about the same thing: by title, or the only one of a type."""
    for before in old.branches():
        for after in new.branches():
            if _name(before) == _name(after):
                yield before, after


def _name(schema: Schema) -> Any:
    return schema.node.get("title") if "properties" in schema.node else schema.node.get("type")


def _one(writer: Schema, reader: Schema, path: str) -> Iterator[str]:
    theirs, ours = writer.node, reader.node
    if "type" in ours and ours["type"] not in _as_types(theirs.get("type")):
        yield f"{path or 'value'} was {theirs.get('type', 'anything')}, must be {ours['type']}"
        return
    yield from _choices(theirs, ours, path or "value")
    yield from _limits(theirs, ours, path or "value")
    if "properties" in ours or "properties" in theirs:
        yield from _objects(writer, reader, path)
    if "items" in ours:
        yield from narrowings(
            writer.at(theirs.get("items", {})), reader.at(ours["items"]), f"{path}[]"
        )


def _as_types(name: str | None) -> tuple[str | None, ...]:
    return ("integer", "number") if name == "integer" else (name,)


def _choices(theirs: Json, ours: Json, path: str) -> Iterator[str]:
    allowed, written = _listed(ours), _listed(theirs)
    if allowed is None:
        return
    refused = ["anything"] if written is None else [v for v in written if v not in allowed]
    if refused:
        yield f"{path} may be {refused}, must be one of {allowed}"


def _listed(node: Json) -> list[Any] | None:
    return [node["const"]] if "const" in node else node.get("enum")


def _limits(theirs: Json, ours: Json, path: str) -> Iterator[str]:
    if _listed(theirs) is not None:
        return
    for word in (*UPPER, *LOWER, *SAME):
        was, now = theirs.get(word), ours.get(word)
        if now is None or was == now:
            continue
        wider = was is not None and word not in SAME
        if not wider or (now < was if word in UPPER else now > was):
            yield f"{path}: {word} is {now}, was {'none' if was is None else was}"


def _objects(writer: Schema, reader: Schema, path: str) -> Iterator[str]:
    theirs, ours = writer.node.get("properties", {}), reader.node.get("properties", {})
    for name in reader.node.get("required", ()):
        if name not in writer.node.get("required", ()):
            yield f"{path}.{name} must be there"
    for name in theirs:
        if name in ours:
            yield from narrowings(writer.property(name), reader.property(name), f"{path}.{name}")
        elif reader.node.get("additionalProperties") is False:
            yield f"{path}.{name} is refused"
