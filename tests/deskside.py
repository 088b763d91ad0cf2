"""A desk for tests: the real application over the test's database, without Kafka."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import uvicorn
from fastapi import FastAPI

from services.routing.desk.app import build_app
from services.routing.desk.intake import Intake
from services.routing.settings import RoutingSettings
from shared.database import Pool, open_pool
from shared.migrate import service_url
from shared.sealing import KeyFile, Sealer
from tests.builders import Cases, SetClock, key_file

WORKERS = (
    ("aino", "Aino Esimerkki", "duty"),
    ("eero", "Eero Malli", "duty"),
    ("sosse", "Sosse Koe", "social_worker"),
    ("kaisa", "Kaisa Näyte", "supervisor"),
)


def desk_settings(database_url: str, directory: Path, **more: Any) -> RoutingSettings:
    """Settings of a desk in the demonstration, as routing's own role."""
    return RoutingSettings(
        database_url=service_url(database_url, "routing", "luotsi"),  # type: ignore[arg-type]
        key_file=key_file(directory),
        kafka="127.0.0.1:1",
        **{"demo": True, "session_secret": "only-for-tests", "intake_token": "t", **more},
    )


async def add_workers(pool: Pool) -> None:
    """The sample workers of these tests."""
    await pool.executemany("INSERT INTO worker (id, name, role) VALUES ($1, $2, $3)", WORKERS)


class Desk:
    """A running desk: its application, its clock, its database, and cases to bring to it."""

    def __init__(self, app: FastAPI, pool: Pool, clock: SetClock, cases: Cases) -> None:
        self.app = app
        self.pool = pool
        self.clock = clock
        self.cases = cases

    def client(self, worker: str | None = None, **headers: str) -> httpx2.AsyncClient:
        """Somebody with a programme of their own (`worker` by header), or a browser."""
        if worker is not None:
            headers["Authorization"] = f"Worker {worker}"
        return httpx2.AsyncClient(
            transport=httpx2.ASGITransport(self.app, raise_app_exceptions=False),
            base_url="http://desk.test",
            headers=headers,
        )

    @asynccontextmanager
    async def browser(self, worker: str, language: str = "en") -> AsyncIterator["Browser"]:
        """A browser in which this worker is logged in."""
        async with self.client(**{"Accept-Language": language}) as client:
            answer = await client.post("/login", data={"worker": worker})
            assert 303 == answer.status_code
            yield Browser(client)

    async def post(self, worker: str, path: str, **body: Any) -> httpx2.Response:
        """An act over the JSON API."""
        async with self.client(worker) as client:
            return await client.post(f"/api/v1{path}", json=body)

    async def get(self, worker: str, path: str) -> Any:
        """An answer of the JSON API."""
        async with self.client(worker) as client:
            answer = await client.get(f"/api/v1{path}")
            assert answer.is_success, answer.text
            return answer.json()

    async def rows(self, query: str, *args: Any) -> list[asyncpg.Record]:
        """What is in the database."""
        return await self.pool.fetch(query, *args)


class Browser:
    """A browser without script: follows links, sends forms with what the page put into them."""

    def __init__(self, client: httpx2.AsyncClient) -> None:
        self.client = client

    async def open(self, path: str) -> httpx2.Response:
        return await self.client.get(path)

    async def send(
        self, page: httpx2.Response, action: str, fields: Mapping[str, Any]
    ) -> httpx2.Response:
        """Send the form with this action, its hidden fields included."""
        form = re.search(
            rf'(?:action|hx-post)="{re.escape(action)}".*?</form>', page.text, re.DOTALL
        )
        assert form is not None, f"no form {action} on the page"
        hidden: dict[str, Any] = {}
        for name, value in re.findall(
            r'type="hidden" name="([^"]+)" value="([^"]*)"', form.group()
        ):
            hidden.setdefault(name, []).append(unescape(value))
        return await self.client.post(action, data={**hidden, **fields})


@asynccontextmanager
async def a_desk(
    database_url: str, directory: Path, clock: SetClock, intake: Intake | None = None, **more: Any
) -> AsyncIterator[Desk]:
    """A desk over this database, ready, with its sample workers."""
    settings = desk_settings(database_url, directory, **more)
    app = build_app(settings, clock, (lambda _: intake) if intake else Intake)
    async with _beside(app, settings, clock) as desk, app.router.lifespan_context(app):
        await started(app)
        yield desk


@asynccontextmanager
async def a_served_desk(
    database_url: str, directory: Path, clock: SetClock
) -> AsyncIterator[tuple[Desk, str]]:
    """As `a_desk`, behind a real web server; also gives its address."""
    settings = desk_settings(database_url, directory)
    app = build_app(settings, clock)
    config = uvicorn.Config(
        app, host="127.0.0.1", port=0, log_config=None, timeout_graceful_shutdown=1
    )
    server = _Server(config)
    async with _beside(app, settings, clock) as desk:
        serving = asyncio.create_task(server.serve())
        try:
            await started(app)
            while not server.started:
                await asyncio.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            yield desk, f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            await serving


class _Server(uvicorn.Server):
    """Leaves the signals of the test run alone."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def _beside(app: FastAPI, settings: RoutingSettings, clock: SetClock) -> AsyncIterator[Desk]:
    app.state.process.relays = False
    sealer = Sealer(KeyFile(settings.key_file))
    pool = await open_pool(settings.database_url.get_secret_value(), "routing", size=4)
    await add_workers(pool)
    yield Desk(app, pool, clock, Cases(pool, sealer, clock))
    await pool.close()


async def started(app: FastAPI) -> None:
    """Wait until the process has found its database."""
    deadline = time.monotonic() + 30
    while not app.state.process.started:
        assert time.monotonic() < deadline, "the desk did not start"
        await asyncio.sleep(0.01)
