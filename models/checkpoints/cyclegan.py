"""CycleGAN's and pix2pix's files: the architecture from names and shapes, the traces of old releases removed."""

from collections.abc import Mapping

import torch
from torch import Tensor

from models.checkpoints.checkpoint import Checkpoint
from models.checkpoints.state_dicts import StateDict
from models.networks import translator, unet

STATISTICS = ("running_mean", "running_var", "num_batches_tracked")
RUNNING_NOTE = (
    "Batch normalisation uses the statistics of training; `--kind pix2pix-paper` uses each picture's own, as the "
    "published test script does."
)
PAPER_NOTE = "Batch normalisation uses each picture's own statistics, as the published test script does."


def read_resnet(found: StateDict, *, as_paper: bool = False) -> Checkpoint:
    """CycleGAN's generator, of any number of blocks. Raises ValueError where the tensors are not all those of one."""
    tensors = cleaned(found.tensors)
    kwargs = translator.kwargs_from_tensors(tensors)
    return _checkpoint("cyclegan", kwargs, tensors, as_paper)


def read_unet(found: StateDict, *, as_paper: bool = False) -> Checkpoint:
    """pix2pix's U-Net, of any depth. Raises ValueError where the tensors are not all those of one."""
    tensors = cleaned(found.tensors)
    kwargs = unet.kwargs_from_tensors(tensors)
    return _checkpoint("pix2pix", kwargs, tensors, as_paper)


def cleaned(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Without the statistics that instance norm kept before PyTorch 0.4, which were never used.

    A batch norm of that time lacks `num_batches_tracked`, which is counted in training only: it is zero then.
    """
    plain: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        layer, _, leaf = name.rpartition(".")
        if leaf in STATISTICS and f"{layer}.weight" not in tensors:
            continue
        plain[name] = tensor
        if leaf == "running_var":
            plain.setdefault(f"{layer}.num_batches_tracked", torch.zeros((), dtype=torch.int64))
    return plain


def _checkpoint(family: str, kwargs: dict[str, object], tensors: dict[str, Tensor], as_paper: bool) -> Checkpoint:
    notes: tuple[str, ...] = ()
    if kwargs["norm"] == "batch":
        kwargs["evaluation"] = "batch" if as_paper else "running"
        notes = (PAPER_NOTE if as_paper else RUNNING_NOTE,)
    return Checkpoint(family, kwargs, tensors, "a PyTorch state dict", notes)
