"""DCGAN (Radford et al. 2016), optionally conditional (Mirza & Osindero 2014), under the names of PyTorch's example.

Transposed 4x4 convolutions with batch normalisation; evaluation uses the running statistics.
"""
# B batch, Z latent, Y label, D width of ws, C channel, H W picture

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from models.networks.flat_generator import FlatGenerator
from models.networks.tensor_names import check_same_names, shape_of

FAMILY = "DCGAN generator"
RESOLUTIONS = (16, 32, 64, 128)


class LatentAndLabel(nn.Module):
    """z, and behind it the label's embedding where there are labels."""

    def __init__(self, c_dim: int, embed_features: int) -> None:
        super().__init__()
        self.embed = nn.Linear(c_dim, embed_features, bias=False) if c_dim > 0 else None

    def forward(self, z_BZ: Tensor, c_BY: Tensor | None = None) -> Tensor:
        """[B, z_dim], [B, c_dim] one-hot -> [B, 1, z_dim + embed_features]."""
        if self.embed is None:
            return z_BZ.unsqueeze(1)
        assert c_BY is not None, "this network is class-conditional: give labels"
        return torch.cat([z_BZ, self.embed(c_BY)], dim=1).unsqueeze(1)


class SynthesisNetwork(nn.Module):
    """ws -> picture."""

    def __init__(self, w_dim: int, img_channels: int, channels: Sequence[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.ConvTranspose2d(w_dim, channels[0], 4, 1, 0, bias=False)]
        for before, after in zip(channels, [*channels[1:], img_channels], strict=True):
            layers += [nn.BatchNorm2d(before), nn.ReLU(inplace=True)]
            layers += [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)]
        self.main = nn.Sequential(*layers, nn.Tanh())
        self.apply(_init_weights)

    def forward(self, ws_B1D: Tensor, **_noise: object) -> Tensor:
        """[B, 1, w_dim] -> [B, img_channels, R, R] in -1..1. Noise arguments change nothing: there is no noise."""
        img: Tensor = self.main(ws_B1D[:, 0, :, None, None])
        return img


class Generator(FlatGenerator):
    """z (and a label) -> picture."""

    def __init__(
        self,
        z_dim: int = 100,
        c_dim: int = 0,
        img_resolution: int = 64,
        img_channels: int = 3,
        *,
        channels: Sequence[int] | None = None,
        embed_features: int | None = None,
    ) -> None:
        """`channels` are those at 4, 8, ... img_resolution / 2: by default 64 at the last, doubling downward.
        `embed_features` is the width of the label's embedding, by default c_dim."""
        widths = stage_channels(img_resolution, channels)
        embedded = 0 if c_dim == 0 else (c_dim if embed_features is None else embed_features)
        super().__init__(
            LatentAndLabel(c_dim, embedded),
            SynthesisNetwork(z_dim + embedded, img_channels, widths),
            z_dim=z_dim,
            c_dim=c_dim,
            w_dim=z_dim + embedded,
        )
        self.img_resolution, self.img_channels = img_resolution, img_channels


class Discriminator(nn.Module):
    """Picture (and label) -> realness; a label becomes one more plane of the picture."""

    def __init__(
        self,
        c_dim: int = 0,
        img_resolution: int = 64,
        img_channels: int = 3,
        *,
        channels: Sequence[int] | None = None,
    ) -> None:
        """`channels` are those at 4, 8, ... img_resolution / 2, as the generator's."""
        super().__init__()
        widths = stage_channels(img_resolution, channels)[::-1]
        self.c_dim, self.img_resolution = c_dim, img_resolution
        planes = img_channels + (1 if c_dim > 0 else 0)
        layers: list[nn.Module] = [nn.Conv2d(planes, widths[0], 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True)]
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after)]
            layers += [nn.LeakyReLU(0.2, inplace=True)]
        self.main = nn.Sequential(*layers, nn.Conv2d(widths[-1], 1, 4, 1, 0, bias=False))
        self.apply(_init_weights)
        self.embed = nn.Linear(c_dim, img_resolution**2, bias=False) if c_dim > 0 else None

    def forward(self, img_BCHW: Tensor, c_BY: Tensor | None = None) -> Tensor:
        """[B, img_channels, R, R] in -1..1, [B, c_dim] one-hot -> logits [B, 1], higher is more real.

        The example's last sigmoid is left to the loss.
        """
        if self.embed is not None:
            assert c_BY is not None, "this network is class-conditional: give labels"
            plane_B1HW = self.embed(c_BY).reshape(-1, 1, *img_BCHW.shape[2:])
            img_BCHW = torch.cat([img_BCHW, plane_B1HW], dim=1)
        logits: Tensor = self.main(img_BCHW)
        return logits.flatten(1)


class Encoder(nn.Module):
    """Picture -> code: the discriminator's layers, as an autoencoder of this generator has them."""

    def __init__(
        self,
        out_features: int,
        img_resolution: int = 64,
        img_channels: int = 3,
        *,
        channels: Sequence[int] | None = None,
    ) -> None:
        """`channels` are those at 4, 8, ... img_resolution / 2, as the generator's."""
        super().__init__()
        widths = [img_channels, *stage_channels(img_resolution, channels)[::-1]]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after)]
            layers += [nn.LeakyReLU(0.2, inplace=True)]
        self.main = nn.Sequential(*layers, nn.Conv2d(widths[-1], out_features, 4, 1, 0))
        self.apply(_init_weights)

    def forward(self, img_BCHW: Tensor) -> Tensor:
        """[B, img_channels, R, R] in -1..1 -> [B, out_features]."""
        code: Tensor = self.main(img_BCHW)
        return code.flatten(1)


def stage_channels(img_resolution: int, channels: Sequence[int] | None) -> list[int]:
    """The channels at 4, 8, ... img_resolution / 2; ValueError where resolution or number is out of place."""
    if img_resolution not in RESOLUTIONS:
        raise ValueError(f"resolution is {img_resolution}; DCGAN draws {', '.join(map(str, RESOLUTIONS))}")
    num_stages = img_resolution.bit_length() - 3
    if channels is None:
        return [64 * 2**i for i in reversed(range(num_stages))]
    if len(channels) != num_stages:
        raise ValueError(f"channels are {list(channels)}; a picture of {img_resolution} needs {num_stages}")
    return list(channels)


def kwargs_from_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """The constructor's arguments for a state dict in the layout of PyTorch's example (`main.0.weight`, ...).

    Raises ValueError, in one sentence, where the tensors are not all those of one DCGAN generator.
    """
    latent = shape_of(tensors, "main.0.weight", 4, FAMILY)[0]
    channels: list[int] = []
    while f"main.{3 * len(channels) + 1}.running_mean" in tensors:
        channels += shape_of(tensors, f"main.{3 * len(channels) + 1}.running_mean", 1, FAMILY)
    img_resolution = 4 * 2 ** len(channels)
    if img_resolution not in RESOLUTIONS:
        raise ValueError(
            f"these tensors are not a {FAMILY} of {RESOLUTIONS[0]} to {RESOLUTIONS[-1]} pixels: they hold "
            f"{len(channels)} layers with batch normalisation, not 2 to 5"
        )
    embedded, c_dim = _label_shape(tensors)
    if embedded >= latent:
        raise ValueError(f"these tensors are not one {FAMILY}: the label's embedding leaves no room for z")
    kwargs = {
        "z_dim": latent - embedded,
        "c_dim": c_dim,
        "img_resolution": img_resolution,
        "img_channels": shape_of(tensors, f"main.{3 * len(channels)}.weight", 4, FAMILY)[1],
        "channels": channels,
        "embed_features": embedded,
    }
    check_same_names(Generator, kwargs, tensors, FAMILY)
    return kwargs


def _label_shape(tensors: Mapping[str, Tensor]) -> tuple[int, ...]:
    if "mapping.embed.weight" not in tensors:
        return 0, 0
    return shape_of(tensors, "mapping.embed.weight", 2, FAMILY)


def _init_weights(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
