"""Training the encoder of the metrics, without labels."""

from training.features.loop import train_features

__all__ = ["train_features"]
