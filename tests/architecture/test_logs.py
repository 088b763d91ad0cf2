"""A log line holds listed keys only, and none of them can hold a person."""

import ast
from typing import get_args

from prometheus_client import Counter, Gauge, Histogram

from shared import metrics
from shared.events import Guardian, Notification, NotifiedChild, Notifier
from shared.logs import ALLOWED
from shared.migrate import files
from shared.store import OutcomeKind
from tests.architecture.source import modules

CODES = {"kind"}  # a notifier's kind is a code, not a person
PERSONAL = {"child", "guardian", "hetu", "key", "headers", "value", "recipient", "body", "detail"}
LEVELS = ("debug", "info", "warning", "error", "critical", "exception")


def test_no_listed_key_is_a_field_of_a_person_or_text() -> None:
    models = (Notification, NotifiedChild, Notifier, Guardian)
    fields = {name for model in models for name in model.model_fields}

    assert set() == ALLOWED & (fields - CODES)
    assert set() == ALLOWED & PERSONAL


def test_every_log_line_uses_listed_keys_and_a_constant_text() -> None:
    for name, tree in modules("services", "shared").items():
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                continue
            if ast.unparse(call.func.value) == "log" and call.func.attr in LEVELS:
                assert isinstance(call.args[0], ast.Constant), f"{name}:{call.lineno}"
                assert {word.arg for word in call.keywords} <= ALLOWED, f"{name}:{call.lineno}"


def test_labels_of_metrics_are_codes() -> None:
    bounded = {
        "service", "topic", "outcome", "kind", "queue", "window", "holder", "destination",
        "purpose", "route", "status",
    }  # fmt: skip
    for metric in vars(metrics).values():
        if isinstance(metric, Counter | Gauge | Histogram):
            assert set(metric._labelnames) <= bounded, metric._name


def test_outcomes_of_the_log_are_the_ones_the_tables_allow() -> None:
    table = files("intake")[0].read_text()

    for outcome in get_args(OutcomeKind):
        assert f"'{outcome}'" in table
