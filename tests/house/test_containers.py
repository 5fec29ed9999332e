"""Images and the compose file: what a reviewer would ask of them."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.house.tracked import ROOT

DOCKERFILES = sorted((ROOT / "docker").glob("*.Dockerfile"))
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


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
    parsed = ["docker-compose", "--profile", "gpu", "config", "--services"]
    result = subprocess.run(parsed, cwd=ROOT, check=True, capture_output=True, text=True)
    assert set(result.stdout.split()) == {"web", "worker", "worker-gpu", "redis"}


def floors(name: str) -> set[str]:
    """The extras that an image installs."""
    text = (ROOT / "docker" / f"{name}.Dockerfile").read_text(encoding="utf-8")
    extras = re.findall(r"'\.\[([a-z,]+)\]'", text)
    assert len(extras) == 1
    return set(extras[0].split(","))


def test_an_image_is_a_list_of_floors() -> None:
    assert {name: floors(name) for name in ("app", "worker", "worker-gpu", "training")} == {
        "app": {"app"},
        "worker": {"worker"},
        "worker-gpu": {"gpu"},
        "training": {"training", "export", "worker"},
    }


def test_only_the_web_is_published_and_only_here() -> None:
    assert {name: service["ports"] for name, service in SERVICES.items() if "ports" in service} == {
        "web": ["127.0.0.1:8000:8000"]
    }


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_contained(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")


def test_only_the_gpu_needs_a_profile() -> None:
    assert {name for name, service in SERVICES.items() if "profiles" in service} == {"worker-gpu"}
    assert SERVICES["worker-gpu"]["profiles"] == ["gpu"]


def test_redis_forgets_nothing() -> None:
    command = " ".join(SERVICES["redis"]["command"])
    assert "--appendonly yes" in command
    assert "--maxmemory-policy noeviction" in command
    assert SERVICES["redis"]["healthcheck"]["test"] == ["CMD", "redis-cli", "ping"]
    assert re.fullmatch(r"redis:\d+\.\d+\.\d+-alpine", SERVICES["redis"]["image"])


def test_web_and_workers_share_one_store_and_one_queue() -> None:
    ours = [service for name, service in SERVICES.items() if name != "redis"]
    assert {volume.split(":")[0] for service in ours for volume in service["volumes"]} == {"store"}
    assert {service["environment"]["PERSONNE_QUEUE"] for service in ours} == {"redis://redis:6379"}
    assert all(service["depends_on"]["redis"]["condition"] == "service_healthy" for service in ours)
