"""Which network a family stands for, and a network built from its published tensors."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import torch
from torch import Tensor, nn

from models.errors import ModelRefused
from models.networks import dcgan, pggan, stylegan1, stylegan2, stylegan3
from models.networks.translator import ResnetTranslator
from models.networks.unet import UnetTranslator

GENERATORS: Final[Mapping[str, type[nn.Module]]] = MappingProxyType(
    {
        "stylegan1": stylegan1.Generator,
        "stylegan2": stylegan2.Generator,
        "stylegan3": stylegan3.Generator,
        "pggan": pggan.Generator,
        "dcgan": dcgan.Generator,
    }
)
TRANSLATORS: Final[Mapping[str, type[nn.Module]]] = MappingProxyType(
    {"cyclegan": ResnetTranslator, "pix2pix": UnetTranslator}
)
ARCHITECTURES: Final[Mapping[str, type[nn.Module]]] = MappingProxyType({**GENERATORS, **TRANSLATORS})
SHOWN = 3
"""How many tensor names a refusal lists."""


def build(family: str, kwargs: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> nn.Module:
    """The network of a family with these tensors in it, for evaluation.

    kwargs: the constructor's arguments. tensors: the complete state dict under the published names, of any float type.
    Raises ModelRefused when the family is unknown, when the arguments describe no network, and when the tensors are not
    exactly those of the network: nothing is left out, and nothing left over. Names and shapes are compared before any
    memory is taken.
    """
    with torch.device("meta"):
        _check_tensors(_new(family, kwargs), tensors, family)
    network = build_untrained(family, kwargs)
    network.load_state_dict(dict(tensors), strict=True)
    return network


def build_untrained(family: str, kwargs: Mapping[str, Any]) -> nn.Module:
    """A network of a family with the weights it is born with, for evaluation. Raises ModelRefused as `build` does."""
    return _new(family, kwargs).eval().requires_grad_(False)


def _new(family: str, kwargs: Mapping[str, Any]) -> nn.Module:
    if family not in ARCHITECTURES:
        raise ModelRefused(f"There is no family {family!r}; known are {', '.join(ARCHITECTURES)}.")
    try:
        return ARCHITECTURES[family](**kwargs)
    except (TypeError, ValueError) as error:
        raise ModelRefused(f"No {family} network can be built as described: {error}.") from error


def _check_tensors(network: nn.Module, tensors: Mapping[str, Tensor], family: str) -> None:
    expected = network.state_dict()
    missing = [name for name in expected if name not in tensors]
    strange = [name for name in tensors if name not in expected]
    shapes = [name for name in expected if name in tensors and expected[name].shape != tensors[name].shape]
    for names, what in ((missing, "are missing"), (strange, "are unknown")):
        if names:
            raise ModelRefused(f"These tensors are no {family} as described: {_listed(names)} {what}.")
    if shapes:
        name = shapes[0]
        raise ModelRefused(
            f"These tensors are no {family} as described: {name} is {list(tensors[name].shape)} "
            f"instead of {list(expected[name].shape)}."
        )


def _listed(names: list[str]) -> str:
    rest = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {rest} more" if rest > 0 else "")
