"""personne train features: the encoder that the metrics compare pictures with."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from personne.commands import run_options
from training.features import train_features as train
from training.features.config import FeaturesConfig
from training.features.loop import RECIPE


def train_features(
    *,
    data: Path,
    out: Path,
    options: Mapping[str, Any] = MappingProxyType({}),
    changes: Sequence[str] = (),
    dry_run: bool = False,
) -> list[str]:
    """Train the encoder in the run `out`, or go on with it.

    All is as in `train_recipe`, but that there are no presets: figures compare only where encoders were made alike.
    Returns what there is to say. Raises ValueError for an option out of bounds, TrainingError for what training
    refuses.
    """
    config = run_options.changed(FeaturesConfig(data=data, out=out), options, changes)
    if dry_run:
        return run_options.dry_run(None, config, RECIPE.fresh)
    return [f"The encoder is in {train(config)}."]
