"""What a translation run leaves beside its state: log, sample grids, snapshots, and at its end a card and a sheet."""
# N picture, C channel, H W picture

from typing import Any

import torch
from torch import Tensor

from training import run_card
from training.ema import ema_decay, update_ema
from training.run_log import save_grid
from training.snapshots import BACKWARD, TRANSLATION, save_snapshot, thin_snapshots
from training.translation.config import TranslationConfig
from training.translation.pairs import TASKS
from training.translation.run import PictureSets, TranslationRun
from training.translation.state import CycleState, TranslationState, Translator

MEASURED_BY = {None: "painting", "colourise": "restoring", "upscale": "restoring", "inpaint": "restoring"}
"""The benchmark of a task's runs; styles are no task."""


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
    run.save_if_due()
    if state.images_seen >= config.total_images:
        finish(config, state)


def snapshot(config: TranslationConfig, state: TranslationState, average: Translator, called: str) -> None:
    """Write one averaged generator, and delete the snapshots of that name that are no longer wanted."""
    kwargs = config.generator_kwargs()
    save_snapshot(config.out, average, state.images_seen, kwargs, family=config.family, called=called)
    thin_snapshots(config.out, config.snapshot_every_images, config.keep_snapshots, called)


def finish(config: TranslationConfig, state: TranslationState) -> None:
    """card.md and sheet.png: what became of the run."""
    learnt = config.objective if config.task is None else f"{config.objective}, {config.task}"
    side = config.resolution
    what = f"A {config.family} translator of pictures ({learnt}), trained on crops of {side}x{side}"
    run_card.finish(config, what, state.average_ab, state.images_seen, measured_lines(config))


def measured_lines(config: TranslationConfig) -> list[str]:
    """What the sheet shows, and what measures the run; in Markdown."""
    third = "" if config.objective == "cut" else ", the way back" if config.objective == "cyclegan" else ", the answer"
    meter = MEASURED_BY.get(config.task)
    measure = (
        [] if meter is None else [f"`python -m benchmarks.{meter}` measures it on pictures that it never saw.", ""]
    )
    return [f"`{run_card.SHEET_NAME}` shows pictures in groups: what was given, the translation{third}.", "", *measure]


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
