"""Starting a run from trained layers, of the same resolution or half of it.

The skip generator adds a picture at every resolution, so that a generator of 64x64 is the lower part of one of 128x128
(Karras et al. 2020, section 4). Tensors that agree in name and shape are kept. What a new resolution adds begins by
changing nothing: the grown generator shows its old pictures enlarged, the grown discriminator says of a picture what
the old one says of it halved (the idea of function-preserving growth is of Chen et al. 2016, Net2Net). With fresh first
layers instead, what the others knew was lost within 4,000 images: all pictures were judged alike, and speckles came.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from models.networks.layers import LEAKY_GAIN, LEAKY_SLOPE
from models.networks.stylegan2 import Generator
from models.networks.stylegan2_discriminator import Discriminator
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
        if isinstance(network, Discriminator):
            judge_by_half(network, tensors)


def silence_new_pictures(generator: Generator, kept: set[str]) -> None:
    """Let a new resolution begin by adding nothing: the grown generator first shows its old pictures, enlarged."""
    with torch.no_grad():
        for name, parameter in generator.named_parameters():
            if name.endswith("torgb.weight") and name not in kept:
                parameter.zero_()


def judge_by_half(discriminator: Discriminator, old: dict[str, Tensor]) -> None:
    """Let a discriminator that grew by one resolution begin with what the `old` one says of the picture halved.

    Nothing happens where it did not grow so, or where its first layers have fewer channels than the two for each of the
    picture's that carry a value through a leaky activation: itself, and itself negated.
    """
    size = discriminator.img_resolution
    block = getattr(discriminator, f"b{size}")
    read, bias = old.get(f"b{size // 2}.fromrgb.weight"), old.get(f"b{size // 2}.fromrgb.bias")
    if read is None or bias is None or f"b{size}.fromrgb.weight" in old:
        return
    with torch.no_grad():
        if block.is_skip:
            # The halved picture is read beside it, by the old layer.
            block.conv1.weight.zero_()
            return
        channels = read.shape[1]
        if block.conv0.weight.shape[0] < 2 * channels:
            return
        for layer in (block.fromrgb, block.conv0):
            layer.weight[: 2 * channels] = 0
        middle = block.conv0.weight.shape[-1] // 2
        for channel in range(channels):
            for place, sign in ((2 * channel, 1), (2 * channel + 1, -1)):
                block.fromrgb.weight[place, channel] = sign / (block.fromrgb.weight_gain * LEAKY_GAIN)
                block.conv0.weight[place, place, middle, middle] = 1 / (block.conv0.weight_gain * LEAKY_GAIN)
        # Twice through the activation, v less -v leaves (1 + slope^2) v.
        residual_gain = 1.0
        if block.is_resnet:
            block.skip.weight.zero_()
            residual_gain = 0.5**0.5
        scale = 1 / (residual_gain * block.conv1.weight_gain * channels**0.5 * (1 + LEAKY_SLOPE**2))
        block.conv1.weight.zero_()
        block.conv1.weight[:, 0 : 2 * channels : 2, middle, middle] = read[:, :, 0, 0] * scale
        block.conv1.weight[:, 1 : 2 * channels : 2, middle, middle] = -read[:, :, 0, 0] * scale
        block.conv1.bias.copy_(bias / residual_gain)
