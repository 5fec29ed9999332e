"""The encoder of a generator: a picture -> the ws that draw it again (after Richardson et al. 2021, much smaller)."""
# N batch, C channel, H W picture, L style layer, D width of w

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MOST_SIDE = 64
"""Larger pictures are shrunk first: what a face looks like shows at this size, and so an encoder stays of use when its
generator grows."""
LAST_SIDE = 4
FEATURE_STAGES = (0, 1, 2)


class Stage(nn.Module):
    """Half the size, then a residual convolution."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.down = nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1, bias=False)
        self.norm0 = nn.BatchNorm2d(out_channels)
        self.conv = nn.Conv2d(out_channels, out_channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(out_channels)

    def forward(self, x_NCHW: Tensor) -> Tensor:
        x_NCHW = F.leaky_relu(self.norm0(self.down(x_NCHW)), 0.2)
        return F.leaky_relu(x_NCHW + self.norm1(self.conv(x_NCHW)), 0.2)


class EncoderNetwork(nn.Module):
    """[N, 3, R, R] in -1..1 -> ws [N, num_ws, w_dim].

    One w is found for all layers, and for each layer how far it is from that one. width: channels at half the input's
    size, doubled with each halving up to widest.
    """

    w_avg: Tensor
    w_std: Tensor

    def __init__(
        self, resolution: int, num_ws: int, w_dim: int, *, width: int = 32, widest: int = 192, hidden: int = 224
    ) -> None:
        super().__init__()
        self.kwargs = {"resolution": resolution, "num_ws": num_ws, "w_dim": w_dim}
        self.kwargs |= {"width": width, "widest": widest, "hidden": hidden}
        self.resolution, self.num_ws, self.w_dim = resolution, num_ws, w_dim
        self.side = min(resolution, MOST_SIDE)
        depth = (self.side // LAST_SIDE).bit_length() - 1
        channels = [3, *(min(width * 2**i, widest) for i in range(depth))]
        self.stages = nn.ModuleList(Stage(*pair) for pair in pairwise(channels))
        self.hidden = nn.Linear(channels[-1] * LAST_SIDE**2, hidden)
        self.shared = nn.Linear(hidden, w_dim)
        self.apart = nn.Linear(hidden, num_ws * w_dim)
        nn.init.zeros_(self.apart.weight)
        nn.init.zeros_(self.apart.bias)
        self.register_buffer("w_avg", torch.zeros(w_dim))
        self.register_buffer("w_std", torch.ones(w_dim))

    def forward(self, x_NCHW: Tensor) -> Tensor:
        found_ND = F.leaky_relu(self.hidden(self._maps(x_NCHW)[-1].flatten(1)), 0.2)
        apart_NLD = self.apart(found_ND).view(-1, self.num_ws, self.w_dim)
        ws_NLD: Tensor = self.w_avg + self.w_std * (self.shared(found_ND)[:, None] + apart_NLD)
        return ws_NLD

    def features(self, x_NCHW: Tensor) -> list[Tensor]:
        """What its first stages see in the picture, each place scaled to unit length: where two pictures of a face
        differ for an eye rather than for a ruler."""
        maps = self._maps(x_NCHW, FEATURE_STAGES[-1] + 1)
        return [_unit(maps[stage]) for stage in FEATURE_STAGES if stage < len(maps)]

    def _maps(self, x_NCHW: Tensor, most: int | None = None) -> list[Tensor]:
        while x_NCHW.shape[-1] > self.side:
            x_NCHW = halved(x_NCHW)
        maps = []
        for stage in list(self.stages)[:most]:
            x_NCHW = stage(x_NCHW)
            maps.append(x_NCHW)
        return maps


def halved(x_NCHW: Tensor) -> Tensor:
    """[N, C, H, W] -> [N, C, H/2, W/2], the mean of each four. Its gradient exports, which a pooling's does not."""
    batch, channels, height, width = x_NCHW.shape
    return x_NCHW.reshape(batch, channels, height // 2, 2, width // 2, 2).mean(dim=(3, 5))


def _unit(x_NCHW: Tensor) -> Tensor:
    return x_NCHW * (x_NCHW.square().sum(dim=1, keepdim=True) + 1e-6).rsqrt()
