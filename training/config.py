"""What a run of the faces recipe is told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.networks.stylegan2 import check_resolution
from training.run_config import AdversarialConfig


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(AdversarialConfig):
    """A run of the faces recipe.

    The networks are StyleGAN2 (skip generator, resnet discriminator); pictures are RGB squares. `init_from` may be of
    this or half the resolution.
    """

    data: Path
    """A folder or zip of pictures; with an index.csv beside or in it, its train split alone."""
    resolution: int

    z_dim: int = 512
    w_dim: int = 512
    mapping_layers: int = 2
    channel_base: int = 8192
    channel_max: int = 256
    conv_clamp: float = 256
    minibatch_std_group: int = 4

    learning_rate: float = 0.0025
    generator_rate: float = 1.0
    """Share of the learning rate at which the generator learns."""
    style_mixing: float = 0.9
    mirror: bool = True
    augment: tuple[str, ...] = ("colour", "translation", "cutout")
    augment_probability: float = 1.0
    """Of each step, for each sample."""
    grid_rows: int = 6
    grid_columns: int = 10
    sample_psi: float = 0.7

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_at_least_1("resolution")
        check_resolution(self.resolution)
        for name in ("augment_probability", "generator_rate"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be from 0 to 1")
        if self.batch % min(self.minibatch_std_group, self.batch):
            raise ValueError(f"batch is {self.batch}; it must be a multiple of {self.minibatch_std_group}")

    def generator_kwargs(self) -> dict[str, Any]:
        """The constructor's arguments of the generator, as they are written beside snapshots."""
        return {
            "z_dim": self.z_dim,
            "c_dim": 0,
            "w_dim": self.w_dim,
            "img_resolution": self.resolution,
            "img_channels": 3,
            "mapping_kwargs": {"num_layers": self.mapping_layers},
            "synthesis_kwargs": {**self._widths(), "conv_clamp": self.conv_clamp},
        }

    def discriminator_kwargs(self) -> dict[str, Any]:
        return {
            "c_dim": 0,
            "img_resolution": self.resolution,
            "img_channels": 3,
            # Clamping guards float16's range, which a discriminator in bfloat16 does not need.
            **self._widths(),
            "conv_clamp": None,
            "epilogue_kwargs": {"mbstd_group_size": self.minibatch_std_group},
        }

    def _widths(self) -> dict[str, Any]:
        return {
            "channel_base": self.channel_base,
            "channel_max": self.channel_max,
        }
