"""Training the estimators: a few thousand portraits, seen some dozen times, altered each time."""
# B batch, C channel, H W picture, K attributes

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from models.estimates import AttributeEstimate
from training.errors import DatasetError, TrainingDiverged
from training.estimators.labels import GROUPS, Portraits, mirrored
from training.estimators.network import Estimator, Estimators

Group = Sequence[AttributeEstimate]
Told = Callable[[int, float], None]
SHIFT = 3
"""Pixels by which a face may lie off."""


@dataclass(frozen=True)
class EstimatorConfig:
    """data: folder of aligned portraits with an index.csv beside it. epochs: how often each is seen."""

    data: Path
    epochs: int = 80
    batch: int = 64
    lr: float = 2e-3
    weight_decay: float = 0.02
    seed: int = 0


def train_estimators(portraits: Portraits, config: EstimatorConfig, tell: Told) -> Estimators:
    """The trained networks, in evaluation mode. tell: called after each epoch with how many are done and its loss.

    Raises DatasetError for an attribute of which nothing is known, TrainingDiverged.
    """
    networks: list[Estimator] = []
    for number, group in enumerate(GROUPS):
        told = partial(_counting_from, number * config.epochs, tell)
        networks.append(_train(portraits.labelled(group), group, config, told))
    return Estimators(networks).eval()


def _counting_from(first: int, tell: Told, epoch: int, loss: float) -> None:
    tell(first + epoch, loss)


def _train(portraits: Portraits, group: Group, config: EstimatorConfig, tell: Told) -> Estimator:
    torch.manual_seed(config.seed)
    pictures = torch.from_numpy(portraits.pictures)
    labels = torch.from_numpy(portraits.labels)
    turned = torch.from_numpy(mirrored(portraits.labels, group))
    network = Estimator(len(group)).train()
    chances = torch.tensor([one.is_chance for one in group])
    _standardise(network, portraits, group)
    weights = _class_weights(labels)
    steps = -(-len(pictures) // config.batch) * config.epochs
    optimiser = torch.optim.AdamW(network.parameters(), config.lr, weight_decay=config.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, config.lr, steps)
    for epoch in range(config.epochs):
        losses = []
        for rows in torch.split(torch.randperm(len(pictures)), config.batch):
            mirror = torch.rand(len(rows)) < 0.5
            x_BCHW = pictures[rows].float() / 127.5 - 1  # 0..255 => [-1, 1]
            x_BCHW = altered(torch.where(mirror.view(-1, 1, 1, 1), x_BCHW.flip(3), x_BCHW))
            wanted_BK = torch.where(mirror.unsqueeze(1), turned[rows], labels[rows])
            loss = _loss(network, x_BCHW, wanted_BK, weights, chances)
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
            losses.append(loss.item())
        if not np.isfinite(losses).all():
            raise TrainingDiverged("the estimator's loss is no longer finite; a lower rate may help")
        tell(epoch + 1, float(np.mean(losses)))
    return network.eval()


def altered(x_BCHW: Tensor) -> Tensor:
    """Moved a little, of other light, contrast and colour, some of them soft: as generated faces are."""
    count = len(x_BCHW)
    down, across = (int(torch.randint(-SHIFT, SHIFT + 1, ())) for _ in range(2))
    x_BCHW = x_BCHW.roll((down, across), (2, 3))
    light, contrast, colour = (torch.rand(count, 1, 1, 1) for _ in range(3))
    grey = x_BCHW.mean(1, keepdim=True)
    x_BCHW = grey + (x_BCHW - grey) * (0.6 + 0.8 * colour)
    mean = x_BCHW.mean((1, 2, 3), keepdim=True)
    x_BCHW = mean + (x_BCHW - mean) * (0.7 + 0.6 * contrast) + 0.4 * (light - 0.5)
    soft = F.interpolate(F.avg_pool2d(x_BCHW, 2), scale_factor=2, mode="bilinear")
    return torch.where(torch.rand(count, 1, 1, 1) < 0.4, soft, x_BCHW).clamp(-1, 1)


def _loss(network: Estimator, x_BCHW: Tensor, wanted_BK: Tensor, weights: Tensor, chances: Tensor) -> Tensor:
    """Cross entropy of chances, both sides counting equally; Huber's loss of standardised numbers."""
    scores_BK = network(x_BCHW)
    known = ~wanted_BK.isnan()
    wanted_BK = wanted_BK.nan_to_num()
    sides = torch.where(wanted_BK > 0.5, weights[1], weights[0])
    chance = F.binary_cross_entropy_with_logits(scores_BK, wanted_BK.clamp(0.03, 0.97), reduction="none") * sides
    number = F.smooth_l1_loss(
        (scores_BK - network.label_mean) / network.label_deviation,
        (wanted_BK - network.label_mean) / network.label_deviation,
        reduction="none",
    )
    losses_BK = torch.where(chances, chance, number) * known
    return (losses_BK.sum(0) / known.sum(0).clamp(min=1)).sum()


def _standardise(network: Estimator, portraits: Portraits, group: Group) -> None:
    for k, one in enumerate(group):
        known = portraits.labels[:, k][~np.isnan(portraits.labels[:, k])]
        if not len(known) or known.min() == known.max():
            raise DatasetError(f"nothing is known of {one.name} in these portraits, or the same of all")
        if not one.is_chance:
            network.label_mean[k], network.label_deviation[k] = float(known.mean()), float(known.std())


def _class_weights(labels_NK: Tensor) -> Tensor:
    """[2, K]: what a no and a yes count, so that the rarer of them counts as much in all."""
    known = ~labels_NK.isnan()
    share = (labels_NK.nan_to_num().sum(0) / known.sum(0)).clamp(0.01, 0.99)
    return torch.stack([0.5 / (1 - share), 0.5 / share])
