"""A run of the locator: its state, its faces and backgrounds, the log that goes on."""

import logging
from dataclasses import dataclass
from pathlib import Path

import torch

from models.networks.landmarks import LandmarkNetwork
from models.networks.locator import LocatorNetwork
from training.errors import RunRefused
from training.locator.config import LocatorConfig
from training.locator.faces import LabelledFaces, load_faces
from training.locator.pool import ScenePool
from training.run import Recipe
from training.saved_state import RunState
from training.snapshots import list_snapshots, open_snapshot
from training.steps import channels_last
from training.translation.pictures import CroppedPictures, load_any_shape

SHAPE_FIELDS = ("width", "depth", "close_width", "close_features")
LOCATOR, CLOSE = "locator", "landmarks"
"""What the snapshots of the two networks are called."""
LARGEST_BACKGROUND = 400
"""Shorter side to which photographs are shrunk: crops show them from whole to pixel by pixel."""

logger = logging.getLogger(__name__)


@dataclass(kw_only=True)
class LocatorState(RunState):
    """Networks, their optimiser, and what they learn from."""

    VERSION = 2

    network: LocatorNetwork
    close: LandmarkNetwork
    optimiser: torch.optim.Optimizer
    scenes: ScenePool
    close_ups: ScenePool


@dataclass(frozen=True)
class Material:
    """What scenes are composed of."""

    faces: LabelledFaces
    backgrounds: CroppedPictures


def load_material(config: LocatorConfig, device: torch.device) -> tuple[LocatorConfig, Material]:
    """Raises DatasetError."""
    faces = load_faces(config.data, config.face_side, config.landmark_side)
    photos = load_any_shape(config.backgrounds, LARGEST_BACKGROUND, config.side)
    backgrounds = CroppedPictures(
        photos,
        crop=config.side,
        smallest=min(1.0, config.side / LARGEST_BACKGROUND),
        seed=(config.seed, 0),
        device=device,
    )
    logger.info("%d faces, %d backgrounds", len(faces), len(photos))
    return config, Material(faces, backgrounds)


def fresh_state(config: LocatorConfig, device: torch.device) -> LocatorState:
    """Random networks, drawn from torch's global generator, and their optimiser."""
    network = LocatorNetwork(config.width, config.depth).to(device)
    close = LandmarkNetwork(config.close_width, config.close_features).to(device)
    for part in (network, close):
        channels_last(part)
    weights = [*network.parameters(), *close.parameters()]
    optimiser = torch.optim.AdamW(weights, config.learning_rate, weight_decay=1e-3)
    scenes, close_ups = ScenePool(config.pool), ScenePool(config.pool)
    return LocatorState(network=network, close=close, optimiser=optimiser, scenes=scenes, close_ups=close_ups)


def begin_from(run: Path, state: LocatorState) -> None:
    """The first network's weights, of another run's newest snapshot. Raises RunRefused where none is there or fits."""
    found = list_snapshots(run, LOCATOR)
    if not found:
        raise RunRefused(f"{run} holds no snapshot of a locator")
    try:
        state.network.load_state_dict(open_snapshot(found[-1]).tensors())
    except RuntimeError as error:
        raise RunRefused(f"{run} trained a locator of another shape") from error


RECIPE = Recipe("locator", SHAPE_FIELDS, load_material, fresh_state, begin_from, is_small=True)
