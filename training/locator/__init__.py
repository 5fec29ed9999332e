"""The recipe of the face locator."""

from training.locator.loop import train

__all__ = ["train"]
