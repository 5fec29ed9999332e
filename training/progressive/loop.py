"""Training Progressive GAN or StyleGAN, from coarse to fine: one function that reads top to bottom."""
# B batch, L style layer, D width of w, C channel, H W picture

from functools import partial

import torch
from torch import Tensor

from models.networks import stylegan1
from models.networks.progressive import real_at_lod
from training.augment import augment
from training.ema import ema_decay, update_ema
from training.portraits.game import play
from training.portraits.records import PortraitRun, keep_records
from training.progressive.config import ProgressiveConfig
from training.progressive.state import RECIPE, ProgressiveState
from training.run import running

ProgressiveRun = PortraitRun[ProgressiveConfig, ProgressiveState]


def train(config: ProgressiveConfig) -> None:
    """Train until `config.total_images`, resuming what already lies in `config.out`, to the very state."""
    with running(config, RECIPE) as run:
        config, state = run.config, run.state
        while run.goes_on():
            state.grow(config.lod_at(state.images_seen))
            real, _ = run.data.batch(config, state.images_seen, run.draws)
            real = real_at_lod(real, state.lod)
            play(run, partial(judged, run), real, generate(run))

            run.seen()
            run.processes.average_statistics(state.generator)
            decay = ema_decay(state.images_seen, config.batch, config.ema_half_life_images, config.ema_ramp)
            update_ema(state.average, state.generator, decay)
            run.log.add(lod=state.lod)
            keep_records(run)


def judged(run: ProgressiveRun, x: Tensor) -> Tensor:
    """The scores of altered pictures."""
    scores: Tensor = run.state.discriminator(augment(x, run.config.augment, draws=run.draws), lod=run.state.lod)
    return scores


def generate(run: ProgressiveRun) -> Tensor:
    """[B, 3, r, r] of random latents, r being the resolution that is trained now."""
    generator, lod = run.state.generator, run.state.lod
    ws_BLD = generator.mapping(run.draws.randn(run.batch, run.config.z_dim, device=run.device))
    if not isinstance(generator, stylegan1.Generator):
        with run.autocast():
            flat: Tensor = generator.synthesis(ws_BLD, lod=lod)
        return flat.float()
    generator.truncation.update(ws_BLD.detach())
    ws_BLD = mix_styles(run, ws_BLD)
    sizes = [size for size in generator.synthesis.resolutions for _ in range(2)][: layers_in_use(run)]
    noise = [run.draws.randn(run.batch, 1, size, size, device=run.device) for size in sizes]
    with run.autocast():
        pictures: Tensor = generator.synthesis(ws_BLD, noise_mode="random", noise=noise, lod=lod)
    return pictures.float()


def mix_styles(run: ProgressiveRun, ws_BLD: Tensor) -> Tensor:
    """With a chance, take the later layers in use from another latent (Karras et al. 2019, section 3.1)."""
    if torch.rand(()).item() >= run.config.style_mixing:
        return ws_BLD
    cut = int(torch.randint(1, layers_in_use(run), ()).item())
    other: Tensor = run.state.generator.mapping(run.draws.randn(run.batch, run.config.z_dim, device=run.device))
    return torch.cat([ws_BLD[:, :cut], other[:, cut:]], dim=1)


def layers_in_use(run: ProgressiveRun) -> int:
    """Style layers up to the resolution that is trained now; those beyond draw nothing."""
    return int(run.state.generator.num_ws) - 2 * int(run.state.lod)
