"""A run of faces: the state that it left, its pictures, the log that goes on."""

import contextlib
import logging
from collections.abc import Iterator

import torch

from training.config import TrainingConfig
from training.dataset import ShuffledPictures, load_pictures
from training.faces.growing import start_from
from training.faces.state import TrainingState, fresh_state, load_state
from training.run_folder import locked, reconciled, write_config
from training.run_log import RunLog
from training.saved_state import STATE_NAME

SHAPE_FIELDS = (
    "resolution",
    "z_dim",
    "w_dim",
    "mapping_layers",
    "channel_base",
    "channel_max",
    "conv_clamp",
    "minibatch_std_group",
)

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def opened_run(
    config: TrainingConfig, device: torch.device
) -> Iterator[tuple[TrainingState, ShuffledPictures, RunLog]]:
    """All that the loop needs, from the run in `config.out` or for a new one.

    Raises RunRefused where another process trains there, or where a network of another shape lies there.
    """
    with locked(config.out):
        config = reconciled(config, SHAPE_FIELDS)
        pictures = ShuffledPictures(load_pictures(config.data, config.resolution), config.seed, device)
        state = open_state(config, device)
        write_config(config)
        logger.info("%d pictures, on %s, from image %d", len(pictures), device, state.images_seen)
        with RunLog(config.out, "faces", config.total_images, state.images_seen, device) as log:
            yield state, pictures, log


def open_state(config: TrainingConfig, device: torch.device) -> TrainingState:
    """The state to go on from: the one saved in the run, else a fresh one, or one grown from `init_from`."""
    state = fresh_state(config, device)
    saved = config.out / STATE_NAME
    if saved.exists():
        load_state(state, saved)
    elif config.init_from is not None:
        start_from(config.init_from, state)
    return state
