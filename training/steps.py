"""What a step of any recipe needs: the device, its precision, one move of an optimiser, what is due."""

from typing import cast

import torch
from torch import Tensor, nn

from training.run_config import RunConfig


def set_up(config: RunConfig) -> None:
    """Torch as a run needs it."""
    torch.manual_seed(config.seed)
    # Denormals appear in the moments of Adam and slow a CPU by an order of magnitude.
    torch.set_flush_denormal(True)
    torch.backends.cudnn.benchmark = True


def device_of(config: RunConfig) -> torch.device:
    """Where a run of one process would be."""
    if config.device != "auto":
        return torch.device(config.device)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def autocast(config: RunConfig, device: torch.device) -> torch.autocast:
    """Convolutions in bfloat16, where the config wants it."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=config.bfloat16)


def step(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step of gradient descent."""
    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    optimiser.step()


def channels_last(network: nn.Module) -> None:
    """Lay out the weights of convolutions with channels last, in place."""
    # What Module.to(memory_format=...) does, which has no type.
    for parameter in network.parameters():
        if parameter.dim() == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)


def compiled(config: RunConfig, network: nn.Module) -> nn.Module:
    """The network for forward passes, compiled where the config wants it. Not for gradients of gradients."""
    # The wrapper shares the weights; the network itself stays as it is.
    return cast(nn.Module, torch.compile(network)) if config.compile else network


def is_due(config: RunConfig, images_seen: int, every_images: int) -> bool:
    """Whether a multiple of `every_images` was passed by the last step, or the run is at its end."""
    return images_seen >= config.total_images or images_seen % every_images < config.batch
