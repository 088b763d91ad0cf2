"""Small files of each type, made here: nothing in them is about anybody."""

import struct
import zlib
from collections.abc import Mapping
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

PDF = b"%PDF-1.7\n1 0 obj <</Type /Catalog>> endobj\ntrailer <</Root 1 0 R>>\n%%EOF\n"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9"
TEXT = "Äidin viesti opettajalle.\nToinen rivi.\n".encode()
MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
MACRO_MAIN = "application/vnd.ms-word.document.macroEnabled.main+xml"
ODT_TYPE = b"application/vnd.oasis.opendocument.text"


def png() -> bytes:
    """One black point."""

    def chunk(name: bytes, content: bytes) -> bytes:
        length, check = struct.pack(">I", len(content)), zlib.crc32(name + content)
        return length + name + content + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0\0"))
        + chunk(b"IEND", b"")
    )


def container(parts: Mapping[str, bytes], packing: int = ZIP_DEFLATED) -> bytes:
    """A ZIP of these parts, in their order; `mimetype` is stored as it is."""
    made = BytesIO()
    with ZipFile(made, "w", packing) as file:
        for name, content in parts.items():
            file.writestr(name, content, ZIP_STORED if name == "mimetype" else packing)
    return made.getvalue()


def docx(parts: Mapping[str, bytes] | None = None, main: str = MAIN) -> bytes:
    """A Word document; `parts` come besides, or instead of its own."""
    types = f'<Types><Override PartName="/word/document.xml" ContentType="{main}"/></Types>'
    own = {"[Content_Types].xml": types.encode(), "word/document.xml": b"<w:document/>"}
    return container({**own, **(parts or {})})


def odt(parts: Mapping[str, bytes] | None = None) -> bytes:
    """An OpenDocument text; `parts` come besides, or instead of its own."""
    return container({"mimetype": ODT_TYPE, "content.xml": b"<office:document/>", **(parts or {})})


def large_pdf(size: int) -> bytes:
    """A PDF of exactly this many bytes."""
    return PDF[:9] + b"%" + b"x" * (size - len(PDF) - 2) + b"\n" + PDF[9:]
