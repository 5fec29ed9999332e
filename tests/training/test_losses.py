"""The table of objectives against values and gradients that can be worked out by hand."""

import math

import pytest
import torch
from torch import Tensor

from models.networks.stylegan2_discriminator import Discriminator
from training.losses import OBJECTIVES, PENALTIES, interpolated_penalty, r1_penalty, r1_r2_penalty, squared_gradient

REAL, FAKE = torch.tensor([[2.0], [0.0]]), torch.tensor([[-1.0], [1.0]])


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


# (generator's loss, discriminator's) of REAL and FAKE.
VALUES = {
    "non_saturating": (
        (softplus(1) + softplus(-1)) / 2,
        (softplus(-2) + softplus(0)) / 2 + (softplus(-1) + softplus(1)) / 2,
    ),
    "minimax": (
        -(softplus(-1) + softplus(1)) / 2,
        (softplus(-2) + softplus(0)) / 2 + (softplus(-1) + softplus(1)) / 2,
    ),
    "least_squares": ((4 + 0) / 2, (1 + 1) / 2 + (1 + 1) / 2),
    "hinge": (0.0, (0 + 1) / 2 + (0 + 2) / 2),
    "wasserstein": (0.0, 0 - 1 + 0.001 * (4 + 0) / 2),
    "relativistic": ((softplus(3) + softplus(-1)) / 2, (softplus(-3) + softplus(1)) / 2),
}
# d loss_G / d D(G(z)) at a fake of -20 and a real of 0, where the discriminator is sure.
PULLS = {
    "non_saturating": -1.0,
    "minimax": 0.0,
    "least_squares": -42.0,
    "hinge": -1.0,
    "wasserstein": -1.0,
    "relativistic": -1.0,
}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_known_values(name: str) -> None:
    generator, discriminator = VALUES[name]
    assert OBJECTIVES[name].generator(FAKE, REAL).item() == pytest.approx(generator)
    assert OBJECTIVES[name].discriminator(REAL, FAKE).item() == pytest.approx(discriminator)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_how_strongly_the_generator_is_pulled_where_the_discriminator_is_sure(name: str) -> None:
    fake = torch.full((1, 1), -20.0, requires_grad=True)
    OBJECTIVES[name].generator(fake, torch.zeros(1, 1)).backward()
    assert fake.grad is not None
    assert fake.grad.item() == pytest.approx(PULLS[name], abs=1e-6)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_the_discriminator_pushes_apart_and_the_generator_follows(name: str) -> None:
    real, fake = (torch.zeros(4, 1, requires_grad=True) for _ in range(2))
    OBJECTIVES[name].discriminator(real, fake).backward()
    assert (real.grad < 0).all()  # type: ignore[operator]  # it is set
    assert (fake.grad >= 0).all()  # type: ignore[operator]  # it is set
    fake = torch.zeros(4, 1, requires_grad=True)
    OBJECTIVES[name].generator(fake, real.detach()).backward()
    assert (fake.grad < 0).all()  # type: ignore[operator]  # it is set


def test_every_row_names_a_penalty_and_its_source() -> None:
    for row in OBJECTIVES.values():
        assert row.penalty in PENALTIES
        assert any(character.isdigit() for character in row.source)


def test_a_discriminator_that_guesses_pays_log_2_twice() -> None:
    nothing = torch.zeros(3, 1)
    assert OBJECTIVES["non_saturating"].discriminator(nothing, nothing).item() == pytest.approx(2 * math.log(2))


def test_penalties_of_known_functions() -> None:
    torch.manual_seed(0)
    slope, x, y = torch.randn(3, 4, 4), torch.randn(5, 3, 4, 4), torch.randn(5, 3, 4, 4)
    plane, norm = (lambda pictures: (pictures * slope).sum(dim=(1, 2, 3)).unsqueeze(1)), slope.norm()

    def quadratic(pictures: Tensor) -> Tensor:
        return pictures.square().sum(dim=(1, 2, 3)).unsqueeze(1)

    torch.testing.assert_close(r1_penalty(plane, x, y, 3.0), 1.5 * norm**2)
    torch.testing.assert_close(r1_r2_penalty(plane, x, y, 3.0), 3.0 * norm**2)
    torch.testing.assert_close(interpolated_penalty(plane, x, y, 10.0), 10 * (norm - 1) ** 2)
    torch.testing.assert_close(squared_gradient(quadratic, x), (4 * x.square()).sum(dim=(1, 2, 3)))
    r2_alone = r1_r2_penalty(quadratic, x, y, 2.0) - r1_penalty(quadratic, x, y, 2.0)
    torch.testing.assert_close(r2_alone, (4 * y.square()).sum(dim=(1, 2, 3)).mean())


def test_the_interpolated_penalty_looks_between_the_pictures() -> None:
    places: list[Tensor] = []

    def remember(pictures: Tensor) -> Tensor:
        places.append(pictures.detach())
        return pictures.sum(dim=(1, 2, 3)).unsqueeze(1)

    interpolated_penalty(remember, torch.zeros(64, 1, 2, 2), torch.ones(64, 1, 2, 2), 10.0)
    met = places[0]
    assert ((met >= 0) & (met <= 1)).all()
    assert met.flatten(1).std(dim=1).max() == 0
    assert met.mean(dim=(1, 2, 3)).std() > 0.2


def test_a_penalty_teaches_the_discriminator_as_finite_differences_say() -> None:
    torch.manual_seed(0)
    network = Discriminator(0, 8, 3, channel_base=64, channel_max=8).double()
    weight, x = network.b8.conv0.weight, torch.randn(4, 3, 8, 8, dtype=torch.float64)

    def features(pictures: Tensor) -> Tensor:
        # The epilogue computes in float32; it is left out to compare at full precision. Squared: so that a weight of
        # the first layer still matters to the gradient.
        y: Tensor = network.b8(None, pictures)[0]
        return y.square().sum(dim=(1, 2, 3)).unsqueeze(1)

    def penalty() -> Tensor:
        return r1_penalty(features, x, x, 2.0)

    (gradient,) = torch.autograd.grad(penalty(), weight)
    with torch.no_grad():
        weight[0, 0, 1, 1] += 1e-5
    above = penalty().item()
    with torch.no_grad():
        weight[0, 0, 1, 1] -= 2e-5
    below = penalty().item()
    assert gradient[0, 0, 1, 1].item() == pytest.approx((above - below) / 2e-5, rel=1e-4)
    assert gradient[0, 0, 1, 1].item() != 0


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_discriminator_learns_to_tell_two_sets_apart(name: str) -> None:
    torch.manual_seed(0)
    network, row = Discriminator(0, 8, 3, channel_base=64, channel_max=8), OBJECTIVES[name]
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01, betas=(0.0, 0.99))
    for _ in range(40):
        smooth = torch.randn(8, 3, 1, 1).expand(-1, -1, 8, 8)
        noise = torch.randn(8, 3, 8, 8)
        loss = row.discriminator(network(smooth), network(noise))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    smooth, noise = torch.randn(32, 3, 1, 1).expand(-1, -1, 8, 8), torch.randn(32, 3, 8, 8)
    assert (network(smooth) > network(noise)).float().mean() > 0.8
