"""The adversarial objectives: non-saturating logistic and least-squares losses, and the R1 penalty."""
# B batch, C channel, H W picture

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor


def generator_loss(fake_logits: Tensor) -> Tensor:
    """Mean of -log sigmoid(D(G(z))): the non-saturating loss (Goodfellow et al. 2014, section 3)."""
    return F.softplus(-fake_logits).mean()


def discriminator_loss(real_logits: Tensor, fake_logits: Tensor) -> Tensor:
    """Mean of -log sigmoid(D(x)) - log(1 - sigmoid(D(G(z))))."""
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def r1_penalty(discriminate: Callable[[Tensor], Tensor], real_BCHW: Tensor) -> Tensor:
    """Mean squared norm of the gradient at the reals, E|grad D(x)|^2 (Mescheder et al. 2018, Eq. 9).

    The caller weights it with gamma / 2. Call it outside autocast: it squares small gradients.
    """
    real_BCHW = real_BCHW.detach().requires_grad_(True)
    logits = discriminate(real_BCHW)
    (gradient,) = torch.autograd.grad(logits.sum(), real_BCHW, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3)).mean()


def least_squares_generator_loss(fake_scores: Tensor) -> Tensor:
    """Mean of (D(G(x)) - 1)^2 (Mao et al. 2017, Eq. 9 with c = 1)."""
    return (fake_scores.float() - 1).square().mean()


def least_squares_discriminator_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """Half of the means of (D(y) - 1)^2 + D(G(x))^2 (Mao et al. 2017, Eq. 9 with a = 0, b = 1)."""
    return ((real_scores.float() - 1).square().mean() + fake_scores.float().square().mean()) / 2
