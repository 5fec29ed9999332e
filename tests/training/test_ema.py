import pytest
import torch
from torch import nn

from training.ema import ema_decay, update_ema


def test_half_of_the_weight_is_gone_after_the_half_life() -> None:
    decay = ema_decay(1_000_000, 16, 10_000, 0.05)
    assert decay ** (10_000 / 16) == pytest.approx(0.5)


def test_the_beginning_is_soon_forgotten() -> None:
    assert ema_decay(0, 16, 10_000, 0.05) == pytest.approx(0)
    # After 2,000 images the half-life is 100 of them.
    assert ema_decay(2_000, 100, 10_000, 0.05) == pytest.approx(0.5)


def test_parameters_are_averaged_and_buffers_copied() -> None:
    average, model = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    with torch.no_grad():
        average.weight.fill_(1)
        model.weight.fill_(3)
    model.running_mean.fill_(7)
    update_ema(average, model, decay=0.75)
    torch.testing.assert_close(average.weight, torch.full((2,), 1.5), check_stride=False)
    torch.testing.assert_close(average.running_mean, torch.full((2,), 7.0))
