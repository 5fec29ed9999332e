"""Training the face locator: one function that reads top to bottom."""

import math

from training.locator.config import LocatorConfig
from training.locator.losses import close_up_losses, locator_losses
from training.locator.refill import refill
from training.locator.run import CLOSE, LOCATOR, RECIPE, LocatorState, Material
from training.locator.samples import draw_scenes
from training.run import Run, running
from training.snapshots import save_snapshot, thin_snapshots

LANDMARKS, CLOSE_LANDMARKS = 4.0, 8.0
"""Weights of the landmarks' losses beside those of the scores."""
WARM_UP = 0.02


def train(config: LocatorConfig) -> None:
    """Train until `config.total_images` scenes, resuming what already lies in `config.out`.

    Leaves there config.json, state.pt, stats.jsonl, samples/ and snapshots/. Raises the errors of training.errors.
    """
    with running(config, RECIPE) as run:
        config, state = run.config, run.state
        while run.goes_on():
            if state.steps % config.uses == 0:
                refill(config, state, run.data.faces, run.data.backgrounds)
            scenes, close_ups = state.scenes.drawn(config.batch), state.close_ups.drawn(2 * config.batch)
            with run.autocast():
                found, found_close = state.network(scenes.pictures), state.close(close_ups.pictures)
            scores, landmarks = locator_losses(found, scenes)
            close_scores, close_landmarks = close_up_losses(found_close.float(), close_ups)
            state.optimiser.param_groups[0]["lr"] = learning_rate(config, state.images_seen)
            first = scores + LANDMARKS * landmarks
            second = close_scores + CLOSE_LANDMARKS * close_landmarks
            run.step(state.optimiser, first + second, clipped=[state.network, state.close])
            run.seen()
            run.log.add(scores=scores, landmarks=landmarks, close_scores=close_scores, close_landmarks=close_landmarks)
            keep_records(run)


def learning_rate(config: LocatorConfig, images_seen: int) -> float:
    """A short rise, then half a cosine down to nothing."""
    done = images_seen / config.total_images
    return config.learning_rate * min(1.0, done / WARM_UP + 0.01) * (0.5 + 0.5 * math.cos(math.pi * min(done, 1.0)))


def keep_records(run: Run[LocatorConfig, LocatorState, Material]) -> None:
    """Report, draw and save whatever is due after this step."""
    config, state = run.config, run.state
    if run.is_due(config.log_every_images):
        run.log.report(state.images_seen)
    if run.is_due(config.samples_every_images):
        draw_scenes(config, state)
    if run.is_due(config.snapshot_every_images):
        for network, called in ((state.network, LOCATOR), (state.close, CLOSE)):
            save_snapshot(config.out, network, state.images_seen, network.kwargs, family=called, called=called)
            thin_snapshots(config.out, config.snapshot_every_images, config.keep_snapshots, called)
    run.save_if_due()
