"""The adversarial objectives, a table: what generator and discriminator minimise, and which gradient is penalised.

Every row takes logits or scores of any shape, higher for what looks real, and gives means; a generator that compares
its pictures with real ones (`is_relative`) is given the scores of both.
"""
# B batch, C channel, H W picture

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from training.draws import ALONE, Draws

Discriminate = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Objective:
    """One row. generator: (fake, real) -> loss; discriminator: (real, fake) -> loss."""

    generator: Callable[[Tensor, Tensor | None], Tensor]
    discriminator: Callable[[Tensor, Tensor], Tensor]
    source: str
    penalty: str = "r1"
    """The key of PENALTIES that is published with it, or that steadies it best."""
    is_relative: bool = False
    """Whether the generator's loss needs the scores of real pictures too."""


def non_saturating_generator(fake: Tensor, _real: Tensor | None = None) -> Tensor:
    """Mean of -log sigmoid(D(G(z))): a gradient remains where the discriminator is sure."""
    return F.softplus(-fake.float()).mean()


def minimax_generator(fake: Tensor, _real: Tensor | None = None) -> Tensor:
    """Mean of log(1 - sigmoid(D(G(z)))), what the discriminator maximises: no gradient where it is sure."""
    return -F.softplus(fake.float()).mean()


def logistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Mean of -log sigmoid(D(x)) - log(1 - sigmoid(D(G(z))))."""
    return F.softplus(-real.float()).mean() + F.softplus(fake.float()).mean()


def least_squares_generator(fake: Tensor, _real: Tensor | None = None) -> Tensor:
    """Mean of (D(G(z)) - 1)^2."""
    return (fake.float() - 1).square().mean()


def least_squares_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Means of (D(x) - 1)^2 and D(G(z))^2; who wants the published halves halves the sum."""
    return (real.float() - 1).square().mean() + fake.float().square().mean()


def score_generator(fake: Tensor, _real: Tensor | None = None) -> Tensor:
    """Mean of -D(G(z))."""
    return -fake.float().mean()


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Means of max(0, 1 - D(x)) and max(0, 1 + D(G(z)))."""
    return F.relu(1 - real.float()).mean() + F.relu(1 + fake.float()).mean()


DRIFT = 0.001


def wasserstein_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Mean of D(G(z)) - D(x), and a little of D(x)^2, so that scores do not drift away (Karras et al. 2018, A.1)."""
    return fake.float().mean() - real.float().mean() + DRIFT * real.float().square().mean()


def relativistic_generator(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """Mean of -log sigmoid(D(G(z)) - D(x)), pair by pair."""
    assert real is not None, "this objective compares with real pictures"
    return F.softplus(real.float() - fake.float()).mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """Mean of -log sigmoid(D(x) - D(G(z))), pair by pair."""
    return F.softplus(fake.float() - real.float()).mean()


OBJECTIVES: Final[Mapping[str, Objective]] = MappingProxyType(
    {
        "non_saturating": Objective(
            non_saturating_generator,
            logistic_discriminator,
            "Goodfellow et al. 2014, section 3; with R1: Mescheder et al. 2018",
        ),
        "minimax": Objective(minimax_generator, logistic_discriminator, "Goodfellow et al. 2014, Eq. 1"),
        "least_squares": Objective(
            least_squares_generator, least_squares_discriminator, "Mao et al. 2017, Eq. 9 (a 0, b 1, c 1)", "none"
        ),
        "hinge": Objective(score_generator, hinge_discriminator, "Lim and Ye 2017; Miyato et al. 2018, Eq. 16 and 17"),
        "wasserstein": Objective(
            score_generator,
            wasserstein_discriminator,
            "Arjovsky et al. 2017; with the gradient penalty of Gulrajani et al. 2017, Eq. 3",
            "interpolated",
        ),
        "relativistic": Objective(
            relativistic_generator,
            relativistic_discriminator,
            "Jolicoeur-Martineau 2019; with R1 and R2: Huang et al. 2024, Eq. 3 and 4",
            "r1_r2",
            is_relative=True,
        ),
    }
)


def squared_gradient(discriminate: Discriminate, x_BCHW: Tensor) -> Tensor:
    """|grad D(x)|^2 of each picture, [B], of which gradients can be taken again.

    Call it outside autocast: it squares small gradients.
    """
    x_BCHW = x_BCHW.detach().requires_grad_(True)
    scores = discriminate(x_BCHW)
    (gradient,) = torch.autograd.grad(scores.sum(), x_BCHW, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3))


def r1_penalty(
    discriminate: Discriminate,
    real_BCHW: Tensor,
    fake_BCHW: Tensor,  # noqa: ARG001
    gamma: float,
    draws: Draws = ALONE,  # noqa: ARG001
) -> Tensor:
    """gamma / 2 times the mean squared gradient at the real pictures (Mescheder et al. 2018, Eq. 9)."""
    return squared_gradient(discriminate, real_BCHW).mean() * (gamma / 2)


def r1_r2_penalty(
    discriminate: Discriminate,
    real_BCHW: Tensor,
    fake_BCHW: Tensor,
    gamma: float,
    draws: Draws = ALONE,  # noqa: ARG001
) -> Tensor:
    """gamma / 2 times the mean squared gradients at real and at generated pictures (Mescheder et al. 2018, 4.1)."""
    r1 = squared_gradient(discriminate, real_BCHW).mean()
    return (r1 + squared_gradient(discriminate, fake_BCHW).mean()) * (gamma / 2)


def interpolated_penalty(
    discriminate: Discriminate, real_BCHW: Tensor, fake_BCHW: Tensor, gamma: float, draws: Draws = ALONE
) -> Tensor:
    """gamma times the mean of (|grad D| - 1)^2 between real and generated pictures (Gulrajani et al. 2017, Eq. 3).

    gamma is published as lambda, 10. Each pair is met at a place of its own between the two.
    """
    share = draws.rand(len(real_BCHW), 1, 1, 1, device=real_BCHW.device)
    between = real_BCHW.lerp(fake_BCHW.detach().to(real_BCHW.dtype), share)
    norm = (squared_gradient(discriminate, between) + 1e-12).sqrt()
    return (norm - 1).square().mean() * gamma


Penalty = Callable[[Discriminate, Tensor, Tensor, float, Draws], Tensor]

PENALTIES: Final[Mapping[str, Penalty | None]] = MappingProxyType(
    {"none": None, "r1": r1_penalty, "r1_r2": r1_r2_penalty, "interpolated": interpolated_penalty}
)
"""(discriminate, real, fake, gamma, draws) -> what is added to the discriminator's loss."""
