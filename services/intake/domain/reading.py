"""Reading a message at the outer edge: envelope, kind, content, receipt time. Pure."""

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, cast, get_args

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from services.intake.domain.doubled_keys import has_doubled_key
from services.intake.domain.numbering import NUMBER, RUN
from services.intake.domain.refusals import (
    BAD_ENVELOPE,
    DOUBLED_HEADER,
    DOUBLED_KEY,
    HEADER_NOT_UTF_8,
    INVALID_CONTENT,
    MAX_BYTES,
    NO_CONTENT,
    NULL_HEADER,
    PERSONAL_DATA_IN_ID,
    TOO_LARGE,
    UNKNOWN_TYPE,
    UnreadableMessage,
)
from shared import events
from shared.events import Message
from shared.hetu import contains_hetu
from shared.inbox import Incoming, Raw, Unreadable
from shared.kinds import BY_TYPE, KINDS, Kind

STRUCTURED = "application/cloudevents+json"
_STRUCTURED = STRUCTURED.encode()


class Envelope(BaseModel):
    """The attributes of CloudEvents 1.0 that intake needs."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True)

    specversion: str
    id: events.SourceId
    source: events.SourceId
    type: str


@lru_cache
def structured(model: type[Message]) -> type[Any]:
    """The model of a whole event in the body (structured mode)."""
    return create_model(f"Structured{model.__name__}", __base__=Envelope, data=(model, ...))


def read_message(raw: Raw) -> Incoming[Message] | Unreadable:
    """A message of any kind from a Kafka record or a request, in either mode."""
    whole = any(n == "content-type" and (v or b"").startswith(_STRUCTURED) for n, v in raw.headers)
    try:
        envelope, message = _read_structured(raw) if whole else _read_binary(raw)
    except UnreadableMessage as error:
        source, ident = peek(raw.value or b"") if whole else (None, None)
        if ident is None:
            source, ident = named(_single(raw.headers, "ce_source"), _single(raw.headers, "ce_id"))
        return Unreadable(raw, error.reason, error.mend, source, ident)
    received_at = receipt_time(raw.appended_at, message.arrived_at)
    key = f"{envelope.source}/{envelope.id}"
    return Incoming(raw, message, envelope.source, envelope.id, key, received_at)


def _read_binary(raw: Raw) -> tuple[Envelope, Message]:
    envelope = check_envelope(ce_attributes(raw.headers))
    return envelope, _validated(BY_TYPE[envelope.type].model, check_size(raw.value))


def _read_structured(raw: Raw) -> tuple[Envelope, Message]:
    ce_attributes(raw.headers)
    value = check_size(raw.value)
    envelope = check_envelope(_attributes_of(value))
    return envelope, _validated(structured(BY_TYPE[envelope.type].model), value).data


def kind_of(message: Message) -> Kind:
    """The kind a message was read as."""
    return _BY_MODEL[type(message)]


_BY_MODEL = {kind.model: kind for kind in KINDS}


def check_size(value: bytes | None) -> bytes:
    """There is something, and not too much of it."""
    if value is None:
        raise UnreadableMessage(NO_CONTENT)
    if len(value) > MAX_BYTES:
        raise UnreadableMessage(TOO_LARGE)
    return value


def ce_attributes(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    """The headers that are ours, as text. Foreign ones may be anything and are left alone.

    A doubled attribute is refused: two readers could take different ones (ASVS 1.5.3). A number
    that cannot be counted refuses nothing.
    """
    found: dict[str, str] = {}
    for name, value in headers:
        if name in (NUMBER, RUN) or (not name.startswith("ce_") and name != "content-type"):
            continue
        if name in found:
            raise UnreadableMessage(DOUBLED_HEADER)
        if value is None:
            raise UnreadableMessage(NULL_HEADER)
        try:
            found[name] = value.decode()
        except UnicodeDecodeError:
            raise UnreadableMessage(HEADER_NOT_UTF_8) from None
    return {name.removeprefix("ce_"): value for name, value in found.items()}


def _single(headers: Iterable[tuple[str, bytes | None]], name: str) -> str | None:
    """The value of a header that is there once and is text."""
    found = [value for each, value in headers if each == name]
    try:
        return found[0].decode() if len(found) == 1 and found[0] is not None else None
    except UnicodeDecodeError:
        return None


def check_envelope(attributes: Mapping[str, Any]) -> Envelope:
    """The attributes, checked; raises `UnreadableMessage`."""
    try:
        envelope = Envelope.model_validate(attributes)
    except ValidationError as error:
        raise UnreadableMessage(BAD_ENVELOPE, problems(error)) from None
    if envelope.specversion != "1.0":
        raise UnreadableMessage(BAD_ENVELOPE)
    if envelope.type not in BY_TYPE:
        raise UnreadableMessage(UNKNOWN_TYPE)
    if contains_hetu(envelope.id) or contains_hetu(envelope.source):
        raise UnreadableMessage(PERSONAL_DATA_IN_ID)
    return envelope


def _attributes_of(value: bytes) -> dict[str, Any]:
    """The attributes of a structured event; its content is read once its type is known."""
    try:
        whole = orjson.loads(value)
    except orjson.JSONDecodeError:
        # pydantic's reader says where it breaks; what it takes and orjson does not is refused too
        _validated(Envelope, value)
        raise UnreadableMessage(INVALID_CONTENT) from None
    if not isinstance(whole, dict):
        raise UnreadableMessage(INVALID_CONTENT)
    return {name: whole[name] for name in Envelope.model_fields if name in whole}


def peek(value: bytes) -> tuple[str | None, str | None]:
    """Source and id of a structured event, where they can be had, for the answer to its source."""
    try:
        whole = orjson.loads(value)
        return named(whole.get("source"), whole.get("id"))
    except (orjson.JSONDecodeError, AttributeError):
        return None, None


def named(source: Any, ident: Any) -> tuple[str | None, str | None]:
    """Source and id as far as both can be repeated to the source: well-formed, nobody's hetu."""
    try:
        Envelope(specversion="1.0", id=ident, source=source, type="")
    except ValidationError:
        return None, None
    return (None, None) if contains_hetu(ident + " " + source) else (source, ident)


def spoken_by(
    source: str, message: Incoming[Message] | Unreadable
) -> Incoming[Message] | Unreadable:
    """Over HTTP the source is the token's: a structured event cannot speak for another."""
    if isinstance(message, Unreadable):
        return message._replace(source=source)
    return message._replace(source=source, key=f"{source}/{message.id}")


def read_original(model: type[Message], value: bytes) -> Message | None:
    """The content of an accepted original, in either mode; None if it was of another kind."""
    with contextlib.suppress(ValidationError):
        return model.model_validate_json(value)
    with contextlib.suppress(ValidationError):
        return cast("Message", structured(model).model_validate_json(value).data)
    return None


def _validated(model: type[Any], value: bytes) -> Any:
    """The content as its model says; of a doubled key readers keep different values: refused."""
    doubled = _has_doubled_key(value)
    if doubled:
        raise UnreadableMessage(DOUBLED_KEY)
    try:
        content = model.model_validate_json(value)
    except ValidationError as error:
        raise UnreadableMessage(INVALID_CONTENT, problems(error)) from None
    if doubled is None:  # pydantic takes it, and another reader does not
        raise UnreadableMessage(INVALID_CONTENT)
    return content


def _has_doubled_key(value: bytes) -> bool | None:
    """None where the value is no JSON or nested too deeply: pydantic's reader says where."""
    try:
        return has_doubled_key(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return None


def _names_in(model: type[BaseModel]) -> set[str]:
    """The names of a model's fields and of those of its parts."""
    names = set(model.model_fields)
    for field in model.model_fields.values():
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                names |= _names_in(part)
    return names


KNOWN_NAMES = frozenset(
    {"data"}.union(Envelope.model_fields, *(_names_in(kind.model) for kind in KINDS))
)


def problems(error: ValidationError, most: int = 5) -> str:
    """What is wrong and where, in words, without any value or field name of the message."""
    told = []
    found = _without_echoes(
        error.errors(include_url=False, include_context=False, include_input=False)
    )
    for problem in found[:most]:
        place = ".".join(
            str(part) if isinstance(part, int) or part in KNOWN_NAMES else "?"
            for part in problem["loc"]
        )
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            message = "a field this version does not know; check its spelling"
        if problem["type"] == "string_pattern_mismatch":
            message = "not in the form of the schema: no control characters, not only blanks"
        told.append(f"{place}: {message}" if place else message)
    more = len(found) - most
    return "; ".join(told) + (f"; and {more} more" if more > 0 else "")


def _without_echoes(found: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Without "too short" of a list with a wrong part: pydantic counts the right ones alone."""
    places = [problem["loc"] for problem in found]
    return [
        problem
        for problem in found
        if problem["type"] != "too_short"
        or not any(
            len(place) > len(problem["loc"]) and place[: len(problem["loc"])] == problem["loc"]
            for place in places
        )
    ]


def receipt_time(appended_at: datetime, stated: datetime | None) -> datetime:
    """The earlier of the stated arrival and the broker's or request's time (law.md CLK-11).

    A stated time ahead of the append time is ignored; nothing can arrive before it came.
    """
    return appended_at if stated is None else min(appended_at, stated)
