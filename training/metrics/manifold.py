"""Do samples lie where real pictures lie, and everywhere where they lie?

Precision and recall (Kynkaanniemi et al. 2019) and density and coverage (Naeem et al. 2020), by balls around features
that reach to their fifth neighbour.
"""
# N sample, M real, D feature

import torch
from torch import Tensor

NEIGHBOURS = 5


def manifold_figures(samples_ND: Tensor, real_MD: Tensor) -> dict[str, float]:
    """precision, recall, density, coverage. For sets of one size; each figure depends on it."""
    radius_M, radius_N = _radius(real_MD), _radius(samples_ND)
    distance_NM = torch.cdist(samples_ND, real_MD)
    inside_real = distance_NM <= radius_M
    inside_samples = distance_NM <= radius_N[:, None]
    return {
        "precision": float(inside_real.any(dim=1).float().mean()),
        "recall": float(inside_samples.any(dim=0).float().mean()),
        "density": float(inside_real.float().sum(dim=1).mean() / NEIGHBOURS),
        "coverage": float(inside_real.any(dim=0).float().mean()),
    }


def _radius(features: Tensor) -> Tensor:
    if len(features) <= NEIGHBOURS:
        raise ValueError(f"{len(features)} pictures are too few: precision and recall need {NEIGHBOURS + 1}")
    # The nearest to each is itself.
    return torch.cdist(features, features).kthvalue(NEIGHBOURS + 1, dim=1).values
