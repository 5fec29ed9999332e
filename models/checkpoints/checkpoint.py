"""A checkpoint after it was read: which network it is for, and its tensors under that network's own names."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor


@dataclass(frozen=True)
class Checkpoint:
    """What every reader of a published layout returns.

    family: a key of models.networks.architectures. kwargs: the constructor arguments of that network, JSON-able.
    tensors: its state dict, complete, under the published names. origin: the container, in words. notes: what a person
    should hear about what was assumed, left out or chosen.
    """

    family: str
    kwargs: dict[str, Any]
    tensors: dict[str, Tensor]
    origin: str
    notes: tuple[str, ...] = ()
