"""What a run of the progressive recipe is told, and when the networks grow."""

from dataclasses import dataclass
from typing import Any

from models.networks.stylegan2 import block_resolutions, check_resolution
from training.portraits.config import PortraitConfig
from training.run_config import AdversarialConfig

FAMILIES = ("pggan", "stylegan1")


@dataclass(frozen=True, kw_only=True)
class ProgressiveConfig(PortraitConfig, AdversarialConfig):
    """A run of Progressive GAN (Karras et al. 2018) or of StyleGAN (Karras et al. 2019).

    A phase trains a resolution, then fades the next one in; each half of it takes `phase_images`.
    """

    family: str = "pggan"

    w_dim: int = 512
    mapping_layers: int = 8
    channel_base: int = 16384
    """Channels at a resolution are this over the resolution, at most channel_max."""
    channel_max: int = 512
    start_resolution: int = 4
    phase_images: int = 600_000
    minibatch_std_group: int = 4
    style_mixing: float = 0.9
    """Of StyleGAN."""

    learning_rate: float = 0.001
    loss: str = "wasserstein"
    r1_gamma: float = 10.0
    r1_interval_steps: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_resolution(self.resolution)
        check_resolution(self.start_resolution)
        self.check_known("family", FAMILIES)
        self.check_at_least_1("phase_images")
        self.check_widths(self.channel_base, "w_dim", "mapping_layers", "channel_max", "minibatch_std_group")
        if self.conditional:
            raise ValueError(f"{self.family} takes no labels; conditional is for faces and dcgan")
        if self.start_resolution > self.resolution:
            raise ValueError(f"start_resolution is {self.start_resolution}; the run's is {self.resolution}")
        if not 0 <= self.style_mixing <= 1:
            raise ValueError(f"style_mixing is {self.style_mixing}; it must be from 0 to 1")
        if self.batch % min(self.minibatch_std_group, self.batch):
            raise ValueError(f"batch is {self.batch}; it must be a multiple of {self.minibatch_std_group}")

    def lod_at(self, images_seen: int) -> float:
        """How many halvings the networks are from the full resolution; a fraction fades."""
        from_top = (self.resolution // self.start_resolution).bit_length() - 1
        phase, within = divmod(images_seen, 2 * self.phase_images)
        faded = max(within - self.phase_images, 0) / self.phase_images
        return max(from_top - phase - faded, 0.0)

    @property
    def group(self) -> int:
        return min(self.minibatch_std_group, self.batch)

    def generator_kwargs(self) -> dict[str, Any]:
        shared = {"z_dim": self.z_dim, "img_resolution": self.resolution, "img_channels": 3, "channels": self._widths()}
        if self.family == "pggan":
            return shared
        return {**shared, "w_dim": self.w_dim, "mapping_layers": self.mapping_layers, "fused_scale": False}

    def discriminator_kwargs(self) -> dict[str, Any]:
        return {
            "img_resolution": self.resolution,
            "img_channels": 3,
            "channels": self._widths(),
            "mbstd_group_size": self.minibatch_std_group,
            "blur": self.family == "stylegan1",
        }

    def _widths(self) -> list[int]:
        return [min(self.channel_base // size, self.channel_max) for size in block_resolutions(self.resolution)]
