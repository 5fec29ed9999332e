"""A graph that does not agree with PyTorch is not written."""
# N batch, L style layer, H W picture, C channel

from pathlib import Path

import numpy as np
import torch

from models.engines.onnx_engine import OnnxEngine
from models.errors import ModelsError
from models.export.onnx_graph import MappingGraph, SynthesisGraph
from models.networks.stylegan2 import Generator

BATCHES = (1, 3, 8)
MAX_WS_DIFFERENCE = 1e-4
MAX_LEVELS = 1
MAX_SHARE = 0.01
"""Share of bytes that may differ by one level. A picture off by e of 255 levels on average shows about a share e."""


class ParityFailed(ModelsError):
    """The exported graph does not agree with the PyTorch network."""


def check_parity(generator: Generator, mapping: Path, synthesis: Path) -> dict[str, float]:
    """Largest differences between graphs and network at batch 1, 3 and 8, with random truncation and noise strength.

    Returns `parity_ws` (absolute), `parity_levels` (of 255) and `parity_share` (of bytes that differ).
    Raises ParityFailed when one of them is over its limit.
    """
    engines = OnnxEngine(mapping, device="cpu"), OnnxEngine(synthesis, device="cpu")
    try:
        rows = [_compare(generator, *engines, batch) for batch in BATCHES]
    finally:
        for engine in engines:
            engine.close()
    ws, levels, share = (float(max(column)) for column in zip(*rows, strict=True))
    if not (ws <= MAX_WS_DIFFERENCE and levels <= MAX_LEVELS and share <= MAX_SHARE):
        raise ParityFailed(
            f"The exported graphs do not agree with the network: ws differ by {ws:.2g} (limit {MAX_WS_DIFFERENCE:g}), "
            f"pictures by {levels:.0f} levels (limit {MAX_LEVELS}) in {share:.2%} of their bytes "
            f"(limit {MAX_SHARE:.0%}). Nothing was written."
        )
    return {"parity_ws": ws, "parity_levels": levels, "parity_share": share}


def _compare(
    generator: Generator, mapping: OnnxEngine, synthesis: OnnxEngine, batch: int
) -> tuple[float, float, float]:
    random = np.random.default_rng(batch)
    inputs = {
        "z": random.standard_normal((batch, generator.z_dim), dtype=np.float32),
        "psi": random.random((batch, generator.num_ws), dtype=np.float32),
    }
    if generator.c_dim:
        inputs["c"] = np.eye(generator.c_dim, dtype=np.float32)[random.integers(generator.c_dim, size=batch)]
    noise_N = random.random(batch, dtype=np.float32)
    ws_NLD = mapping.run(inputs)["ws"]
    picture_NHWC = synthesis.run({"ws": ws_NLD, "noise_strength": noise_N})["picture"]
    with torch.no_grad():
        expected_ws = MappingGraph(generator.mapping)(*(torch.from_numpy(value) for value in inputs.values())).numpy()
        expected = SynthesisGraph(generator.synthesis)(torch.from_numpy(ws_NLD), torch.from_numpy(noise_N)).numpy()
    levels = np.abs(picture_NHWC.astype(np.int16) - expected.astype(np.int16))
    return float(np.abs(ws_NLD - expected_ws).max()), float(levels.max()), float((levels > 0).mean())
