"""Presets are functions that return a config; `dataclasses.replace` changes a field."""

from collections.abc import Callable
from pathlib import Path

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
    """What two CPU cores can learn in hours: a generator of 1.4 M parameters."""
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
        r1_gamma=0.3,
        style_mixing=0.7,
    )


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
    return TranslationConfig(
        objective="cut",
        data=data,
        style=style,
        out=out,
        resolution=128,
        picture_side=288,
        total_images=16_000,
        batch=4,
        ngf=32,
        ndf=32,
        colour_weight=5.0,
        log_every_images=100,
        state_every_images=800,
        samples_every_images=800,
        snapshot_every_images=2_000,
    )


TRANSLATION_PRESETS: dict[str, Callable[[Path, Path, Path | None], TranslationConfig]] = {
    "painting": painting,
    "painting_on_two_cores": painting_on_two_cores,
    "cyclegan": cyclegan,
}
