"""What translation adds to the adversarial objectives."""
# B batch, C channel, H W picture

from collections.abc import Iterable

import torch.nn.functional as F
from torch import Tensor, nn

from training.augment import augment
from training.translation.config import TranslationConfig

COLOUR_PATCH = 16


def colour_difference(translated_BCHW: Tensor, photo_BCHW: Tensor) -> Tensor:
    """Mean |difference| of the colours that 16x16 pixels have on average: strokes are free, the palette is not."""
    return F.l1_loss(F.avg_pool2d(translated_BCHW.float(), COLOUR_PATCH), F.avg_pool2d(photo_BCHW, COLOUR_PATCH))


def set_trainable(networks: Iterable[nn.Module], trainable: bool) -> None:
    """Whether gradients of these networks' weights are computed."""
    for network in networks:
        network.requires_grad_(trainable)


def judge(discriminator: nn.Module, config: TranslationConfig, real: Tensor, translated: Tensor) -> Tensor:
    """The loss of a discriminator on wanted pictures and (detached) translations, augmented alike.

    Halved, as published, so that a discriminator learns more slowly than the generator.
    """
    real_scores = discriminator(augment(real, config.augment))
    fake_scores = discriminator(augment(translated, config.augment))
    return config.adversarial.discriminator(real_scores, fake_scores) / 2
