"""What a run of DCGAN is told."""

from dataclasses import dataclass
from typing import Any

from models.networks.dcgan import stage_channels
from training.portraits.config import PortraitConfig
from training.run_config import AdversarialConfig


@dataclass(frozen=True, kw_only=True)
class DcganConfig(PortraitConfig, AdversarialConfig):
    """As published, but for what is said otherwise; conditional runs embed the label beside z and as a plane."""

    z_dim: int = 100
    channels: int = 64
    """At half of the resolution; each halving doubles them."""
    learning_rate: float = 2e-4
    penalty: str | None = "none"
    """Published without one; r1 steadies it."""
    sample_psi: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_at_least_1("channels")
        stage_channels(self.resolution, None)

    @property
    def family(self) -> str:
        return "dcgan"

    def generator_kwargs(self) -> dict[str, Any]:
        return {**self.discriminator_kwargs(), "z_dim": self.z_dim}

    def discriminator_kwargs(self) -> dict[str, Any]:
        return {
            "c_dim": self.num_classes,
            "img_resolution": self.resolution,
            "img_channels": 3,
            "channels": doubling_channels(self.resolution, self.channels),
        }


def doubling_channels(resolution: int, channels: int) -> list[int]:
    """Those at 4, 8, ... resolution / 2, `channels` being the last."""
    return [width * channels // 64 for width in stage_channels(resolution, None)]
