"""Presets of the networks that find faces in photos, and latents in faces. Both recipes train on the CPU: the larger
presets are for one with many cores."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from training.encoder.config import EncoderConfig
from training.locator.config import LocatorConfig


def encoder_on_two_cores(model: str, data: Path | None, out: Path) -> EncoderConfig:
    """That of the bundled model: half an hour and more for pictures of 64x64."""
    return EncoderConfig(model=model, data=data, out=out, total_images=32_000, batch=16, device="cpu")


def encoder(model: str, data: Path | None, out: Path) -> EncoderConfig:
    """Half as wide again, four times as long, twice as many samples."""
    return EncoderConfig(
        model=model,
        data=data,
        out=out,
        total_images=128_000,
        batch=32,
        device="cpu",
        samples=16_384,
        width=48,
        widest=288,
        hidden=336,
        redrawn=8,
    )


def locator_on_two_cores(data: Path, backgrounds: Path, out: Path) -> LocatorConfig:
    """As many scenes as the schedule of the learning rate is made for."""
    return LocatorConfig(data=data, backgrounds=backgrounds, out=out, total_images=300_000, batch=32, device="cpu")


def locator(data: Path, backgrounds: Path, out: Path) -> LocatorConfig:
    """Wider and deeper, four times as long, with twice as many scenes to draw from."""
    return LocatorConfig(
        data=data,
        backgrounds=backgrounds,
        out=out,
        total_images=1_200_000,
        batch=64,
        device="cpu",
        width=72,
        depth=8,
        close_width=84,
        close_features=144,
        pool=4096,
    )


ENCODER_PRESETS: Final[Mapping[str, Callable[[str, Path | None, Path], EncoderConfig]]] = MappingProxyType(
    {each.__name__: each for each in (encoder_on_two_cores, encoder)}
)
LOCATOR_PRESETS: Final[Mapping[str, Callable[[Path, Path, Path], LocatorConfig]]] = MappingProxyType(
    {each.__name__: each for each in (locator_on_two_cores, locator)}
)
"""The first is taken where none is asked for."""
