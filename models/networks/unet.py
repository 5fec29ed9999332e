"""The generator of pix2pix: a U-Net of any depth (Isola et al. 2017, appendix 6.1)."""
# N batch, C channel, H W picture

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from models.networks.norms import check_names, has_bias, new_norm, norm_of
from models.networks.translator import check_size, checked_task

FEWEST_DOWNS = 5
WIDEST = 8
"""Channels grow from ngf to this many times ngf."""


class Level(nn.Module):
    """Half the size, what lies below, twice the size; beside it the picture itself, but for the outermost."""

    def __init__(self, layers: list[nn.Module], outermost: bool) -> None:
        super().__init__()
        self.model = nn.Sequential(*layers)
        self.outermost = outermost

    def forward(self, x_NCHW: Tensor) -> Tensor:
        below: Tensor = self.model(x_NCHW)
        return below if self.outermost else torch.cat([x_NCHW, below], dim=1)


class UnetTranslator(nn.Module):
    """A picture in -1..1 -> a picture in -1..1 of the same size, under the published tensor names.

    Height and width are multiples of `size_multiple` (2**num_downs). Dropout is active in training only; `evaluation`
    chooses between batch norm's two ways (see BatchNorm). `task`: as of a ResnetTranslator.
    """

    def __init__(
        self,
        *,
        input_nc: int = 3,
        output_nc: int = 3,
        num_downs: int = 8,
        ngf: int = 64,
        norm: str = "batch",
        use_dropout: bool = True,
        evaluation: str = "running",
        task: str | None = None,
    ) -> None:
        super().__init__()
        self.task = checked_task(task)
        if num_downs < FEWEST_DOWNS:
            raise ValueError(f"num_downs is {num_downs}; it must be at least {FEWEST_DOWNS}")
        self.input_nc, self.output_nc, self.num_downs = input_nc, output_nc, num_downs
        self.size_multiple = 2**num_downs
        widest = WIDEST * ngf

        def level(outer: int, inner: int, below: nn.Module | None = None, dropout: bool = False) -> Level:
            norms = (new_norm(norm, inner, evaluation), new_norm(norm, outer, evaluation))
            layers = _inner_layers(outer, inner, below, norms, has_bias(norm))
            return Level([*layers, *([nn.Dropout(0.5)] if dropout else [])], outermost=False)

        unet = level(widest, widest)
        for _ in range(num_downs - FEWEST_DOWNS):
            unet = level(widest, widest, unet, use_dropout)
        for width in (4 * ngf, 2 * ngf, ngf):
            unet = level(width, 2 * width, unet)
        down = nn.Conv2d(input_nc, ngf, 4, stride=2, padding=1, bias=has_bias(norm))
        up = nn.ConvTranspose2d(2 * ngf, output_nc, 4, stride=2, padding=1)
        self.model = Level([down, unet, nn.ReLU(), up, nn.Tanh()], outermost=True)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        """[N, input_nc, H, W] -> [N, output_nc, H, W]. Raises ValueError for a size that does not fit."""
        if not torch.compiler.is_exporting():
            check_size(x_NCHW, self.size_multiple, self.size_multiple)
        translated: Tensor = self.model(x_NCHW)
        return translated


def kwargs_from_tensors(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    """The constructor's arguments, told by the names and shapes of a pix2pix U-Net's state dict.

    Names are the published ones, without prefixes. Dropout leaves no trace; it is taken as on where the published
    networks can have it, and makes no difference after training. Raises ValueError where this is no such U-Net.
    """
    depths = [len(re.findall(r"\.\d+(?=\.model)", name)) for name in tensors if name.startswith("model.model.")]
    num_downs = max(depths, default=0) + 1
    needed = ("model.model.0.weight", "model.model.3.weight", "model.model.3.bias", "model.model.1.model.1.weight")
    if missing := [name for name in needed if name not in tensors]:
        raise ValueError(f"this is no U-Net of pix2pix: it lacks {missing[0]!r}")
    if num_downs < FEWEST_DOWNS:
        raise ValueError(
            f"this is no U-Net of pix2pix: it has {num_downs} levels, and they have {FEWEST_DOWNS} or more"
        )
    ngf, input_nc = tensors["model.model.0.weight"].shape[:2]
    kwargs: dict[str, Any] = {
        "input_nc": input_nc,
        "output_nc": tensors["model.model.3.weight"].shape[1],
        "num_downs": num_downs,
        "ngf": ngf,
        "norm": norm_of(tensors, "model.model.1.model.1", "model.model.1.model.2"),
        "use_dropout": True,
    }
    with torch.device("meta"):
        check_names(tensors, UnetTranslator(**kwargs).state_dict(), "a U-Net of pix2pix like this")
    return kwargs


def _inner_layers(
    outer: int, inner: int, below: nn.Module | None, norms: tuple[nn.Module, nn.Module], bias: bool
) -> list[nn.Module]:
    down = [nn.LeakyReLU(0.2), nn.Conv2d(outer, inner, 4, stride=2, padding=1, bias=bias)]
    middle = [] if below is None else [norms[0], below]
    # What comes up carries what went down beside it, but for the innermost level.
    joined = inner if below is None else 2 * inner
    return [
        *down,
        *middle,
        nn.ReLU(),
        nn.ConvTranspose2d(joined, outer, 4, stride=2, padding=1, bias=bias),
        norms[1],
    ]
