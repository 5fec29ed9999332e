"""All that a run is at one moment, and how it is saved and found again."""

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import Adam

from models.networks.stylegan2 import Generator
from models.networks.stylegan2_discriminator import Discriminator
from training import saved_state
from training.config import TrainingConfig
from training.saved_state import Part, check_finite, write_state
from training.steps import channels_last

STATE_VERSION = 2
PARTS = (
    "generator",
    "discriminator",
    "average",
    "generator_optimiser",
    "discriminator_optimiser",
)
COUNTERS = ("steps", "images_seen", "generator_waits_until")


@dataclass
class TrainingState:
    """Networks, optimisers and counters of a run."""

    generator: Generator
    discriminator: Discriminator
    average: Generator
    generator_optimiser: Adam
    discriminator_optimiser: Adam
    steps: int = 0
    images_seen: int = 0
    generator_waits_until: int = 0
    """Images seen at which the generator begins to move: an untrained discriminator would spoil a trained one."""


def fresh_state(config: TrainingConfig, device: torch.device) -> TrainingState:
    """Random networks on `device`, drawn from torch's global generator, their optimisers and the average."""
    generator = Generator(**config.generator_kwargs())
    discriminator = Discriminator(**config.discriminator_kwargs())
    for network in (generator, discriminator):
        network.to(device)
        channels_last(network)
    average = copy.deepcopy(generator).eval().requires_grad_(False)
    # Lazy regularisation adds a step of R1 to every `interval` main steps; Adam is corrected for it
    # (Karras et al. 2020, appendix B).
    correction = config.r1_interval_steps / (config.r1_interval_steps + 1)
    return TrainingState(
        generator,
        discriminator,
        average,
        _adam(generator, config.learning_rate * config.generator_rate, 1.0),
        _adam(discriminator, config.learning_rate, correction),
    )


def save_state(state: TrainingState, run: Path) -> None:
    """Write `run`/state.pt whole: tensors and plain types, readable with weights_only.

    Raises TrainingDiverged, and leaves the last state where it is, when a weight is not finite.
    """
    check_finite({"generator": state.generator, "discriminator": state.discriminator}, state.images_seen)
    counters = {name: getattr(state, name) for name in COUNTERS}
    write_state(run, STATE_VERSION, _parts(state), counters)


def read_state(path: Path) -> dict[str, Any]:
    """What `save_state` wrote. Raises RunRefused for another version of it."""
    return saved_state.read_state(path, STATE_VERSION)


def load_state(state: TrainingState, path: Path) -> None:
    """Put what `path` holds into `state`, and torch's random generators where they were."""
    content = read_state(path)
    saved_state.restore(_parts(state), content)
    for name in COUNTERS:
        setattr(state, name, content[name])


def _parts(state: TrainingState) -> dict[str, Part]:
    return {name: getattr(state, name) for name in PARTS}


def _adam(network: nn.Module, learning_rate: float, correction: float) -> Adam:
    return Adam(
        network.parameters(),
        lr=learning_rate * correction,
        betas=(0.0, 0.99**correction),
        eps=1e-8,
        fused=True,
    )
