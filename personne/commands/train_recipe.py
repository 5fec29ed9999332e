"""personne train: from options to a preset to the recipe's loop."""

import logging
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from personne.commands import run_options
from personne.commands.run_options import changed, preset_of
from training import autoencoder, dcgan, faces, progressive, translation
from training.autoencoder.state import RECIPE as AUTOENCODER
from training.dcgan.loop import RECIPE as DCGAN
from training.faces.run import RECIPE as FACES
from training.portrait_presets import PORTRAIT_PRESETS, smaller
from training.presets import TRANSLATION_PRESETS, on_two_cores
from training.progressive.state import RECIPE as PROGRESSIVE
from training.run_config import RunConfig
from training.translation import fresh_state as fresh_translation

# Of each command: the loop, and a fresh state, from which --dry-run reads what it will cost.
LOOPS: Mapping[str, tuple[Callable[[Any], None], Callable[[Any, torch.device], Any]]] = {
    "faces": (faces.train, FACES.fresh),
    "stylegan1": (progressive.train, PROGRESSIVE.fresh),
    "pggan": (progressive.train, PROGRESSIVE.fresh),
    "dcgan": (dcgan.train, DCGAN.fresh),
    "autoencoder": (autoencoder.train, AUTOENCODER.fresh),
    "translation": (translation.train, fresh_translation),
}

_log = logging.getLogger(__name__)


def train_recipe(
    recipe: str,
    *,
    data: Path,
    out: Path,
    preset: str | None = None,
    options: Mapping[str, Any] = types.MappingProxyType({}),
    changes: Sequence[str] = (),
    dry_run: bool = False,
) -> list[str]:
    """Train in the run `out`, or go on with it.

    `options`: fields of the recipe's config; None: unset. `changes`: more of them as NAME=VALUE. dry_run: only say, in
    lines, what would be done and what it would cost. Raises ValueError for an option out of bounds, TrainingError for
    what training refuses.
    """
    given = {name: value for name, value in options.items() if value is not None}
    chosen, config = _from_preset(recipe, data, out, preset, given)
    config = changed(config, given, changes)
    train, fresh = LOOPS[recipe]
    if dry_run:
        return run_options.dry_run(chosen, config, fresh)
    _log.info("preset %s, into %s", chosen, out)
    train(config)
    return []


def _from_preset(
    recipe: str, data: Path, out: Path, preset: str | None, given: dict[str, Any]
) -> tuple[str, RunConfig]:
    on_gpu = _on_gpu(given.get("device"))
    presets: Mapping[str, Any] = TRANSLATION_PRESETS if recipe == "translation" else PORTRAIT_PRESETS[recipe]
    chosen, _ = preset_of(presets, preset, _fitting(recipe, on_gpu=on_gpu))
    if recipe == "translation":
        config = TRANSLATION_PRESETS[chosen](data, out, given.pop("style", None))
        is_large = config.objective == "pix2pix" and not chosen.endswith("_on_two_cores")
        return chosen, on_two_cores(config) if is_large and not on_gpu else config
    portraits = PORTRAIT_PRESETS[recipe][chosen](data, out, given.pop("resolution"))
    return chosen, portraits if on_gpu or recipe == "faces" else smaller(portraits)


def _fitting(recipe: str, *, on_gpu: bool) -> str | None:
    if recipe == "translation":
        return "painting" if on_gpu else "painting_on_two_cores"
    if recipe == "faces":
        return "faces" if on_gpu else "faces_on_two_cores"
    return None


def _on_gpu(device: str | None) -> bool:
    return torch.cuda.is_available() if device in {None, "auto"} else not str(device).startswith("cpu")
