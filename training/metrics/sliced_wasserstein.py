"""Sliced Wasserstein distance between the patches of two sets of pictures (Karras et al. 2018, section 5).

A Laplacian pyramid splits pictures into levels from fine to coarse; each level's 7x7 patches are compared along random
directions. It tells texture (fine levels) from structure (coarse ones), and needs no network.
"""
# N picture, P patch, C channel, H W picture, F feature of a patch, S slice

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

PATCH = 7
PATCHES_PER_PICTURE = 128
COARSEST = 16
REPEATS = 4
SLICES = 128


def sliced_wasserstein(a_NCHW: Tensor, b_NCHW: Tensor, seed: int = 0) -> dict[int, float]:
    """The distance times 1,000 at each level, by its resolution from the pictures' own down to 16.

    Both: uint8 or float in any one range, since patches are normalised. The sets must be of one size, because the
    distance between two samples of one distribution falls with their size. Raises ValueError where they differ.
    """
    if a_NCHW.shape != b_NCHW.shape:
        raise ValueError(f"the sets differ in shape: {tuple(a_NCHW.shape)} and {tuple(b_NCHW.shape)}")
    random = torch.Generator().manual_seed(seed)
    levels = zip(laplacian_pyramid(a_NCHW.float()), laplacian_pyramid(b_NCHW.float()), strict=True)
    return {a.shape[2]: 1000 * _distance(_patches(a, random), _patches(b, random), random) for a, b in levels}


def mean_distance(levels: dict[int, float]) -> float:
    """The levels' mean, as published."""
    return sum(levels.values()) / len(levels)


def laplacian_pyramid(x_NCHW: Tensor) -> list[Tensor]:
    """Differences between neighbouring resolutions, finest first; the last is the coarsest picture itself."""
    levels = []
    while x_NCHW.shape[2] > COARSEST:
        coarser = _halve(x_NCHW)
        levels.append(x_NCHW - _double(coarser))
        x_NCHW = coarser
    return [*levels, x_NCHW]


def _halve(x_NCHW: Tensor) -> Tensor:
    return F.conv2d(F.pad(x_NCHW, (2, 2, 2, 2), "reflect"), _binomial(x_NCHW), stride=2, groups=x_NCHW.shape[1])


def _double(x_NCHW: Tensor) -> Tensor:
    count, channels, height, width = x_NCHW.shape
    spread = x_NCHW.new_zeros(count, channels, 2 * height, 2 * width)
    spread[:, :, ::2, ::2] = x_NCHW
    return F.conv2d(F.pad(spread, (2, 2, 2, 2), "reflect"), 4 * _binomial(x_NCHW), groups=channels)


def _binomial(x_NCHW: Tensor) -> Tensor:
    taps = x_NCHW.new_tensor([1.0, 4.0, 6.0, 4.0, 1.0]) / 16
    return torch.outer(taps, taps).expand(x_NCHW.shape[1], 1, 5, 5)


def _patches(x_NCHW: Tensor, random: torch.Generator) -> Tensor:
    """Random 7x7 patches, each channel brought to mean 0 and deviation 1 over all of them: [P, F]."""
    count, channels, height, width = x_NCHW.shape
    size = (count, PATCHES_PER_PICTURE)
    top = torch.randint(0, height - PATCH + 1, size, generator=random)
    left = torch.randint(0, width - PATCH + 1, size, generator=random)
    offset = torch.arange(PATCH)
    patches = x_NCHW.permute(0, 2, 3, 1)[
        torch.arange(count)[:, None, None, None],
        top[:, :, None, None] + offset[:, None],
        left[:, :, None, None] + offset,
    ].reshape(-1, PATCH * PATCH, channels)
    patches = patches - patches.mean(dim=(0, 1))
    return (patches / patches.std(dim=(0, 1)).clamp_min(1e-8)).flatten(1)


def _distance(a_PF: Tensor, b_PF: Tensor, random: torch.Generator) -> float:
    distances = []
    for _ in range(REPEATS):
        directions_FS = torch.randn(a_PF.shape[1], SLICES, generator=random)
        directions_FS = directions_FS / directions_FS.norm(dim=0)
        # In one dimension, the Wasserstein distance pairs the sorted samples.
        distances.append((_sorted(a_PF, directions_FS) - _sorted(b_PF, directions_FS)).abs().mean())
    return float(torch.stack(distances).mean())


def _sorted(patches_PF: Tensor, directions_FS: Tensor) -> Tensor:
    """[S, P]: what lies along each direction, in order."""
    # NumPy sorts floats some thirty times as fast as PyTorch does on a CPU.
    return torch.from_numpy(np.sort((directions_FS.T @ patches_PF.T).cpu().numpy(), axis=1))
