"""Training the face locator: one function that reads top to bottom."""

import math

import torch
from torch import Tensor, nn

from training.locator.config import LocatorConfig
from training.locator.losses import locator_losses
from training.locator.pool import ScenePool
from training.locator.run import LocatorState, opened_run, save
from training.locator.samples import draw_scenes
from training.locator.scenes import compose
from training.run_log import RunLog
from training.snapshots import save_snapshot, thin_snapshots
from training.steps import is_due, prepare_device

LANDMARKS = 4.0
"""Weight of the landmarks' loss beside that of the scores."""
WARM_UP = 0.02
HARDEST_OF = 2
"""Of so many times the backgrounds that are needed, the hardest are taken."""
LOCATOR = "locator"


def train(config: LocatorConfig) -> None:
    """Train until `config.total_images` scenes, resuming what already lies in `config.out`.

    Leaves there config.json, state.pt, stats.jsonl, samples/ and snapshots/. Raises the errors of training.errors.
    """
    device = prepare_device(config)
    pool = ScenePool(config.pool)
    with opened_run(config, device) as (state, faces, backgrounds, log):
        while state.images_seen < config.total_images:
            if len(pool) == 0 or state.steps % config.uses == 0:
                offered = backgrounds.batch(state.steps * config.batch, HARDEST_OF * config.batch)
                pool.add(compose(faces, hardest(state.network, offered, config.batch), config))
            scenes = pool.drawn(config.batch)
            scores, landmarks = locator_losses(state.network(scenes.pictures), scenes)
            state.optimiser.param_groups[0]["lr"] = learning_rate(config, state.images_seen)
            state.optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(scores + LANDMARKS * landmarks)
            nn.utils.clip_grad_norm_(state.network.parameters(), 5.0)
            state.optimiser.step()
            state.steps += 1
            state.images_seen += config.batch
            log.add(scores=scores, landmarks=landmarks)
            keep_records(config, state, log)


@torch.no_grad()
def hardest(network: nn.Module, pictures_BCHW: Tensor, count: int) -> Tensor:
    """Of backgrounds, those in which the network is surest of a face: there is none."""
    network.eval()
    scores_Bhw = network(pictures_BCHW)[:, 0]
    network.train()
    return pictures_BCHW[scores_Bhw.amax(dim=(1, 2)).topk(count).indices]


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
        kwargs = state.network.kwargs
        save_snapshot(config.out, state.network, state.images_seen, kwargs, family=LOCATOR, called=LOCATOR)
        thin_snapshots(config.out, config.snapshot_every_images, config.keep_snapshots, LOCATOR)
    if due(config.state_every_images):
        save(state, config.out)
