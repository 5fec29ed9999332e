"""What a run of an autoencoder is told."""

from dataclasses import dataclass
from typing import Any

from models.networks.dcgan import stage_channels
from training.dcgan.config import doubling_channels
from training.losses import OBJECTIVES
from training.portraits.config import PortraitConfig

KINDS = ("autoencoder", "variational", "adversarial")
LATENT_LOSSES = ("non_saturating", "minimax", "least_squares", "hinge")


@dataclass(frozen=True, kw_only=True)
class AutoencoderConfig(PortraitConfig):
    """An encoder and a decoder, both of DCGAN's shape; the decoder is what is served.

    autoencoder: codes are whitened afterwards, so that a random one is like those of pictures. variational: codes are
    pressed toward the normal distribution by `beta`. adversarial: a discriminator of codes does that.
    """

    kind: str = "variational"
    z_dim: int = 128
    channels: int = 64
    """At half of the resolution; each halving doubles them."""
    learning_rate: float = 5e-4
    beta: float = 0.5
    """Weight of the divergence from the normal distribution, in nats, beside half the squared error summed over the
    picture (Higgins et al. 2017, Eq. 4)."""
    warm_up: float = 0.1
    """Share of the run in which beta rises from 0, so that codes carry something before they are pressed."""
    loss: str = "non_saturating"
    """Between encoder and discriminator of codes (adversarial)."""
    adversarial_weight: float = 10.0
    code_units: int = 512
    """Of the discriminator of codes, in each of two layers."""
    sample_psi: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_known("kind", KINDS)
        self.check_known("loss", LATENT_LOSSES)
        assert set(LATENT_LOSSES) <= OBJECTIVES.keys()
        self.check_at_least_1("channels", "code_units")
        self.check_from_0("beta", "adversarial_weight")
        if self.kind == "autoencoder" and self.batch < 2:
            raise ValueError(f"batch is {self.batch}; codes that are whitened need at least 2 pictures")
        stage_channels(self.resolution, None)
        if not 0 <= self.warm_up <= 1:
            raise ValueError(f"warm_up is {self.warm_up}; it must be from 0 to 1")
        if self.conditional:
            raise ValueError("autoencoders take no labels; conditional is for faces and dcgan")
        if self.augment:
            raise ValueError("autoencoders are not augmented: they would reproduce the alterations")

    @property
    def family(self) -> str:
        return "dcgan"

    def beta_at(self, images_seen: int) -> float:
        rising = self.warm_up * self.total_images
        return self.beta * (min(1.0, images_seen / rising) if rising else 1.0)

    def generator_kwargs(self) -> dict[str, Any]:
        return {**self._shape(), "z_dim": self.z_dim, "c_dim": 0}

    def encoder_kwargs(self) -> dict[str, Any]:
        # Of a variational code: its mean and its logarithmic variance.
        return {**self._shape(), "out_features": self.z_dim * (2 if self.kind == "variational" else 1)}

    def _shape(self) -> dict[str, Any]:
        channels = doubling_channels(self.resolution, self.channels)
        return {"img_resolution": self.resolution, "img_channels": 3, "channels": channels}
