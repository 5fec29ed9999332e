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
from training.atomic import written_whole
from training.config import TrainingConfig
from training.errors import RunRefused, TrainingDiverged

STATE_NAME = "state.pt"
STATE_VERSION = 2
PARTS = (
    "generator",
    "discriminator",
    "average",
    "generator_optimiser",
    "discriminator_optimiser",
)


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
    """Images seen at which the generator begins to move: a trained one must not learn from an untrained discriminator."""


def fresh_state(config: TrainingConfig, device: torch.device) -> TrainingState:
    """Random networks on `device`, drawn from torch's global generator, their optimisers and the average."""
    generator = Generator(**config.generator_kwargs())
    discriminator = Discriminator(**config.discriminator_kwargs())
    for network in (generator, discriminator):
        network.to(device)
        _channels_last(network)
    average = copy.deepcopy(generator).eval().requires_grad_(False)
    # Lazy regularisation adds a step of R1 to every `interval` main steps; Adam is corrected for it
    # (Karras et al. 2020, appendix B).
    correction = config.r1_interval_steps / (config.r1_interval_steps + 1)
    return TrainingState(
        generator,
        discriminator,
        average,
        _adam(generator, config.learning_rate, 1.0),
        _adam(discriminator, config.learning_rate, correction),
    )


def save_state(state: TrainingState, run: Path) -> None:
    """Write `run`/state.pt whole: tensors and plain types, readable with weights_only.

    Raises TrainingDiverged, and leaves the last state where it is, when a weight is not finite.
    """
    for name in ("generator", "discriminator"):
        if not all(bool(weight.isfinite().all()) for weight in getattr(state, name).parameters()):
            raise TrainingDiverged(f"weights of the {name} at image {state.images_seen} are not finite")
    content: dict[str, Any] = {
        "version": STATE_VERSION,
        "steps": state.steps,
        "images_seen": state.images_seen,
        "generator_waits_until": state.generator_waits_until,
        "random": _random_states(),
    }
    content |= {name: getattr(state, name).state_dict() for name in PARTS}
    with written_whole(run / STATE_NAME) as temporary:
        torch.save(content, temporary)


def read_state(path: Path) -> dict[str, Any]:
    """What `save_state` wrote. Raises RunRefused for another version of it."""
    content: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    if content["version"] != STATE_VERSION:
        raise RunRefused(f"{path} is of state version {content['version']}; this program reads {STATE_VERSION}")
    return content


def load_state(state: TrainingState, path: Path) -> None:
    """Put what `path` holds into `state`, and torch's random generators where they were."""
    content = read_state(path)
    optimisers = (state.generator_optimiser, state.discriminator_optimiser)
    rates = [optimiser.param_groups[0]["lr"] for optimiser in optimisers]
    for name in PARTS:
        getattr(state, name).load_state_dict(content[name])
    for optimiser, rate in zip(optimisers, rates, strict=True):
        # The rate is the config's, so that a run may go on with another; all else is the state's.
        optimiser.param_groups[0]["lr"] = rate
    state.steps, state.images_seen = content["steps"], content["images_seen"]
    state.generator_waits_until = content["generator_waits_until"]
    torch.set_rng_state(content["random"]["cpu"])
    if torch.cuda.is_available() and content["random"]["cuda"]:
        torch.cuda.set_rng_state_all(content["random"]["cuda"])


def _channels_last(network: nn.Module) -> None:
    # What Module.to(memory_format=...) does, which has no type.
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


def _adam(network: nn.Module, learning_rate: float, correction: float) -> Adam:
    return Adam(
        network.parameters(),
        lr=learning_rate * correction,
        betas=(0.0, 0.99**correction),
        eps=1e-8,
        fused=True,
    )


def _random_states() -> dict[str, Any]:
    # NumPy draws nothing that lasts: the order of the pictures is a function of images seen.
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"cpu": torch.get_rng_state(), "cuda": cuda}
