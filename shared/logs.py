"""Structured logs through an allow-list: a key that is not listed never reaches a log line."""

import logging
import sys
import time
from collections.abc import MutableMapping
from typing import Any

import structlog

from shared.errors import describe

ALLOWED = frozenset(
    {
        "event", "level", "logger", "timestamp", "service", "instance",
        "topic", "partition", "offset", "offsets", "records", "group",
        "outcome", "reason", "error", "attempt", "seconds", "count", "difference",
        "event_id", "receipt_id", "case_id", "item_id", "notice_id", "worker_id",
        "method", "route", "status", "schema", "version", "setting", "door", "kind", "purpose",
        "epoch", "suppressed",
    }
)  # fmt: skip
"""Every key a log line may carry. None of them holds a name, a text or an address."""

Event = MutableMapping[str, Any]


def _allow_listed(_logger: object, _name: str, event: Event) -> Event:
    return {key: value for key, value in event.items() if key in ALLOWED}


def _errors_by_type(_logger: object, _name: str, event: Event) -> Event:
    error = event.get("exc_info") or event.get("error")
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        event["error"] = describe(error)
    event.pop("exc_info", None)
    return event


class ForeignFormatter(logging.Formatter):
    """Lines of libraries: logger, level and the *unformatted* message, so no value can slip in."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._render = structlog.processors.JSONRenderer()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """One JSON line without the arguments of the message."""
        event: Event = {
            "event": str(record.msg) if record.name.startswith("aiokafka") else record.name,
            "level": record.levelname.lower(),
            "logger": record.name,
            "service": self._service,
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(record.created)),
        }
        if record.exc_info and record.exc_info[1]:
            event["error"] = describe(record.exc_info[1])
        return str(self._render(None, "", event))


class RateLimit(logging.Filter):
    """Lets through `limit` lines per logger and ten seconds: an outage must not fill the disk."""

    def __init__(self, limit: int = 20) -> None:
        super().__init__()
        self._limit = limit
        self._window: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """True while the logger has lines left in this window."""
        started, count = self._window.get(record.name, (0.0, 0))
        if record.created - started > 10:
            started, count = record.created, 0
        self._window[record.name] = (started, count + 1)
        return count < self._limit


def configure(service: str, level: str = "INFO", instance: str | None = None) -> None:
    """Send every log of this process to standard output as allow-listed JSON lines."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            _errors_by_type,
            _allow_listed,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stdout),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service, instance=instance)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(ForeignFormatter(service))
    handler.addFilter(RateLimit())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
        logging.getLogger(name).setLevel(logging.WARNING)


log: structlog.stdlib.BoundLogger = structlog.get_logger()
