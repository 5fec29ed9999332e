"""Training the encoder of a generator: one function that reads top to bottom."""
# B batch, C channel, R side of the picture, L style layer, D width of w

import math
from typing import Any

import torch
from torch import Tensor

from training.encoder.config import EncoderConfig
from training.encoder.losses import latent_loss, picture_loss, prior_loss
from training.encoder.run import EncoderState, Sources, recipe, tell_latents
from training.encoder.worn import worn
from training.run import Run, running
from training.run_log import save_grid
from training.snapshots import save_snapshot, thin_snapshots

ENCODER = "encoder"
WARM_UP = 0.02
SHOWN = 8


def train(config: EncoderConfig, generator: Any) -> None:
    """Train until `config.total_images`, resuming what already lies in `config.out`.

    generator: the network, frozen, whose pictures are to be found back. Leaves in `config.out` config.json, state.pt,
    stats.jsonl, samples/ (photos or own pictures above what is drawn of them) and snapshots/. Raises the errors of
    training.errors.
    """
    with running(config, recipe(generator)) as run:
        config, state, sources, log = run.config, run.state, run.data, run.log
        own = sources.own
        tell_latents(state.encoder, own)
        while run.goes_on():
            x_BCRR, wanted_BLD = sources.batch(state.images_seen, config.batch)
            found_BLD = state.encoder(worn(x_BCRR))
            count = len(wanted_BLD)
            latents = latent_loss(found_BLD[:count], wanted_BLD, own.w_std)
            log.add(latents=latents)
            loss = latents
            if state.images_seen >= config.own_share * config.total_images:
                chosen = sources.redrawn(config.redrawn, count, config.batch)
                drawn = generator.synthesis(found_BLD[chosen], noise_mode="const")
                pictures = picture_loss(drawn, x_BCRR[chosen])
                loss = loss + config.pixel_weight * pictures
                log.add(pictures=pictures)
            if count < config.batch:
                loss = loss + config.prior_weight * prior_loss(found_BLD[count:], own.w_avg, own.w_std)
            state.optimiser.param_groups[0]["lr"] = learning_rate(config, state.images_seen)
            run.step(state.optimiser, loss, clipped=[state.encoder])
            run.seen()
            keep_records(run, generator)


def learning_rate(config: EncoderConfig, images_seen: int) -> float:
    """A short rise, then half a cosine down to nothing."""
    done = min(1.0, images_seen / config.total_images)
    return config.learning_rate * min(1.0, done / WARM_UP + 0.01) * (0.5 + 0.5 * math.cos(math.pi * done))


def keep_records(run: Run[EncoderConfig, EncoderState, Sources], generator: Any) -> None:
    """Report, draw and save whatever is due after this step."""
    config, state = run.config, run.state
    if run.is_due(config.log_every_images):
        run.log.report(state.images_seen)
    if run.is_due(config.samples_every_images):
        path = config.out / "samples" / f"{state.images_seen:09d}.png"
        save_grid(path, drawn_again(state, run.data.shown(SHOWN), generator), SHOWN)
    if run.is_due(config.snapshot_every_images):
        kwargs = state.encoder.kwargs
        save_snapshot(config.out, state.encoder, state.images_seen, kwargs, family=ENCODER, called=ENCODER)
        thin_snapshots(config.out, config.snapshot_every_images, config.keep_snapshots, ENCODER)
    run.save_if_due()


@torch.no_grad()
def drawn_again(state: EncoderState, x_BCRR: Tensor, generator: Any) -> Tensor:
    """Rows of pictures, each above what is drawn of it."""
    state.encoder.eval()
    drawn = generator.synthesis(state.encoder(x_BCRR), noise_mode="const")
    state.encoder.train()
    pairs = zip(torch.split(x_BCRR, SHOWN), torch.split(drawn, SHOWN), strict=True)
    return torch.cat([part for pair in pairs for part in pair])
