"""A run of every objective that takes a second, on the blots of the faces tests."""

from pathlib import Path
from typing import Any

import pytest

from training.translation.config import TranslationConfig


@pytest.fixture(params=["cyclegan", "cut", "pix2pix"])
def tiny_translation(request: pytest.FixtureRequest, blots: Path, tmp_path: Path) -> TranslationConfig:
    """16x16, some thousand parameters, ten steps: one config for each objective."""
    return tiny_translation_config(request.param, blots, tmp_path / "run")


def tiny_translation_config(objective: str, blots: Path, out: Path, **changes: Any) -> TranslationConfig:
    sets: dict[str, Any] = {"style": blots, "also": blots, "also_share": 0.3, "also_pictures": 3}
    fields: dict[str, Any] = {
        "objective": objective,
        "data": blots,
        "out": out,
        **({"task": "inpaint"} if objective == "pix2pix" else sets),
        "total_images": 20,
        "batch": 2,
        "device": "cpu",
        "resolution": 16,
        "picture_side": 24,
        "ngf": 4,
        "n_blocks": 2,
        "ndf": 4,
        "n_layers": 1,
        "pool_size": 3,
        "nce_patches": 8,
        "augment": ("translation",),
        "colour_weight": 1.0,
        "identity_weight_end": 1.0,
        "sample_count": 3,
        "log_every_images": 4,
        "state_every_images": 4,
        "samples_every_images": 10,
        "snapshot_every_images": 10,
    }
    return TranslationConfig(**{**fields, **changes})
