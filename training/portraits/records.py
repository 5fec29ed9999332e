"""What a run leaves beside its state: log, sample grids, measured snapshots, and at its end a card and a sheet."""
# N pictures, Y label

import logging
from typing import Any, TypeVar

import torch
from torch import Tensor

from training import run_card
from training.portraits.card import measured_lines
from training.portraits.config import PortraitConfig
from training.portraits.data import Portraits
from training.portraits.measures import measure, troubles
from training.portraits.state import PortraitState, draw_seeds
from training.run import Run
from training.run_log import save_grid
from training.snapshots import save_snapshot, thin_snapshots

Config = TypeVar("Config", bound=PortraitConfig)
State = TypeVar("State", bound=PortraitState)
PortraitRun = Run[Config, State, Portraits]

logger = logging.getLogger(__name__)


def keep_records(run: PortraitRun[Any, Any]) -> None:
    """Report, draw, measure and save whatever is due after this step."""
    config, state = run.config, run.state
    snapshot_is_due = run.is_due(config.snapshot_every_images)
    measured = dict[str, float]()
    if run.processes.is_first and (snapshot_is_due or run.is_due(config.samples_every_images)):
        state.settle(config.batch)
        # Before the report, which they belong to: a run that goes on from here knows nothing of them, and one that ends
        # here reports no more.
        measured = measure(config, state, run.data) if snapshot_is_due else measured
        run.log.add(**measured)
    if run.is_due(config.log_every_images):
        run.log.report(state.images_seen)
    if not run.processes.is_first:
        return
    if run.is_due(config.samples_every_images):
        draw_samples(config, state)
    if snapshot_is_due:
        keep_snapshot(run, measured)
    run.save_if_due()
    if state.images_seen >= config.total_images:
        finish(config, state)


def keep_snapshot(run: PortraitRun[Any, Any], measured: dict[str, float]) -> None:
    """Say what goes wrong, save the average where it is grown, and delete what is no longer wanted."""
    config, state = run.config, run.state
    for text in troubles(measured).values():
        logger.warning("at image %d %s.", state.images_seen, text)
    if not state.is_grown:
        # It could be neither served nor imported.
        return
    save_snapshot(
        config.out,
        state.shipped(),
        state.images_seen,
        config.generator_kwargs(),
        family=config.family,
        measured=measured,
        class_names=config.class_names,
    )
    thin_snapshots(config.out, config.snapshot_every_images, config.keep_snapshots)


def draw_samples(config: PortraitConfig, state: PortraitState) -> None:
    """samples/XXXXXXXXX.png: the faces of seeds 0, 1, ... by the averaged generator; classes take turns."""
    count = config.grid_rows * config.grid_columns
    pictures = draw_seeds(state, range(count), config.batch, _classes(config, state, count), config.sample_psi)
    save_grid(config.out / "samples" / f"{state.images_seen:09d}.png", pictures, config.grid_columns)


def finish(config: PortraitConfig, state: PortraitState) -> None:
    """card.md and sheet.png: what became of the run."""
    what = f"A {config.family} of {config.resolution}x{config.resolution}"
    run_card.finish(config, what, state.shipped(), state.images_seen, measured_lines(config))


def _classes(config: PortraitConfig, state: PortraitState, count: int) -> Tensor | None:
    if not config.num_classes:
        return None
    device = next(state.average.parameters()).device
    return torch.eye(config.num_classes, device=device)[torch.arange(count, device=device) % config.num_classes]
