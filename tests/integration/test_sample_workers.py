"""Who may log in to a Luotsi in containers: the sample workers, and only where that was asked."""

import asyncio
import sys

import asyncpg
import pytest

from deploy.local.system import ROOT
from deploy.sample.staff import WORKERS
from shared.migrate import service_url


async def add(database_url: str, demo: str) -> None:
    """As the container does it: with routing's own account."""
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "deploy.sample.workers"),
        cwd=ROOT,
        env={
            "LUOTSI_DATABASE_URL": service_url(database_url, "routing", "luotsi"),
            "LUOTSI_DEMO": demo,
        },
        stdout=asyncio.subprocess.DEVNULL,
    )
    assert 0 == await asyncio.wait_for(program.wait(), 60)


@pytest.mark.parametrize(("demo", "staff"), [("true", {w.id for w in WORKERS}), ("false", set())])
async def test_sample_workers_are_there_once_and_only_in_the_demonstration(
    database_url: str, demo: str, staff: set[str]
) -> None:
    for _ in range(2):
        await add(database_url, demo)

    conn = await asyncpg.connect(database_url)
    try:
        assert sorted(staff) == [
            row["id"] for row in await conn.fetch("SELECT id FROM routing.worker ORDER BY id")
        ]
    finally:
        await conn.close()
