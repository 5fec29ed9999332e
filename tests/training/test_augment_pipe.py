"""The pipes of StyleGAN2-ADA: a resampler of which gradients have gradients, and alterations that keep their share."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from models.networks.stylegan2_discriminator import Discriminator
from training.augment import augment
from training.augment_pipe import PIPES, Pipe
from training.augment_strength import AdaptiveStrength
from training.losses import r1_penalty
from training.processes import Processes
from training.resampling import warp
from training.run_config import RunConfig

STILL = Pipe(*(False, False, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, False, 0.0, 0.0))


def inverses(*rows: list[list[float]]) -> Tensor:
    return torch.tensor([[*row, [0.0, 0.0, 1.0]] for row in rows])


def smooth(count: int, side: int) -> Tensor:
    x = torch.randn(count, 3, side, side)
    for _ in range(3):
        x = F.avg_pool2d(F.pad(x, (2, 2, 2, 2), "reflect"), 5, 1)
    return x / x.std()


def test_the_identity_and_whole_shifts_change_no_pixel() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, 16, 12)
    torch.testing.assert_close(warp(x, inverses([[1, 0, 0], [0, 1, 0]]).expand(2, 3, 3)), x, atol=1e-5, rtol=0)
    moved = warp(x, inverses([[1, 0, 3], [0, 1, -2]]).expand(2, 3, 3))
    torch.testing.assert_close(moved[:, :, 2:, :9], x[:, :, :-2, 3:], atol=1e-5, rtol=0)
    # Beyond the border it is reflected.
    torch.testing.assert_close(moved[:, :, 2:, 9], x[:, :, :-2, 10], atol=1e-5, rtol=0)


def test_turning_and_scaling_as_interpolation_of_smooth_pictures_says() -> None:
    torch.manual_seed(0)
    x = smooth(1, 48)
    mirrored = warp(x, inverses([[-1, 0, 0], [0, 1, 0]]))
    assert (mirrored - x.flip(3)).abs().mean() < 0.02
    quarter = warp(x, inverses([[0, 1, 0], [-1, 0, 0]]))
    ways = [(quarter - torch.rot90(x, k, (2, 3))).abs().mean() for k in (1, 3)]
    assert min(ways) < 0.02 < max(ways)
    larger = warp(x, inverses([[0.5, 0, 0], [0, 0.5, 0]]))
    expected = F.interpolate(x[:, :, 12:36, 12:36], scale_factor=2.0, mode="bicubic", align_corners=False)
    assert (larger - expected)[:, :, 4:-4, 4:-4].abs().mean() < 0.05


def test_gradients_of_gradients() -> None:
    torch.manual_seed(0)
    turned = inverses([[math.cos(0.4), -math.sin(0.4), 0.7], [math.sin(0.4), math.cos(0.4), -0.3]])
    x = torch.randn(1, 1, 5, 6, dtype=torch.float64, requires_grad=True)

    def warped(x: Tensor) -> Tensor:
        return warp(x, turned).square()

    assert torch.autograd.gradcheck(warped, x)
    assert torch.autograd.gradgradcheck(warped, x)


@pytest.mark.parametrize("pipe", sorted(PIPES))
def test_r1_through_the_pipe_as_finite_differences_say(pipe: str) -> None:
    torch.manual_seed(0)
    network = Discriminator(0, 8, 3, channel_base=64, channel_max=8).double()
    weight, x = network.b8.conv0.weight, torch.randn(4, 3, 8, 8, dtype=torch.float64)

    def penalty() -> Tensor:
        torch.manual_seed(3)
        return r1_penalty(lambda y: network.b8(None, augment(y, (pipe,), 0.9))[0].square().sum((1, 2, 3)), x, x, 2.0)

    (gradient,) = torch.autograd.grad(penalty(), weight)
    with torch.no_grad():
        weight[0, 0, 1, 1] += 1e-5
    above = penalty().item()
    with torch.no_grad():
        weight[0, 0, 1, 1] -= 2e-5
    below = penalty().item()
    assert gradient[0, 0, 1, 1].item() == pytest.approx((above - below) / 2e-5, rel=1e-4)


def test_autocast_does_not_blur_positions() -> None:
    torch.manual_seed(0)
    x = torch.randn(4, 3, 16, 16)
    torch.manual_seed(1)
    plain = PIPES["bgc"](x, 1.0)
    torch.manual_seed(1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(PIPES["bgc"](x, 1.0), plain)


@pytest.mark.parametrize("pipe", sorted(PIPES))
def test_a_probability_alters_that_share_and_0_nothing(pipe: str) -> None:
    torch.manual_seed(0)
    x = torch.randn(1, 3, 8, 8).expand(300, -1, -1, -1)
    torch.testing.assert_close(PIPES[pipe](x, 0.0), x)
    only_brightness = Pipe(*(False, False, 0.0, 0.0, 0.0, 0.0, 0.0, 0.3, 0.0, False, 0.0, 0.0))
    altered = ((only_brightness(x, 0.3) - x).abs().amax((1, 2, 3)) > 1e-5).float().mean()
    assert 0.2 < altered < 0.4
    assert ((PIPES[pipe](x, 1.0) - x).abs().amax((1, 2, 3)) > 1e-3).float().mean() > 0.95


def test_turns_are_as_likely_as_asked_though_drawn_twice() -> None:
    torch.manual_seed(0)
    x = smooth(1, 16).expand(400, -1, -1, -1)
    turning = Pipe(*(False, False, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, False, 0.0, 0.0))
    altered = ((turning(x, 0.5) - x).abs().amax((1, 2, 3)) > 1e-3).float().mean()
    assert 0.4 < altered < 0.6


def test_colours_turn_around_grey() -> None:
    torch.manual_seed(0)
    grey = torch.randn(64, 1, 4, 4).expand(-1, 3, -1, -1)
    hue = Pipe(*(False, False, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, False, 0.5, 1.0))
    torch.testing.assert_close(hue(grey, 1.0), grey, atol=1e-5, rtol=1e-5)
    red = torch.zeros(64, 3, 4, 4)
    red[:, 0] = 1
    turned = Pipe(*(False, False, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, False, 0.5, 0.0))(red, 1.0)
    torch.testing.assert_close(turned.sum(1), red.sum(1), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(turned.square().sum(1), red.square().sum(1), atol=1e-5, rtol=1e-5)
    assert turned[:, 1].std() > 0.2


def test_a_still_pipe_leaves_all_as_it_is() -> None:
    x = torch.randn(2, 3, 8, 8)
    torch.testing.assert_close(STILL(x, 1.0), x)


def test_the_strength_follows_the_sign(tmp_path: object) -> None:
    config = RunConfig(out=tmp_path, total_images=1, batch=8, learning_rate=0.1, device="cpu")  # type: ignore[arg-type]
    with Processes(config) as alone:
        strength = AdaptiveStrength(0.0, target=0.6, images_to_full=3200)

        def show(logit: float, steps: range) -> None:
            for step in steps:
                strength.observe(torch.full((8, 1), logit), step, 8, alone)

        show(-1.0, range(8))
        assert (strength.value, strength.sign) == (0.0, -1.0)
        show(1.0, range(8))
        assert strength.value == pytest.approx(2 * 8 * 4 / 3200)
        show(1.0, range(8, 10))
        resumed = AdaptiveStrength(0.0, target=0.6, images_to_full=3200)
        resumed.load_state_dict(strength.state_dict())
        for each in (strength, resumed):
            for step in (10, 11):
                each.observe(torch.ones(8, 1), step, 8, alone)
        assert strength.value == resumed.value == pytest.approx(3 * 8 * 4 / 3200)
        fixed = AdaptiveStrength(0.7, target=None, images_to_full=3200)
        fixed.observe(torch.ones(8, 1), 3, 8, alone)
        assert fixed.value == 0.7
