"""The example producers of docs/integration.md, run as they stand."""

import asyncio
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from deploy.local.kafka import fetch_jars
from deploy.local.system import System
from shared import events
from shared.contract import EXAMPLES
from tests import system as do
from tests.journey.newcomer import ROOT, commands

PRODUCERS = Path(__file__).parents[2] / "docs" / "examples"
EVENT = str(EXAMPLES / "notification.json")


def command(language: str, ident: str) -> list[str]:
    if language == "curl":
        return [str(PRODUCERS / "send.sh"), EVENT, ident]
    if language == "python":
        return [sys.executable, str(PRODUCERS / "send.py"), EVENT, "school-1", ident]
    return ["java", "-cp", f"{fetch_jars()}/*", str(PRODUCERS / "Send.java"), EVENT, "school-1",
            ident]  # fmt: skip


async def run(system: System, words: list[str], url: str) -> str:
    environment = os.environ | {
        "LUOTSI_KAFKA": system.bootstrap,
        "LUOTSI_TOPIC": system.prefix + events.INTAKE_NOTIFICATION,
        "LUOTSI_INTAKE_URL": url,
        "LUOTSI_TOKEN": system.secrets["school-1"],
    }
    process = await asyncio.create_subprocess_exec(
        *words, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(60):
        told, _ = await process.communicate()
    assert process.returncode == 0, told.decode()
    return told.decode()


async def test_every_example_producer_gets_its_message_accepted(luotsi: System) -> None:
    luotsi.prepare(("school-1",))
    intake = luotsi.service("intake")
    intake.start()
    await do.until_ready([intake])
    url = f"http://127.0.0.1:{intake.port}"
    headers = {"authorization": f"Bearer {luotsi.secrets['school-1']}"}
    async with httpx2.AsyncClient(base_url=url, headers=headers) as http:
        for language in ("curl", "python", "java"):
            if shutil.which("curl" if language == "curl" else "java") is None:
                pytest.skip(f"{language} is not here")
            await run(luotsi, command(language, f"by-{language}"), url)

            async def told(ident: str = f"by-{language}") -> Any:
                answer = await http.get(f"/v1/messages/school-1/{ident}")
                return answer.json() if answer.status_code == 200 else None

            state = await do.until(f"the message by {language} is there", told)
            assert (language, "accepted") == (language, state["state"])


def test_every_example_is_named_where_its_reader_looks() -> None:
    """What a source needs in the guide, what is needed once for going live with the operators."""
    docs = PRODUCERS.parent
    guide = (docs / "integration.md").read_text(encoding="utf-8")
    operations = (docs / "operations.md").read_text(encoding="utf-8")

    for file in PRODUCERS.iterdir():
        reader = operations if file.name.startswith("open-matter") else guide
        assert f"docs/examples/{file.name}" in reader, file.name


async def test_the_commands_of_the_guide_send_a_first_message_as_they_stand(
    luotsi: System, tmp_path: Path
) -> None:
    luotsi.prepare(("school-1",))
    intake = luotsi.service("intake")
    intake.start()
    await do.until_ready([intake])
    script = "set -euo pipefail\n" + "\n".join(commands())
    for here, there in (
        (".luotsi/demo/secrets.json", str(luotsi.directory / "secrets.json")),
        ("http://127.0.0.1:8101", intake.url),
        (".venv/bin/python", sys.executable),
    ):
        assert here in script
        script = script.replace(here, there)

    process = await asyncio.create_subprocess_exec(
        "bash", "-c", script, cwd=ROOT, env=os.environ | {"LUOTSI_INTAKE_URL": intake.url},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(60):
        told, _ = await process.communicate()

    assert process.returncode == 0, told.decode()
    assert b'"state":"accepted"' in told
