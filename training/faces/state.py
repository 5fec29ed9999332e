"""All that a run of the faces recipe is at one moment."""

import copy
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.optim import Adam

from models.networks.stylegan2 import Generator
from models.networks.stylegan2_discriminator import Discriminator
from training.augment_strength import AdaptiveStrength
from training.config import TrainingConfig
from training.path_length import PathLength
from training.portraits.state import PortraitState
from training.steps import channels_last


@dataclass(kw_only=True)
class TrainingState(PortraitState):
    """Networks, optimisers, what adapts, and counters of a run."""

    VERSION: ClassVar[int] = 2
    COUNTERS: ClassVar[tuple[str, ...]] = ("steps", "images_seen", "generator_waits_until")
    LATER: ClassVar[tuple[str, ...]] = ("strength", "path_length")

    generator: Generator
    discriminator: Discriminator
    average: Generator
    generator_optimiser: Adam
    discriminator_optimiser: Adam
    strength: AdaptiveStrength
    path_length: PathLength
    generator_waits_until: int = 0
    """Images seen at which the generator begins to move: an untrained discriminator would spoil a trained one."""

    @torch.no_grad()
    def judge(self, x_NCHW: Tensor, c_NY: Tensor | None) -> Tensor:
        """The discriminator's logits, [N, 1]."""
        logits: Tensor = self.discriminator(x_NCHW, c_NY)
        return logits


def fresh_state(config: TrainingConfig, device: torch.device) -> TrainingState:
    """Random networks on `device`, drawn from torch's global generator, their optimisers and the average."""
    generator = Generator(**config.generator_kwargs())
    discriminator = Discriminator(**config.discriminator_kwargs())
    for network in (generator, discriminator):
        network.to(device)
        channels_last(network)
    for parameter in finest_layers(discriminator, config.freeze_layers):
        parameter.requires_grad_(False)
    lazy_penalty = None if config.gradient_penalty is None else config.r1_interval_steps
    lazy_path_length = config.path_length_interval_steps if config.path_length_weight > 0 else None
    generator_rate = config.learning_rate * config.generator_rate
    return TrainingState(
        generator=generator,
        discriminator=discriminator,
        average=copy.deepcopy(generator).eval().requires_grad_(False),
        generator_optimiser=_adam(generator, generator_rate, _lazy_correction(lazy_path_length)),
        discriminator_optimiser=_adam(discriminator, config.learning_rate, _lazy_correction(lazy_penalty)),
        strength=AdaptiveStrength(config.augment_probability, config.augment_target, config.augment_images),
        path_length=PathLength(device),
    )


def finest_layers(discriminator: Discriminator, count: int) -> list[nn.Parameter]:
    """The parameters of the `count` layers nearest to the picture: of every block from-RGB, both convolutions, skip."""
    blocks = [getattr(discriminator, f"b{resolution}") for resolution in discriminator.resolutions]
    layers = [
        getattr(block, name)
        for block in blocks
        for name in ("fromrgb", "conv0", "conv1", "skip")
        if name in dict(block.named_children())
    ]
    if count > len(layers):
        raise ValueError(f"freeze_layers is {count}; this discriminator has {len(layers)} layers above 4x4")
    return [parameter for layer in layers[:count] for parameter in layer.parameters()]


def _lazy_correction(interval_steps: int | None) -> float:
    # Lazy regularisation adds a step to every `interval` main steps; Adam is corrected for it
    # (Karras et al. 2020, appendix B).
    return 1.0 if interval_steps is None else interval_steps / (interval_steps + 1)


def _adam(network: nn.Module, learning_rate: float, correction: float) -> Adam:
    return Adam(
        network.parameters(),
        lr=learning_rate * correction,
        betas=(0.0, 0.99**correction),
        eps=1e-8,
        fused=True,
    )
