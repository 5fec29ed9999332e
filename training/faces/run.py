"""A run's folder: one process at a time, the state that it left, the log that goes on."""

import contextlib
import dataclasses
import fcntl
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import torch

from training.atomic import written_whole
from training.config import TrainingConfig
from training.dataset import ShuffledPictures, load_pictures
from training.errors import RunRefused
from training.faces.growing import start_from
from training.faces.state import STATE_NAME, TrainingState, fresh_state, load_state
from training.run_log import RunLog

CONFIG_NAME = "config.json"
LOCK_NAME = ".lock"
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
    with _locked(config.out):
        config = _reconciled(config)
        pictures = ShuffledPictures(load_pictures(config.data, config.resolution), config.seed, device)
        state = open_state(config, device)
        with written_whole(config.out / CONFIG_NAME) as temporary:
            temporary.write_text(config.to_json())
        logger.info("%d pictures, on %s, from image %d", len(pictures), device, state.images_seen)
        with RunLog(config.out, config.total_images, state.images_seen, device) as log:
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


def _reconciled(config: TrainingConfig) -> TrainingConfig:
    path = config.out / CONFIG_NAME
    if not (config.out / STATE_NAME).exists() or not path.exists():
        return config
    recorded = json.loads(path.read_text())
    for name in SHAPE_FIELDS:
        was, asked = recorded.get(name), getattr(config, name)
        if was != asked:
            raise RunRefused(f"{config.out} was begun with {name} {was}, not {asked}; choose another folder for it")
    # How the run began stays on record, whatever the command that continues it says.
    began_from = recorded.get("init_from")
    return dataclasses.replace(config, init_from=None if began_from is None else Path(began_from))


@contextlib.contextmanager
def _locked(run: Path) -> Iterator[None]:
    run.mkdir(parents=True, exist_ok=True)
    # The kernel lets go of the lock when the process dies, however it dies.
    with (run / LOCK_NAME).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunRefused(f"another process is training in {run}") from error
        yield
