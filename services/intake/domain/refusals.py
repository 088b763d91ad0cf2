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

REFUSALS = (
    NO_CONTENT, TOO_LARGE, DOUBLED_HEADER, NULL_HEADER, HEADER_NOT_UTF_8, BAD_ENVELOPE,
    UNKNOWN_TYPE, PERSONAL_DATA_IN_ID, INVALID_CONTENT, SAME_ID_OTHER_CONTENT,
    WITHDRAWS_UNKNOWN,
)  # fmt: skip


class UnreadableMessage(Exception):
    """A message that cannot be taken; `mend` says what to do, nothing of its content."""

    def __init__(self, refusal: Refusal, found: str = "") -> None:
        """`found` names what is wrong and where, without any value of the message."""
        super().__init__(refusal.reason)
        self.reason = refusal.reason
        self.mend = f"{found}. {refusal.mend}" if found else refusal.mend
