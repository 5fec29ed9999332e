"""Every recipe that draws pictures of random latents, by one scaffold: what its run leaves, and that a kill loses
nothing."""

import dataclasses
import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from models.engines.opening import open_engine
from personne.commands.export_model import export_run
from tests.training.runs import assert_a_kill_loses_nothing, stats_of
from training.autoencoder.config import AutoencoderConfig
from training.dcgan.config import DcganConfig
from training.portraits.config import PortraitConfig
from training.progressive.config import ProgressiveConfig
from training.snapshots import list_snapshots, open_snapshot

LENGTHS: dict[str, Any] = {
    "resolution": 16,
    "total_images": 40,
    "batch": 4,
    "device": "cpu",
    "z_dim": 8,
    "ema_half_life_images": 20,
    "log_every_images": 4,
    "state_every_images": 8,
    "samples_every_images": 20,
    "snapshot_every_images": 20,
    "grid_rows": 2,
    "grid_columns": 3,
    "measured_pictures": 8,
}
PROGRESSIVE: dict[str, Any] = {"channel_base": 128, "channel_max": 8, "phase_images": 6}
Make = Callable[[Path, Path], PortraitConfig]


def progressive(**changes: Any) -> Make:
    return lambda data, out: ProgressiveConfig(data=data, out=out, **{**LENGTHS, **PROGRESSIVE, **changes})


def dcgan(**changes: Any) -> Make:
    return lambda data, out: DcganConfig(data=data, out=out, channels=4, **{**LENGTHS, **changes})


def autoencoder(kind: str) -> Make:
    return lambda data, out: AutoencoderConfig(data=data, out=out, kind=kind, channels=4, code_units=8, **LENGTHS)


RECIPES: dict[str, tuple[str, Make]] = {
    "pggan": ("training.progressive", progressive()),
    "stylegan1": (
        "training.progressive",
        progressive(
            family="stylegan1",
            w_dim=8,
            mapping_layers=2,
            start_resolution=8,
            loss="non_saturating",
            style_mixing=0.7,
            # Born with constant features and no noise, whose instance norm is nothing but rounding errors: let it move.
            learning_rate=0.03,
        ),
    ),
    "dcgan": ("training.dcgan", dcgan()),
    "dcgan_relativistic": ("training.dcgan", dcgan(loss="relativistic", penalty=None, augment=("colour",))),
    "autoencoder": ("training.autoencoder", autoencoder("autoencoder")),
    "variational": ("training.autoencoder", autoencoder("variational")),
    "adversarial": ("training.autoencoder", autoencoder("adversarial")),
}


@pytest.fixture(params=RECIPES)
def recipe(request: pytest.FixtureRequest, blots: Path, tmp_path: Path) -> tuple[str, PortraitConfig]:
    loop, make = RECIPES[request.param]
    return loop, make(blots, tmp_path / "run")


def train(loop: str, config: PortraitConfig) -> None:
    importlib.import_module(loop).train(config)


def test_what_a_run_leaves_is_exported_and_served(recipe: tuple[str, PortraitConfig], tmp_path: Path) -> None:
    loop, config = recipe
    train(loop, config)
    assert type(config).from_json((config.out / "config.json").read_text()) == config
    rows = stats_of(config)
    assert [row["images_seen"] for row in rows] == list(range(4, 44, 4))
    assert all(row["memory_gb"] > 0 for row in rows)
    with Image.open(config.out / "samples" / "000000040.png") as grid:
        assert grid.size == (3 * 16, 2 * 16)
    snapshots = list_snapshots(config.out)
    assert snapshots[-1].stem == "faces-000000040"
    assert {"swd", "diversity"} <= open_snapshot(snapshots[-1]).measured.keys()
    card = (config.out / "card.md").read_text()
    assert f"A {config.family} of 16x16" in card
    assert "| 40 | " in card
    assert "distance is faces-0000000" in card
    assert (config.out / "sheet.png").is_file()

    entry = export_run(config.out, name="tiny", store=tmp_path / "store")
    assert entry.manifest.family == config.family
    mapping, synthesis = (open_engine(entry.graph_path(name), "cpu", threads=1) for name in ("mapping", "synthesis"))
    z = np.random.RandomState(0).randn(3, config.z_dim).astype(np.float32)
    ws = mapping.run({"z": z, "psi": np.ones((3, entry.manifest.num_ws), np.float32)})["ws"]
    pictures = synthesis.run({"ws": ws, "noise_strength": np.ones(3, np.float32)})["picture"]
    assert pictures.shape == (3, 16, 16, 3)
    assert pictures.std() > 0


def test_a_killed_run_resumes_to_the_very_state(recipe: tuple[str, PortraitConfig], tmp_path: Path) -> None:
    loop, config = recipe
    whole = dataclasses.replace(config, total_images=160, state_every_images=4, snapshot_every_images=80)
    assert_a_kill_loses_nothing(loop, importlib.import_module(loop).train, whole, tmp_path)
