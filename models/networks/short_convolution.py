"""A 3x3 convolution with half the multiplications: minimal filtering along the height (Winograd; Lavin & Gray 2016).

Four outputs in a column take six products instead of twelve: six rows of input and three of the kernel are read as
values of polynomials at six points, multiplied there, and interpolated. Along the width it is a plain convolution,
which keeps the rounding small: in float16 and bfloat16 hardly more than a direct convolution's.
"""
# B batch, I O channels, H W picture, K kernel, P point, R row of a group, G group of four rows

import torch
import torch.nn.functional as F
from torch import Tensor

GROUP = 4
# At the points 0, 1, -1, 2, -1/2 and infinity.
KERNEL_PK = (
    (1, 0, 0),
    (-1 / 3, -1 / 3, -1 / 3),
    (1 / 3, -1 / 3, 1 / 3),
    (1 / 15, 2 / 15, 4 / 15),
    (-16 / 15, 8 / 15, -4 / 15),
    (0, 0, 1),
)
INPUT_PR = (
    (1, 1.5, -2, -1.5, 1, 0),
    (0, -1, -2.5, -0.5, 1, 0),
    (0, 1, 0.5, -2.5, 1, 0),
    (0, -0.5, -1, 0.5, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 1, 1.5, -2, -1.5, 1),
)
OUTPUT_RP = (
    (1, 1, 1, 1, 1, 0),
    (0, 1, -1, 2, -1 / 2, 0),
    (0, 1, 1, 4, 1 / 4, 0),
    (0, 1, -1, 8, -1 / 8, 1),
)
POINTS = len(INPUT_PR)


def conv3x3(x_BIHW: Tensor, weight_OIKK: Tensor) -> Tensor:
    """[B, I, H, W], [O, I, 3, 3] -> [B, O, H + 2, W + 2]: what conv2d yields with padding 2."""
    (channels_out, channels), (height, width) = weight_OIKK.shape[:2], x_BIHW.shape[2:]
    groups = -(-(height + 2) // GROUP)
    single_1HW = F.pad(x_BIHW, (0, 0, 2, GROUP * groups - height)).flatten(0, 1)[:, None]
    at_points_PGW = F.conv2d(single_1HW, x_BIHW.new_tensor(INPUT_PR)[:, None, :, None], stride=(GROUP, 1))
    # The points become groups of channels: each has a convolution of its own.
    at_points_PIGW = at_points_PGW.reshape(-1, channels, POINTS, groups, width).transpose(1, 2).flatten(1, 2)
    kernel_POIK = torch.einsum("pk,oikl->poil", x_BIHW.new_tensor(KERNEL_PK), weight_OIKK)
    product = F.conv2d(at_points_PIGW, kernel_POIK.flatten(0, 1)[:, :, None], padding=(0, 2), groups=POINTS)
    rows = x_BIHW.new_tensor(OUTPUT_RP) @ product.reshape(-1, POINTS, channels_out * groups * (width + 2))
    rows_ROGW = rows.reshape(-1, GROUP, channels_out, groups, width + 2)
    return rows_ROGW.permute(0, 2, 3, 1, 4).flatten(2, 3)[:, :, : height + 2]
