"""personne train faces: from options to a preset to the recipe's loop."""

import dataclasses
import logging
from pathlib import Path
from typing import Any

import torch

from training.config import TrainingConfig
from training.faces import train
from training.presets import faces, faces_from_snapshot, faces_on_two_cores

PRESETS = {one.__name__: one for one in (faces, faces_on_two_cores, faces_from_snapshot)}

_log = logging.getLogger(__name__)


def train_faces(*, data: Path, out: Path, resolution: int, preset: str | None, options: dict[str, Any]) -> None:
    """Train a generator of faces in the run `out`, or go on with it. `options`: fields of TrainingConfig; None: unset.

    Raises ValueError for an option out of bounds, TrainingError for what training refuses.
    """
    chosen = preset or _fitting(options.get("device"))
    if chosen not in PRESETS:
        raise ValueError(f"There is no preset {chosen!r}; there are: {', '.join(PRESETS)}.")
    given = {name: value for name, value in options.items() if value is not None}
    config: TrainingConfig = dataclasses.replace(PRESETS[chosen](data, out, resolution), **given)
    _log.info("preset %s, %dx%d, into %s", chosen, resolution, resolution, out)
    train(config)


def _fitting(device: str | None) -> str:
    on_gpu = torch.cuda.is_available() if device in {None, "auto"} else not str(device).startswith("cpu")
    return "faces" if on_gpu else "faces_on_two_cores"
