"""All that a run of an autoencoder is at one moment."""
# N pictures, Z code, C channel, H W picture

import copy
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim import Adam

from models.networks.dcgan import Encoder, Generator
from training.autoencoder.codes import CodeDiscriminator, CodeSpread
from training.autoencoder.config import AutoencoderConfig
from training.ema import refresh_statistics
from training.portraits.data import Portraits, load_portraits
from training.portraits.state import PortraitState, latents
from training.run import Recipe
from training.trained_tensors import trained_tensors
from training.transfer import transfer

SETTLED_BY = 512
FIRST_LAYER = "main.0.weight"


@dataclass(kw_only=True)
class AutoencoderState(PortraitState):
    """generator: the decoder. whiten: of plain codes, mean 0 and variance 1; spread: how they hang together."""

    encoder: Encoder
    generator: Generator
    average: Generator
    optimiser: Adam
    whiten: nn.BatchNorm1d | None
    spread: CodeSpread | None
    discriminator: CodeDiscriminator | None
    discriminator_optimiser: Adam | None

    @torch.no_grad()
    def draw(self, z_NZ: Tensor, c_NY: Tensor | None, psi: float) -> Tensor:
        codes = z_NZ if self.spread is None else z_NZ @ self.spread.root().T
        pictures: Tensor = self.average(codes, c_NY, truncation_psi=psi)
        return pictures

    def settle(self, batch: int) -> None:
        """Give the averaged decoder batch statistics of its own, of what it is served with: random codes."""
        codes = latents(range(SETTLED_BY), self.average)
        codes = codes if self.spread is None else codes @ self.spread.root().T
        refresh_statistics(self.average, ((codes[i : i + batch],) for i in range(0, SETTLED_BY, batch)))

    def shipped(self) -> nn.Module:
        """The decoder, of normal random codes: the spread goes into its first layer."""
        if self.spread is None:
            return self.average
        decoder = copy.deepcopy(self.average)
        tensors = decoder.state_dict()
        # (L z) W = z (L^T W), for a first layer W of [Z, C, 4, 4].
        tensors[FIRST_LAYER] = torch.einsum("dz,dchw->zchw", self.spread.root(), tensors[FIRST_LAYER])
        decoder.load_state_dict(tensors)
        return decoder


def fresh_state(config: AutoencoderConfig, device: torch.device) -> AutoencoderState:
    """Random networks on `device`, drawn from torch's global generator, their optimisers and the average."""
    encoder = Encoder(**config.encoder_kwargs()).to(device)
    generator = Generator(**config.generator_kwargs()).to(device)
    plain, adversarial = config.kind == "autoencoder", config.kind == "adversarial"
    judge = CodeDiscriminator(config.z_dim, config.code_units).to(device) if adversarial else None
    return AutoencoderState(
        encoder=encoder,
        generator=generator,
        average=copy.deepcopy(generator).eval().requires_grad_(False),
        optimiser=_adam(config, encoder, generator),
        whiten=nn.BatchNorm1d(config.z_dim, affine=False).to(device) if plain else None,
        spread=CodeSpread(config.z_dim, device) if plain else None,
        discriminator=judge,
        discriminator_optimiser=None if judge is None else _adam(config, judge),
    )


def start_from(source: Path, state: AutoencoderState) -> None:
    """Copy what fits from `source` into the fresh networks. Raises RunRefused where less than half does."""
    for name, tensors in trained_tensors(source, "dcgan", ("generator", "average", "encoder")).items():
        transfer(getattr(state, name), tensors, f"the {name} of {source}")


def _adam(config: AutoencoderConfig, *networks: nn.Module) -> Adam:
    parameters = [parameter for network in networks for parameter in network.parameters()]
    return Adam(parameters, lr=config.learning_rate, betas=(0.9, 0.999), fused=True)


RECIPE: Recipe[AutoencoderConfig, AutoencoderState, Portraits] = Recipe(
    name="autoencoder",
    shape_fields=("kind", "resolution", "z_dim", "channels", "code_units"),
    load=load_portraits,
    fresh=fresh_state,
    start_from=start_from,
)
