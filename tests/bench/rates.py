"""The raw loop's rate, and any rate from a program's own rows."""

import asyncio
import secrets
import sys

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local.process import BackgroundProcess
from deploy.local.system import ROOT, System
from shared import events
from shared.topics import topic_settings


async def raw_rate(system: System, topic: str, count: int) -> float:
    """Events per second of the raw loop over a topic; its output goes where nobody reads."""
    target = await topic_for_raw(system.bootstrap, f"{system.prefix}{secrets.token_hex(3)}.")
    conn = await asyncpg.connect(system.admin_url)
    await conn.execute("DROP TABLE IF EXISTS raw")
    await conn.execute(
        "CREATE TABLE raw (part int, off bigint, body bytea, "
        "recorded_at timestamptz DEFAULT now(), PRIMARY KEY (part, off))"
    )
    process = BackgroundProcess("raw", system.directory, tied=True)
    arguments = [system.bootstrap, system.admin_url, system.prefix + topic, target]
    process.start([sys.executable, "-m", "tests.bench.raw", *arguments, str(count)], directory=ROOT)
    try:
        while process.pid is not None:  # it stops by itself
            await asyncio.sleep(0.2)
        return await rate(conn, "SELECT recorded_at FROM raw", count)
    finally:
        process.stop()
        await conn.close()


async def topic_for_raw(bootstrap: str, prefix: str) -> str:
    """A topic set up as the internal ones are."""
    name = prefix + "raw"
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        settings = topic_settings(events.SIGNAL, 1)
        await admin.create_topics([NewTopic(name, events.PARTITIONS, 1, topic_configs=settings)])
    finally:
        await admin.close()
    return name


async def rate(conn: asyncpg.Connection, rows: str, count: int) -> float:
    """Rows per second after the first batch; raises `ValueError` if there are not `count`."""
    if (found := await conn.fetchval(f"SELECT count(*) FROM ({rows}) r")) < count:  # noqa: S608
        raise ValueError(f"{found} rows instead of {count}")
    measured = await conn.fetchval(
        f"""
        WITH r AS ({rows}), span AS (SELECT min(recorded_at) AS a, max(recorded_at) AS b FROM r)
        SELECT (SELECT count(*) FROM r, span WHERE recorded_at > a)
               / extract(epoch FROM (SELECT b - a FROM span))
        """  # noqa: S608
    )
    return float(measured)
