"""What a translation run leaves beside its state: log, sample grids, snapshots."""
# N picture, C channel, H W picture

from typing import Any

import torch
from torch import Tensor

from training.ema import ema_decay, update_ema
from training.run_log import save_grid
from training.snapshots import BACKWARD, TRANSLATION, save_snapshot, thin_snapshots
from training.translation.config import TranslationConfig
from training.translation.pairs import TASKS
from training.translation.run import PictureSets, TranslationRun
from training.translation.state import CycleState, TranslationState, Translator


def move_averages(config: TranslationConfig, state: TranslationState) -> None:
    """Let the averaged generators follow the trained ones."""
    decay = ema_decay(state.images_seen, config.batch, config.ema_half_life_images, config.ema_ramp)
    update_ema(state.average_ab, state.generator_ab, decay)
    if isinstance(state, CycleState):
        update_ema(state.average_ba, state.generator_ba, decay)


def keep_records(run: TranslationRun[Any]) -> None:
    """Report, draw and save whatever is due after this step."""
    config, state, due = run.config, run.state, run.is_due
    if due(config.log_every_images):
        run.log.report(state.images_seen)
    if not run.processes.is_first:
        return
    if due(config.samples_every_images):
        path = config.out / "samples" / f"{state.images_seen:09d}.png"
        save_grid(path, *sample_grid(config, state, run.data))
    if due(config.snapshot_every_images):
        snapshot(config, state, state.average_ab, TRANSLATION)
        if isinstance(state, CycleState):
            snapshot(config, state, state.average_ba, BACKWARD)
    if due(config.state_every_images):
        state.save(config.out)


def snapshot(config: TranslationConfig, state: TranslationState, average: Translator, called: str) -> None:
    """Write one averaged generator, and delete the snapshots of that name that are no longer wanted."""
    kwargs = config.generator_kwargs()
    save_snapshot(config.out, average, state.images_seen, kwargs, family=config.family, called=called)
    thin_snapshots(config.out, config.snapshot_every_images, config.keep_snapshots, called)


@torch.no_grad()
def sample_grid(config: TranslationConfig, state: TranslationState, sets: PictureSets) -> tuple[Tensor, int]:
    """Fixed pictures, a group each: input, translation, and the way back (cyclegan) or the answer (pix2pix)."""
    x_NCHW = sets.a.centres(config.sample_count)
    rows = []
    # Tasks that draw at random (holes) must neither move the run's random state nor differ from grid to grid.
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for x in torch.split(x_NCHW, config.batch):
            rows.append(_shown(config, state, x))
    groups = torch.cat(rows)
    return groups.flatten(0, 1), 2 * groups.shape[1]


def _shown(config: TranslationConfig, state: TranslationState, x_NCHW: Tensor) -> Tensor:
    """[N, pictures of a group, 3, H, W]."""
    if config.task is not None:
        task = TASKS[config.task]
        given = task.make_input(x_NCHW)
        return torch.stack([given[:, :3], task.compose(given, state.average_ab(given)), x_NCHW], dim=1)
    translated = state.average_ab(x_NCHW)
    if isinstance(state, CycleState):
        return torch.stack([x_NCHW, translated, state.average_ba(translated)], dim=1)
    return torch.stack([x_NCHW, translated], dim=1)
