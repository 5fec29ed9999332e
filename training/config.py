"""What a run of the faces recipe is told."""

from dataclasses import dataclass
from typing import Any

from models.networks.stylegan2 import check_resolution
from training.portraits.config import PortraitConfig
from training.run_config import AdversarialConfig

SMALLEST = 8
"""Side of pictures: at 4x4 the discriminator has no block that reads them."""


@dataclass(frozen=True, kw_only=True)
class TrainingConfig(PortraitConfig, AdversarialConfig):
    """A run of the faces recipe.

    The networks are StyleGAN2 (skip generator, resnet discriminator); pictures are RGB squares. `init_from` may be of
    this or half the resolution.
    """

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
    path_length_weight: float = 0.0
    """As published 2: smoother w, which directions and inversion want, for a sixth more arithmetic."""
    path_length_interval_steps: int = 4
    path_length_shrink: int = 2
    """The path lengths of a batch's share are enough."""

    augment: tuple[str, ...] = ("colour", "translation", "cutout")
    augment_probability: float = 1.0
    """Of each step, for each sample; where it adapts, at the start."""
    augment_target: float | None = None
    """The sign of the discriminator at training pictures (published: 0.6) that the probability is adapted to."""
    augment_images: int = 500_000
    """Images in which the probability may adapt from 0 to 1."""
    freeze_layers: int = 0
    """Layers of the discriminator that stay as they were begun, from the finest: for transfer (Mo et al. 2020)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_resolution(self.resolution)
        if self.resolution < SMALLEST:
            raise ValueError(f"resolution is {self.resolution}; a discriminator of faces needs {SMALLEST}")
        self.check_widths(self.channel_base, "w_dim", "mapping_layers", "channel_max", "minibatch_std_group")
        self.check_at_least_1("path_length_interval_steps", "path_length_shrink", "augment_images")
        self.check_from_0("path_length_weight", "freeze_layers")
        if not self.conv_clamp > 0:
            raise ValueError(f"conv_clamp is {self.conv_clamp}; it must be above 0")
        for name in ("augment_probability", "generator_rate", "style_mixing", "augment_target"):
            if not 0 <= (getattr(self, name) or 0) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be from 0 to 1")
        if self.batch % min(self.minibatch_std_group, self.batch):
            raise ValueError(f"batch is {self.batch}; it must be a multiple of {self.minibatch_std_group}")

    @property
    def family(self) -> str:
        return "stylegan2"

    @property
    def group(self) -> int:
        return min(self.minibatch_std_group, self.batch)

    def generator_kwargs(self) -> dict[str, Any]:
        return {
            "z_dim": self.z_dim,
            "c_dim": self.num_classes,
            "w_dim": self.w_dim,
            "img_resolution": self.resolution,
            "img_channels": 3,
            "mapping_kwargs": {"num_layers": self.mapping_layers},
            "synthesis_kwargs": {**self._widths(), "conv_clamp": self.conv_clamp},
        }

    def discriminator_kwargs(self) -> dict[str, Any]:
        mapping = {"mapping_kwargs": {"num_layers": self.mapping_layers}} if self.num_classes else {}
        return {
            "c_dim": self.num_classes,
            "img_resolution": self.resolution,
            "img_channels": 3,
            # Clamping guards float16's range, which a discriminator in bfloat16 does not need.
            **self._widths(),
            "conv_clamp": None,
            "epilogue_kwargs": {"mbstd_group_size": self.minibatch_std_group},
            **mapping,
        }

    def _widths(self) -> dict[str, Any]:
        return {
            "channel_base": self.channel_base,
            "channel_max": self.channel_max,
        }
