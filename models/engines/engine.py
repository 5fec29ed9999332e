"""The narrow waist under every task: named arrays in, named arrays out."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Engine(Protocol):
    """One graph, opened on one device. Thread-safe."""

    @property
    def device(self) -> str:
        """`cpu`, `cuda:0`, `tensorrt:0`, `openvino:bf16`, `openvino:f32`."""
        ...

    @property
    def batch_sizes(self) -> tuple[int, ...]:
        """The batches that the device runs as they are, ascending; the last is the largest worth sending at once."""
        ...

    def warm(self) -> None:
        """Pay the costs of first runs now: every batch size on a GPU, one run on the CPU."""
        ...

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """All outputs by name. Arrays must have the dtypes and ranks that the graph declares; axis 0 is the batch,
        of any length from 1: the engine pads and splits as its device asks."""
        ...

    def close(self) -> None: ...


Float32 = NDArray[np.float32]
