"""StyleGAN3's nonlinearity (Karras et al. 2021, section 3.2): leaky ReLU between up- and downsampling filters.

Polyphase: nothing is computed for the zeros that upsampling inserts, nor for samples that downsampling drops. A filter
of one axis runs as products with a small banded matrix, TILE outputs at a time; a radial filter, which no two filters
of one axis make, as a convolution that yields a block of outputs at once (docs/decisions/0006-stylegan3-filters.md).
"""
# B batch, C channel, H W picture, T taps, I O inputs and outputs along an axis, P Q place in a block

from dataclasses import dataclass

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
    """A filter along one axis: `up` - 1 zeros behind each sample, padding, the taps (flipped), every `down`-th output.

    One of `up` and `down` is 1. `before` is the padding before the first sample, `size` the number of outputs.
    """

    taps: Tensor
    up: int
    down: int
    before: int
    size: int

    def width(self, x_BCHI: Tensor) -> Tensor:
        """[B, C, H, I] -> [B, C, H, size]."""
        return torch.cat([x_BCHI[..., i:j] @ band_IO for i, j, band_IO in self._tiles(x_BCHI.shape[3])], dim=3)

    def height(self, x_BCIW: Tensor) -> Tensor:
        """[B, C, I, W] -> [B, C, size, W]."""
        return torch.cat([band_IO.T @ x_BCIW[:, :, i:j] for i, j, band_IO in self._tiles(x_BCIW.shape[2])], dim=2)

    def _tiles(self, in_size: int) -> list[tuple[int, int, Tensor]]:
        """For each TILE outputs: the first of their inputs, the end of them, and the matrix between."""
        reach = self.taps.shape[0] - 1 - self.before
        bands: dict[tuple[int, int, int], Tensor] = {}
        tiles = []
        for start in range(0, self.size, TILE):
            stop = min(start + TILE, self.size)
            first = max(-(-(self.down * start - self.before) // self.up), 0)
            end = min((self.down * (stop - 1) + reach) // self.up + 1, in_size)
            # Which (flipped) tap leads from the first input to the first output; alike in all tiles but the outer ones.
            tap = self.up * first + self.before - self.down * start
            key = (tap, end - first, stop - start)
            if key not in bands:
                bands[key] = self._band(*key)
            tiles.append((first, end, bands[key]))
        return tiles

    def _band(self, tap: int, inputs: int, outputs: int) -> Tensor:
        """[inputs, outputs]: from input i to output o leads flipped tap number tap + up * i - down * o, if any."""
        if self.down == 1:
            return shifted_rows(self.taps, self.up, tap + 1 - self.taps.shape[0], (inputs, outputs))
        assert self.up == 1, "a filter changes the rate one way"
        return shifted_rows(self.taps.flip(0), self.down, -tap, (outputs, inputs)).T


def _upsample(x_BCHW: Tensor, filter_T: Tensor | None, up: int, before: int, size: int) -> Tensor:
    if filter_T is None:
        behind = size - before - x_BCHW.shape[2]
        return F.pad(x_BCHW, (before, behind, before, behind))
    # Zeros dilute the picture: each axis makes up for it by a gain of `up`.
    axis = Resampling(filter_T * up, up=up, down=1, before=before, size=size)
    return axis.height(axis.width(x_BCHW))


def _downsample(x_BCHW: Tensor, down_filter: Tensor, down: int, size: int) -> Tensor:
    if down_filter.ndim == 2:
        return _downsample_radial(x_BCHW, down_filter, down, size)
    axis = Resampling(down_filter, up=1, down=down, before=0, size=size)
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
