"""A network of each family, as small as it can be and still show everything, with random weights that do something."""

from typing import Any

import torch
from torch import nn

from models.networks.architectures import build_untrained

SMALL_STYLEGAN3 = {"channel_base": 256, "channel_max": 16, "num_layers": 6, "margin_size": 4}
TINY_NETWORKS: dict[str, tuple[str, dict[str, Any]]] = {
    # What it shows -> family, kwargs.
    "stylegan2": (
        "stylegan2",
        {
            "z_dim": 16,
            "c_dim": 0,
            "w_dim": 24,
            "img_resolution": 16,
            "img_channels": 3,
            "mapping_kwargs": {"num_layers": 2},
            "synthesis_kwargs": {"channel_base": 256, "channel_max": 24, "conv_clamp": 256},
        },
    ),
    "stylegan1": (
        "stylegan1",
        {"z_dim": 16, "w_dim": 24, "img_resolution": 16, "channels": [24, 16, 8], "mapping_layers": 2},
    ),
    "stylegan3-t": (
        "stylegan3",
        {"z_dim": 16, "c_dim": 2, "w_dim": 24, "img_resolution": 16, "img_channels": 3, **SMALL_STYLEGAN3},
    ),
    "stylegan3-r": (
        "stylegan3",
        {
            "z_dim": 16,
            "c_dim": 0,
            "w_dim": 24,
            "img_resolution": 16,
            "img_channels": 3,
            "conv_kernel": 1,
            "use_radial_filters": True,
            **SMALL_STYLEGAN3,
        },
    ),
    "pggan": ("pggan", {"z_dim": 16, "img_resolution": 16, "channels": [24, 16, 8]}),
    "dcgan": ("dcgan", {"z_dim": 16, "c_dim": 3, "img_resolution": 16, "channels": [24, 16]}),
    "cyclegan": ("cyclegan", {"ngf": 8, "n_blocks": 2}),
    "pix2pix": ("pix2pix", {"ngf": 8, "num_downs": 5}),
}


def tiny_network(name: str, **changes: Any) -> tuple[nn.Module, str, dict[str, Any]]:
    """A network, its family and its kwargs; the same at every call. changes: of the kwargs."""
    family, kwargs = TINY_NETWORKS[name]
    kwargs = {**kwargs, **changes}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = build_untrained(family, kwargs)
        with torch.no_grad():
            for key, tensor in network.state_dict().items():
                _liven(key, tensor)
    return network, family, kwargs


def _liven(name: str, tensor: torch.Tensor) -> None:
    """What a new network has at 0 or 1, trained ones have elsewhere."""
    if name.endswith(("noise_strength", "apply_noise.weight")):
        tensor.fill_(0.3)
    elif name.endswith("w_avg"):
        tensor.normal_()
    elif name.endswith("running_var"):
        tensor.uniform_(0.5, 1.5)
    elif name.startswith(("main.", "model.")) and tensor.ndim == 4:
        # Born with a deviation of 0.02, they would draw an even grey.
        tensor.mul_(0.6 / (tensor.std() * tensor[0].numel() ** 0.5))
