"""The kernel distance of two sets of features (KID, Binkowski et al. 2018), times 1,000.

The estimate is unbiased: of two sets from one distribution it scatters around 0, above and below. Twice nothing is
nothing, so the floor of real against real is what 95 of 100 such comparisons stay under.
"""
# N sample, M real, D feature

from dataclasses import dataclass

import torch
from torch import Tensor

DRAWS = 40
FLOOR_QUANTILE = 0.95


@dataclass(frozen=True)
class KernelDistance:
    """value: of samples and real pictures; floor: of real and other real pictures (95th percentile); scatter: the
    deviation of the value over draws."""

    value: float
    floor: float
    scatter: float


def kernel_distance(samples_ND: Tensor, real_MD: Tensor, seed: int = 0) -> KernelDistance:
    """Over random halves of the real features: samples against a half, and the other half against it."""
    random = torch.Generator().manual_seed(seed)
    half = len(real_MD) // 2
    values, floors = [], []
    for _ in range(DRAWS):
        order = torch.randperm(len(real_MD), generator=random)
        one, other = real_MD[order[:half]], real_MD[order[half:]]
        chosen = samples_ND[torch.randperm(len(samples_ND), generator=random)[:half]]
        values.append(squared_mmd(chosen, one))
        floors.append(squared_mmd(other, one))
    spread = torch.tensor(values)
    floor = torch.tensor(floors).quantile(FLOOR_QUANTILE)
    return KernelDistance(1000 * float(spread.mean()), 1000 * float(floor), 1000 * float(spread.std()))


def squared_mmd(a_ND: Tensor, b_MD: Tensor) -> float:
    """The unbiased estimate of the squared maximum mean discrepancy, by the kernel (a.b / D + 1)^3."""
    within = _mean_of_others(_kernel(a_ND, a_ND)) + _mean_of_others(_kernel(b_MD, b_MD))
    return float(within - 2 * _kernel(a_ND, b_MD).mean())


def _kernel(a: Tensor, b: Tensor) -> Tensor:
    a, b = a.double(), b.double()
    return (a @ b.T / a.shape[1] + 1) ** 3


def _mean_of_others(kernel: Tensor) -> Tensor:
    count = len(kernel)
    return (kernel.sum() - kernel.diagonal().sum()) / (count * (count - 1))
