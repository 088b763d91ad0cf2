"""`luotsi import-absences` against a running intake."""

import asyncio
import os
import sys
from pathlib import Path

from deploy.local.system import System
from tests import system as do

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "absences.csv"


async def run(system: System, url: str, file: Path, source: str = "school-1") -> tuple[int, str]:
    environment = os.environ | {
        "LUOTSI_INTAKE_URL": url, "LUOTSI_TOKEN": system.secrets["school-1"],
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "deploy.cli", "import-absences", str(file), "--source", source,
        cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    async with asyncio.timeout(60):
        told, _ = await process.communicate()
    return process.returncode or 0, told.decode()


async def test_a_file_is_sent_and_sent_again_without_doubling_anything(
    luotsi: System, tmp_path: Path
) -> None:
    luotsi.prepare(("school-1",))
    intake = luotsi.service("intake")
    intake.start()
    await do.until_ready([intake])
    url = f"http://127.0.0.1:{intake.port}"
    mended = tmp_path / "mended.csv"
    whole = EXAMPLE.read_text(encoding="utf-8")
    mended.write_text(
        whole.replace(
            "1:21.9.2026:luokanopettaja;health;;", '"1:21.9.2026:a|2:1.10.2026:b";health;2.10.2026;'
        ),
        encoding="utf-8",
    )

    other = await run(luotsi, url, EXAMPLE, "school-2")
    first = await run(luotsi, url, EXAMPLE)
    again = await run(luotsi, url, EXAMPLE)
    last = await run(luotsi, url, mended)

    assert other[0] == 2
    assert "Nothing was sent" in other[1]
    assert (first[0], again[0], last[0]) == (0, 0, 0)
    assert "1 accepted, 1 returned, 0 repeated, 0 refused" in first[1]
    assert "line 3: returned" in first[1]
    assert "step 2" in first[1]
    assert "0 accepted, 1 returned, 1 repeated, 0 refused" in again[1]
    assert "1 accepted, 0 returned, 1 repeated, 0 refused" in last[1]
    assert not any("Testi" in told for _, told in (first, again, last))
    async with asyncio.timeout(30):
        kinds = await do.fetch(
            luotsi.admin_url, "SELECT outcome, count(*) AS n FROM intake.event_log GROUP BY 1"
        )
    assert {row["outcome"]: row["n"] for row in kinds} == {
        "applied": 2, "returned": 1, "repeated": 3,
    }  # fmt: skip
