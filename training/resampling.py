"""Sampling a picture along an affine map, at twice its resolution, so that gradients can be taken of gradients.

PyTorch cannot differentiate the gradient of grid_sample, which R1 needs when the discriminator sees pictures through
it. But sampling is linear in the picture: the gradient of a sampling is its transpose, and the gradient of the
transpose is the sampling itself. Both are written out here with public functions, on any device.
"""
# B batch, C channel, H W picture, T taps

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from models.networks.layers import full_precision

SYM6 = (
    0.015404109327027373,
    0.0034907120842174702,
    -0.11799011114819057,
    -0.048311742585633,
    0.4910559419267466,
    0.787641141030194,
    0.3379294217276218,
    -0.07263752278646252,
    -0.021060292512300564,
    0.04472490177066578,
    0.0017677118642428036,
    -0.007800708325034148,
)
"""The low-pass filter of the symlet of six vanishing moments (Daubechies 1992), whose squares sum to one: doubling by
it and halving by its transpose leave a picture as it was."""
CENTRE = 5
"""Where a pixel's mass comes to lie in the doubled picture, counted in taps."""
EDGE = 6
"""Fine pixels around the picture that halving reads."""


def warp(x_BCHW: Tensor, inverse_B33: Tensor) -> Tensor:
    """The pictures moved by maps whose inverses are given: a pixel at p shows what lay at inverse @ p.

    Coordinates are pixels from the picture's centre, x to the right and y down. Beyond its border a picture is
    reflected, for its own size at most, then grey (0). Float32; the identity changes nothing.
    """
    with full_precision(x_BCHW):
        height, width = x_BCHW.shape[2:]
        x_BCHW = x_BCHW.to(torch.promote_types(x_BCHW.dtype, torch.float32))
        across, down = _margins(inverse_B33, height, width)
        fine = _double(_double(F.pad(x_BCHW, (across, across, down, down), mode="reflect"), 2), 3)
        grid = _grid(inverse_B33, (2 * height + 2 * EDGE, 2 * width + 2 * EDGE), (fine.shape[2], fine.shape[3]))
        sampled: Tensor = _Sampling.apply(fine, grid.to(x_BCHW.device))  # type: ignore[no-untyped-call]  # torch's
        return _halve(_halve(sampled, 2), 3)


class _Sampling(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x_BCHW: Tensor, grid_BHW2: Tensor) -> Tensor:
        ctx.save_for_backward(grid_BHW2)
        ctx.shape = x_BCHW.shape
        return _sample(x_BCHW, grid_BHW2)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (grid_BHW2,) = ctx.saved_tensors
        return _Transposed.apply(gradients[0], grid_BHW2, ctx.shape), None  # type: ignore[no-untyped-call]  # torch's


class _Transposed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, y_BCHW: Tensor, grid_BHW2: Tensor, shape: torch.Size) -> Tensor:
        ctx.save_for_backward(grid_BHW2)
        with torch.enable_grad():
            x_BCHW = y_BCHW.new_zeros(shape, requires_grad=True)
            sampled = _sample(x_BCHW, grid_BHW2)
        (spread,) = torch.autograd.grad(sampled, x_BCHW, y_BCHW)
        return spread

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (grid_BHW2,) = ctx.saved_tensors
        return _Sampling.apply(gradients[0], grid_BHW2), None, None  # type: ignore[no-untyped-call]  # torch's


def _sample(x_BCHW: Tensor, grid_BHW2: Tensor) -> Tensor:
    return F.grid_sample(x_BCHW, grid_BHW2.to(x_BCHW.dtype), mode="bilinear", padding_mode="zeros", align_corners=False)


def _double(x_BCHW: Tensor, dim: int) -> Tensor:
    """Along `dim`: n pixels -> 2n, pixel i at fine pixel 2i (its mass lies CENTRE taps into the filter)."""
    kernel = _kernel(x_BCHW, dim) * 2
    y_BCHW = F.conv_transpose2d(x_BCHW, kernel, stride=(2, 1) if dim == 2 else (1, 2), groups=x_BCHW.shape[1])
    return y_BCHW.narrow(dim, CENTRE, 2 * x_BCHW.shape[dim])


def _halve(x_BCHW: Tensor, dim: int) -> Tensor:
    """Along `dim`: 2n + 2 EDGE fine pixels -> n, the transpose of `_double` over 2."""
    x_BCHW = x_BCHW.narrow(dim, EDGE - CENTRE, x_BCHW.shape[dim] - (EDGE - CENTRE))
    return F.conv2d(x_BCHW, _kernel(x_BCHW, dim), stride=(2, 1) if dim == 2 else (1, 2), groups=x_BCHW.shape[1])


def _kernel(x_BCHW: Tensor, dim: int) -> Tensor:
    taps_T = torch.tensor(SYM6, dtype=x_BCHW.dtype, device=x_BCHW.device)
    taps_T = taps_T / taps_T.sum()
    shape = (1, 1, -1, 1) if dim == 2 else (1, 1, 1, -1)
    return taps_T.view(shape).expand(x_BCHW.shape[1], -1, -1, -1)


def _margins(inverse_B33: Tensor, height: int, width: int) -> tuple[int, int]:
    """How far beyond the border, in pixels, any picture of the batch is looked at: (x, y)."""
    x, y = (width - 1) / 2, (height - 1) / 2
    corners_34 = torch.tensor([[-x, x, x, -x], [-y, -y, y, y], [1, 1, 1, 1]], dtype=inverse_B33.dtype)
    reach_2 = (inverse_B33 @ corners_34)[:, :2].abs().amax(dim=(0, 2))
    # Half of a filter more, at both resolutions.
    wanted = (reach_2 - torch.tensor([x, y], dtype=reach_2.dtype) + EDGE + 3).ceil()
    return tuple(int(min(max(each, 0), side - 1)) for each, side in zip(wanted, (width, height), strict=True))  # type: ignore[return-value]  # two


def _grid(inverse_B33: Tensor, out_size: tuple[int, int], in_size: tuple[int, int]) -> Tensor:
    """Where every fine pixel of the result lies in the fine source, in grid_sample's coordinates: [B, H, W, 2]."""
    (out_height, out_width), (in_height, in_width) = out_size, in_size
    # Picture coordinates of fine pixel j of 2n: coarse pixel i lies at fine pixel 2i, so that j is i = j / 2.
    y_H = (torch.arange(out_height, dtype=inverse_B33.dtype) - EDGE) / 2 - ((out_height - 2 * EDGE) / 2 - 1) / 2
    x_W = (torch.arange(out_width, dtype=inverse_B33.dtype) - EDGE) / 2 - ((out_width - 2 * EDGE) / 2 - 1) / 2
    places_HW3 = torch.stack(
        [x_W.expand(out_height, -1), y_H[:, None].expand(-1, out_width), torch.ones(out_height, out_width)], dim=-1
    )
    source_BHW3 = torch.einsum("bij,hwj->bhwi", inverse_B33, places_HW3)
    # Picture coordinates => fine pixels of the source => grid_sample's -1..1, where a pixel's centre is at + 1/2.
    fine_x = 2 * (source_BHW3[..., 0] + (in_width / 2 - 1) / 2)
    fine_y = 2 * (source_BHW3[..., 1] + (in_height / 2 - 1) / 2)
    return torch.stack([(2 * fine_x + 1) / in_width - 1, (2 * fine_y + 1) / in_height - 1], dim=-1).float()
