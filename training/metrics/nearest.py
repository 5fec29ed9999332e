"""Is a generated face anybody's? Nearest neighbours among the training pictures and their mirror images.

A distance means nothing by itself. The yardstick is how near photographs of people whom the model never saw come to the
training pictures: samples that are nearer than all of those are suspects.
"""
# N sample, M reference, C channel, H W picture

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from models.contact_sheet import contact_sheet

SIDE = 32
BLOCK = 500
CLOSEST = 0.01


@dataclass(frozen=True)
class Neighbours:
    """Of each of N samples, [N] each: its distance to the nearest reference, which that is, and whether mirrored."""

    distance: Tensor
    """RMS difference at 32x32, in levels of 0..255."""
    index: Tensor
    mirrored: Tensor


def nearest(samples_NCHW: Tensor, references_MCHW: Tensor) -> Neighbours:
    """The nearest reference, or mirror image of one, to each sample. Both uint8 [., 3, H, W], of any sizes from 32."""
    a, b = _reduced(samples_NCHW), _reduced(references_MCHW)
    flipped = _reduced(references_MCHW.flip(3))
    found = nearest_features(a.flatten(1), b.flatten(1), flipped.flatten(1))
    return Neighbours(found.distance / a[0].numel() ** 0.5, found.index, found.mirrored)


def nearest_features(samples_ND: Tensor, references_MD: Tensor, mirrored_MD: Tensor) -> Neighbours:
    """The same by features: those of the references, and of their mirror images. The distance is Euclid's."""
    candidates = torch.cat([references_MD, mirrored_MD])
    parts = [
        torch.cdist(part, candidates, compute_mode="donot_use_mm_for_euclid_dist").min(dim=1)
        for part in torch.split(samples_ND, BLOCK)
    ]
    place_N = torch.cat([part.indices for part in parts])
    count = len(references_MD)
    return Neighbours(torch.cat([part.values for part in parts]), place_N % count, place_N >= count)


def closest_ratio(samples: Neighbours, held_out: Neighbours) -> float:
    """The distance of the closest 1 % of the samples over that of the closest 1 % of photographs never seen.

    1: as far from the training pictures as strangers; towards 0: copies.
    """
    strangers = held_out.distance.quantile(CLOSEST)
    return float(samples.distance.quantile(CLOSEST) / strangers.clamp_min(1e-8))


def memorisation(samples: Neighbours, held_out: Neighbours) -> dict[str, float]:
    """The samples' distances beside those of photographs that the model never saw (held_out)."""
    return {
        "nearest_median": float(samples.distance.median()),
        "nearest_smallest": float(samples.distance.min()),
        "test_nearest_median": float(held_out.distance.median()),
        "test_nearest_smallest": float(held_out.distance.min()),
        "closest_ratio": closest_ratio(samples, held_out),
        "closer_than_any_test": float((samples.distance < held_out.distance.min()).float().mean()),
    }


def suspects_picture(samples_NCHW: Tensor, references_MCHW: Tensor, found: Neighbours, count: int = 12) -> Image.Image:
    """The `count` samples nearest to a reference, each above it (mirrored where that is nearer). Both uint8, one size.

    Nearest first. Rows alternate: samples, their neighbours.
    """
    order = found.distance.argsort()[:count]
    neighbours = references_MCHW[found.index[order]]
    turned = found.mirrored[order][:, None, None, None]
    pairs = torch.cat([samples_NCHW[order], torch.where(turned, neighbours.flip(3), neighbours)])
    return contact_sheet(pairs.permute(0, 2, 3, 1).numpy(), columns=len(order))


def _reduced(pictures_NCHW: Tensor) -> Tensor:
    # Small pictures compare who it is, not where a hair lies.
    return F.adaptive_avg_pool2d(pictures_NCHW.float(), SIDE)
