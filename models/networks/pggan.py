"""Progressive GAN's generator (Karras et al. 2018), under the tensor names of genforce's port."""
# B batch, Z latent, C I O channels, H W picture

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.networks.equalised import Bias, Convolving, EqualisedWeight, channels_at
from models.networks.flat_generator import FlatGenerator
from models.networks.layers import LEAKY_SLOPE, normalise
from models.networks.progressive import fade, split_lod
from models.networks.stylegan2 import block_resolutions, check_resolution
from models.networks.tensor_names import check_grown, check_same_names, count_of, resolution_of, shape_of

FAMILY = "Progressive GAN generator"


class LatentNorm(nn.Module):
    """z on its hypersphere, as the one style layer."""

    def forward(self, z_BZ: Tensor, c_BY: Tensor | None = None) -> Tensor:
        """[B, z_dim] -> [B, 1, z_dim]. There are no labels."""
        assert c_BY is None, "Progressive GAN takes no labels"
        return normalise(z_BZ).unsqueeze(1)


class LatentLayer(nn.Module):
    """z -> the first 4x4 features."""

    def __init__(self, z_dim: int, out_channels: int) -> None:
        super().__init__()
        self.conv = EqualisedWeight(out_channels, z_dim, 4, 4)
        self.wscale = Bias(out_channels)

    def forward(self, z_BZ: Tensor) -> Tensor:
        # Published as a convolution of one pixel padded by 3; that is a transposed one with the flipped kernel.
        weight_ZO44 = self.conv.scaled().flip(2, 3).transpose(0, 1)
        y = F.conv_transpose2d(normalise(z_BZ)[:, :, None, None], weight_ZO44, self.wscale.bias)
        return F.leaky_relu(y, LEAKY_SLOPE)


class NormLayer(Convolving):
    """Pixel norm, 3x3 convolution (doubling the picture where `up`), bias, leaky ReLU."""

    def __init__(self, in_channels: int, out_channels: int, *, up: bool = False, fused: bool = False) -> None:
        super().__init__(in_channels, out_channels, up=up, fused=fused)
        self.wscale = Bias(out_channels)

    def forward(self, x_BIHW: Tensor) -> Tensor:
        return F.leaky_relu(self.convolve(normalise(x_BIHW), self.wscale.bias), LEAKY_SLOPE)


class ToRGB(nn.Module):
    """Pixel norm and a 1x1 convolution to a picture."""

    def __init__(self, in_channels: int, img_channels: int) -> None:
        super().__init__()
        self.conv = EqualisedWeight(img_channels, in_channels, 1, 1, gain=1.0)
        self.wscale = Bias(img_channels)

    def forward(self, x_BIHW: Tensor) -> Tensor:
        return F.conv2d(normalise(x_BIHW), self.conv.scaled(), self.wscale.bias)


class SynthesisNetwork(nn.Module):
    """ws -> picture."""

    lod: Tensor

    def __init__(
        self, z_dim: int, img_resolution: int, img_channels: int, channels: Sequence[int], fused_scale: bool
    ) -> None:
        super().__init__()
        self.num_levels = len(block_resolutions(img_resolution))
        for level, width in enumerate(channels):
            if level == 0:
                self.layer0 = LatentLayer(z_dim, width)
            else:
                layer = NormLayer(channels[level - 1], width, up=True, fused=fused_scale)
                setattr(self, f"layer{2 * level}", layer)
            setattr(self, f"layer{2 * level + 1}", NormLayer(width, width))
            setattr(self, f"output{level}", ToRGB(width, img_channels))
        self.register_buffer("lod", torch.zeros(()))

    def forward(self, ws_B1Z: Tensor, lod: float = 0.0, **_noise: object) -> Tensor:
        """[B, 1, z_dim] -> [B, img_channels, R, R], about -1..1, not clamped; R / 2^floor(lod) where `lod` is given.

        The noise arguments of the style-based networks are accepted and change nothing: this one takes no noise.
        """
        finest, coarser_share = split_lod(lod, self.num_levels)
        x = coarser = ws_B1Z[:, 0]
        for i in range(2 * finest + 2):
            coarser = x if i % 2 == 0 else coarser
            x = getattr(self, f"layer{i}")(x)
        img: Tensor = getattr(self, f"output{finest}")(x)
        if coarser_share == 0:
            return img
        return fade(img, getattr(self, f"output{finest - 1}")(coarser), coarser_share)


class Generator(FlatGenerator):
    """z -> picture."""

    def __init__(
        self,
        z_dim: int = 512,
        img_resolution: int = 1024,
        img_channels: int = 3,
        *,
        channels: Sequence[int] | None = None,
        fused_scale: bool = False,
    ) -> None:
        """`channels` are those at 4, 8, ... img_resolution; `fused_scale` chooses the layout of the upsampling
        layers' weights."""
        check_resolution(img_resolution)
        channels = channels_at(img_resolution, channels)
        synthesis = SynthesisNetwork(z_dim, img_resolution, img_channels, channels, fused_scale)
        super().__init__(LatentNorm(), synthesis, z_dim=z_dim, c_dim=0, w_dim=z_dim)
        self.img_resolution, self.img_channels = img_resolution, img_channels


def kwargs_from_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """The constructor's arguments for a published state dict.

    Raises ValueError, in one sentence, where the tensors are not all those of one Progressive GAN generator, or where
    its growing stopped before the full resolution.
    """
    z_dim = shape_of(tensors, "layer0.conv.weight", 4, FAMILY)[1]
    num_layers = count_of(tensors, "layer{}.wscale.bias", FAMILY)
    kwargs = {
        "z_dim": z_dim,
        "img_resolution": resolution_of(num_layers, FAMILY),
        "img_channels": shape_of(tensors, "output0.wscale.bias", 1, FAMILY)[0],
        "channels": [shape_of(tensors, f"layer{i}.wscale.bias", 1, FAMILY)[0] for i in range(0, num_layers, 2)],
        "fused_scale": "layer2.weight" in tensors,
    }
    check_same_names(Generator, kwargs, tensors, FAMILY)
    check_grown(tensors, "lod", FAMILY)
    return kwargs
