"""A run of the locator: its state, its faces and backgrounds, the log that goes on."""

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from models.networks.landmarks import LandmarkNetwork
from models.networks.locator import LocatorNetwork
from training.errors import RunRefused
from training.locator.config import LocatorConfig
from training.locator.faces import LabelledFaces, load_faces
from training.locator.pool import ScenePool
from training.run_folder import locked, reconciled, write_config
from training.run_log import RunLog
from training.saved_state import STATE_NAME, Part, check_finite, read_state, restore, write_state
from training.snapshots import list_snapshots, open_snapshot
from training.steps import channels_last
from training.translation.pictures import CroppedPictures, load_any_shape

STATE_VERSION = 2
SHAPE_FIELDS = ("width", "depth", "close_width", "close_features")
LOCATOR, CLOSE = "locator", "landmarks"
"""What the snapshots of the two networks are called."""
LARGEST_BACKGROUND = 400
"""Shorter side to which photographs are shrunk: crops show them from whole to pixel by pixel."""

logger = logging.getLogger(__name__)


@dataclass
class LocatorState:
    """Networks, their optimiser, what they learn from, and counters of a run."""

    network: LocatorNetwork
    close: LandmarkNetwork
    optimiser: torch.optim.Optimizer
    scenes: ScenePool
    close_ups: ScenePool
    steps: int = 0
    images_seen: int = 0


@contextlib.contextmanager
def opened_run(
    config: LocatorConfig, device: torch.device
) -> Iterator[tuple[LocatorState, LabelledFaces, CroppedPictures, RunLog]]:
    """All that the loop needs, from the run in `config.out` or for a new one.

    Raises RunRefused where another process trains there, where a network of another shape lies there, and for a device
    other than the CPU; DatasetError.
    """
    if device.type != "cpu":
        raise RunRefused(f"the locator trains on the CPU, in minutes; {device} was asked")
    with locked(config.out):
        config = reconciled(config, SHAPE_FIELDS)
        faces = load_faces(config.data, config.face_side, config.landmark_side)
        photos = load_any_shape(config.backgrounds, LARGEST_BACKGROUND, config.side)
        backgrounds = CroppedPictures(
            photos,
            crop=config.side,
            smallest=min(1.0, config.side / LARGEST_BACKGROUND),
            seed=(config.seed, 0),
            device=device,
        )
        state = fresh_state(config)
        if (config.out / STATE_NAME).exists():
            load(state, config.out)
        write_config(config)
        logger.info("%d faces, %d backgrounds, from scene %d", len(faces), len(photos), state.images_seen)
        with RunLog(config.out, "locator", config.total_images, state.images_seen, device) as log:
            yield state, faces, backgrounds, log


def fresh_state(config: LocatorConfig) -> LocatorState:
    """Random networks, drawn from torch's global generator, and their optimiser. Raises RunRefused where `init_from` is
    no run of a locator of this shape."""
    network = LocatorNetwork(config.width, config.depth)
    close = LandmarkNetwork(config.close_width, config.close_features)
    if config.init_from is not None:
        _begin_from(network, config.init_from)
    for part in (network, close):
        channels_last(part)
    weights = [*network.parameters(), *close.parameters()]
    optimiser = torch.optim.AdamW(weights, config.learning_rate, weight_decay=1e-3)
    return LocatorState(network, close, optimiser, ScenePool(config.pool), ScenePool(config.pool))


def _begin_from(network: LocatorNetwork, run: Path) -> None:
    """The first network's weights, of another run's newest snapshot."""
    found = list_snapshots(run, LOCATOR)
    if not found:
        raise RunRefused(f"{run} holds no snapshot of a locator")
    try:
        network.load_state_dict(open_snapshot(found[-1]).tensors())
    except RuntimeError as error:
        raise RunRefused(f"{run} trained a locator of another shape") from error


def save(state: LocatorState, run: Path) -> None:
    """Write `run`/state.pt whole. Raises TrainingDiverged when a weight is not finite."""
    check_finite({"locator": state.network, "landmarks": state.close}, state.images_seen)
    write_state(run, STATE_VERSION, _parts(state), {"steps": state.steps, "images_seen": state.images_seen})


def load(state: LocatorState, run: Path) -> None:
    """Put back what `save` wrote."""
    content = read_state(run / STATE_NAME, STATE_VERSION)
    restore(_parts(state), content)
    state.steps, state.images_seen = content["steps"], content["images_seen"]


def _parts(state: LocatorState) -> dict[str, Part]:
    return {name: getattr(state, name) for name in ("network", "close", "optimiser", "scenes", "close_ups")}
