"""Pairs made of plain pictures: what is taken from a picture, and the picture itself as the answer."""
# B batch, C channel, H W picture

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from models.networks.filling import fill_given
from models.networks.translator import UPSCALE

HOLE_SHARES = (0.2, 0.6)
LUMA = (0.299, 0.587, 0.114)


@dataclass(frozen=True)
class PairTask:
    """How the input is made of a picture [B, 3, H, W] in -1..1: `input_nc` channels, of the same size."""

    input_nc: int
    make_input: Callable[[Tensor], Tensor]
    compose: Callable[[Tensor, Tensor], Tensor] = lambda _input, output: output
    """Input and output -> what is shown and judged."""


def grey(x: Tensor) -> Tensor:
    """The luma of each pixel as one channel (ITU-R BT.601)."""
    return (x * x.new_tensor(LUMA).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)


def colourise_input(x: Tensor) -> Tensor:
    """Grey, as three equal channels: what a grey photograph decodes to."""
    return grey(x).expand(-1, 3, -1, -1)


def with_own_grey(given: Tensor, output: Tensor) -> Tensor:
    """The colours of the output at the brightness that was given: the network need not draw what is known."""
    return output - grey(output) + grey(given)


def shrunk(x: Tensor) -> Tensor:
    """A quarter of the size, in levels of bytes."""
    small = F.interpolate(x, scale_factor=1 / UPSCALE, mode="bicubic", antialias=True)
    return ((small.clamp(-1, 1) + 1) * 127.5).round() / 127.5 - 1


def upscale_input(x: Tensor) -> Tensor:
    """A quarter of the size and back: the translator sharpens what was enlarged to its size."""
    small = shrunk(x)
    # With antialias the kernel is Pillow's, which enlarges the photos that are served.
    return F.interpolate(small, size=x.shape[2:], mode="bicubic", antialias=True).clamp(-1, 1)


def inpaint_input(x: Tensor) -> Tensor:
    """The picture with a hole that is filled smoothly, and a fourth channel: 1 in the hole, -1 around it."""
    return fill_given(torch.cat([x, random_holes(x) * 2 - 1], dim=1))


def around_the_hole(given: Tensor, output: Tensor) -> Tensor:
    """The output in the hole, what was given around it."""
    hole = (given[:, 3:] + 1) / 2
    return output * hole + given[:, :3] * (1 - hole)


def drawing_input(x: Tensor) -> Tensor:
    """Dark lines on white where brightness changes (Sobel's gradient), as three equal channels."""
    return (1 - 2 * edges(x)).expand(-1, 3, -1, -1)


TASKS = {
    "colourise": PairTask(3, colourise_input, with_own_grey),
    "upscale": PairTask(3, upscale_input),
    "inpaint": PairTask(4, inpaint_input, around_the_hole),
    "drawing": PairTask(3, drawing_input),
}


def edges(x: Tensor) -> Tensor:
    """[B, 1, H, W] in 0..1: the magnitude of Sobel's gradient of the blurred luma, saturating."""
    blurred = F.avg_pool2d(F.pad(grey(x), (1, 1, 1, 1), "replicate"), 3, stride=1)
    across = x.new_tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 4
    kernels = torch.stack([across, across.T])[:, None]
    gradient = F.conv2d(F.pad(blurred, (1, 1, 1, 1), "replicate"), kernels)
    magnitude: Tensor = gradient.square().sum(dim=1, keepdim=True).sqrt()
    return (2 * magnitude).clamp(max=1)


def random_holes(x: Tensor) -> Tensor:
    """[B, 1, H, W] of 0 and 1: in each sample a rectangle whose sides are 20 to 60 % of the picture's, anywhere."""
    rows = _random_stretch(x, x.shape[2])
    columns = _random_stretch(x, x.shape[3])
    return rows[:, None, :, None] * columns[:, None, None, :]


def _random_stretch(x: Tensor, length: int) -> Tensor:
    least, most = HOLE_SHARES
    share, start = torch.rand(2, x.shape[0], 1, device=x.device)
    extent = (least + (most - least) * share) * length
    first = start * (length - extent)
    place = torch.arange(length, device=x.device)
    inside: Tensor = (place >= first) & (place < first + extent)
    return inside.to(x.dtype)
