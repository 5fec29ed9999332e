"""StyleGAN3's nonlinearity (Karras et al. 2021, section 3.2): leaky ReLU between up- and downsampling filters.

Polyphase: nothing is computed for the zeros that upsampling inserts, nor for samples that downsampling drops. A filter
of one axis runs as products with a small banded matrix, TILE outputs at a time; a radial filter, which no two filters
of one axis make, as a convolution that yields a block of outputs at once (docs/decisions/0006-stylegan3-filters.md).
"""
# B batch, C channel, H W picture, T taps, I O inputs and outputs along an axis, P Q place in a block

from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from models.networks.layers import leaky

TILE = 32
"""Outputs of one matrix product: fewer make it too small to run fast, more fill the matrix with zeros."""
BLOCK = 4
"""Edge of the block of outputs that a radial filter yields at once."""


def filtered_leaky(
    x_BCHW: Tensor,
    up_filter_T: Tensor | None,
    down_filter: Tensor | None,
    *,
    up: int,
    down: int,
    pad_before: int,
    size: int,
    clamp: float | None,
) -> Tensor:
    """[B, C, H, H] -> [B, C, size, size]: upsample, leaky ReLU without its gain, clamp, downsample.

    `up_filter_T` is [T]; `down_filter` is [T], or [T, T] where it is radial; None stands for no filter, at factor 1.
    `pad_before` is the padding before the zero-inserted picture (negative: a crop); the one behind follows from `size`.
    """
    taps = 1 if down_filter is None else down_filter.shape[0]
    x = _upsample(x_BCHW, up_filter_T, up, pad_before, (size - 1) * down + taps)
    x = leaky(x, clamp)
    return x if down_filter is None else _downsample(x, down_filter, down, size)


@dataclass(frozen=True)
class Resampling:
    """A filter along one axis: `up` - 1 zeros behind each of `in_size` samples, `before` zeros in front of the first,
    the (flipped) taps, and of that every `down`-th output, `size` in all. One of `up` and `down` is 1."""

    taps: Tensor
    up: int
    down: int
    before: int
    in_size: int
    size: int

    def width(self, x_BCHI: Tensor) -> Tensor:
        """[B, C, H, I] -> [B, C, H, size]."""
        return torch.cat([x_BCHI[..., i:j] @ band_IO for i, j, band_IO in self._tiles], dim=3)

    def height(self, x_BCIW: Tensor) -> Tensor:
        """[B, C, I, W] -> [B, C, size, W]."""
        return torch.cat([band_IO.T @ x_BCIW[:, :, i:j] for i, j, band_IO in self._tiles], dim=2)

    @cached_property
    def _tiles(self) -> list[tuple[int, int, Tensor]]:
        """For each TILE outputs: the first of their inputs, the end of them, and the matrix [inputs, outputs] between.

        All tiles have one matrix, but where the picture's border cuts off inputs, or its size outputs.
        """
        assert TILE * self.down % self.up == 0, "tiles begin at the same phase of the zeros"
        whole_IO = self._band(min(TILE, self.size))
        tiles = []
        for start in range(0, self.size, TILE):
            stop = min(start + TILE, self.size)
            begin, end = self._inputs(start, stop)
            first = min(max(begin, 0), self.in_size)
            end = max(first, min(end, self.in_size))
            tiles.append((first, end, whole_IO[first - begin : end - begin, : stop - start]))
        return tiles

    def _inputs(self, start: int, stop: int) -> tuple[int, int]:
        """The first of the inputs that outputs start..stop depend on, and the end; neither need be in the picture."""
        last = self.down * (stop - 1) + self.taps.shape[0] - 1
        return -(-(self.down * start - self.before) // self.up), (last - self.before) // self.up + 1

    def _band(self, outputs: int) -> Tensor:
        """The matrix from the inputs of the first `outputs`: flipped tap number up * i - down * o + before."""
        begin, end = self._inputs(0, outputs)
        tap = self.up * begin + self.before
        if self.down == 1:
            return shifted_rows(self.taps, self.up, tap + 1 - self.taps.shape[0], (end - begin, outputs))
        assert self.up == 1, "a filter changes the rate one way"
        return shifted_rows(self.taps.flip(0), self.down, -tap, (outputs, end - begin)).T


def _upsample(x_BCHW: Tensor, filter_T: Tensor | None, up: int, before: int, size: int) -> Tensor:
    if filter_T is None:
        behind = size - before - x_BCHW.shape[2]
        return F.pad(x_BCHW, (before, behind, before, behind))
    # Zeros dilute the picture: each axis makes up for it by a gain of `up`.
    axis = Resampling(filter_T * up, up=up, down=1, before=before, in_size=x_BCHW.shape[2], size=size)
    return axis.height(axis.width(x_BCHW))


def _downsample(x_BCHW: Tensor, down_filter: Tensor, down: int, size: int) -> Tensor:
    if down_filter.ndim == 2:
        return _downsample_radial(x_BCHW, down_filter, down, size)
    axis = Resampling(down_filter, up=1, down=down, before=0, in_size=x_BCHW.shape[2], size=size)
    return axis.height(axis.width(x_BCHW))


def shifted_rows(values_T: Tensor, step: int, offset: int, shape: tuple[int, int]) -> Tensor:
    """The matrix whose row r holds `values_T` from column offset + r * step on, and zeros around them."""
    rows, columns = shape
    margin = max(-offset, 0)
    width = max(offset + (rows - 1) * step + values_T.shape[0], columns) + margin
    # One row of width + step, repeated and then read as rows of `width`, starts `step` further right in each.
    row = F.pad(values_T, (offset + margin, width + step - offset - margin - values_T.shape[0]))
    return row.repeat(rows)[: rows * width].reshape(rows, width)[:, margin : margin + columns]


def _downsample_radial(x_BCHW: Tensor, filter_TT: Tensor, down: int, size: int) -> Tensor:
    """A kernel for each place in a block of outputs; the blocks are then laid side by side."""
    channels, blocks = x_BCHW.shape[1], -(-size // BLOCK)
    flipped, shifts = filter_TT.flip(0, 1), [down * place for place in range(BLOCK)]
    most = shifts[-1]
    kernels = [F.pad(flipped, (right, most - right, below, most - below)) for below in shifts for right in shifts]
    missing = (blocks * BLOCK - size) * down
    x = F.pad(x_BCHW.flatten(0, 1)[:, None], (0, missing, 0, missing))
    y = F.conv2d(x, torch.stack(kernels)[:, None], stride=BLOCK * down)
    y_BCHW = F.pixel_shuffle(y, BLOCK).reshape(-1, channels, blocks * BLOCK, blocks * BLOCK)
    return y_BCHW[:, :, :size, :size]
