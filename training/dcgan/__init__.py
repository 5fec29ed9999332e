"""The DCGAN recipe (Radford et al. 2016), conditional where the data have labels (Mirza & Osindero 2014)."""

from training.dcgan.loop import train

__all__ = ["train"]
