"""Which type a file has, by its content alone. Pure; reads at most 1 MB out of a container.

Own code and no library: `puremagic` and `filetype` look at the first bytes, which is the easy half
(four comparisons here). What matters is inside: whether a ZIP is a document, whether it has
macros, what unpacking it would cost, whether text is HTML. Nothing here makes a file harmless: it
is never rendered, and workstations still scan what they open.
"""

import codecs
import re
from collections.abc import Sequence
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from services.intake.domain.refusals import (
    ATTACHMENT_CONTAINER,
    ATTACHMENT_EMPTY,
    ATTACHMENT_MACROS,
    ATTACHMENT_MARKUP,
    ATTACHMENT_OTHERWISE,
    ATTACHMENT_TWO_TYPES,
    ATTACHMENT_TYPE,
    Refusal,
)

PDF = "application/pdf"
PNG = "image/png"
JPEG = "image/jpeg"
TEXT = "text/plain"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODT = "application/vnd.oasis.opendocument.text"
TYPES = (PDF, PNG, JPEG, TEXT, DOCX, ODT)

_ALIASES = {"image/jpg": JPEG, "image/pjpeg": JPEG}
_NO_CLAIM = frozenset({"", "application/octet-stream", "binary/octet-stream"})


class RefusedFile(Exception):
    """A file that is not taken, and why; says nothing of its content."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


def type_of(content: bytes, declared: str = "") -> str:
    """One of `TYPES`. `declared` is the header content-type; raises `RefusedFile`."""
    if not content:
        raise RefusedFile(ATTACHMENT_EMPTY)
    found = _found(content)
    claim = declared.partition(";")[0].strip().lower()
    if claim not in _NO_CLAIM and _ALIASES.get(claim, claim) != found:
        raise RefusedFile(ATTACHMENT_OTHERWISE)
    return found


def _found(content: bytes) -> str:
    if content.startswith(b"PK\x03\x04"):
        return _document(content)
    if content.startswith(b"%PDF-"):
        found = PDF
    elif content.startswith(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"):
        found = PNG
    elif content.startswith(b"\xff\xd8\xff"):
        found = JPEG
    else:
        found = _text(content)
    # Readers of PDF look for its mark in the first kilobyte, readers of ZIP for theirs at the end.
    if (found != PDF and b"%PDF-" in content[:1024]) or _ends_as_zip(content):
        raise RefusedFile(ATTACHMENT_TWO_TYPES)
    return found


def _ends_as_zip(content: bytes) -> bool:
    """Whether a record that ends a ZIP, with its comment, stands exactly at the end."""
    at = content.rfind(b"PK\x05\x06", -_END - 0xFFFF)
    return at >= 0 and at + _END + int.from_bytes(content[at + 20 : at + 22], "little") == len(
        content
    )


# --- text ---------------------------------------------------------------------------------------

_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f")) + b"\x7f"
_OPENINGS = re.compile(rb"\s*(<[a-z!?/]|\{\\rtf|%!|#!)", re.IGNORECASE)
_TAGS = re.compile(rb"<\s*(!doctype|html|svg|script|iframe|body)\b", re.IGNORECASE)
_STEP = 1 << 18  # other threads get their turn between two pieces


def _text(content: bytes) -> str:
    """Plain UTF-8 without control characters that does not begin as markup or a program."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for at in range(0, len(content), _STEP):
            piece = content[at : at + _STEP]
            decoder.decode(piece)
            if len(piece.translate(None, _CONTROLS)) != len(piece):
                raise RefusedFile(ATTACHMENT_TYPE)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise RefusedFile(ATTACHMENT_TYPE) from None
    head = content[:4096].removeprefix(codecs.BOM_UTF8)
    if _OPENINGS.match(head) or _TAGS.search(head):
        raise RefusedFile(ATTACHMENT_MARKUP)
    return TEXT


# --- documents in a ZIP container ---------------------------------------------------------------

MAX_UNPACKED = 100_000_000
_MAX_DIRECTORY = 500_000  # bytes; at most some 10,000 entries, listed in 0.1 s
_MAX_PART = 1_000_000
_END = 22  # bytes of the record that ends a ZIP
# That of a template, or of a document with macros, is another.
_WORD_MAIN = b"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_ACTIVE = re.compile(
    r"vba(project|data)|(^|/)activex/|^(basic|scripts)/|\.(docm|dotm|xlsm|xltm|xlsb|pptm|ppam)$",
    re.IGNORECASE,
)


def _document(content: bytes) -> str:
    """A DOCX or ODT, by what the container names and the few bytes that say what it is."""
    _check_end(content)
    try:
        with ZipFile(BytesIO(content)) as container:
            return _type_inside(container, len(content))
    except RefusedFile:
        raise
    except Exception:  # noqa: BLE001 -- zipfile raises a dozen kinds for a damaged file
        raise RefusedFile(ATTACHMENT_CONTAINER) from None


def _type_inside(container: ZipFile, length: int) -> str:
    entries = container.infolist()
    _check_entries(entries, length)
    names = {entry.filename for entry in entries}
    if any(_ACTIVE.search(name) for name in names):
        raise RefusedFile(ATTACHMENT_MACROS)
    if {"[Content_Types].xml", "word/document.xml"} <= names:
        return _docx(_part(container, "[Content_Types].xml"))
    if entries and entries[0].filename == "mimetype":
        return _odt(_part(container, "mimetype"))
    raise RefusedFile(ATTACHMENT_TYPE)


def _check_end(content: bytes) -> None:
    """The container ends where the file ends, begins where it begins, and its list is short.

    `ZipFile` makes an object of every entry before anybody can count them.
    """
    end = content[-_END:]
    size, start = int.from_bytes(end[12:16], "little"), int.from_bytes(end[16:20], "little")
    far = content[-_END - 20 :].startswith(b"PK\x06\x07")  # ZIP64: for files beyond 4 GB
    if not end.startswith(b"PK\x05\x06") or end[20:] != b"\0\0" or far or size > _MAX_DIRECTORY:
        raise RefusedFile(ATTACHMENT_CONTAINER)
    if start + size != len(content) - _END:
        raise RefusedFile(ATTACHMENT_TWO_TYPES)


def _check_entries(entries: Sequence[ZipInfo], length: int) -> None:
    """No name twice, no password, no rare packing, no entries over one another, no bomb."""
    if (
        len({entry.filename.lower() for entry in entries}) != len(entries)
        or any(entry.flag_bits & 1 for entry in entries)
        or any(entry.compress_type not in (ZIP_STORED, ZIP_DEFLATED) for entry in entries)
        or sum(entry.compress_size for entry in entries) > length
        or sum(entry.file_size for entry in entries) > MAX_UNPACKED
    ):
        raise RefusedFile(ATTACHMENT_CONTAINER)


def _part(container: ZipFile, name: str) -> bytes:
    with container.open(name) as part:
        content = part.read(_MAX_PART + 1)
    if len(content) > _MAX_PART:
        raise RefusedFile(ATTACHMENT_CONTAINER)
    return content


def _docx(types: bytes) -> str:
    """By its list of content types. Word writes no entity there: one would only hide a type."""
    if b"&" in types or b"<!" in types or re.search(rb"macroenabled|vba|activex", types.lower()):
        raise RefusedFile(ATTACHMENT_MACROS)
    if _WORD_MAIN not in types:
        raise RefusedFile(ATTACHMENT_TYPE)
    return DOCX


def _odt(mimetype: bytes) -> str:
    if mimetype != ODT.encode():
        raise RefusedFile(ATTACHMENT_TYPE)
    return ODT
