"""What a network that fills is shown: a hole with the colours around it."""

import pytest
import torch

from models.networks.filling import LEVELS, MULTIPLE, fill_given, smooth_fill


def test_a_smooth_fill_carries_on_a_slope_and_leaves_what_is_known() -> None:
    slope = torch.linspace(-1, 1, 40).expand(1, 3, 32, 40)
    hole = torch.zeros(1, 1, 32, 40)
    hole[..., 8:20, 12:24] = 1
    filled = smooth_fill(slope * (1 - hole), hole)
    assert torch.equal(filled * (1 - hole), slope * (1 - hole))
    off = (filled - slope)[hole.expand_as(slope) > 0]
    assert off.square().mean() < 0.2 * slope[hole.expand_as(slope) > 0].square().mean()
    assert off.abs().max() < 0.4


def test_what_stands_in_the_hole_does_not_matter() -> None:
    torch.manual_seed(0)
    picture = torch.rand(2, 3, MULTIPLE, 2 * MULTIPLE) * 2 - 1
    mask = torch.full((2, 1, MULTIPLE, 2 * MULTIPLE), -1.0)
    mask[..., 5:50, 30:100] = 1
    grey = torch.where(mask > 0, torch.zeros(()), picture)
    assert torch.equal(fill_given(torch.cat([picture, mask], 1)), fill_given(torch.cat([grey, mask], 1), LEVELS))


@pytest.mark.parametrize("size", [(17, 23), (24, 16), (64, 192)])
def test_any_size_is_filled_with_what_is_there(size: tuple[int, int]) -> None:
    hole = torch.zeros(1, 1, *size)
    hole[..., size[0] // 4 : size[0] - 2, 2:-4] = 1
    filled = smooth_fill(torch.full((1, 3, *size), 0.5) * (1 - hole), hole)
    torch.testing.assert_close(filled, torch.full_like(filled, 0.5))
    nothing = smooth_fill(torch.zeros(1, 3, *size), torch.ones(1, 1, *size))
    assert bool(torch.isfinite(nothing).all())
