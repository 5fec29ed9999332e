"""Images and the compose file: what a reviewer would ask of them."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.house.tracked import ROOT

DOCKERFILES = sorted((ROOT / "docker").glob("*.Dockerfile"))
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
MONITORING = {"prometheus", "grafana"}


def test_there_are_four_images() -> None:
    names = {path.name.removesuffix(".Dockerfile") for path in DOCKERFILES}
    assert names == {"app", "training", "worker", "worker-gpu"}


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_an_image_is_pinned_multi_stage_and_not_run_by_root(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert len(bases) == 2
    assert all(re.fullmatch(r"python:\d+\.\d+\.\d+-slim-\w+", base) for base in bases)
    assert "COPY . ." not in text.split("FROM ")[-1], "sources stay in the build stage"
    assert int(re.findall(r"^USER (\d+)$", text, re.MULTILINE)[-1]) > 0
    assert re.search(r'^HEALTHCHECK .*(\["personne", "health"|NONE)', text, re.MULTILINE)


@pytest.mark.parametrize("path", DOCKERFILES, ids=lambda path: path.name)
def test_the_linter_finds_nothing(path: Path) -> None:
    linter = Path(sys.executable).parent / "hadolint"
    result = subprocess.run([linter, path], check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout


@pytest.mark.skipif(shutil.which("docker-compose") is None, reason="docker-compose is not here")
def test_a_compose_parser_accepts_the_file() -> None:
    profiles = [f"--profile={name}" for name in ("gpu", "monitoring", "webhooks")]
    parsed = ["docker-compose", *profiles, "config", "--services"]
    result = subprocess.run(parsed, cwd=ROOT, check=True, capture_output=True, text=True)
    assert set(result.stdout.split()) == {"web", "webhooks", "worker", "worker-gpu", "redis"} | MONITORING


def test_the_builder_gets_every_package_of_the_wheel() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]["packages"]
    sent = {line[1:] for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] == "!"}
    assert {package.rstrip("*") for package in packages["find"]["include"]} <= sent


def floors(name: str) -> set[str]:
    """The extras that an image installs."""
    text = (ROOT / "docker" / f"{name}.Dockerfile").read_text(encoding="utf-8")
    extras = re.findall(r"'\.\[([a-z,]+)\]'", text)
    assert len(extras) == 1
    return set(extras[0].split(","))


def test_an_image_is_a_list_of_floors() -> None:
    assert {name: floors(name) for name in ("app", "worker", "worker-gpu", "training")} == {
        "app": {"app"},
        "worker": {"worker", "video"},
        "worker-gpu": {"gpu", "video"},
        "training": {"training", "export", "worker"},
    }


def test_only_what_one_looks_at_is_published_and_only_here() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "web": ["127.0.0.1:8000:8000"],
        "prometheus": ["127.0.0.1:9090:9090"],
        "grafana": ["127.0.0.1:3000:3000"],
    }


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_contained(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")


def test_only_what_not_everybody_needs_has_a_profile() -> None:
    profiles = {name: service["profiles"] for name, service in SERVICES.items() if "profiles" in service}
    monitoring = {name: ["monitoring"] for name in ("prometheus", "grafana")}
    assert profiles == {"worker-gpu": ["gpu"], "webhooks": ["webhooks"]} | monitoring


@pytest.mark.parametrize("name", sorted(MONITORING))
def test_the_monitoring_is_pinned_and_reads_files_that_are_here(name: str) -> None:
    assert re.fullmatch(r"[a-z]+/[a-z]+:v?\d+\.\d+\.\d+", SERVICES[name]["image"])
    mounted = [volume.split(":") for volume in SERVICES[name]["volumes"] if volume.startswith("./")]
    assert mounted
    assert all((ROOT / source).exists() and mode == "ro" for source, _, mode in mounted)


def test_grafana_has_no_account_and_shows_strangers_nothing_they_could_change() -> None:
    told = SERVICES["grafana"]["environment"]
    assert told["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert told["GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION"] == "true"
    assert not [name for name in told if "PASSWORD" in name]


def test_prometheus_may_ask_the_web_by_the_name_it_uses() -> None:
    asked = yaml.safe_load((ROOT / "docker" / "monitoring" / "prometheus.yml").read_text(encoding="utf-8"))
    (target,) = asked["scrape_configs"][0]["static_configs"][0]["targets"]
    name, port = target.split(":")
    assert name in SERVICES["web"]["environment"]["PERSONNE_HOSTS"].split(",")
    assert SERVICES["web"]["ports"] == [f"127.0.0.1:{port}:{port}"]
    assert SERVICES["web"]["command"] == ["web", "--open"], "else /metrics asks for a key"


def test_redis_forgets_nothing() -> None:
    command = " ".join(SERVICES["redis"]["command"])
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command
    assert SERVICES["redis"]["healthcheck"]["test"] == ["CMD", "redis-cli", "ping"]
    assert re.fullmatch(r"redis:\d+\.\d+\.\d+-alpine", SERVICES["redis"]["image"])


def test_web_and_workers_share_one_store_and_one_queue() -> None:
    ours = [service for name, service in SERVICES.items() if name not in {"redis"} | MONITORING]
    mounted = {name: SERVICES[name].get("volumes", []) for name in SERVICES if SERVICES[name] in ours}
    assert mounted.pop("webhooks") == [], "it reads no model"
    assert {volume.split(":")[0] for volumes in mounted.values() for volume in volumes} == {"store"}
    assert {service["environment"]["PERSONNE_QUEUE"] for service in ours} == {"redis://redis:6379"}
    assert all(service["depends_on"]["redis"]["condition"] == "service_healthy" for service in ours)
