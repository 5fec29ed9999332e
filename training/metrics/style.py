"""How near pictures are to a style: Gram matrices of the answers of random filters.

Correlations between filters describe texture (Gatys et al. 2015), and random filters at several scales serve nearly as
well as trained ones (Ustyuzhaninov et al. 2017), so that no pretrained network is needed. The distance means little by
itself: its yardstick is the distance of real paintings, held out, from the same paintings.
"""
# N picture, C channel, H W picture, F filter

import torch
import torch.nn.functional as F
from torch import Tensor

from training.metrics.sliced_wasserstein import laplacian_pyramid

FILTERS = 64
SIDE = 7
SEED = 0


def style_distance(a_NCHW: Tensor, b_NCHW: Tensor) -> float:
    """0 for equal sets; about 1 for unrelated textures. Both [N, 3, R, R] in -1..1, of any counts, R from 16.

    The mean over pyramid levels of |G_a - G_b| / sqrt(|G_a| |G_b|), G the mean Gram matrix of a set.
    """
    if a_NCHW.shape[1:] != b_NCHW.shape[1:]:
        raise ValueError(f"the sets differ in shape: {tuple(a_NCHW.shape[1:])} and {tuple(b_NCHW.shape[1:])}")
    distances = []
    for a_FF, b_FF in zip(gram_matrices(a_NCHW), gram_matrices(b_NCHW), strict=True):
        distances.append((a_FF - b_FF).norm() / (a_FF.norm() * b_FF.norm()).sqrt())
    return float(torch.stack(distances).mean())


@torch.no_grad()
def gram_matrices(x_NCHW: Tensor) -> list[Tensor]:
    """[F, F] for each level of the pyramid, the mean over pictures and places."""
    filters = random_filters(x_NCHW.shape[1])
    sums: list[Tensor] = []
    for x in torch.split(x_NCHW.float(), 16):
        grams = [_gram(level, filters) * len(x) for level in laplacian_pyramid(x)]
        sums = grams if not sums else [total + gram for total, gram in zip(sums, grams, strict=True)]
    return [total / len(x_NCHW) for total in sums]


def random_filters(channels: int) -> Tensor:
    """[F, C, 7, 7] of unit norm, the same on every machine."""
    random = torch.Generator().manual_seed(SEED)
    filters = torch.randn(FILTERS, channels, SIDE, SIDE, generator=random)
    return F.normalize(filters.flatten(1), dim=1).view_as(filters)


def _gram(x_NCHW: Tensor, filters: Tensor) -> Tensor:
    answers = F.conv2d(x_NCHW, filters).relu()
    mean: Tensor = torch.einsum("nfhw,nghw->fg", answers, answers) / answers[:, 0].numel()
    return mean
