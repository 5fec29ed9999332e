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
        """`cpu`, `cuda:0`, `tensorrt:0`."""
        ...

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """All outputs by name. Arrays must have the dtypes and ranks that the graph declares; axis 0 is the batch."""
        ...

    def close(self) -> None: ...


Float32 = NDArray[np.float32]
