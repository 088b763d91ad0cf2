"""Luotsi's own processes on this machine: keys, tokens, topics, schemas, then the services.

Tests, benchmarks and the demo start the same programs the same way.
"""

import hashlib
import json
import os
import secrets
import sys
from collections.abc import Mapping
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from deploy.local.databases import wait_for
from deploy.local.errors import LocalError
from deploy.local.machine import free_port
from deploy.local.process import BackgroundProcess
from shared.migrate import migrate_all, service_url
from shared.sealing import KeyFile
from shared.topics import create_topics

ROOT = Path(__file__).resolve().parent.parent.parent
READY_S = 60.0
ROLE_PASSWORD = "luotsi"  # noqa: S105 -- of servers on this machine alone

APPS = {
    "intake": ("intake", "services.intake.app:build_app"),
    "routing": ("routing", "services.routing.app:build_app"),
    "desk": ("routing", "services.routing.desk.app:build_app"),
    "notifications": ("notifications", "services.notifications.app:build_app"),
}
"""Program -> (database role, application factory)."""


class RunningService:
    """One process of a service."""

    def __init__(
        self, program: str, process: BackgroundProcess, port: int, environment: Mapping[str, str]
    ) -> None:
        self.program = program
        self.process = process
        self.port = port
        self._environment = environment

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, or start it again after a kill."""
        python = [sys.executable, "-m", "uvicorn", "--factory", APPS[self.program][1]]
        options = [
            "--host",
            "127.0.0.1",
            "--port",
            str(self.port),
            "--no-access-log",
            "--log-level",
            "warning",
        ]
        self.process.start(
            [*python, *options, "--timeout-graceful-shutdown", "20"],
            environment=self._environment,
            directory=ROOT,
        )

    def ready(self) -> bool:
        """True when /ready says so."""
        try:
            with closing(HTTPConnection("127.0.0.1", self.port, timeout=5)) as connection:
                connection.request("GET", "/ready")
                return connection.getresponse().status == HTTPStatus.OK
        except (HTTPException, OSError):
            return False


class System:
    """A whole Luotsi on given servers, its files in `directory`."""

    def __init__(
        self,
        directory: Path,
        bootstrap: str,
        admin_url: str,
        *,
        prefix: str = "",
        tied: bool = True,
    ) -> None:
        self.directory = directory
        self.bootstrap = bootstrap
        self.admin_url = admin_url
        self.prefix = prefix
        self.services: dict[str, RunningService] = {}
        self._tied = tied

    @property
    def key_file(self) -> Path:
        """The key-encryption and lookup keys."""
        return self.directory / "keys.json"

    @property
    def secrets(self) -> dict[str, str]:
        """Tokens of the sources (by name, `desk` among them) and the desk's session secret."""
        return dict(json.loads((self.directory / "secrets.json").read_text()))

    def prepare(self, sources: tuple[str, ...] = ("test-source",)) -> None:
        """Make what is missing: keys, tokens, topics, schemas."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if not self.key_file.exists():
            KeyFile.create(self.key_file)
        if not (self.directory / "secrets.json").exists():
            made = {name: secrets.token_urlsafe(24) for name in (*sources, "desk", "session")}
            (self.directory / "secrets.json").write_text(json.dumps(made))
            (self.directory / "secrets.json").chmod(0o600)
        tokens = {
            hashlib.sha256(token.encode()).hexdigest(): name
            for name, token in self.secrets.items()
            if name != "session"
        }
        (self.directory / "tokens.json").write_text(json.dumps(tokens))
        wait_for(create_topics(self.bootstrap, self.prefix))
        wait_for(migrate_all(self.admin_url, ROLE_PASSWORD))

    def service(
        self, program: str, number: int = 1, port: int | None = None, **settings: str
    ) -> RunningService:
        """A process of `program`, not yet started; `settings` are LUOTSI_ variables, lower case."""
        name = f"{program}-{number}"
        known = self.secrets
        values = {
            "kafka": self.bootstrap,
            "database_url": service_url(self.admin_url, APPS[program][0], ROLE_PASSWORD),
            "topic_prefix": self.prefix,
            "key_file": str(self.key_file),
            "tokens_file": str(self.directory / "tokens.json"),
            "intake_token": known["desk"],
            "session_secret": known["session"],
            "mail_sender": "viestit@kuusela.example",
            "duty_address": "paivystys@kuusela.example",
            **settings,
        }
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LUOTSI_")}
        environment |= {f"LUOTSI_{key.upper()}": value for key, value in values.items()}
        process = BackgroundProcess(name, self.directory, tied=self._tied)
        running = RunningService(program, process, port or free_port(), environment)
        self.services[name] = running
        return running

    def stop(self) -> None:
        """Ask every process to finish, in the order of the way of an event."""
        for running in self.services.values():
            running.process.stop()

    def problem(self) -> LocalError:
        """What the processes that are not ready said last."""
        told = [
            f"{name}: {running.process.last_lines(3)}"
            for name, running in self.services.items()
            if not running.ready()
        ]
        return LocalError("Not ready: " + " / ".join(told), "Mend: see the logs in that folder.")
