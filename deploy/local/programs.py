"""The demo's programs: the four services and the mail catcher, with their settings."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from deploy.local.machine import port_answers
from deploy.local.plan import ROOT, Plan
from deploy.local.process import BackgroundProcess
from deploy.local.system import RunningService, System

SOURCES = ("school-1", "health-1", "social-1", "clients-1", "directory-1")
"""Sources that may also send over HTTP in the demo; their tokens lie in secrets.json."""

DUTY_ADDRESS = "paivystys@kuusela.example"
MAIL_SENDER = "viestit@kuusela.example"


@dataclass(frozen=True)
class Program:
    """One process of the demo. Two of equal `name` and `settings` are the same to run."""

    name: str
    process: BackgroundProcess
    port: int
    settings: Mapping[str, str]
    service: RunningService | None = None
    command: tuple[str, ...] = ()

    def start(self) -> None:
        """Start it, its log not longer than it must be."""
        shorten(self.process.log_file)
        if self.service is not None:
            self.service.start()
        else:
            self.process.start(self.command, directory=ROOT)

    def ready(self) -> bool:
        """Whether it does its work."""
        return self.service.ready() if self.service is not None else port_answers(self.port)


def programs(plan: Plan, directory: Path, *, tied: bool = False) -> list[Program]:
    """Every program of `plan`, in the order of the way of an event, the mail catcher first."""
    system = System(directory, plan.kafka, plan.database_url, tied=tied)
    ports = plan.ports
    desk = {"demo": "true", "intake_url": f"http://127.0.0.1:{ports.intake}"}
    feeds = {"client_sources": "clients-1", "directory_sources": "directory-1"}
    wanted: dict[str, tuple[int, dict[str, str]]] = {
        "intake": (ports.intake, feeds),
        "routing": (ports.routing, {"timers": "true" if plan.open else "false"}),
        "desk": (ports.desk, desk),
        "notifications": (ports.notifications, mail_settings(plan)),
    }
    found = [mail_catcher(plan, directory, tied=tied)]
    for name, (port, settings) in wanted.items():
        service = system.service(name, 1, port, **settings)
        found.append(Program(service.process.name, service.process, port, settings, service))
    return found


def mail_settings(plan: Plan) -> dict[str, str]:
    """Mail goes to the catcher, and only once the month is in."""
    return {
        "smtp_port": str(plan.ports.smtp),
        "duty_address": DUTY_ADDRESS,
        "mail_sender": MAIL_SENDER,
        "send": "true" if plan.open else "false",
        **({"not_before": _spelt(plan.opened_at)} if plan.opened_at else {}),
    }


def mail_catcher(plan: Plan, directory: Path, *, tied: bool) -> Program:
    """The local mail server that delivers nothing."""
    ports = plan.ports
    command = (
        *(sys.executable, "-m", "deploy.local.mailcatcher", "--directory", str(directory / "mail")),
        *("--smtp-port", str(ports.smtp), "--http-port", str(ports.mail)),
    )
    process = BackgroundProcess("mailcatcher", directory, tied=tied)
    return Program("mailcatcher", process, ports.mail, {}, command=command)


LONGEST_LOG = 20_000_000  # bytes


def shorten(log: Path) -> None:
    """Put a long log aside, in the place of the one put aside before."""
    if log.exists() and log.stat().st_size > LONGEST_LOG:
        log.replace(log.with_suffix(".log.1"))


def _spelt(at: datetime) -> str:
    return at.isoformat()
