"""The discriminators of CycleGAN and pix2pix: real or not, patch by patch (Isola et al. 2017, section 3.2.2)."""
# N batch, C channel, H W picture

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from models.networks.norms import check_names, has_bias, new_norm, norm_of

WIDEST = 8
MOST_LAYERS = 5


class PatchDiscriminator(nn.Module):
    """[N, C, H, W] -> [N, 1, h, w]: a score for each patch, under the published tensor names.

    `n_layers` 1 to 5 sees patches of 16, 34, 70, 142, 286 pixels.
    """

    def __init__(self, input_nc: int = 3, ndf: int = 64, n_layers: int = 3, norm: str = "instance") -> None:
        super().__init__()
        if not 1 <= n_layers <= MOST_LAYERS:
            raise ValueError(f"n_layers is {n_layers}; it must be from 1 to {MOST_LAYERS}")
        self.receptive_field = receptive_field(n_layers)
        layers: list[nn.Module] = [nn.Conv2d(input_nc, ndf, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        width = ndf
        for n in range(1, n_layers + 1):
            wider = ndf * min(2**n, WIDEST)
            stride = 1 if n == n_layers else 2
            conv = nn.Conv2d(width, wider, 4, stride=stride, padding=1, bias=has_bias(norm))
            layers += [conv, new_norm(norm, wider), nn.LeakyReLU(0.2)]
            width = wider
        self.model = nn.Sequential(*layers, nn.Conv2d(width, 1, 4, padding=1))

    def forward(self, x_NCHW: Tensor) -> Tensor:
        scores: Tensor = self.model(x_NCHW)
        return scores


class PixelDiscriminator(nn.Module):
    """[N, C, H, W] -> [N, 1, H, W]: a score for each pixel, by its colour alone."""

    def __init__(self, input_nc: int = 3, ndf: int = 64, norm: str = "instance") -> None:
        super().__init__()
        bias = has_bias(norm)
        self.net = nn.Sequential(
            nn.Conv2d(input_nc, ndf, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(ndf, 2 * ndf, 1, bias=bias),
            new_norm(norm, 2 * ndf),
            nn.LeakyReLU(0.2),
            nn.Conv2d(2 * ndf, 1, 1, bias=bias),
        )

    def forward(self, x_NCHW: Tensor) -> Tensor:
        scores: Tensor = self.net(x_NCHW)
        return scores


def receptive_field(n_layers: int) -> int:
    """Side of the patch that one score sees: the last two convolutions have stride 1, the `n_layers` before them 2."""
    side = 1
    for stride in (1, 1, *(2,) * n_layers):
        side = (side - 1) * stride + 4
    return side


def kwargs_from_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """The arguments of PatchDiscriminator, told by the names and shapes of its state dict. Raises ValueError."""
    found = [re.fullmatch(r"model\.(\d+)\.weight", name) for name in tensors]
    convolutions = sorted(int(match[1]) for match in found if match and tensors[match[0]].dim() == 4)
    if len(convolutions) < 3 or convolutions[0] != 0:
        raise ValueError(f"this is no PatchGAN discriminator: its convolutions are {convolutions or 'missing'}")
    ndf, input_nc = tensors["model.0.weight"].shape[:2]
    kwargs: dict[str, Any] = {
        "input_nc": input_nc,
        "ndf": ndf,
        "n_layers": len(convolutions) - 2,
        "norm": norm_of(tensors, "model.2", "model.3"),
    }
    with torch.device("meta"):
        check_names(tensors, PatchDiscriminator(**kwargs).state_dict(), "a PatchGAN discriminator like this")
    return kwargs
