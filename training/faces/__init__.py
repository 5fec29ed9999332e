"""The faces recipe: StyleGAN2 on aligned portraits."""

from training.faces.loop import train

__all__ = ["train"]
