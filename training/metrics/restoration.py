"""What a network that learnt a task is worth: PSNR, and the error of colours."""
# N picture, C channel, H W picture

import torch
from torch import Tensor

from training.translation.pairs import grey

MOST_DB = 100.0
"""What equal pictures are given instead of infinity."""


def psnr(answer_NCHW: Tensor, found_NCHW: Tensor, where_N1HW: Tensor | None = None) -> float:
    """Mean over the pictures, in decibels of the whole range. Both in -1..1. where: the pixels that count (1)."""
    where = torch.ones_like(answer_NCHW[:, :1]) if where_N1HW is None else where_N1HW
    squares = ((answer_NCHW - found_NCHW) * where).square().sum(dim=(1, 2, 3))
    error_N = squares / (where.sum(dim=(1, 2, 3)) * answer_NCHW.shape[1])
    return float((10 * torch.log10(4 / error_N.clamp_min(4 * 10 ** (-MOST_DB / 10)))).mean())


def chroma_error(answer_NCHW: Tensor, found_NCHW: Tensor) -> float:
    """Mean |difference| of the pixels' colours without their brightness, in levels of 0..255. Both in -1..1."""
    difference = (answer_NCHW - grey(answer_NCHW)) - (found_NCHW - grey(found_NCHW))
    return float(difference.abs().mean() * 127.5)
