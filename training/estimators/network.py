"""The estimator: a small convolutional network with one number for each attribute, and the graph that it becomes."""
# B batch, C channel, H W picture, K attributes

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from models.estimates import SIDE
from training.estimators.labels import GROUPS

CHANNELS = (16, 32, 64, 96)
DROPPED = 0.3
CORNERS = ((0, 20, 0, 7), (0, 20, SIDE - 7, SIDE))
CHEEKS = ((34, 46, 22, 42),)
ABOVE_BROW = ((4, 12, 24, 40),)
"""Top, bottom, left and right of what is looked at in an aligned face of SIDE pixels."""


class Estimator(nn.Module):
    """Of `count` attributes, K: pictures [B, 3, SIDE, SIDE] in -1..1 -> [B, K]: logits, and numbers in their own units.

    label_mean, label_deviation: of the labels [K], which the network predicts standardised.
    """

    label_mean: Tensor
    label_deviation: Tensor

    def __init__(self, count: int) -> None:
        super().__init__()
        self.register_buffer("label_mean", torch.zeros(count))
        self.register_buffer("label_deviation", torch.ones(count))
        sizes = (3, *CHANNELS)
        stages = [_stage(before, after) for before, after in zip(sizes, CHANNELS, strict=False)]
        self.features = nn.Sequential(*stages, nn.Conv2d(CHANNELS[-1], CHANNELS[-1], 3, padding=1), nn.ReLU())
        self.head = nn.Sequential(nn.Dropout(DROPPED), nn.Linear(CHANNELS[-1] * 4, count))

    def forward(self, picture_BCHW: Tensor) -> Tensor:
        """[B, K]"""
        maps = self.features(picture_BCHW)
        # Where on the face something is matters: quarters are pooled, not the whole.
        pooled = nn.functional.avg_pool2d(maps, SIDE // 2 ** len(CHANNELS) // 2).flatten(1)
        scores: Tensor = self.head(pooled) * self.label_deviation + self.label_mean
        return scores


class Estimators(nn.Module):
    """One for each of GROUPS: pictures [B, 3, SIDE, SIDE] in -1..1 -> [B, K] in the order of LEARNT."""

    def __init__(self, networks: Sequence[Estimator]) -> None:
        super().__init__()
        self.groups = nn.ModuleList(networks)
        if len(networks) != len(GROUPS):
            raise ValueError(f"{len(networks)} networks for {len(GROUPS)} groups of attributes")

    def forward(self, picture_BCHW: Tensor) -> Tensor:
        """[B, K]"""
        return torch.cat([network(picture_BCHW) for network in self.groups], dim=1)


class EstimatorGraph(nn.Module):
    """Bytes in, all scores out: those that are learnt, then those that are computed from pixels."""

    output = "scores"
    resolution = 0
    free_sizes: Mapping[str, Mapping[int, int]] = {}

    def __init__(self, network: Estimators) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor) -> Tensor:
        """[B, SIDE, SIDE, 3] uint8 -> [B, K] float32, in the order of models.estimates.ESTIMATES."""
        x_BCHW = picture.permute(0, 3, 1, 2).float() / 127.5 - 1  # 0..255 => [-1, 1]
        computed = [brightness(x_BCHW, *boxes) for boxes in (CORNERS, CHEEKS, ABOVE_BROW)]
        return torch.cat([self.network(x_BCHW), *computed], dim=1)

    def random_inputs(
        self,
        random: np.random.Generator,
        batch: int,
        side: int = 0,  # noqa: ARG002
        width: int = 0,  # noqa: ARG002
    ) -> dict[str, np.ndarray]:
        return {"picture": random.integers(0, 256, (batch, SIDE, SIDE, 3), np.uint8)}


def brightness(x_BCHW: Tensor, *boxes: tuple[int, int, int, int]) -> Tensor:
    """Mean [B, 1], 0 to 1, of boxes of one size."""
    parts = [x_BCHW[:, :, top:bottom, left:right] for top, bottom, left, right in boxes]
    return torch.cat(parts, dim=3).mean(dim=(1, 2, 3)).unsqueeze(1) / 2 + 0.5


def _stage(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU())
