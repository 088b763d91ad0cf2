"""Every process of Luotsi, built as in production but connected to nothing."""

import importlib
import importlib.util
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from fastapi import FastAPI

from deploy.local.system import APPS
from shared import logs
from shared.sealing import KeyFile

DUMMY = {
    "database_url": "postgresql://nobody:nothing@127.0.0.1:1/none",
    "kafka": "127.0.0.1:1",
    "mail_sender": "luotsi@county.example",
    "duty_address": "duty@county.example",
    "duty_addresses": "duty@county.example",
    "session_secret": "an invented secret of a test, long enough",
    "intake_token": "an invented token of a test",
}


def programs() -> list[str]:
    """The programs that exist: every factory of `deploy.local.system.APPS`."""
    return [name for name, (_, factory) in APPS.items() if _exists(factory.partition(":")[0])]


@cache
def build(program: str) -> FastAPI:
    """The application of `program`, its broker not started, its pool not opened."""
    module, _, factory = APPS[program][1].partition(":")
    with _dummy_environment(), _quiet():
        app = getattr(importlib.import_module(module), factory)()
    assert isinstance(app, FastAPI)
    return app


@contextmanager
def _dummy_environment() -> Iterator[None]:
    before = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("LUOTSI_")}
    with tempfile.TemporaryDirectory() as directory:
        KeyFile.create(Path(directory) / "keys.json")
        ours = {f"LUOTSI_{name.upper()}": value for name, value in DUMMY.items()}
        ours["LUOTSI_KEY_FILE"] = str(Path(directory) / "keys.json")
        os.environ.update(ours)
        try:
            yield
        finally:
            for name in ours:
                os.environ.pop(name, None)
            os.environ.update(before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave the logging of the process that asks as it is."""
    configure = logs.configure
    logs.configure = lambda *_args, **_more: None
    try:
        yield
    finally:
        logs.configure = configure


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
