"""Alerts and dashboard ask for figures that there are, and each alert was seen to fire."""

import json
import re
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from app.config import AppConfig
from app.web import create_app
from jobs.memory_queue import MemoryQueue
from jobs.queue import DEFAULT_POLICY
from tests.app.service import Painter, catalogue, manifest, serving, until
from tests.house.tracked import ROOT

FOLDER = ROOT / "docker" / "monitoring"
RULES: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
TESTS: list[dict[str, Any]] = yaml.safe_load((FOLDER / "alerts_test.yml").read_text(encoding="utf-8"))["tests"]
DASHBOARD: dict[str, Any] = json.loads((FOLDER / "grafana" / "dashboards" / "personne.json").read_text("utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
ALERTS = [rule["alert"] for rule in RULES]

NAMED = re.compile(r"\b(personne_\w+)(?:\{([^}]*)\})?")
MATCHER = re.compile(r'(\w+)\s*(=~|!=|!~|=)\s*"([^"]*)"')
# Prometheus adds these, or Kubernetes does.
ADDED = {"job", "instance", "namespace", "le"}
PROMTOOL = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian: prometheus) is not here")


def expressions() -> Iterator[str]:
    """All that is asked of Prometheus, with Grafana's variables filled in."""
    yield from (rule["expr"] for rule in RULES)
    for panel in PANELS:
        for target in panel["targets"]:
            yield target["expr"].replace("$__rate_interval", "1m").replace("$namespace", ".*")


@pytest.fixture(scope="module")
def exposed() -> dict[str, dict[str, set[str]]]:
    """Of a running web that has answered: each figure's name, with the values of each of its labels."""
    queue = MemoryQueue(DEFAULT_POLICY)
    app = create_app(AppConfig(ready_faces=2), queue.submitter, catalogue(manifest()))
    with Painter(queue.source, (manifest().digest,)), serving(app) as client:
        until(lambda: client.get("/face").status_code == 200)
        client.get("/v1/faces/7.jpg").raise_for_status()
        text = client.get("/metrics").text
    labels: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            for label, value in sample.labels.items():
                labels[sample.name][label].add(value)
            labels[sample.name].update()
    return labels


@pytest.mark.parametrize("expression", sorted(set(expressions())))
def test_what_is_asked_for_is_there(expression: str, exposed: dict[str, dict[str, set[str]]]) -> None:
    for name, matchers in NAMED.findall(expression):
        assert name in exposed, f"/metrics has no {name}"
        for label, how, value in MATCHER.findall(matchers):
            assert label in exposed[name] or label in ADDED, f"{name} has no label {label}"
            if label in {"lane", "ready", "hit"}:
                wanted = set(value.split("|")) if "~" in how else {value}
                assert wanted <= exposed[name][label], f"{name} knows no {label} of {value}"


def test_every_figure_is_shown_or_watched(exposed: dict[str, dict[str, set[str]]]) -> None:
    asked = {name for expression in expressions() for name, _ in NAMED.findall(expression)}
    endings = re.compile(r"_(bucket|count|sum|created|total)$")
    assert {endings.sub("", name) for name in exposed} == {endings.sub("", name) for name in asked}


def test_the_routes_that_are_asked_for_are_routes(exposed: dict[str, dict[str, set[str]]]) -> None:
    patterns = {
        pattern
        for expression in expressions()
        for _, matchers in NAMED.findall(expression)
        for label, how, pattern in MATCHER.findall(matchers)
        if (label, how) == ("route", "=~")
    }
    assert patterns == {"/face|/v1/faces/.+"}
    routes = exposed["personne_requests_total"]["route"]
    assert all(any(re.fullmatch(part, route) for route in routes) for part in patterns.pop().split("|"))


@pytest.mark.parametrize("rule", RULES, ids=ALERTS)
def test_an_alert_says_how_bad_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert set(rule["annotations"]) == {"summary", "action"}


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_was_seen_to_fire_and_to_be_silent(alert: str) -> None:
    seen = [check for one in TESTS for check in one["alert_rule_test"] if check["alertname"] == alert]
    assert {bool(check["exp_alerts"]) for check in seen} == {True, False}


def test_every_alert_is_in_the_documents_and_no_other() -> None:
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(Personne\w+)` \|", page, re.MULTILINE) == ALERTS


@PROMTOOL
@pytest.mark.parametrize(
    "command",
    [
        ("check", "config", "prometheus.yml"),
        ("check", "rules", "--lint-fatal", "alerts.yml"),
        ("test", "rules", "alerts_test.yml"),
    ],
    ids=" ".join,
)
def test_prometheus_says_so_too(command: tuple[str, ...]) -> None:
    result = subprocess.run(["promtool", *command], cwd=FOLDER, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


@PROMTOOL
def test_prometheus_can_read_what_the_dashboard_asks(tmp_path: Path) -> None:
    records = [{"record": f"asked:{number}", "expr": one} for number, one in enumerate(expressions())]
    rules = tmp_path / "asked.yml"
    rules.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": records}]}), encoding="utf-8")
    result = subprocess.run(["promtool", "check", "rules", rules], check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_panels_are_told_apart_described_and_do_not_overlap() -> None:
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])
    assert len({panel["title"] for panel in PANELS}) == len(PANELS)
    assert [panel["title"] for panel in PANELS if not panel["description"].endswith(".")] == []
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in DASHBOARD["panels"])
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) == 23


def test_the_dashboard_asks_the_source_that_is_provisioned() -> None:
    provisioned = FOLDER / "grafana" / "provisioning"
    (source,) = yaml.safe_load((provisioned / "datasources" / "prometheus.yml").read_text("utf-8"))["datasources"]
    assert source["url"] == "http://prometheus:9090"
    (chosen,) = [one for one in DASHBOARD["templating"]["list"] if one["type"] == "datasource"]
    assert chosen["query"] == source["type"]
    asked = {target["datasource"]["uid"] for panel in PANELS for target in panel["targets"]}
    assert asked == {f"${{{chosen['name']}}}"}
    (provider,) = yaml.safe_load((provisioned / "dashboards" / "personne.yml").read_text("utf-8"))["providers"]
    mounted = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]["grafana"]["volumes"]
    assert f"./docker/monitoring/grafana/dashboards:{provider['options']['path']}:ro" in mounted
