"""The game itself (Goodfellow et al. 2014): a step of the discriminator, then one of the generator."""
# B batch, C channel, H W picture

from collections.abc import Callable
from typing import Any

from torch import Tensor

from training.portraits.records import PortraitRun


def play(run: PortraitRun[Any, Any], see: Callable[[Tensor], Tensor], real_BCHW: Tensor, fake_BCHW: Tensor) -> None:
    """One round between `run.state`'s generator, which drew `fake_BCHW`, and its discriminator.

    `see`: pictures -> logits, [B, 1], with the alterations that both sides shall bear. The penalty comes lazily, every
    `r1_interval_steps` and as many times as strong (Karras et al. 2020, section 3.1).
    """
    config, state, objective = run.config, run.state, run.config.objective

    state.discriminator.requires_grad_(True)
    with run.autocast():
        # Apart, so that a batch norm compares real pictures with real ones, and generated with generated.
        real_logits, fake_logits = see(real_BCHW), see(fake_BCHW.detach())
    loss_d = objective.discriminator(real_logits, fake_logits)
    if config.gradient_penalty and state.steps % config.r1_interval_steps == 0:
        penalty = config.gradient_penalty(see, real_BCHW, fake_BCHW.detach(), config.r1_gamma, run.draws)
        loss_d = loss_d + penalty * config.r1_interval_steps
        run.log.add(penalty=penalty)
    run.step(state.discriminator_optimiser, loss_d)

    state.discriminator.requires_grad_(False)
    with run.autocast():
        loss_g = objective.generator(see(fake_BCHW), see(real_BCHW) if objective.is_relative else None)
    run.step(state.generator_optimiser, loss_g)
    run.log.add(g=loss_g, d=loss_d, real=real_logits.mean(), fake=fake_logits.mean())
