"""A county leaves: all that came in goes out, opened, counted and summed."""

import asyncio
import hashlib
import json
import os
import stat
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx2

from deploy.local.system import System
from tests import files, matters
from tests import system as do
from tests.journey.test_golive import a_county, finished, started

COUNT = 12


async def export(luotsi: System, directory: Path, **changed: str) -> tuple[int | None, str]:
    environment = os.environ | {
        "LUOTSI_DATABASE_URL": luotsi.admin_url, "LUOTSI_KEY_FILE": str(luotsi.key_file), **changed,
    }  # fmt: skip
    return await finished(
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "deploy.cli", "export", str(directory), "--by", "kaisa",
            "--why", "the county leaves", env=environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )
    )  # fmt: skip


def lines_of(directory: Path, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (directory / name).read_text().splitlines()]


async def a_county_with_everything(luotsi: System, tmp_path: Path) -> None:
    """Imported matters, a file, a message that cannot be read, a marked one, and an erased one."""
    environment = await a_county(luotsi)
    notifications = luotsi.service("notifications", send="false")
    notifications.start()
    await do.until_ready([notifications])
    code, told = await finished(
        await started(matters.written(tmp_path, COUNT), environment, "--run")
    )
    assert 0 == code, told
    token = {"Authorization": f"Bearer {environment['LUOTSI_TOKEN']}"}
    url = environment["LUOTSI_INTAKE_URL"]
    async with httpx2.AsyncClient(base_url=url, headers=token, trust_env=False) as http:
        kept = await http.post(
            "/v1/attachments", content=files.PDF, headers={"Content-Type": "application/pdf"}
        )
        message = {**do.NOTIFICATION, "attachments": [kept.json()["attachment"]]}
        sent = await http.post(
            "/v1/notifications", json=message, headers={"ce-id": "with-file", "ce-urgent": "true"}
        )
        bad = await http.post("/v1/notifications", json={"x": 1}, headers={"ce-id": "bad"})
        erased = await http.post(
            "/v1/notifications", json=do.NOTIFICATION, headers={"ce-id": "gone"}
        )
    await do.fetch(
        luotsi.admin_url,
        "DELETE FROM keys.data_key WHERE id = $1",
        UUID(erased.json()["receipt_id"]),
    )
    assert [201, 202, 422] == [kept.status_code, sent.status_code, bad.status_code]
    wanted = sum(len(matters.line(number)["message"]["children"]) for number in range(COUNT)) + 2

    async def settled() -> bool:
        there = await do.value(luotsi.admin_url, "SELECT count(*) FROM routing.notification")
        told = await do.value(
            luotsi.admin_url,
            "SELECT count(*) FROM notifications.notice WHERE purpose = 'receipt'",
        )
        items = await do.value(luotsi.admin_url, "SELECT count(*) FROM routing.duty_item")
        return bool((there, told) == (wanted, COUNT + 2) and items >= 1)

    await do.until("everything has gone through", settled)


async def test_everything_goes_out_as_it_came_counted_and_summed(
    luotsi: System, tmp_path: Path
) -> None:
    await a_county_with_everything(luotsi, tmp_path)
    luotsi.stop()
    directory = tmp_path / "out"

    code, told = await export(luotsi, directory)
    again, refusal = await export(luotsi, directory)

    assert 0 == code, told
    assert "Complete" in told
    assert (1, True) == (again, "is there already" in refusal)
    await originals_are_byte_by_byte_the_same(directory)
    await counts_are_those_of_the_tables(luotsi, directory)
    files_are_the_owners_alone_and_their_sums_hold(directory)
    acts = lines_of(directory, "routing/act.jsonl")
    notices = lines_of(directory, "notifications/notice.jsonl")
    signals = lines_of(directory, "routing/event_log.jsonl")
    assert {f"{matters.CANARY} arvioitu", f"{matters.CANARY} tarpeeton", None} >= {
        act["reason"] for act in acts
    }
    assert {"Testi Opettaja"} == {n["notifier"]["name"] for n in notices if n["notifier"]}
    assert any(s["body"].get("person", {}).get("name") == f"{matters.CANARY} 1" for s in signals)
    assert not any(b'"s1.' in path.read_bytes() for path in directory.rglob("*.jsonl"))
    logs = [log.read_text() for log in luotsi.directory.glob("*.log")]
    assert not any(matters.CANARY in text for text in [told, refusal, *logs])


async def originals_are_byte_by_byte_the_same(directory: Path) -> None:
    rows = lines_of(directory, "intake/event_log.jsonl")
    kept = {row["event_id"]: row for row in rows}
    for ident, content in matters.originals(COUNT).items():
        assert content == kept[ident]["original"].encode()
    assert '{"x":1}' == kept["bad"]["original"].replace(" ", "")
    assert {"erased": True} == kept["gone"]["original"]
    (attachment,) = lines_of(directory, "intake/attachment.jsonl")
    assert files.PDF == (directory / attachment["file"]).read_bytes()


async def counts_are_those_of_the_tables(luotsi: System, directory: Path) -> None:
    manifest = json.loads((directory / "manifest.json").read_text())
    tables = await do.fetch(
        luotsi.admin_url,
        "SELECT schemaname || '/' || tablename || '.jsonl' AS file FROM pg_tables "
        "WHERE schemaname IN ('intake', 'routing', 'notifications')",
    )
    assert manifest["complete"]
    assert {row["file"] for row in tables} == {each["file"] for each in manifest["tables"]}
    for each in manifest["tables"]:
        place = f"{each['schema']}.{each['table']}"
        count = await do.value(luotsi.admin_url, f"SELECT count(*) FROM {place}")  # noqa: S608
        written = len((directory / each["file"]).read_bytes().splitlines())
        assert count == each["rows"] == each["lines"] == written, place
    audit = await do.fetch(
        luotsi.admin_url,
        "SELECT actor, detail FROM intake.audit WHERE act = 'export' UNION ALL "
        "SELECT actor, detail FROM routing.audit WHERE act = 'export' UNION ALL "
        "SELECT actor, detail FROM notifications.audit WHERE act = 'export'",
    )
    assert [("kaisa", "the county leaves")] * 3 == [tuple(row) for row in audit]


def files_are_the_owners_alone_and_their_sums_hold(directory: Path) -> None:
    assert 0o700 == stat.S_IMODE(directory.stat().st_mode)
    listed = (directory / "SHA256SUMS").read_text().splitlines()
    sums = {name: digest for digest, name in (line.split("  ", 1) for line in listed)}
    found = [path for path in directory.rglob("*") if path.is_file()]
    assert {str(path.relative_to(directory)) for path in found} == sums.keys() | {"SHA256SUMS"}
    for path in found:
        assert 0o600 == stat.S_IMODE(path.stat().st_mode)
        if path.name != "SHA256SUMS":
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            assert digest == sums[str(path.relative_to(directory))]


async def test_another_installations_key_file_exports_nothing_as_complete(
    luotsi: System, tmp_path: Path
) -> None:
    environment = await a_county(luotsi)
    await finished(await started(matters.written(tmp_path, 1), environment, "--run"))
    other = json.loads(luotsi.key_file.read_text())
    other["keys"] = {"k1": other["lookup"]}
    (tmp_path / "other.json").write_text(json.dumps(other))

    code, told = await export(
        luotsi, tmp_path / "out", LUOTSI_KEY_FILE=str(tmp_path / "other.json")
    )

    assert 1 == code
    assert "does not open the data keys" in told
    assert not (tmp_path / "out" / "manifest.json").exists()
