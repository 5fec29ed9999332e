"""What a run would do and cost, before it begins."""

import dataclasses
import time
import typing
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from training.portraits.config import PortraitConfig
from training.portraits.state import PortraitState, latents
from training.progressive.state import ProgressiveState
from training.run_config import RunConfig
from training.saved_state import RunState

BYTES_A_PARAMETER = 4
REACHED_SHARE = 0.2
"""Of a device's rate of matrix products, that training of such small networks commonly reaches."""


def typed_settings(config: RunConfig) -> list[str]:
    """`name: type = value`, a line a setting."""
    hints = typing.get_type_hints(type(config))
    lines = []
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        shown = str(value) if isinstance(value, Path) else value
        lines.append(f"{field.name}: {_type_name(hints[field.name])} = {shown!r}")
    return lines


def cost(config: RunConfig, state: RunState, device: torch.device) -> list[str]:
    """Parameters, disk, and where the networks are known arithmetic and time; `state` is a fresh one of the run."""
    networks = {name: network for name, network in state.networks().items() if name != "average"}
    lines = [
        f"{name}: {sum(parameter.numel() for parameter in network.parameters()) / 1e6:.2f} million parameters"
        for name, network in networks.items()
    ]
    total = sum(parameter.numel() for network in networks.values() for parameter in network.parameters())
    snapshots = config.keep_snapshots + max(config.total_images // config.snapshot_every_images, 1).bit_length()
    lines.append(f"state.pt: about {4 * total * BYTES_A_PARAMETER / 1e6:.0f} MB; up to {snapshots} snapshots stay")
    if isinstance(state, PortraitState) and isinstance(config, PortraitConfig):
        lines += _arithmetic(config, state, device)
    return lines


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
