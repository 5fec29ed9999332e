"""What a state dict's names and shapes tell of its network: a published checkpoint carries no arguments.

Every function raises ValueError, in one sentence that names the family, where the tensors do not fit it.
"""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

LARGEST_RESOLUTION = 2048
# Files from before torch 0.4 lack it; batch normalisation loads without.
OPTIONAL = "num_batches_tracked"


def value_of(tensors: Mapping[str, Tensor], name: str, family: str) -> Tensor:
    """The tensor of that name."""
    if name not in tensors:
        raise ValueError(f"these tensors are not a {family}: {name} is missing")
    return tensors[name]


def shape_of(tensors: Mapping[str, Tensor], name: str, rank: int, family: str) -> tuple[int, ...]:
    """The tensor's shape, which has `rank` numbers, none of them 0."""
    shape = tuple(value_of(tensors, name, family).shape)
    if len(shape) != rank or 0 in shape:
        raise ValueError(f"these tensors are not a {family}: {name} has the shape {list(shape)}, not {rank} dimensions")
    return shape


def count_of(tensors: Mapping[str, Tensor], pattern: str, family: str) -> int:
    """How many there are of `pattern` with 0, 1, 2, ... in its braces; at least one."""
    value_of(tensors, pattern.format(0), family)
    count = 1
    while pattern.format(count) in tensors:
        count += 1
    return count


def resolution_of(num_layers: int, family: str) -> int:
    """The resolution of a generator with two layers at each of 4, 8, ..."""
    largest = 2 * (LARGEST_RESOLUTION.bit_length() - 2)
    if num_layers % 2 or num_layers > largest:
        raise ValueError(
            f"these tensors are not a {family}: they hold {num_layers} layers, not two for each resolution from 4 to "
            f"{LARGEST_RESOLUTION}"
        )
    return int(2 ** (num_layers // 2 + 1))


def check_grown(tensors: Mapping[str, Tensor], name: str, family: str) -> None:
    """Refuse a network whose training stopped before it had grown to its full resolution."""
    lod = value_of(tensors, name, family).item()
    if lod != 0:
        raise ValueError(
            f"this {family} was still growing when it was saved ({name} is {lod:g}, not 0): train it to the end first"
        )


def check_same_names(
    network: Callable[..., nn.Module], kwargs: Mapping[str, Any], tensors: Mapping[str, Tensor], family: str
) -> None:
    """Refuse tensors whose names and shapes are not those of `network(**kwargs)`, which is built to ask it.

    Not on the device `meta`, whose arithmetic imports PyTorch's compiler: that takes longer than the random weights of
    the largest network, and wants to write files, which the process that reads a checkpoint may not.
    """
    with torch.random.fork_rng(devices=[]):
        expected = {name: tuple(tensor.shape) for name, tensor in network(**kwargs).state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    missing = [name for name in expected if name not in found and not name.endswith(OPTIONAL)]
    extra = [name for name in found if name not in expected]
    if missing:
        raise ValueError(f"these tensors are not a whole {family}: {_some(missing)} missing")
    if extra:
        raise ValueError(f"these tensors are not only a {family}: {_some(extra)} left over")
    for name, shape in found.items():
        if shape != expected[name]:
            raise ValueError(
                f"these tensors are not one {family}: {name} has the shape {list(shape)}, the others imply "
                f"{list(expected[name])}"
            )


def _some(names: list[str]) -> str:
    if len(names) == 1:
        return f"{names[0]} is"
    return f"{names[0]} and {len(names) - 1} more are"
