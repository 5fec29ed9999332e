"""The progressive recipe: Progressive GAN and StyleGAN, which grow from 4x4 to the full resolution."""

from training.progressive.loop import train

__all__ = ["train"]
