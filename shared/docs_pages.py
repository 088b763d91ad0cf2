"""Pages that describe the interfaces: /openapi, and /asyncapi where there is a document.

Plain HTML made here, with a stylesheet of our own: nothing is loaded from elsewhere, and nothing
on them sends anything (FastStream's own page would let anybody publish to any topic).
"""

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse, JSONResponse, Response
from jinja2 import Environment, FileSystemLoader, select_autoescape
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

Json = dict[str, Any]

FILES = Path(__file__).parent / "docs"
CSP = {"Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'"}
PROBLEM = "application/problem+json"
LIMITS = (
    "const",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
)


class Field(NamedTuple):
    """One line of a table of fields: `name` is its path, such as ``children[].name``."""

    name: str
    type: str
    required: bool
    notes: str


def docs_routes(
    app: FastAPI, asyncapi: Json | None = None, bodies: Sequence[type[BaseModel]] = ()
) -> None:
    """Add /openapi and /docs.css, and /asyncapi with /asyncapi.json where `asyncapi` is given.

    `bodies` are models that a route reads by itself and names in its description.
    """
    pages = Environment(
        loader=FileSystemLoader(FILES), autoescape=select_autoescape(), trim_blocks=True
    )
    app.openapi = cache(lambda: openapi_of(app, bodies))  # type: ignore[method-assign]

    @app.get("/openapi", include_in_schema=False)
    async def openapi_page() -> HTMLResponse:
        document = app.openapi()
        text = pages.get_template("openapi.html").render(doc=document, fields=_reader(document))
        return HTMLResponse(text, headers=CSP)

    @app.get("/docs.css", include_in_schema=False)
    async def stylesheet() -> Response:
        return Response((FILES / "docs.css").read_text(), media_type="text/css")

    if asyncapi is not None:
        page = pages.get_template("asyncapi.html").render(
            doc=asyncapi, fields=_reader(asyncapi), users=_users(asyncapi), pretty=_pretty
        )

        @app.get("/asyncapi", include_in_schema=False)
        async def asyncapi_page() -> HTMLResponse:
            return HTMLResponse(page, headers=CSP)

        @app.get("/asyncapi.json", include_in_schema=False)
        async def asyncapi_json() -> JSONResponse:
            return JSONResponse(asyncapi)


def openapi_of(app: FastAPI, bodies: Sequence[type[BaseModel]] = ()) -> Json:
    """The application's OpenAPI document, whole: with `bodies`, problems under their own type."""
    document = get_openapi(
        title=app.title, version=app.version, routes=app.routes, openapi_version=app.openapi_version
    )
    if bodies:
        _, schemas = models_json_schema(
            [(model, "validation") for model in bodies],
            ref_template="#/components/schemas/{model}",
        )
        document.setdefault("components", {}).setdefault("schemas", {}).update(schemas["$defs"])
    for operations in document["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                content = response.get("content", {})
                if content.get(PROBLEM) == {}:  # FastAPI puts the model under its default type
                    content[PROBLEM] = content.pop("application/json")
    return document


def _users(document: Json) -> dict[str, dict[str, list[str]]]:
    """Channel -> who sends to it and who receives from it."""
    users: dict[str, dict[str, list[str]]] = {
        name: {"send": [], "receive": []} for name in document["channels"]
    }
    for operation in document["operations"].values():
        channel = operation["channel"]["$ref"].removeprefix("#/channels/")
        users[channel][operation["action"]].append(operation["tags"][0]["name"])
    return users


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _reader(document: Json) -> Any:
    def fields(schema: Json) -> list[Field]:
        return list(_fields(document, schema, ""))

    return fields


def _fields(document: Json, schema: Json, path: str) -> Iterator[Field]:
    """Every field of an object, depth first."""
    schema = _resolve(document, schema)
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        inner = _essence(document, field)
        here = path + name
        yield Field(here, _type(inner), name in required, _notes(field, inner))
        if inner.get("type") == "array":
            yield from _fields(document, inner.get("items", {}), here + "[].")
        else:
            yield from _fields(document, inner, here + ".")


def _resolve(document: Json, schema: Json) -> Json:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return dict(found)


def _essence(document: Json, schema: Json) -> Json:
    """The schema behind a reference, and behind "this or null"."""
    branches = [b for b in schema.get("anyOf", ()) if b.get("type") != "null"]
    return _resolve(document, branches[0] if len(branches) == 1 else schema)


def _type(schema: Json) -> str:
    if schema.get("type") == "array":
        return f"list of {schema.get('items', {}).get('type', 'objects')}"
    if "enum" in schema:
        return "one of"
    return str(schema.get("format") or schema.get("type") or "any")


def _notes(field: Json, inner: Json) -> str:
    notes = [str(text) for text in (field.get("description"), _choices(inner)) if text]
    notes += [f"{limit} {inner[limit]}" for limit in LIMITS if limit in inner]
    if field.get("default") not in (None, [], {}):
        notes.append(f"default {field['default']}")
    return "; ".join(notes)


def _choices(inner: Json) -> str:
    choices = inner.get("enum") or inner.get("items", {}).get("enum") or ()
    return ", ".join(str(choice) for choice in choices)
