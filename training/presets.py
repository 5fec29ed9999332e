"""Presets are functions that return a config; `dataclasses.replace` changes a field."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

from training.config import TrainingConfig
from training.translation.config import TranslationConfig


def faces(data: Path, out: Path, resolution: int = 128) -> TrainingConfig:
    """The model that ships, for one GPU: 7.1 M parameters at 128x128."""
    return TrainingConfig(
        data=data,
        out=out,
        resolution=resolution,
        total_images=2_000_000,
        batch=64,
        snapshot_every_images=50_000,
        state_every_images=20_000,
        samples_every_images=20_000,
    )


def faces_on_two_cores(data: Path, out: Path, resolution: int = 64) -> TrainingConfig:
    """What two CPU cores can learn in hours: a generator of 1.4 M parameters. Its augmentation adapts: where all is
    altered from the start, the discriminator only guesses."""
    return TrainingConfig(
        data=data,
        out=out,
        resolution=resolution,
        total_images=400_000,
        batch=16,
        z_dim=128,
        w_dim=128,
        channel_base=4096,
        channel_max=128,
        augment_probability=0.4,
        augment_target=0.6,
        augment_images=60_000,
        r1_gamma=0.3,
        style_mixing=0.7,
    )


def faces_from_snapshot(data: Path, out: Path, resolution: int = 64) -> TrainingConfig:
    """Going on with a snapshot of `faces_on_two_cores`, whose discriminator is lost: a generator that the fresh
    discriminator can follow."""
    return dataclasses.replace(faces_on_two_cores(data, out, resolution), generator_rate=0.5)


def cyclegan(data: Path, out: Path, style: Path | None = None) -> TranslationConfig:
    """As published (Zhu et al. 2017): 200 epochs of the 6,287 photographs of monet2photo."""
    return TranslationConfig(
        objective="cyclegan",
        data=data,
        style=style,
        out=out,
        total_images=1_257_400,
        batch=1,
        smallest_crop=256 / 286,
        upsample="transpose",
    )


def painting(data: Path, out: Path, style: Path | None = None) -> TranslationConfig:
    """CycleGAN with what practice added, for one GPU: 2.9 M parameters at 256x256."""
    return TranslationConfig(
        objective="cyclegan",
        data=data,
        style=style,
        out=out,
        total_images=240_000,
        batch=8,
        scaled_rate=True,
        ngf=32,
        picture_side=384,
        identity_weight_end=1.0,
        colour_weight=2.0,
        augment=("translation", "cutout"),
    )


def painting_on_two_cores(data: Path, out: Path, style: Path | None = None) -> TranslationConfig:
    """The same generator by CUT on crops of 128x128: what two CPU cores can learn in an hour or two."""
    unhurried = painting(data, out, style)
    return dataclasses.replace(
        on_two_cores(unhurried),
        objective="cut",
        total_images=16_000,
        scaled_rate=False,
        identity_weight_end=unhurried.identity_weight,
        colour_weight=5.0,
        augment=(),
    )


def colourise(data: Path, out: Path, style: Path | None = None) -> TranslationConfig:
    """Grey pictures get colours. A U-Net sees all of the picture, which tells sky from sea."""
    return _paired("colourise", data, out, style, generator="unet", num_downs=7)


def upscale(data: Path, out: Path, style: Path | None = None) -> TranslationConfig:
    """Four times the size: the translator sharpens what was enlarged. Detail is local: a ResNet, for any size."""
    return _paired("upscale", data, out, style, n_blocks=6)


def inpaint(data: Path, out: Path, style: Path | None = None) -> TranslationConfig:
    """Holes are filled. The input has a fourth channel, 1 in the hole and -1 around it."""
    return _paired("inpaint", data, out, style, generator="unet", num_downs=7)


def colourise_on_two_cores(data: Path, out: Path, style: Path | None = None) -> TranslationConfig:
    """`colourise` for an hour of one CPU core: 2.8 M parameters."""
    return _small_unet(colourise(data, out, style), total_images=120_000)


def upscale_on_two_cores(data: Path, out: Path, style: Path | None = None) -> TranslationConfig:
    """`upscale` for an hour of one CPU core: 2.0 M parameters that draw what the enlarged picture lacks.

    Without norms, as Lim et al. 2017 found best, and led by L1 more than by the discriminator: faithful before crisp.
    """
    small = on_two_cores(upscale(data, out, style))
    return dataclasses.replace(
        small, residual=True, norm="none", l1_weight=300.0, **_TASK_ON_TWO_CORES, total_images=32_000
    )


def inpaint_on_two_cores(data: Path, out: Path, style: Path | None = None) -> TranslationConfig:
    """`inpaint` for an hour of one CPU core: 2.8 M parameters. Only a hole's pixels count in the L1, a sixth of all: so
    its weight is three times as large."""
    return dataclasses.replace(_small_unet(inpaint(data, out, style), total_images=120_000), l1_weight=300.0)


_TASK_ON_TWO_CORES: dict[str, Any] = {"also_share": 0.3, "also_pictures": 1000}


def _small_unet(config: TranslationConfig, total_images: int) -> TranslationConfig:
    # Six levels end at 2x2 pixels of a crop: at one, an instance norm would leave nothing.
    return dataclasses.replace(
        on_two_cores(config), ngf=20, num_downs=6, batch=8, **_TASK_ON_TWO_CORES, total_images=total_images
    )


def drawing(data: Path, out: Path, style: Path | None = None) -> TranslationConfig:
    """Edges become a picture."""
    return _paired("drawing", data, out, style, generator="unet", num_downs=7)


def _paired(task: str, data: Path, out: Path, style: Path | None, **network: Any) -> TranslationConfig:
    """pix2pix on pairs made of plain pictures, for one GPU; `on_two_cores` makes it small."""
    return TranslationConfig(
        objective="pix2pix",
        task=task,
        data=data,
        style=style,
        out=out,
        total_images=320_000,
        batch=16,
        ngf=32,
        picture_side=384,
        **network,
    )


def on_two_cores(config: TranslationConfig) -> TranslationConfig:
    """The same on crops of 128x128 with records at a CPU's pace."""
    return dataclasses.replace(
        config,
        resolution=128,
        picture_side=288,
        total_images=32_000,
        batch=4,
        ndf=32,
        log_every_images=100,
        state_every_images=800,
        samples_every_images=800,
        snapshot_every_images=2_000,
    )


TRANSLATION_PRESETS: dict[str, Callable[[Path, Path, Path | None], TranslationConfig]] = {
    "painting": painting,
    "painting_on_two_cores": painting_on_two_cores,
    "cyclegan": cyclegan,
    "colourise": colourise,
    "upscale": upscale,
    "inpaint": inpaint,
    "drawing": drawing,
    "colourise_on_two_cores": colourise_on_two_cores,
    "upscale_on_two_cores": upscale_on_two_cores,
    "inpaint_on_two_cores": inpaint_on_two_cores,
}
"""For one GPU, but for the names that say otherwise; the command shrinks the paired ones where there is none."""
