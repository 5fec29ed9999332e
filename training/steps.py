"""What a step of any recipe needs: the device, its precision, one move of an optimiser, what is due."""

import contextlib
from typing import cast

import torch
from torch import Tensor, nn

from training.allocator import freed_memory_kept
from training.errors import RunRefused
from training.run_config import RunConfig

DEVICES = ("cpu", "cuda")


def set_up(config: RunConfig) -> None:
    """Torch as a run needs it."""
    torch.manual_seed(config.seed)
    # Denormals appear in the moments of Adam and slow a CPU by an order of magnitude.
    torch.set_flush_denormal(True)
    torch.backends.cudnn.benchmark = True


def memory_of(device: torch.device) -> contextlib.AbstractContextManager[object]:
    """How a run on `device` holds the memory of this process."""
    return freed_memory_kept() if device.type == "cpu" else contextlib.nullcontext()


def device_of(config: RunConfig) -> torch.device:
    """Where a run of one process would be. Raises RunRefused for a device that is none, or is not to be had here."""
    has_cuda = torch.cuda.is_available()
    if config.device == "auto":
        return torch.device("cuda" if has_cuda else "cpu")
    try:
        device = torch.device(config.device)
    except RuntimeError:
        device = None
    if device is None or device.type not in DEVICES:
        raise RunRefused(f"device is {config.device!r}; it must be auto, cpu, cuda, or one of several GPUs: cuda:1")
    count = torch.cuda.device_count() if has_cuda else 0
    if device.type == "cuda" and (device.index or 0) >= count:
        found = f"{count or 'no'} CUDA device{'' if count == 1 else 's'}"
        raise RunRefused(
            f"device is {config.device!r}, and torch finds {found} here; leave --device out for the best that there is"
        )
    return device


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
