"""The Helm chart: it renders, Kubernetes would take what it renders, and personne would understand it."""

import copy
import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from personne.settings import PREFIX, Settings
from tests.house.charts import CHART, HAS_HELM, NAMESPACE, VALUES_FILES, Manifest, render_all, rendered, values_of
from tests.house.custom_resources import SCHEMAS
from tests.house.tracked import ROOT

pytestmark = pytest.mark.skipif(not HAS_HELM, reason="helm-python-sdk, which renders charts, is not here")
kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not here")
jsonschema = pytest.importorskip("jsonschema", reason="jsonschema is not here")

# The oldest that Chart.yaml allows, and the newest whose schemas are here.
KUBERNETES = ("1.27", kubernetes_validate.latest_version())
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
each_file = pytest.mark.parametrize("path", VALUES_FILES, ids=lambda path: path.stem)


def pod_templates(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """What runs: by its component, with the pod's spec."""
    for one in rendered(path):
        if one["kind"] in {"Deployment", "StatefulSet"}:
            yield one["metadata"]["labels"]["app.kubernetes.io/component"], one["spec"]["template"]["spec"]


def find(path: Path, kind: str, ending: str = "") -> Manifest:
    """The only object of this kind whose name ends so."""
    (found,) = [one for one in rendered(path) if one["kind"] == kind and one["metadata"]["name"].endswith(ending)]
    return found


def environment(container: dict[str, Any]) -> dict[str, Any]:
    """Variables with their values; what a Secret holds is a word."""
    return {one["name"]: one.get("value", "from-a-secret-of-32-characters-or-more") for one in container["env"]}


def test_the_linter_has_no_more_to_say_than_that_there_is_no_icon() -> None:
    said = render_all([])[1]["messages"]
    assert [message["error"] for message in said if message["severity"] > 1] == []


@each_file
def test_kubernetes_takes_it(path: Path) -> None:
    for manifest in rendered(path):
        if manifest["kind"] in SCHEMAS:
            jsonschema.validate(manifest, SCHEMAS[manifest["kind"]])
            continue
        for version in KUBERNETES:
            kubernetes_validate.validate(manifest, version, strict=True)


@each_file
def test_names_are_unique_and_short(path: Path) -> None:
    names = [(one["kind"], one["metadata"]["name"]) for one in rendered(path)]
    assert len(names) == len(set(names))
    assert max(len(name) for _, name in names) <= 63


@each_file
def test_every_selector_finds_its_pods(path: Path) -> None:
    specs = [one.get("spec", {}) for one in rendered(path)]
    pods = [spec["template"]["metadata"]["labels"] for spec in specs if "template" in spec]
    for one, spec in zip(rendered(path), specs, strict=True):
        selector = spec.get("selector") or spec.get("podSelector")
        if selector is None or one["kind"] == "ServiceMonitor":
            continue
        wanted = selector.get("matchLabels", selector).items()
        assert [labels for labels in pods if wanted <= labels.items()], one["metadata"]["name"]


@each_file
def test_pods_are_contained(path: Path) -> None:
    for _, pod in pod_templates(path):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] > 0
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False
        for container in pod["containers"] + pod.get("initContainers", []):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"]


@each_file
def test_personne_understands_its_settings(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for part, pod in pod_templates(path):
        if part == "redis":
            continue
        told = environment(pod["containers"][0])
        ours = {name: value for name, value in told.items() if name.startswith(PREFIX)}
        assert {name.removeprefix(PREFIX).lower() for name in ours} <= set(Settings.model_fields)
        with monkeypatch.context() as patch:
            for name, value in ours.items():
                patch.setenv(name, "redis://somewhere" if name == f"{PREFIX}QUEUE" else value)
            for name in {f"{PREFIX}CERTIFICATE", f"{PREFIX}CERTIFICATE_KEY"} & ours.keys():
                mounted = tmp_path / Path(ours[name]).name
                mounted.touch()
                patch.setenv(name, str(mounted))
            settings = Settings()
        assert pod["terminationGracePeriodSeconds"] >= settings.stop_grace_s + (10 if part == "web" else 5)
        if part.startswith("worker"):
            limit = re.fullmatch(r"(\d+)Gi", pod["containers"][0]["resources"]["limits"]["memory"])
            assert limit
            assert int(limit[1]) * 1024 >= settings.model_memory_mb + 1536


def test_values_become_settings_as_they_are() -> None:
    told = environment(
        find(CHART / "ci" / "keyed-values.yaml", "Deployment", "-web")["spec"]["template"]["spec"]["containers"][0]
    )
    assert told["PERSONNE_CAP_QUICK"] == "1000000"
    assert told["PERSONNE_READY_FACES"] == "0"
    assert told["PERSONNE_LOG_JSON"] == "false"
    assert told["PERSONNE_OPEN"] == "false"
    assert told["PERSONNE_QUEUE"] == "redis://:$(REDIS_PASSWORD)@faces-personne-redis:6379/2"
    names = list(told)
    assert names.index("REDIS_PASSWORD") < names.index("PERSONNE_QUEUE"), "only what stands before is filled in"


@each_file
def test_probes_ask_what_there_is(path: Path) -> None:
    for part, pod in pod_templates(path):
        if part == "webhooks":
            assert not [name for name in pod["containers"][0] if "Probe" in name], "it answers nobody"
            continue
        probes = [pod["containers"][0][name] for name in ("startupProbe", "readinessProbe", "livenessProbe")]
        if part == "web":
            assert {probe["httpGet"]["path"] for probe in probes} <= {"/livez", "/readyz"}
            assert probes[2]["httpGet"]["path"] == "/livez", "a queue that is away is no reason to restart the web"
        elif part == "redis":
            assert all(probe["exec"]["command"] == ["redis-cli", "-e", "ping"] for probe in probes)
        else:
            assert all(probe["exec"]["command"] == ["personne", "health", "--worker"] for probe in probes)
            assert probes[2]["periodSeconds"] * probes[2]["failureThreshold"] >= 600


def test_images_are_those_of_the_compose_file() -> None:
    images = {pod["containers"][0]["image"] for path in VALUES_FILES for _, pod in pod_templates(path)}
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert chart["version"] == chart["appVersion"] == version
    services = COMPOSE["services"]
    ours = {services[name]["image"] for name in ("web", "worker", "worker-gpu")}
    assert images == {services["redis"]["image"]} | {f"{name}:{version}" for name in ours} | {
        f"registry.example.org/faces/{name}:2026.11" for name in ("personne-web", "personne-worker")
    }


def test_redis_forgets_nothing() -> None:
    command = find(CHART / "ci" / "keyed-values.yaml", "StatefulSet")["spec"]["template"]["spec"]["containers"][0][
        "command"
    ]
    ours = " ".join(command)
    assert all(option in ours for option in ("--appendonly yes", "--maxmemory-policy noeviction", "--requirepass"))
    theirs = " ".join(COMPOSE["services"]["redis"]["command"])
    assert set(theirs.split()) <= set(ours.split())


@each_file
def test_the_network_lets_through_what_must_pass(path: Path) -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in rendered(path) if one["kind"] == "NetworkPolicy"}
    if values_of(path).get("networkPolicy", {}).get("enabled") is False:
        assert policies == {}
        return
    assert set(policies) == {f"faces-personne-{part}" for part, _ in pod_templates(path)}
    for name, spec in policies.items():
        assert spec["policyTypes"] == ["Ingress", "Egress"]
        if "worker" in name:
            assert "ingress" not in spec
        ports = {port["port"] for rule in spec.get("egress", []) for port in rule.get("ports", [])}
        redis = values_of(path).get("redis", {}).get("port", 6379)
        assert name.endswith("-redis") or {53, redis} <= ports


def test_the_web_accepts_the_webhooks_that_are_told() -> None:
    path = CHART / "ci" / "keyed-values.yaml"
    told = {name: find(path, "Deployment", f"-{name}")["spec"]["template"]["spec"] for name in ("web", "webhooks")}
    (web,), (webhooks,) = (pod["containers"] for pod in told.values())
    ours = {name for name in environment(webhooks) if "WEBHOOK" in name}
    assert ours == {f"{PREFIX}WEBHOOK_SECRET", f"{PREFIX}WEBHOOK_NETWORKS"}
    variables = [[one for one in container["env"] if one["name"] in ours] for container in (web, webhooks)]
    assert variables[0] == variables[1]
    assert webhooks["args"] == COMPOSE["services"]["webhooks"]["command"]
    assert webhooks["image"].rpartition(":")[0].endswith(COMPOSE["services"]["webhooks"]["image"])
    assert {volume["name"] for volume in told["webhooks"]["volumes"]} == {"tmp"}, "it needs no store, and no node of it"
    plain = rendered(CHART / "ci" / "open-values.yaml")
    assert "WEBHOOK" not in str(plain)
    open_to = find(path, "NetworkPolicy", "-webhooks")["spec"]["egress"][-1]["to"]
    assert {"ipBlock": {"cidr": "10.20.0.0/16"}} in open_to
    assert "10.0.0.0/8" in open_to[0]["ipBlock"]["except"]


def test_a_field_that_keda_does_not_know_would_be_noticed() -> None:
    scaled = copy.deepcopy(find(CHART / "ci" / "gpu-values.yaml", "ScaledObject"))
    scaled["spec"]["triggers"][0]["metadata"]["metricName"] = "gone since KEDA 2.12"
    with pytest.raises(jsonschema.ValidationError, match="metricName"):
        jsonschema.validate(scaled, SCHEMAS["ScaledObject"])


def test_gpus_follow_waiting_and_running_jobs() -> None:
    path = CHART / "ci" / "gpu-values.yaml"
    scaled = find(path, "ScaledObject")
    target = find(path, "Deployment", "-worker-gpu")
    assert scaled["spec"]["scaleTargetRef"]["name"] == target["metadata"]["name"]
    assert "replicas" not in target["spec"], "else each upgrade would undo the scaling"
    query = scaled["spec"]["triggers"][0]["metadata"]["query"]
    service = find(path, "Service", "-web")["metadata"]["name"]
    which = f'{{namespace="{NAMESPACE}",service="{service}",lane=~"quick|slow"}}'
    assert query == (
        f"sum(max by (lane) (personne_queue_depth{which})) + sum(max by (lane) (personne_jobs_running{which}))"
    )
    autoscaler = {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "as-keda-makes-it"},
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": target["metadata"]["name"]},
            "maxReplicas": scaled["spec"]["maxReplicaCount"],
            **scaled["spec"]["advanced"]["horizontalPodAutoscalerConfig"],
        },
    }
    for version in KUBERNETES:
        kubernetes_validate.validate(autoscaler, version, strict=True)


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool (Debian: prometheus) is not here")
def test_two_webs_that_tell_of_one_queue_are_not_counted_twice(tmp_path: Path) -> None:
    query = find(CHART / "ci" / "gpu-values.yaml", "ScaledObject")["spec"]["triggers"][0]["metadata"]["query"]
    series = [
        {
            "series": f'personne_{name}{{namespace="prod",service="faces-personne-web",pod="{pod}",lane="{lane}"}}',
            "values": value,
        }
        for pod in ("a", "b")
        for lane in ("quick", "slow", "idle")
        for name, value in (("queue_depth", "10x4"), ("jobs_running", "3x4"))
    ]
    expected = {"expr": query, "eval_time": "1m", "exp_samples": [{"value": 26}]}
    tests = {"tests": [{"interval": "15s", "input_series": series, "promql_expr_test": [expected]}]}
    (tmp_path / "count.yml").write_text(yaml.safe_dump(tests), encoding="utf-8")
    result = subprocess.run(
        ["promtool", "test", "rules", "count.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_alerts_and_dashboard_are_those_of_the_compose_file() -> None:
    path, folder = CHART / "ci" / "keyed-values.yaml", ROOT / "docker" / "monitoring"
    assert find(path, "PrometheusRule")["spec"] == yaml.safe_load((folder / "alerts.yml").read_text(encoding="utf-8"))
    shown = json.loads(find(path, "ConfigMap", "-dashboard")["data"]["personne.json"])
    assert shown == json.loads((folder / "grafana" / "dashboards" / "personne.json").read_text(encoding="utf-8"))
    monitor = find(path, "ServiceMonitor")
    assert find(path, "Service", "-web")["metadata"]["labels"][monitor["spec"]["jobLabel"]] == "personne"
