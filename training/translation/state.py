"""All that a translation run is at one moment, for each objective."""

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

import torch
from torch import nn
from torch.optim import Adam

from models.networks.patchgan import PatchDiscriminator
from models.networks.translator import ResnetTranslator
from models.networks.unet import UnetTranslator
from training.saved_state import RunState
from training.steps import channels_last
from training.translation.config import TranslationConfig
from training.translation.image_pool import ImagePool
from training.translation.nce import PatchHead, feature_channels

INITIAL_DEVIATION = 0.02

Translator = ResnetTranslator | UnetTranslator
Network = TypeVar("Network", bound=nn.Module)


@dataclass(kw_only=True)
class TranslationState(RunState):
    """What every objective has. From a to b is from pictures of `data` to the wanted look."""

    generator_ab: Translator
    average_ab: Translator
    discriminator_b: PatchDiscriminator
    generator_optimiser: Adam
    discriminator_optimiser: Adam

    @classmethod
    def fresh(cls, config: TranslationConfig, device: torch.device) -> Self:
        """Random networks on `device`, drawn from torch's global generator, their optimisers and averages."""
        raise NotImplementedError

    def set_rate(self, rate: float) -> None:
        for optimiser in (self.generator_optimiser, self.discriminator_optimiser):
            optimiser.param_groups[0]["lr"] = rate

    def load(self, path: Path, device: torch.device) -> None:
        """Put what `path` holds into this state, and torch's random generators where they were."""
        super().load(path, device)
        for part in self.parts().values():
            if isinstance(part, ImagePool):
                part.to(device)


@dataclass(kw_only=True)
class CycleState(TranslationState):
    """CycleGAN: there and back."""

    generator_ba: Translator
    average_ba: Translator
    discriminator_a: PatchDiscriminator
    pool_a: ImagePool
    pool_b: ImagePool

    @classmethod
    def fresh(cls, config: TranslationConfig, device: torch.device) -> Self:
        generator_ab, generator_ba = new_generator(config, device), new_generator(config, device)
        discriminator_a, discriminator_b = new_discriminator(config, device), new_discriminator(config, device)
        return cls(
            generator_ab=generator_ab,
            generator_ba=generator_ba,
            average_ab=average_of(generator_ab),
            average_ba=average_of(generator_ba),
            discriminator_a=discriminator_a,
            discriminator_b=discriminator_b,
            generator_optimiser=new_adam(generator_ab, generator_ba),
            discriminator_optimiser=new_adam(discriminator_a, discriminator_b),
            pool_a=ImagePool(config.pool_size),
            pool_b=ImagePool(config.pool_size),
        )


@dataclass(kw_only=True)
class CutState(TranslationState):
    """CUT: one way, with a head that compares patches."""

    head: PatchHead
    pool_b: ImagePool

    @classmethod
    def fresh(cls, config: TranslationConfig, device: torch.device) -> Self:
        generator, discriminator = new_generator(config, device), new_discriminator(config, device)
        head = PatchHead(feature_channels(config.ngf, config.n_blocks))
        _initialise(head)
        head.to(device)
        return cls(
            generator_ab=generator,
            average_ab=average_of(generator),
            discriminator_b=discriminator,
            head=head,
            generator_optimiser=new_adam(generator, head),
            discriminator_optimiser=new_adam(discriminator),
            pool_b=ImagePool(config.pool_size),
        )


@dataclass(kw_only=True)
class PairState(TranslationState):
    """pix2pix: the answer is known."""

    @classmethod
    def fresh(cls, config: TranslationConfig, device: torch.device) -> Self:
        generator, discriminator = new_generator(config, device), new_discriminator(config, device)
        return cls(
            generator_ab=generator,
            average_ab=average_of(generator),
            discriminator_b=discriminator,
            generator_optimiser=new_adam(generator),
            discriminator_optimiser=new_adam(discriminator),
        )


def new_generator(config: TranslationConfig, device: torch.device) -> Translator:
    """A generator of the config's shape with fresh weights."""
    network_class = ResnetTranslator if config.generator == "resnet" else UnetTranslator
    return _placed(network_class(**config.generator_kwargs()), device)


def new_discriminator(config: TranslationConfig, device: torch.device) -> PatchDiscriminator:
    return _placed(PatchDiscriminator(**config.discriminator_kwargs()), device)


def average_of(generator: Translator) -> Translator:
    return copy.deepcopy(generator).eval().requires_grad_(False)


def new_adam(*networks: nn.Module) -> Adam:
    """Adam with the published momenta (Radford et al. 2016); the loop sets the rate before every step."""
    parameters = [parameter for network in networks for parameter in network.parameters()]
    return Adam(parameters, lr=0.0, betas=(0.5, 0.999), fused=True)


def _placed(network: Network, device: torch.device) -> Network:
    _initialise(network)
    network.to(device)
    if device.type == "cuda":
        # On the CPU these convolutions are a quarter faster the other way round, as measured.
        channels_last(network)
    return network


@torch.no_grad()
def _initialise(network: nn.Module) -> None:
    """Weights from N(0, 0.02), as published, which leaves a batch norm's around 1; biases 0."""
    for name, parameter in network.named_parameters():
        if parameter.dim() > 1:
            parameter.normal_(0, INITIAL_DEVIATION)
        elif name.endswith("bias"):
            parameter.zero_()
        else:
            parameter.normal_(1, INITIAL_DEVIATION)
