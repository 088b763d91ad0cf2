"""A local mail server that delivers nothing: it keeps every mail as a file and shows them.

For the demo and the tests: ``python -m deploy.local.mailcatcher --directory .luotsi/mail``.
"""

import argparse
import asyncio
import email
import time
from collections.abc import Iterator
from email.message import EmailMessage
from email.policy import default
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session
from fastapi import FastAPI, HTTPException
from fastapi.responses import HTMLResponse

from deploy.local.errors import run_command
from deploy.local.machine import HOST, demand_free

SMTP_PORT = 1025
HTTP_PORT = 8025
NEWEST = 500  # how many mails the list shows


class Caught(NamedTuple):
    """One mail that was caught."""

    name: str
    to: str
    sender: str
    subject: str
    at: str
    message_id: str
    text: str


class Box:
    """A folder of mails, one `.eml` file each, named so that they sort by arrival."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._last = 0

    # aiosmtpd calls this for every mail.
    async def handle_DATA(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep a mail; only then say that it was taken."""
        self._last = max(self._last + 1, time.time_ns())
        file = self.directory / f"{self._last}.eml"
        unfinished = file.with_suffix(".new")
        content = envelope.content or b""
        unfinished.write_bytes(content if isinstance(content, bytes) else content.encode())
        unfinished.rename(file)
        return "250 kept"

    def newest(self, count: int = NEWEST) -> Iterator[Caught]:
        """The mails, the newest first."""
        for file in sorted(self.directory.glob("*.eml"), reverse=True)[:count]:
            yield read(file)

    def one(self, name: str) -> Caught:
        """The mail of that name; raises `FileNotFoundError`."""
        if not name.isdigit():
            raise FileNotFoundError(name)
        return read(self.directory / f"{name}.eml")

    def count(self) -> int:
        """How many mails there are."""
        return sum(1 for _ in self.directory.glob("*.eml"))


def read(file: Path) -> Caught:
    """A mail from its file."""
    message = email.message_from_bytes(file.read_bytes(), policy=default)
    body = message.get_body(("plain",)) if isinstance(message, EmailMessage) else None
    text = body.get_content() if body is not None else ""
    to, sender, subject, at, message_id = (
        str(message.get(name, "")) for name in ("To", "From", "Subject", "Date", "Message-ID")
    )
    return Caught(file.stem, to, sender, subject, at, message_id, str(text))


async def listen(box: Box, port: int) -> asyncio.Server:
    """Accept mail on `port` of this machine; closing the server ends it."""
    return await asyncio.get_running_loop().create_server(
        lambda: SMTP(box, enable_SMTPUTF8=True, hostname="localhost"), HOST, port
    )


def build_app(box: Box) -> FastAPI:
    """The pages that show what was caught, and ``/mails`` for programs."""
    app = FastAPI(title="Luotsi mail catcher", docs_url=None, redoc_url=None)

    @app.get("/", response_class=HTMLResponse)
    def page() -> str:
        rows = "".join(
            f'<tr><td>{escape(mail.at)}<td>{escape(mail.to)}<td><a href="/mail/{mail.name}">'
            f"{escape(mail.subject) or '(no subject)'}</a>"
            for mail in box.newest()
        )
        return _page(
            f"<h1>Caught mail</h1><p>{box.count()} mails; the newest are shown. None of them left "
            "this machine.</p><table><thead><tr><th>Date<th>To<th>Subject</thead>"
            f"<tbody>{rows}</table>"
        )

    @app.get("/mail/{name}", response_class=HTMLResponse)
    def mail(name: str) -> str:
        try:
            found = box.one(name)
        except FileNotFoundError:
            raise HTTPException(404) from None
        return _page(
            f'<p><a href="/">All mail</a></p><h1>{escape(found.subject)}</h1>'
            f"<dl><dt>From<dd>{escape(found.sender)}<dt>To<dd>{escape(found.to)}"
            f"<dt>Date<dd>{escape(found.at)}<dt>Message-ID<dd>{escape(found.message_id)}</dl>"
            f"<pre>{escape(found.text)}</pre>"
        )

    @app.get("/mails")
    def mails() -> list[dict[str, Any]]:
        return [mail._asdict() for mail in box.newest()]

    return app


def _page(content: str) -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><title>Caught mail</title>'
        "<style>body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "table{width:100%;border-collapse:collapse}th,td{text-align:left;"
        "padding:.4rem .6rem .4rem 0;border-bottom:1px solid #ccc;overflow-wrap:anywhere}"
        "pre{white-space:pre-wrap;padding:1rem;"
        "background:#f4f4f4}dt{font-weight:bold;float:left;min-width:8rem}</style>"
        f"<main>{content}</main></html>"
    )


async def serve(directory: Path, smtp_port: int, http_port: int) -> None:
    """Catch mail until the process is told to end."""
    box = Box(directory)
    server = await listen(box, smtp_port)
    config = uvicorn.Config(build_app(box), host=HOST, port=http_port, log_level="warning")
    print(f"mail catcher: SMTP {HOST}:{smtp_port}, pages http://{HOST}:{http_port}", flush=True)
    try:
        await uvicorn.Server(config).serve()
    finally:
        server.close()


def main() -> None:
    """Read the arguments and serve."""
    parser = argparse.ArgumentParser(description="Keep every mail, deliver none.")
    parser.add_argument("--directory", type=Path, default=Path(".luotsi/mail"))
    parser.add_argument("--smtp-port", type=int, default=SMTP_PORT)
    parser.add_argument("--http-port", type=int, default=HTTP_PORT)
    chosen = parser.parse_args()
    demand_free(chosen.smtp_port, "the mail catcher", "--smtp-port")
    demand_free(chosen.http_port, "the mail catcher's page", "--http-port")
    asyncio.run(serve(chosen.directory, chosen.smtp_port, chosen.http_port))


if __name__ == "__main__":
    run_command(main)
