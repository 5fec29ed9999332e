"""StyleGAN3's nonlinearity (Karras et al. 2021, section 3.2): leaky ReLU between up- and downsampling filters.

Polyphase: nothing is computed for the zeros that upsampling inserts, nor for samples that downsampling drops. A filter
of one axis runs as products with a small banded matrix, TILE outputs at a time; a radial filter, which no two filters
of one axis make, as a convolution that yields a block of outputs at once (docs/decisions/0009-stylegan3-filters.md).
"""
# B batch, C channel, H W picture, T taps, I O inputs and outputs along an axis

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import torch
import torch.nn.functional as F
from torch import Tensor

from models.networks.layers import leaky

TILE = 24
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
    # Zeros dilute the picture: each axis makes up for it by a gain of `up`.
    up_taps = x_BCHW.new_ones(1) if up_filter_T is None else up_filter_T * up
    down_taps = x_BCHW.new_ones(1) if down_filter is None else down_filter
    between = (size - 1) * down + down_taps.shape[0]
    longest = (TILE - 1) * down + down_taps.shape[0]
    raised = Resampling(up_taps, up, 1, before=pad_before, in_size=x_BCHW.shape[2], size=between, longest=longest)
    x = raised.height(x_BCHW)
    if down_taps.ndim == 2:
        return _downsample_radial(leaky(raised.width(x), clamp), down_taps, down, size)
    lowered = Resampling(down_taps, 1, down, before=0, in_size=between, size=size, longest=TILE)
    return lowered.height(_across(x, raised, lowered, clamp))


@dataclass(frozen=True)
class Resampling:
    """A filter along one axis: `up` - 1 zeros behind each of `in_size` samples, `before` zeros in front of the first,
    the (flipped) taps, and of that every `down`-th output, `size` in all. One of `up` and `down` is 1.

    `longest`: the most outputs that are asked for at once.
    """

    taps: Tensor
    up: int
    down: int
    before: int
    in_size: int
    size: int
    longest: int

    def width(self, x_BCHI: Tensor) -> Tensor:
        """[B, C, H, I] -> [B, C, H, size]."""
        return torch.cat([x_BCHI[..., i:j] @ band_IO for i, j, band_IO in self.tiles()], dim=3)

    def height(self, x_BCIW: Tensor) -> Tensor:
        """[B, C, I, W] -> [B, C, size, W]."""
        return torch.cat([band_IO.T @ x_BCIW[:, :, i:j] for i, j, band_IO in self.tiles()], dim=2)

    def tiles(self) -> Iterator[tuple[int, int, Tensor]]:
        """`part` after part, TILE outputs each."""
        for start in range(0, self.size, TILE):
            yield self.part(start, min(start + TILE, self.size))

    def part(self, start: int, stop: int) -> tuple[int, int, Tensor]:
        """Of outputs start..stop: the first of their inputs, the end of them, and the matrix [inputs, outputs] between.

        All parts have one matrix, less what the picture's border cuts off.
        """
        assert self.down * start % self.up == 0, "every part begins at the same phase of the zeros"
        begin, end = self._inputs(start, stop)
        first = min(max(begin, 0), self.in_size)
        last = max(first, min(end, self.in_size))
        return first, last, self._band[first - begin : last - begin, : stop - start]

    def _inputs(self, start: int, stop: int) -> tuple[int, int]:
        """The first of the inputs that outputs start..stop depend on, and the end; neither need be in the picture."""
        last = self.down * (stop - 1) + self.taps.shape[0] - 1
        return -(-(self.down * start - self.before) // self.up), (last - self.before) // self.up + 1

    @cached_property
    def _band(self) -> Tensor:
        """The matrix to the first `longest` outputs; tap number up * i - down * o + before leads from i to o."""
        begin, end = self._inputs(0, self.longest)
        tap = self.up * begin + self.before
        if self.down == 1:
            return shifted_rows(self.taps, self.up, tap + 1 - self.taps.shape[0], (end - begin, self.longest))
        assert self.up == 1, "a filter changes the rate one way"
        return shifted_rows(self.taps.flip(0), self.down, -tap, (self.longest, end - begin)).T


def shifted_rows(values_T: Tensor, step: int, offset: int, shape: tuple[int, int]) -> Tensor:
    """The matrix whose row r holds `values_T` from column offset + r * step on, and zeros around them."""
    rows, columns = shape
    margin = max(-offset, 0)
    width = max(offset + (rows - 1) * step + values_T.shape[0], columns) + margin
    # One row of width + step, repeated and then read as rows of `width`, starts `step` further right in each.
    row = F.pad(values_T, (offset + margin, width + step - offset - margin - values_T.shape[0]))
    return row.repeat(rows)[: rows * width].reshape(rows, width)[:, margin : margin + columns]


def _across(x_BCHI: Tensor, raised: Resampling, lowered: Resampling, clamp: float | None) -> Tensor:
    """Along the width each tile goes all the way up and down before the next: less is carried through memory."""
    tiles = []
    for start, stop, lower_IO in lowered.tiles():
        first, end, raise_IO = raised.part(start, stop)
        tiles.append(leaky(x_BCHI[..., first:end] @ raise_IO, clamp) @ lower_IO)
    return torch.cat(tiles, dim=3)


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
