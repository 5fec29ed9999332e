"""The networks that benchmarks measure: published shapes with random weights, and models that are here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from models.catalogue import ModelEntry, find_models
from models.export.export_model import graphs_of
from models.export.graphs import Graph
from models.export.onnx_graph import round_to_half
from models.export.rebuild import rebuild
from models.manifest import TranslatorManifest
from models.networks.architectures import build_untrained

PLAIN = ("dcgan", "cyclegan", "pix2pix")
PHOTO_SIDE = 256


@dataclass(frozen=True)
class Case:
    """A network to measure: the family, what it is built with, and the side of the pictures (of translators).

    entry: the model whose weights it has; None: random ones.
    """

    family: str
    title: str
    kwargs: Mapping[str, Any]
    side: int = 0
    entry: ModelEntry | None = None

    def network(self) -> nn.Module:
        """For evaluation, its weights representable in float16, as graphs store them."""
        return random_network(self) if self.entry is None else rebuild(self.entry)

    def graph(self) -> Graph:
        """What draws the pictures."""
        return list(graphs_of(self.network(), self.family).values())[-1]


def cases(*, quick: bool) -> dict[str, Case]:
    """By the names of --family. quick: a fraction of the size, to see that all of it runs."""
    side = 32 if quick else 128
    style = {"z_dim": 512, "c_dim": 0, "w_dim": 512, "img_resolution": side, "img_channels": 3}
    base = 2048 if quick else 16384
    stylegan3 = {**style, "channel_base": base}
    # Config R has twice the channels, 1x1 convolutions and radial filters.
    turning = {"channel_base": 2 * base, "channel_max": 1024, "conv_kernel": 1, "use_radial_filters": True}
    channels = [min(512, base // (2**i)) for i in range(2, side.bit_length())]
    progressive = {"z_dim": 512, "img_resolution": side, "channels": channels}
    photo = 64 if quick else PHOTO_SIDE
    return {
        "stylegan1": Case("stylegan1", f"StyleGAN {side}", progressive),
        "stylegan2": Case("stylegan2", f"StyleGAN2 {side}", {**style, "channel_base": base}),
        "stylegan3-t": Case("stylegan3", f"StyleGAN3-T {side}", stylegan3),
        "stylegan3-r": Case("stylegan3", f"StyleGAN3-R {side}", {**stylegan3, **turning}),
        "pggan": Case("pggan", f"Progressive GAN {side}", progressive),
        "dcgan": Case("dcgan", f"DCGAN {side // 2}", {"img_resolution": side // 2}),
        "cyclegan": Case("cyclegan", f"CycleGAN {photo}", {"n_blocks": 2 if quick else 9}, photo),
        "pix2pix": Case("pix2pix", f"pix2pix {photo}", {"num_downs": 6 if quick else 8}, photo),
    }


def case_of(entry: ModelEntry) -> Case:
    """A model that is here; a translator is measured on pictures of PHOTO_SIDE."""
    manifest = entry.manifest
    side = PHOTO_SIDE if isinstance(manifest, TranslatorManifest) else 0
    return Case(manifest.family, manifest.name, manifest.kwargs, side, entry)


def random_network(case: Case) -> nn.Module:
    """Of the case's shape, with random weights."""
    torch.manual_seed(0)
    network = build_untrained(case.family, case.kwargs)
    for module in network.modules():
        if case.family in PLAIN and isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            # As they are published to start; from PyTorch's own start they draw a nearly even grey.
            nn.init.normal_(module.weight, std=0.02)
    round_to_half(network)
    return network


def wanted(families: Sequence[str] | None, models: Sequence[str], store: Path | None, *, quick: bool) -> list[Case]:
    """The families and models that were asked for; all families where nothing was."""
    known = cases(quick=quick)
    here = find_models(store)
    named = families or ([] if models else list(known))
    return [known[name] for name in named] + [case_of(here.named(name)) for name in models]
