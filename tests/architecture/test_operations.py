"""Alerts, dashboard and runbooks speak of what exists."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram

from services.routing.settings import RoutingSettings
from shared import metrics
from tests.architecture.source import ROOT, modules, spoken

PROMETHEUS = ROOT / "deploy" / "prometheus"
DASHBOARD = json.loads((ROOT / "deploy/grafana/dashboards/luotsi.json").read_bytes())
RULES = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text())["groups"][0]["rules"]
TESTS = yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text())["tests"]
ALERTS = {rule["alert"]: rule for rule in RULES}
FROM_PROMETHEUS = {"job", "instance", "le", "alertname", "alertstate"}

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None,
    reason="promtool is missing (Debian: prometheus): the alert rules are not tried",
)


def panels() -> Iterator[Any]:
    yield from (panel for panel in DASHBOARD["panels"] if panel["type"] != "row")


def expressions() -> list[str]:
    shown = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [*shown, *(rule["expr"] for rule in RULES)]


def catalogue() -> dict[str, tuple[str, set[str]]]:
    """Name of a series -> (name in `shared.metrics`, its labels)."""
    found: dict[str, tuple[str, set[str]]] = {}
    for name, metric in vars(metrics).items():
        if isinstance(metric, Counter | Gauge | Histogram):
            base = metric._name
            suffixes = {Counter: ("_total",), Gauge: ("",)}.get(
                type(metric), ("_bucket", "_sum", "_count")
            )
            found |= {base + suffix: (name, set(metric._labelnames)) for suffix in suffixes}
    return found


@needs_promtool
def test_prometheus_takes_its_files() -> None:
    promtool("check", "config", "prometheus.yml")
    promtool("check", "rules", "alerts.yml")


@needs_promtool
def test_every_alert_fires_when_it_should_and_is_silent_when_it_should() -> None:
    promtool("test", "rules", "alerts_test.yml")


def promtool(*words: str) -> None:
    run = subprocess.run(
        [str(shutil.which("promtool")), *words],
        cwd=PROMETHEUS, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert 0 == run.returncode, run.stdout + run.stderr


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_has_a_summary_a_runbook_and_both_tests(alert: str) -> None:
    rule = ALERTS[alert]
    file, _, anchor = rule["annotations"]["runbook"].partition("#")
    headings = re.findall(r"^#+ (.+)$", (ROOT / file).read_text(), re.MULTILINE)
    tried = [
        bool(case["exp_alerts"])
        for test in TESTS
        for case in test["alert_rule_test"]
        if case["alertname"] == alert
    ]

    assert rule["annotations"]["summary"]
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert anchor in [heading.lower().replace(" ", "-") for heading in headings]
    assert {True, False} == set(tried)


def test_a_runbook_stands_for_every_alert_and_no_other() -> None:
    text = (ROOT / "docs/operations.md").read_text()

    assert list(ALERTS) == re.findall(r"^### (Luotsi\w+)$", text, re.MULTILINE)


@pytest.mark.parametrize("expression", expressions())
def test_an_expression_names_metrics_and_labels_of_the_catalogue(expression: str) -> None:
    known = catalogue()
    named = set(re.findall(r"\bluotsi_\w+", re.sub(r'"[^"]*"', "", expression)))

    assert named <= set(known)
    for name, selector in re.findall(r"\b(luotsi_\w+)\{([^}]*)\}", expression):
        assert set(re.findall(r"(\w+)\s*[=!]", selector)) <= known[name][1] | FROM_PROMETHEUS
    labels = set().union(*(known[name][1] for name in named)) | FROM_PROMETHEUS
    for listed in re.findall(r"\bby \(([^)]*)\)", expression):
        assert {label.strip() for label in listed.split(",")} <= labels


def test_a_metric_that_is_watched_is_set_by_some_code() -> None:
    known = catalogue()
    watched = {
        known[n][0] for e in expressions() for n in re.findall(r"\bluotsi_\w+", e) if n in known
    }
    names = set().union(*(spoken(tree) for tree in modules("services", "shared").values()))

    assert set() == {name for name in watched if f"metrics.{name}" not in names}


def test_the_urgency_alert_waits_as_long_as_the_county_says_by_default() -> None:
    minutes = RoutingSettings.model_fields["urgency_minutes"].default

    assert f"> {minutes * 60}" in ALERTS["LuotsiUrgencyCheckWaits"]["expr"]


def test_panels_have_titles_and_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert panel["title"]
        assert not taken & cells, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_the_jobs_that_alerts_name_are_the_ones_that_are_scraped() -> None:
    scraped = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]
    named = set(re.findall(r'job="([^"]+)"', " ".join(expressions())))

    assert named == {job["job_name"] for job in scraped}
