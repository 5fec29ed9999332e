"""What photos suffer and a generator's pictures do not: the encoder meets its input worn, and owes the clean one."""
# B batch, C channel, R side of the picture

import torch
import torch.nn.functional as F
from torch import Tensor

MOVED = 0.03
"""Standard deviation of the shift of a badly aligned face, as a share of its side."""
TURNED, SCALED = 0.04, 0.04


def worn(x_BCRR: Tensor) -> Tensor:
    """Moved, turned and scaled a little, then soft or grainy or neither."""
    count = len(x_BCRR)
    angle, scale = torch.randn(count) * TURNED, (torch.randn(count) * SCALED).exp()
    cos, sin = angle.cos() * scale, angle.sin() * scale
    shift = torch.randn(count, 2, 1) * 2 * MOVED
    turn = torch.stack([torch.stack([cos, -sin], 1), torch.stack([sin, cos], 1)], 1)
    theta = torch.cat([turn, shift], 2)
    grid = F.affine_grid(theta, list(x_BCRR.shape), align_corners=False)
    moved = F.grid_sample(x_BCRR, grid, padding_mode="reflection", align_corners=False)
    moved = torch.where(_some(count, 0.6), moved, x_BCRR)
    soft = F.avg_pool2d(F.pad(moved, (1, 1, 1, 1), mode="replicate"), 3, 1)
    moved = torch.where(_some(count, 0.3), moved.lerp(soft, torch.rand(count, 1, 1, 1)), moved)
    grain = torch.randn_like(moved) * 0.06 * torch.rand(count, 1, 1, 1)
    return torch.where(_some(count, 0.4), moved + grain, moved)


def _some(count: int, share: float) -> Tensor:
    return torch.rand(count, 1, 1, 1) < share
