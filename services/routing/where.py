"""Where an event is in routing: hop, time and state, nothing about a person."""

from typing import Any

from fastapi import FastAPI

from services.routing import store
from shared import store as plumbing
from shared.service import Process


def where_routes(app: FastAPI, process: Process) -> None:
    """Adds ``GET /internal/where/{receipt_id}`` for ``luotsi where``."""

    @app.get("/internal/where/{receipt_id}", include_in_schema=False)
    async def where(receipt_id: str) -> dict[str, Any]:
        async with process.pool.acquire() as conn:
            hops = await plumbing.trail(conn, receipt_id)
            state = await store.states(conn, [hop["event_id"] for hop in hops])
        return {"service": "routing", "hops": [dict(hop) for hop in hops], "state": state}
