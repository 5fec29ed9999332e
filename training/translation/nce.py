"""Contrastive unpaired translation: a patch of the translation must know its own place in the photo.

Park et al. 2020 (CUT), section 3: features of the generator's first half, at the same place of photo and translation,
attract each other; those of other places of the same photo repel. One generator and one discriminator are enough.
"""
# B batch, C channel, H W picture, P patch, F feature

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.networks.translator import FIRST_BLOCK, ResnetTranslator

FEATURES = 256


def feature_places(n_blocks: int) -> tuple[int, ...]:
    """Indices into the generator's layers: the picture, both downward convolutions, the first and a middle block."""
    return tuple(sorted({0, 4, 7, FIRST_BLOCK, FIRST_BLOCK + min(4, n_blocks - 1)}))


def feature_channels(ngf: int, n_blocks: int) -> tuple[int, ...]:
    """Channels at `feature_places`."""
    return tuple({0: 3, 4: 2 * ngf}.get(place, 4 * ngf) for place in feature_places(n_blocks))


def layers_of(generator: nn.Module) -> list[nn.Module]:
    assert isinstance(generator, ResnetTranslator), "the config lets no other generator through"
    return list(generator.model)


def translate_with_features(generator: nn.Module, x_BCHW: Tensor, places: Sequence[int]) -> tuple[Tensor, list[Tensor]]:
    """The translation, and the features that arose at `places` on the way: they cost nothing."""
    found = []
    for place, layer in enumerate(layers_of(generator)):
        x_BCHW = layer(x_BCHW)
        if place in places:
            found.append(x_BCHW)
    return x_BCHW, found


def encode(generator: nn.Module, x_BCHW: Tensor, places: Sequence[int]) -> list[Tensor]:
    """The features at `places`, without the rest of the generator."""
    found = []
    for place, layer in enumerate(layers_of(generator)[: max(places) + 1]):
        x_BCHW = layer(x_BCHW)
        if place in places:
            found.append(x_BCHW)
    return found


class PatchHead(nn.Module):
    """A perceptron of two layers for each feature map, onto the unit sphere."""

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.perceptrons = nn.ModuleList(
            nn.Sequential(nn.Linear(count, FEATURES), nn.ReLU(), nn.Linear(FEATURES, FEATURES)) for count in channels
        )

    def contrast(self, queries: Sequence[Tensor], keys: Sequence[Tensor], count: int, temperature: float) -> Tensor:
        """The loss over `count` places of each map, drawn anew. `queries` of the translation, `keys` of the photo."""
        chosen = [torch.randperm(x.shape[2] * x.shape[3], device=x.device)[:count] for x in keys]
        return nce_loss(self(queries, chosen), self(keys, chosen), temperature)

    def forward(self, maps: Sequence[Tensor], chosen: Sequence[Tensor]) -> list[Tensor]:
        """[B, C, H, W] each, and which of its H * W places -> [B, P, F] each."""
        projected = []
        for perceptron, x_BCHW, places_P in zip(self.perceptrons, maps, chosen, strict=True):
            patches_BPC = x_BCHW.flatten(2).transpose(1, 2)[:, places_P]
            projected.append(F.normalize(perceptron(patches_BPC).float(), dim=2))
        return projected


def nce_loss(queries: Sequence[Tensor], keys: Sequence[Tensor], temperature: float) -> Tensor:
    """Mean cross-entropy of finding a patch's own place among those of its picture (Park et al. 2020, Eq. 3)."""
    losses = []
    for query_BPF, key_BPF in zip(queries, keys, strict=True):
        likeness_BPP = query_BPF @ key_BPF.detach().transpose(1, 2) / temperature
        own_BP = torch.arange(likeness_BPP.shape[1], device=likeness_BPP.device).expand(likeness_BPP.shape[:2])
        losses.append(F.cross_entropy(likeness_BPP.flatten(0, 1), own_BP.flatten()))
    return torch.stack(losses).mean()
