"""A graph that does not agree with the network is not written; nor is a float16 graph whose pictures differ visibly."""
# N batch, H W picture, C channel

import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import torch

from models.engines.buckets import Sides
from models.engines.engine import Array, Engine
from models.engines.onnx_engine import OnnxEngine
from models.errors import ModelsError
from models.export.float16_graph import emulated
from models.export.graphs import Graph

MAX_WS_DIFFERENCE = 1e-4
MAX_LEVELS = 1
MAX_SHARE = 0.01
"""Share of bytes that may differ by one level. A picture off by e of 255 levels on average shows about a share e."""
MIN_PSNR = 40.0
"""Of every float16 picture against the same in float32, in decibels."""
EQUAL_PSNR = 100.0
BATCHES = ((256, (1, 3, 8)), (512, (1, 3)), (math.inf, (1, 2)))
"""Batches that are tried below a side in pixels: a large picture takes seconds and gigabytes."""
FLOAT16_SEEDS, FEWEST_SEEDS = 64, 4
MOST_AT_ONCE, PIXELS_AT_ONCE = 32, 8 * 128**2


class ParityFailed(ModelsError):
    """The exported graph does not agree with the PyTorch network."""


@dataclass(frozen=True)
class Comparison:
    """A graph against what it must equal, over one batch or more.

    batch, side, width: of the largest inputs (side 0: not pictures). difference: the largest, of ws absolute, of
    pictures in levels of 255. share: of values that differ. psnr: of the worst picture, in decibels. finite: whether
    all values were. images_per_second: of the graph, in this run.
    """

    graph: str
    batch: int
    side: int
    width: int
    difference: float
    share: float
    psnr: float
    images_per_second: float
    finite: bool = True
    seeds: int = 0

    @property
    def agrees(self) -> bool:
        """Within the limits of its kind: ws, pictures in float32, pictures in float16."""
        if self.graph == "mapping":
            return self.difference <= MAX_WS_DIFFERENCE
        if self.graph.endswith("_float16"):
            return self.finite and self.psnr >= MIN_PSNR
        return self.difference <= MAX_LEVELS and self.share <= MAX_SHARE

    def __str__(self) -> str:
        if self.graph == "mapping":
            return f"{self.graph}: ws differ by {self.difference:.2g} (limit {MAX_WS_DIFFERENCE:g})"
        if not self.finite:
            return f"{self.graph}: pictures are not finite; this network exceeds float16"
        if self.graph.endswith("_float16"):
            return f"{self.graph}: PSNR {self.psnr:.1f} dB against float32 (at least {MIN_PSNR:.0f})"
        return (
            f"{self.graph}: pictures differ by {self.difference:.0f} levels (limit {MAX_LEVELS}) "
            f"in {self.share:.2%} of their bytes (limit {MAX_SHARE:.0%})"
        )


def compare_with_network(name: str, graph: Graph, path: Path) -> Iterator[Comparison]:
    """The file against the PyTorch network it was drawn from, at several batches and, of translators, shapes."""
    shapes = trial_shapes(graph)
    # Each batch as one run, where serving would split it into shares: what is proven is that the batch is free.
    batches, sides = [batch for batch, _, _ in shapes], Sides(usual=shapes[0][1])
    engine = OnnxEngine(path, device="cpu", batch_sizes=batches, sides=sides)
    try:
        engine.warm()
        for batch, side, width in shapes:
            inputs = graph.random_inputs(np.random.default_rng(batch), batch, side, width)
            seconds, outputs = _timed(engine, inputs)
            with torch.no_grad():
                expected = graph(*(torch.from_numpy(array) for array in inputs.values())).numpy()
            yield _compared(name, (batch, side, width), outputs[graph.output], expected, seconds=seconds)
    finally:
        engine.close()


def trial_shapes(graph: Graph) -> tuple[tuple[int, int, int], ...]:
    """Batch, height and width (0, 0: the graph has no choice) of each comparison."""
    multiples = [multiple for axes in graph.free_sizes.values() for multiple in axes.values()]
    if not multiples:
        batches = next(batches for below, batches in BATCHES if graph.resolution < below)
        return tuple((batch, 0, 0) for batch in batches)
    step = max(multiples)
    side = -(-64 // step) * step
    return (1, side, side), (3, side, side + step), (2, side + step, side)


def compare_float16(
    name: str, graph: Graph, exact: Path, half: Path, *, seeds: int | None = None, device: str = "cpu"
) -> Comparison:
    """The float16 file against the float32 file over `seeds` pictures, batch by batch.

    seeds: None for as many as an export tries, 64 up to 128x128 and fewer above, that take about as long. On the CPU
    float16 is emulated (see float16_graph.emulated); on a GPU it is the real thing.
    """
    _, side, _ = trial_shapes(graph)[0]
    pixels = max(side, graph.resolution) ** 2
    seeds = seeds or max(FEWEST_SEEDS, min(FLOAT16_SEEDS, FLOAT16_SEEDS * 128**2 // pixels))
    at_once = max(1, min(MOST_AT_ONCE, PIXELS_AT_ONCE // pixels))
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as open_engines:
        engine = open_engines.enter_context(closing(OnnxEngine(exact, device, batch_sizes=(at_once,))))
        path = half
        if engine.device == "cpu":
            path = Path(scratch) / half.name
            onnx.save(emulated(onnx.load(half)), path)
        half_engine = open_engines.enter_context(closing(OnnxEngine(path, device, batch_sizes=(at_once,))))
        rows = []
        for start in range(0, seeds, at_once):
            shape = (min(at_once, seeds - start), side, side)
            inputs = graph.random_inputs(np.random.default_rng(start), *shape)
            expected = engine.run(inputs)[graph.output]
            seconds, outputs = _timed(half_engine, inputs)
            finite = bool(np.isfinite(outputs.get("poison", 0.0)).all())
            rows.append(_compared(name, shape, outputs[graph.output], expected, seconds=seconds, finite=finite))
    return _worst(rows, seeds)


def check(comparisons: Sequence[Comparison]) -> None:
    """Raises ParityFailed when one of them does not agree."""
    if wrong := [str(comparison) for comparison in comparisons if not comparison.agrees]:
        raise ParityFailed(
            f"The exported graphs do not agree with the network: {'; '.join(wrong)}. Nothing was written."
        )


def as_metrics(comparisons: Sequence[Comparison]) -> dict[str, float]:
    """What a manifest keeps of them."""
    metrics: dict[str, float] = {}
    for row in comparisons:
        if row.graph == "mapping":
            metrics["parity_ws"] = max(row.difference, metrics.get("parity_ws", 0.0))
        elif row.graph.endswith("_float16"):
            # JSON has no infinity, which is what equal pictures have.
            metrics |= {"float16_psnr": min(row.psnr, EQUAL_PSNR), "float16_seeds": float(row.seeds)}
        else:
            metrics["parity_levels"] = max(row.difference, metrics.get("parity_levels", 0.0))
            metrics["parity_share"] = max(row.share, metrics.get("parity_share", 0.0))
            metrics["parity_batch"] = max(float(row.batch), metrics.get("parity_batch", 0.0))
    return metrics


def _timed(engine: Engine, inputs: dict[str, Array]) -> tuple[float, dict[str, Array]]:
    start = time.perf_counter()
    outputs = dict(engine.run(inputs))
    return time.perf_counter() - start, outputs


def _compared(
    name: str, shape: tuple[int, int, int], found: Array, expected: Array, *, seconds: float, finite: bool = True
) -> Comparison:
    difference = np.abs(found.astype(np.float64) - expected.astype(np.float64))
    power = float(np.square(difference).mean(axis=tuple(range(1, difference.ndim))).max())
    peak = 255.0 if found.dtype == np.uint8 else float(np.abs(expected).max())
    batch, side, width = shape
    return Comparison(
        graph=name,
        batch=batch,
        side=side,
        width=width,
        difference=float(difference.max()),
        share=float((difference > 0).mean()),
        psnr=10 * math.log10(peak**2 / power) if power else math.inf,
        images_per_second=batch / seconds,
        finite=finite and not math.isnan(power),
    )


def _worst(rows: Sequence[Comparison], seeds: int) -> Comparison:
    return replace(
        max(rows, key=lambda row: row.batch),
        difference=max(row.difference for row in rows),
        share=max(row.share for row in rows),
        psnr=min(row.psnr for row in rows),
        images_per_second=max(row.images_per_second for row in rows),
        finite=all(row.finite for row in rows),
        seeds=seeds,
    )
