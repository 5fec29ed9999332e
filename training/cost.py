"""What a run would do and cost, before it begins."""

import dataclasses
import time
import typing
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from training.features.config import FeaturesConfig
from training.portraits.config import PortraitConfig
from training.portraits.state import PortraitState, latents
from training.progressive.state import ProgressiveState
from training.run_config import RunConfig
from training.saved_state import RunState

BYTES_A_PARAMETER = 4
REACHED_SHARE = 0.2
"""Of a device's rate of matrix products, that training of such small networks commonly reaches."""


def typed_settings(config: Any) -> list[str]:
    """Of a dataclass: `name: type = value`, a line a setting."""
    hints = typing.get_type_hints(type(config))
    lines = []
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        shown = str(value) if isinstance(value, Path) else value
        lines.append(f"{field.name}: {_type_name(hints[field.name])} = {shown!r}")
    return lines


def cost(config: RunConfig, state: RunState, device: torch.device) -> list[str]:
    """Parameters, steps, memory, disk, and where the networks are known arithmetic and time; `state` is a fresh one of
    the run."""
    networks = {name: network for name, network in state.networks().items() if name != "average"}
    total = sum(count_parameters(network) for network in networks.values())
    lines = [
        *parameter_lines(networks),
        steps_line(-(-config.total_images // config.batch), config.batch),
        memory_line(total),
        f"state.pt: about {4 * total * BYTES_A_PARAMETER / 1e6:.1f} MB{_snapshots(config)}",
    ]
    if isinstance(state, PortraitState) and isinstance(config, PortraitConfig):
        lines += _arithmetic(config, state, device)
    return lines


def parameter_lines(networks: Mapping[str, nn.Module]) -> list[str]:
    """A line a network."""
    return [f"{name}: {count_parameters(each) / 1e6:.2f} million parameters" for name, each in networks.items()]


def count_parameters(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def steps_line(steps: int, batch: int) -> str:
    return f"{steps:,} steps of {batch} images"


def memory_line(parameters: int) -> str:
    """Of weights, gradients, two moments of Adam, and an average that is sampled."""
    size_mb = 5 * parameters * BYTES_A_PARAMETER / 1e6
    return f"in memory: networks and optimisers, at most {size_mb:.1f} MB, and what the pictures of a step become"


def pictures_line(what: str, count: int, side: int) -> str:
    """What so many pictures as bytes take, in a line."""
    return f"in memory: {count:,} {what}, {3 * count * side**2 / 1e6:.1f} MB"


def _snapshots(config: RunConfig) -> str:
    if isinstance(config, FeaturesConfig):
        # It leaves its encoder at the end, and nothing on the way.
        return ""
    snapshots = config.keep_snapshots + max(config.total_images // config.snapshot_every_images, 1).bit_length()
    return f"; up to {snapshots} snapshots stay"


def _arithmetic(config: PortraitConfig, state: PortraitState, device: torch.device) -> list[str]:
    if isinstance(state, ProgressiveState):
        # What it has grown to for most of the run.
        state.grow(0.0)
    c = torch.zeros(config.batch, config.num_classes) if config.num_classes else None
    drawing = _count(lambda: state.draw(latents(range(1), state.average), None if c is None else c[:1], 1.0))
    x = torch.zeros(config.batch, 3, config.resolution, config.resolution)
    judging = _count(lambda: state.judge(x, c)) / config.batch
    # Forward and twice as much backward: the generator once; the discriminator at two pictures, then at one.
    picture = 3 * drawing + 9 * judging
    rate = product_rate(device, bfloat16=config.bfloat16)
    hours = picture * config.total_images / (rate * REACHED_SHARE) / 3600
    return [
        f"a picture drawn: {drawing / 1e9:.2f} GFLOP; judged: {judging / 1e9:.2f}; trained on: {picture / 1e9:.1f}",
        f"{config.total_images:,} images at {REACHED_SHARE:.0%} of this device's matrix products "
        f"({rate / 1e12:.2f} TFLOP/s): about {hours:.1f} h",
    ]


class FlopCount(TorchDispatchMode):  # type: ignore[no-untyped-call]  # torch's
    """A context that adds up the arithmetic of convolutions and products, gradients of gradients too.

    torch's own counter also follows modules, by hooks that such gradients do not pass.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's
        self.total = 0.0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        counted = flop_registry.get(func._overloadpacket)
        if counted is not None:
            self.total += float(counted(*args, **kwargs, out_val=out))
        return out


def _count(call: Callable[[], object]) -> float:
    with FlopCount() as counter, torch.no_grad():
        call()
    return float(counter.total)


def product_rate(device: torch.device, *, bfloat16: bool) -> float:
    """FLOP/s of a square matrix product, the best of a few."""
    side = 4096 if device.type == "cuda" else 1024
    a = torch.randn(side, side, device=device, dtype=torch.bfloat16 if bfloat16 else torch.float32)
    best = float("inf")
    for _ in range(4):
        begun = time.perf_counter()
        _ = (a @ a)[0, 0].item()
        best = min(best, time.perf_counter() - begun)
    return 2 * side**3 / best


def _type_name(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("pathlib._local.", "").replace("pathlib.", "")
