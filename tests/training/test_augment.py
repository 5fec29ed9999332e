import pytest
import torch
from torch import Tensor

from training.augment import STEPS, augment, cutout, mirror_half, translation


@pytest.mark.parametrize("step", sorted(STEPS))
def test_twice_differentiable_as_r1_needs(step: str) -> None:
    def once(x: Tensor) -> Tensor:
        torch.manual_seed(4)
        # Squared, so that the second derivative is not zero.
        return STEPS[step](x).square()

    x = torch.randn(2, 3, 6, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(once, x)
    assert torch.autograd.gradgradcheck(once, x)


def test_all_steps_keep_shape_and_differ_by_sample() -> None:
    torch.manual_seed(0)
    alike = torch.rand(1, 3, 16, 16).expand(4, -1, -1, -1)
    altered = augment(alike, tuple(STEPS))
    assert altered.shape == alike.shape
    assert (altered[0] - altered[1]).abs().max() > 0
    torch.testing.assert_close(augment(alike, ()), alike)


def test_a_probability_alters_that_share() -> None:
    torch.manual_seed(0)
    alike = torch.rand(1, 3, 8, 8).expand(400, -1, -1, -1)
    altered = (augment(alike, ("colour",), 0.25) != alike).flatten(1).any(dim=1).sum()
    assert 60 < altered < 140
    assert torch.equal(augment(alike, tuple(STEPS), 0), alike)


def test_translation_moves_and_fills_with_grey() -> None:
    torch.manual_seed(0)
    x = torch.arange(1.0, 257.0).reshape(1, 1, 16, 16).expand(64, -1, -1, -1)
    moved = translation(x)
    offsets = set()
    for sample in moved:
        place = (sample[0] == 120).nonzero()[0]
        offsets.add(tuple((place - torch.tensor([7, 7])).tolist()))
        inside = sample[0][sample[0] != 0]
        assert torch.isin(inside, x[0]).all()
    assert all(abs(dy) <= 2 and abs(dx) <= 2 for dy, dx in offsets)
    assert len(offsets) > 10


def test_cutout_covers_at_most_a_quarter() -> None:
    torch.manual_seed(0)
    covered = (cutout(torch.ones(200, 3, 16, 16)) == 0)[:, 0].sum(dim=(1, 2))
    assert covered.max() == 64
    assert covered.min() >= 16


def test_about_half_are_mirrored() -> None:
    torch.manual_seed(0)
    x = torch.rand(1, 3, 4, 4).expand(400, -1, -1, -1)
    mirrored = mirror_half(x)
    turned = (mirrored != x).flatten(1).any(dim=1)
    assert 150 < turned.sum() < 250
    torch.testing.assert_close(mirrored[turned], x[turned].flip(3), atol=0, rtol=0)
