import pytest
import torch
import torch.nn.functional as F

from models.networks.filters import blur, downsample, square_filter, upsample

FILTERS = [(1.0,), (1.0, 1.0), (1.0, 2.0, 1.0), (1.0, 3.0, 3.0, 1.0), (1.0, 4.0, 6.0, 4.0, 1.0, 0.0)]


@pytest.mark.parametrize("taps", FILTERS)
def test_up_and_down_keep_size_and_level(taps: tuple[float, ...]) -> None:
    kernel = square_filter(taps)
    assert kernel.sum() == pytest.approx(1)
    flat = torch.ones(1, 2, 16, 16)
    assert upsample(flat, kernel).shape == (1, 2, 32, 32)
    assert downsample(flat, kernel).shape == (1, 2, 8, 8)
    torch.testing.assert_close(downsample(flat, kernel)[:, :, 3:5, 3:5], torch.ones(1, 2, 2, 2))


@pytest.mark.parametrize("taps", FILTERS)
def test_upsampling_is_zeros_between_then_the_filter(taps: tuple[float, ...]) -> None:
    torch.manual_seed(0)
    kernel, x, size = square_filter(taps), torch.randn(2, 1, 5, 5), len(taps)
    spread = torch.zeros(2, 1, 10, 10)
    spread[:, :, ::2, ::2] = x
    before, after = (size + 1) // 2, (size - 2) // 2
    padded = F.pad(spread, (before, after, before, after))
    expected = F.conv2d(padded, 4 * kernel.flip(0, 1)[None, None])
    torch.testing.assert_close(upsample(x, kernel), expected)


def test_downsampling_is_the_filter_then_every_second_pixel() -> None:
    kernel, x = square_filter((1, 3, 3, 1)), torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(downsample(x, kernel), blur(x, kernel, (1, 1))[:, :, ::2, ::2])
