"""Starting a network from another's tensors."""

import logging

import torch
from torch import Tensor, nn

from training.errors import RunRefused

logger = logging.getLogger(__name__)


def transfer(network: nn.Module, tensors: dict[str, Tensor], origin: str) -> set[str]:
    """Copy the tensors whose name and shape the network has; return their names.

    Raises RunRefused where they are less than half of the network. `origin` says in words whose tensors they are.
    """
    own = network.state_dict()
    kept = {name for name, tensor in tensors.items() if name in own and own[name].shape == tensor.shape}
    if 2 * sum(own[key].numel() for key in kept) < sum(tensor.numel() for tensor in own.values()):
        raise RunRefused(f"{origin} hardly fits this run's; channels and widths must agree")
    with torch.no_grad():
        for name in kept:
            own[name].copy_(tensors[name])
    logger.info("%d of %d tensors kept from %s", len(kept), len(own), origin)
    return kept
