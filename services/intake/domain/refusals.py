"""Why a message is not taken: every reason code a source can be told, with its cause and mend.

`docs/errors.md` is made from this list (``make contracts``).
"""

from typing import NamedTuple

from shared.kinds import KINDS

MAX_BYTES = 1_000_000


class Refusal(NamedTuple):
    """One reason: its code in answers, its HTTP status, and the words for an engineer."""

    reason: str
    status: int
    cause: str
    mend: str


_ENVELOPE = (
    "Send CloudEvents 1.0: specversion 1.0, id, source and type, each once, in UTF-8; "
    "over HTTP your id in the header ce-id is enough."
)

NO_CONTENT = Refusal(
    "no-content", 422, "The record has no value.", "Send the content in the record's value."
)
TOO_LARGE = Refusal(
    "too-large", 413, "The message is larger than Luotsi takes.", f"Send at most {MAX_BYTES} bytes."
)
DOUBLED_HEADER = Refusal(
    "doubled-header", 400, "An attribute of the envelope is there twice.", _ENVELOPE
)
NULL_HEADER = Refusal("null-header", 400, "An attribute of the envelope has no value.", _ENVELOPE)
HEADER_NOT_UTF_8 = Refusal(
    "header-not-utf-8", 400, "An attribute of the envelope is not UTF-8.", _ENVELOPE
)
BAD_ENVELOPE = Refusal(
    "bad-envelope", 400, "An attribute of the envelope is missing or malformed.", _ENVELOPE
)
UNKNOWN_TYPE = Refusal(
    "unknown-type", 422, "The envelope's type is not one that this version takes.",
    "Use one of these: " + ", ".join(kind.type for kind in KINDS)
    + "; other kinds and versions are not known.",
)  # fmt: skip
PERSONAL_DATA_IN_ID = Refusal(
    "personal-data-in-id", 422, "The id or the source holds a henkilötunnus.",
    "Use an id and a source without a henkilötunnus or a name.",
)  # fmt: skip
INVALID_CONTENT = Refusal(
    "invalid-content", 422, "A field of the content is missing, misspelt or not valid.",
    "Mend the fields named and send it again under the same id.",
)  # fmt: skip
DOUBLED_KEY = Refusal(
    "doubled-key", 422, "An object of the content names a field twice.",
    "Two readers could take different values, so Luotsi takes neither. Name each field once and "
    "send it again under the same id.",
)  # fmt: skip
SAME_ID_OTHER_CONTENT = Refusal(
    "same-id-other-content", 409, "The id was used before for other content.",
    "This id was used before for other content. Send a correction under a new id; "
    "the earlier message stands.",
)  # fmt: skip
WITHDRAWS_UNKNOWN = Refusal(
    "withdraws-unknown", 422, "A withdrawal names a message that was not accepted.",
    "Name your own id of a message that was accepted; if it has not arrived yet, send the "
    "withdrawal again after it.",
)  # fmt: skip
NOT_YOUR_KIND = Refusal(
    "not-your-kind", 403, "The source is not one that may send this kind.",
    "Ask the county to name your source for this kind (docs/integration.md, The feeds).",
)  # fmt: skip
WRONG_TOPIC = Refusal(
    "wrong-topic", 422, "This kind is taken from a topic of its own.",
    "Send it to the topic of its kind (docs/integration.md, The feeds).",
)  # fmt: skip

REFUSALS = (
    NO_CONTENT, TOO_LARGE, DOUBLED_HEADER, NULL_HEADER, HEADER_NOT_UTF_8, BAD_ENVELOPE,
    UNKNOWN_TYPE, PERSONAL_DATA_IN_ID, INVALID_CONTENT, DOUBLED_KEY,
    SAME_ID_OTHER_CONTENT, WITHDRAWS_UNKNOWN, NOT_YOUR_KIND, WRONG_TOPIC,
)  # fmt: skip

# --- files: what is refused here was not kept ----------------------------------------------------

MAX_ATTACHMENT_BYTES = 10_000_000

_TYPES = "Send a PDF, a PNG or JPEG picture, plain text in UTF-8, or a DOCX or ODT document."

ATTACHMENT_EMPTY = Refusal(
    "attachment-empty", 422, "The request has no bytes.", "Send the file's bytes as the body."
)
ATTACHMENT_TOO_LARGE = Refusal(
    "attachment-too-large", 413, "The file is larger than Luotsi takes.",
    f"Send at most {MAX_ATTACHMENT_BYTES} bytes.",
)  # fmt: skip
ATTACHMENT_TYPE = Refusal(
    "attachment-type",
    415,
    "The content is of no type that Luotsi takes, whatever its name.",
    _TYPES,
)
ATTACHMENT_MARKUP = Refusal(
    "attachment-markup", 415, "The content is HTML, SVG, XML, RTF or a program, not plain text.",
    _TYPES,
)  # fmt: skip
ATTACHMENT_TWO_TYPES = Refusal(
    "attachment-two-types", 415, "The content can be read as files of two types.",
    "Export the document anew, without anything before or behind it.",
)  # fmt: skip
ATTACHMENT_MACROS = Refusal(
    "attachment-macros", 415, "The document holds macros or active parts.",
    "Save it without macros, or as a PDF.",
)  # fmt: skip
ATTACHMENT_CONTAINER = Refusal(
    "attachment-container", 415,
    "The document's container is damaged, protected by a password or far larger when unpacked.",
    "Save it anew, or as a PDF.",
)  # fmt: skip
ATTACHMENT_OTHERWISE = Refusal(
    "attachment-declared-otherwise", 415,
    "The header content-type names another type than the content has.",
    "Send the type that the content has, or application/octet-stream.",
)  # fmt: skip
ATTACHMENT_SLOW = Refusal(
    "attachment-slow", 408, "The file did not arrive within a minute.", "Send it again."
)
ATTACHMENTS_BUSY = Refusal(
    "attachments-busy", 503, "Too many files arrive at the same time.", "Send it again later."
)

ATTACHMENT_REFUSALS = (
    ATTACHMENT_EMPTY, ATTACHMENT_TOO_LARGE, ATTACHMENT_TYPE, ATTACHMENT_MARKUP,
    ATTACHMENT_TWO_TYPES, ATTACHMENT_MACROS, ATTACHMENT_CONTAINER, ATTACHMENT_OTHERWISE,
    ATTACHMENT_SLOW, ATTACHMENTS_BUSY,
)  # fmt: skip


class UnreadableMessage(Exception):
    """A message that cannot be taken; `mend` says what to do, nothing of its content."""

    def __init__(self, refusal: Refusal, found: str = "") -> None:
        """`found` names what is wrong and where, without any value of the message."""
        super().__init__(refusal.reason)
        self.reason = refusal.reason
        self.mend = f"{found}. {refusal.mend}" if found else refusal.mend
