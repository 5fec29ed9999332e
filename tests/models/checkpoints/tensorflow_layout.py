"""PyTorch's tensors under TensorFlow's names, orders and signs: the reverse of what the reader does, written apart."""

from typing import Any

import numpy as np
from torch import Tensor

Variables = dict[str, np.ndarray[Any, Any]]
CONVOLUTION = (2, 3, 1, 0)  # [out, in, h, w] => [h, w, in, out]


def stylegan2_variables(tensors: dict[str, Tensor]) -> Variables:
    """G_main's variables with those of its components."""
    variables: Variables = {"lod": np.zeros((), np.float32)}
    for name, tensor in tensors.items():
        if name.endswith("resample_filter"):
            continue
        part, *rest = name.split(".")
        array = tensor.numpy()
        if part == "mapping":
            variables.update(_stylegan2_mapping(rest, array))
        else:
            variables.update(_stylegan2_synthesis(rest, array))
    return variables


def _stylegan2_mapping(rest: list[str], array: Any) -> Variables:
    if rest == ["w_avg"]:
        return {"dlatent_avg": array}
    layer = "LabelEmbed" if rest[0] == "embed" else f"Dense{rest[0][2:]}"
    return {f"mapping/{layer}/{rest[1]}": array.T if rest[1] == "weight" else array}


def _stylegan2_synthesis(rest: list[str], array: Any) -> Variables:
    size = int(rest[0][1:])
    place = f"synthesis/{size}x{size}"
    if rest[1] == "const":
        return {f"{place}/Const/const": array[None]}
    names = {"conv0": "Conv0_up", "conv1": "Conv" if size == 4 else "Conv1", "torgb": "ToRGB", "skip": "Skip"}
    layer, leaf = f"{place}/{names[rest[1]]}", ".".join(rest[2:])
    if leaf == "noise_const":
        number = 2 * int(np.log2(size)) - (5 if rest[1] == "conv0" else 4)
        return {f"synthesis/noise{number}": array[None, None]}
    if leaf == "weight":
        array = array.transpose(CONVOLUTION)
        return {f"{layer}/weight": array[::-1, ::-1] if rest[1] in ("conv0", "skip") else array}
    if leaf == "affine.weight":
        return {f"{layer}/mod_weight": array.T}
    if leaf == "affine.bias":
        return {f"{layer}/mod_bias": array - 1}
    return {f"{layer}/{leaf}": array}


def stylegan1_variables(tensors: dict[str, Tensor], resolution: int) -> Variables:
    """G_style's variables with those of its components."""
    variables: Variables = {}
    for name, tensor in tensors.items():
        array = tensor.numpy()
        parts = name.split(".")
        if name == "truncation.w_avg":
            variables["dlatent_avg"] = array
        elif name == "synthesis.lod":
            variables["synthesis/lod"] = array
        elif parts[0] == "mapping":
            leaf = "weight" if parts[2] == "linear" else "bias"
            variables[f"mapping/Dense{parts[1][5:]}/{leaf}"] = array.T if leaf == "weight" else array
        elif parts[0] == "synthesis" and parts[2] != "blur":
            variables.update(_stylegan1_synthesis(parts[1], ".".join(parts[2:]), array, resolution))
    return variables


def _stylegan1_synthesis(module: str, leaf: str, array: Any, resolution: int) -> Variables:
    if module.startswith("output"):
        layer = f"synthesis/ToRGB_lod{int(np.log2(resolution)) - 2 - int(module[6:])}"
        return {f"{layer}/bias": array} if leaf == "bias" else {f"{layer}/weight": array.transpose(CONVOLUTION)}
    number = int(module[5:])
    size = 4 << (number // 2)
    names = ("Const", "Conv") if size == 4 else ("Conv0_up", "Conv1")
    layer = f"synthesis/{size}x{size}/{names[number % 2]}"
    leaves = {
        "first_layer": {f"{layer}/const": array},
        "weight": {f"{layer}/weight": array},
        "epilogue.bias": {f"{layer}/bias": array},
        "epilogue.apply_noise.noise": {f"synthesis/noise{number}": array},
        "epilogue.apply_noise.weight": {f"{layer}/Noise/weight": array},
        "epilogue.style_mod.dense.linear.weight": {f"{layer}/StyleMod/weight": array.T},
        "epilogue.style_mod.dense.wscale.bias": {f"{layer}/StyleMod/bias": array},
    }
    return leaves[leaf] if leaf in leaves else {f"{layer}/weight": array.transpose(CONVOLUTION)}


def pggan_variables(tensors: dict[str, Tensor], resolution: int) -> Variables:
    """G_paper's variables."""
    variables: Variables = {}
    for name, tensor in tensors.items():
        array = tensor.numpy()
        module, _, leaf = name.partition(".")
        if module == "lod":
            variables["lod"] = array
        elif module.startswith("output"):
            layer = f"ToRGB_lod{int(np.log2(resolution)) - 2 - int(module[6:])}"
            variables |= (
                {f"{layer}/bias": array} if array.ndim == 1 else {f"{layer}/weight": array.transpose(CONVOLUTION)}
            )
        else:
            variables.update(_pggan_layer(int(module[5:]), leaf, array))
    return variables


def _pggan_layer(number: int, leaf: str, array: Any) -> Variables:
    size = 4 << (number // 2)
    first = "Dense" if size == 4 else ("Conv0_up" if leaf == "weight" else "Conv0")
    layer = f"{size}x{size}/{(first, 'Conv' if size == 4 else 'Conv1')[number % 2]}"
    if leaf == "wscale.bias":
        return {f"{layer}/bias": array}
    if first == "Dense" and number == 0:
        return {f"{layer}/weight": array[:, :, ::-1, ::-1].transpose(1, 0, 2, 3).reshape(array.shape[1], -1)}
    return {f"{layer}/weight": array.transpose(0, 1, 3, 2) if leaf == "weight" else array.transpose(CONVOLUTION)}
