"""Pickles of the TensorFlow releases: StyleGAN2 (ADA's too), StyleGAN, Progressive GAN. Gs, the average, is taken."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.checkpoints.checkpoint import Checkpoint
from models.checkpoints.errors import CheckpointRefused
from models.checkpoints.pickled_arrays import PickledArray
from models.checkpoints.stand_ins import PickledObject
from models.checkpoints.stylegan2_names import kwargs_from_tensors as stylegan2_kwargs
from models.checkpoints.tensorflow_names import Array, converted, pggan_rule, stylegan1_rule, stylegan2_rule
from models.networks import pggan, stylegan1
from models.networks.filters import square_filter
from models.networks.truncation import layer_psi

NETWORK = "Network"
LARGEST_RESOLUTION = 2048
MOST_VARIABLES = 10_000
MOST_COMPONENTS = 8
# Arguments that change what a network computes, each with the only value that ours computes. Files leave them out or
# say the same; a file that says otherwise is refused rather than drawn wrong.
REQUIRED: dict[str, dict[str, Any]] = {
    "StyleGAN2": {"nonlinearity": "lrelu", "mapping_nonlinearity": "lrelu", "normalize_latents": True},
    "StyleGAN": {
        "nonlinearity": "lrelu",
        "mapping_nonlinearity": "lrelu",
        "normalize_latents": True,
        "mapping_lrmul": 0.01,
        "use_wscale": True,
        "mapping_use_wscale": True,
        "use_pixel_norm": False,
        "use_instance_norm": True,
        "blur_filter": [1, 2, 1],
    },
    "Progressive GAN": {
        "normalize_latents": True,
        "use_wscale": True,
        "use_pixelnorm": True,
        "use_leakyrelu": True,
        "tanh_output": False,
        "label_size": 0,
    },
}


def is_tensorflow(content: Any) -> bool:
    """Whether a pickle's content is of a TensorFlow release: one network, or several in a row."""
    return bool(_networks(content))


def read_tensorflow(content: Any) -> Checkpoint:
    """The averaged generator. Raises CheckpointRefused where there is none that can be served."""
    network, notes = _choose(_networks(content))
    variables, arguments = _collect(network, "")
    try:
        return _read(variables, arguments, notes)
    except ValueError as error:
        raise CheckpointRefused(f"The file's network cannot be served: {error}.") from error


def _read(variables: dict[str, Array], arguments: dict[str, Any], notes: tuple[str, ...]) -> Checkpoint:
    family = _family(variables)
    for name, only in REQUIRED[family].items():
        if name in arguments and arguments[name] != only:
            raise CheckpointRefused(
                f"The file's {family} was made with {name} {str(arguments[name])[:40]!r}; only {only!r} is served."
            )
    if any("LabelConcat" in name for name in variables):
        raise CheckpointRefused(f"The file's {family} takes labels as only its TensorFlow release does.")
    kwargs, tensors = READERS[family](variables, arguments)
    return Checkpoint(FAMILIES[family], kwargs, tensors, f"TensorFlow pickle ({family})", notes)


def _networks(content: Any) -> list[PickledObject]:
    row = content if isinstance(content, list | tuple) else [content]
    networks = [one for one in row[:4] if isinstance(one, PickledObject) and one["class_name"] == NETWORK]
    return networks if len(networks) == len(row) else []


def _choose(networks: list[PickledObject]) -> tuple[PickledObject, tuple[str, ...]]:
    if len(networks) == 3:
        return networks[2], ()
    generators = [one for one in networks if not any("FromRGB" in name for name in _collect(one, "")[0])]
    if not generators:
        raise CheckpointRefused("The file holds a discriminator alone; a generator is needed to serve anything.")
    return generators[-1], (
        f"The file holds {len(networks)} networks instead of G, D and Gs; its last generator was taken.",
    )


def _collect(network: PickledObject, prefix: str) -> tuple[dict[str, Array], dict[str, Any]]:
    """All variables by full name, those of components too, and all arguments, the outermost's last."""
    state = network["state"]
    if not isinstance(state, dict) or prefix.count("/") > 2:
        raise CheckpointRefused("The file holds a TensorFlow network without variables.")
    variables: dict[str, Array] = {}
    arguments: dict[str, Any] = {}
    components = state.get("components") or {}
    for name, inner in components.items() if isinstance(components, dict) and len(components) < MOST_COMPONENTS else ():
        if isinstance(inner, PickledObject):
            found, given = _collect(inner, f"{prefix}{name}/")
            variables |= found
            arguments |= given
    own = state.get("variables") or []
    for name, value in own if isinstance(own, list) and len(own) < MOST_VARIABLES else ():
        variables[f"{prefix}{name}"] = value.array if isinstance(value, PickledArray) else np.asarray(value, np.float32)
    static = state.get("static_kwargs")
    arguments |= static if isinstance(static, dict) else {}
    return variables, arguments


def _family(variables: Mapping[str, Array]) -> str:
    if any("FromRGB" in name for name in variables):
        raise CheckpointRefused("The file holds a discriminator where its generator should be.")
    if any(name.endswith("/mod_weight") for name in variables):
        return "StyleGAN2"
    if any("/StyleMod/" in name for name in variables):
        return "StyleGAN"
    if "4x4/Dense/weight" in variables:
        return "Progressive GAN"
    listed = ", ".join(sorted(name[:60] for name in variables)[:3]) or "none at all"
    raise CheckpointRefused(f"The file's TensorFlow network is of no known family; its variables begin with {listed}.")


def _resolution(variables: Mapping[str, Array]) -> int:
    sizes = [int(found[1]) for name in variables if (found := re.match(r"(?:synthesis/)?(\d{1,4})x\1/", name))]
    largest = max(sizes, default=0)
    if largest < 8 or largest > LARGEST_RESOLUTION or largest & (largest - 1):
        raise CheckpointRefused(f"The file's network has a resolution of {largest}, which no release trained.")
    return largest


def _read_stylegan2(variables: dict[str, Array], arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    resolution = _resolution(variables)
    variables = {_without_lod(name, resolution): array for name, array in variables.items()}
    tensors = converted(variables, stylegan2_rule, frozenset({"lod", "synthesis/lod"}), "StyleGAN2")
    taps = _numbers(arguments.get("resample_kernel") or [1, 3, 3, 1])
    for size in [2**i for i in range(2, resolution.bit_length())]:
        layers = ["", "conv1."] if size == 4 else ["", "conv0.", "conv1."]
        if f"synthesis.b{size}.skip.weight" in tensors:
            layers.append("skip.")
        tensors |= {f"synthesis.b{size}.{layer}resample_filter": square_filter(taps) for layer in layers}
    clamp = arguments.get("conv_clamp")
    kwargs = stylegan2_kwargs(tensors, conv_clamp=None if clamp is None else _numbers([clamp])[0])
    kwargs["mapping_kwargs"] |= {"lr_multiplier": _numbers([arguments.get("mapping_lrmul", 0.01)])[0]}
    return kwargs, tensors


def _without_lod(name: str, resolution: int) -> str:
    """Networks grown like StyleGAN's name an output by its level of detail, others by its resolution."""
    found = re.fullmatch(r"synthesis/ToRGB_lod(\d{1,2})/(\w+)", name)
    if not found:
        return name
    size = resolution >> int(found[1])
    return f"synthesis/{size}x{size}/ToRGB/{found[2]}"


def _read_stylegan1(variables: dict[str, Array], arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    resolution = _resolution(variables)
    fused = stylegan1.fused_resolutions(resolution, arguments.get("fused_scale", "auto"))
    tensors = converted(variables, stylegan1_rule(resolution, frozenset(fused)), frozenset({"lod"}), "StyleGAN")
    levels = range(resolution.bit_length() - 2)
    for level in levels[1:]:
        bias = tensors.get(f"synthesis.layer{2 * level}.epilogue.bias")
        channels = 0 if bias is None else bias.numel()
        kernel_33 = square_filter([1, 2, 1])
        tensors[f"synthesis.layer{2 * level}.blur.kernel"] = kernel_33.expand(channels, 1, 3, 3).clone()
    psi, cutoff = arguments.get("truncation_psi", 0.7), arguments.get("truncation_cutoff", 8)
    psi = 1 if psi is None or cutoff is None else psi
    psi_L = layer_psi(2 * len(levels), _numbers([psi])[0], int(_numbers([cutoff or 0])[0]))
    tensors["truncation.truncation"] = psi_L[None, :, None]
    tensors.setdefault("synthesis.lod", torch.zeros(()))
    return stylegan1.kwargs_from_tensors(tensors), tensors


def _read_pggan(variables: dict[str, Array], arguments: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    del arguments
    tensors = converted(variables, pggan_rule(_resolution(variables)), frozenset(), "Progressive GAN")
    tensors.setdefault("lod", torch.zeros(()))
    return pggan.kwargs_from_tensors(tensors), tensors


def _numbers(values: Any) -> list[float]:
    if not isinstance(values, list | tuple) or not all(isinstance(value, int | float) for value in values):
        raise CheckpointRefused("The file gives its network an argument that should be a number, and is none.")
    return [float(value) for value in values]


Reader = Callable[[dict[str, Array], dict[str, Any]], tuple[dict[str, Any], dict[str, Tensor]]]
READERS: dict[str, Reader] = {
    "StyleGAN2": _read_stylegan2,
    "StyleGAN": _read_stylegan1,
    "Progressive GAN": _read_pggan,
}
FAMILIES = {"StyleGAN2": "stylegan2", "StyleGAN": "stylegan1", "Progressive GAN": "pggan"}
