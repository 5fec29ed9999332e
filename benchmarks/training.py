"""How fast StyleGAN2 trains here, part by part, beside what the device's matrix products allow.

    python -m benchmarks.training [--resolutions 64 128 256] [--batch 16] [--device auto] [--precision bfloat16 float32]

Each part is a forward and a backward pass (R1 and path length: with gradients of gradients) and its step. Images per
second are those of a run as it goes: a step of the generator and one of the discriminator for every batch, R1 at every
16th, path length at every 4th. The share is that of the measured rate of square matrix products in the same precision.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training.augment import augment
from training.config import TrainingConfig
from training.cost import FlopCount, product_rate
from training.ema import update_ema
from training.faces.generating import synthesise
from training.faces.state import TrainingState, fresh_state
from training.losses import r1_penalty
from training.processes import Processes
from training.steps import autocast, compiled, memory_of, set_up

PARTS = ("draw", "generator", "discriminator", "r1", "path_length", "augmentation", "average")
# How often each is done for a batch.
SHARE = {"generator": 1.0, "discriminator": 1.0, "r1": 1 / 16, "path_length": 1 / 4, "average": 1.0}
# The discriminator sees three batches for every one: augmented each.
SHARE["augmentation"] = 3.0


def main() -> None:
    options = parse()
    for resolution in options.resolutions:
        for precision in options.precision:
            print(json.dumps(measure(options, resolution, precision)), flush=True)


def measure(options: argparse.Namespace, resolution: int, precision: str) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        config = TrainingConfig(
            data=Path(folder) / "pictures",
            out=Path(folder) / "run",
            resolution=resolution,
            total_images=1,
            batch=options.batch,
            channel_base=options.channel_base,
            channel_max=options.channel_max,
            device=options.device,
            bfloat16=precision == "bfloat16",
            augment=("bgc",),
            path_length_weight=2.0,
            compile=options.compile,
        )
        with Processes(config) as processes, memory_of(processes.device):
            return measure_parts(config, processes, options.repeats)


def measure_parts(config: TrainingConfig, processes: Processes, repeats: int) -> dict[str, Any]:
    device = processes.device
    set_up(config)
    state = fresh_state(config, device)
    real = torch.rand(config.batch, 3, config.resolution, config.resolution, device=device) * 2 - 1
    parts = Parts(config, state, real, processes).all()
    flops = {name: count(part) for name, part in parts.items()}
    seconds = {name: timed(part, device, repeats) for name, part in parts.items()}
    rate = product_rate(device, bfloat16=config.bfloat16)
    batch_s = sum(SHARE[name] * seconds[name] for name in SHARE)
    batch_flops = sum(SHARE[name] * flops[name] for name in SHARE)
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else f"cpu, {torch.get_num_threads()}",
        "resolution": config.resolution,
        "batch": config.batch,
        "precision": "bfloat16" if config.bfloat16 else "float32",
        "images_per_second": round(config.batch / batch_s, 2),
        "share_of_products": round(batch_flops / batch_s / rate, 4),
        "product_tflops": round(rate / 1e12, 3),
        "gflop_per_image": round(batch_flops / config.batch / 1e9, 2),
        "ms": {name: round(seconds[name] * 1000, 2) for name in PARTS},
        "share_by_part": {
            name: round(flops[name] / seconds[name] / rate, 4) for name in PARTS if flops[name] and seconds[name]
        },
    }


class Parts:
    """Each method does the work of one batch."""

    def __init__(self, config: TrainingConfig, state: TrainingState, real: Tensor, processes: Processes) -> None:
        self.config, self.state, self.real, self.processes = config, state, real, processes
        self.discriminator = compiled(config, state.discriminator)
        self.synthesis = compiled(config, state.generator.synthesis)
        self.fake = torch.randn_like(real)

    def draw(self) -> None:
        with torch.no_grad():
            self._drawn()

    def generator(self) -> None:
        self.state.discriminator.requires_grad_(False)
        loss = self.config.objective.generator(self._judged(self._drawn()), None)
        self.processes.step(self.state.generator_optimiser, loss)

    def discriminate(self) -> None:
        self.state.discriminator.requires_grad_(True)
        loss = self.config.objective.discriminator(self._judged(self.real), self._judged(self.fake))
        self.processes.step(self.state.discriminator_optimiser, loss)

    def r1(self) -> None:
        self.state.discriminator.requires_grad_(True)
        penalty = r1_penalty(self.state.discriminator, self.real, self.fake, self.config.r1_gamma)
        self.processes.step(self.state.discriminator_optimiser, penalty)

    def path_length(self) -> None:
        ws = self.state.generator.mapping(self._latents(self.config.batch // self.config.path_length_shrink))
        draw = partial(synthesise, self.state.generator.synthesis, draws=self.processes.draws)
        penalty = self.state.path_length.penalty(draw, ws, self.processes)
        self.processes.step(self.state.generator_optimiser, penalty)

    def augmentation(self) -> None:
        x = self.real.clone().requires_grad_(True)
        augment(x, self.config.augment, 0.5).square().sum().backward()  # type: ignore[no-untyped-call]  # torch's

    def average(self) -> None:
        update_ema(self.state.average, self.state.generator, 0.99)

    def all(self) -> dict[str, Callable[[], object]]:
        doing = (self.draw, self.generator, self.discriminate, self.r1, self.path_length, self.augmentation)
        return dict(zip(PARTS, (*doing, self.average), strict=True))

    def _latents(self, rows: int) -> Tensor:
        return torch.randn(rows, self.config.z_dim, device=self.processes.device)

    def _drawn(self) -> Tensor:
        ws = self.state.generator.mapping(self._latents(self.config.batch))
        with autocast(self.config, self.processes.device):
            return synthesise(self.synthesis, ws, self.processes.draws)

    def _judged(self, x: Tensor) -> Tensor:
        with autocast(self.config, self.processes.device):
            logits: Tensor = self.discriminator(x)
        return logits


def count(part: Callable[[], object]) -> float:
    with FlopCount() as counter:
        part()
    return counter.total


def timed(part: Callable[[], object], device: torch.device, repeats: int) -> float:
    """Seconds, the median of `repeats` after one to warm up."""
    part()
    taken = []
    for _ in range(repeats):
        synchronise(device)
        begun = time.perf_counter()
        part()
        synchronise(device)
        taken.append(time.perf_counter() - begun)
    return sorted(taken)[len(taken) // 2]


def synchronise(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--resolutions", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--precision", nargs="+", default=["bfloat16", "float32"], choices=["bfloat16", "float32"])
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--channel-base", type=int, default=16384)
    parser.add_argument("--channel-max", type=int, default=512)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--compile", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
