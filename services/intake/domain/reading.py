"""Reading a message at the outer edge: envelope, content, receipt time, coded facts. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from services.intake.domain.refusals import (
    BAD_ENVELOPE,
    DOUBLED_HEADER,
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
from shared.clock import HELSINKI
from shared.events import AgeBand, Notification, NotifiedChild, age_band_on
from shared.hetu import birth_date, contains_hetu
from shared.inbox import Incoming, Raw, Unreadable

STRUCTURED = "application/cloudevents+json"


class Envelope(BaseModel):
    """The attributes of CloudEvents 1.0 that intake needs."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", hide_input_in_errors=True)

    specversion: str
    id: events.SourceId
    source: events.SourceId
    type: str


class StructuredNotification(Envelope):
    """A whole event in the body (structured mode)."""

    data: Notification


def read_notification(raw: Raw) -> Incoming[Notification] | Unreadable:
    """A child-protection notification from a Kafka record, binary or structured mode."""
    source = ident = None
    try:
        attributes = ce_attributes(raw.headers)
        structured = attributes.get("content-type", "").startswith(STRUCTURED)
        if not structured:
            envelope = check_envelope(attributes)
            source, ident = envelope.source, envelope.id
        value = check_size(raw.value)
        if structured:
            source, ident = peek(value)
            whole = _validated(StructuredNotification, value)
            check_envelope(whole.model_dump(include={"specversion", "id", "source", "type"}))
            notification = whole.data
        else:
            notification = _validated(Notification, value)
    except UnreadableMessage as error:
        if ident is None:
            source, ident = named(_single(raw.headers, "ce_source"), _single(raw.headers, "ce_id"))
        return Unreadable(raw, error.reason, error.mend, source, ident)
    assert source is not None  # noqa: S101 -- the envelope was checked
    assert ident is not None  # noqa: S101 -- same
    received_at = receipt_time(raw.appended_at, notification.arrived_at)
    return Incoming(raw, notification, source, ident, f"{source}/{ident}", received_at)


def check_size(value: bytes | None) -> bytes:
    """There is something, and not too much of it."""
    if value is None:
        raise UnreadableMessage(NO_CONTENT)
    if len(value) > MAX_BYTES:
        raise UnreadableMessage(TOO_LARGE)
    return value


def ce_attributes(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    """The headers that are ours, as text. Foreign ones may be anything and are left alone.

    A doubled attribute is refused: two readers could take different ones (ASVS 1.5.3).
    """
    found: dict[str, str] = {}
    for name, value in headers:
        if not name.startswith("ce_") and name != "content-type":
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
    if envelope.type != events.NOTIFICATION_TYPE:
        raise UnreadableMessage(UNKNOWN_TYPE)
    if contains_hetu(envelope.id) or contains_hetu(envelope.source):
        raise UnreadableMessage(PERSONAL_DATA_IN_ID)
    return envelope


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
    source: str, message: Incoming[Notification] | Unreadable
) -> Incoming[Notification] | Unreadable:
    """Over HTTP the source is the token's: a structured event cannot speak for another."""
    if isinstance(message, Unreadable):
        return message._replace(source=source)
    return message._replace(source=source, key=f"{source}/{message.id}")


def read_original(value: bytes) -> Notification:
    """The content of an original that was accepted before, in either mode."""
    try:
        return Notification.model_validate_json(value)
    except ValidationError:
        return StructuredNotification.model_validate_json(value).data


def _validated(model: type[Any], value: bytes) -> Any:
    try:
        return model.model_validate_json(value)
    except ValidationError as error:
        raise UnreadableMessage(INVALID_CONTENT, problems(error)) from None


KNOWN_NAMES = frozenset(
    name
    for model in (
        Envelope, StructuredNotification, Notification, NotifiedChild, events.Notifier,
        events.Guardian, events.Urgency,
    )
    for name in model.model_fields
)  # fmt: skip


def problems(error: ValidationError, most: int = 5) -> str:
    """What is wrong and where, in words, without any value or field name of the message."""
    told = []
    for problem in error.errors(include_url=False, include_context=False, include_input=False)[
        :most
    ]:
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
    more = error.error_count() - most
    return "; ".join(told) + (f"; and {more} more" if more > 0 else "")


def receipt_time(appended_at: datetime, stated: datetime | None) -> datetime:
    """The earlier of the stated arrival and the broker's or request's time (law.md CLK-11).

    A stated time ahead of the append time is ignored; nothing can arrive before it came.
    """
    return appended_at if stated is None else min(appended_at, stated)


def coded_facts(notification: Notification, child: NotifiedChild) -> dict[str, Any]:
    """What may travel in the clear, as `CodedFacts`: answers and codes, nothing about persons."""
    urgency = notification.urgency
    return {
        "in_danger": urgency.in_danger,
        "assault_suspected": urgency.assault_suspected,
        "alone_guardians_unreachable": urgency.alone_guardians_unreachable,
        "judged_urgent_by_authority": urgency.judged_urgent_by_authority,
        "is_client": child.is_client,
        "knowledge": notification.knowledge,
        "reasons": notification.reasons,
    }


TEXTS = frozenset(
    {
        "observations", "knowledge", "reasons", "urgency", "right_recipient", "acts_done",
        "bodies_contacted", "police_report", "earlier_attempts", "family_knows", "child_knows",
        "expectations",
    }
)  # fmt: skip
"""Fields of a notification that make its text: all but persons and times."""


def age_band_of(child: NotifiedChild, received_at: datetime) -> AgeBand:
    """The age band on the day of receipt; unknown without a birth date."""
    born = birth_date(child.hetu) if child.hetu else child.birth_date
    return age_band_on(born, received_at.astimezone(HELSINKI).date()) if born else "unknown"
