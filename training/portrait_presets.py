"""Presets of the recipes that draw pictures of random latents. Each is for one GPU; `smaller` fits two CPU cores."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from training.autoencoder.config import AutoencoderConfig
from training.config import TrainingConfig
from training.dcgan.config import DcganConfig
from training.portraits.config import PortraitConfig
from training.presets import faces, faces_from_snapshot, faces_on_two_cores
from training.progressive.config import ProgressiveConfig

RECORDS: dict[str, Any] = {
    "snapshot_every_images": 50_000,
    "state_every_images": 20_000,
    "samples_every_images": 20_000,
}


def faces_adaptive(data: Path, out: Path, resolution: int = 128) -> TrainingConfig:
    """StyleGAN2 with adaptive augmentation and path length regularisation, as published, for upright faces."""
    return dataclasses.replace(
        faces(data, out, resolution),
        augment=("upright",),
        augment_probability=0.0,
        augment_target=0.6,
        augment_images=100_000,
        path_length_weight=2.0,
    )


def stylegan1(data: Path, out: Path, resolution: int = 64) -> ProgressiveConfig:
    """StyleGAN with adaptive instance normalisation (Karras et al. 2019): R1, mixing, from 8x8."""
    return ProgressiveConfig(
        family="stylegan1",
        data=data,
        out=out,
        resolution=resolution,
        start_resolution=8,
        total_images=2_000_000,
        phase_images=120_000,
        batch=32,
        channel_base=8192,
        channel_max=256,
        loss="non_saturating",
        **RECORDS,
    )


def pggan(data: Path, out: Path, resolution: int = 64) -> ProgressiveConfig:
    """Progressive GAN (Karras et al. 2018): Wasserstein with a gradient penalty, from 4x4."""
    return ProgressiveConfig(
        data=data,
        out=out,
        resolution=resolution,
        total_images=2_000_000,
        phase_images=120_000,
        batch=32,
        channel_base=8192,
        channel_max=256,
        **RECORDS,
    )


def dcgan(data: Path, out: Path, resolution: int = 64) -> DcganConfig:
    """As published (Radford et al. 2016), with colours, shifts and holes against memorising."""
    return DcganConfig(
        data=data,
        out=out,
        resolution=resolution,
        total_images=2_000_000,
        batch=64,
        augment=("colour", "translation", "cutout"),
        **RECORDS,
    )


def conditional_dcgan(data: Path, out: Path, resolution: int = 64) -> DcganConfig:
    """The same with the labels of the data (Mirza & Osindero 2014)."""
    return dataclasses.replace(dcgan(data, out, resolution), conditional=True)


def autoencoder(data: Path, out: Path, resolution: int = 64) -> AutoencoderConfig:
    """A plain one, whose codes are whitened afterwards."""
    return _coded("autoencoder", data, out, resolution)


def variational(data: Path, out: Path, resolution: int = 64) -> AutoencoderConfig:
    """A VAE: beta 0.5 after a warm-up (Kingma & Welling 2014; Higgins et al. 2017)."""
    return _coded("variational", data, out, resolution)


def adversarial(data: Path, out: Path, resolution: int = 64) -> AutoencoderConfig:
    """An adversarial autoencoder (Makhzani et al. 2016)."""
    return _coded("adversarial", data, out, resolution)


def _coded(kind: str, data: Path, out: Path, resolution: int) -> AutoencoderConfig:
    return AutoencoderConfig(
        kind=kind, data=data, out=out, resolution=resolution, total_images=1_000_000, batch=64, **RECORDS
    )


def smaller(config: PortraitConfig) -> PortraitConfig:
    """The same for two CPU cores: a fifth of the images, narrow networks, records at a CPU's pace."""
    paced: dict[str, Any] = {
        "total_images": config.total_images // 5,
        "batch": 16,
        "snapshot_every_images": 20_000,
        "state_every_images": 2_000,
        "samples_every_images": 4_000,
    }
    if isinstance(config, ProgressiveConfig):
        narrow: dict[str, Any] = {
            "z_dim": 128,
            "w_dim": 128,
            "channel_base": 4096,
            "channel_max": 128,
            "phase_images": 24_000,
        }
        return dataclasses.replace(config, **paced, **narrow)
    if isinstance(config, DcganConfig | AutoencoderConfig):
        return dataclasses.replace(config, **paced, channels=32)
    raise ValueError(f"there is no smaller {type(config).__name__}; faces have presets of their own")


Preset = Callable[[Path, Path, int], PortraitConfig]
PORTRAIT_PRESETS: Final[Mapping[str, Mapping[str, Preset]]] = MappingProxyType(
    {
        "faces": {each.__name__: each for each in (faces, faces_on_two_cores, faces_from_snapshot, faces_adaptive)},
        "stylegan1": {"stylegan1": stylegan1},
        "pggan": {"pggan": pggan},
        "dcgan": {"dcgan": dcgan, "conditional_dcgan": conditional_dcgan},
        "autoencoder": {each.__name__: each for each in (variational, autoencoder, adversarial)},
    }
)
"""By command, then by name; the first is taken where none is asked for."""
