"""Training the face locator: one function that reads top to bottom."""

import math

import torch
from torch import nn

from training.locator.config import LocatorConfig
from training.locator.losses import close_up_losses, locator_losses
from training.locator.refill import refill
from training.locator.run import CLOSE, LOCATOR, LocatorState, opened_run, save
from training.locator.samples import draw_scenes
from training.run_log import RunLog
from training.snapshots import save_snapshot, thin_snapshots
from training.steps import autocast, is_due, prepare_device

LANDMARKS, CLOSE_LANDMARKS = 4.0, 8.0
"""Weights of the landmarks' losses beside those of the scores."""
WARM_UP = 0.02
STEEPEST = 5.0
"""Norm to which a network's gradient is clipped."""


def train(config: LocatorConfig) -> None:
    """Train until `config.total_images` scenes, resuming what already lies in `config.out`.

    Leaves there config.json, state.pt, stats.jsonl, samples/ and snapshots/. Raises the errors of training.errors.
    """
    device = prepare_device(config)
    with opened_run(config, device) as (state, faces, backgrounds, log):
        while state.images_seen < config.total_images:
            if state.steps % config.uses == 0:
                refill(config, state, faces, backgrounds)
            scenes, close_ups = state.scenes.drawn(config.batch), state.close_ups.drawn(2 * config.batch)
            with autocast(config, device):
                found, found_close = state.network(scenes.pictures), state.close(close_ups.pictures)
            scores, landmarks = locator_losses(found, scenes)
            close_scores, close_landmarks = close_up_losses(found_close.float(), close_ups)
            state.optimiser.param_groups[0]["lr"] = learning_rate(config, state.images_seen)
            first = scores + LANDMARKS * landmarks
            second = close_scores + CLOSE_LANDMARKS * close_landmarks
            step(state.optimiser, first + second, [state.network, state.close])
            state.steps += 1
            state.images_seen += config.batch
            log.add(scores=scores, landmarks=landmarks, close_scores=close_scores, close_landmarks=close_landmarks)
            keep_records(config, state, log)


def step(optimiser: torch.optim.Optimizer, loss: torch.Tensor, networks: list[nn.Module]) -> None:
    """One step of gradient descent, each network's gradient clipped for itself."""
    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    for network in networks:
        nn.utils.clip_grad_norm_(network.parameters(), STEEPEST)
    optimiser.step()


def learning_rate(config: LocatorConfig, images_seen: int) -> float:
    """A short rise, then half a cosine down to nothing."""
    done = images_seen / config.total_images
    return config.learning_rate * min(1.0, done / WARM_UP + 0.01) * (0.5 + 0.5 * math.cos(math.pi * min(done, 1.0)))


def keep_records(config: LocatorConfig, state: LocatorState, log: RunLog) -> None:
    """Report, draw and save whatever is due after this step."""

    def due(every_images: int) -> bool:
        return is_due(config, state.images_seen, every_images)

    if due(config.log_every_images):
        log.report(state.images_seen)
    if due(config.samples_every_images):
        draw_scenes(config, state)
    if due(config.snapshot_every_images):
        for network, called in ((state.network, LOCATOR), (state.close, CLOSE)):
            save_snapshot(config.out, network, state.images_seen, network.kwargs, family=called, called=called)
            thin_snapshots(config.out, config.snapshot_every_images, config.keep_snapshots, called)
    if due(config.state_every_images):
        save(state, config.out)
