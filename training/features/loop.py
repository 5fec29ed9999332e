"""Training the encoder of the metrics by contrast: one function that reads top to bottom."""
# B batch, N pictures, D feature, P projection

import contextlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.dataset import ShuffledPictures, load_pictures
from training.features.config import FeaturesConfig
from training.features.views import view
from training.metrics.encoder import FEATURES, MINIBATCH, SIDE, Encoder, save_encoder
from training.run_folder import locked, reconciled, write_config
from training.run_log import RunLog
from training.saved_state import STATE_NAME, check_finite, read_state, restore, write_state
from training.steps import autocast, is_due, prepare_device, step

STATE_VERSION = 1
FEATURES_NAME = "features.safetensors"
WARM_UP = 0.05
"""Share of the run in which the learning rate rises; then it falls along a cosine."""


@dataclass
class _State:
    encoder: Encoder
    head: nn.Module
    optimiser: torch.optim.Optimizer
    images_seen: int = 0

    def parts(self) -> dict[str, nn.Module | torch.optim.Optimizer]:
        return {"encoder": self.encoder, "head": self.head, "optimiser": self.optimiser}


def train_features(config: FeaturesConfig) -> Path:
    """Train until `config.total_images`, resuming what already lies in `config.out`; returns features.safetensors.

    Two views of a picture shall be nearer to each other than to views of other pictures (SimCLR, Chen et al. 2020).
    Raises the errors of training.errors.
    """
    device = prepare_device(config)
    with _opened(config, device) as (state, pictures, log):
        while state.images_seen < config.total_images:
            x = pictures.batch(state.images_seen, config.batch)
            with autocast(config, device):
                projected = [state.head(state.encoder(view(x, config.smallest_crop))) for _ in range(2)]
            loss = contrast(projected[0].float(), projected[1].float(), config.temperature)
            state.optimiser.param_groups[0]["lr"] = _rate(config, state.images_seen)
            step(state.optimiser, loss)
            state.images_seen += config.batch
            log.add(contrast=loss)
            if is_due(config, state.images_seen, config.log_every_images):
                log.report(state.images_seen)
            if is_due(config, state.images_seen, config.state_every_images):
                _save(state, config.out)
        standardise(state.encoder, pictures.all())
    path = config.out / FEATURES_NAME
    facts = {"pictures": str(len(pictures)), "images_seen": str(state.images_seen), "seed": str(config.seed)}
    save_encoder(state.encoder, path, facts)
    return path


def contrast(a_BP: Tensor, b_BP: Tensor, temperature: float) -> Tensor:
    """The normalised temperature-scaled cross entropy (Chen et al. 2020, Eq. 1) of pairs a[i], b[i]."""
    both = F.normalize(torch.cat([a_BP, b_BP]), dim=1)
    likeness = both @ both.T / temperature
    likeness.fill_diagonal_(-math.inf)
    count = len(a_BP)
    partner = torch.arange(2 * count, device=a_BP.device).roll(count)
    return F.cross_entropy(likeness, partner)


@torch.no_grad()
def standardise(encoder: Encoder, pictures_NCHW: Tensor) -> None:
    """Bring every feature to mean 0 and deviation 1 over these pictures, uint8 [N, 3, 64, 64]. Evaluation mode after.

    A channel that is dead over all of them stays as it is.
    """
    encoder.eval()
    encoder.mean.zero_()
    encoder.deviation.fill_(1)
    parts = [encoder(part.float() / 127.5 - 1) for part in torch.split(pictures_NCHW, MINIBATCH)]
    features_ND = torch.cat(parts)
    deviation = features_ND.std(dim=0)
    encoder.mean.copy_(features_ND.mean(dim=0))
    encoder.deviation.copy_(torch.where(deviation > 1e-3, deviation, torch.ones_like(deviation)))


@contextlib.contextmanager
def _opened(config: FeaturesConfig, device: torch.device) -> Iterator[tuple[_State, ShuffledPictures, RunLog]]:
    with locked(config.out):
        config = reconciled(config, ("projection",))
        pictures = ShuffledPictures(load_pictures(config.data, SIDE), config.seed, device)
        state = _fresh(config, device)
        saved = config.out / STATE_NAME
        if saved.exists():
            content = read_state(saved, STATE_VERSION)
            restore(state.parts(), content)
            state.images_seen = content["images_seen"]
        write_config(config)
        with RunLog(config.out, "features", config.total_images, state.images_seen, device) as log:
            yield state, pictures, log


def _fresh(config: FeaturesConfig, device: torch.device) -> _State:
    encoder = Encoder().to(device)
    head = nn.Sequential(nn.Linear(FEATURES, FEATURES), nn.ReLU(), nn.Linear(FEATURES, config.projection)).to(device)
    weights = [*encoder.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=config.learning_rate, weight_decay=config.weight_decay)
    return _State(encoder, head, optimiser)


def _rate(config: FeaturesConfig, images_seen: int) -> float:
    done = images_seen / config.total_images
    if done < WARM_UP:
        return config.learning_rate * done / WARM_UP
    return config.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


def _save(state: _State, run: Path) -> None:
    check_finite({"encoder": state.encoder}, state.images_seen)
    write_state(run, STATE_VERSION, state.parts(), {"images_seen": state.images_seen})
