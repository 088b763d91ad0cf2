"""Files at the desk: listed on the case, handed over as downloads, noted before a byte leaves."""

from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from services.intake.domain.attachments import TYPES
from services.routing.desk.attachments import EXTENSIONS
from services.routing.desk.words import FILE_TYPES
from shared.events import AttachedFile, Signal
from tests import files
from tests.builders import AChild, SetClock
from tests.deskside import a_desk
from tests.integration.test_desk import an_intake, clock
from tests.system import fetch

__all__ = ["clock"]  # the fixture

REPORT = AttachedFile(id=uuid4(), type="application/pdf", bytes=120_400)
PHOTO = AttachedFile(id=uuid4(), type="image/jpeg", bytes=9_999_999)


def place(signal: Signal, number: int) -> str:
    return f"/cases/{signal.child}/notifications/{signal.id}/attachments/{number}"


def a_file(request: httpx2.Request) -> httpx2.Response:
    """Intake's answer; a browser would show the type that it names."""
    return httpx2.Response(200, content=files.PDF, headers={"content-type": "text/html"})


async def test_the_case_page_lists_files_with_type_and_size_and_no_name_of_a_sender_s(
    database_url: str, tmp_path: Path, clock: SetClock
) -> None:
    async with a_desk(database_url, tmp_path, clock) as desk:
        signal = await desk.cases.notified(attachments=[REPORT, PHOTO])
        async with desk.browser("aino") as aino:
            page = await aino.open(f"/cases/{signal.child}")
            plain = await aino.open(f"/cases/{(await desk.cases.notified()).child}")
        case = await desk.get("aino", f"/cases/{signal.child}/content")
        outline = await desk.get("aino", f"/cases/{signal.child}")

    assert "Attachments: 2" in " ".join(page.text.split())
    assert f'href="{place(signal, 1)}" download>PDF 120 kB</a>' in page.text
    assert f'href="{place(signal, 2)}" download>JPEG picture 10000 kB</a>' in page.text
    assert "Attachments" not in plain.text
    assert [
        {"number": 1, "type": "application/pdf", "bytes": 120_400},
        {"number": 2, "type": "image/jpeg", "bytes": 9_999_999},
    ] == case["notifications"][0]["attachments"]
    assert [] == outline["notifications"][0]["attachments"]


@pytest.mark.parametrize("door", ["page", "api"])
async def test_a_file_leaves_as_a_download_that_no_browser_renders(
    database_url: str, tmp_path: Path, clock: SetClock, door: str
) -> None:
    asked: list[httpx2.Request] = []

    def intake(request: httpx2.Request) -> httpx2.Response:
        asked.append(request)
        return a_file(request)

    async with a_desk(
        database_url, tmp_path, clock, an_intake(database_url, tmp_path, intake)
    ) as desk:
        signal = await desk.cases.notified(attachments=[PHOTO, REPORT])
        if door == "api":
            async with desk.client("aino") as client:
                answer = await client.get("/api/v1" + place(signal, 2))
        else:
            async with desk.browser("aino") as aino:
                answer = await aino.open(place(signal, 2))

    assert files.PDF == answer.content
    assert 'attachment; filename="liite-2.pdf"' == answer.headers["content-disposition"]
    assert "application/octet-stream" == answer.headers["content-type"]
    assert "nosniff" == answer.headers["x-content-type-options"]
    assert "default-src 'none'; sandbox" == answer.headers["content-security-policy"]
    assert "no-store" == answer.headers["cache-control"]
    (request,) = asked
    assert f"/internal/messages/{signal.receipt_id}/attachments/{REPORT.id}" == request.url.path
    assert "aino" == request.headers["x-luotsi-worker"]


async def test_it_is_noted_for_the_child_and_the_file_before_intake_is_asked(
    database_url: str, tmp_path: Path, clock: SetClock
) -> None:
    intake = an_intake(database_url, tmp_path, lambda _: httpx2.Response(503))
    async with a_desk(database_url, tmp_path, clock, intake) as desk:
        signal = await desk.cases.notified(attachments=[REPORT])
        async with desk.browser("aino") as aino:
            answer = await aino.open(place(signal, 1))
        audit = await desk.rows("SELECT actor, act, subject FROM audit ORDER BY id")

    assert 503 == answer.status_code
    assert [
        ("aino", "attachment-opened", str(signal.child)),
        ("aino", "attachment-opened", str(REPORT.id)),
    ] == [tuple(row) for row in audit]


async def test_nothing_leaves_while_the_audit_trail_cannot_be_written(
    database_url: str, tmp_path: Path, clock: SetClock
) -> None:
    def never(_: httpx2.Request) -> httpx2.Response:
        raise AssertionError("intake was asked without a note")

    async with a_desk(
        database_url, tmp_path, clock, an_intake(database_url, tmp_path, never)
    ) as desk:
        signal = await desk.cases.notified(attachments=[REPORT])
        await fetch(database_url, "ALTER TABLE routing.audit RENAME TO away")
        async with desk.browser("aino") as aino:
            answer = await aino.open(place(signal, 1))

    assert 503 == answer.status_code


async def test_an_erased_file_is_said_to_be_erased(
    database_url: str, tmp_path: Path, clock: SetClock
) -> None:
    intake = an_intake(database_url, tmp_path, lambda _: httpx2.Response(410))
    async with a_desk(database_url, tmp_path, clock, intake) as desk:
        signal = await desk.cases.notified(attachments=[REPORT])
        async with desk.browser("aino") as aino:
            page = await aino.open(place(signal, 1))
        async with desk.client("aino") as client:
            told = await client.get("/api/v1" + place(signal, 1))

    assert 410 == page.status_code == told.status_code
    assert "The attachment has been erased." in page.text
    assert "urn:luotsi:problem:erased-attachment" == told.json()["type"]


async def test_a_file_is_there_only_for_its_own_case_and_for_who_is_logged_in(
    database_url: str, tmp_path: Path, clock: SetClock
) -> None:
    async with a_desk(
        database_url, tmp_path, clock, an_intake(database_url, tmp_path, a_file)
    ) as desk:
        signal = await desk.cases.notified(attachments=[REPORT])
        other = await desk.cases.notified(AChild(number=904))
        wrong = [
            place(signal, 2), place(signal, 0), place(signal, -1), place(other, 1),
            place(signal, 1).replace(str(signal.child), str(other.child)),
            place(signal, 1).replace(signal.id, "nothing"),
        ]  # fmt: skip
        async with desk.browser("aino") as aino:
            found = {(await aino.open(path)).status_code for path in wrong}
        async with desk.client() as nobody:
            page = await nobody.get(place(signal, 1))
            api = await nobody.get("/api/v1" + place(signal, 1))
        audit = await desk.rows("SELECT 1 FROM audit")

    assert {404} == found
    assert (303, 401) == (page.status_code, api.status_code)
    assert [] == audit


def test_the_desk_has_words_and_an_ending_for_every_type_that_intake_takes() -> None:
    assert set(TYPES) == set(FILE_TYPES) == set(EXTENSIONS)
