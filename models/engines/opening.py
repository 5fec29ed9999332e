"""Which engine opens a graph: one way for whoever runs graphs, whatever the device."""

from collections.abc import Sequence
from pathlib import Path

from models.engines.buckets import Sides
from models.engines.devices import OPENVINO
from models.engines.engine import Engine
from models.engines.onnx_engine import OnnxEngine
from models.engines.openvino_engine import OpenVinoEngine


def open_engine(
    path: Path,
    device: str = "auto",
    threads: int | None = None,
    cache: Path | None = None,
    batch_sizes: Sequence[int] | None = None,
    *,
    sides: Sides | None = None,
) -> Engine:
    """A graph on `auto`, `cpu`, `cuda[:i]`, `tensorrt[:i]` (ONNX Runtime) or `openvino[:bf16|:f32]` (OpenVINO).

    `auto` is always ONNX Runtime: in bfloat16 a seed's picture is another by a few levels, which nobody should get by
    installing a package. The other arguments are those of OnnxEngine and OpenVinoEngine.
    Raises EngineRefused when the device is not to be had, and whatever the runtime raises for a broken graph.
    """
    engine = OpenVinoEngine if device.partition(":")[0] == OPENVINO else OnnxEngine
    return engine(path, device, threads, cache, batch_sizes, sides=sides)
