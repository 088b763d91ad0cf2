"""The type of a file by its content: what is taken, what lies, what would burst."""

import struct
import time
import tracemalloc
from io import BytesIO
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZipFile

import pytest

from services.intake.domain.attachments import (
    DOCX,
    JPEG,
    MAX_UNPACKED,
    ODT,
    PDF,
    PNG,
    TEXT,
    RefusedFile,
    type_of,
)
from services.intake.domain.refusals import MAX_ATTACHMENT_BYTES
from tests import files


def refused(content: bytes, declared: str = "") -> str:
    with pytest.raises(RefusedFile) as error:
        type_of(content, declared)
    return error.value.refusal.reason


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (files.PDF, PDF), (files.png(), PNG), (files.JPEG, JPEG), (files.TEXT, TEXT),
        (b"\xef\xbb\xbf" + files.TEXT, TEXT), (files.docx(), DOCX), (files.odt(), ODT),
    ],
)  # fmt: skip
def test_each_type_is_known_by_its_content_alone(content: bytes, found: str) -> None:
    assert found == type_of(content) == type_of(content, "application/octet-stream")
    assert found == type_of(content, f"{found.upper()}; charset=utf-8")


@pytest.mark.parametrize(
    ("content", "declared"),
    [
        (files.PDF, "image/png"), (files.TEXT, "application/pdf"), (files.docx(), PDF),
        (files.odt(), DOCX), (files.TEXT, "text/html"), (files.PDF, "kanarialintu"),
        (files.TEXT, "application/x-www-form-urlencoded"),
    ],
)  # fmt: skip
def test_a_declared_type_that_the_content_has_not_is_refused(content: bytes, declared: str) -> None:
    assert "attachment-declared-otherwise" == refused(content, declared)


@pytest.mark.parametrize(
    "content",
    [
        b"MZ\x90\x00", b"\x7fELF\x02", b"GIF89a\x01\x00", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"RIFF\x24\x00\x00\x00WAVEfmt ", "Äiti soitti.".encode("latin-1"),
        "Äiti soitti.".encode("utf-16"), b"text\x00with a null", b"text\x1b[2J", b"\xc3",
        files.container({"photo.jpg": files.JPEG}), files.container({"xl/workbook.xml": b"<w/>"}),
    ],
)  # fmt: skip
def test_what_is_not_on_the_list_is_refused(content: bytes) -> None:
    assert "attachment-type" == refused(content)


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><p>x", b"\n\n <HTML>", b"\xef\xbb\xbf<svg onload=alert(1)>", b"<?xml ?>",
        b"<!-- x --><svg/>", b"Hei! <script>alert(1)</script>", b"{\\rtf1 \\object}", b"%!PS-Adobe",
        b"#!/bin/sh\nrm",
    ],
)  # fmt: skip
def test_markup_and_programs_are_no_plain_text(content: bytes) -> None:
    assert "attachment-markup" == refused(content)


def test_a_person_may_write_a_bracket() -> None:
    assert TEXT == type_of("Lapsi painaa < 30 kg ja sanoi <pelkään>.".encode())


@pytest.mark.parametrize(
    "content",
    [
        files.JPEG[:20] + files.PDF, b"text first\n" + files.PDF, files.PDF + files.docx(),
        files.png() + files.docx(),
    ],
)  # fmt: skip
def test_a_file_of_two_types_is_refused(content: bytes) -> None:
    assert "attachment-two-types" == refused(content)


def test_a_container_has_nothing_before_or_behind_it() -> None:
    assert "attachment-container" == refused(files.docx() + b"<html>")
    assert "attachment-two-types" == refused(b"PK\x03\x04" + b"\0" * 40 + files.docx())


@pytest.mark.parametrize(
    "content",
    [
        files.docx(main=files.MACRO_MAIN),
        files.docx({"word/vbaProject.bin": b"x"}),
        files.docx({"word/VBAProject.bin": b"x"}),
        files.docx({"word/activeX/activeX1.bin": b"x"}),
        files.docx({"word/embeddings/table.xlsm": b"x"}),
        files.docx(
            main=f'{files.MAIN}"/><Default ContentType="application/vnd.ms-office.vbaProject'
        ),
        files.docx(main=f'{files.MAIN}"/><Default ContentType="macro&#69;nabled'),
        files.odt({"Basic/Standard/Module1.xml": b"x"}),
        files.odt({"Scripts/python/x.py": b"x"}),
    ],
)
def test_a_document_with_macros_or_active_parts_is_refused(content: bytes) -> None:
    assert "attachment-macros" == refused(content)
    assert "attachment-macros" == refused(content, DOCX)


def test_a_template_or_another_open_document_is_not_taken_for_a_text() -> None:
    assert "attachment-type" == refused(
        files.docx(main=files.MAIN.replace("document.main", "template.main"))
    )
    assert "attachment-type" == refused(files.odt({"mimetype": files.ODT_TYPE + b"-template"}))


def flagged(content: bytes, flag: int) -> bytes:
    """The container with a bit set for its first entry, in both places."""
    changed = bytearray(content)
    at = content.index(b"PK\x01\x02")
    changed[6] |= flag
    changed[at + 8] |= flag
    return bytes(changed)


@pytest.mark.parametrize(
    "content",
    [
        files.docx({"[Content_Types].xml": files.MAIN.encode() + b" " * 1_000_000}),
        flagged(files.docx(), 1), files.docx()[:-30], b"PK\x03\x04", b"PK\x03\x04" + b"\0" * 90,
        files.container({"[Content_Types].xml": b"x", "word/document.xml": b"x"}, ZIP_BZIP2),
    ],
)  # fmt: skip
def test_a_damaged_or_locked_container_is_refused(content: bytes) -> None:
    assert "attachment-container" == refused(content)


def test_a_name_twice_is_refused_because_readers_take_different_ones() -> None:
    content = files.docx({"[content_types].XML": b"<Types/>"})

    assert "attachment-container" == refused(content)


def a_bomb() -> bytes:
    """1 GB of nothing in 1 MB, in a document that is right otherwise."""
    made = BytesIO(files.docx())
    with ZipFile(made, "a", ZIP_DEFLATED) as file, file.open("word/media/x.xml", "w") as part:
        for _ in range(1000):
            part.write(b"\0" * 1_000_000)
    return made.getvalue()


def a_lying_bomb() -> bytes:
    """100 MB in the one part that is read, said to be 10 bytes."""
    content = bytearray(
        files.container(
            {"[Content_Types].xml": b"\0" * 100_000_000, "word/document.xml": b"x"}, ZIP_DEFLATED
        )
    )
    at = content.index(b"PK\x01\x02")
    content[at + 24 : at + 28] = struct.pack("<I", 10)
    return bytes(content)


def a_crowd() -> bytes:
    """As many entries as 10 MB hold: each costs its reader an object."""
    entry = b"PK\x01\x02" + bytes(24) + struct.pack("<H", 1) + bytes(16) + b"x"
    count = (MAX_ATTACHMENT_BYTES - 100) // len(entry)
    size = struct.pack("<II", count * len(entry), 4)
    end = b"PK\x05\x06" + bytes(4) + b"\xff\xff\xff\xff" + size + b"\0\0"
    return b"PK\x03\x04" + entry * count + end


@pytest.mark.parametrize("bomb", [a_bomb, a_lying_bomb, a_crowd])
def test_a_bomb_costs_little_time_and_memory(bomb: object) -> None:
    content = bomb()  # type: ignore[operator]
    assert len(content) <= MAX_UNPACKED // 10

    tracemalloc.start()
    started = time.process_time()
    reason = refused(content)
    seconds, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert "attachment-container" == reason
    assert seconds < 1.0
    assert peak < 3 * len(content) + 5_000_000


def test_nothing_is_no_file() -> None:
    assert "attachment-empty" == refused(b"")
