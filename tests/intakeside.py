"""Intake without Kafka: records go to its inbox, requests to its application."""

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from pydantic import SecretStr

from services.intake.api import api_routes
from services.intake.handlers import messages
from services.intake.provider_files import load_providers
from services.intake.settings import IntakeSettings
from shared import events, store
from shared.database import Pool, open_pool
from shared.inbox import Inbox, Incoming, Raw, Unreadable
from shared.kinds import BY_NAME
from shared.migrate import head, service_url
from shared.sealing import KeyFile, Sealer
from shared.service import Process, application
from shared.store import LogRow
from tests.system import headers

NOW = datetime(2026, 11, 17, 9, 0, tzinfo=UTC)


@dataclass
class Intake:
    """Intake without Kafka: records are handed to its inbox, requests to its application."""

    pool: Pool
    inbox: Inbox[events.Message]
    sealer: Sealer
    http: httpx2.AsyncClient
    admin_url: str
    offset: int = 0

    async def take(
        self, content: Any, ident: str = "n-1", source: str = "school-1", at: datetime = NOW,
        pairs: Any = None, kind: str = "notification",
    ) -> LogRow:  # fmt: skip
        """One Kafka record through the inbox."""
        return (await self.take_all([self.read(content, ident, source, at, pairs, kind)]))[0]

    def read(
        self, content: Any, ident: str, source: str = "school-1", at: datetime = NOW,
        pairs: Any = None, kind: str = "notification",
    ) -> Incoming[events.Message] | Unreadable:  # fmt: skip
        """A record as the consumer reads it."""
        body = content if isinstance(content, bytes | None) else orjson.dumps(content)
        if pairs is None:
            pairs = headers(source, ident, BY_NAME[kind].type)
        self.offset += 1
        return self.inbox.read(Raw(0, self.offset, at, b"k", pairs, body))

    async def take_all(self, batch: Any) -> list[LogRow]:
        """Records through the inbox, in one transaction."""
        async with self.pool.acquire() as tx, tx.transaction():
            door = await store.door(tx, "intake", "cluster", events.INTAKE_NOTIFICATION)
            return await self.inbox.take(tx, door, batch)

    async def post(self, content: Any, ident: str = "n-1", path: str = "/v1/notifications") -> Any:
        body = content if isinstance(content, bytes) else orjson.dumps(content)
        return await self.http.post(
            path, content=body, headers={"ce-id": ident, **bearer("school-1")}
        )


def bearer(source: str) -> dict[str, str]:
    return {"authorization": f"Bearer token-of-{source}", "content-type": "application/json"}


DESK = {**bearer("desk"), "x-luotsi-worker": "w-1"}


@pytest.fixture
async def intake(database_url: str, tmp_path: Path) -> AsyncIterator[Intake]:

    KeyFile.create(tmp_path / "keys.json")
    tokens = {
        hashlib.sha256(f"token-of-{name}".encode()).hexdigest(): name
        for name in ("desk", "school-1", "police-1")
    }
    (tmp_path / "tokens.json").write_bytes(orjson.dumps(tokens))
    url = service_url(database_url, "intake", "luotsi")
    settings = IntakeSettings(
        database_url=SecretStr(url), key_file=tmp_path / "keys.json",
        tokens_file=tmp_path / "tokens.json",
    )  # fmt: skip
    sealer = Sealer(KeyFile(settings.key_file))
    inbox = messages(sealer, lambda: NOW, providers=load_providers())
    pool = await open_pool(url, "intake", size=4)
    process = Process("intake", "intake", head("intake"), settings, _pool=pool)
    app = application(process)
    api_routes(app, process, settings, sealer, inbox, lambda: NOW)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://intake") as http:
        yield Intake(pool, inbox, sealer, http, database_url)
    await pool.close()


def told(row: LogRow, topic: str) -> list[dict[str, Any]]:
    return [orjson.loads(a.value) for a in row.answers if a.topic == topic]
