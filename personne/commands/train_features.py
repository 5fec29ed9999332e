"""personne train features: the encoder that the metrics compare pictures with."""

from pathlib import Path
from typing import Any

from training.features import train_features as train
from training.features.config import FeaturesConfig


def train_features(*, data: Path, out: Path, options: dict[str, Any]) -> Path:
    """Train the encoder in the run `out`, or go on with it; returns its file. `options`: fields of FeaturesConfig.

    Raises ValueError for an option out of bounds, TrainingError for what training refuses.
    """
    return train(FeaturesConfig(data=data, out=out, **{k: v for k, v in options.items() if v is not None}))
