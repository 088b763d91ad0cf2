"""All SQL of the sample county: its workers."""

from collections.abc import Sequence

import asyncpg

from deploy.sample.staff import SampleWorker


async def add_workers(url: str, workers: Sequence[SampleWorker]) -> None:
    """Put the sample workers where staff stand; those that are there stay."""
    conn = await asyncpg.connect(url)
    try:
        await conn.executemany(
            "INSERT INTO routing.worker (id, name, role) VALUES ($1, $2, $3) "
            "ON CONFLICT (id) DO NOTHING",
            workers,
        )
    finally:
        await conn.close()
