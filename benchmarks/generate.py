"""How fast the CPU makes faces: by the engine, by PyTorch eager with the same weights, and at the machine's limit.

    python -m benchmarks.generate [--model faces | FOLDER] [--batches 1,2,4,8] [--threads N] [--seconds 3]

The limit is the float32 matrix multiplication that the machine reaches in the same minutes, so that the ratios say
something on other machines too.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch.utils.flop_counter import FlopCounterMode

from models.catalogue import ModelEntry, find_models, open_model
from models.engines.onnx_engine import OnnxEngine
from models.latents import seed_to_z
from models.networks.stylegan2 import Generator

GEMM_SIDE = 2048


def entry_of(model: str) -> ModelEntry:
    """A bundled model by name, or a model folder."""
    return open_model(Path(model), "store") if Path(model).is_dir() else find_models(None).named(model)


def generator_of(entry: ModelEntry) -> Generator:
    """The network that was exported, weights and all: the graphs keep its tensors under their own names."""
    tensors: dict[str, torch.Tensor] = {}
    for graph in ("mapping", "synthesis"):
        for initializer in onnx.load(entry.graph_path(graph)).graph.initializer:
            array = numpy_helper.to_array(initializer).astype(np.float32)
            tensors[initializer.name.removesuffix(".half")] = torch.from_numpy(array)
    manifest = entry.manifest
    channels = {
        int(name.split(".")[1][1:]): len(tensor) for name, tensor in tensors.items() if name.endswith("conv1.weight")
    }
    generator = Generator(
        z_dim=manifest.z_dim,
        c_dim=manifest.c_dim,
        w_dim=manifest.w_dim,
        img_resolution=manifest.resolution,
        img_channels=3,
        mapping_kwargs={"num_layers": sum(name.startswith("mapping.fc") for name in tensors) // 2},
        synthesis_kwargs={
            "channel_base": manifest.resolution * channels[manifest.resolution],
            "channel_max": max(channels.values()),
            "conv_clamp": 256,
        },
    )
    # Not strict: constants that a graph has no use for are not in it.
    generator.load_state_dict(tensors, strict=False)
    return generator.eval().requires_grad_(False)


def rate(run: Callable[[], object], items: int, seconds: float) -> float:
    """Items a second: the best of at least three runs, since other work on the machine only ever slows one down."""
    run()
    times: list[float] = []
    until = time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < until:
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return items / min(times)


def gemm_limit(seconds: float) -> float:
    """FLOP a second of a float32 matrix multiplication."""
    left, right = torch.randn(2, GEMM_SIDE, GEMM_SIDE)
    return rate(lambda: left @ right, 2 * GEMM_SIDE**3, seconds)


def flop_per_image(generator: Generator, z: torch.Tensor, c: torch.Tensor | None) -> int:
    """Multiplications and additions of one picture: convolutions, filters and matrix products."""
    with FlopCounterMode(display=False) as counter:
        generator(z[:1], c if c is None else c[:1])
    return counter.get_total_flops()


def engine_run(entry: ModelEntry, threads: int, inputs: dict[str, np.ndarray]) -> Callable[[], object]:
    """One batch as the worker runs it: mapping, then synthesis."""
    mapping, synthesis = (OnnxEngine(entry.graph_path(graph), "cpu", threads) for graph in ("mapping", "synthesis"))
    strength = np.ones(len(inputs["z"]), np.float32)
    return lambda: synthesis.run({"ws": mapping.run(inputs)["ws"], "noise_strength": strength})


def measure(entry: ModelEntry, batches: list[int], threads: int, seconds: float) -> None:
    """Print the table."""
    torch.set_num_threads(threads)
    manifest = entry.manifest
    generator = generator_of(entry)
    z = torch.from_numpy(np.concatenate([seed_to_z(seed, manifest.z_dim) for seed in range(max(batches))]))
    c = torch.eye(manifest.c_dim)[torch.arange(len(z)) % manifest.c_dim] if manifest.c_dim else None
    flop = flop_per_image(generator, z, c)
    print(
        f"{manifest.name} ({manifest.digest}), {manifest.resolution} px, "
        f"{flop / 1e9:.2f} GFLOP a picture, {threads} threads"
    )
    print(f"{'batch':>5} {'engine/s':>9} {'torch/s':>9} {'engine/torch':>12} {'limit/s':>9} {'engine/limit':>12}")
    for batch in batches:
        inputs = {"z": z[:batch].numpy(), "psi": np.full((batch, manifest.num_ws), 0.7, np.float32)}
        labels = c if c is None else c[:batch]
        if labels is not None:
            inputs["c"] = labels.numpy()
        limit = gemm_limit(seconds / 2) / flop
        ours = rate(engine_run(entry, threads, inputs), batch, seconds)
        with torch.inference_mode():
            theirs = rate(lambda z=z[:batch], c=labels: generator(z, c, 0.7, noise_mode="const"), batch, seconds)
        print(
            f"{batch:5} {ours:9.1f} {theirs:9.1f} {ours / theirs:12.2f} {limit:9.1f} {ours / limit:12.2f}", flush=True
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="faces", help="a bundled model's name or a model folder")
    parser.add_argument("--batches", default="1,2,4,8", help="batch sizes, with commas")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each figure is measured")
    options = parser.parse_args()
    batches = [int(size) for size in options.batches.split(",")]
    measure(entry_of(options.model), batches, options.threads, options.seconds)


if __name__ == "__main__":
    main()
