"""rosinality's StyleGAN2 layout under the official names. The scales agree: weights are renamed, not recomputed."""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from models.checkpoints.checkpoint import Checkpoint
from models.checkpoints.errors import CheckpointRefused
from models.checkpoints.state_dicts import StateDict, below
from models.checkpoints.stylegan2_names import TAPS, W_AVG, kwargs_from_tensors, with_w_avg
from models.networks.filters import square_filter

DECODER = "decoder."
"""Encoders (pSp, e4e, ReStyle) keep the generator under this prefix, beside their own tensors."""
LAYER = {
    "conv.weight": "weight",
    "conv.modulation.weight": "affine.weight",
    "conv.modulation.bias": "affine.bias",
    "noise.weight": "noise_strength",
    "activate.bias": "bias",
    "bias": "bias",
}
KERNELS = ("conv.blur.kernel", "upsample.kernel")


def read(found: StateDict) -> Checkpoint:
    """The generator. Raises CheckpointRefused or ValueError where the tensors are not all those of one."""
    notes: list[str] = []
    tensors = found.tensors
    if decoder := below(tensors, DECODER):
        tensors = decoder
        notes.append("The generator inside of an encoder's checkpoint was taken; the encoder was left out.")
    kernel = next((value for name, value in tensors.items() if name.endswith(KERNELS)), None)
    official = dict(_renamed(tensors))
    resolutions = sorted({int(name.split(".")[1][1:]) for name in official if name.startswith("synthesis.")})
    # Stored with the gain of 4 that upsampling by zeros needs.
    filter_TT = square_filter(TAPS) if kernel is None else kernel.float() / kernel.float().sum()
    official |= dict.fromkeys(_filter_names(resolutions), filter_TT)
    official |= _noise(tensors, resolutions, notes)
    w_avg_D = _latent_avg(found.beside.get("latent_avg"))
    if w_avg_D is None:
        notes.append("The file holds no latent_avg: the mean w is that of 10,000 latents.")
    else:
        official[W_AVG] = w_avg_D
    kwargs = kwargs_from_tensors(official, conv_clamp=None)
    return Checkpoint(
        "stylegan2", kwargs, with_w_avg(kwargs, official), "a PyTorch file in rosinality's layout", tuple(notes)
    )


def _renamed(tensors: Mapping[str, Tensor]) -> list[tuple[str, Tensor]]:
    renamed = []
    for name, tensor in tensors.items():
        if name.startswith("noises.") or name.endswith(KERNELS):
            continue
        new = _official_name(name)
        if new is None:
            raise CheckpointRefused(f"The file looks like rosinality's StyleGAN2, but has a tensor {name!r}.")
        renamed.append((new, _reshaped(new, tensor)))
    return renamed


def _official_name(name: str) -> str | None:
    if match := re.fullmatch(r"style\.([1-9]\d*)\.(weight|bias)", name):
        return f"mapping.fc{int(match[1]) - 1}.{match[2]}"
    if name == "input.input":
        return "synthesis.b4.const"
    match = re.fullmatch(r"(conv1|to_rgb1|convs\.(\d+)|to_rgbs\.(\d+))\.(.+)", name)
    if match is None or match[4] not in LAYER:
        return None
    layer, conv, rgb, leaf = match.groups()
    if layer in ("conv1", "to_rgb1"):
        block, part = 4, "conv1" if layer == "conv1" else "torgb"
    elif conv is not None:
        block, part = 8 << int(conv) // 2, f"conv{int(conv) % 2}"
    else:
        block, part = 8 << int(rgb), "torgb"
    return f"synthesis.b{block}.{part}.{LAYER[leaf]}"


def _reshaped(name: str, tensor: Tensor) -> Tensor:
    """Without the leading batch of one that rosinality keeps, and noise strengths as single numbers."""
    if name.endswith(".noise_strength"):
        return tensor.reshape(())
    if name.endswith("torgb.bias"):
        return tensor.flatten()
    if tensor.dim() == 5 or name == "synthesis.b4.const":
        return tensor.squeeze(0)
    return tensor


def _filter_names(resolutions: list[int]) -> list[str]:
    layers = [f"synthesis.b{res}{layer}" for res in resolutions for layer in ("", ".conv0", ".conv1")]
    return [f"{layer}.resample_filter" for layer in layers if layer != "synthesis.b4.conv0"]


def _noise(tensors: Mapping[str, Tensor], resolutions: list[int], notes: list[str]) -> dict[str, Tensor]:
    layers = [(res, f"conv{i}") for res in resolutions for i in (0, 1) if (res, i) != (4, 0)]
    random = torch.Generator().manual_seed(0)
    noise, drawn = {}, False
    for i, (res, layer) in enumerate(layers):
        stored = tensors.get(f"noises.noise_{i}")
        drawn = drawn or stored is None
        picture = torch.randn(res, res, generator=random) if stored is None else stored.reshape(stored.shape[-2:])
        noise[f"synthesis.b{res}.{layer}.noise_const"] = picture
    if drawn:
        notes.append("The file holds no fixed noise: it was drawn, from a fixed seed.")
    return noise


def _latent_avg(stored: Any) -> Tensor | None:
    if not isinstance(stored, Tensor) or stored.dim() == 0:
        return None
    w_avg_LD = stored.reshape(-1, stored.shape[-1]).float()
    # Encoders keep one copy a layer.
    return w_avg_LD[0].clone() if bool((w_avg_LD == w_avg_LD[0]).all()) else None
