"""Files beside messages, on a real PostgreSQL: sent, named, sealed, opened, forgotten."""

import asyncio
import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from services.intake import attachments, store
from services.intake.domain.refusals import MAX_ATTACHMENT_BYTES
from services.intake.retention import KEEP_UNNAMED, forget_unnamed
from shared import events
from shared.contract import EXAMPLES
from shared.kinds import BY_NAME
from tests import files
from tests.intakeside import DESK, NOW, Intake, bearer, intake, told
from tests.system import NOTIFICATION, fetch, value

__all__ = ["intake"]  # the fixture

OCTETS = "application/octet-stream"


async def send(
    intake: Intake, content: Any, source: str = "school-1", kind: str = OCTETS, **more: str
) -> Any:
    headers = {**bearer(source), "content-type": kind, **more}
    return await intake.http.post("/v1/attachments", content=content, headers=headers)


async def sent(intake: Intake, content: bytes = files.PDF, source: str = "school-1") -> str:
    answer = await send(intake, content, source)
    assert 201 == answer.status_code, answer.text
    return str(answer.json()["attachment"])


def naming(*idents: str) -> dict[str, Any]:
    return {**NOTIFICATION, "attachments": list(idents)}


async def opened(intake: Intake, message: str, ident: str) -> Any:
    return await intake.http.get(f"/internal/messages/{message}/attachments/{ident}", headers=DESK)


# --- sending ------------------------------------------------------------------------------------


async def test_a_file_is_answered_with_its_id_type_and_digest(intake: Intake) -> None:
    answer = await send(intake, files.docx())

    assert 201 == answer.status_code
    body = answer.json()
    assert UUID(body["attachment"]).version == 4  # says nothing, not even when
    assert hashlib.sha256(files.docx()).hexdigest() == body["sha256"]
    assert (len(files.docx()), files.MAIN.replace(".main+xml", "")) == (body["bytes"], body["type"])


async def test_the_same_bytes_of_the_same_source_are_one_file(intake: Intake) -> None:
    first, again = await asyncio.gather(sent(intake), sent(intake))
    third, others = await sent(intake), await sent(intake, source="police-1")

    assert first == again == third != others
    assert 2 == await value(intake.admin_url, "SELECT count(*) FROM intake.attachment")
    assert 2 == await value(intake.admin_url, "SELECT count(*) FROM keys.data_key")


async def test_a_file_that_comes_while_it_is_being_kept_is_one_file(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second request is through between the first one's looking it up and keeping it."""
    meanwhile: list[str] = []
    looked_up = store.sent_again

    async def slowly(*of: Any) -> Any:
        found = await looked_up(*of)
        if not meanwhile:
            meanwhile.append("on its way")
            meanwhile[0] = await sent(intake)
        return found

    monkeypatch.setattr(store, "sent_again", slowly)

    assert [await sent(intake)] == meanwhile
    assert 1 == await value(intake.admin_url, "SELECT count(*) FROM intake.attachment")


async def test_what_was_erased_and_is_sent_again_is_a_new_file(intake: Intake) -> None:
    first = await sent(intake)
    await fetch(intake.admin_url, "DELETE FROM keys.data_key WHERE id = $1", UUID(first))

    again, third = await sent(intake), await sent(intake)

    assert first != again == third


async def test_nothing_of_a_file_is_in_the_clear_and_no_plain_digest_is_kept(
    intake: Intake, capfd: pytest.CaptureFixture[str]
) -> None:
    content = b"kanarialintu " * 50
    await sent(intake, content)
    refused = await send(intake, b"<html>kanarialintu", kind="kanarialintu/kanarialintu")

    (row,) = await fetch(intake.admin_url, "SELECT * FROM intake.attachment")
    kept = b" ".join(v if isinstance(v, bytes) else str(v).encode() for v in row.values())
    assert b"kanarialintu" not in kept
    assert hashlib.sha256(content).digest() not in kept
    assert hashlib.sha256(content).hexdigest().encode() not in kept
    assert "kanarialintu" not in refused.text
    logged = capfd.readouterr()
    assert "kanarialintu" not in logged.out + logged.err


@pytest.mark.parametrize(
    ("content", "kind", "status", "reason"),
    [
        (b"<html><script>alert(1)</script>", "text/html", 415, "attachment-markup"),
        (b"<svg xmlns='x' onload='alert(1)'/>", "image/svg+xml", 415, "attachment-markup"),
        (b"MZ\x90\x00", "application/pdf", 415, "attachment-type"),
        (files.PDF, "image/png", 415, "attachment-declared-otherwise"),
        (files.docx({"word/vbaProject.bin": b"x"}), OCTETS, 415, "attachment-macros"),
        (b"", OCTETS, 422, "attachment-empty"),
    ],
)
async def test_a_refused_file_is_told_why_and_not_kept(
    intake: Intake, content: bytes, kind: str, status: int, reason: str
) -> None:
    answer = await send(intake, content, kind=kind)

    assert status == answer.status_code
    assert f"urn:luotsi:problem:{reason}" == answer.json()["type"]
    assert "Send" in answer.json()["detail"] or "Save" in answer.json()["detail"]
    assert 0 == await value(intake.admin_url, "SELECT count(*) FROM intake.attachment")


async def test_ten_megabytes_are_taken_and_one_byte_more_is_not(intake: Intake) -> None:
    assert 201 == (await send(intake, files.large_pdf(MAX_ATTACHMENT_BYTES))).status_code

    answer = await send(intake, files.large_pdf(MAX_ATTACHMENT_BYTES + 1))

    assert 413 == answer.status_code
    assert "urn:luotsi:problem:attachment-too-large" == answer.json()["type"]


async def test_of_a_stream_without_a_length_no_more_is_read_than_shows_its_size(
    intake: Intake,
) -> None:
    given = 0

    async def endless() -> Any:
        nonlocal given
        while True:
            given += 1
            yield b"x" * 1_000_000

    answer = await send(intake, endless())

    assert 413 == answer.status_code
    assert given < 15


async def test_a_large_file_does_not_hold_up_others(intake: Intake) -> None:
    """The event loop answers between: the longest pause while 10 MB are taken, thrice."""
    longest = 0.0
    done = asyncio.Event()

    async def watch() -> None:
        nonlocal longest
        loop = asyncio.get_running_loop()
        while not done.is_set():
            before = loop.time()
            await asyncio.sleep(0.001)
            longest = max(longest, loop.time() - before)

    watching = asyncio.create_task(watch())
    for content in (
        files.large_pdf(MAX_ATTACHMENT_BYTES),
        b"Kertomus. " * (MAX_ATTACHMENT_BYTES // 10),
    ):
        await sent(intake, content)
    done.set()
    await watching

    assert longest < 0.25, "a batch of messages waits no longer than for a slow commit"


async def test_more_files_at_once_than_there_is_room_for_are_asked_to_come_later(
    intake: Intake,
) -> None:
    go_on = asyncio.Event()
    waiting = 0

    async def slow() -> Any:
        nonlocal waiting
        yield files.PDF[:10]
        waiting += 1
        await go_on.wait()
        yield files.PDF[10:]

    slow_ones = [asyncio.create_task(send(intake, slow())) for _ in range(attachments.AT_ONCE)]
    while waiting < attachments.AT_ONCE:
        await asyncio.sleep(0)
    refused = await send(intake, files.TEXT)
    go_on.set()
    taken = await asyncio.gather(*slow_ones)

    assert 503 == refused.status_code
    assert "5" == refused.headers["retry-after"]
    assert {201} == {answer.status_code for answer in taken}
    assert 201 == (await send(intake, files.TEXT)).status_code


async def test_a_file_that_does_not_come_in_time_gives_its_room_free(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "READ_SECONDS", 0.02)

    async def never() -> Any:
        yield files.PDF[:10]
        await asyncio.Event().wait()

    answers = [await send(intake, never()) for _ in range(attachments.AT_ONCE + 1)]

    assert {408} == {answer.status_code for answer in answers}


async def test_only_a_source_with_a_token_may_send(intake: Intake) -> None:
    answer = await send(intake, files.PDF, authorization="Bearer nobody")

    assert 401 == answer.status_code


# --- naming -------------------------------------------------------------------------------------


async def test_a_message_names_its_files_and_every_child_s_signal_carries_them(
    intake: Intake,
) -> None:
    idents = [await sent(intake), await sent(intake, files.png())]
    children = [{"hetu": "010594Y9032"}, {"name": "Testi Sisko"}]

    row = await intake.take({**naming(*idents, idents[0]), "children": children})

    signals = [events.Signal.model_validate(s, strict=False) for s in told(row, events.SIGNAL)]
    (receipt,) = told(row, events.INTAKE_RECEIPT)
    assert [[idents[0], idents[1]]] * 2 == [[str(f.id) for f in s.attachments] for s in signals]
    assert [("application/pdf", len(files.PDF)), ("image/png", len(files.png()))] == [
        (f.type, f.bytes) for f in signals[0].attachments
    ]
    assert ("accepted", None, None, None) == (
        receipt["outcome"], receipt["note"], receipt["mend"], row.reason
    )  # fmt: skip
    named = await fetch(intake.admin_url, "SELECT messages FROM intake.attachment")
    assert [[UUID(receipt["receipt_id"])]] * 2 == [r["messages"] for r in named]


async def test_over_http_as_over_kafka(intake: Intake) -> None:
    ident = await sent(intake)

    answer = await intake.post(naming(ident, str(uuid4())))

    assert 202 == answer.status_code
    assert "attachments.1" in answer.json()["mend"]
    state = await intake.http.get("/v1/messages/school-1/n-1", headers=bearer("school-1"))
    assert answer.json() == state.json()["answers"][0]


async def test_a_message_is_taken_without_the_files_that_are_not_its_source_s(
    intake: Intake,
) -> None:
    own, foreign = await sent(intake), await sent(intake, source="police-1")
    nobody = str(uuid4())

    row = await intake.take(naming(nobody, own, foreign), at=NOW)

    (signal,) = told(row, events.SIGNAL)
    (receipt,) = told(row, events.INTAKE_RECEIPT)
    assert ("applied", "attachment-unknown") == (row.outcome, row.reason)
    assert [own] == [file["id"] for file in signal["attachments"]]
    assert ("accepted", "attachment-unknown") == (receipt["outcome"], receipt["note"])
    assert "attachments.0, attachments.2" in receipt["mend"]
    assert foreign not in receipt["mend"]
    assert [] == await value(
        intake.admin_url, "SELECT messages FROM intake.attachment WHERE id = $1", UUID(foreign)
    )


async def test_every_kind_of_message_may_name_files_and_no_text_repeats_their_ids(
    intake: Intake,
) -> None:
    ident = await sent(intake)
    texts = []
    for name, kind in BY_NAME.items():
        if issubclass(kind.model, events.Concern):
            content = orjson.loads((EXAMPLES / f"{name}.json").read_bytes())
            content = {**content, "attachments": [ident]}
            row = await intake.take(content, f"a-{name}", kind=name)
            signal = told(row, events.SIGNAL)[0]
            assert (name, [ident]) == (name, [file["id"] for file in signal["attachments"]])
            texts.append(intake.sealer.open(signal["text"], "text", signal["id"]))

    assert len(texts) > 5
    assert not any(ident.encode() in text for text in texts)


async def test_a_correction_brings_the_file_that_was_missing(intake: Intake) -> None:
    await intake.take(naming(str(uuid4())))
    ident = await sent(intake)

    row = await intake.take({**naming(ident), "corrects": "n-1"}, "n-2")

    assert row.reason is None
    assert [ident] == [file["id"] for file in told(row, events.SIGNAL)[0]["attachments"]]


async def test_both_things_that_were_ignored_are_noted(intake: Intake) -> None:
    ahead = (NOW + timedelta(hours=1)).isoformat()

    row = await intake.take({**naming(str(uuid4())), "arrived_at": ahead})

    assert "stated-arrival-ahead attachment-unknown" == row.reason


async def test_a_repeat_names_nothing_anew_and_other_files_are_other_content(
    intake: Intake,
) -> None:
    one, two = await sent(intake), await sent(intake, files.png())
    await intake.take(naming(one))

    again = await intake.take(naming(one))
    other = await intake.take(naming(two))

    assert ("repeated", "quarantined") == (again.outcome, other.outcome)
    assert 1 == await value(
        intake.admin_url,
        "SELECT cardinality(messages) FROM intake.attachment WHERE id = $1", UUID(one),
    )  # fmt: skip


async def test_two_messages_may_name_one_file(intake: Intake) -> None:
    ident = await sent(intake)

    rows = [await intake.take(naming(ident), name) for name in ("n-1", "n-2")]

    for row in rows:
        receipt_id = told(row, events.INTAKE_RECEIPT)[0]["receipt_id"]
        assert files.PDF == (await opened(intake, receipt_id, ident)).content


async def test_more_than_ten_files_are_refused_with_the_mend_and_the_message_is_kept(
    intake: Intake,
) -> None:
    row = await intake.take(naming(*(str(uuid4()) for _ in range(11))))

    assert ("quarantined", "invalid-content") == (row.outcome, row.reason)


# --- opening ------------------------------------------------------------------------------------


async def named(intake: Intake, content: bytes = files.PDF) -> tuple[str, str]:
    """A file and the receipt id of the message that names it."""
    ident = await sent(intake, content)
    row = await intake.take(naming(ident))
    return told(row, events.INTAKE_RECEIPT)[0]["receipt_id"], ident


async def test_a_file_is_opened_after_the_audit_row_and_never_to_be_rendered(
    intake: Intake,
) -> None:
    message, ident = await named(intake, files.large_pdf(MAX_ATTACHMENT_BYTES))

    answer = await opened(intake, message, ident)

    assert files.large_pdf(MAX_ATTACHMENT_BYTES) == answer.content
    assert OCTETS == answer.headers["content-type"]
    assert "attachment" == answer.headers["content-disposition"]
    assert "nosniff" == answer.headers["x-content-type-options"]
    assert "sandbox" in answer.headers["content-security-policy"]
    rows = await fetch(intake.admin_url, "SELECT actor, act, subject FROM intake.audit")
    assert [("w-1", "open-attachment", ident)] == [tuple(row) for row in rows]


async def test_nothing_is_opened_while_the_audit_trail_cannot_be_written(intake: Intake) -> None:
    message, ident = await named(intake)
    await fetch(intake.admin_url, "ALTER TABLE intake.audit RENAME TO away")

    with pytest.raises(Exception, match="audit"):
        await opened(intake, message, ident)


async def test_a_file_is_opened_only_by_a_message_that_names_it(intake: Intake) -> None:
    message, _ = await named(intake)
    unnamed = await sent(intake, files.TEXT)

    assert 404 == (await opened(intake, message, unnamed)).status_code
    assert 404 == (await opened(intake, str(uuid4()), unnamed)).status_code
    as_source = await intake.http.get(
        f"/internal/messages/{message}/attachments/{unnamed}",
        headers={**bearer("school-1"), "x-luotsi-worker": "w-1"},
    )
    assert 403 == as_source.status_code


async def test_an_erased_file_is_gone(intake: Intake) -> None:
    message, ident = await named(intake)
    await fetch(intake.admin_url, "DELETE FROM keys.data_key WHERE id = $1", UUID(ident))

    answer = await opened(intake, message, ident)

    assert 410 == answer.status_code
    assert b"%PDF" not in answer.content


# --- forgetting ---------------------------------------------------------------------------------


async def test_what_no_message_has_named_for_thirty_days_is_deleted_and_its_key_stays(
    intake: Intake,
) -> None:
    await named(intake, files.TEXT)
    orphan = await sent(intake)
    process = intake.http._transport.app.state.process  # type: ignore[attr-defined]

    early = await forget_unnamed(process, lambda: NOW + KEEP_UNNAMED)
    late = await forget_unnamed(process, lambda: NOW + KEEP_UNNAMED + timedelta(seconds=1))

    assert (0, 1) == (early, late)
    rows = await fetch(intake.admin_url, "SELECT type FROM intake.attachment")
    assert ["text/plain"] == [row["type"] for row in rows]
    assert 1 == await value(
        intake.admin_url, "SELECT count(*) FROM keys.data_key WHERE id = $1", UUID(orphan)
    )


async def test_a_file_that_was_sent_again_is_young_again(intake: Intake) -> None:
    await sent(intake)
    await fetch(intake.admin_url, "UPDATE intake.attachment SET sent_at = $1", NOW - KEEP_UNNAMED)
    await sent(intake)
    process = intake.http._transport.app.state.process  # type: ignore[attr-defined]

    assert 0 == await forget_unnamed(process, lambda: NOW + timedelta(days=1))
