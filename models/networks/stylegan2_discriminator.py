"""StyleGAN2's discriminator (Karras et al. 2020), under the official tensor names."""
# B batch, C channel, H W picture, G group, Y label

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from models.networks.filters import downsample, square_filter
from models.networks.layers import SMALL, FullyConnected, ResampledConv, full_precision
from models.networks.style_generator import MappingNetwork
from models.networks.stylegan2 import (
    ARCHITECTURES,
    PRECISION_KWARGS,
    block_resolutions,
    check_resolution,
)


class DiscriminatorBlock(nn.Module):
    """Two convolutions that halve the picture; reads the picture itself where it is first."""

    resample_filter: Tensor

    def __init__(
        self,
        in_channels: int,
        tmp_channels: int,
        out_channels: int,
        img_channels: int,
        *,
        architecture: str = "resnet",
        resample_filter: Sequence[float] = (1, 3, 3, 1),
        conv_clamp: float | None = None,
    ) -> None:
        super().__init__()
        self.is_skip, self.is_resnet = architecture == "skip", architecture == "resnet"
        self.register_buffer("resample_filter", square_filter(resample_filter))
        leaky: dict[str, Any] = {
            "activation": "lrelu",
            "conv_clamp": conv_clamp,
            "resample_filter": resample_filter,
        }
        self.reads_picture = in_channels == 0 or self.is_skip
        if self.reads_picture:
            self.fromrgb = ResampledConv(img_channels, tmp_channels, 1, **leaky)
        self.conv0 = ResampledConv(tmp_channels, tmp_channels, 3, **leaky)
        self.conv1 = ResampledConv(tmp_channels, out_channels, 3, down=2, **leaky)
        if self.is_resnet:
            self.skip = ResampledConv(
                tmp_channels, out_channels, 1, bias=False, down=2, resample_filter=resample_filter
            )

    def forward(self, x: Tensor | None, img: Tensor | None) -> tuple[Tensor, Tensor | None]:
        if self.reads_picture:
            y = self.fromrgb(img)
            x = y if x is None else x + y
            img = downsample(img, self.resample_filter) if self.is_skip and img is not None else None
        assert x is not None
        if self.is_resnet:
            half = math.sqrt(0.5)
            return self.skip(x, gain=half) + self.conv1(self.conv0(x), gain=half), img
        return self.conv1(self.conv0(x)), img


class DiscriminatorEpilogue(nn.Module):
    """The 4x4 features -> a logit (projected on the label's embedding where there is one)."""

    def __init__(
        self,
        in_channels: int,
        cmap_dim: int,
        img_channels: int,
        *,
        architecture: str = "resnet",
        mbstd_group_size: int | None = 4,
        mbstd_num_channels: int = 1,
        conv_clamp: float | None = None,
    ) -> None:
        super().__init__()
        self.cmap_dim, self.is_skip = cmap_dim, architecture == "skip"
        self.group_size, self.std_channels = mbstd_group_size, mbstd_num_channels
        if self.is_skip:
            self.fromrgb = ResampledConv(img_channels, in_channels, 1, activation="lrelu")
        self.conv = ResampledConv(
            in_channels + mbstd_num_channels,
            in_channels,
            3,
            activation="lrelu",
            conv_clamp=conv_clamp,
        )
        self.fc = FullyConnected(in_channels * 16, in_channels, activation="lrelu")
        self.out = FullyConnected(in_channels, cmap_dim or 1)

    def forward(self, x: Tensor, img: Tensor | None, cmap: Tensor | None) -> Tensor:
        with full_precision(x):
            x = x.float()
            if self.is_skip:
                assert img is not None
                x = x + self.fromrgb(img.float())
            if self.std_channels > 0:
                x = with_minibatch_std(x, self.group_size, self.std_channels)
            logits: Tensor = self.out(self.fc(self.conv(x).flatten(1)))
        if cmap is not None:
            return (logits * cmap).sum(dim=1, keepdim=True) / math.sqrt(self.cmap_dim)
        return logits


class Discriminator(nn.Module):
    """Picture (and label) -> realness."""

    def __init__(
        self,
        c_dim: int,
        img_resolution: int,
        img_channels: int,
        *,
        architecture: str = "resnet",
        channel_base: int = 32768,
        channel_max: int = 512,
        conv_clamp: float | None = 256,
        cmap_dim: int | None = None,
        block_kwargs: Mapping[str, Any] | None = None,
        mapping_kwargs: Mapping[str, Any] | None = None,
        epilogue_kwargs: Mapping[str, Any] | None = None,
        **precision_kwargs: Any,
    ) -> None:
        super().__init__()
        check_resolution(img_resolution)
        if architecture not in ARCHITECTURES:
            raise ValueError(f"architecture is {architecture!r}; known are {', '.join(ARCHITECTURES)}")
        if unknown := precision_kwargs.keys() - PRECISION_KWARGS:
            raise TypeError(f"unknown arguments: {', '.join(sorted(unknown))}")
        self.c_dim, self.img_resolution, self.img_channels = c_dim, img_resolution, img_channels
        self.resolutions = block_resolutions(img_resolution)[:0:-1]
        width = {res: min(channel_base // res, channel_max) for res in [4, *self.resolutions]}
        cmap_dim = 0 if c_dim == 0 else (width[4] if cmap_dim is None else cmap_dim)
        shared: dict[str, Any] = {"architecture": architecture, "conv_clamp": conv_clamp}
        for res in self.resolutions:
            block = DiscriminatorBlock(
                0 if res == img_resolution else width[res],
                width[res],
                width[res // 2],
                img_channels,
                **shared,
                **(block_kwargs or {}),
            )
            setattr(self, f"b{res}", block)
        if c_dim > 0:
            self.mapping = MappingNetwork(0, c_dim, cmap_dim, None, w_avg_beta=None, **(mapping_kwargs or {}))
        self.b4 = DiscriminatorEpilogue(width[4], cmap_dim, img_channels, **shared, **(epilogue_kwargs or {}))

    def forward(self, img_BCHW: Tensor, c_BY: Tensor | None = None) -> Tensor:
        """[B, img_channels, R, R] in -1..1, [B, c_dim] -> logits [B, 1], higher is more real."""
        x: Tensor | None = None
        img: Tensor | None = img_BCHW
        for res in self.resolutions:
            x, img = getattr(self, f"b{res}")(x, img)
        cmap = self.mapping(None, c_BY) if self.c_dim > 0 else None
        logits: Tensor = self.b4(x, img, cmap)
        return logits


def with_minibatch_std(x_BCHW: Tensor, group_size: int | None, num_channels: int) -> Tensor:
    """Append how much the samples of a group differ (Karras et al. 2018, section 3).

    [B, C, H, W] -> [B, C + num_channels, H, W]; B must be a multiple of min(group_size, B).
    """
    batch, channels, height, width = x_BCHW.shape
    group = batch if group_size is None else min(group_size, batch)
    y = x_BCHW.reshape(group, -1, num_channels, channels // num_channels, height, width)
    y = y - y.mean(dim=0)
    y = (y.square().mean(dim=0) + SMALL).sqrt().mean(dim=(2, 3, 4))
    y = y.reshape(-1, num_channels, 1, 1).repeat(group, 1, height, width)
    return torch.cat([x_BCHW, y], dim=1)
