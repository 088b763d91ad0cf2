"""Where an event is in notifications: hop, time and state, nothing about a person."""

from typing import Any
from uuid import UUID

from fastapi import FastAPI

from services.notifications import store
from shared import store as plumbing
from shared.service import Process


def where_routes(app: FastAPI, process: Process) -> None:
    """Adds ``GET /internal/where/{receipt_id}`` for ``luotsi where``."""

    @app.get("/internal/where/{receipt_id}", include_in_schema=False)
    async def where(receipt_id: UUID) -> dict[str, Any]:
        async with process.pool.acquire() as conn:
            hops = await plumbing.trail(conn, str(receipt_id))
            notices = await store.of_receipt(conn, receipt_id)
        return {
            "service": "notifications",
            "hops": [dict(hop) for hop in hops],
            "state": [dict(notice) for notice in notices],
        }
