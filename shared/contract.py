"""The events as documents: JSON Schemas and one AsyncAPI 3.0 description, made from the models.

FastStream cannot describe its subscribers (they take raw records), so the models speak for
themselves. What is checked in under ``tests/contract/`` is written by ``make contracts``.
"""

import json
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from shared import events
from shared.kinds import KINDS, kinds_of

Json = dict[str, Any]

EXAMPLES = Path(__file__).parent / "docs" / "examples"


class Channel(NamedTuple):
    """One topic: its messages, what its key is, who sends and who reads it."""

    topic: str
    title: str
    key: Json
    messages: tuple[type[BaseModel], ...]
    senders: tuple[str, ...]
    readers: tuple[str, ...]


_TYPES: dict[type[BaseModel], str] = {kind.model: kind.type for kind in KINDS}
_NAMES: dict[type[BaseModel], str] = {kind.model: kind.name for kind in KINDS}

CHILD_KEY: Json = {"type": "string", "format": "uuid", "description": "The child's random id"}

CHANNELS = (
    Channel(
        events.INTAKE_NOTIFICATION,
        "What sources tell of children, of every kind. Holds personal data.",
        {"type": "string", "description": "The source's own choice; never personal data"},
        tuple(kind.model for kind in kinds_of(events.INTAKE_NOTIFICATION)),
        ("source",),
        ("intake",),
    ),
    Channel(
        events.INTAKE_CLIENT,
        "What the client information system knows of each client now. Holds personal data.",
        {"type": "string", "description": "The source's own choice; never personal data"},
        tuple(kind.model for kind in kinds_of(events.INTAKE_CLIENT)),
        ("source",),
        ("intake",),
    ),
    Channel(
        events.INTAKE_DIRECTORY,
        "Staff, units, the duty rota, groups and clinics. Holds personal data of staff.",
        {"type": "string", "description": "The source's own choice; never personal data"},
        tuple(kind.model for kind in kinds_of(events.INTAKE_DIRECTORY)),
        ("source",),
        ("intake",),
    ),
    Channel(
        events.INTAKE_ABSENCE,
        "What schools tell of pupils who stay away. Holds personal data.",
        {"type": "string", "description": "The source's own choice; never personal data"},
        tuple(kind.model for kind in kinds_of(events.INTAKE_ABSENCE)),
        ("source",),
        ("intake",),
    ),
    Channel(
        events.INTAKE_RECEIPT,
        "What became of each message, for its source",
        {"type": "string", "description": "The source's id of the message (ce_id)"},
        (events.Receipt,),
        ("intake",),
        ("source",),
    ),
    Channel(
        events.SIGNAL,
        "Notifications matched to children, sealed; and what intake set aside",
        CHILD_KEY
        | {
            "description": "The random id of the child, of what was set aside, or of an entry of "
            "the directory"
        },
        (
            events.Signal,
            events.Withdrawn,
            events.SetAside,
            events.IdentityTask,
            events.ClientSignal,
            events.DirectorySignal,
            events.Merged,
            events.Separated,
        ),
        ("intake",),
        ("routing", "notifications"),
    ),
    Channel(
        events.CASE,
        "What happened to a case, in order by `seq`",
        CHILD_KEY | {"description": "The child's random id, or that of what was set aside"},
        (events.CaseEvent,),
        ("routing",),
        ("notifications",),
    ),
    Channel(
        events.NOTICE,
        "What became of a notice, without recipient or text",
        CHILD_KEY | {"description": "The id the notice is about"},
        (events.NoticeEvent,),
        ("notifications",),
        ("routing",),
    ),
    Channel(
        events.URGENT,
        "Messages whose sender marks immediate danger, before their turn, without content",
        CHILD_KEY | {"description": "The item's id"},
        (events.UrgentItem,),
        ("intake",),
        ("routing",),
    ),
)

SCHEMAS: dict[str, Any] = {
    **{kind.name: kind.model for kind in KINDS},
    "receipt": events.Receipt,
    "signal": events.SignalMessage,
    "case": events.CaseEvent,
    "notice": events.NoticeEvent,
    "urgent": events.UrgentItem,
}
"""Name of the file -> what a value may be: of each kind a source sends, and of the other topics."""

INTRODUCTION = """\
How a source tells Luotsi, and what Luotsi's services tell each other.

A source sends to `luotsi.intake.notification.v1` (a school's absence signals to
`luotsi.intake.absence.v1`) and reads its answers from
`luotsi.intake.receipt.v1`, by its own id of the message. CloudEvents 1.0: binary mode as described
here; at intake the structured mode (`application/cloudevents+json`) too.

Within a version only additions happen. Inbound messages with a field that is not described are
refused, so that a misspelt field does not vanish; readers of internal topics ignore such fields.
Persons and free text are sealed past the inbound topic.
"""


def event_schemas() -> dict[str, Json]:
    """JSON Schema (2020-12) of every topic's value, by the name of its file."""
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {
        name: draft | TypeAdapter(kind).json_schema(mode="validation")
        for name, kind in SCHEMAS.items()
    }


def asyncapi() -> Json:
    """The AsyncAPI 3.0 document of all topics and who uses them."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Luotsi",
            "version": "1.0.0",
            "description": INTRODUCTION,
            "license": {"name": "EUPL-1.2", "url": "https://eupl.eu/1.2/en/"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "county": {
                "host": "{kafka}",
                "protocol": "kafka",
                "description": "The county's Kafka; sources get a login and TLS from the county",
                "variables": {"kafka": {"default": "127.0.0.1:9092"}},
            }
        },
        "channels": {channel.topic: _channel(channel) for channel in CHANNELS},
        "operations": dict(_operations()),
        "components": {"schemas": _payloads(), "messages": dict(_messages())},
    }


def _channel(channel: Channel) -> Json:
    return {
        "address": channel.topic,
        "title": channel.title,
        "messages": {
            model.__name__: {"$ref": f"#/components/messages/{model.__name__}"}
            for model in channel.messages
        },
        "bindings": {
            "kafka": {
                "topic": channel.topic,
                "partitions": events.PARTITIONS,
                "bindingVersion": "0.5.0",
            }
        },
    }


def _operations() -> list[tuple[str, Json]]:
    found = []
    for channel in CHANNELS:
        for action, users in (("send", channel.senders), ("receive", channel.readers)):
            for user in users:
                operation = {
                    "action": action,
                    "channel": {"$ref": f"#/channels/{channel.topic}"},
                    "summary": f"{user} {'sends' if action == 'send' else 'reads'} {channel.topic}",
                    "tags": [{"name": user}],
                }
                found.append((f"{user}.{action}.{channel.topic}", operation))
    return found


def _messages() -> list[tuple[str, Json]]:
    return [
        (
            model.__name__,
            {
                "name": model.__name__,
                "title": (model.__doc__ or "").strip().splitlines()[0],
                "contentType": "application/json",
                "headers": _headers(channel, model),
                "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
                "bindings": {"kafka": {"key": channel.key, "bindingVersion": "0.5.0"}},
                **_examples(model),
            },
        )
        for channel in CHANNELS
        for model in channel.messages
    ]


def _headers(channel: Channel, model: type[BaseModel]) -> Json:
    """CloudEvents 1.0, binary mode: as the source sends it, as `shared.publisher` sends it."""
    inbound = channel.topic in events.INBOUND_TOPICS
    type_ = _TYPES.get(model, channel.topic)
    ident = TypeAdapter(events.SourceId).json_schema() if inbound else {"type": "string"}
    source = ident if inbound else {"type": "string", "const": f"luotsi.{channel.senders[0]}"}
    return {
        "type": "object",
        "required": ["ce_specversion", "ce_id", "ce_source", "ce_type"],
        "properties": {
            "ce_specversion": {"type": "string", "const": "1.0"},
            "ce_id": ident | {"description": "Unique for its source, for ever"},
            "ce_source": source | {"description": "Who sends"},
            "ce_type": {"type": "string", "const": type_},
            "content-type": {"type": "string", "const": "application/json"},
            **(_MARK if inbound else {}),
        },
    }


_MARK: Json = {
    "ce_urgent": {
        "type": "string",
        "enum": ["true", "false"],
        "description": "`true` marks immediate danger: the duty desk hears of it at once",
    },
    "ce_sequence": {
        "type": "string",
        "description": "The message's number: 1, 2, 3, … without gaps over all kinds and doors",
    },
    "ce_sequencerun": {
        "type": "string",
        "description": "Another name whenever the source begins with 1 anew",
    },
}


def _examples(model: type[BaseModel]) -> Json:
    """The example of a message that people outside write or read; invented throughout."""
    file = EXAMPLES / f"{_NAMES.get(model, model.__name__.lower())}.json"
    if not file.exists():
        return {}
    return {"examples": [{"name": "example", "payload": json.loads(file.read_bytes())}]}


def _payloads() -> Json:
    models = [model for channel in CHANNELS for model in channel.messages]
    _, schemas = models_json_schema(
        [(model, "validation") for model in models],
        ref_template="#/components/schemas/{model}",
    )
    return {name: _plain(schema) for name, schema in schemas["$defs"].items()}


def _plain(schema: Any) -> Any:
    """Without OpenAPI's discriminators: AsyncAPI's are other things, and constants say the same."""
    if isinstance(schema, dict):
        return {k: _plain(v) for k, v in schema.items() if not _is_discriminator(k, v)}
    return [_plain(each) for each in schema] if isinstance(schema, list) else schema


def _is_discriminator(name: str, value: Any) -> bool:
    return name == "discriminator" and isinstance(value, dict) and "propertyName" in value
