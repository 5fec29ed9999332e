"""Directions straight from the weights: what moves the styles most (SeFa, Shen and Zhou 2021)."""
# K directions, D width of w, L style layer, O outputs of a layer

import re
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from training.directions.ganspace import signed

_FIRST = {"pggan": ("layer0.conv.weight", 1), "dcgan": ("main.0.weight", 0)}
"""Of families without styles: the weight that the latent enters by, and its axis of inputs."""
_BLOCK = re.compile(r"synthesis\.b(\d+)\.conv([01])\.affine\.weight")
_LAYER3 = re.compile(r"synthesis\.L(\d+)_\d+_\d+\.affine\.weight")
_LAYER1 = re.compile(r"synthesis\.layer(\d+)\.epilogue\.style_mod\.dense\.linear\.weight")


def style_weights(tensors: Mapping[str, NDArray[np.floating]], family: str) -> dict[int, NDArray[np.float64]]:
    """The weights [O, D] through which each style layer takes its w, by the layer's number. Of convolutions: those that
    make colours of features move nothing else. Raises ValueError where none are found."""
    if family in _FIRST and _FIRST[family][0] in tensors:
        name, inputs = _FIRST[family]
        weight = np.moveaxis(np.asarray(tensors[name], np.float64), inputs, 0)
        return {0: weight.reshape(len(weight), -1).T}
    found: dict[tuple[int, int], NDArray[np.float64]] = {}
    for name, tensor in tensors.items():
        place = _place(name, family)
        if place is not None:
            found[place] = np.asarray(tensor, np.float64)
    if not found:
        raise ValueError(f"there are no weights of a {family}'s styles among these tensors")
    # StyleGAN3's first style turns and moves the picture.
    start = 1 if family == "stylegan3" else 0
    return {start + number: found[place] for number, place in enumerate(sorted(found))}


def semantics(
    weights: Mapping[int, NDArray[np.float64]], count: int, layers: tuple[int, int] | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """[K, D] directions of length 1 and [K] eigenvalues, the largest first: eigenvectors of A A^T, where the columns
    of A are all rows of the chosen layers' weights, each of length 1. Raises ValueError."""
    chosen = [weight for layer, weight in weights.items() if layers is None or layers[0] <= layer < layers[1]]
    if not chosen:
        raise ValueError(f"layers {layers} hold no style; there are {min(weights)} to {max(weights)}")
    rows = np.concatenate(chosen)
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(min=1e-12)
    if count > rows.shape[1]:
        raise ValueError(f"a latent of {rows.shape[1]} numbers has fewer than {count} directions")
    values, columns = np.linalg.eigh(rows.T @ rows)
    return signed(columns[:, ::-1][:, :count].T), values[::-1][:count]


def _place(name: str, family: str) -> tuple[int, int] | None:
    """What orders the styles of a family; None for any other tensor."""
    for kind, pattern in (("stylegan2", _BLOCK), ("stylegan3", _LAYER3), ("stylegan1", _LAYER1)):
        if kind == family and (match := pattern.fullmatch(name)) is not None:
            numbers = [int(number) for number in match.groups()]
            return numbers[0], numbers[1] if len(numbers) > 1 else 0
    return None
