"""The tensors of the TensorFlow releases under the names, orders and signs of the PyTorch networks.

Dense weights are [in, out] there and [out, in] here, convolutions [height, width, in, out] there and [out, in, height,
width] here.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.checkpoints.errors import CheckpointRefused

Array = NDArray[Any]
Conversion = Callable[[Array], Array]
# (what our tensor is called, how to make it) for a TensorFlow name, or None where it is not ours.
Rule = Callable[[str], tuple[str, Conversion] | None]

SG2_LAYERS = {"Conv0_up": "conv0", "Conv1": "conv1", "Conv": "conv1", "ToRGB": "torgb", "Skip": "skip"}
SG1_SCALARS = {"dlatent_avg": "truncation.w_avg", "synthesis/lod": "synthesis.lod"}


def as_is(array: Array) -> Array:
    return array


def transposed(array: Array) -> Array:
    return array.T


def convolution(array: Array) -> Array:
    return array.transpose(3, 2, 0, 1)


def flipped_convolution(array: Array) -> Array:
    """TensorFlow's upsampling convolution is written as a convolution, ours as a transposed one."""
    return array[::-1, ::-1].transpose(3, 2, 0, 1)


def plus_one(array: Array) -> Array:
    """TensorFlow adds the 1 of a style when it is used, PyTorch stores it in the bias."""
    return array + 1


def first(array: Array) -> Array:
    only: Array = array[0]
    return only


def only_picture(array: Array) -> Array:
    picture: Array = array[0, 0]
    return picture


def transposed_fused(array: Array) -> Array:
    """[k, k, out, in] => [k, k, in, out]."""
    return array.transpose(0, 1, 3, 2)


def dense_as_convolution(array: Array) -> Array:
    """[in, out * 16] => [out, in, 4, 4], to be convolved with a single pixel padded by three."""
    return array.reshape(array.shape[0], -1, 4, 4)[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)


def converted(variables: Mapping[str, Array], rule: Rule, ignored: frozenset[str], family: str) -> dict[str, Tensor]:
    """Every variable by its rule. Raises CheckpointRefused where one has no rule, or not the shape it needs."""
    return dict(_converted(variables, rule, ignored, family))


def _converted(
    variables: Mapping[str, Array], rule: Rule, ignored: frozenset[str], family: str
) -> Iterator[tuple[str, Tensor]]:
    for name, array in variables.items():
        if name in ignored:
            continue
        found = rule(name)
        if found is None:
            raise CheckpointRefused(f"The file's {family} network has a variable {name[:80]!r} that {family} has not.")
        ours, convert = found
        try:
            yield ours, torch.from_numpy(np.array(convert(array), dtype=np.float32, order="C"))
        except (ValueError, IndexError) as error:
            raise CheckpointRefused(
                f"The file's variable {name[:80]!r} has the shape {list(array.shape)}, which {family} does not use."
            ) from error


def stylegan2_rule(name: str) -> tuple[str, Conversion] | None:
    if name == "dlatent_avg":
        return "mapping.w_avg", as_is
    if name == "synthesis/4x4/Const/const":
        return "synthesis.b4.const", first
    if found := re.fullmatch(r"mapping/(?:Dense(\d+)|LabelEmbed)/(weight|bias)", name):
        number, leaf = found.groups()
        layer = "embed" if number is None else f"fc{int(number)}"
        return f"mapping.{layer}.{leaf}", transposed if leaf == "weight" else as_is
    if found := re.fullmatch(r"synthesis/noise(\d+)", name):
        return f"synthesis.{_noise_layer(int(found[1]))}.noise_const", only_picture
    if found := re.fullmatch(r"synthesis/(\d+)x\1/(Conv0_up|Conv1|Conv|ToRGB|Skip)/(\w+)", name):
        layer = f"synthesis.b{int(found[1])}.{SG2_LAYERS[found[2]]}"
        return _stylegan2_leaf(layer, found[3], flipped=found[2] in ("Conv0_up", "Skip"))
    return None


def _stylegan2_leaf(layer: str, leaf: str, flipped: bool) -> tuple[str, Conversion] | None:
    leaves: dict[str, tuple[str, Conversion]] = {
        "weight": ("weight", flipped_convolution if flipped else convolution),
        "bias": ("bias", as_is),
        "noise_strength": ("noise_strength", as_is),
        "mod_weight": ("affine.weight", transposed),
        "mod_bias": ("affine.bias", plus_one),
    }
    if leaf not in leaves:
        return None
    ours, convert = leaves[leaf]
    return f"{layer}.{ours}", convert


def _noise_layer(number: int) -> str:
    """0: b4.conv1, 1: b8.conv0, 2: b8.conv1, 3: b16.conv0, ..."""
    level = (number + 1) // 2
    return f"b{4 << min(level, 20)}.conv{1 if number % 2 == 0 else 0}"


def stylegan1_rule(resolution: int, fused: frozenset[int]) -> Rule:
    """`fused`: the resolutions whose upsampling is fused, and whose weight keeps TensorFlow's order."""

    def rule(name: str) -> tuple[str, Conversion] | None:
        if name in SG1_SCALARS:
            return SG1_SCALARS[name], as_is
        if found := re.fullmatch(r"mapping/Dense(\d+)/(weight|bias)", name):
            layer = f"mapping.dense{int(found[1])}"
            return (f"{layer}.linear.weight", transposed) if found[2] == "weight" else (f"{layer}.wscale.bias", as_is)
        if found := re.fullmatch(r"synthesis/noise(\d+)", name):
            return f"synthesis.layer{int(found[1])}.epilogue.apply_noise.noise", as_is
        if found := re.fullmatch(r"synthesis/ToRGB_lod(\d+)/(weight|bias)", name):
            output = f"synthesis.output{_level(resolution) - int(found[1])}"
            return (f"{output}.conv.weight", convolution) if found[2] == "weight" else (f"{output}.bias", as_is)
        if found := re.fullmatch(r"synthesis/(\d+)x\1/(Const|Conv|Conv0_up|Conv1)/([\w/]+)", name):
            size = int(found[1])
            layer = f"synthesis.layer{2 * _level(size) + (found[2] in ('Conv', 'Conv1'))}"
            return _stylegan1_leaf(layer, found[3], fused=found[2] == "Conv0_up" and size in fused)
        return None

    return rule


def _stylegan1_leaf(layer: str, leaf: str, fused: bool) -> tuple[str, Conversion] | None:
    leaves: dict[str, tuple[str, Conversion]] = {
        "const": ("first_layer", as_is),
        "weight": ("weight", as_is) if fused else ("conv.weight", convolution),
        "bias": ("epilogue.bias", as_is),
        "Noise/weight": ("epilogue.apply_noise.weight", as_is),
        "StyleMod/weight": ("epilogue.style_mod.dense.linear.weight", transposed),
        "StyleMod/bias": ("epilogue.style_mod.dense.wscale.bias", as_is),
    }
    if leaf not in leaves:
        return None
    ours, convert = leaves[leaf]
    return f"{layer}.{ours}", convert


def pggan_rule(resolution: int) -> Rule:
    def rule(name: str) -> tuple[str, Conversion] | None:
        if name == "lod":
            return "lod", as_is
        if found := re.fullmatch(r"ToRGB_lod(\d+)/(weight|bias)", name):
            output = f"output{_level(resolution) - int(found[1])}"
            return (f"{output}.conv.weight", convolution) if found[2] == "weight" else (f"{output}.wscale.bias", as_is)
        if found := re.fullmatch(r"(\d+)x\1/(Dense|Conv|Conv0|Conv0_up|Conv1)/(weight|bias)", name):
            layer = f"layer{2 * _level(int(found[1])) + (found[2] in ('Conv', 'Conv1'))}"
            if found[3] == "bias":
                return f"{layer}.wscale.bias", as_is
            if found[2] == "Conv0_up":
                return f"{layer}.weight", transposed_fused
            return f"{layer}.conv.weight", dense_as_convolution if found[2] == "Dense" else convolution
        return None

    return rule


def _level(resolution: int) -> int:
    """4 => 0, 8 => 1, ..."""
    return resolution.bit_length() - 3
