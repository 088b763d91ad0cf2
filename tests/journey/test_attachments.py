"""A file's whole way: sent over HTTP, named over Kafka, downloaded at the desk, erased."""

import asyncio
from pathlib import Path
from uuid import UUID

import httpx2
import orjson
import pytest

from deploy.local.system import System
from shared import events
from tests import files
from tests import system as do
from tests.journey.test_examples import PRODUCERS, run

WORDS = b"kanarialintu0123456789 "


async def test_a_file_that_is_too_large_is_told_so_by_a_real_server(
    luotsi: System, tmp_path: Path
) -> None:
    luotsi.prepare(("school-1",))
    intake = luotsi.service("intake")
    intake.start()
    await do.until_ready([intake])
    film = tmp_path / "film.pdf"
    film.write_bytes(files.large_pdf(30_000_000))

    with pytest.raises(AssertionError, match="attachment-too-large"):
        await run(luotsi, [str(PRODUCERS / "attach.sh"), str(film)], intake.url)


async def test_a_file_sent_over_http_and_named_over_kafka_reaches_a_worker_until_it_is_erased(
    luotsi: System, tmp_path: Path
) -> None:
    luotsi.prepare(("school-1",))
    intake, routing = luotsi.service("intake"), luotsi.service("routing")
    intake.start()
    routing.start()
    desk = luotsi.service("desk", 1, None, demo="true", intake_url=intake.url)
    desk.start()
    await do.until_ready([intake, routing, desk])
    await do.fetch(
        luotsi.admin_url, "INSERT INTO routing.worker VALUES ('aino', 'Aino Esimerkki', 'duty')"
    )
    report = tmp_path / "report.pdf"
    content = files.PDF[:9] + b"%" + WORDS * 100 + b"\n" + files.PDF[9:]
    report.write_bytes(content)

    answer = orjson.loads(
        await run(luotsi, [str(PRODUCERS / "attach.sh"), str(report)], intake.url)
    )
    await do.publish_notification(luotsi, "n-1", attachments=[answer["attachment"]])

    (row,) = await do.until(
        "the case is there",
        lambda: do.fetch(luotsi.admin_url, "SELECT id, child FROM routing.notification"),
    )
    (receipt,) = await do.read_topic(luotsi, events.INTAKE_RECEIPT, 1)
    (signal,) = await do.read_topic(luotsi, events.SIGNAL, 1)
    assert orjson.loads(receipt.value)["note"] is None
    assert WORDS not in signal.value

    path = f"/api/v1/cases/{row['child']}/notifications/{row['id']}/attachments/1"
    worker = {"authorization": "Worker aino"}
    async with httpx2.AsyncClient(base_url=desk.url, headers=worker, trust_env=False) as http:
        given = await http.get(path)
        await do.fetch(
            luotsi.admin_url, "DELETE FROM keys.data_key WHERE id = $1", UUID(answer["attachment"])
        )

        await asyncio.to_thread(intake.process.stop)  # a key may be in its memory for a minute
        intake.start()
        await do.until_ready([intake])
        gone = await http.get(path)

    assert 410 == gone.status_code
    assert content == given.content
    assert 'attachment; filename="liite-1.pdf"' == given.headers["content-disposition"]
    logs = [file.read_bytes() for file in luotsi.directory.glob("*.log")]
    assert logs
    assert not any(WORDS[:12] in log for log in logs)
