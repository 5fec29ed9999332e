"""The autoencoder recipe: plain, variational (Kingma & Welling 2014), adversarial (Makhzani et al. 2016)."""

from training.autoencoder.loop import train

__all__ = ["train"]
