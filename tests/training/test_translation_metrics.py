"""Measures of translations: zero where nothing differs, and in the right order where it does."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from training.metrics.faithfulness import cycle_l1, edge_preservation, saturation_kept
from training.metrics.style import style_distance


def smooth(count: int, seed: int) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return F.interpolate(torch.rand(count, 3, 8, 8, generator=random), size=(32, 32), mode="bicubic") * 2 - 1


def rough(count: int, seed: int) -> Tensor:
    return torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(seed)) * 2 - 1


def test_a_style_is_nearer_to_itself_than_to_another() -> None:
    same = style_distance(smooth(20, 0), smooth(24, 1))
    assert style_distance(smooth(20, 0), smooth(20, 0)) == 0
    assert same < 0.25 * style_distance(rough(20, 2), smooth(24, 1))
    # A style knows no places: the same pictures mirrored are the same style, but for the filters' asymmetry.
    assert style_distance(smooth(20, 0).flip(3), smooth(24, 1)) < 1.5 * same
    with pytest.raises(ValueError, match="differ in shape"):
        style_distance(smooth(2, 0), smooth(2, 0)[..., :16])


def test_edges_survive_repainting_and_not_rearranging() -> None:
    photo = smooth(6, 0)
    assert edge_preservation(photo, photo) == pytest.approx(1)
    assert edge_preservation(photo, photo * 0.6 + 0.2) > 0.95
    assert edge_preservation(photo, photo.roll(1, 0)) < 0.5


def test_saturation_and_the_way_back() -> None:
    photo = smooth(6, 0)
    washed_out = photo.mean(dim=1, keepdim=True) + 0.5 * (photo - photo.mean(dim=1, keepdim=True))
    assert saturation_kept(photo, washed_out) == pytest.approx(0.5)
    assert cycle_l1(photo, photo + 2 / 255) == pytest.approx(1, abs=1e-4)
