"""Training a generator of faces: one function that reads top to bottom."""
# B batch, Z latent, L style layer, D width of w, C channel, H W picture

import torch
from torch import Tensor

from models.latents import seed_to_z
from models.networks.stylegan2 import Generator
from training.augment import augment, mirror_half
from training.config import TrainingConfig
from training.draws import ALONE
from training.ema import ema_decay, update_ema
from training.faces.run import opened_run
from training.faces.state import TrainingState, save_state
from training.run_log import RunLog, save_grid
from training.snapshots import save_snapshot, thin_snapshots
from training.steps import autocast, is_due, prepare_device, step


def train(config: TrainingConfig) -> None:
    """Train until `config.total_images`, resuming what already lies in `config.out`.

    Leaves there config.json, state.pt, stats.jsonl, samples/ and snapshots/. May be killed at any moment: called again,
    it goes on from the last state as if nothing had happened. Raises the errors of training.errors.
    """
    device = prepare_device(config)
    with opened_run(config, device) as (state, pictures, log):
        while state.images_seen < config.total_images:
            head_start = state.images_seen < state.generator_waits_until
            strength = augmentation_strength(config, state)
            real = mirror_half(pictures.batch(state.images_seen, config.batch))
            fake = generate(state.generator, config, device)

            state.discriminator.requires_grad_(True)
            with autocast(config, device):
                real_logits = state.discriminator(augment(real, config.augment, strength))
                fake_logits = state.discriminator(augment(fake.detach(), config.augment, strength))
            loss_d = config.objective.discriminator(real_logits, fake_logits)
            step(state.discriminator_optimiser, loss_d)

            if config.gradient_penalty and state.steps % config.r1_interval_steps == 0:
                shown = (augment(x, config.augment, strength) for x in (real, fake.detach()))
                r1 = config.gradient_penalty(state.discriminator, *shown, config.r1_gamma, ALONE)
                step(state.discriminator_optimiser, r1 * config.r1_interval_steps)
                log.add(r1=r1)

            # The discriminator has moved; the pictures, drawn before it did, serve again.
            state.discriminator.requires_grad_(False)
            with autocast(config, device):
                fake_logits_g = state.discriminator(augment(fake, config.augment, strength))
                real_logits_g = None
                if config.objective.is_relative:
                    real_logits_g = state.discriminator(augment(real, config.augment, strength))
                loss_g = config.objective.generator(fake_logits_g, real_logits_g)
            if not head_start:
                step(state.generator_optimiser, loss_g)

            state.steps += 1
            state.images_seen += config.batch
            decay = ema_decay(state.images_seen, config.batch, config.ema_half_life_images, config.ema_ramp)
            update_ema(state.average, state.generator, decay)
            log.add(
                g=loss_g, d=loss_d, real=real_logits.mean(), fake=fake_logits.mean(), strength=torch.tensor(strength)
            )
            keep_records(config, state, log)


def augmentation_strength(config: TrainingConfig, state: TrainingState) -> float:
    """The probability of each augmentation: in a head start it grows from nothing, over the first half of it.

    A fresh discriminator against a trained generator only guesses under augmentation, and learns nothing.
    """
    half = state.generator_waits_until / 2
    return config.augment_probability * min(1.0, state.images_seen / half if half else 1.0)


def generate(generator: Generator, config: TrainingConfig, device: torch.device) -> Tensor:
    """[B, 3, H, W]: pictures of random latents, with style mixing, tracking the mean w."""
    z_BZ = torch.randn(config.batch, config.z_dim, device=device)
    ws_BLD = generator.mapping(z_BZ, update_w_avg=True)
    ws_BLD = mix_styles(ws_BLD, generator, config)
    with autocast(config, device):
        pictures: Tensor = generator.synthesis(ws_BLD, noise_mode="random")
    return pictures


def mix_styles(ws_BLD: Tensor, generator: Generator, config: TrainingConfig) -> Tensor:
    """With probability `style_mixing`, take the later layers from another latent (Karras et al. 2019, section 3.1), so
    that layers do not learn to rely on each other's styles."""
    layers = ws_BLD.shape[1]
    if torch.rand(()).item() >= config.style_mixing:
        return ws_BLD
    cut = int(torch.randint(1, layers, ()).item())
    other = generator.mapping(torch.randn(len(ws_BLD), config.z_dim, device=ws_BLD.device))
    return torch.cat([ws_BLD[:, :cut], other[:, cut:]], dim=1)


def keep_records(config: TrainingConfig, state: TrainingState, log: RunLog) -> None:
    """Report, draw and save whatever is due after this step."""

    def due(every_images: int) -> bool:
        return is_due(config, state.images_seen, every_images)

    if due(config.log_every_images):
        log.report(state.images_seen)
    if due(config.samples_every_images):
        draw_samples(config, state)
    if due(config.snapshot_every_images):
        save_snapshot(config.out, state.average, state.images_seen, config.generator_kwargs())
        thin_snapshots(config.out, config.snapshot_every_images, config.keep_snapshots)
    if due(config.state_every_images):
        save_state(state, config.out)


@torch.no_grad()
def draw_samples(config: TrainingConfig, state: TrainingState) -> None:
    """samples/XXXXXXXXX.png: the faces of seeds 0, 1, ... by the averaged generator."""
    device = next(state.average.parameters()).device
    count = config.grid_rows * config.grid_columns
    z_NZ = torch.cat([torch.from_numpy(seed_to_z(seed, config.z_dim)) for seed in range(count)]).to(device)
    pictures = [
        state.average(z_BZ, truncation_psi=config.sample_psi, noise_mode="const")
        for z_BZ in torch.split(z_NZ, config.batch)
    ]
    path = config.out / "samples" / f"{state.images_seen:09d}.png"
    save_grid(path, torch.cat(pictures), config.grid_columns)
