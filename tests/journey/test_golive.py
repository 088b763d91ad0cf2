"""Going live on real servers: open matters come in with their receipt times, acts and clocks."""

import asyncio
import os
import sys
from pathlib import Path

from deploy.golive.line import STOPS
from deploy.local.system import System
from services.routing.domain.clocks import clocks_for
from tests import matters
from tests import system as do

COUNT = 30


async def a_county(luotsi: System) -> dict[str, str]:
    """A running Luotsi with a supervisor; the environment of the command."""
    await asyncio.to_thread(luotsi.prepare, (matters.SOURCE,))
    intake = luotsi.service("intake")
    routing = luotsi.service("routing", timers="false")
    desk = luotsi.service("desk", 1, None, demo="true", intake_url=intake.url)
    services = [intake, routing, desk]
    for service in services:
        service.start()
    await do.until_ready(services)
    await do.fetch(
        luotsi.admin_url, "INSERT INTO routing.worker VALUES ('kaisa', 'Kaisa Koe', 'supervisor')"
    )
    return {
        "LUOTSI_INTAKE_URL": intake.url,
        "LUOTSI_DESK_URL": desk.url,
        "LUOTSI_TOKEN": luotsi.secrets[matters.SOURCE],
    }


async def started(
    file: Path, environment: dict[str, str], *words: str
) -> asyncio.subprocess.Process:
    command = ["import-matters", str(file), "--source", matters.SOURCE, "--worker", "kaisa", *words]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.cli", *command, env=os.environ | environment,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def finished(process: asyncio.subprocess.Process) -> tuple[int | None, str]:
    out, err = await process.communicate()
    return process.returncode, (out + err).decode()


async def killed_at(process: asyncio.subprocess.Process, progress: str) -> str:
    assert process.stderr is not None
    told = ""
    async for text in process.stderr:
        told += text.decode()
        if progress in told:
            process.kill()
            break
    assert progress in told
    await process.communicate()
    return told


async def test_an_import_that_is_killed_and_run_again_brings_each_matter_once_with_its_clocks(
    luotsi: System, tmp_path: Path
) -> None:
    environment = await a_county(luotsi)
    file = matters.written(tmp_path, COUNT)

    told = [await killed_at(await started(file, environment, "--run"), "sent: 15 of 30")]
    told.append(await killed_at(await started(file, environment, "--run"), "are recorded: 1"))
    code, last = await finished(await started(file, environment, "--run"))
    again, repeated = await finished(await started(file, environment, "--run"))

    assert (0, 0) == (code, again), last + repeated
    assert "No difference." in last
    assert ["recorded", "now", "0"] in [text.split() for text in repeated.splitlines()]
    await everything_is_there_once(luotsi)
    logs = [log.read_text() for log in luotsi.directory.glob("*.log")]
    assert logs
    assert not any(matters.CANARY in text for text in [*told, last, repeated, *logs])


async def everything_is_there_once(luotsi: System) -> None:
    """One notification for each child, the acts and clocks that the lines ask for, and no more."""
    applied = await do.fetch(
        luotsi.admin_url,
        "SELECT event_id, received_at FROM intake.event_log WHERE outcome = 'applied'",
    )
    rows = await do.fetch(
        luotsi.admin_url,
        "SELECT n.id, n.received_at, k.kind, k.due, k.stopped_at FROM routing.notification n "
        "JOIN routing.clock k ON k.about = n.id",
    )
    acts = await do.value(luotsi.admin_url, "SELECT count(*) FROM routing.act")
    assert COUNT == len(applied)
    expected, count = [], 0
    for number in range(COUNT):
        line = matters.line(number)
        received = matters.FIRST + matters.STEP * number
        stopped = {
            kind: act["done_at"] for act in line["acts"] for kind in STOPS[act["kind"]]
        }  # fmt: skip
        for _ in line["message"]["children"]:
            count += len(line["acts"])
            expected += [
                (received, clock.kind, clock.due, stopped.get(clock.kind))
                for clock in clocks_for(received)
            ]
    found = [
        (row["received_at"], row["kind"], row["due"],
         row["stopped_at"].isoformat() if row["stopped_at"] else None)
        for row in rows
    ]  # fmt: skip
    assert sorted(expected, key=str) == sorted(found, key=str)
    assert count == acts


async def test_what_a_person_has_done_meanwhile_and_a_refusal_are_told_as_differences(
    luotsi: System, tmp_path: Path
) -> None:
    environment = await a_county(luotsi)
    file = matters.written(tmp_path, 2)
    assert (await finished(await started(file, environment, "--run")))[0] == 0
    await do.fetch(
        luotsi.admin_url,
        "UPDATE routing.clock SET stopped_at = now() "
        "WHERE kind = 'family_told' AND about IN (SELECT id FROM routing.notification "
        "WHERE received_at = $1)",
        matters.FIRST + matters.STEP,
    )
    text = file.read_text()
    file.write_text(text.replace(f"{matters.CANARY} 0:", f"{matters.CANARY} muuttui:"))

    code, told = await finished(await started(file, environment, "--run"))
    stranger = await finished(await started(file, environment | {"LUOTSI_TOKEN": "wrong"}, "--run"))

    assert 1 == code
    assert "line 1: is refused by intake: same-id-other-content" in told
    assert "line 2: family_told: stopped 20" in told
    assert matters.CANARY not in told
    assert (1, True) == (stranger[0], "nothing was sent: unknown-token" in stranger[1])
