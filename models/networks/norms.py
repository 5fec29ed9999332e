"""The normalisations of image-to-image networks, as their published names spell them: instance, batch, none."""
# N batch, C channel, H W picture

from collections.abc import Mapping
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

NORMS = ("instance", "batch", "none")
EVALUATIONS = ("running", "batch")


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation with two ways of evaluation, both deterministic and without mixing samples.

    running: the statistics gathered in training. batch: those of each picture itself, which is what the published
    pix2pix does, whose batch at test time is one picture (Isola et al. 2017, section 3.4).
    """

    def __init__(self, channels: int, evaluation: str = "running") -> None:
        super().__init__(channels)
        if evaluation not in EVALUATIONS:
            raise ValueError(f"evaluation is {evaluation!r}; known are {', '.join(EVALUATIONS)}")
        self.evaluation = evaluation

    def forward(self, x_NCHW: Tensor) -> Tensor:
        if self.training or self.evaluation == "running":
            return super().forward(x_NCHW)
        return F.instance_norm(x_NCHW, weight=self.weight, bias=self.bias, eps=self.eps)


def new_norm(norm: str, channels: int, evaluation: str = "running") -> nn.Module:
    """The layer of that name. An instance norm has no parameters. Raises ValueError for an unknown name."""
    if norm == "instance":
        return nn.InstanceNorm2d(channels)
    if norm == "batch":
        return BatchNorm(channels, evaluation)
    if norm == "none":
        return nn.Identity()
    raise ValueError(f"norm is {norm!r}; known are {', '.join(NORMS)}")


def has_bias(norm: str) -> bool:
    """Whether the convolution before this norm has a bias of its own: in the published networks, instance alone."""
    return norm == "instance"


def norm_of(tensors: Mapping[str, Tensor], convolution: str, following: str) -> str:
    """The norm between two layers, told by the tensors under these two prefixes.

    A batch norm has a weight. Instance norm and none have nothing: the convolution's bias tells them apart.
    """
    if f"{following}.weight" in tensors:
        return "batch"
    return "instance" if f"{convolution}.bias" in tensors else "none"


def check_names(found: Mapping[str, Any], expected: Mapping[str, Any], what: str) -> None:
    """Raise ValueError unless both have the same names and shapes: `what` is then not of the family after all."""
    if strange := sorted(found.keys() - expected.keys()):
        raise ValueError(f"{what} has no tensor {strange[0]!r}")
    if missing := sorted(expected.keys() - found.keys()):
        raise ValueError(f"{what} needs the tensor {missing[0]!r}, which is not there")
    for name, tensor in expected.items():
        if found[name].shape != tensor.shape:
            raise ValueError(f"{what} has {name!r} of shape {tuple(tensor.shape)}, not {tuple(found[name].shape)}")
