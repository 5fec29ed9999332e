"""Training the encoder of the metrics by contrast: one function that reads top to bottom."""
# B batch, N pictures, D feature, P projection

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import AdamW

from training.errors import RunRefused
from training.features.config import FeaturesConfig
from training.features.views import view
from training.metrics.encoder import FEATURES, MINIBATCH, SIDE, Encoder, save_encoder
from training.run import Recipe, running
from training.saved_state import RunState
from training.shuffled import ShuffledPictures, load_shuffled

FEATURES_NAME = "features.safetensors"
WARM_UP = 0.05
"""Share of the run in which the learning rate rises; then it falls along a cosine."""


@dataclass(kw_only=True)
class FeaturesState(RunState):
    """The encoder, what is thrown away of it, and their optimiser."""

    VERSION = 2

    encoder: Encoder
    head: nn.Sequential
    optimiser: AdamW


def train_features(config: FeaturesConfig) -> Path:
    """Train until `config.total_images`, resuming what already lies in `config.out`; returns features.safetensors.

    Two views of a picture shall be nearer to each other than to views of other pictures (SimCLR, Chen et al. 2020).
    Raises the errors of training.errors.
    """
    with running(config, RECIPE) as run:
        config, state = run.config, run.state
        while run.goes_on():
            x = run.data.batch(state.images_seen, config.batch, run.draws)
            with run.autocast():
                projected = [state.head(state.encoder(view(x, config.smallest_crop))) for _ in range(2)]
            loss = contrast(projected[0].float(), projected[1].float(), config.temperature)
            state.optimiser.param_groups[0]["lr"] = learning_rate(config, state.images_seen)
            run.step(state.optimiser, loss)

            run.seen()
            for network in (state.encoder, state.head):
                run.processes.average_statistics(network)
            run.log.add(contrast=loss)
            if run.is_due(config.log_every_images):
                run.log.report(state.images_seen)
            run.save_if_due()
        if not run.stopped:
            standardise(state.encoder, run.data.parts(MINIBATCH))
            if run.processes.is_first:
                save_encoder(state.encoder, config.out / FEATURES_NAME, facts(config, state, run.data))
    return config.out / FEATURES_NAME


def learning_rate(config: FeaturesConfig, images_seen: int) -> float:
    """A short rise, then half a cosine down to nothing."""
    done = images_seen / config.total_images
    if done < WARM_UP:
        return config.learning_rate * done / WARM_UP
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


def contrast(a_BP: Tensor, b_BP: Tensor, temperature: float) -> Tensor:
    """The normalised temperature-scaled cross entropy (Chen et al. 2020, Eq. 1) of pairs a[i], b[i]."""
    both = F.normalize(torch.cat([a_BP, b_BP]), dim=1)
    likeness = both @ both.T / temperature
    likeness.fill_diagonal_(-math.inf)
    count = len(a_BP)
    partner = torch.arange(2 * count, device=a_BP.device).roll(count)
    return F.cross_entropy(likeness, partner)


@torch.no_grad()
def standardise(encoder: Encoder, parts: Iterable[Tensor]) -> None:
    """Bring every feature to mean 0 and deviation 1 over these pictures, uint8 [B, 3, 64, 64] each. Evaluation mode
    after.

    A channel that is dead over all of them stays as it is.
    """
    encoder.eval()
    encoder.mean.zero_()
    encoder.deviation.fill_(1)
    features_ND = torch.cat([encoder(part.float() / 127.5 - 1) for part in parts])
    deviation = features_ND.std(dim=0)
    encoder.mean.copy_(features_ND.mean(dim=0))
    encoder.deviation.copy_(torch.where(deviation > 1e-3, deviation, torch.ones_like(deviation)))


def facts(config: FeaturesConfig, state: FeaturesState, pictures: ShuffledPictures) -> dict[str, str]:
    """What stands beside the weights in their file."""
    return {"pictures": str(len(pictures)), "images_seen": str(state.images_seen), "seed": str(config.seed)}


def load(config: FeaturesConfig, device: torch.device) -> tuple[FeaturesConfig, ShuffledPictures]:
    return config, load_shuffled(config, config.data, SIDE, device)


def fresh_state(config: FeaturesConfig, device: torch.device) -> FeaturesState:
    """A random encoder and head on `device`, drawn from torch's global generator, and their optimiser."""
    encoder = Encoder().to(device)
    head = nn.Sequential(nn.Linear(FEATURES, FEATURES), nn.ReLU(), nn.Linear(FEATURES, config.projection)).to(device)
    weights = [*encoder.parameters(), *head.parameters()]
    optimiser = AdamW(weights, lr=config.learning_rate, weight_decay=config.weight_decay)
    return FeaturesState(encoder=encoder, head=head, optimiser=optimiser)


def start_from(source: Path, _: FeaturesState) -> None:
    """Nothing but a run of its own continues an encoder."""
    raise RunRefused(f"the encoder of the metrics starts from nothing, not from {source}")


RECIPE: Recipe[FeaturesConfig, FeaturesState, ShuffledPictures] = Recipe(
    name="features",
    shape_fields=("projection",),
    load=load,
    fresh=fresh_state,
    start_from=start_from,
)
