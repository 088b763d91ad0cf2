"""`luotsi where` with no service, with some, and what it prints of their answers."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from deploy.cli.__main__ import main
from deploy.cli.settings import CommandSettings
from deploy.cli.where import Row, render, where

RECEIPT = "019a42f0-3c00-7000-8000-000000000001"
HOP = {
    "grp": "intake", "topic": "luotsi.intake.notification.v1", "partition": 3, "offset": 17,
    "source": "school-1", "event_id": "n-1", "key": "school-1/n-1", "outcome": "applied",
    "reason": None, "received_at": "2026-11-02T07:15:00+00:00",
    "recorded_at": "2026-11-02T07:15:01+00:00",
}  # fmt: skip
INTAKE = {"n-1": {"service": "intake", "hops": [HOP | {"receipt_id": RECEIPT}]}}
CASE = {
    "signal": f"{RECEIPT}.0", "mark": "K-1234", "check_state": "open", "urgency": "open",
    "level": "erityis", "holder": "duty", "destinations": [], "clocks_running": 4,
}  # fmt: skip
ROUTING = {
    RECEIPT: {
        "service": "routing",
        "hops": [HOP | {"topic": "luotsi.signal.v1", "event_id": f"{RECEIPT}.0"}],
        "state": [CASE],
    }
}
NOTICE = {
    "id": RECEIPT, "purpose": "receipt", "state": "delivered", "attempts": 1, "reason": None,
    "received_at": HOP["received_at"], "created_at": HOP["recorded_at"],
    "finished_at": "2026-11-02T07:15:04+00:00",
}  # fmt: skip
NOTIFICATIONS = {RECEIPT: {"service": "notifications", "hops": [], "state": [NOTICE]}}


@contextmanager
def a_service(answers: dict[str, Any]) -> Iterator[str]:
    """A service that knows these ids."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            ident = self.path.removeprefix("/internal/where/")
            body = json.dumps(answers.get(ident, {"hops": []})).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


NOBODY = "http://127.0.0.1:1"


@pytest.fixture
def settings() -> Iterator[CommandSettings]:
    with a_service(INTAKE) as intake, a_service(ROUTING) as routing:
        yield CommandSettings(
            intake_url=intake, routing_url=routing, notifications_url=NOBODY, answer_within=2
        )


def test_each_hop_has_its_time_in_helsinki_and_its_state(settings: CommandSettings) -> None:
    with a_service(NOTIFICATIONS) as notifications:
        rows = where(settings.model_copy(update={"notifications_url": notifications}), "n-1")

    assert rows == [
        Row(
            "intake", "luotsi.intake.notification.v1 3/17", "2026-11-02 09:15:01",
            "applied, received 2026-11-02 09:15:00",
        ),
        Row("", f"receipt {RECEIPT}", "", ""),
        Row(
            "routing", "luotsi.signal.v1 3/17", "2026-11-02 09:15:01",
            "applied, received 2026-11-02 09:15:00",
        ),
        Row(
            "routing", "case K-1234", "",
            "urgency check open, level erityis, holder duty, 4 clocks run",
        ),
        Row("notifications", "", "", "has not seen it yet"),
        Row("notifications", "receipt", "2026-11-02 09:15:04", "delivered, tried 1 times"),
    ]  # fmt: skip


def test_a_service_that_does_not_answer_has_a_line_saying_so(settings: CommandSettings) -> None:
    assert Row("notifications", NOBODY, "", "does not answer") == where(settings, "n-1")[-1]


def test_an_id_that_nobody_knows_is_said_to_be_unknown(
    settings: CommandSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LUOTSI_INTAKE_URL", settings.intake_url)

    assert 1 == main(["where", "n-9"])
    assert "luotsi: No message with the id 'n-9' has reached intake.\n" == capsys.readouterr().err


def test_without_intake_the_command_says_what_to_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LUOTSI_INTAKE_URL", NOBODY)

    assert 2 == main(["where", "n-1"])
    assert f"intake at {NOBODY} does not answer. Start it" in capsys.readouterr().err


def test_a_quarantined_message_ends_at_intake_with_its_reason() -> None:
    bad = HOP | {"outcome": "quarantined", "reason": "bad-content"}
    with a_service({"n-1": {"hops": [bad]}}) as intake:
        rows = where(CommandSettings(intake_url=intake), "n-1")

    assert ["quarantined, bad-content, received 2026-11-02 09:15:00"] == [r.state for r in rows]


def test_the_table_is_as_wide_as_its_widest_cell() -> None:
    lines = render([Row("intake", "a-rather-long-place", "", "applied")]).splitlines()

    assert lines[0].index("TIME") == len("SERVICE  ") + len("a-rather-long-place  ")
    assert "intake" == lines[1].split()[0]


def test_the_addresses_are_those_of_the_demo_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("INTAKE", "ROUTING", "NOTIFICATIONS"):
        monkeypatch.delenv(f"LUOTSI_{name}_URL", raising=False)

    assert {
        "intake_url": "http://127.0.0.1:8101",
        "routing_url": "http://127.0.0.1:8102",
        "notifications_url": "http://127.0.0.1:8103",
        "answer_within": 5.0,
        "send_within": 30.0,
    } == CommandSettings().model_dump(exclude={"intake_token", "token"})
