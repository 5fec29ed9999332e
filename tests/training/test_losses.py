import math

import pytest
import torch
from torch import Tensor

from models.networks.stylegan2_discriminator import Discriminator
from training.losses import discriminator_loss, generator_loss, r1_penalty


def test_values_where_the_discriminator_knows_nothing() -> None:
    nothing = torch.zeros(4, 1)
    assert generator_loss(nothing).item() == pytest.approx(math.log(2))
    assert discriminator_loss(nothing, nothing).item() == pytest.approx(2 * math.log(2))


def test_a_gradient_survives_where_the_saturating_loss_has_none() -> None:
    logits = torch.full((1, 1), -20.0, requires_grad=True)
    generator_loss(logits).backward()
    assert logits.grad is not None
    assert logits.grad.item() == pytest.approx(-1)


def test_r1_of_known_functions() -> None:
    slope, x = torch.randn(3, 4, 4), torch.randn(5, 3, 4, 4)

    def linear(pictures: Tensor) -> Tensor:
        return (pictures * slope).sum(dim=(1, 2, 3)).unsqueeze(1)

    def quadratic(pictures: Tensor) -> Tensor:
        return pictures.square().sum(dim=(1, 2, 3)).unsqueeze(1)

    torch.testing.assert_close(r1_penalty(linear, x), slope.square().sum())
    torch.testing.assert_close(r1_penalty(quadratic, x), (4 * x.square()).sum(dim=(1, 2, 3)).mean())


def test_r1_teaches_the_discriminator_as_finite_differences_say() -> None:
    torch.manual_seed(0)
    network = Discriminator(0, 8, 3, channel_base=64, channel_max=8).double()
    weight, x = network.b8.conv0.weight, torch.randn(4, 3, 8, 8, dtype=torch.float64)
    # The epilogue computes in float32; leave it out to compare at full precision.

    def features(pictures: Tensor) -> Tensor:
        return network.b8(None, pictures)[0].sum(dim=(1, 2, 3)).unsqueeze(1)

    (gradient,) = torch.autograd.grad(r1_penalty(features, x), weight)
    with torch.no_grad():
        weight[0, 0, 1, 1] += 1e-5
    above = r1_penalty(features, x).item()
    with torch.no_grad():
        weight[0, 0, 1, 1] -= 2e-5
    below = r1_penalty(features, x).item()
    assert gradient[0, 0, 1, 1].item() == pytest.approx((above - below) / 2e-5, rel=1e-4)
    assert gradient[0, 0, 1, 1].item() != 0


def test_the_discriminator_learns_to_tell_two_sets_apart() -> None:
    torch.manual_seed(0)
    network = Discriminator(0, 8, 3, channel_base=64, channel_max=8)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01, betas=(0.0, 0.99))
    losses = []
    for _ in range(60):
        smooth = torch.randn(8, 3, 1, 1).expand(-1, -1, 8, 8)
        loss = discriminator_loss(network(smooth), network(torch.randn(8, 3, 8, 8)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])
