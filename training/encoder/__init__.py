"""The recipe of a generator's encoder."""

from training.encoder.loop import train

__all__ = ["train"]
