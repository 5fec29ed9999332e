"""Documents that cannot drift, and a surface that changes on purpose only."""

import re
from typing import Any

import pytest
import typer.main

from personne.cli import app
from personne.settings import Settings
from tests.house.documented import setting_rows
from tests.house.tracked import ROOT, tracked_files

SETTINGS_PAGE = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
OPERATIONS_PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

# Each is a promise to somebody's compose file or shell history.
SETTINGS = """
log_level log_json otlp_endpoint
max_dataset_faces max_dataset_bytes webhook_secret webhook_networks
open hosts trusted_proxies units_per_minute share_key
host port queue store
default_model default_psi ready_faces request_timeout_s max_faces
max_upload_bytes max_photo_pixels upload_room_bytes translation_wait_s job_timeout_s
device lanes models model_memory_mb threads linger_ms stop_grace_s tile_side engine_cache worker_id
marks certificate certificate_key
lease_s max_deliveries beat_ttl_s result_ttl_s input_ttl_s dead_ttl_s cap_quick cap_slow cap_idle
"""
COMMANDS = {
    "serve": "--host --port --queue --store --default-model --ready-faces --device --threads --open",
    "web": "--queue --port --host --store --default-model --ready-faces --open",
    "worker": "--queue --device --lanes --models --threads --store",
    "webhooks": "--queue",
    "health": "--url --worker --queue",
    "doctor": "--json --host --queue --store --device",
    "models": "--store --json",
    "sample": "--seeds --out --model --truncation-psi --class --rotate --translate --set --labels --format --grid"
    " --device --store",
    "edit": "--seeds --set --out --keep --model --truncation-psi --format --grid --device --store",
    "morph": "--seeds --out --frames --fps --loop --set --keep --model --truncation-psi --class --device --store",
    "directions find": "model --method --count --samples --layers --space --scores --only --share --device --store",
    "directions import": "model source --as --space --meaning --low --high --store",
    "directions examples": "model --as --plus --minus --meaning --device --store",
    "directions condition": "model name --on --device --store",
    "directions rename": "model old new --meaning --flip --low --high --store",
    "directions remove": "model names --store",
    "directions attributes": "model --samples --device --store",
    "directions measure": "model --faces --device --store",
    "directions list": "model --store",
    "train estimators": "--data --out --epochs --seed --set --dry-run",
    "translate": "sources --style --out --strength --size --mask --format --force --device --store",
    "export": "source --name --out --facts --measured --noise --float16 --batch-norm --example --store",
    "import": "source --name --kind --part --licence --title --float16 --force --store",
    "pull": "name --accept-licence --name --force --store",
    "remove": "name --store",
    "verify-model": "name --seeds --device --store",
    "keys new": "name --scopes --days --per-minute --per-day --store",
    "keys list": "--json --store",
    "keys revoke": "key_id --store",
    "certs init": "--organisation --force --store",
    "train translation": "--data --style --also --out --preset --resolution --images --batch --device --init-from"
    " --seed --set --dry-run",
    "train stylegan1": "--data --out --resolution --preset --images --batch --device --init-from --seed"
    " --set --dry-run",
    "train pggan": "--data --out --resolution --preset --images --batch --device --init-from --seed --set --dry-run",
    "train dcgan": "--data --out --resolution --preset --images --batch --device --init-from --seed --set --dry-run",
    "train autoencoder": "--data --out --resolution --preset --images --batch --device --init-from --seed"
    " --set --dry-run",
    "evaluate": "name --data --test --out --samples --ways --truncation-psi --features --inception --card --device"
    " --store",
    "dataset inspect": "source --labels --smallest --out",
    "dataset pack": "source --out --resolution --split --labels --label --unlabelled --smallest --keep-duplicates"
    " --name --licence --attribution --sources --force",
    "invert": "sources --out --model --method --space --face --landmarks --force --device --store",
    "dataset align": "sources --out --resolution --smallest --beyond --faces --force",
    "train locator": "--data --backgrounds --out --images --batch --init-from --seed --preset --set --dry-run",
    "train encoder": "--out --model --data --images --batch --init-from --seed --preset --set --dry-run --store",
    "dataset split": "source --out --labels --by --test --seed --force",
    "train features": "--data --out --images --batch --device --seed --set --dry-run",
    "train faces": "--data --out --resolution --preset --images --batch --device --init-from --seed --set --dry-run",
}


def commands() -> dict[str, str]:
    """Every command with its options, as the command line declares them."""
    found: dict[str, str] = {}

    def walk(command: Any, path: str) -> None:
        for name, inner in getattr(command, "commands", {}).items():
            walk(inner, f"{path} {name}".strip())
        if not hasattr(command, "commands"):
            found[path] = " ".join(option.opts[-1] for option in command.params if option.name != "help")

    walk(typer.main.get_command(app), "")
    return found


def test_the_settings_are_these() -> None:
    assert list(Settings.model_fields) == SETTINGS.split()


@pytest.mark.parametrize("row", setting_rows())
def test_every_setting_is_documented(row: str) -> None:
    assert row in SETTINGS_PAGE.splitlines()


def test_no_setting_is_documented_that_is_not_there() -> None:
    rows = [line for line in SETTINGS_PAGE.splitlines() if line.startswith("| `PERSONNE_")]
    assert sorted(rows) == sorted(setting_rows())


def test_the_commands_are_these() -> None:
    assert commands() == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command: str) -> None:
    assert f"`personne {command}" in OPERATIONS_PAGE


def test_links_between_documents_lead_somewhere() -> None:
    dead = []
    for page in tracked_files("*.md"):
        text = (ROOT / page).read_text(encoding="utf-8")
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", text):
            if not (ROOT / page.parent / target).exists():
                dead.append(f"{page}: {target}")
    assert dead == []
