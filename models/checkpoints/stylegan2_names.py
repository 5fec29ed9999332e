"""StyleGAN2's generator told by its official tensor names: safetensors, our own training, what rosinality becomes."""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from models.networks.style_generator import MappingNetwork
from models.networks.stylegan2 import Generator
from models.networks.tensor_names import check_same_names, count_of, shape_of, value_of

FAMILY = "StyleGAN2 generator"
TAPS = (1, 3, 3, 1)
PUBLISHED_CLAMP = 256
AVERAGED = 10_000
W_AVG = "mapping.w_avg"


def kwargs_from_tensors(tensors: Mapping[str, Tensor], conv_clamp: float | None = PUBLISHED_CLAMP) -> dict[str, Any]:
    """The constructor's arguments for an official state dict. `conv_clamp` leaves no trace in one.

    Raises ValueError, in one sentence, where the tensors are not all those of one StyleGAN2 generator.
    """
    found = [re.fullmatch(r"synthesis\.b(\d+)\.conv1\.weight", name) for name in tensors]
    resolutions = sorted(int(match[1]) for match in found if match)
    if not resolutions or resolutions != [2**i for i in range(2, 2 + len(resolutions))]:
        raise ValueError(f"these tensors are not a {FAMILY}: its resolutions are {resolutions or 'missing'}")
    last = resolutions[-1]
    channels = {res: shape_of(tensors, f"synthesis.b{res}.conv1.weight", 4, FAMILY)[0] for res in resolutions}
    channel_base, channel_max = channel_rule(channels)
    mapping = _mapping_kwargs(tensors)
    kwargs = {
        **{name: mapping.pop(name) for name in ("z_dim", "c_dim", "w_dim")},
        "img_resolution": last,
        "img_channels": shape_of(tensors, f"synthesis.b{last}.torgb.weight", 4, FAMILY)[0],
        "mapping_kwargs": mapping,
        "synthesis_kwargs": {
            "channel_base": channel_base,
            "channel_max": channel_max,
            "conv_clamp": conv_clamp,
            "architecture": _architecture(tensors, last),
            "use_noise": "synthesis.b4.conv1.noise_const" in tensors,
            "resample_filter": _taps(value_of(tensors, "synthesis.b4.resample_filter", FAMILY)),
        },
    }
    check_same_names(Generator, kwargs, {W_AVG: torch.zeros(kwargs["w_dim"]), **tensors}, FAMILY)
    return kwargs


def channel_rule(channels: Mapping[int, int]) -> tuple[int, int]:
    """channel_base and channel_max that give these channels by resolution: min(base // resolution, max).

    Raises ValueError where no such two numbers do.
    """
    channel_max = max(channels.values())
    channel_base = max(res * width for res, width in channels.items())
    rebuilt = {res: min(channel_base // res, channel_max) for res in channels}
    if rebuilt != dict(channels):
        listed = ", ".join(f"{width} at {res}" for res, width in channels.items())
        raise ValueError(f"these tensors are not a {FAMILY}: no channel_base gives {listed}")
    return channel_base, channel_max


def with_w_avg(kwargs: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors with a mean w: where the file holds none, that of 10,000 latents, always the same ones."""
    if W_AVG in tensors:
        return dict(tensors)
    mapping = MappingNetwork(kwargs["z_dim"], kwargs["c_dim"], kwargs["w_dim"], None, **kwargs["mapping_kwargs"])
    mapping.load_state_dict(
        {name.removeprefix("mapping."): value for name, value in tensors.items() if name.startswith("mapping.")}
    )
    random = torch.Generator().manual_seed(0)
    z_NZ = torch.randn(AVERAGED, kwargs["z_dim"], generator=random)
    labels = torch.randint(max(1, kwargs["c_dim"]), (AVERAGED,), generator=random)
    c_NY = torch.nn.functional.one_hot(labels, kwargs["c_dim"]).float() if kwargs["c_dim"] else None
    with torch.no_grad():
        return {**tensors, W_AVG: mapping(z_NZ, c_NY).mean(dim=0)}


def _mapping_kwargs(tensors: Mapping[str, Tensor]) -> dict[str, Any]:
    num_layers = count_of(tensors, "mapping.fc{}.weight", FAMILY)
    features, inputs = shape_of(tensors, "mapping.fc0.weight", 2, FAMILY)
    w_dim = shape_of(tensors, f"mapping.fc{num_layers - 1}.weight", 2, FAMILY)[0]
    embedded, c_dim = 0, 0
    if "mapping.embed.weight" in tensors:
        embedded, c_dim = shape_of(tensors, "mapping.embed.weight", 2, FAMILY)
    kwargs: dict[str, Any] = {"z_dim": inputs - embedded, "c_dim": c_dim, "w_dim": w_dim, "num_layers": num_layers}
    if c_dim:
        kwargs["embed_features"] = embedded
    if num_layers > 1:
        kwargs["layer_features"] = features
    return kwargs


def _architecture(tensors: Mapping[str, Tensor], last: int) -> str:
    if f"synthesis.b{last}.skip.weight" in tensors:
        return "resnet"
    return "skip" if last == 4 or "synthesis.b4.torgb.weight" in tensors else "orig"


def _taps(filter_TT: Tensor) -> list[float]:
    # The square filter is the outer product of its taps, which sum to one: the sum of a row is a tap.
    taps = filter_TT.sum(dim=1)
    usual = torch.tensor(TAPS, dtype=taps.dtype) / sum(TAPS)
    if taps.shape == usual.shape and torch.allclose(taps, usual, atol=1e-6):
        return [float(tap) for tap in TAPS]
    return [float(tap) for tap in taps]
