"""Starting a run from trained layers, of the same resolution or half of it.

The skip generator adds a picture at every resolution, so that a generator of 64x64 is the lower part of one of 128x128
(Karras et al. 2020, section 4). Tensors that agree in name and shape are kept; the rest starts fresh.
"""

from pathlib import Path

import torch
from torch import nn

from models.networks.stylegan2 import Generator
from training.faces.state import TrainingState
from training.trained_tensors import trained_tensors
from training.transfer import transfer

HEAD_START_IMAGES = 24_000
"""A fresh discriminator learns alone for so long. Measured on faces of 64x64, batch 16, augmentation with probability
0.5: its loss falls to 1.25. With full augmentation from the first image it stayed at 1.39 (guessing) over 15,000
images, and against one of 8,000 unaltered images the generator learnt speckles."""


def start_from(source: Path, state: TrainingState) -> None:
    """Copy what fits from `source` into the fresh networks of `state`; see trained_tensors for what it may be.

    A run gives generator, average and discriminator. All else gives its generator for both generators, and the
    discriminator starts fresh, with a head start. Optimisers start fresh. Raises RunRefused where less than half of a
    network fits.
    """
    networks = trained_tensors(source, "stylegan2", ("generator", "average", "discriminator"))
    if "discriminator" not in networks:
        state.generator_waits_until = HEAD_START_IMAGES
    for name, tensors in networks.items():
        network: nn.Module = getattr(state, name)
        kept = transfer(network, tensors, f"the {name} of {source}")
        if isinstance(network, Generator):
            silence_new_pictures(network, kept)


def silence_new_pictures(generator: Generator, kept: set[str]) -> None:
    """Let a new resolution begin by adding nothing: the grown generator first shows its old pictures, enlarged."""
    with torch.no_grad():
        for name, parameter in generator.named_parameters():
            if name.endswith("torgb.weight") and name not in kept:
                parameter.zero_()
